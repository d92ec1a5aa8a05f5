//! From a recorded message to field sections and content.
//!
//! Whatever belongs to a connection of HTTP/1.1 is left out, so that a recording of either version can
//! be served in both. Recordings may be edited by hand, so everything is checked.

use super::half::PROTOCOL;
use super::hpack;
use crate::WireError;
use crate::http::content::{self, Kind, Payload};
use crate::http::fields::{self, bytes_of};
use crate::http::framing::is_bodiless;
use crate::http::head::{Method, is_control, is_token};
use crate::http::record::AUTO;
use crate::http::unwritable;
use crate::http::write::{request_line, status_of};
use rehearsal_model::{Map, Value};

/// Fields that have no place in HTTP/2 (RFC 9113, section 8.2.2).
const CONNECTION: &[&str] =
    &["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A message to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Field sections: informational ones, then the head.
    pub(super) sections: Vec<Vec<u8>>,
    pub(super) payload: Option<Payload>,
    pub(super) trailers: Option<Vec<u8>>,
}

/// A recorded request.
pub(super) fn request(request: &Map) -> Result<Outgoing, WireError> {
    let (method, target) = request_line(request);
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(unwritable("http has no method"));
    }
    if target.is_empty() || !target.iter().all(|byte| *byte > b' ' && *byte != 0x7f) {
        return Err(unwritable("http has no target, or one with white space"));
    }
    let list = fields::each(request.get("headers"));
    let find = |name: &str| list.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut head = Vec::with_capacity(256);
    hpack::encode(b":method", method, &mut head);
    let protocol = find(PROTOCOL);
    if method == b"CONNECT" && protocol.is_none() {
        hpack::encode(b":authority", target, &mut head);
    } else {
        hpack::encode(b":scheme", b"http", &mut head);
        if let Some((name, host)) = find("host") {
            hpack::encode(b":authority", &checked(name, host)?, &mut head);
        }
        hpack::encode(b":path", target, &mut head);
        if let Some((name, protocol)) = protocol {
            hpack::encode(PROTOCOL.as_bytes(), &checked(name, protocol)?, &mut head);
        }
    }
    message(request, Length::True, head, &["host", PROTOCOL])
}

/// A recorded response to a request of this method. A response that broke off has the length that was
/// announced. `100 Continue` is the business of whoever waits for the content.
pub(super) fn response(
    response: &Map,
    method: Method,
    broken: bool,
) -> Result<Outgoing, WireError> {
    let mut sections = Vec::new();
    let informational = response.get("informational").and_then(Value::as_list).unwrap_or_default();
    for informational in informational.iter().filter_map(Value::as_map) {
        let status = status_of(informational)?;
        if status != 100 && status != 101 {
            let head = status_section(status);
            sections.append(&mut message(informational, Length::AsRecorded, head, &[])?.sections);
        }
    }
    let status = status_of(response)?;
    let bodiless = method != Method::Connect && is_bodiless(status, method);
    let length = if bodiless || broken { Length::AsRecorded } else { Length::True };
    let mut outgoing = message(response, length, status_section(status), &[])?;
    if bodiless {
        outgoing.payload = None;
    }
    sections.append(&mut outgoing.sections);
    Ok(Outgoing { sections, ..outgoing })
}

/// What tells a client that waits for it to send its content.
pub(super) fn continues() -> Vec<u8> {
    status_section(100)
}

fn status_section(status: u16) -> Vec<u8> {
    let mut head = Vec::with_capacity(256);
    hpack::encode(b":status", status.to_string().as_bytes(), &mut head);
    head
}

/// What a Content-Length says that the recording has.
#[derive(Clone, Copy, PartialEq)]
enum Length {
    /// What is recorded.
    AsRecorded,
    /// The length of the content.
    True,
}

/// Adds the fields to a head, and what follows it.
fn message(
    map: &Map,
    rule: Length,
    mut head: Vec<u8>,
    said: &[&str],
) -> Result<Outgoing, WireError> {
    let list = fields::each(map.get("headers"));
    let payload = content::write(map, &Kind::of(list.iter().copied()))?;
    let length = payload.as_ref().map_or(0, Payload::len);
    let mut once = Vec::from(said);
    for (name, value) in list {
        let lower = name.to_ascii_lowercase();
        if let Some(place) = once.iter().position(|said| *said == lower) {
            once.swap_remove(place);
        } else if lower == "content-length"
            && (rule == Length::True || value.as_text() == Some(AUTO))
        {
            hpack::encode(b"content-length", length.to_string().as_bytes(), &mut head);
        } else {
            field(&lower, value, &mut head)?;
        }
    }
    let mut trailers = Vec::new();
    for (name, value) in fields::each(map.get("trailers")) {
        field(&name.to_ascii_lowercase(), value, &mut trailers)?;
    }
    let trailers = (!trailers.is_empty()).then_some(trailers);
    Ok(Outgoing { sections: vec![head], payload, trailers })
}

fn field(name: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(unwritable(format!("header name {name:?} is not a token")));
    }
    let bytes = checked(name, value)?;
    let other_te = name == "te" && *bytes != *b"trailers";
    if !CONNECTION.contains(&name) && !other_te {
        hpack::encode(name.as_bytes(), &bytes, out);
    }
    Ok(())
}

fn checked<'a>(name: &str, value: &'a Value) -> Result<std::borrow::Cow<'a, [u8]>, WireError> {
    let bytes = bytes_of(name, value)?;
    if bytes.iter().any(|byte| is_control(*byte)) {
        return Err(unwritable(format!("header {name} holds control characters")));
    }
    Ok(bytes)
}
