//! Fingerprints of a value and of everything in it, for the alignment of lists.
//!
//! Values that are equal under the rules have equal fingerprints. The reverse is only likely, so
//! that nothing is taken for equal because of a fingerprint.

use crate::document::{Document, read};
use crate::instant::whole;
use crate::number::canonical;
use crate::path::Step;
use crate::rules::{Rules, State};
use crate::times::without_times;
use crate::walk::MAX_DEPTH;
use rehearsal_model::{Value, secret::mask};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The fingerprint of a value, and those of its items in their order.
#[derive(Debug, Default)]
pub(crate) struct Print {
    pub(crate) hash: u64,
    below: Vec<Print>,
}

static NOTHING: Print = Print { hash: 0, below: Vec::new() };

impl Print {
    /// That of the item at a place of a list or map.
    pub(crate) fn at(&self, place: usize) -> &Print {
        self.below.get(place).unwrap_or(&NOTHING)
    }
}

/// Where in the work a fingerprint is made: how deep, and in how many documents within texts.
#[derive(Clone, Copy)]
pub(crate) struct Depth {
    pub(crate) level: usize,
    pub(crate) documents: usize,
}

impl Depth {
    pub(crate) fn below(self) -> Depth {
        Depth { level: self.level + 1, ..self }
    }

    pub(crate) fn inside(self) -> Depth {
        Depth { level: self.level + 1, documents: self.documents + 1 }
    }
}

pub(crate) fn hash(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn print(value: &Value, rules: &Rules, state: &State, depth: Depth) -> Print {
    if depth.level > MAX_DEPTH || rules.is_noise(state) {
        return Print::default();
    }
    let leaf = |hash| Print { hash, below: Vec::new() };
    if rules.must(state).is_some() {
        return leaf(hash("may differ"));
    }
    match value {
        Value::List(list) => {
            let items = list.iter().enumerate().map(|(place, item)| {
                print(item, rules, &rules.down(state, &Step::Index(place)), depth.below())
            });
            let below: Vec<Print> = items.collect();
            let hashes = below.iter().map(|print| print.hash);
            let hash = if rules.is_unordered(state) {
                hash(("set", list.len(), hashes.fold(0, u64::wrapping_add)))
            } else {
                hash(("list", hashes.collect::<Vec<_>>()))
            };
            Print { hash, below }
        }
        Value::Map(map) => {
            let (mut sum, mut below) = (0u64, Vec::with_capacity(map.len()));
            for (key, value) in map.iter() {
                let state = rules.down(state, &Step::Key(key.into()));
                let print = print(value, rules, &state, depth.below());
                // Noise may as well be absent, so it adds nothing.
                if !rules.is_noise(&state) {
                    sum = sum.wrapping_add(hash((key, print.hash)));
                }
                below.push(print);
            }
            Print { hash: hash(("map", sum)), below }
        }
        Value::Text(text) => leaf(print_text(text, rules, state, depth)),
        Value::Number(number) if rules.times().is_some() && whole(number.as_str()).is_some() => {
            leaf(hash("time"))
        }
        Value::Number(number) => leaf(hash(("number", canonical(number)))),
        other => leaf(hash(other)),
    }
}

fn print_text(text: &str, rules: &Rules, state: &State, depth: Depth) -> u64 {
    match read(text, depth) {
        Some(Document::Json(value)) => {
            hash(("json", print(&value, rules, state, depth.inside()).hash))
        }
        Some(Document::Xml(root)) => hash(("xml", root.print(rules, state))),
        None => {
            let text = mask(text);
            match rules.times().and_then(|_| without_times(&text)) {
                Some(parts) => hash(("times", parts)),
                None => hash(("text", text)),
            }
        }
    }
}
