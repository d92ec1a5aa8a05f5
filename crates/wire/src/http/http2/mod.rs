//! HTTP/2 (RFC 9113): the streams of one connection, each an exchange that looks like one of HTTP/1.1.
//!
//! Three sessions play the three roles over one reader. Which version a connection speaks is found out
//! by [`super::versions`]; TLS is the business of whoever carries the connection.

mod converse;
mod farewell;
mod frames;
mod half;
mod hpack;
mod huffman;
mod intake;
mod line;
mod observer;
mod reader;
mod requester;
mod responder;
mod script;
mod sender;
mod settings;
mod streams;
mod table;
#[cfg(test)]
mod tests;
mod turns;
mod write;

use crate::{Verdict, WireError};

pub(super) use frames::PREFACE;
pub(crate) use half::VERSION;
pub(super) use observer::{Observer, Upgraded};
pub(super) use requester::Requester;
pub(super) use responder::Responder;

/// Whether what a server said before its client is the beginning of HTTP/2: its settings, which are few.
pub(super) fn begins(server: &[u8]) -> Verdict {
    let head = [0, 0, 0, frames::SETTINGS, 0, 0, 0, 0, 0];
    let fits = |(place, (byte, wanted)): (usize, (&u8, &u8))| match place {
        2 => byte.is_multiple_of(6),
        _ => byte == wanted,
    };
    match server.iter().zip(&head).enumerate().all(fits) {
        true if server.len() >= head.len() => Verdict::Yes,
        true => Verdict::NeedMore,
        false => Verdict::No,
    }
}

fn malformed(what: impl Into<String>) -> WireError {
    super::malformed(what)
}

fn too_large(what: &'static str, limit: usize) -> WireError {
    WireError::TooLarge { protocol: super::NAME, what, limit }
}
