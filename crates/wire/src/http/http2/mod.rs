//! HTTP/2 (RFC 9113): the streams of one connection, each an exchange that looks like one of HTTP/1.1.
//!
//! Three sessions play the three roles over one reader. Which version a connection speaks is found out
//! by [`super::versions`]; TLS is the business of whoever carries the connection.

mod frames;
mod half;
mod hpack;
mod huffman;
mod intake;
mod observer;
mod reader;
mod requester;
mod responder;
mod sender;
mod settings;
mod table;
#[cfg(test)]
mod tests;
mod write;

use crate::WireError;

pub(super) use frames::PREFACE;
pub(super) use half::VERSION;
pub(super) use observer::Observer;
pub(super) use requester::Requester;
pub(super) use responder::Responder;

/// Whether what a server said before its client may be the beginning of HTTP/2: its settings.
pub(super) fn may_begin(server: &[u8]) -> bool {
    let kind_flags_stream = [frames::SETTINGS, 0, 0, 0, 0, 0];
    server.iter().skip(3).zip(kind_flags_stream).all(|(byte, wanted)| *byte == wanted)
}

fn malformed(what: impl Into<String>) -> WireError {
    super::malformed(what)
}

fn too_large(what: &'static str, limit: usize) -> WireError {
    WireError::TooLarge { protocol: super::NAME, what, limit }
}
