//! Names that one side of a conversation invents, such as the number of a subscription, and that the
//! other side says back: a played side has to say those of today.
//!
//! Only texts that look invented count, and only where the whole text is said back.

use rehearsal_model::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How long a name is at least: what is shorter may well be a word.
const SHORTEST: usize = 16;

/// How many names are told apart.
const MOST: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Renaming {
    /// Today's names by those that were recorded.
    names: BTreeMap<String, String>,
}

impl Renaming {
    /// Learns from a message and the one in whose place it stands.
    pub(crate) fn learn(&mut self, recorded: &Map, today: &Map) {
        for (key, value) in recorded.iter() {
            if let Some(other) = today.get(key) {
                self.compare(value, other);
            }
        }
    }

    fn compare(&mut self, recorded: &Value, today: &Value) {
        match (recorded, today) {
            (Value::Map(recorded), Value::Map(today)) => self.learn(recorded, today),
            (Value::List(recorded), Value::List(today)) => {
                recorded.iter().zip(today).for_each(|(old, new)| self.compare(old, new));
            }
            (Value::Text(recorded), Value::Text(today))
                if recorded != today
                    && is_invented(recorded)
                    && is_invented(today)
                    && self.names.len() < MOST =>
            {
                self.names.entry(recorded.clone()).or_insert_with(|| today.clone());
            }
            _ => {}
        }
    }

    /// A recorded message with the names of today.
    pub(crate) fn apply<'a>(&self, message: &'a Map) -> Cow<'a, Map> {
        if self.names.is_empty() {
            return Cow::Borrowed(message);
        }
        let mut renamed = message.clone();
        renamed.iter_mut().for_each(|(_, value)| self.rename(value));
        Cow::Owned(renamed)
    }

    fn rename(&self, value: &mut Value) {
        match value {
            Value::Text(text) => {
                if let Some(today) = self.names.get(text) {
                    text.clone_from(today);
                }
            }
            Value::List(list) => list.iter_mut().for_each(|value| self.rename(value)),
            Value::Map(map) => map.iter_mut().for_each(|(_, value)| self.rename(value)),
            _ => {}
        }
    }
}

/// Whether a text looks like a UUID or a token: long, in one piece, with digits.
fn is_invented(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() >= SHORTEST
        && text.bytes().all(fits)
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    fn map(text: &str) -> Map {
        json::parse(text).unwrap().as_map().unwrap().clone()
    }

    #[test]
    fn invented_names_are_said_back_as_they_are_today() {
        let mut renaming = Renaming::default();
        let recorded =
            map(r#"{"sent":{"id":"6f1c7c52-0000-4000-8000-000000000001","sku":"A1","day":["x"]}}"#);
        let today =
            map(r#"{"sent":{"id":"0b0b0b0b-0000-4000-8000-000000000002","sku":"A2","day":["y"]}}"#);
        renaming.learn(&recorded, &today);
        let said = map(
            r#"{"received":{"of":["6f1c7c52-0000-4000-8000-000000000001"],"sku":"A1","day":"x"}}"#,
        );
        let wanted =
            r#"{"received":{"of":["0b0b0b0b-0000-4000-8000-000000000002"],"sku":"A1","day":"x"}}"#;
        assert_eq!(json::to_string(&renaming.apply(&said).into_owned().into()), wanted);
    }
}
