//! What the opening says (RFC 6455, section 4, and RFC 7692, section 7.1).
//!
//! The nonce of a client differs each time and says nothing; neither does the answer to it when it is
//! the right one. Both are recorded as `auto`, and worked out when they are played.

use crate::base64;
use sha1::{Digest, Sha1};

/// In place of a nonce, and of the right answer to it.
pub(crate) const AUTO: &str = "auto";
/// The nonce of our own clients.
pub(crate) const KEY: &str = "cGxheWVkIGJ5IHJlY29yZA==";

/// What is appended to the nonce.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The right answer to a nonce.
pub(crate) fn accept(key: &str) -> String {
    base64::encode(&Sha1::digest(format!("{key}{GUID}")))
}

/// Whether a header value is a nonce: 16 bytes in base64.
pub(crate) fn is_key(value: &str) -> bool {
    base64::decode(value).is_some_and(|bytes| bytes.len() == 16)
}

/// The extensions that both sides agreed to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(super) deflate: bool,
    pub(super) client_forgets: bool,
    pub(super) server_forgets: bool,
}

impl Extensions {
    /// Those of the value of `Sec-WebSocket-Extensions` in an answer; none when one of them cannot be
    /// read here.
    pub(crate) fn agreed(value: Option<&str>) -> Option<Self> {
        let mut agreed = Extensions::default();
        for extension in value.unwrap_or_default().split(',').map(str::trim) {
            let mut parts = extension.split(';').map(str::trim);
            match parts.next() {
                Some("") => continue,
                Some(name)
                    if name.eq_ignore_ascii_case("permessage-deflate") && !agreed.deflate =>
                {
                    agreed.deflate = true;
                }
                _ => return None,
            }
            for parameter in parts {
                let name = parameter.split('=').next().unwrap_or_default().trim();
                match name.to_ascii_lowercase().as_str() {
                    "client_no_context_takeover" => agreed.client_forgets = true,
                    "server_no_context_takeover" => agreed.server_forgets = true,
                    // Whatever is smaller than the largest window fits into that.
                    "client_max_window_bits" | "server_max_window_bits" => {}
                    _ => return None,
                }
            }
        }
        Some(agreed)
    }
}

/// The answer to what a client of today offers, by the answer that was recorded; none when it offers
/// no compression any more.
pub(crate) fn agree(recorded: &str, offered: Option<&str>) -> Option<String> {
    const DEFLATE: &str = "permessage-deflate";
    let offered = offered.unwrap_or_default().to_ascii_lowercase();
    if !offered.contains(DEFLATE) {
        return None;
    }
    let asks = recorded.to_ascii_lowercase().contains("client_max_window_bits");
    let may = !asks || offered.contains("client_max_window_bits");
    Some(if may { recorded.to_owned() } else { DEFLATE.to_owned() })
}
