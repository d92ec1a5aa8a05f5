//! Ranges in the binary format, spelled as the text format has them (PostgreSQL documentation,
//! "Range Types"; `range_send`, `multirange_send`).

use super::fields::Fields;
use super::{binary, frames, text};

const EMPTY: u8 = 0x01;
const LOWER_INCLUDED: u8 = 0x02;
const UPPER_INCLUDED: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// `[1,5)` of the bytes of a range with bounds of this type.
pub(super) fn read(bound: u32, bytes: &[u8]) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let flags = fields.byte().ok()?;
    if flags & EMPTY != 0 {
        return Some("empty".to_owned());
    }
    let mut out = String::from(if flags & LOWER_INCLUDED != 0 { '[' } else { '(' });
    if flags & LOWER_INFINITE == 0 {
        spell(bound, fields.sized().ok()??, &mut out)?;
    }
    out.push(',');
    if flags & UPPER_INFINITE == 0 {
        spell(bound, fields.sized().ok()??, &mut out)?;
    }
    out.push(if flags & UPPER_INCLUDED != 0 { ']' } else { ')' });
    Some(out)
}

/// The bytes of `[1,5)`.
pub(super) fn write(bound: u32, text: &str) -> Option<Vec<u8>> {
    let (bytes, rest) = one(bound, text)?;
    rest.is_empty().then_some(bytes)
}

/// `{[1,3),[5,7)}` of the bytes of several ranges.
pub(super) fn read_many(bound: u32, bytes: &[u8]) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let count = fields.u32().ok()?;
    let mut out = String::from("{");
    // Every range takes five bytes at least, so this ends when the bytes do.
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&read(bound, fields.sized().ok()??)?);
    }
    out.push('}');
    Some(out)
}

/// The bytes of `{[1,3),[5,7)}`.
pub(super) fn write_many(bound: u32, text: &str) -> Option<Vec<u8>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut count, mut ranges) = (0u32, Vec::new());
    while !rest.is_empty() {
        let (range, behind) = one(bound, rest)?;
        ranges.extend_from_slice(&u32::try_from(range.len()).ok()?.to_be_bytes());
        ranges.extend_from_slice(&range);
        count += 1;
        rest = match behind.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            Some(_) => return None,
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some([&count.to_be_bytes()[..], &ranges].concat())
}

/// The bytes of the first range of a text, and what stands behind it.
fn one(bound: u32, text: &str) -> Option<(Vec<u8>, &str)> {
    if let Some(rest) = text.strip_prefix("empty") {
        return Some((vec![EMPTY], rest));
    }
    let (mut flags, rest) = match text.chars().next()? {
        '[' => (LOWER_INCLUDED, &text[1..]),
        '(' => (0, &text[1..]),
        _ => return None,
    };
    let (lower, rest) = value(rest)?;
    let (upper, rest) = value(rest.strip_prefix(',')?)?;
    let rest = match rest.strip_prefix(']') {
        Some(rest) => {
            flags |= UPPER_INCLUDED;
            rest
        }
        None => rest.strip_prefix(')')?,
    };
    let mut out = vec![0];
    for (value, infinite) in [(lower, LOWER_INFINITE), (upper, UPPER_INFINITE)] {
        match value {
            None => flags |= infinite,
            Some(value) => frames::sized(&mut out, |out| {
                let value = text::decode(bound, value.as_bytes());
                out.extend(binary::encode(bound, &value).ok_or(())?);
                Ok::<_, ()>(())
            })
            .ok()?,
        }
    }
    out[0] = flags;
    Some((out, rest))
}

/// A bound, which is none when nothing is written, and what stands behind it.
fn value(text: &str) -> Option<(Option<String>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ')', ']'])?;
        let (value, rest) = text.split_at(end);
        return Some(((!value.is_empty()).then(|| value.to_owned()), rest));
    };
    let mut out = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((place, char)) = chars.next() {
        let doubled = chars.peek().is_some_and(|(_, next)| *next == char);
        match char {
            '"' if !doubled => return Some((Some(out), &quoted[place + 1..])),
            '"' | '\\' => {
                // A server doubles both.
                chars.next()?;
                out.push(char);
            }
            char => out.push(char),
        }
    }
    None
}

fn spell(bound: u32, bytes: &[u8], out: &mut String) -> Option<()> {
    let value = text::encode(bound, &binary::decode(bound, bytes))?;
    let value = String::from_utf8(value).ok()?;
    let special = |char: char| "\"\\()[],".contains(char) || char.is_ascii_whitespace();
    if !value.is_empty() && !value.contains(special) {
        out.push_str(&value);
        return Some(());
    }
    out.push('"');
    for char in value.chars() {
        if matches!(char, '"' | '\\') {
            out.push(char);
        }
        out.push(char);
    }
    out.push('"');
    Some(())
}
