//! Identifiers that the app invents, such as UUIDs and ObjectIds: they differ in each run, but in the
//! same way everywhere.
//!
//! When a call differs from its mock only in identifiers that nobody has told the app, each recorded
//! one is bound to the one that stands in its place. From then on the one means the other: in calls,
//! in what they are answered, in the app's own answers and in what it is asked. An identifier that the
//! app was told is never bound: there, another one is a difference. Other values are no concern of
//! this file, however random they look.

use rehearsal_model::{Map, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Identifiers that are remembered of one run.
const MOST: usize = 1 << 20;

/// A recorded identifier and the one of this run.
pub(crate) type Pair = (String, String);

/// What is known of the identifiers of one run.
#[derive(Debug, Default)]
pub(crate) struct Renaming {
    recorded: HashMap<String, String>,
    live: HashMap<String, String>,
    /// What the app was told, and did not invent.
    told: HashSet<String>,
}

impl Renaming {
    /// Notes that the app is told these identifiers.
    pub(crate) fn tell(&mut self, map: &Map) {
        map.iter().for_each(|(key, value)| {
            self.tell_text(key);
            self.tell_value(value);
        });
    }

    fn tell_value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.tell_text(text),
            Value::List(list) => list.iter().for_each(|value| self.tell_value(value)),
            Value::Map(map) => self.tell(map),
            _ => {}
        }
    }

    fn tell_text(&mut self, text: &str) {
        for range in identifiers(text) {
            if self.told.len() < MOST && !self.recorded.contains_key(&text[range.clone()]) {
                self.told.insert(text[range].to_owned());
            }
        }
    }

    /// A message of this run as it would have been recorded.
    pub(crate) fn to_recorded<'a>(&self, map: &'a Map) -> Cow<'a, Map> {
        exchange(map, &self.recorded)
    }

    /// A recorded message as it is in this run.
    pub(crate) fn to_live<'a>(&self, map: &'a Map) -> Cow<'a, Map> {
        exchange(map, &self.live)
    }

    /// What would have to be bound for two values to agree, as far as it may be. `actual` is as if
    /// recorded; all that is bound stands for itself there. `again` is for what answers any number
    /// of times: each time, the app may have made up another identifier.
    pub(crate) fn pairs(&self, expected: &Value, actual: &Value, again: bool) -> Vec<Pair> {
        let (recorded, live) = (HashMap::new(), HashMap::new());
        let mut found = Found { renaming: self, again, recorded, live };
        found.values(expected, actual);
        found.recorded.into_iter().map(|(live, recorded)| (recorded, live)).collect()
    }

    pub(crate) fn bind(&mut self, pairs: Vec<Pair>) {
        for (recorded, live) in pairs {
            if self.recorded.len() < MOST {
                self.recorded.insert(live.clone(), recorded.clone());
                self.live.insert(recorded, live);
            }
        }
    }

    /// Whether an identifier of this run was made up by the app and stands for no recorded one.
    fn is_new(&self, live: &str) -> bool {
        !self.told.contains(live)
            && !self.live.contains_key(live)
            && !self.recorded.contains_key(live)
    }

    /// Whether a recorded identifier may be bound.
    fn is_free(&self, recorded: &str, again: bool) -> bool {
        let was_bound = || again && self.live.contains_key(recorded);
        !self.told.contains(recorded) && (was_bound() || self.is_new(recorded))
    }
}

/// A value with identifiers replaced by the recorded ones of pairs.
pub(crate) fn renamed(value: &Value, pairs: &[Pair]) -> Value {
    let names = pairs.iter().map(|(recorded, live)| (live.clone(), recorded.clone())).collect();
    exchange_value(value, &names)
}

/// Pairs that are found, each identifier in one of them at most.
struct Found<'a> {
    renaming: &'a Renaming,
    again: bool,
    recorded: HashMap<String, String>,
    live: HashMap<String, String>,
}

impl Found<'_> {
    fn values(&mut self, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Text(expected), Value::Text(actual)) => self.texts(expected, actual),
            (Value::List(expected), Value::List(actual)) => {
                expected.iter().zip(actual).for_each(|(e, a)| self.values(e, a));
            }
            (Value::Map(expected), Value::Map(actual)) => {
                for (place, (key, value)) in expected.iter().enumerate() {
                    // Most maps have their keys in the same order.
                    let near = actual.iter().nth(place).filter(|(name, _)| *name == key);
                    let other = near.map(|(_, other)| other).or_else(|| actual.get(key));
                    if let Some(other) = other {
                        self.values(value, other);
                    }
                }
            }
            _ => {}
        }
    }

    /// Texts that agree in all but their identifiers.
    fn texts(&mut self, expected: &str, actual: &str) {
        if expected == actual || expected.len() != actual.len() {
            return;
        }
        let (ours, theirs): (Vec<_>, Vec<_>) = (identifiers(expected), identifiers(actual));
        if ours.is_empty() || ours != theirs {
            return;
        }
        let mut from = 0;
        for range in &ours {
            if expected[from..range.start] != actual[from..range.start] {
                return;
            }
            from = range.end;
        }
        if expected[from..] == actual[from..] {
            for range in ours {
                self.pair(&expected[range.clone()], &actual[range]);
            }
        }
    }

    fn pair(&mut self, recorded: &str, live: &str) {
        let unknown = !self.recorded.contains_key(live) && !self.live.contains_key(recorded);
        let free = self.renaming.is_free(recorded, self.again) && self.renaming.is_new(live);
        if recorded != live && unknown && free {
            self.recorded.insert(live.to_owned(), recorded.to_owned());
            self.live.insert(recorded.to_owned(), live.to_owned());
        }
    }
}

fn exchange<'a>(map: &'a Map, names: &HashMap<String, String>) -> Cow<'a, Map> {
    if names.is_empty() {
        return Cow::Borrowed(map);
    }
    let pairs = map
        .iter()
        .map(|(key, value)| (exchange_text(key, names).into_owned(), exchange_value(value, names)));
    let mut out = Map::new();
    pairs.for_each(|(key, value)| out.push_new(key, value));
    Cow::Owned(out)
}

fn exchange_value(value: &Value, names: &HashMap<String, String>) -> Value {
    match value {
        Value::Text(text) => Value::Text(exchange_text(text, names).into_owned()),
        Value::List(list) => {
            Value::List(list.iter().map(|value| exchange_value(value, names)).collect())
        }
        Value::Map(map) => Value::Map(exchange(map, names).into_owned()),
        other => other.clone(),
    }
}

fn exchange_text<'a>(text: &'a str, names: &HashMap<String, String>) -> Cow<'a, str> {
    let known: Vec<_> = identifiers(text)
        .into_iter()
        .filter(|range| names.contains_key(&text[range.clone()]))
        .collect();
    if known.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for range in known {
        out.push_str(&text[from..range.start]);
        out.push_str(&names[&text[range.clone()]]);
        from = range.end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// Where identifiers stand in a text: UUIDs and 24 hexadecimal digits (ObjectIds), not as a part of a
/// longer word.
fn identifiers(text: &str) -> Vec<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let bytes = text.as_bytes();
    let (mut found, mut from) = (Vec::new(), 0);
    while bytes.len() - from >= 24 {
        let length = bytes[from..].iter().take_while(|byte| is_part(byte)).count();
        if length < 24 {
            from += length + 1;
            if from >= bytes.len() {
                break;
            }
            continue;
        }
        let word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
        let starts_word = from > 0 && word(from - 1);
        found.extend(within(&text[from..from + length]).filter_map(|range| {
            let range = range.start + from..range.end + from;
            let cut = (range.start == from && starts_word) || word(range.end);
            (!cut).then_some(range)
        }));
        from += length;
    }
    found
}

/// Where identifiers stand in a run of hexadecimal digits and hyphens.
fn within(run: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < run.len() {
            let rest = &run[from..];
            let digits = rest.find('-').unwrap_or(rest.len());
            let start = from;
            if digits == 24 {
                from += 24;
                return Some(start..from);
            }
            if is_uuid(rest) {
                from += 36;
                return Some(start..from);
            }
            from += digits + 1;
        }
        None
    })
}

/// Whether hexadecimal digits and hyphens begin with a UUID that ends there.
fn is_uuid(rest: &str) -> bool {
    let mut parts = rest.split('-').map(str::len);
    [8, 4, 4, 4, 12].iter().all(|length| parts.next() == Some(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "65e0a1b2c3d4e5f601020304";
    const B: &str = "65e0a1b2c3d4e5f6010203ff";
    const C: &str = "65e0a1b2c3d4e5f6010203aa";
    const U: &str = "01234567-89ab-cdef-0123-456789abcdef";
    const V: &str = "01234567-89ab-cdef-0123-456789abcd00";

    fn text(text: &str) -> Map {
        Map::from([("x", text)])
    }

    /// The texts that have the form of identifiers.
    fn found(text: &str) -> Vec<&str> {
        identifiers(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn identifiers_are_whole_words() {
        assert_eq!(found(A), [A]);
        assert_eq!(found(&format!("/orders/{A}/x?y={U}")), [A, U]);
        assert_eq!(found(&format!("paid-{A}-{U}, {B}")), [A, U, B]);
        assert_eq!(found(&format!("created-{U}")), [U]);
        assert_eq!(found(&format!("{A}0")), [""; 0]);
        assert_eq!(found(&format!("g{A}")), [""; 0]);
        assert_eq!(found(&format!("{A}g")), [""; 0]);
        assert_eq!(found(&U.replace('-', "")), [""; 0]);
        assert_eq!(found(&format!("é{A}é")), [A]);
        assert_eq!(found(&"-".repeat(40)), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn what_is_bound_means_the_same_from_then_on() {
        let mut renaming = Renaming::default();
        let pairs = renaming.pairs(&Value::Map(text(A)), &Value::Map(text(B)), false);
        assert_eq!(pairs, [(A.to_owned(), B.to_owned())]);
        renaming.bind(pairs);
        let (live, recorded) = (text(&format!("/o/{B}")), text(&format!("/o/{A}")));
        assert_eq!(*renaming.to_recorded(&live), recorded);
        assert_eq!(*renaming.to_live(&recorded), live);
        let key = Map::from([(B, 1)]);
        assert_eq!(*renaming.to_recorded(&key), Map::from([(A, 1)]));
    }

    #[track_caller]
    fn not_bound(renaming: &Renaming, recorded: &str, live: &str) {
        let pairs = renaming.pairs(&Value::from(recorded), &Value::from(live), false);
        assert_eq!(pairs, [], "{recorded} and {live}");
    }

    #[test]
    fn what_the_app_was_told_is_not_bound() {
        let mut renaming = Renaming::default();
        renaming.tell(&text(&format!("{{\"id\":\"{A}\"}}")));
        not_bound(&renaming, A, B);
        not_bound(&renaming, B, A);
        renaming.bind(renaming.pairs(&Value::from(U), &Value::from(V), false));
        not_bound(&renaming, U, B);
        not_bound(&renaming, C, V);
        // That it is told its own again does not make it less its own.
        renaming.tell(&text(V));
        assert_eq!(*renaming.to_recorded(&text(V)), text(U));
    }

    #[test]
    fn one_identifier_stands_for_one() {
        let renaming = Renaming::default();
        let list = |items: [&str; 2]| Value::from(items.map(Value::from).to_vec());
        assert_eq!(renaming.pairs(&list([A, A]), &list([B, C]), false).len(), 1);
        assert_eq!(renaming.pairs(&list([A, B]), &list([C, C]), false).len(), 1);
        assert_eq!(renaming.pairs(&list([A, U]), &list([B, V]), false).len(), 2);
        not_bound(&renaming, A, U);
        not_bound(&renaming, &format!("a {A}"), &format!("b {B}"));
        not_bound(&renaming, &format!("{A} a"), &format!("{B} b"));
        not_bound(&renaming, "one", "two");
    }

    #[test]
    fn what_answers_again_and_again_takes_a_new_one_each_time() {
        let mut renaming = Renaming::default();
        renaming.bind(renaming.pairs(&Value::from(A), &Value::from(B), true));
        not_bound(&renaming, A, C);
        renaming.bind(renaming.pairs(&Value::from(A), &Value::from(C), true));
        for live in [B, C] {
            assert_eq!(*renaming.to_recorded(&text(live)), text(A));
        }
        assert_eq!(*renaming.to_live(&text(A)), text(C));
        renaming.tell(&text(U));
        assert_eq!(renaming.pairs(&Value::from(U), &Value::from(V), true), []);
    }
}
