//! Responses that have no end of their own: the client leaves when it has heard enough.
//!
//! What is complete of such a response when the client leaves is all of it, and no failure. It is
//! recorded with `ended-by: client`, and played in the same way.

use super::events::Kind;
use super::head::Field;
use super::write::{self, Outgoing};
use super::{fields, head::Method};
use crate::WireError;
use rehearsal_model::{Map, Value};
use std::time::Duration;

/// The key that says so.
pub(super) const ENDED: &str = "ended-by";
/// Its value.
pub(super) const CLIENT: &str = "client";

/// How long a played client waits for the next item.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long after the last recorded item it waits for more, which would be too much.
pub(super) const AFTERMATH: Duration = Duration::from_millis(100);

/// The kind of content that may grow without end, by the fields before it. What is compressed is not
/// looked into before it is complete.
pub(super) fn kind(list: &[Field]) -> Option<Kind> {
    let find = |wanted: &str| {
        let found = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.as_text())
    };
    Kind::of(find("content-type")).filter(|_| find("content-encoding").is_none())
}

/// Whether the client ended a recorded response.
pub(super) fn is_endless(response: &Map) -> bool {
    response.text(ENDED) == Some(CLIENT)
}

/// How many items a recorded response has.
pub(super) fn items(response: &Map) -> usize {
    let list = response.get("events").or_else(|| response.get("values"));
    let text = || {
        let list = fields::each(response.get("headers"));
        let kind = Kind::of(fields::find(&list, "content-type"))?;
        response.get("body").and_then(Value::as_bytes).map(|body| kind.complete(body).1)
    };
    list.and_then(Value::as_list).map_or_else(|| text().unwrap_or_default(), <[Value]>::len)
}

/// The bytes of such a response, without an end.
pub(super) fn write(response: &Map, method: Method) -> Result<Outgoing, WireError> {
    write::broken(response, method).map(Outgoing::with_chunk_end)
}
