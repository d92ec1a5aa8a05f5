//! Domain names: labels in wire form, and their text (RFC 1035 sections 3.1 and 5.1).

use std::fmt::{self, Write as _};

/// The most bytes of a name, lengths and root included (RFC 1035 section 2.3.4).
const LONGEST: usize = 255;

/// The most bytes of a label.
const LONGEST_LABEL: usize = 63;

/// A name: its labels, each preceded by its length, without the root's empty label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(Vec<u8>);

impl Name {
    /// Appends a label; `None` when the label or the name would be too long or the label is empty.
    pub(super) fn push(&mut self, label: &[u8]) -> Option<()> {
        let fits = !label.is_empty()
            && label.len() <= LONGEST_LABEL
            && self.0.len() + label.len() + 2 <= LONGEST;
        let length = u8::try_from(label.len()).ok().filter(|_| fits)?;
        self.0.push(length);
        self.0.extend_from_slice(label);
        Some(())
    }

    /// The name, the name without its first label, and so on, up to its last label.
    pub(super) fn tails(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let tail = rest;
            let length = usize::from(*tail.first()?);
            rest = &tail[length + 1..];
            Some(tail)
        })
    }

    /// Whether both are the same name, by the rules of RFC 4343.
    pub(super) fn same(&self, other: &Name) -> bool {
        // Lengths are below the letters, so they compare as they are.
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// The name that a text stands for. A final dot may be there or not; `.` is the root.
    pub(super) fn parse(text: &str) -> Option<Name> {
        let mut name = Name::default();
        if text == "." {
            return Some(name);
        }
        let mut label = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' => name.push(&std::mem::take(&mut label))?,
                b'\\' => label.push(unescape(&mut bytes)?),
                byte => label.push(byte),
            }
        }
        if !label.is_empty() {
            name.push(&label)?;
        }
        (!name.0.is_empty()).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_char('.');
        }
        for (place, tail) in self.tails().enumerate() {
            if place > 0 {
                f.write_char('.')?;
            }
            for byte in &tail[1..=usize::from(tail[0])] {
                escape(f, *byte, b".\\\"();@$ ")?;
            }
        }
        Ok(())
    }
}

/// Writes a byte of a name or string: as it is, with a backslash when it is one of `special`, or as
/// a backslash and three decimal digits when it cannot be printed or is a space in `special`.
pub(super) fn escape(out: &mut impl fmt::Write, byte: u8, special: &[u8]) -> fmt::Result {
    match byte {
        b' ' if special.contains(&byte) => out.write_str("\\032"),
        b' '..=b'~' if special.contains(&byte) => write!(out, "\\{}", char::from(byte)),
        b' '..=b'~' => out.write_char(char::from(byte)),
        _ => write!(out, "\\{byte:03}"),
    }
}

/// The byte that follows a backslash: three digits, or any character as itself.
pub(super) fn unescape(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let first = rest.next()?;
    let Some(hundreds) = digit(first) else { return Some(first) };
    let (tens, ones) = (digit(rest.next()?)?, digit(rest.next()?)?);
    u8::try_from(hundreds * 100 + tens * 10 + ones).ok()
}
