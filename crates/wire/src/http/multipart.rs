//! Multipart content (RFC 2046, section 5.1; RFC 7578): a list of parts with fields and a body.
//!
//! It reads the one spelling that clients use, and [`parse_exactly`] refuses what it would not
//! write back. Parts are not nested.

use super::content::{self, Kind};
use super::head::{Field, trailers};
use super::spelling::Spelling;
use super::{fields, unwritable};
use crate::WireError;
use rehearsal_model::{Map, Value};

/// How many parts are taken apart.
const MAX_PARTS: usize = 1000;

/// The recorded form, and whether the line end after the last boundary is missing, when it gives
/// back these bytes.
pub(super) fn parse_exactly(bytes: &[u8], boundary: &str) -> Option<(Value, bool)> {
    let value = Value::List(parse(bytes, boundary)?);
    let no_newline = !bytes.ends_with(b"\r\n");
    (write(&value, boundary, no_newline).ok()? == bytes).then_some((value, no_newline))
}

fn parse(bytes: &[u8], boundary: &str) -> Option<Vec<Value>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = bytes.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, delimiter.as_bytes())?;
        parts.push(Value::Map(parse_part(&part[..end])?));
        rest = &part[end + delimiter.len()..];
        if parts.len() > MAX_PARTS {
            return None;
        }
    }
    matches!(rest, b"--" | b"--\r\n").then_some(parts)
}

fn parse_part(part: &[u8]) -> Option<Map> {
    let head = if part.starts_with(b"\r\n") { 2 } else { find(part, b"\r\n\r\n")? + 4 };
    let list: Vec<Field> = trailers(&part[..head]).ok()?;
    let mut map = Map::new();
    let mut spelling = Spelling::default();
    let kind = Kind::of(list.iter().map(|(name, value)| (name.as_str(), value)));
    let content_type = kind.content_type.filter(|kind| kind.to_ascii_lowercase().contains("json"));
    let (_, body) =
        content::show(part[head..].to_vec(), content_type.or(Some("text/plain")), &mut spelling);
    if let Some(headers) = fields::record(list) {
        map.push_new("headers", headers);
    }
    map.push_new("body", body);
    spelling.record(&mut map);
    Some(map)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let place = from + bytes[from..].iter().position(|byte| *byte == wanted[0])?;
        if bytes[place..].starts_with(wanted) {
            return Some(place);
        }
        from = place + 1;
    }
}

/// The bytes of a recorded form.
pub(super) fn write(value: &Value, boundary: &str, no_newline: bool) -> Result<Vec<u8>, WireError> {
    let parts = value.as_list().ok_or_else(|| unwritable("multipart is not a list"))?;
    let mut out = Vec::new();
    for part in parts {
        let part = part.as_map().ok_or_else(|| unwritable("a part is not a map"))?;
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        for (name, value) in fields::each(part.get("headers")) {
            fields::write(name, value, &mut out)?;
        }
        out.extend_from_slice(b"\r\n");
        out.extend(content::plain(part, None, Spelling::of(part)?)?.unwrap_or_default());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--").as_bytes());
    if !no_newline {
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}
