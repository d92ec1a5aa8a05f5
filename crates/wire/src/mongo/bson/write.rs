//! Writes documents.

use super::super::unwritable;
use super::{DEEPEST, is_mark, marked};
use crate::WireError;
use rehearsal_model::{Number, Value};

/// Writes a whole document: a map, or `{$document: …}`.
pub(in super::super) fn document(document: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    match value(document, 0, out)? {
        0x03 => Ok(()),
        _ => Err(unwritable("a document must be a map")),
    }
}

/// Writes a value; gives its type.
pub(super) fn value(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<u8, WireError> {
    if depth > DEEPEST {
        return Err(unwritable("documents too deep in one another"));
    }
    match value {
        Value::Null => Ok(0x0a),
        Value::Bool(value) => {
            out.push(u8::from(*value));
            Ok(0x08)
        }
        Value::Number(value) => number(value, out),
        Value::Text(_) | Value::Bytes(_) => {
            string(value, out).ok_or_else(|| unwritable("a text"))?;
            Ok(0x02)
        }
        Value::List(list) => {
            let pairs = list.iter().enumerate();
            elements(pairs.map(|(place, value)| (place.to_string(), value)), depth, out)?;
            Ok(0x04)
        }
        Value::Map(map) => match map.keys().next().filter(|key| is_mark(key)) {
            Some(mark) => marked::put(mark, map, depth, out),
            None => {
                elements(map.iter(), depth, out)?;
                Ok(0x03)
            }
        },
    }
}

fn number(number: &Number, out: &mut Vec<u8>) -> Result<u8, WireError> {
    let text = number.as_str();
    if !number.is_integer() {
        let double = text.parse::<f64>().ok().filter(|double| double.is_finite());
        let double = double.ok_or_else(|| unwritable("a number too large for a double"))?;
        out.extend_from_slice(&double.to_le_bytes());
        return Ok(0x01);
    }
    if let Ok(small) = text.parse::<i32>() {
        out.extend_from_slice(&small.to_le_bytes());
        return Ok(0x10);
    }
    let long = text.parse::<i64>();
    let long = long.map_err(|_| unwritable("a whole number of more than 64 bits"))?;
    out.extend_from_slice(&long.to_le_bytes());
    Ok(0x12)
}

fn elements<'a, K: AsRef<[u8]>>(
    pairs: impl Iterator<Item = (K, &'a Value)>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let place = out.len();
    out.extend_from_slice(&[0; 4]);
    for (key, inner) in pairs {
        let kind = out.len();
        out.push(0);
        zero_ended(key.as_ref(), out)?;
        out[kind] = value(inner, depth + 1, out)?;
    }
    out.push(0);
    patch(place, out);
    Ok(())
}

/// Writes a document or a list that is given as pairs.
pub(super) fn pairs(
    mark: &str,
    pairs: &Value,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<u8, WireError> {
    let wrong = || unwritable(&format!("`{mark}` must be a list of [key, value]"));
    let list = pairs.as_list().ok_or_else(wrong)?;
    let mut all = Vec::with_capacity(list.len());
    for pair in list {
        let Some([key, value]) = pair.as_list() else { return Err(wrong()) };
        all.push((key.as_bytes().ok_or_else(wrong)?, value));
    }
    elements(all.into_iter(), depth, out)?;
    Ok(if mark == "$array" { 0x04 } else { 0x03 })
}

/// Writes a text with its length; nothing when it is none.
pub(super) fn string(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let bytes = value.as_bytes()?;
    length(bytes.len() + 1, out);
    out.extend_from_slice(bytes);
    out.push(0);
    Some(())
}

/// Writes a text that a zero byte ends.
pub(super) fn zero_ended(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
    if bytes.contains(&0) {
        return Err(unwritable("a key or a pattern with a zero byte in it"));
    }
    out.extend_from_slice(bytes);
    out.push(0);
    Ok(())
}

/// Writes a length. Nothing that is longer can be held.
pub(super) fn length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_le_bytes());
}

/// Puts the length of what follows at its place.
pub(super) fn patch(place: usize, out: &mut [u8]) {
    let length = i32::try_from(out.len() - place).unwrap_or(i32::MAX);
    out[place..place + 4].copy_from_slice(&length.to_le_bytes());
}
