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

fn line(words: &[Bytes]) -> Option<String> {
    let length: usize = words.iter().map(|word| word.len() + 1).sum();
    let mut line = String::with_capacity(length.min(LINE));
    for word in words {
        let word = std::str::from_utf8(word).ok().filter(|word| word.len() <= LONGEST)?;
        let quoted = word.is_empty() || word.contains([' ', '\'']);
        let odd = |char: char| char.is_control() || matches!(char, '"' | '\\');
        // Nearly every word is of letters, digits and such marks.
        let plain =
            word.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if !plain && word.chars().any(|char| odd(char) || (char.is_whitespace() && char != ' ')) {
            return None;
        }
        let quote = if quoted { "\"" } else { "" };
        if !line.is_empty() {
            line.push(' ');
        }
        [quote, word, quote].iter().for_each(|part| line.push_str(part));
        if line.len() > LINE {
            return None;
        }
    }
    (!words.is_empty()).then_some(line)
}

/// The words that a recording shows.
///
/// # Errors
/// When they are no words, or quotes are left open.
pub(super) fn read(shown: &Value) -> Result<Vec<Bytes>, WireError> {
    match shown {
        Value::Text(line) if !line.contains(['"', '\'']) => {
            // Without quotes, words are parts of the line.
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
