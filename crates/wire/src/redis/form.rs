//! Commands in comparison form: arguments by what they mean, JSON in them as a tree.

use super::table;
use bytes::Bytes;
use rehearsal_model::{Map, Value, json};

/// The longest text that is looked into for JSON.
const MOST_JSON: usize = 1 << 20;

/// Names that are told apart: more of them are a list, for looking for a name takes time.
const MOST_NAMES: usize = 500;

/// The form of a command: its name under `command`, its arguments under their names.
pub(super) fn command(words: &[Bytes]) -> Map {
    let (name, mut rest) = table::name(words);
    let (_, _, arguments) = table::row(&name);
    let mut form = Map::from([("command", name.into_owned())]);
    for argument in arguments.split_whitespace() {
        if rest.is_empty() {
            break;
        }
        rest = take(argument, rest, &mut form);
    }
    if !rest.is_empty() {
        form.insert("args", list(rest));
    }
    form
}

fn take<'w>(argument: &str, rest: &'w [Bytes], form: &mut Map) -> &'w [Bytes] {
    let name = argument.trim_end_matches(['*', '=', '^', '#', '~']);
    let (taken, left) = match argument.as_bytes().last() {
        Some(b'*' | b'=' | b'~') => rest.split_at(rest.len()),
        Some(b'^') => rest.split_at(rest.len() - 1),
        Some(b'#') => {
            let count = std::str::from_utf8(&rest[0]).ok().and_then(|text| text.parse().ok());
            match count {
                Some(count) if count < rest.len() => rest[1..].split_at(count),
                _ => return rest,
            }
        }
        _ => rest.split_at(1),
    };
    match argument.as_bytes().last() {
        Some(b'=') => form.insert(name, pairs(taken)),
        Some(b'~') => form.insert(name, options(taken)),
        Some(b'*' | b'^' | b'#') => form.insert(name, list(taken)),
        _ => form.insert(name, value(&taken[0])),
    };
    left
}

fn list(words: &[Bytes]) -> Value {
    Value::List(words.iter().map(|word| value(word)).collect())
}

/// By name where every name is text and there only once.
fn pairs(words: &[Bytes]) -> Value {
    if words.len() > 2 * MOST_NAMES {
        return list(words);
    }
    let mut map = Map::new();
    for pair in words.chunks(2) {
        let ([_, word], Ok(name)) = (pair, std::str::from_utf8(&pair[0])) else {
            return list(words);
        };
        if map.insert(name, value(word)).is_some() {
            return list(words);
        }
    }
    Value::Map(map)
}

/// Options in any order: those without a value are true.
fn options(words: &[Bytes]) -> Value {
    let mut map = Map::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = String::from_utf8_lossy(word).to_ascii_uppercase();
        let with = table::is_valued(&name).then(|| words.next()).flatten();
        map.insert(name, with.map_or(Value::Bool(true), |word| value(word)));
    }
    let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Map(pairs.into_iter().collect())
}

/// A word; an object or a list of JSON as what it says.
fn value(word: &[u8]) -> Value {
    let shown = Value::from_bytes(word);
    let Value::Text(text) = &shown else { return shown };
    let document = text.starts_with(['{', '[']) && text.len() <= MOST_JSON;
    let parsed = document.then(|| json::parse(text).ok()).flatten();
    parsed.filter(|value| matches!(value, Value::Map(_) | Value::List(_))).unwrap_or(shown)
}
