//! Header and trailer fields in recorded form.
//!
//! A map from name to value where that keeps the order; a name that comes again right after itself
//! has a list of values. When it comes again later, the whole is a list of maps of one field each.

use super::head::{Field, is_control, is_token};
use super::unwritable;
use crate::WireError;
use rehearsal_model::{Map, Value};
use std::borrow::Cow;

/// The recorded form of fields; `None` when there are none.
pub(crate) fn record(fields: Vec<Field>) -> Option<Value> {
    if fields.is_empty() {
        return None;
    }
    if comes_again(&fields) {
        let list = fields.into_iter().map(|field| Value::Map(Map::from([field]))).collect();
        return Some(Value::List(list));
    }
    if !fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Some(Value::Map(Map::of_unique(fields)));
    }
    let mut map: Vec<Field> = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match map.last_mut() {
            Some((last, values)) if *last == name => push(values, value),
            _ => map.push((name, value)),
        }
    }
    Some(Value::Map(Map::of_unique(map)))
}

/// Adds a value to one that is there, making it a list.
pub(super) fn push(values: &mut Value, value: Value) {
    match values {
        Value::List(list) => list.push(value),
        first => *first = Value::List(vec![std::mem::take(first), value]),
    }
}

/// Whether a name comes again with another between.
fn comes_again(fields: &[Field]) -> bool {
    fields.iter().enumerate().any(|(place, (name, _))| {
        place > 1
            && fields[place - 1].0 != *name
            && fields[..place - 1].iter().any(|(earlier, _)| earlier == name)
    })
}

/// The single fields of a recorded form, in order. What is no field is passed over.
pub(crate) fn each(recorded: Option<&Value>) -> Vec<(&str, &Value)> {
    let mut out = Vec::new();
    match recorded {
        Some(Value::Map(map)) => flatten(map, &mut out),
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_map).for_each(|map| flatten(map, &mut out));
        }
        _ => {}
    }
    out
}

fn flatten<'a>(map: &'a Map, out: &mut Vec<(&'a str, &'a Value)>) {
    out.reserve(map.len());
    for (name, value) in map.iter() {
        match value {
            Value::List(values) => out.extend(values.iter().map(|value| (name, value))),
            value => out.push((name, value)),
        }
    }
}

/// The first field of that name in a recorded form, whatever its case.
pub(crate) fn first<'a>(recorded: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    let of_map = |map: &'a Map| {
        let mut of_name = map.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        of_name.find_map(|(_, value)| match value {
            Value::List(values) => values.first(),
            value => Some(value),
        })
    };
    match recorded? {
        Value::Map(map) => of_map(map),
        Value::List(list) => list.iter().filter_map(Value::as_map).find_map(of_map),
        _ => None,
    }
}

/// The value of the first field of that name, whatever its case, when it is text.
pub(super) fn find<'a>(fields: &[(&str, &'a Value)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
    found.1.as_text()
}

/// The bytes of a value that people may have written as a number or a truth value.
pub(super) fn bytes_of<'a>(key: &str, value: &'a Value) -> Result<Cow<'a, [u8]>, WireError> {
    match value {
        Value::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Value::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        Value::Number(number) => Ok(Cow::Borrowed(number.as_str().as_bytes())),
        Value::Bool(value) => Ok(Cow::Borrowed(if *value { b"true" } else { b"false" })),
        other => Err(unwritable(format!("{key} is {}; it must be text", other.kind()))),
    }
}

/// Writes one field.
pub(super) fn write(name: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(unwritable(format!("header name {name:?} is not a token")));
    }
    let value = bytes_of(name, value)?;
    if value.iter().any(|byte| is_control(*byte)) {
        return Err(unwritable(format!("header {name} holds control characters")));
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(&value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}
