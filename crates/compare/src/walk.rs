//! Goes down two values side by side and notes where they differ.

use crate::align::Fuel;
use crate::document::{Document, read};
use crate::number::canonical;
use crate::path::Step;
use crate::print::{Depth, Print, print};
use crate::rules::{Rules, State};
use rehearsal_model::{Change, Difference, Map, Value, secret::mask};
use std::collections::HashMap;

/// How many differences are of use to anybody. A list of one more says that there are others.
pub const MAX_DIFFERENCES: usize = 100;
/// How deep values are told apart; below, they are equal or not as a whole.
pub(crate) const MAX_DEPTH: usize = 200;
/// What a comparison may spend on the alignment of lists.
const FUEL: usize = 16 << 20;
/// Larger maps are looked up by a table, smaller ones by scanning.
const SMALL_MAP: usize = 16;

/// Where two values differ, in the order of the expected one; empty when they agree.
///
/// `root` is the path of the two values, in the syntax of rules; the paths of the differences begin
/// with it. In a list, an item that has gone or differs has its expected index, one that came has
/// its actual index. Numbers agree when they are equal exactly and are both spelled as integers, or
/// both not; texts when they are equal but for the hashes of secrets and times that the rules let differ, or hold JSON lists or maps or
/// XML that say the same, whose insides have paths as if they stood there unwrapped:
/// `body.payload.x`, `body/order/item[2]/@sku`.
///
/// At most [`MAX_DIFFERENCES`] and one more are returned; [`is_truncated`] tells.
#[must_use]
pub fn compare(expected: &Value, actual: &Value, root: &str, rules: &Rules) -> Vec<Difference> {
    if expected == actual {
        return Vec::new();
    }
    let state = rules.at(root);
    let depth = Depth { level: 0, documents: 0 };
    let mut walk =
        Walk { rules, path: root.to_owned(), differences: Vec::new(), depth, fuel: Fuel(FUEL) };
    walk.unprinted(expected, actual, &state);
    walk.differences
}

/// Whether two values differ in more places than a comparison lists.
#[must_use]
pub fn is_truncated(differences: &[Difference]) -> bool {
    differences.len() > MAX_DIFFERENCES
}

/// A value and its fingerprints.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) value: &'a Value,
    pub(crate) print: &'a Print,
}

pub(crate) struct Walk<'r> {
    pub(crate) rules: &'r Rules,
    path: String,
    differences: Vec<Difference>,
    pub(crate) depth: Depth,
    pub(crate) fuel: Fuel,
}

impl Walk<'_> {
    pub(crate) fn is_full(&self) -> bool {
        is_truncated(&self.differences)
    }

    pub(crate) fn note(&mut self, change: Change) {
        if !self.is_full() {
            self.differences.push(Difference { path: self.path.clone(), change });
        }
    }

    /// Does something one level down, unless what is there is noise.
    pub(crate) fn step(&mut self, step: &Step<'_>, state: &State, below: impl FnOnce(&mut Self)) {
        if self.is_full() || self.rules.is_noise(state) {
            return;
        }
        let length = self.path.len();
        step.write(&mut self.path);
        self.depth.level += 1;
        below(self);
        self.depth.level -= 1;
        self.path.truncate(length);
    }

    fn unprinted(&mut self, expected: &Value, actual: &Value, state: &State) {
        let expected_print = print(expected, self.rules, state, self.depth);
        let actual_print = print(actual, self.rules, state, self.depth);
        let expected = Side { value: expected, print: &expected_print };
        self.values(expected, Side { value: actual, print: &actual_print }, state);
    }

    pub(crate) fn values(&mut self, expected: Side<'_>, actual: Side<'_>, state: &State) {
        if self.is_full() || self.rules.is_noise(state) {
            return;
        }
        if let Some(must) = self.rules.must(state) {
            // What meets it may be anything, and a tree is not looked into.
            if expected.value != actual.value && !must.holds(actual.value) {
                self.changed(expected.value, actual.value);
            }
            return;
        }
        match (expected.value, actual.value) {
            _ if self.depth.level >= MAX_DEPTH => self.leaves(expected.value, actual.value),
            (Value::List(_), Value::List(_)) => self.lists(expected, actual, state),
            (Value::Map(e), Value::Map(a)) => {
                self.maps((e, expected.print), (a, actual.print), state);
            }
            (Value::Text(e), Value::Text(a)) => self.texts(e, a, state),
            (e, a) => self.leaves(e, a),
        }
    }

    fn leaves(&mut self, expected: &Value, actual: &Value) {
        let same = match (expected, actual) {
            (Value::Number(e), Value::Number(a)) => {
                let times = || {
                    self.rules.times().is_some_and(|it| it.numbers_agree(e.as_str(), a.as_str()))
                };
                e == a || canonical(e) == canonical(a) || times()
            }
            (e, a) => e == a,
        };
        if !same {
            self.changed(expected, actual);
        }
    }

    fn changed(&mut self, expected: &Value, actual: &Value) {
        let (retyped, expected, actual) =
            (expected.kind() != actual.kind(), expected.clone(), actual.clone());
        self.note(if retyped {
            Change::Retyped { expected, actual }
        } else {
            Change::Changed { expected, actual }
        });
    }

    fn texts(&mut self, expected: &str, actual: &str, state: &State) {
        if expected == actual || mask(expected) == mask(actual) {
            return;
        }
        match (read(expected, self.depth), read(actual, self.depth)) {
            (Some(Document::Json(e)), Some(Document::Json(a))) => {
                let inside = self.depth.inside();
                let outside = std::mem::replace(&mut self.depth, inside);
                self.unprinted(&e, &a, state);
                self.depth = outside;
            }
            (Some(Document::Xml(e)), Some(Document::Xml(a))) => {
                self.documents((&e, expected), (&a, actual), state);
            }
            _ if self.times_agree(expected, actual) => {}
            _ => self.leaves(&Value::from(expected), &Value::from(actual)),
        }
    }

    /// Whether two texts differ in nothing but times that agree.
    pub(crate) fn times_agree(&self, expected: &str, actual: &str) -> bool {
        self.rules.times().is_some_and(|times| times.texts_agree(&mask(expected), &mask(actual)))
    }

    fn maps(&mut self, expected: (&Map, &Print), actual: (&Map, &Print), state: &State) {
        let (e_keys, a_keys) = (Keys::of(expected.0), Keys::of(actual.0));
        for (place, (key, e_value)) in expected.0.iter().enumerate() {
            let step = Step::Key(key.into());
            let state = self.rules.down(state, &step);
            self.step(&step, &state, |walk| match a_keys.find(key, e_keys.nth(place, key)) {
                Some((other, a_value)) => walk.values(
                    Side { value: e_value, print: expected.1.at(place) },
                    Side { value: a_value, print: actual.1.at(other) },
                    &state,
                ),
                None => walk.note(Change::Missing { expected: e_value.clone() }),
            });
        }
        for (place, (key, a_value)) in actual.0.iter().enumerate() {
            if e_keys.find(key, a_keys.nth(place, key)).is_none() {
                let step = Step::Key(key.into());
                let state = self.rules.down(state, &step);
                self.step(&step, &state, |walk| {
                    walk.note(Change::Added { actual: a_value.clone() });
                });
            }
        }
    }
}

/// The keys of a map, found fast however many there are. A key that stands there several times,
/// which a map should not have, is told apart by which time it is.
enum Keys<'a> {
    Few(&'a Map),
    Many { places: HashMap<&'a str, Vec<(usize, &'a Value)>>, nths: Vec<usize> },
}

impl<'a> Keys<'a> {
    fn of(map: &'a Map) -> Self {
        if map.len() <= SMALL_MAP {
            return Keys::Few(map);
        }
        let mut places: HashMap<&str, Vec<_>> = HashMap::with_capacity(map.len());
        let number = |(place, (key, value))| {
            let all = places.entry(key).or_default();
            all.push((place, value));
            all.len() - 1
        };
        let nths = map.iter().enumerate().map(number).collect();
        Keys::Many { places, nths }
    }

    /// The how many-th of its name the key at a place is, from 0.
    fn nth(&self, place: usize, key: &str) -> usize {
        match self {
            Keys::Few(map) => map.keys().take(place).filter(|name| *name == key).count(),
            Keys::Many { nths, .. } => nths[place],
        }
    }

    fn find(&self, key: &str, nth: usize) -> Option<(usize, &'a Value)> {
        match self {
            Keys::Few(map) => {
                let mut same = map.iter().enumerate().filter(|(_, (name, _))| *name == key);
                same.nth(nth).map(|(place, (_, value))| (place, value))
            }
            Keys::Many { places, .. } => places.get(key)?.get(nth).copied(),
        }
    }
}
