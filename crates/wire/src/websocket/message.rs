//! Messages between what is said and how they are recorded.
//!
//! A text that is a JSON object or list is shown as a tree where that gives the very text back.

use super::inbox::Said;
use super::{frame, unwritable};
use crate::http::spelling;
use crate::{Peer, WireError};
use frame::Opcode;
use rehearsal_model::{Map, Value, stream};

/// Words that say how a tree is spelled.
const FORMAT: &str = "format";

/// The recorded form of a message; none of what is no message.
pub(super) fn record(by: Peer, said: Said) -> Option<Map> {
    let key = match by {
        Peer::Client => stream::SENT,
        Peer::Server => stream::RECEIVED,
    };
    let mut map = Map::new();
    match said {
        Said::Text(text) => match spelling::shown(&text) {
            Some((tree, words)) => {
                map.push_new(key, tree);
                words.into_iter().for_each(|words| map.push_new(FORMAT, words));
            }
            None => map.push_new(key, text),
        },
        Said::Binary(bytes) => map.push_new(key, Value::Bytes(bytes)),
        Said::Close(said) => map.push_new(stream::CLOSED, closed(by, said)),
        Said::Ping(_) | Said::Pong => return None,
    }
    Some(map)
}

fn closed(by: Peer, said: Option<(u16, String)>) -> Map {
    let mut closed = Map::from([("by", name(by))]);
    if let Some((code, reason)) = said {
        closed.push_new("code", code);
        if !reason.is_empty() {
            closed.push_new("reason", reason);
        }
    }
    closed
}

/// The recorded form of a connection that ended without a close frame.
pub(super) fn broke_off(by: Peer, how: &'static str) -> Map {
    let closed = Map::from([("by", name(by)), ("how", how)]);
    Map::from([(stream::CLOSED, closed)])
}

fn name(by: Peer) -> &'static str {
    match by {
        Peer::Client => "client",
        Peer::Server => "server",
    }
}

/// What a recorded message makes its side do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It says this.
    Say(Opcode, Vec<u8>),
    /// It breaks the connection off.
    BreakOff {
        /// By a reset.
        reset: bool,
    },
}

/// What a recorded message is in bytes.
pub(super) fn write(map: &Map) -> Result<Deed, WireError> {
    if let Some(closed) = map.get(stream::CLOSED) {
        let closed = closed.as_map().ok_or_else(|| unwritable("closed is not a map"))?;
        return write_close(closed);
    }
    match map.get(stream::SENT).or_else(|| map.get(stream::RECEIVED)) {
        Some(Value::Text(text)) => Ok(Deed::Say(Opcode::Text, text.clone().into_bytes())),
        Some(Value::Bytes(bytes)) => Ok(Deed::Say(Opcode::Binary, bytes.clone())),
        Some(tree) => {
            let text = spelling::spelled(tree, FORMAT, map.get(FORMAT))?;
            Ok(Deed::Say(Opcode::Text, text.into_bytes()))
        }
        None => Err(unwritable("a message is neither sent nor received nor closed")),
    }
}

fn write_close(closed: &Map) -> Result<Deed, WireError> {
    match closed.text("how") {
        Some("ended") => return Ok(Deed::BreakOff { reset: false }),
        Some("reset") => return Ok(Deed::BreakOff { reset: true }),
        Some(other) => return Err(unwritable(format!("closed.how has no word {other:?}"))),
        None => {}
    }
    let mut payload = Vec::new();
    if let Some(code) = closed.get("code") {
        let code = code.as_i64().and_then(|code| u16::try_from(code).ok());
        let code = code.filter(|code| matches!(code, 1000..=4999));
        let code =
            code.ok_or_else(|| unwritable("closed.code is not a number from 1000 to 4999"))?;
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(closed.text("reason").unwrap_or_default().as_bytes());
    }
    if payload.len() > 125 {
        return Err(unwritable("closed.reason is longer than 123 bytes"));
    }
    Ok(Deed::Say(Opcode::Close, payload))
}

/// A message in comparison form: what says the same is equal.
pub(crate) fn comparable(message: &Value) -> Value {
    let Some(map) = message.as_map() else { return message.clone() };
    let mut out = Map::new();
    for (key, value) in map.iter().filter(|(key, _)| *key != FORMAT) {
        let tree = value.as_text().filter(|_| key != stream::CLOSED);
        let tree = tree.and_then(|text| {
            let is_tree = text.starts_with(['{', '[']);
            rehearsal_model::json::parse(text).ok().filter(|_| is_tree)
        });
        out.push_new(key, tree.unwrap_or_else(|| value.clone()));
    }
    Value::Map(out)
}
