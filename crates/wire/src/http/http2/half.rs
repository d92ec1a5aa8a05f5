//! One direction of a stream: a request or a response as it comes, and its recorded form.
//!
//! The form is that of HTTP/1.1, since what people read and compare is the same: the authority is the
//! field `host`, cookies are one field, and how the content was cut into frames is not seen.

use super::malformed;
use super::table::Raw;
use crate::http::body::Body;
use crate::http::endless;
use crate::http::events::Kind;
use crate::http::framing::{Framing, is_bodiless};
use crate::http::head::{Facts, Field, Head, Method, Start, is_control, is_token};
use crate::http::reader::Message;
use crate::http::{record, status};
use crate::{Limits, WireError, grpc};
use rehearsal_model::{Map, Value};

/// What a request over HTTP/2 has under `version`.
pub(crate) const VERSION: &str = "2";

/// The pseudo-field that says what an extended CONNECT is for (RFC 8441).
pub(super) const PROTOCOL: &str = ":protocol";

/// How many informational responses may precede one response.
const MAX_INFORMATIONAL: usize = 256;

/// A message as far as it came.
#[derive(Clone, Debug)]
pub(super) struct Half {
    head: Option<Head>,
    body: Option<Body>,
    trailers: Vec<Field>,
    informational: Vec<Value>,
    /// Nothing follows.
    pub(super) last: bool,
}

impl Half {
    pub(super) fn new() -> Self {
        let (trailers, informational) = (Vec::new(), Vec::new());
        Half { head: None, body: None, trailers, informational, last: false }
    }

    /// The head, once it has come.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes fields of a request: its head, then its trailers. Returns how many bytes are kept of them.
    pub(super) fn request_fields(
        &mut self,
        fields: Vec<Raw>,
        last: bool,
    ) -> Result<usize, WireError> {
        let size = size(&fields);
        self.last |= last;
        match self.head {
            None => self.head = Some(request_head(fields)?),
            Some(_) => self.trailers.extend(plain_fields(fields)?),
        }
        Ok(size)
    }

    /// Takes fields of a response: informational ones, its head, then its trailers. Returns how many
    /// bytes are kept of them.
    pub(super) fn response_fields(
        &mut self,
        fields: Vec<Raw>,
        last: bool,
    ) -> Result<usize, WireError> {
        let size = size(&fields);
        self.last |= last;
        if self.head.is_some() {
            self.trailers.extend(plain_fields(fields)?);
            return Ok(size);
        }
        let head = response_head(fields)?;
        if !(100..200).contains(&head.status()) {
            self.head = Some(head);
        } else if self.informational.len() == MAX_INFORMATIONAL {
            return Err(malformed(format!(
                "more than {MAX_INFORMATIONAL} informational responses to one request"
            )));
        } else {
            let message = message(head, None, Vec::new(), Method::Other);
            self.informational.push(record::response(message, Vec::new(), 0).into());
        }
        Ok(size)
    }

    /// Takes content; returns how many bytes are kept of it from now on, and how many were before.
    pub(super) fn data(&mut self, bytes: &[u8], last: bool, limits: Limits) -> (usize, usize) {
        self.last |= last;
        if bytes.is_empty() {
            return (0, 0);
        }
        let body = self.body.get_or_insert_with(|| Body::new(limits.body));
        let before = body.kept();
        body.push(bytes);
        (body.kept(), before)
    }

    /// The kind of content that may grow without end, when this is a response with such.
    pub(super) fn endless(&self) -> Option<Kind> {
        let head = self.head.as_ref().filter(|head| head.status() == 200)?;
        endless::kind(&head.fields)
    }

    /// How many items of it have come.
    pub(super) fn items(&self) -> usize {
        let body = self.body.as_ref().map_or(&[][..], Body::so_far);
        self.endless().map_or(0, |kind| kind.complete(body).1)
    }

    /// The recorded form of a response that its client has ended: as far as its items are complete.
    pub(super) fn ended_by_client(mut self, method: Method, limits: Limits) -> Option<Map> {
        let kind = self.endless()?;
        if let Some(body) = &mut self.body {
            body.shorten(kind.complete(body.so_far()).0);
        }
        let mut map = self.response(method, limits)?;
        map.push_new(endless::ENDED, endless::CLIENT);
        Some(map)
    }

    /// Forgets what came after so many messages of gRPC.
    pub(super) fn shorten(&mut self, messages: usize) {
        let Some(body) = &mut self.body else { return };
        let length = grpc::lengths(body.so_far()).iter().take(messages).sum();
        if length == 0 && body.kept() > 0 {
            self.body = None;
        } else if length < body.kept() {
            body.shorten(length);
        }
    }

    /// Takes the content out, as far as it was kept.
    pub(super) fn take_content(&mut self) -> Vec<u8> {
        self.body.take().map_or_else(Vec::new, |body| body.so_far().to_vec())
    }

    /// The recorded form of a request; `None` when its head has not come.
    pub(super) fn request(self, limits: Limits) -> Option<Map> {
        let head = self.head?;
        let method = head.method();
        let recorded =
            record::request(message(head, self.body, self.trailers, method), limits.body);
        let mut map = Map::new();
        for (key, value) in recorded {
            map.push_new(key, value);
            if map.len() == 1 {
                map.push_new("version", VERSION);
            }
        }
        Some(map)
    }

    /// The recorded form of a response to a request of this method; `None` when its head has not come.
    pub(super) fn response(self, method: Method, limits: Limits) -> Option<Map> {
        let message = message(self.head?, self.body, self.trailers, method);
        Some(record::response(message, self.informational, limits.body))
    }
}

fn size(fields: &[Raw]) -> usize {
    fields.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// The parts put together. Content that is empty is none, unless a Content-Length says that it is there.
fn message(head: Head, body: Option<Body>, trailers: Vec<Field>, method: Method) -> Message {
    let bodiless =
        matches!(head.start, Start::Response { status, .. } if is_bodiless(status, method));
    let length = head.fields.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.as_text()?.parse().ok());
    let framing = match (&body, length) {
        _ if bodiless => Framing::None,
        (_, Some(length)) => Framing::Length(length),
        (None, None) => Framing::None,
        (Some(_), None) => Framing::Chunked,
    };
    let body = body.unwrap_or_else(|| Body::new(0)).finish();
    Message { head, body, trailers, framing }
}

/// Reads the fields of a request (RFC 9113, section 8.3.1).
fn request_head(fields: Vec<Raw>) -> Result<Head, WireError> {
    let [mut method, mut path, mut authority, mut protocol] = [const { None }; 4];
    let mut plain = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let place = match name.as_slice() {
            b":method" => &mut method,
            b":path" => &mut path,
            b":authority" => &mut authority,
            b":protocol" => &mut protocol,
            // Whether TLS carries the stream is known to whoever carries it.
            b":scheme" => continue,
            _ => {
                plain.push((name, value));
                continue;
            }
        };
        if place.replace(value).is_some() {
            return Err(malformed("a request that says a part of its line twice"));
        }
    }
    let method = method.filter(|method| !method.is_empty() && method.iter().all(|b| is_token(*b)));
    let method = method.ok_or_else(|| malformed("a request without a method"))?;
    let connects = method == b"CONNECT" && path.is_none();
    let target = if connects { authority.clone() } else { path };
    let visible = |target: &Vec<u8>| target.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    let target = target.filter(|target| !target.is_empty() && visible(target));
    let target = target.ok_or_else(|| malformed("a request without a path"))?;
    let line = Value::from_vec([&method[..], b" ", &target].concat());
    let mut fields = plain_fields(plain)?;
    if let Some(authority) = authority.filter(|_| !connects) {
        let host = ("host".to_owned(), field_value(authority)?);
        fields.retain(|field| *field != host);
        fields.insert(0, host);
    }
    if let Some(protocol) = protocol {
        fields.insert(0, (PROTOCOL.to_owned(), field_value(protocol)?));
    }
    let start = Start::Request { method: Method::of(&method), line };
    Ok(Head { start, old: false, fields, facts: Facts::default() })
}

/// Reads the fields of a response (RFC 9113, section 8.3.2).
fn response_head(mut fields: Vec<Raw>) -> Result<Head, WireError> {
    let place = fields.iter().position(|(name, _)| name == b":status");
    let (_, status) = place.map(|place| fields.remove(place)).unwrap_or_default();
    let &[hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = &status[..] else {
        return Err(malformed("a response without a status"));
    };
    let digits = [hundreds, tens, ones];
    let status = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let start = Start::Response { status, reason: status::reason(status).into() };
    Ok(Head { start, old: false, fields: plain_fields(fields)?, facts: Facts::default() })
}

/// Fields that are no part of a start line, with all cookies in one (RFC 9113, section 8.2.3).
fn plain_fields(fields: Vec<Raw>) -> Result<Vec<Field>, WireError> {
    let mut out: Vec<Field> = Vec::with_capacity(fields.len());
    let mut crumbs: Vec<Vec<u8>> = Vec::new();
    let mut jar = None;
    for (name, value) in fields {
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(malformed("a field without a name"));
        }
        if name == b"cookie" {
            jar.get_or_insert(out.len());
            crumbs.push(value);
            continue;
        }
        let name = String::from_utf8(name).unwrap_or_default();
        let value = match grpc::binary_field(&name, &value) {
            Some(text) => text.into(),
            None => field_value(value)?,
        };
        out.push((name, value));
    }
    if let Some(place) = jar {
        out.insert(place, ("cookie".to_owned(), field_value(crumbs.join(&b"; "[..]))?));
    }
    Ok(out)
}

fn field_value(value: Vec<u8>) -> Result<Value, WireError> {
    if value.iter().any(|byte| is_control(*byte)) {
        return Err(malformed("a field value with control characters"));
    }
    Ok(Value::from_vec(value))
}
