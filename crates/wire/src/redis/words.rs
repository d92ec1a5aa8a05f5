//! Commands as recordings show them: one line of words where a person would write one, else a list.
//!
//! A line is read as `redis-cli` reads it: words between blanks, quotes around those that need them.

use super::unwritable;
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::Value;

/// The longest word that stands on a line with others.
const LONGEST: usize = 100;
/// The longest line.
const LINE: usize = 160;

/// Words as they are shown.
pub(super) fn show(words: &[Bytes]) -> Value {
    if let Some(line) = line(words) {
        return Value::Text(line);
    }
    Value::List(words.iter().map(|word| Value::from_bytes(word)).collect())
}

/// What a byte says of the word that it is in: that it needs quotes, that the word cannot stand on a line,
/// or that the characters have to be looked at.
const QUOTED: u8 = 1;
const ODD: u8 = 2;
const WIDE: u8 = 4;

/// What each byte says. Nearly every word is of letters, digits and such marks, which say nothing.
const SAYS: [u8; 256] = {
    let (mut says, mut byte) = ([0; 256], 0);
    while byte < 256 {
        says[byte] = match byte as u8 {
            b' ' | b'\'' => QUOTED,
            b'"' | b'\\' | 0..b' ' | 0x7f => ODD,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    says
};

fn line(words: &[Bytes]) -> Option<String> {
    let length: usize = words.iter().map(|word| word.len() + 1).sum();
    let mut line = Vec::with_capacity(length.min(LINE));
    for word in words {
        if word.len() > LONGEST {
            return None;
        }
        let says = word.iter().fold(0, |says, byte| says | SAYS[usize::from(*byte)]);
        if says & ODD != 0 || (says & WIDE != 0 && !fits(word)) {
            return None;
        }
        if !line.is_empty() {
            line.push(b' ');
        }
        if says & QUOTED != 0 || word.is_empty() {
            line.push(b'"');
            line.extend_from_slice(word);
            line.push(b'"');
        } else {
            line.extend_from_slice(word);
        }
        if line.len() > LINE {
            return None;
        }
    }
    String::from_utf8(line).ok().filter(|_| !words.is_empty())
}

/// Whether a word that is not of ASCII alone can stand on a line.
fn fits(word: &[u8]) -> bool {
    let odd = |char: char| char.is_control() || (char.is_whitespace() && char != ' ');
    std::str::from_utf8(word).is_ok_and(|word| !word.contains(odd))
}

/// Whether a line has quotes; without any, its words are what is between blanks.
pub(super) fn has_quotes(line: &str) -> bool {
    line.bytes().any(|byte| matches!(byte, b'"' | b'\''))
}

/// The words that a recording shows.
///
/// # Errors
/// When they are no words, or quotes are left open.
pub(super) fn read(shown: &Value) -> Result<Vec<Bytes>, WireError> {
    match shown {
        Value::Text(line) if !has_quotes(line) => {
            // Words are parts of the line.
            let whole = Bytes::copy_from_slice(line.as_bytes());
            let words = whole.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            Ok(words.map(|word| whole.slice_ref(word)).collect())
        }
        Value::Text(line) => {
            split(line.as_bytes()).map(|words| words.into_iter().map(Bytes::from).collect())
        }
        Value::List(words) => {
            let word = |word: &Value| match word {
                Value::Number(number) => Ok(Bytes::copy_from_slice(number.as_str().as_bytes())),
                word => word
                    .as_bytes()
                    .map(Bytes::copy_from_slice)
                    .ok_or_else(|| unwritable(&format!("a word of a command is {}", word.kind()))),
            };
            words.iter().map(word).collect()
        }
        other => Err(unwritable(&format!("a command is {}, not words", other.kind()))),
    }
}

/// The words of a line, quotes and escapes undone.
///
/// # Errors
/// When quotes are left open, or a word goes on behind a closing quote.
pub(super) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let (mut words, mut rest) = (Vec::new(), line);
    loop {
        rest = rest.trim_ascii_start();
        let word = match rest.split_first() {
            None => return Ok(words),
            Some((b'"', inside)) => double_quoted(inside),
            Some((b'\'', inside)) => single_quoted(inside),
            Some(_) => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                Some((rest[..end].to_vec(), &rest[end..]))
            }
        };
        let Some((word, left)) =
            word.filter(|(_, left)| left.first().is_none_or(u8::is_ascii_whitespace))
        else {
            return Err(super::malformed("a line whose quotes are unbalanced"));
        };
        words.push(word);
        rest = left;
    }
}

fn single_quoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [b'\\', b'\'', left @ ..] => {
                word.push(b'\'');
                left
            }
            [b'\'', left @ ..] => return Some((word, left)),
            [byte, left @ ..] => {
                word.push(*byte);
                left
            }
            [] => return None,
        }
    }
}

fn double_quoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [b'"', left @ ..] => return Some((word, left)),
            [b'\\', b'x', high, low, left @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                word.push(u8::from_str_radix(digits, 16).ok()?);
                left
            }
            [b'\\', escaped, left @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                left
            }
            [byte, left @ ..] => {
                word.push(*byte);
                left
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether words are shown as this line, or as a list; either way they are read again.
    #[track_caller]
    fn check(words: &[&[u8]], line: Option<&str>) {
        let words: Vec<Bytes> = words.iter().map(|word| Bytes::copy_from_slice(word)).collect();
        let shown = show(&words);
        assert_eq!(shown.as_text(), line);
        assert_eq!(read(&shown), Ok(words));
    }

    #[test]
    fn a_line_has_what_a_person_would_write_on_one() {
        check(&[b"GET", b"a:1"], Some("GET a:1"));
        check(&[b"SET", b"", b"two words", b"it's"], Some("SET \"\" \"two words\" \"it's\""));
        check(&[b"SET", "\u{e9}".as_bytes()], Some("SET \u{e9}"));
        for odd in ["\"", "\\", "\t", "\r\n", "\0", "\x7f", "\u{85}", "\u{a0}", "\u{2003}"] {
            check(&[b"SET", odd.as_bytes()], None);
        }
        check(&[b"SET", b"\xff"], None);
        check(&[], None);
        let word = [b'x'; LONGEST + 1];
        check(&[&word[..LONGEST]], Some(&"x".repeat(LONGEST)));
        check(&[&word], None);
        let most = format!("{} {}", "x".repeat(LONGEST), "x".repeat(LINE - LONGEST - 1));
        check(&[&word[..LONGEST], &word[..LINE - LONGEST - 1]], Some(&most));
        check(&[&word[..LONGEST], &word[..LINE - LONGEST]], None);
    }
}
