//! What of a turn identifies it: nothing but the bytes themselves.

use super::hidden;
use crate::Facets;
use crate::tls::HANDSHAKE;
use rehearsal_model::{Map, Value, secret::mask};

/// Bytes that are shown of what a client sends.
const SHOWN: usize = 24;

/// The facets of turns.
#[derive(Debug)]
pub(super) struct OpaqueFacets;

impl Facets for OpaqueFacets {
    fn operation(&self, request: &Map) -> String {
        let Some(bytes) = request.get("send").and_then(Value::as_bytes) else {
            let length = request.get("omitted").and_then(Value::as_map);
            let length = length.and_then(|omitted| omitted.get("length")?.as_i64());
            return format!("send {} bytes", length.unwrap_or_default());
        };
        let plural = if bytes.len() == 1 { "byte" } else { "bytes" };
        if bytes.is_empty() {
            return "wait for the server to speak".to_owned();
        }
        format!("send {} {plural}: {}", bytes.len(), beginning(bytes))
    }

    /// The same for all, so that a miss is compared with every mock of its edge.
    fn identity(&self, _request: &Map) -> Value {
        Value::from(super::NAME)
    }

    fn request(&self, request: &Map) -> Value {
        only(request, "send")
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        only(response, "receive")
    }

    /// Bytes that are not understood may do anything.
    fn repeatable(&self, _request: &Map) -> bool {
        false
    }

    fn begins(&self, request: &Map, recorded: &Map) -> bool {
        let bytes = |message: &Map| match message.get("send")? {
            Value::Text(text) => Some(mask(text).into_owned().into_bytes()),
            other => other.as_bytes().map(<[u8]>::to_vec),
        };
        let (Some(request), Some(recorded)) = (bytes(request), bytes(recorded)) else {
            return false;
        };
        request.len() < recorded.len() && recorded.starts_with(&request)
    }

    fn goes_beyond(&self, request: &Map, recorded: &Map) -> bool {
        // To nothing a server answers when it speaks first.
        let nothing = recorded.get("send").and_then(Value::as_bytes).is_none_or(<[u8]>::is_empty);
        !nothing && self.begins(recorded, request)
    }

    /// A handshake of TLS, whose random numbers no recording can answer (RFC 8446, section 5.1).
    fn obstacle(&self, request: &Map) -> Option<&'static str> {
        let bytes = request.get("send").and_then(Value::as_bytes)?;
        bytes.starts_with(&HANDSHAKE).then_some("encrypted (TLS)")
    }

    fn beside(
        &self,
        request: &mut Map,
        _response: Option<&mut Map>,
        change: &mut dyn FnMut(&str, &str) -> Option<String>,
    ) {
        hidden::change(request, change);
    }

    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}

/// The bytes at a key or what stands in their place; not how the connection ended.
fn only(message: &Map, key: &str) -> Value {
    let kept = [key, "omitted"].into_iter().filter_map(|key| Some((key, message.get(key)?)));
    Value::Map(kept.map(|(key, value)| (key, value.clone())).collect())
}

/// The first line as far as it is shown, with dots for what cannot be printed.
fn beginning(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    let printable = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    let mut shown: String = line.iter().take(SHOWN).map(printable).collect();
    if line.len() > SHOWN {
        shown.push('…');
    }
    shown
}
