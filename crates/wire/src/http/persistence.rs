//! Whether a connection goes on after a recorded message (RFC 9112, section 9.3).

use super::fields;
use rehearsal_model::Map;

/// Whether a request or a response says that the connection ends after the response.
pub(super) fn ends_connection(message: &Map) -> bool {
    let fields = fields::each(message.get("headers"));
    let connection = fields::find(&fields, "connection").unwrap_or_default();
    let says = |word: &str| connection.split(',').any(|it| it.trim().eq_ignore_ascii_case(word));
    let old = message.get("version").is_some() && message.text("version") != Some("1.1");
    message.text("framing") == Some("close") || says("close") || (old && !says("keep-alive"))
}
