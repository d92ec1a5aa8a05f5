//! Values that the app invents, such as UUIDs and tokens: they differ in each run, but in the same way
//! everywhere.
//!
//! When a message differs from the recorded one only in words that look invented and that nobody has told
//! the app, each recorded one is bound to the one that stands in its place. From then on the one means the
//! other: in calls, in what they are answered, in the app's own answers and in what it is asked. A word
//! that the app was told is never bound: there, another one is a difference. What looks invented is said
//! in `words`; other values are no concern of this file, however random they are.

use crate::document::{Document, read};
use crate::path::Step;
use crate::print::Depth;
use crate::times::without_times;
use crate::words::{Form, Word, are_alike, words};
use rehearsal_model::{Binding, Change, Difference, Finding, Map, Number, Value, stream};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Words that are remembered of one run.
const MOST: usize = 1 << 20;
/// How many texts may be wrapped one in another.
const DEPTH: usize = 3;

/// A recorded word and the one of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    recorded: String,
    live: String,
    /// Where they stand.
    path: String,
    /// How the two are written there.
    written: [String; 2],
}

impl Pair {
    /// Whether another pair has one of the two words in another place.
    #[must_use]
    pub fn contradicts(&self, other: &Pair) -> bool {
        (self.recorded == other.recorded) != (self.live == other.live)
    }
}

/// What is known of the invented values of one run.
#[derive(Debug, Default)]
pub struct Renaming {
    /// The recorded word for each of this run.
    recorded: HashMap<String, String>,
    /// The one of this run for each recorded word, and where that was learnt.
    live: HashMap<String, Bound>,
    /// What the app was told, and did not invent.
    told: HashSet<String>,
    /// What was bound since that was last asked for.
    new: Vec<Binding>,
}

#[derive(Debug)]
struct Bound {
    word: String,
    place: String,
}

/// The words in a message that look invented, as they are compared; also those that are wrapped in
/// others.
#[must_use]
pub fn invented(message: &Map) -> HashSet<String> {
    let mut renaming = Renaming::default();
    renaming.tell(message);
    renaming.told
}

impl Renaming {
    /// Notes that the app is told these words.
    pub fn tell(&mut self, map: &Map) {
        map.iter().for_each(|(key, value)| {
            self.tell_text(key, DEPTH);
            self.tell_value(value);
        });
    }

    /// Notes what the app is told by an answer that is made of messages: what it said itself before is
    /// only said back to it.
    pub fn tell_conversation(&mut self, response: &Map) {
        let mut own = Renaming::default();
        for (key, value) in response.iter() {
            match value.as_list().filter(|_| key == stream::CONVERSATION) {
                None => self.tell_value(value),
                Some(messages) => {
                    let messages = messages.iter().filter_map(Value::as_map);
                    messages.for_each(|message| self.tell_message(message, &mut own));
                }
            }
        }
    }

    fn tell_message(&mut self, message: &Map, own: &mut Renaming) {
        if message.get(stream::SENT).is_some() {
            own.tell(message);
            return;
        }
        let mut told = Renaming::default();
        told.tell(message);
        for key in told.told {
            let known = own.told.contains(&key) || self.recorded.contains_key(&key);
            if !known && self.told.len() < MOST {
                self.told.insert(key);
            }
        }
    }

    fn tell_value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.tell_text(text, DEPTH),
            Value::Number(number) => self.tell_text(number.as_str(), DEPTH),
            Value::List(list) => list.iter().for_each(|value| self.tell_value(value)),
            Value::Map(map) => self.tell(map),
            Value::Null | Value::Bool(_) | Value::Bytes(_) => {}
        }
    }

    fn tell_text(&mut self, text: &str, depth: usize) {
        for word in words(text) {
            if let Form::Wrapped(wrapped) = &word.form {
                if depth > 0 {
                    self.tell_text(&wrapped.text, depth - 1);
                }
                continue;
            }
            let key = word.key(text);
            if self.told.len() < MOST && !self.recorded.contains_key(&key) {
                self.told.insert(key);
            }
        }
    }

    /// A message of this run as it would have been recorded.
    #[must_use]
    pub fn to_recorded<'a>(&self, map: &'a Map) -> Cow<'a, Map> {
        if self.recorded.is_empty() {
            return Cow::Borrowed(map);
        }
        Cow::Owned(exchange(map, &|live| self.recorded.get(live).map(String::as_str)))
    }

    /// A recorded message as it is in this run.
    #[must_use]
    pub fn to_live<'a>(&self, map: &'a Map) -> Cow<'a, Map> {
        if self.live.is_empty() {
            return Cow::Borrowed(map);
        }
        Cow::Owned(exchange(map, &|recorded| self.live.get(recorded).map(|it| it.word.as_str())))
    }

    /// What would have to be bound for two values at a path to agree, as far as it may be. `actual` is
    /// as if recorded; all that is bound stands for itself there. `again` is for what answers any number
    /// of times: each time, the app may have invented another word.
    #[must_use]
    pub fn pairs(&self, expected: &Value, actual: &Value, path: &str, again: bool) -> Vec<Pair> {
        let mut found = Found {
            renaming: self,
            again,
            path: path.to_owned(),
            depth: Depth { level: 0, documents: 0 },
            pairs: Vec::new(),
        };
        found.values(expected, actual);
        found.pairs
    }

    /// Binds pairs in a test, which is said by its name: `test 3`.
    pub fn bind(&mut self, pairs: Vec<Pair>, test: &str) {
        for Pair { recorded, live, path, written: [one, other] } in pairs {
            if self.recorded.len() < MOST {
                let place = format!("{path} of {test}");
                self.new.push(Binding { recorded: one, live: other, at: place.clone() });
                self.recorded.insert(live.clone(), recorded.clone());
                self.live.insert(recorded, Bound { word: live, place });
            }
        }
    }

    /// What was bound since this was last asked.
    pub fn take_new(&mut self) -> Vec<Binding> {
        std::mem::take(&mut self.new)
    }

    /// Whether a value holds a word that the app has invented and that stands for none yet.
    #[must_use]
    pub fn invents(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => words(text).iter().any(|word| self.is_new(&word.key(text))),
            Value::List(list) => list.iter().any(|value| self.invents(value)),
            Value::Map(map) => map.iter().any(|(_, value)| self.invents(value)),
            _ => false,
        }
    }

    /// Which of some differences are due to words that stand for others since earlier.
    #[must_use]
    pub fn contradictions(&self, differences: &[Difference]) -> Vec<Finding> {
        let of = |difference: &Difference| match &difference.change {
            Change::Changed { expected: Value::Text(expected), actual: Value::Text(actual) } => {
                self.contradiction(&difference.path, expected, actual)
            }
            _ => None,
        };
        differences.iter().filter_map(of).collect()
    }

    fn contradiction(&self, path: &str, expected: &str, actual: &str) -> Option<Finding> {
        let (ours, theirs) = (words(expected), words(actual));
        let (e, a) = ours
            .iter()
            .zip(&theirs)
            .find(|(e, a)| e.form == a.form && e.key(expected) != a.key(actual))?;
        let (e_key, a_key) = (e.key(expected), a.key(actual));
        // What came is shown as if recorded, where it stands for something.
        let came = self.live.get(&a_key).map_or(a_key.as_str(), |bound| bound.word.as_str());
        let (recorded, bound) = match (self.live.get(&e_key), self.live.get(&a_key)) {
            (Some(bound), _) => (e.write(expected, &e_key), bound),
            (None, Some(bound)) => (a.write(actual, &a_key), bound),
            (None, None) => return None,
        };
        Some(Finding::Contradiction {
            recorded,
            live: e.write(expected, &bound.word),
            since: bound.place.clone(),
            at: path.to_owned(),
            expected: e.write(expected, &e_key),
            actual: a.write(actual, came),
        })
    }

    /// Whether a word of this run was invented by the app and stands for no recorded one.
    fn is_new(&self, live: &str) -> bool {
        !self.told.contains(live)
            && !self.live.contains_key(live)
            && !self.recorded.contains_key(live)
    }

    /// Whether a recorded word may be bound.
    fn is_free(&self, recorded: &str, again: bool) -> bool {
        let was_bound = || again && self.live.contains_key(recorded);
        !self.told.contains(recorded) && (was_bound() || self.is_new(recorded))
    }
}

/// Whether a message holds a word that looks invented, so that it may come to stand for another one.
#[must_use]
pub fn may_be_renamed(map: &Map) -> bool {
    map.iter().any(|(key, value)| !words(key).is_empty() || value_may_be_renamed(value))
}

/// As [`may_be_renamed`], of a value.
#[must_use]
pub fn value_may_be_renamed(value: &Value) -> bool {
    match value {
        Value::Text(text) => !words(text).is_empty(),
        Value::Number(number) => !words(number.as_str()).is_empty(),
        Value::List(list) => list.iter().any(value_may_be_renamed),
        Value::Map(map) => may_be_renamed(map),
        Value::Null | Value::Bool(_) | Value::Bytes(_) => false,
    }
}

/// A value with words replaced by the recorded ones of pairs.
#[must_use]
pub fn renamed(value: &Value, pairs: &[Pair]) -> Value {
    let names: HashMap<&str, &str> =
        pairs.iter().map(|pair| (pair.live.as_str(), pair.recorded.as_str())).collect();
    exchange_value(value, &|live| names.get(live).copied())
}

/// Pairs that are found, each word in one of them at most.
struct Found<'a> {
    renaming: &'a Renaming,
    again: bool,
    path: String,
    depth: Depth,
    pairs: Vec<Pair>,
}

impl Found<'_> {
    fn values(&mut self, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Text(expected), Value::Text(actual)) => self.texts(expected, actual),
            (Value::Number(expected), Value::Number(actual)) => {
                self.words(expected.as_str(), actual.as_str());
            }
            (Value::List(expected), Value::List(actual)) => {
                for (place, (e, a)) in expected.iter().zip(actual).enumerate() {
                    self.below(&Step::Index(place), e, a);
                }
            }
            (Value::Map(expected), Value::Map(actual)) => {
                for (place, (key, value)) in expected.iter().enumerate() {
                    // Most maps have their keys in the same order.
                    let near = actual.iter().nth(place).filter(|(name, _)| *name == key);
                    let other = near.map(|(_, other)| other).or_else(|| actual.get(key));
                    if let Some(other) = other {
                        self.below(&Step::Key(key.into()), value, other);
                    }
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: &Step<'_>, expected: &Value, actual: &Value) {
        if expected == actual {
            return;
        }
        let length = self.path.len();
        step.write(&mut self.path);
        self.values(expected, actual);
        self.path.truncate(length);
    }

    fn texts(&mut self, expected: &str, actual: &str) {
        if expected == actual || self.words(expected, actual) {
            return;
        }
        let (e, a) = (read(expected, self.depth), read(actual, self.depth));
        if let (Some(Document::Json(e)), Some(Document::Json(a))) = (e, a) {
            let inside = self.depth.inside();
            let outside = std::mem::replace(&mut self.depth, inside);
            self.values(&e, &a);
            self.depth = outside;
        }
    }

    /// Pairs the words of texts that agree in all else, times aside; whether they do.
    fn words(&mut self, expected: &str, actual: &str) -> bool {
        let (ours, theirs) = (words(expected), words(actual));
        if ours.is_empty() || ours.len() != theirs.len() {
            return false;
        }
        let (mut e_from, mut a_from) = (0, 0);
        for (e, a) in ours.iter().zip(&theirs) {
            let between = (&expected[e_from..e.range.start], &actual[a_from..a.range.start]);
            let wrapped = matches!((&e.form, &a.form), (Form::Wrapped(_), Form::Wrapped(_)));
            if !is_same_but_times(between) || !wrapped && !are_alike((e, expected), (a, actual)) {
                return false;
            }
            (e_from, a_from) = (e.range.end, a.range.end);
        }
        if !is_same_but_times((&expected[e_from..], &actual[a_from..])) {
            return false;
        }
        for (e, a) in ours.iter().zip(&theirs) {
            self.pair((e, expected), (a, actual));
        }
        true
    }

    fn pair(&mut self, (e, expected): (&Word, &str), (a, actual): (&Word, &str)) {
        match (&e.form, &a.form) {
            (Form::Wrapped(e), Form::Wrapped(a)) => {
                if self.depth.documents < DEPTH {
                    self.depth.documents += 1;
                    self.texts(&e.text, &a.text);
                    self.depth.documents -= 1;
                }
                return;
            }
            (Form::Signature, _) => return,
            _ => {}
        }
        let (recorded, live) = (e.key(expected), a.key(actual));
        let unknown = self.pairs.iter().all(|pair| pair.live != live && pair.recorded != recorded);
        let free = self.renaming.is_free(&recorded, self.again) && self.renaming.is_new(&live);
        if recorded != live && unknown && free {
            let written = [&expected[e.range.clone()], &actual[a.range.clone()]].map(str::to_owned);
            self.pairs.push(Pair { recorded, live, path: self.path.clone(), written });
        }
    }
}

fn is_same_but_times((one, other): (&str, &str)) -> bool {
    one == other || without_times(one).is_some_and(|parts| Some(parts) == without_times(other))
}

/// What stands for a word, if anything does.
type Names<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

fn exchange<'a>(map: &Map, names: &Names<'a>) -> Map {
    let mut out = Map::new();
    for (key, value) in map.iter() {
        out.push_new(exchange_text(key, names, DEPTH).into_owned(), exchange_value(value, names));
    }
    out
}

fn exchange_value<'a>(value: &Value, names: &Names<'a>) -> Value {
    match value {
        Value::Text(text) => Value::Text(exchange_text(text, names, DEPTH).into_owned()),
        Value::Number(number) => match exchange_text(number.as_str(), names, 0) {
            Cow::Borrowed(_) => value.clone(),
            Cow::Owned(text) => Number::parse(&text).map_or_else(|| value.clone(), Value::Number),
        },
        Value::List(list) => {
            Value::List(list.iter().map(|value| exchange_value(value, names)).collect())
        }
        Value::Map(map) => Value::Map(exchange(map, names)),
        other => other.clone(),
    }
}

fn exchange_text<'t>(text: &'t str, names: &Names<'_>, depth: usize) -> Cow<'t, str> {
    let (mut out, mut from) = (String::new(), 0);
    for word in words(text) {
        let instead = match &word.form {
            Form::Wrapped(wrapped) if depth > 0 => {
                match exchange_text(&wrapped.text, names, depth - 1) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(wrapped.around(&text)),
                }
            }
            Form::Wrapped(_) | Form::Signature => None,
            _ => names(&word.key(text)).map(|key| word.write(text, key)),
        };
        if let Some(instead) = instead {
            out.push_str(&text[from..word.range.start]);
            out.push_str(&instead);
            from = word.range.end;
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
