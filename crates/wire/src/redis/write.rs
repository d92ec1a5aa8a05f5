//! RESP, versions 2 and 3: values to bytes.
//!
//! What version 2 lacks is written as servers do for clients of version 2.

use super::resp::Resp;
use std::io::Write as _;

/// The version of the protocol that a client has asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    #[default]
    Two,
    Three,
}

/// Appends a value.
pub(super) fn write(value: &Resp, version: Version, out: &mut Vec<u8>) {
    let three = version == Version::Three;
    match value {
        Resp::Status(text) => line(b'+', text, out),
        Resp::Error(text) => line(b'-', text, out),
        Resp::BulkError(text) if three => sized(b'!', &[text], out),
        Resp::BulkError(text) => line(b'-', text, out),
        Resp::Integer(number) => count(b':', number, out),
        Resp::Bulk(bytes) => sized(b'$', &[bytes], out),
        Resp::Nil | Resp::NilArray if three => line(b'_', b"", out),
        Resp::Nil => line(b'$', b"-1", out),
        Resp::NilArray => line(b'*', b"-1", out),
        Resp::Array(items) => list(b'*', items, version, out),
        Resp::Set(items) => list(if three { b'~' } else { b'*' }, items, version, out),
        Resp::Push(items) => list(if three { b'>' } else { b'*' }, items, version, out),
        Resp::Map(pairs) if three => self::pairs(b'%', pairs, version, out),
        Resp::Map(pairs) => {
            count(b'*', pairs.len() * 2, out);
            each(pairs, version, out);
        }
        Resp::Double(text) if three => line(b',', text, out),
        Resp::Double(text) | Resp::Big(text) | Resp::Verbatim(_, text) if !three => {
            sized(b'$', &[text], out);
        }
        Resp::Double(text) | Resp::Big(text) => line(b'(', text, out),
        Resp::Verbatim(format, text) => sized(b'=', &[format, b":", text], out),
        Resp::Bool(value) if three => line(b'#', if *value { b"t" } else { b"f" }, out),
        Resp::Bool(value) => line(b':', if *value { b"1" } else { b"0" }, out),
        Resp::Attributed(about, value) => {
            if three {
                self::pairs(b'|', about, version, out);
            }
            write(value, version, out);
        }
    }
}

fn list(kind: u8, items: &[Resp], version: Version, out: &mut Vec<u8>) {
    count(kind, items.len(), out);
    items.iter().for_each(|item| write(item, version, out));
}

fn pairs(kind: u8, pairs: &[(Resp, Resp)], version: Version, out: &mut Vec<u8>) {
    count(kind, pairs.len(), out);
    each(pairs, version, out);
}

fn each(pairs: &[(Resp, Resp)], version: Version, out: &mut Vec<u8>) {
    for (key, value) in pairs {
        write(key, version, out);
        write(value, version, out);
    }
}

/// A line ends where it ends: line ends inside of it would be the next value.
fn line(kind: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

fn count(kind: u8, number: impl std::fmt::Display, out: &mut Vec<u8>) {
    out.push(kind);
    // Writing to memory does not fail.
    let _ = write!(out, "{number}\r\n");
}

fn sized(kind: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    count(kind, length, out);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(b"\r\n");
}
