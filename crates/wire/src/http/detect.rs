//! Recognises HTTP/1 by the first line of its first request, and HTTP/2 by its preface.

use super::head::is_token;
use super::{http2, versions};
use crate::Verdict;

/// The longest method that is believed.
const MAX_METHOD: usize = 32;
/// The longest request line that is waited for.
const MAX_LINE: usize = 64 << 10;

/// What the first bytes of a connection say: a server of HTTP/1 never speaks first, one of HTTP/2 may, and
/// a request line ends with its version.
pub(super) fn detect(client: &[u8], server: &[u8]) -> Verdict {
    match versions::is_http2(client) {
        Verdict::Yes => return Verdict::Yes,
        Verdict::NeedMore => match http2::begins(server) {
            Verdict::No => {}
            verdict => return verdict,
        },
        Verdict::No => {}
    }
    match request_line(client) {
        Verdict::NeedMore if !server.is_empty() => Verdict::No,
        verdict => verdict,
    }
}

fn request_line(mut client: &[u8]) -> Verdict {
    while let [b'\r' | b'\n', rest @ ..] = client {
        client = rest;
    }
    let method = client.iter().take_while(|byte| is_token(**byte)).count();
    if method > MAX_METHOD {
        return Verdict::No;
    }
    match client.get(method) {
        None => return Verdict::NeedMore,
        Some(b' ') if method > 0 => {}
        Some(_) => return Verdict::No,
    }
    let rest = &client[method + 1..];
    // Every byte up to the line end is part of a target or a version.
    let end = rest.iter().position(|byte| *byte < b' ' || *byte == 0x7f);
    match end {
        None if rest.len() > MAX_LINE => Verdict::No,
        None => Verdict::NeedMore,
        Some(end) => {
            let version = rest[..end].rsplit(|byte| *byte == b' ').next().unwrap_or_default();
            let line = rest[end] == b'\r' && matches!(rest.get(end + 1), None | Some(b'\n'));
            let target = end > version.len() + 1;
            match version {
                b"HTTP/1.1" | b"HTTP/1.0" if line && target => Verdict::Yes,
                _ => Verdict::No,
            }
        }
    }
}
