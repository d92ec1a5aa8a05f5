//! What two replays teach: what differs from one to the other is noise, what differs from the recording
//! alone is unstable.

use crate::path::{Step, parse};
use rehearsal_model::{Change, Difference, Noise, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The reason that is written beside what was learned.
const REASON: &str = "differs from replay to replay";

/// What was learned of one test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lessons {
    /// What differs from replay to replay, by path.
    pub noise: Vec<Noise>,
    /// What differs from the recording in both replays alike.
    pub unstable: Vec<Difference>,
}

/// What the differences of two replays from one recording teach.
///
/// A path with several indexes of one list is learned for all of them: `items[*].id`. What kept its kind
/// has to keep it, and its pattern where it has one.
#[must_use]
pub fn learn(first: &[Difference], second: &[Difference]) -> Lessons {
    let by_path = |all: &[Difference]| -> BTreeMap<String, Change> {
        all.iter().map(|it| (it.path.clone(), it.change.clone())).collect()
    };
    let (first, second) = (by_path(first), by_path(second));
    let paths: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut lessons = Lessons::default();
    let mut differing: BTreeMap<String, Vec<(&String, Vec<&Change>)>> = BTreeMap::new();
    for path in paths {
        match (first.get(path), second.get(path)) {
            (Some(one), Some(other)) if one == other => {
                lessons.unstable.push(Difference { path: path.clone(), change: one.clone() });
            }
            (one, other) => {
                let changes = one.into_iter().chain(other).collect();
                differing.entry(any_index(path)).or_default().push((path, changes));
            }
        }
    }
    for (pattern, places) in differing {
        let path = if places.len() > 1 { pattern } else { places[0].0.clone() };
        lessons.noise.push(noise(path, places.into_iter().flat_map(|(_, changes)| changes)));
    }
    lessons
}

/// A path with any index in place of each.
fn any_index(path: &str) -> String {
    let mut out = String::new();
    for step in parse(path).unwrap_or_default() {
        match step {
            Step::Index(_) => Step::AnyIndex.write(&mut out),
            Step::Nth(_) => {}
            step => step.write(&mut out),
        }
    }
    out
}

fn noise<'a>(path: String, changes: impl Iterator<Item = &'a Change>) -> Noise {
    let mut values: Vec<&Value> = Vec::new();
    let mut always_there = true;
    for change in changes {
        always_there &= change.expected().is_some() && change.actual().is_some();
        values.extend(change.expected().into_iter().chain(change.actual()));
    }
    // Elements of XML have no kind.
    let conditional = always_there && !path.contains('/');
    let kind = values.first().map(|value| value.kind());
    let kind = kind.filter(|kind| conditional && values.iter().all(|it| it.kind() == *kind));
    let texts: Option<Vec<&str>> = values.iter().map(|value| value.as_text()).collect();
    let matches = texts.filter(|_| conditional).and_then(|texts| pattern(&texts));
    let kind = kind.filter(|_| matches.is_none()).map(str::to_owned);
    Noise { path, matches, kind, learned: Some(REASON.to_owned()) }
}

/// A regular expression for texts that are all of one length and of few letters, or numbers.
fn pattern(texts: &[&str]) -> Option<String> {
    const LETTERS: [&str; 4] = ["0-9", "0-9a-f", "0-9a-f-", "0-9A-Za-z_-"];
    let all = |letters: &str| {
        texts.iter().all(|text| !text.is_empty() && text.bytes().all(|byte| is_of(letters, byte)))
    };
    let letters = LETTERS.into_iter().find(|letters| all(letters))?;
    let length = texts.first()?.len();
    match texts.iter().all(|text| text.len() == length) {
        true => Some(format!("^[{letters}]{{{length}}}$")),
        false => (letters == LETTERS[0]).then(|| format!("^[{letters}]+$")),
    }
}

/// Whether a byte is of one of the sets of letters that are looked for.
fn is_of(letters: &str, byte: u8) -> bool {
    match byte {
        b'0'..=b'9' => true,
        b'a'..=b'f' => letters != "0-9",
        b'-' => letters.ends_with('-'),
        byte => letters.contains("_") && (byte == b'_' || byte.is_ascii_alphanumeric()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(path: &str, expected: impl Into<Value>, actual: impl Into<Value>) -> Difference {
        let change = Change::Changed { expected: expected.into(), actual: actual.into() };
        Difference { path: path.to_owned(), change }
    }

    #[track_caller]
    fn check(
        first: &[Difference],
        second: &[Difference],
        expected: &[(&str, &str)],
        unstable: usize,
    ) {
        let lessons = learn(first, second);
        let condition = |noise: &Noise| {
            noise.matches.clone().or_else(|| noise.kind.clone()).unwrap_or_default()
        };
        let found: Vec<_> =
            lessons.noise.iter().map(|noise| (noise.path.clone(), condition(noise))).collect();
        let expected: Vec<_> =
            expected.iter().map(|(path, must)| ((*path).to_owned(), (*must).to_owned())).collect();
        assert_eq!((found, lessons.unstable.len()), (expected, unstable));
        assert!(lessons.noise.iter().all(|noise| noise.learned.is_some()));
    }

    #[test]
    fn what_differs_between_replays_is_noise_and_else_unstable() {
        check(&[], &[], &[], 0);
        check(&[changed("a", 1, 2)], &[changed("a", 1, 2)], &[], 1);
        check(&[changed("a", 1, 2)], &[changed("a", 1, 3)], &[("a", "integer")], 0);
        check(&[changed("a", 1, 2)], &[], &[("a", "integer")], 0);
        check(&[changed("a", "x y", "x z")], &[changed("a", "x y", "u v")], &[("a", "text")], 0);
        check(&[changed("a", "ab12", "ff00")], &[], &[("a", "^[0-9a-f]{4}$")], 0);
        check(&[changed("a", "17", "8")], &[], &[("a", "^[0-9]+$")], 0);
        let gone = Difference { path: "a".into(), change: Change::Missing { expected: 1.into() } };
        check(&[gone], &[], &[("a", "")], 0);
    }

    #[test]
    fn several_items_of_a_list_are_all_of_it() {
        let first = [changed("r.items[0].id", 1, 2), changed("r.items[4].id", 1, 3)];
        check(&first, &[], &[("r.items[*].id", "integer")], 0);
        check(&first[1..], &[], &[("r.items[4].id", "integer")], 0);
        check(&[changed("b/x[2]/@y", "a", "b")], &[], &[("b/x[2]/@y", "")], 0);
    }
}
