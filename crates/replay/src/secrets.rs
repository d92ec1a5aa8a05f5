//! Secrets that the app hands out while it is tested, put back where the recording has their
//! placeholders.
//!
//! A recorded answer says `token: secret-token-…`, the app says `token: abc`: from then on, recorded
//! requests that carry the placeholder are sent with `abc`, so that a login works.

use rehearsal_model::{Map, Value, secret};
use std::collections::HashMap;

/// What placeholders stand for in this run.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    live: HashMap<String, String>,
}

impl Secrets {
    /// Learns from an answer as recorded and as it came.
    pub(crate) fn learn(&mut self, recorded: &Map, live: &Map) {
        for (key, value) in recorded.iter() {
            if let Some(other) = live.get(key) {
                self.learn_value(value, other);
            }
        }
    }

    fn learn_value(&mut self, recorded: &Value, live: &Value) {
        match (recorded, live) {
            (Value::Text(recorded), Value::Text(live)) => self.learn_text(recorded, live),
            (Value::List(recorded), Value::List(live)) => {
                for (recorded, live) in recorded.iter().zip(live) {
                    self.learn_value(recorded, live);
                }
            }
            (Value::Map(recorded), Value::Map(live)) => self.learn(recorded, live),
            _ => {}
        }
    }

    /// A text with one placeholder says what it stands for, if the rest of it is the same.
    fn learn_text(&mut self, recorded: &str, live: &str) {
        let Some(found) = secret::find(recorded) else { return };
        let (before, after) = (&recorded[..found.start], &recorded[found.end..]);
        if secret::find(after).is_some() {
            return;
        }
        let middle = live.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        if let Some(middle) = middle.filter(|middle| !middle.is_empty()) {
            self.live.insert(recorded[found].to_owned(), middle.to_owned());
        }
    }

    /// A request with what its placeholders stand for.
    pub(crate) fn fill(&self, request: &Map) -> Map {
        if self.live.is_empty() {
            return request.clone();
        }
        let filled = request.iter().map(|(key, value)| (key.to_owned(), self.fill_value(value)));
        filled.collect()
    }

    fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.fill_text(text)),
            Value::List(list) => {
                Value::List(list.iter().map(|value| self.fill_value(value)).collect())
            }
            Value::Map(map) => Value::Map(self.fill(map)),
            other => other.clone(),
        }
    }

    fn fill_text(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(found) = secret::find(rest) {
            out.push_str(&rest[..found.start]);
            let placeholder = &rest[found.clone()];
            out.push_str(self.live.get(placeholder).map_or(placeholder, String::as_str));
            rest = &rest[found.end..];
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_the_app_hands_out_is_sent_back() {
        let placeholder = secret::placeholder("token", 7);
        let recorded = Map::from([("cookie", format!("sid={placeholder}; Path=/"))]);
        let live = Map::from([("cookie", "sid=abc; Path=/")]);
        let mut secrets = Secrets::default();
        secrets.learn(&recorded, &live);
        let request = Map::from([("auth", format!("Bearer {placeholder}"))]);
        assert_eq!(secrets.fill(&request), Map::from([("auth", "Bearer abc")]));
        let other = Map::from([("auth", secret::placeholder("token", 8))]);
        assert_eq!(secrets.fill(&other), other);
    }
}
