//! Replies as recordings show them, and back.
//!
//! The outermost value has its type for a key. Inside of it what is plain stands for itself: text or
//! bytes for a string, a number for an integer, null, a list for an array; anything else is a map of
//! one key, its type.

use super::resp::Resp;
use super::unwritable;
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::{Map, Number, Value};

/// A reply by its type.
pub(super) fn show(reply: Resp) -> Map {
    match reply {
        Resp::Bulk(bytes) => Map::from([("bulk", Value::from_bytes(&bytes))]),
        Resp::Integer(number) => Map::from([("integer", number)]),
        Resp::Nil => Map::from([("nil", true)]),
        Resp::Array(items) => Map::from([("array", list(items))]),
        Resp::Status(text) => Map::from([("status", Value::from_bytes(&text))]),
        Resp::Error(text) => Map::from([("error", Value::from_bytes(&text))]),
        Resp::BulkError(text) => Map::from([("bulk_error", Value::from_bytes(&text))]),
        Resp::NilArray => Map::from([("nil", "array")]),
        Resp::Map(pairs) => Map::from([("map", show_pairs(pairs))]),
        Resp::Set(items) => Map::from([("set", list(items))]),
        Resp::Push(items) => Map::from([("push", list(items))]),
        Resp::Double(text) => Map::from([("double", number(&text))]),
        Resp::Bool(value) => Map::from([("bool", value)]),
        Resp::Big(text) => Map::from([("big", number(&text))]),
        Resp::Verbatim(format, text) => {
            let mut map = Map::from([("verbatim", Value::from_bytes(&text))]);
            if *format != *b"txt" {
                map.push_new("format", Value::from_bytes(&format));
            }
            map
        }
        Resp::Attributed(about, value) => {
            let mut map = show(*value);
            map.push_new("attributes", show_pairs(about));
            map
        }
    }
}

fn plain(value: Resp) -> Value {
    match value {
        Resp::Bulk(bytes) => Value::from_bytes(&bytes),
        Resp::Integer(number) => Value::from(number),
        Resp::Nil => Value::Null,
        Resp::Array(items) => list(items),
        typed => Value::Map(show(typed)),
    }
}

fn list(items: Vec<Resp>) -> Value {
    Value::List(items.into_iter().map(plain).collect())
}

/// By name where every key is a string of its own, else pair by pair.
fn show_pairs(pairs: Vec<(Resp, Resp)>) -> Value {
    let named = |pairs: &[(Resp, Resp)]| {
        let mut names = std::collections::HashSet::new();
        pairs.iter().all(|(key, _)| match key {
            Resp::Bulk(name) => {
                matches!(Value::from_bytes(name), Value::Text(_)) && names.insert(name.clone())
            }
            _ => false,
        })
    };
    if !named(&pairs) {
        let pair = |(key, value)| Value::List(vec![plain(key), plain(value)]);
        return Value::List(pairs.into_iter().map(pair).collect());
    }
    let mut map = Map::new();
    for (key, value) in pairs {
        if let Resp::Bulk(name) = key {
            map.push_new(String::from_utf8_lossy(&name), plain(value));
        }
    }
    Value::Map(map)
}

fn number(text: &[u8]) -> Value {
    let number = std::str::from_utf8(text).ok().and_then(Number::parse);
    number.map_or_else(|| Value::from_bytes(text), Value::Number)
}

/// The reply that a recording shows.
///
/// # Errors
/// When a key has a value that its type cannot have.
pub(super) fn read(reply: &Map) -> Result<Resp, WireError> {
    let mut found = None;
    for (key, value) in reply.iter() {
        match key {
            "attributes" | "format" => {}
            key if found.is_none() => found = Some(typed(key, value, reply)?),
            key => return Err(unwritable(&format!("a reply of two types, the other is `{key}`"))),
        }
    }
    let value = found.ok_or_else(|| unwritable("a reply without a type, such as `bulk`"))?;
    match reply.get("attributes") {
        Some(about) => Ok(Resp::Attributed(read_pairs("attributes", about)?, Box::new(value))),
        None => Ok(value),
    }
}

fn typed(key: &str, value: &Value, reply: &Map) -> Result<Resp, WireError> {
    let wrong =
        |wanted: &str| unwritable(&format!("`{key}` must be {wanted}, not {}", value.kind()));
    let bytes = || value.as_bytes().map(Bytes::copy_from_slice).ok_or_else(|| wrong("text"));
    Ok(match (key, value) {
        ("status", _) => Resp::Status(bytes()?),
        ("error", _) => Resp::Error(bytes()?),
        ("bulk_error", _) => Resp::BulkError(bytes()?),
        ("bulk", _) => Resp::Bulk(bytes()?),
        ("integer", _) => {
            Resp::Integer(value.as_i64().ok_or_else(|| wrong("an integer of 64 bits"))?)
        }
        ("nil", Value::Bool(true)) => Resp::Nil,
        ("nil", Value::Text(text)) if text == "array" => Resp::NilArray,
        ("nil", _) => return Err(wrong("true or `array`")),
        ("array", _) => Resp::Array(read_list(key, value)?),
        ("set", _) => Resp::Set(read_list(key, value)?),
        ("push", _) => Resp::Push(read_list(key, value)?),
        ("map", _) => Resp::Map(read_pairs(key, value)?),
        ("bool", Value::Bool(value)) => Resp::Bool(*value),
        ("bool", _) => return Err(wrong("true or false")),
        ("double", Value::Number(number)) => Resp::Double(spelled(number)),
        ("double", Value::Text(text)) if text.parse::<f64>().is_ok() => Resp::Double(bytes()?),
        ("big", Value::Number(number)) if number.is_integer() => Resp::Big(spelled(number)),
        ("double", _) => return Err(wrong("a number")),
        ("big", _) => return Err(wrong("an integer")),
        ("verbatim", _) => {
            let format = match reply.get("format") {
                None => Bytes::from_static(b"txt"),
                Some(format) => {
                    let three = format.as_bytes().filter(|format| format.len() == 3);
                    let three =
                        three.ok_or_else(|| unwritable("`format` must be three letters"))?;
                    Bytes::copy_from_slice(three)
                }
            };
            Resp::Verbatim(format, bytes()?)
        }
        _ => return Err(unwritable(&format!("`{key}` is no type of a reply"))),
    })
}

fn spelled(number: &Number) -> Bytes {
    Bytes::copy_from_slice(number.as_str().as_bytes())
}

fn read_plain(value: &Value) -> Result<Resp, WireError> {
    Ok(match value {
        Value::Null => Resp::Nil,
        Value::Text(text) => Resp::Bulk(Bytes::copy_from_slice(text.as_bytes())),
        Value::Bytes(bytes) => Resp::Bulk(Bytes::copy_from_slice(bytes)),
        Value::List(items) => Resp::Array(items.iter().map(read_plain).collect::<Result<_, _>>()?),
        Value::Map(map) => read(map)?,
        Value::Number(number) => match number.as_i64() {
            Some(number) => Resp::Integer(number),
            None => {
                return Err(unwritable(&format!(
                    "{number} is no integer; write `double: {number}`"
                )));
            }
        },
        Value::Bool(value) => {
            return Err(unwritable(&format!("{value} has no type; write `bool: {value}`")));
        }
    })
}

fn read_list(key: &str, value: &Value) -> Result<Vec<Resp>, WireError> {
    let list = value.as_list();
    let list =
        list.ok_or_else(|| unwritable(&format!("`{key}` must be a list, not {}", value.kind())))?;
    list.iter().map(read_plain).collect()
}

fn read_pairs(key: &str, value: &Value) -> Result<Vec<(Resp, Resp)>, WireError> {
    let wrong = || unwritable(&format!("`{key}` must be a map, or a list of pairs"));
    match value {
        Value::Map(map) => {
            let pair = |(name, value): (&str, &Value)| {
                Ok((Resp::Bulk(Bytes::copy_from_slice(name.as_bytes())), read_plain(value)?))
            };
            map.iter().map(pair).collect()
        }
        Value::List(pairs) => {
            let pair = |pair: &Value| match pair.as_list() {
                Some([key, value]) => Ok((read_plain(key)?, read_plain(value)?)),
                _ => Err(wrong()),
            };
            pairs.iter().map(pair).collect()
        }
        _ => Err(wrong()),
    }
}
