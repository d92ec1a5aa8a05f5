//! The opening of a WebSocket, as far as it is HTTP, and that of HTTP/2 on a connection of HTTP/1.1.
//!
//! What follows it is the business of [`crate::websocket`].

use super::fields;
use super::head::Field;
use crate::websocket::{AUTO, Extensions, KEY, accept, agree, is_key};
use rehearsal_model::{Map, Value};

const SENT_KEY: &str = "sec-websocket-key";
const ACCEPT: &str = "sec-websocket-accept";
const EXTENSIONS: &str = "sec-websocket-extensions";

/// What a client says of itself when it opens a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Offer {
    key: Option<String>,
    extensions: Option<String>,
}

impl Offer {
    /// That of a request.
    pub(super) fn of(list: &[Field]) -> Self {
        let find = |wanted: &str| {
            let found = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.and_then(|(_, value)| value.as_text()).map(str::to_owned)
        };
        Offer { key: find(SENT_KEY).filter(|key| is_key(key)), extensions: find(EXTENSIONS) }
    }

    /// Writes `auto` for the right answer to its nonce.
    pub(super) fn hide_answer(&self, response: &mut Map) {
        let Some(right) = self.key.as_deref().map(accept) else { return };
        change(response, |name, value| {
            let is_right = name.eq_ignore_ascii_case(ACCEPT) && value.as_text() == Some(&right);
            Some(if is_right { AUTO.into() } else { value.clone() })
        });
    }

    /// Puts the right answer to its nonce in place of `auto`, and agrees to no more than is offered.
    pub(super) fn answer(&self, response: &mut Map) {
        change(response, |name, value| match value.as_text() {
            Some(AUTO) if name.eq_ignore_ascii_case(ACCEPT) => {
                Some(self.key.as_deref().map_or_else(|| value.clone(), |key| accept(key).into()))
            }
            Some(text) if name.eq_ignore_ascii_case(EXTENSIONS) => {
                agree(text, self.extensions.as_deref()).map(Value::from)
            }
            _ => Some(value.clone()),
        });
    }
}

/// Writes `auto` for a nonce in the fields of a request.
pub(super) fn hide_key(list: &mut [Field]) {
    let is_nonce = |(name, value): &&mut Field| {
        name.eq_ignore_ascii_case(SENT_KEY) && value.as_text().is_some_and(is_key)
    };
    for (_, value) in list.iter_mut().filter(is_nonce) {
        *value = AUTO.into();
    }
}

/// A recorded request with a nonce in place of `auto`, and what it offers then.
pub(super) fn with_key(request: &Map) -> (Map, Offer) {
    let mut request = request.clone();
    change(&mut request, |name, value| {
        let auto = name.eq_ignore_ascii_case(SENT_KEY) && value.as_text() == Some(AUTO);
        Some(if auto { KEY.into() } else { value.clone() })
    });
    let list = fields::each(request.get("headers")).into_iter();
    let list: Vec<Field> = list.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    (request, Offer::of(&list))
}

/// What both sides of a WebSocket agreed to, by the answer that opens it; none when the connection
/// goes on as something else, or with extensions that cannot be read.
pub(super) fn agreed(response: &Map) -> Option<Extensions> {
    let list = fields::each(response.get("headers"));
    let upgrade = fields::find(&list, "upgrade")?;
    let status = response.get("status").and_then(Value::as_i64);
    if status != Some(101) || !upgrade.trim().eq_ignore_ascii_case("websocket") {
        return None;
    }
    Extensions::agreed(fields::find(&list, EXTENSIONS))
}

/// As [`agreed`], of a WebSocket on a stream of HTTP/2 (RFC 8441, section 5).
pub(super) fn agreed_on_stream(response: &Map) -> Option<Extensions> {
    let status = response.get("status").and_then(Value::as_i64);
    status.filter(|status| (200..300).contains(status))?;
    let list = fields::each(response.get("headers"));
    Extensions::agreed(fields::find(&list, EXTENSIONS))
}

/// Whether an answer says that the connection is HTTP/2 from here on.
pub(super) fn is_to_http2(response: &Map) -> bool {
    let list = fields::each(response.get("headers"));
    let upgrade = fields::find(&list, "upgrade");
    response.get("status").and_then(Value::as_i64) == Some(101)
        && upgrade.is_some_and(|upgrade| upgrade.trim().eq_ignore_ascii_case("h2c"))
}

/// Takes out of a request what asks for HTTP/2: which version its answer comes in is as little a part of
/// it as with TLS, and whoever is asked without may answer all the same.
pub(super) fn without_http2(request: &mut Map) {
    let asks = ["upgrade", "http2-settings"];
    let list = fields::each(request.get("headers"));
    let kept: Vec<Field> = list
        .into_iter()
        .filter(|(name, _)| !asks.iter().any(|ask| name.eq_ignore_ascii_case(ask)))
        .filter_map(|(name, value)| {
            if !name.eq_ignore_ascii_case("connection") {
                return Some((name.to_owned(), value.clone()));
            }
            let options = value.as_text().unwrap_or_default().split(',').map(str::trim);
            let options = options.filter(|it| !asks.iter().any(|ask| it.eq_ignore_ascii_case(ask)));
            let options: Vec<_> = options.filter(|option| !option.is_empty()).collect();
            (!options.is_empty()).then(|| (name.to_owned(), options.join(", ").into()))
        })
        .collect();
    match fields::record(kept) {
        Some(headers) => _ = request.insert("headers", headers),
        None => _ = request.remove("headers"),
    }
}

/// Changes the fields of a message, or leaves some out.
fn change(message: &mut Map, mut to: impl FnMut(&str, &Value) -> Option<Value>) {
    let list = fields::each(message.get("headers"));
    let changed: Vec<Field> = list
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), to(name, value)?)))
        .collect();
    if let Some(headers) = fields::record(changed) {
        message.insert("headers", headers);
    }
}
