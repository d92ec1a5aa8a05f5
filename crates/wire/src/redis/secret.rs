//! Leaves the credentials out of commands, before anything else sees them.
//!
//! In their place stands `(redacted)`, as in the log of slow commands of the server itself.

use bytes::Bytes;

const REDACTED: Bytes = Bytes::from_static(b"(redacted)");

/// Settings of a server that are credentials.
pub(super) const SETTINGS: [&str; 7] = [
    "requirepass",
    "masterauth",
    "masteruser",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "auth-pass",
    "sentinel-pass",
];

/// Replaces the credentials among the words of a command.
pub(super) fn redact(words: &mut [Bytes]) {
    let is = |word: &Bytes, name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let Some((first, rest)) = words.split_first_mut() else { return };
    match rest.len() {
        _ if is(first, "AUTH") => rest.fill(REDACTED),
        _ if is(first, "HELLO") => behind(rest, "AUTH", 2),
        _ if is(first, "MIGRATE") => {
            behind(rest, "AUTH", 1);
            behind(rest, "AUTH2", 2);
        }
        2.. if is(first, "CONFIG") && is(&rest[0], "SET") => settings(&mut rest[1..]),
        3.. if is(first, "SENTINEL") && (is(&rest[0], "SET") || is(&rest[0], "CONFIG")) => {
            settings(&mut rest[2..]);
        }
        2.. if is(first, "ACL") && is(&rest[0], "SETUSER") => {
            let secret = |word: &&mut Bytes| {
                word.starts_with(b">") || word.starts_with(b"<") || word.starts_with(b"#")
            };
            rest[2..].iter_mut().filter(secret).for_each(|word| *word = REDACTED);
        }
        _ => {}
    }
}

/// Replaces so many words behind one.
fn behind(words: &mut [Bytes], name: &str, count: usize) {
    let place = words.iter().position(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    if let Some(place) = place {
        let end = words.len().min(place + 1 + count);
        words[place + 1..end].fill(REDACTED);
    }
}

/// Replaces the values of pairs that are credentials.
fn settings(pairs: &mut [Bytes]) {
    for pair in pairs.chunks_mut(2) {
        if let [name, value] = pair
            && SETTINGS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
        {
            *value = REDACTED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let mut words: Vec<Bytes> =
            line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        redact(&mut words);
        assert_eq!(String::from_utf8(words.join(&b' ')).unwrap(), expected);
    }

    #[test]
    fn credentials_are_left_out() {
        check("auth hunter2", "auth (redacted)");
        check("AUTH shop hunter2", "AUTH (redacted) (redacted)");
        check("HELLO 3 AUTH a b SETNAME c", "HELLO 3 AUTH (redacted) (redacted) SETNAME c");
        check("HELLO 3 AUTH a", "HELLO 3 AUTH (redacted)");
        check(
            "CONFIG SET maxmemory 1 requirepass x",
            "CONFIG SET maxmemory 1 requirepass (redacted)",
        );
        check("ACL SETUSER bob on >pw ~* +@all", "ACL SETUSER bob on (redacted) ~* +@all");
        check(
            "MIGRATE h 1 k 0 9 AUTH2 u p KEYS a",
            "MIGRATE h 1 k 0 9 AUTH2 (redacted) (redacted) KEYS a",
        );
        check("SENTINEL SET m auth-pass p", "SENTINEL SET m auth-pass (redacted)");
        check("SET auth hunter2", "SET auth hunter2");
        check("CONFIG GET requirepass", "CONFIG GET requirepass");
    }
}
