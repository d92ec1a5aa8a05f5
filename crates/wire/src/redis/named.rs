//! Values that stand beside their names in commands and replies: the fields of hashes and of entries in
//! streams, keys with what they are set to, settings. Whoever keeps secrets out of recordings asks for them.
//!
//! What a script or a module does with its words is not known.

use super::secret::SETTINGS;
use super::{table, words};
use bytes::Bytes;
use rehearsal_model::{Map, Value};
use std::borrow::Cow;

/// Is given a name and the text beside it, and says what is to stand there instead.
pub(super) type Change<'a> = &'a mut dyn FnMut(&str, &str) -> Option<String>;

/// Whose values a reply has.
enum Reply {
    /// That of this name alone.
    One(String),
    /// One of each name, in order.
    Each(Vec<String>),
    /// Names and values by turns.
    Pairs,
    /// Entries of streams: an id, and names and values by turns.
    Entries,
}

/// Tells of each such value in an exchange.
pub(super) fn each(request: &mut Map, response: Option<&mut Map>, change: Change<'_>) {
    let Some(Value::List(commands)) = request.get_mut("commands") else {
        let asked = request.get_mut("redis").and_then(|shown| command(shown, change));
        if let (Some(asked), Some(response)) = (asked, response) {
            response.iter_mut().for_each(|(_, value)| answered(&asked, value, change));
        }
        return;
    };
    let asked: Vec<_> = commands.iter_mut().map(|shown| command(shown, change)).collect();
    if let Some(Value::List(values)) = response.and_then(|response| response.get_mut("array")) {
        for (asked, value) in asked.iter().zip(values) {
            asked.iter().for_each(|asked| answered(asked, value, change));
        }
    }
}

/// Changes a command; what its reply has.
fn command(shown: &mut Value, change: Change<'_>) -> Option<Reply> {
    let first = match &*shown {
        Value::Text(line) => line.split(' ').next()?,
        Value::List(words) => words.first()?.as_text()?,
        _ => return None,
    };
    let (name, _) = table::name(&[first]);
    let pairs = match &*name {
        "HSET" | "HMSET" | "HSETNX" | "XADD" => 2,
        "MSET" | "MSETNX" | "SET" | "SETNX" | "GETSET" | "APPEND" | "SETEX" | "PSETEX" => 1,
        "HGET" | "HMGET" | "HGETALL" | "HRANDFIELD" | "GET" | "GETDEL" | "GETEX" | "MGET"
        | "CONFIG" | "XRANGE" | "XREVRANGE" | "XREAD" | "XREADGROUP" => 0,
        _ => return None,
    };
    if pairs == 0
        && let Value::Text(line) = &*shown
        && !words::has_quotes(line)
    {
        return reply(&name, line.split_ascii_whitespace().map(Cow::Borrowed));
    }
    let mut words = words::read(shown).ok()?;
    if pairs > 0 && put(&name, pairs, &mut words, change) {
        *shown = words::show(&words);
    }
    reply(&name, words.iter().map(|word| String::from_utf8_lossy(word)))
}

/// Changes what a command sets. Whether anything was changed.
fn put(name: &str, first: usize, words: &mut [Bytes], change: Change<'_>) -> bool {
    let first = match name {
        "XADD" => words.iter().position(|word| is_id(word) || **word == *b"*").map(|id| id + 1),
        _ => Some(first),
    };
    let Some(first) = first else { return false };
    let (step, value) = match name {
        "SETEX" | "PSETEX" => (words.len(), 2),
        "SET" | "SETNX" | "GETSET" | "APPEND" => (words.len(), 1),
        _ => (2, 1),
    };
    let mut changed = false;
    for place in (first..words.len().saturating_sub(value)).step_by(step.max(1)) {
        let (name, text) = (&words[place], &words[place + value]);
        if let Some(text) = told(name, text, change) {
            words[place + value] = text.into();
            changed = true;
        }
    }
    changed
}

fn reply<'w>(name: &str, mut words: impl Iterator<Item = Cow<'w, str>>) -> Option<Reply> {
    Some(match name {
        "HGET" => Reply::One(words.nth(2)?.into_owned()),
        "GET" | "GETDEL" | "GETEX" | "GETSET" => Reply::One(words.nth(1)?.into_owned()),
        "HMGET" => Reply::Each(words.skip(2).map(Cow::into_owned).collect()),
        "MGET" => Reply::Each(words.skip(1).map(Cow::into_owned).collect()),
        "HGETALL" | "HRANDFIELD" | "CONFIG" => Reply::Pairs,
        "XRANGE" | "XREVRANGE" | "XREAD" | "XREADGROUP" => Reply::Entries,
        _ => return None,
    })
}

/// Changes a reply, or a part of one.
fn answered(asked: &Reply, value: &mut Value, change: Change<'_>) {
    match (asked, value) {
        (Reply::One(name), value) => text(name, value, change),
        (Reply::Each(names), Value::List(values)) => {
            names.iter().zip(values).for_each(|(name, value)| text(name, value, change));
        }
        (Reply::Pairs, Value::List(values)) => pairs(values, change),
        (Reply::Pairs, Value::Map(map)) => {
            map.iter_mut().for_each(|(name, value)| text(name, value, change));
        }
        (Reply::Entries, Value::List(values)) => match &mut values[..] {
            [Value::Text(id), Value::List(fields)] if is_id(id.as_bytes()) => pairs(fields, change),
            values => values.iter_mut().for_each(|value| answered(asked, value, change)),
        },
        (Reply::Entries, Value::Map(map)) => {
            map.iter_mut().for_each(|(_, value)| answered(asked, value, change));
        }
        _ => {}
    }
}

/// Names and values by turns, or each two in a list of their own.
fn pairs(values: &mut [Value], change: Change<'_>) {
    for pair in values.chunks_mut(2) {
        match pair {
            [Value::Text(name), value] => text(&name.clone(), value, change),
            lists => {
                for list in lists {
                    if let Value::List(pair) = list
                        && let [Value::Text(name), value] = &mut pair[..]
                    {
                        text(&name.clone(), value, change);
                    }
                }
            }
        }
    }
}

fn text(name: &str, value: &mut Value, change: Change<'_>) {
    if let Value::Text(text) = value
        && let Some(changed) = told(name.as_bytes(), text.as_bytes(), change)
    {
        *text = changed;
    }
}

fn told(name: &[u8], text: &[u8], change: Change<'_>) -> Option<String> {
    let is_setting = SETTINGS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()));
    let name = if is_setting { "password" } else { std::str::from_utf8(name).ok()? };
    change(name, std::str::from_utf8(text).ok()?)
}

/// Whether a word is the id of an entry: `1526919030474-55`.
fn is_id(word: &[u8]) -> bool {
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let dash = word.iter().position(|byte| *byte == b'-');
    dash.is_some_and(|dash| digits(&word[..dash]) && digits(&word[dash + 1..]))
}
