//! A body between its bytes and the keys that show it: `body`, `form`, `multipart` or `omitted`.
//!
//! Whatever is shown as more than text gives back the very bytes, content codings excepted.

use super::body::Bytes;
use super::spelling::{self, Spelling};
use super::{coding, events, form, media, multipart, unwritable};
use crate::WireError;
use rehearsal_model::{Map, Value, json};
use std::borrow::Cow;

/// The largest body of which only the length is known that is served.
const MAX_OMITTED: u64 = 1 << 34;

/// What the fields of a message say about its content.
#[derive(Debug, Default)]
pub(super) struct Kind<'a> {
    pub(super) content_type: Option<&'a str>,
    /// Every Content-Encoding, in the order in which they were applied.
    pub(super) codings: Vec<&'a str>,
}

impl<'a> Kind<'a> {
    pub(super) fn of(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut kind = Kind::default();
        for (name, value) in fields {
            // Both names have lengths that few others have.
            match (name.len(), value) {
                (12, Value::Text(text)) if name.eq_ignore_ascii_case("content-type") => {
                    kind.content_type = kind.content_type.or(Some(text));
                }
                (16, Value::Text(text)) if name.eq_ignore_ascii_case("content-encoding") => {
                    kind.codings.extend(text.split(',').map(str::trim));
                }
                _ => {}
            }
        }
        kind
    }
}

/// Adds the keys that show a body; `limit` bounds what a content coding may expand to.
pub(super) fn record(bytes: Bytes, kind: &Kind<'_>, limit: usize, map: &mut Map) {
    let bytes = match bytes {
        Bytes::Kept(bytes) => bytes,
        Bytes::Omitted { length, sha256 } => {
            let length = Value::from(length);
            map.push_new("omitted", Map::from([("length", length), ("sha256", sha256.into())]));
            return;
        }
    };
    let mut spelling = Spelling::default();
    let plain = coding::decode(&bytes, &kind.codings, limit);
    spelling.encoded = plain.is_none();
    let (key, value) = match plain {
        None => ("body", Value::Bytes(bytes)),
        Some(Cow::Borrowed(_)) => show(bytes, kind.content_type, &mut spelling),
        Some(Cow::Owned(plain)) => show(plain, kind.content_type, &mut spelling),
    };
    map.push_new(key, value);
    spelling.record(map);
}

/// The key under which content is shown, and its value.
pub(super) fn show(
    content: Vec<u8>,
    content_type: Option<&str>,
    spelling: &mut Spelling,
) -> (&'static str, Value) {
    let bytes = content.as_slice();
    let is_json = media::is_plain_json(content_type);
    if !is_json && let Some(shown) = by_type(bytes, content_type, spelling) {
        return shown;
    }
    if (is_json || media::may_be_json(content_type, bytes))
        && let Ok(text) = std::str::from_utf8(bytes)
        && let Some((value, style)) = spelling::json(text)
    {
        spelling.json = style;
        return ("body", value);
    }
    ("body", text_or_bytes(content))
}

/// What content is shown as that is in the form that only its type says.
fn by_type(
    bytes: &[u8],
    content_type: Option<&str>,
    spelling: &mut Spelling,
) -> Option<(&'static str, Value)> {
    if media::is(content_type, "application/x-www-form-urlencoded")
        && let Some((value, percent_space)) = form::parse_exactly(bytes)
    {
        spelling.percent_space = percent_space;
        return Some(("form", value));
    }
    if let Some(boundary) = media::boundary(content_type)
        && let Some((value, no_newline)) = multipart::parse_exactly(bytes, boundary)
    {
        spelling.no_newline = no_newline;
        return Some(("multipart", value));
    }
    events::show(bytes, content_type, spelling)
}

/// As [`Value::from_bytes`], sparing plain text the copy and the look at each character.
fn text_or_bytes(content: Vec<u8>) -> Value {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    // Blocks let the compiler look at many bytes at once and stop early all the same.
    if !content.chunks(64).all(|block| block.iter().fold(true, |all, byte| all & plain(byte))) {
        return Value::from_bytes(&content);
    }
    String::from_utf8(content).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text)
}

/// A body to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payload {
    Bytes(Vec<u8>),
    /// So many bytes that are not known.
    Unknown(u64),
}

impl Payload {
    pub(super) fn len(&self) -> u64 {
        match self {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Unknown(length) => *length,
        }
    }
}

/// The body that a recorded message shows; `None` when it shows none.
pub(super) fn write(map: &Map, kind: &Kind<'_>) -> Result<Option<Payload>, WireError> {
    if let Some(omitted) = map.get("omitted") {
        let length = omitted.as_map().and_then(|omitted| omitted.get("length"));
        let length = length.and_then(Value::as_i64).and_then(|length| u64::try_from(length).ok());
        return match length {
            Some(length) if length <= MAX_OMITTED => Ok(Some(Payload::Unknown(length))),
            _ => Err(unwritable(format!("omitted has no length of at most {MAX_OMITTED}"))),
        };
    }
    let spelling = Spelling::of(map)?;
    let Some(plain) = plain(map, kind.content_type, spelling)? else { return Ok(None) };
    let codings = if spelling.encoded { &[] } else { kind.codings.as_slice() };
    Ok(Some(Payload::Bytes(coding::encode(plain, codings)?)))
}

/// The bytes that `form`, `multipart` or `body` stands for, before any content coding.
pub(super) fn plain(
    map: &Map,
    content_type: Option<&str>,
    spelling: Spelling,
) -> Result<Option<Vec<u8>>, WireError> {
    if let Some(value) = map.get("form") {
        return form::write(value, spelling.percent_space).map(Some);
    }
    if let Some(value) = map.get("multipart") {
        let boundary = media::boundary(content_type)
            .ok_or_else(|| unwritable("multipart needs a content-type with a boundary"))?;
        return multipart::write(value, boundary, spelling.no_newline).map(Some);
    }
    if let Some(content) = events::written(map, content_type, spelling)? {
        return Ok(Some(content));
    }
    Ok(map.get("body").map(|value| match value {
        Value::Text(text) => text.clone().into_bytes(),
        Value::Bytes(bytes) => bytes.clone(),
        tree => json::to_string_styled(tree, spelling.json).into_bytes(),
    }))
}
