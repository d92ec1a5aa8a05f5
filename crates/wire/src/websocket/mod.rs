//! WebSocket (RFC 6455) with compressed messages (RFC 7692), for connections that HTTP has opened.
//!
//! It is no protocol of its own in recordings: the request that opens the connection is HTTP's, and
//! the conversation is the answer to it. The sessions of `http` hand their bytes over to one of the
//! two machines here and stay what the driver talks to.

mod frame;
mod handshake;
mod inbox;
mod inflate;
mod message;
mod player;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use handshake::{AUTO, Extensions, KEY, accept, agree, is_key};
pub(crate) use message::comparable;
pub(crate) use player::Player;
pub(crate) use watch::Watch;

use crate::WireError;

const NAME: &str = "websocket";

fn malformed(what: impl Into<String>) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.into() }
}

fn too_large(what: &'static str, limit: usize) -> WireError {
    WireError::TooLarge { protocol: NAME, what, limit }
}

fn unwritable(what: impl Into<String>) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.into() }
}
