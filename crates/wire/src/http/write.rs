//! From a recorded message to bytes.
//!
//! Recordings may be edited by hand, so everything is checked: what would not be one well-formed
//! message is refused with the key that is wrong. Content-Length always tells the truth.

use super::chunked;
use super::content::{self, Kind, Payload};
use super::fields;
use super::framing;
use super::head::{Method, is_control, is_token, items};
use super::record::AUTO;
use super::{status, unwritable};
use crate::{Command, Peer, WireError};
use bytes::Bytes;
use rehearsal_model::{Map, Value};

/// A message in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// All, or all before a body that is not known.
    bytes: Vec<u8>,
    /// How long a body that is not known is, and what follows it.
    filler: Option<(u64, Vec<u8>)>,
    /// Whether it ends behind the data of a chunk.
    in_chunk: bool,
}

/// What stands for bodies of which only the length is known: printable, with a line every 64 bytes.
static FILLER: [u8; 64 << 10] = {
    let mut filler = [b'.'; 64 << 10];
    let mut place = 63;
    while place < filler.len() {
        filler[place] = b'\n';
        place += 64;
    }
    filler
};

impl Outgoing {
    /// With the end of its last chunk, and no end of the chunks.
    pub(super) fn with_chunk_end(mut self) -> Self {
        if self.in_chunk {
            self.bytes.extend_from_slice(b"\r\n");
        }
        self
    }

    /// Appends the commands that send it.
    pub(super) fn send(self, to: Peer, out: &mut Vec<Command>) {
        out.push(Command::Send { to, bytes: self.bytes.into() });
        let Some((mut left, tail)) = self.filler else { return };
        while left > 0 {
            let length = left.min(FILLER.len() as u64);
            let bytes = Bytes::from_static(&FILLER).slice(..length as usize);
            out.push(Command::Send { to, bytes });
            left -= length;
        }
        if !tail.is_empty() {
            out.push(Command::Send { to, bytes: tail.into() });
        }
    }
}

/// The method of a recorded request, and its target; both empty when there is none.
pub(super) fn request_line(request: &Map) -> (&[u8], &[u8]) {
    let line = request.get("http").and_then(Value::as_bytes).unwrap_or_default();
    match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, &[]),
    }
}

/// The bytes of a request.
pub(super) fn request(request: &Map) -> Result<Outgoing, WireError> {
    let (method, target) = request_line(request);
    let valid = |byte: &u8| *byte > b' ' && *byte != 0x7f;
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(unwritable("http has no method"));
    }
    if target.is_empty() || !target.iter().all(valid) {
        return Err(unwritable("http has no target, or one with white space"));
    }
    let mut bytes = Vec::with_capacity(512);
    bytes
        .extend_from_slice(&[method, b" ", target, b" HTTP/", version(request)?, b"\r\n"].concat());
    message(request, Length::WhenBody, bytes)
}

/// The bytes of a response to a request of this method.
pub(super) fn response(response: &Map, method: Method) -> Result<Outgoing, WireError> {
    let (status, bytes) = beginning(response)?;
    let length = match response.text("framing") {
        _ if framing::is_bodiless(status, method) => Length::Verbatim,
        Some("close") => Length::Never,
        None => Length::Always,
        Some(other) => return Err(unwritable(format!("framing has no word {other:?}"))),
    };
    message(response, length, bytes)
}

/// The bytes of a response that broke off: its length is what was announced and not what came, and
/// chunks have no end.
pub(super) fn broken(response: &Map, method: Method) -> Result<Outgoing, WireError> {
    let (status, bytes) = beginning(response)?;
    let bodiless = framing::is_bodiless(status, method);
    message(response, if bodiless { Length::Verbatim } else { Length::Announced }, bytes)
}

/// The status of a response, and its bytes up to the end of its status line. Informational responses
/// come first, but for `100 Continue`, which is the business of whoever waits for the body.
fn beginning(response: &Map) -> Result<(u16, Vec<u8>), WireError> {
    let mut bytes = Vec::with_capacity(512);
    let informational = response.get("informational").and_then(Value::as_list).unwrap_or_default();
    for informational in informational.iter().filter_map(Value::as_map) {
        if status_of(informational)? != 100 {
            status_line(informational, &mut bytes)?;
            bytes = message(informational, Length::Verbatim, bytes)?.bytes;
        }
    }
    status_line(response, &mut bytes)?;
    Ok((status_of(response)?, bytes))
}

/// The status of a recorded response.
pub(super) fn status_of(response: &Map) -> Result<u16, WireError> {
    let status = response.get("status").and_then(Value::as_i64);
    let status = status.and_then(|status| u16::try_from(status).ok());
    status
        .filter(|status| (100..=999).contains(status))
        .ok_or_else(|| unwritable("status is not a number from 100 to 999"))
}

fn status_line(response: &Map, out: &mut Vec<u8>) -> Result<(), WireError> {
    let status = status_of(response)?;
    let reason = match response.get("reason") {
        None => status::reason(status).as_bytes(),
        Some(reason) => reason.as_bytes().unwrap_or_default(),
    };
    if reason.iter().any(|byte| is_control(*byte)) {
        return Err(unwritable("reason holds control characters"));
    }
    let code = status.to_string();
    let line = [b"HTTP/", version(response)?, b" ", code.as_bytes(), b" ", reason, b"\r\n"];
    out.extend_from_slice(&line.concat());
    Ok(())
}

fn version(message: &Map) -> Result<&'static [u8], WireError> {
    let spelled = match message.get("version") {
        Some(Value::Number(number)) => Some(number.as_str()),
        Some(value) => Some(value.as_text().unwrap_or_default()),
        None => None,
    };
    match spelled {
        None | Some("1.1") => Ok(b"1.1"),
        Some("1.0") => Ok(b"1.0"),
        Some(other) => Err(unwritable(format!("version is {other:?}; it must be 1.0 or 1.1"))),
    }
}

/// How a Content-Length comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// As recorded, since no body follows whatever it says.
    Verbatim,
    /// As recorded, since not all of the body follows.
    Announced,
    /// Worked out when there is a body.
    WhenBody,
    /// Worked out, body or not.
    Always,
    /// Only where the recording has one.
    Never,
}

/// Appends fields, body and trailers.
fn message(map: &Map, rule: Length, mut bytes: Vec<u8>) -> Result<Outgoing, WireError> {
    let list = fields::each(map.get("headers"));
    let kind = Kind::of(list.iter().copied());
    let mut payload = content::write(map, &kind)?;
    let chunked = is_chunked(&list);
    let length = match (rule, &payload) {
        _ if chunked => None,
        (Length::WhenBody | Length::Verbatim | Length::Announced | Length::Never, None) => None,
        (_, Some(payload)) => Some(payload.len()),
        (Length::Always, None) => Some(0),
    };
    let mut said = false;
    for (name, value) in &list {
        if name.eq_ignore_ascii_case("content-length") {
            let auto = value.as_text() == Some(AUTO);
            let kept = matches!(rule, Length::Verbatim | Length::Announced) && !auto;
            match length {
                _ if kept => fields::write(name, value, &mut bytes)?,
                Some(length) => fields::write(name, &Value::from(length), &mut bytes)?,
                None => {}
            }
            said = true;
        } else {
            fields::write(name, value, &mut bytes)?;
        }
    }
    let worked_out = !matches!(rule, Length::Never | Length::Announced);
    if let (false, true, Some(length)) = (said, worked_out, length) {
        fields::write("Content-Length", &Value::from(length), &mut bytes)?;
    }
    bytes.extend_from_slice(b"\r\n");
    if rule == Length::Verbatim {
        payload = None;
    } else if chunked {
        let whole = rule != Length::Announced;
        return chunks(map, payload, bytes, whole);
    }
    Ok(body(payload, bytes))
}

fn body(payload: Option<Payload>, mut bytes: Vec<u8>) -> Outgoing {
    match payload {
        None => Outgoing { bytes, filler: None, in_chunk: false },
        Some(Payload::Bytes(body)) => {
            bytes.extend_from_slice(&body);
            Outgoing { bytes, filler: None, in_chunk: false }
        }
        Some(Payload::Unknown(length)) => {
            Outgoing { bytes, filler: Some((length, Vec::new())), in_chunk: false }
        }
    }
}

/// Appends a chunked body, in one chunk, and the trailer section; neither end nor trailers when it
/// is not whole.
fn chunks(
    map: &Map,
    payload: Option<Payload>,
    mut bytes: Vec<u8>,
    whole: bool,
) -> Result<Outgoing, WireError> {
    let size = payload.as_ref().map_or(0, Payload::len);
    if !whole {
        if size > 0 {
            chunked::write_size(size, &mut bytes);
        }
        let in_chunk = size > 0;
        return Ok(Outgoing { in_chunk, ..body(payload, bytes) });
    }
    chunked::write_size(size, &mut bytes);
    let mut tail = if size > 0 { b"\r\n0\r\n".to_vec() } else { b"0\r\n".to_vec() };
    for (name, value) in fields::each(map.get("trailers")) {
        fields::write(name, value, &mut tail)?;
    }
    tail.extend_from_slice(b"\r\n");
    let mut outgoing = body(payload, bytes);
    match &mut outgoing.filler {
        Some((_, after)) => *after = tail,
        None => outgoing.bytes.extend_from_slice(&tail),
    }
    Ok(outgoing)
}

/// Whether the last transfer coding is `chunked`.
fn is_chunked(list: &[(&str, &Value)]) -> bool {
    let mut codings =
        list.iter().filter(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    let last = codings.next_back().and_then(|(_, value)| value.as_bytes()).unwrap_or_default();
    items(last).last().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"))
}
