//! Commands in comparison form: arguments by what they mean, JSON in values as a tree.

use super::asked::{Asked, Replies};
use rehearsal_model::{Map, Value, json};

/// The longest text that is looked into for JSON.
const MOST_JSON: usize = 1 << 20;

/// The form of a command.
pub(super) fn command(asked: &Asked) -> Map {
    let name = asked.name();
    let mut form = Map::from([("command", Value::from_bytes(name))]);
    let names: &[&str] = match name {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" => &["key", "flags", "expires"],
        b"cas" => &["key", "flags", "expires", "cas"],
        b"get" | b"gets" => &["keys"],
        b"gat" | b"gats" => &["expires", "keys"],
        b"incr" | b"decr" => &["key", "amount"],
        b"touch" => &["key", "expires"],
        b"delete" => &["key"],
        b"flush_all" => &["delay"],
        _ if asked.is_meta() && name != b"mn" => &["key", "flags"],
        _ => &["arguments"],
    };
    let silent = asked.replies() == Replies::Never && name != b"quit";
    let mut words = asked.words.get(1..).unwrap_or_default();
    if silent {
        words = &words[..words.len() - 1];
        form.push_new("noreply", true);
    }
    for (place, key) in names.iter().enumerate() {
        let Some((first, rest)) = words.split_first() else { break };
        let last = place + 1 == names.len();
        let list = matches!(*key, "keys" | "arguments") || (asked.is_meta() && *key == "flags");
        match list || (last && !rest.is_empty()) {
            true => {
                form.push_new(*key, flags(asked, words));
                words = &[];
            }
            false => {
                form.push_new(*key, Value::from_bytes(first));
                words = rest;
            }
        }
    }
    if let Some(data) = &asked.value {
        form.push_new("value", value(data));
    }
    form
}

/// Words without the mark by which a client finds the reply: it is another one each time.
fn flags(asked: &Asked, words: &[bytes::Bytes]) -> Value {
    let kept = words.iter().filter(|word| !(asked.is_meta() && word.first() == Some(&b'O')));
    Value::List(kept.map(|word| Value::from_bytes(word)).collect())
}

/// A value; an object or a list of JSON as what it says.
fn value(data: &[u8]) -> Value {
    let shown = Value::from_bytes(data);
    let Value::Text(text) = &shown else { return shown };
    let document = text.starts_with(['{', '[']) && text.len() <= MOST_JSON;
    let parsed = document.then(|| json::parse(text).ok()).flatten();
    parsed.filter(|value| matches!(value, Value::Map(_) | Value::List(_))).unwrap_or(shown)
}
