//! `application/x-www-form-urlencoded`: the content of forms and of query strings.
//!
//! Letters, digits and `-._~*` stand for themselves, a space is `+` or `%20`, all else is `%XX`.
//! Content that is spelled in another way is not refused by [`pairs`], but has no recorded form.

use super::fields::{self, bytes_of};
use super::unwritable;
use crate::WireError;
use rehearsal_model::Value;

/// The recorded form, and whether spaces are `%20`, when it gives back these bytes.
pub(super) fn parse_exactly(bytes: &[u8]) -> Option<(Value, bool)> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
    let mut list = Vec::new();
    for (name, value) in pairs(text) {
        list.push((name?, Value::Text(value??)));
    }
    let value = fields::record(list)?;
    let percent_space = text.contains("%20");
    (write(&value, percent_space).ok()? == bytes).then_some((value, percent_space))
}

/// The names and values of a query, decoded; `None` in place of what is not UTF-8 when decoded. A
/// name without `=` has no value.
pub(super) fn pairs(
    text: &str,
) -> impl Iterator<Item = (Option<String>, Option<Option<String>>)> + '_ {
    text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => (decode(name), Some(decode(value))),
        None => (decode(pair), None),
    })
}

fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        match (*byte, rest) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, rest @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                out.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
                bytes = rest;
            }
            (b'%', _) => return None,
            (byte, _) => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

/// The bytes of a recorded form.
pub(super) fn write(value: &Value, percent_space: bool) -> Result<Vec<u8>, WireError> {
    if value.as_map().is_none() && value.as_list().is_none() {
        return Err(unwritable(format!("form is {}; it must be a map", value.kind())));
    }
    let mut out = Vec::new();
    for (name, value) in fields::each(Some(value)) {
        if !out.is_empty() {
            out.push(b'&');
        }
        encode(name.as_bytes(), percent_space, &mut out);
        out.push(b'=');
        encode(&bytes_of(name, value)?, percent_space, &mut out);
    }
    Ok(out)
}

fn encode(bytes: &[u8], percent_space: bool, out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b'*' => {
                out.push(*byte);
            }
            b' ' if !percent_space => out.push(b'+'),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}
