//! Replies: what the server says, as recordings show it, and back.

use super::lines::{number, words};
use super::{malformed, unwritable};
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::{Map, Number, Value};

/// A line of the server with the data behind it.
pub(super) type Line = (Bytes, Option<Bytes>);

/// How long the data is that a line of the server announces.
pub(super) fn announced(line: &[u8]) -> Option<usize> {
    let words = words(line);
    match *words.first()? {
        b"VALUE" => number(words.get(3)?),
        b"VA" => number(words.get(1)?),
        _ => None,
    }
}

/// Whether a reply has more lines behind this one.
pub(super) fn goes_on(command: &[u8], line: &[u8]) -> bool {
    let first = words(line).first().copied().unwrap_or_default();
    match command {
        b"get" | b"gets" | b"gat" | b"gats" => first == b"VALUE",
        b"stats" => !matches!(first, b"END" | b"RESET" | b"OK") && !is_error(line),
        b"lru_crawler" | b"slabs" => first == b"STAT" || first.starts_with(b"key="),
        _ => false,
    }
}

/// Whether a line says that a command could not be done.
pub(super) fn is_error(line: &[u8]) -> bool {
    let first = words(line).first().copied().unwrap_or_default();
    matches!(first, b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR")
}

/// A whole reply as it is shown.
pub(super) fn show(command: &[u8], mut lines: Vec<Line>) -> Result<Map, WireError> {
    let Some((last, data)) = lines.pop() else { return Ok(Map::new()) };
    if let Some(data) = data {
        let mut words = words(&last);
        if words.len() > 1 {
            words.remove(1);
        }
        let status = Value::from_bytes(&words.join(&b' '));
        return Ok(Map::from([("status", status), ("value", Value::from_bytes(&data))]));
    }
    let ended = *last == *b"END";
    if ended && matches!(command, b"get" | b"gets" | b"gat" | b"gats") {
        let values = lines.iter().map(show_value).collect::<Result<Vec<_>, _>>()?;
        return Ok(Map::from([("values", values)]));
    }
    if ended && command == b"stats" {
        let stats = show_stats(&lines);
        let shown = |line: &Line| Value::from_bytes(&line.0);
        return Ok(match stats {
            Some(stats) => Map::from([("stats", stats)]),
            None => Map::from([("lines", lines.iter().map(shown).collect::<Vec<_>>())]),
        });
    }
    if !lines.is_empty() {
        // An error that follows what was found.
        lines.push((last, None));
        let shown = |line: &Line| Value::from_bytes(&line.0);
        return match lines.iter().any(|(_, data)| data.is_some()) {
            true => Err(malformed("values without an end")),
            false => Ok(Map::from([("lines", lines.iter().map(shown).collect::<Vec<_>>())])),
        };
    }
    if is_error(&last) {
        return Ok(Map::from([("error", Value::from_bytes(&last))]));
    }
    let text = std::str::from_utf8(&last).ok();
    let counter = matches!(command, b"incr" | b"decr").then(|| text.and_then(Number::parse));
    Ok(match counter.flatten() {
        Some(number) => Map::from([("number", Value::Number(number))]),
        None => Map::from([("status", Value::from_bytes(&last))]),
    })
}

fn show_value((line, data): &Line) -> Result<Map, WireError> {
    let words = words(line);
    let (Some(key), Some(flags), Some(data)) = (words.get(1), words.get(2), data) else {
        return Err(malformed("a value without a key or flags"));
    };
    let mut map = Map::from([("key", Value::from_bytes(key))]);
    if *flags != b"0" {
        map.push_new("flags", Value::from_bytes(flags));
    }
    if let Some(cas) = words.get(4) {
        map.push_new("cas", Value::from_bytes(cas));
    }
    map.push_new("value", Value::from_bytes(data));
    Ok(map)
}

/// Figures by name, where there is nothing else and each is there once.
fn show_stats(lines: &[Line]) -> Option<Map> {
    let mut map = Map::new();
    for (line, _) in lines {
        let line = std::str::from_utf8(line).ok()?.strip_prefix("STAT ")?;
        let (name, value) = line.split_once(' ')?;
        if map.insert(name, value).is_some() {
            return None;
        }
    }
    Some(map)
}

/// The bytes of a recorded reply.
///
/// # Errors
/// When a key has a value that it cannot have.
pub(super) fn write(reply: &Map, out: &mut Vec<u8>) -> Result<(), WireError> {
    for (key, value) in reply.iter() {
        match key {
            "status" => {
                let status = bytes(key, value)?;
                match reply.get("value") {
                    Some(data) => write_data(status, bytes("value", data)?, out),
                    None => line(status, out),
                }
            }
            "value" if reply.get("status").is_some() => {}
            "error" => line(bytes(key, value)?, out),
            "number" => match value {
                Value::Number(number) if number.is_integer() => {
                    line(number.as_str().as_bytes(), out)
                }
                other => return Err(wrong(key, "an integer", other)),
            },
            "values" => write_values(value, out)?,
            "stats" => {
                let stats = value.as_map().ok_or_else(|| wrong(key, "a map", value))?;
                for (name, value) in stats.iter() {
                    let value = bytes(name, value)?;
                    line(&[b"STAT ", name.as_bytes(), b" ", value].concat(), out);
                }
                line(b"END", out);
            }
            "lines" => {
                let lines = value.as_list().ok_or_else(|| wrong(key, "a list", value))?;
                for one in lines {
                    line(bytes(key, one)?, out);
                }
                if lines.last().and_then(Value::as_bytes).is_none_or(|last| !is_error(last)) {
                    line(b"END", out);
                }
            }
            key => return Err(unwritable(&format!("`{key}` is no part of a reply"))),
        }
    }
    Ok(())
}

fn write_values(values: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    for value in values.as_list().ok_or_else(|| wrong("values", "a list", values))? {
        let map = value.as_map().ok_or_else(|| wrong("values", "a list of maps", value))?;
        let part = |key: &str| match map.get(key) {
            Some(Value::Number(number)) => Ok(Some(number.as_str().as_bytes())),
            Some(value) => bytes(key, value).map(Some),
            None => Ok(None),
        };
        let missing = |key: &str| unwritable(&format!("a value without `{key}`"));
        let key = part("key")?.ok_or_else(|| missing("key"))?;
        let data = part("value")?.ok_or_else(|| missing("value"))?;
        let mut head = [b"VALUE ", key, b" ", part("flags")?.unwrap_or(b"0")].concat();
        head.extend_from_slice(format!(" {}", data.len()).as_bytes());
        if let Some(cas) = part("cas")? {
            head.extend_from_slice(&[b" ", cas].concat());
        }
        line(&head, out);
        line_of_data(data, out);
    }
    line(b"END", out);
    Ok(())
}

/// `VA`, the length, and the flags behind it.
fn write_data(status: &[u8], data: &[u8], out: &mut Vec<u8>) {
    let mut words: Vec<&[u8]> = words(status);
    let length = data.len().to_string();
    words.insert(words.len().min(1), length.as_bytes());
    line(&words.join(&b' '), out);
    line_of_data(data, out);
}

fn line_of_data(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// A line ends where it ends: line ends inside of it would be the next reply.
pub(super) fn line(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

fn bytes<'v>(key: &str, value: &'v Value) -> Result<&'v [u8], WireError> {
    value.as_bytes().ok_or_else(|| wrong(key, "text", value))
}

fn wrong(key: &str, wanted: &str, value: &Value) -> WireError {
    unwritable(&format!("`{key}` must be {wanted}, not {}", value.kind()))
}
