//! From a message as read to its recorded form: a map whose keys [`super::shape`] describes.
//!
//! What the writer can work out again is left out: a Content-Length in its usual place, the
//! standard reason phrase, HTTP/1.1.

use super::content::{self, Kind};
use super::fields;
use super::framing::Framing;
use super::head::{Field, Start};
use super::reader::Message;
use super::status;
use super::upgrade;
use rehearsal_model::{Map, Value};

/// In place of a Content-Length: the writer works it out.
pub(super) const AUTO: &str = "auto";

/// The recorded form of a request; `limit` bounds what a content coding may expand to.
pub(super) fn request(mut message: Message, limit: usize) -> Map {
    let mut map = Map::new();
    if let Start::Request { line, .. } = &mut message.head.start {
        map.push_new("http", std::mem::take(line));
    }
    if message.head.old {
        map.push_new("version", "1.0");
    }
    upgrade::hide_key(&mut message.head.fields);
    rest(message, limit, &mut map);
    map
}

/// The recorded form of a response, with the informational ones that came before it.
pub(super) fn response(message: Message, informational: Vec<Value>, limit: usize) -> Map {
    let mut map = Map::new();
    if let Start::Response { status, reason } = &message.head.start {
        map.push_new("status", *status);
        if reason.as_text() != Some(status::reason(*status)) {
            map.push_new("reason", reason.clone());
        }
    }
    if message.head.old {
        map.push_new("version", "1.0");
    }
    if !informational.is_empty() {
        map.push_new("informational", Value::List(informational));
    }
    let close = message.framing == Framing::Close;
    rest(message, limit, &mut map);
    if close {
        map.push_new("framing", "close");
    }
    map
}

/// Adds what requests and responses have in common.
fn rest(message: Message, limit: usize, map: &mut Map) {
    let Message { head, body, trailers, framing } = message;
    let mut shown = Map::new();
    let mut list = head.fields;
    if framing != Framing::None {
        let kind = Kind::of(list.iter().map(|(name, value)| (name.as_str(), value)));
        let complete = framing == Framing::Length(body.len());
        content::record(body, &kind, limit, &mut shown);
        if complete {
            leave_out_length(&mut list);
        }
    }
    if let Some(headers) = fields::record(list) {
        map.push_new("headers", headers);
    }
    for (key, value) in shown {
        map.push_new(key, value);
    }
    if let Some(trailers) = fields::record(trailers) {
        map.push_new("trailers", trailers);
    }
}

/// Takes out a Content-Length that the writer would put where it is, and marks any other.
fn leave_out_length(list: &mut Vec<Field>) {
    let is_length = |(_, (name, _)): &(usize, &Field)| name.eq_ignore_ascii_case("content-length");
    let mut lengths = list.iter().enumerate().filter(is_length).map(|(place, _)| place);
    let (Some(place), None) = (lengths.next(), lengths.next()) else {
        // A length that is said twice stays as it is.
        return;
    };
    if place + 1 == list.len() && list[place].0 == "Content-Length" {
        list.pop();
    } else {
        list[place].1 = AUTO.into();
    }
}
