//! Recognises memcached by the first line, and by the reply where that line could be another
//! protocol's.

use super::asked::length_place;
use super::lines::{number, words};
use crate::Verdict;

/// The longest line that is waited for.
const LONGEST: usize = 64 << 10;

/// What the first bytes of a connection say.
pub(super) fn detect(client: &[u8], server: &[u8]) -> Verdict {
    if client.first().is_none_or(|first| !first.is_ascii_lowercase()) {
        let waits = client.is_empty() && server.is_empty();
        return if waits { Verdict::NeedMore } else { Verdict::No };
    }
    let Some(end) = client.iter().position(|byte| *byte == b'\n') else {
        let is_line = client.iter().all(|byte| *byte >= b' ' || *byte == b'\r');
        let waits = is_line && client.len() <= LONGEST && server.is_empty();
        return if waits { Verdict::NeedMore } else { Verdict::No };
    };
    let line = client[..end].strip_suffix(b"\r").unwrap_or(&client[..end]);
    let words = words(line);
    let Some((command, arguments)) = words.split_first() else { return Verdict::No };
    if let Some(place) = length_place(command) {
        let numbers = match *command {
            b"ms" => words.get(place..=place),
            _ => words.get(2..=place),
        };
        let all = numbers.is_some_and(|all| {
            all.iter().all(|word| number(word.strip_prefix(b"-").unwrap_or(word)).is_some())
        });
        return if all { Verdict::Yes } else { Verdict::No };
    }
    match *command {
        b"mg" | b"md" | b"ma" | b"me" if !arguments.is_empty() => Verdict::Yes,
        b"get" | b"gets" | b"gat" | b"gats" | b"delete" | b"incr" | b"decr" | b"touch"
        | b"stats" | b"version" | b"verbosity" | b"flush_all" | b"mn" => reply(server),
        _ => Verdict::No,
    }
}

fn reply(server: &[u8]) -> Verdict {
    let Some(end) = server.iter().position(|byte| *byte == b'\n') else {
        return if server.len() > LONGEST { Verdict::No } else { Verdict::NeedMore };
    };
    let line = server[..end].strip_suffix(b"\r").unwrap_or_default();
    let words = words(line);
    match words.first() {
        Some(
            &(b"VALUE" | b"END" | b"OK" | b"DELETED" | b"NOT_FOUND" | b"TOUCHED" | b"STAT"
            | b"VERSION" | b"MN" | b"RESET" | b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR"),
        ) => Verdict::Yes,
        Some(word) if words.len() == 1 && number(word).is_some() => Verdict::Yes,
        _ => Verdict::No,
    }
}
