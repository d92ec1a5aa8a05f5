//! Recognises Redis by the first command, or by a line and the reply to it.

use super::table;
use crate::Verdict;

/// The longest line that is waited for.
const LONGEST: usize = 4096;

/// What the first bytes of a connection say. Drivers begin with an array of strings, which nobody
/// else does; a line of words could be many protocols', so the reply decides.
pub(super) fn detect(client: &[u8], server: &[u8]) -> Verdict {
    match client.first() {
        None if server.is_empty() => Verdict::NeedMore,
        None => Verdict::No,
        Some(b'*') => array(client),
        Some(first) if first.is_ascii_alphabetic() => inline(client, server),
        Some(_) => Verdict::No,
    }
}

/// `*2\r\n$3\r\n…`.
fn array(client: &[u8]) -> Verdict {
    let mut rest = client;
    for mark in [b'*', b'$'] {
        match rest.split_first() {
            None => return Verdict::NeedMore,
            Some((first, left)) if *first == mark => rest = left,
            Some(_) => return Verdict::No,
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 9 || (digits == 0 && !rest.is_empty()) {
            return Verdict::No;
        }
        rest = match &rest[digits..] {
            [] | [b'\r'] => return Verdict::NeedMore,
            [b'\r', b'\n', left @ ..] => left,
            _ => return Verdict::No,
        };
    }
    Verdict::Yes
}

fn inline(client: &[u8], server: &[u8]) -> Verdict {
    let Some(end) = client.iter().position(|byte| *byte == b'\n') else {
        let is_text = client.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\t'));
        let waits = is_text && client.len() <= LONGEST && server.is_empty();
        return if waits { Verdict::NeedMore } else { Verdict::No };
    };
    let words: Vec<&[u8]> = client[..end].split(u8::is_ascii_whitespace).collect();
    let (name, _) = table::name(&words);
    if table::row(&name).0.is_empty() {
        return Verdict::No;
    }
    match server.first() {
        None => Verdict::NeedMore,
        Some(b'+' | b'-' | b':' | b'$' | b'*' | b'%' | b'~' | b'_' | b',' | b'#') => {
            match server.iter().position(|byte| *byte == b'\n') {
                Some(end) if end > 0 && server[end - 1] == b'\r' => Verdict::Yes,
                Some(_) => Verdict::No,
                None if server.len() > LONGEST => Verdict::No,
                None => Verdict::NeedMore,
            }
        }
        Some(_) => Verdict::No,
    }
}
