//! JSON (RFC 8259) to and from values, without loss.
//!
//! A general library would round numbers and drop duplicate keys; here a document that a [`Value`]
//! cannot hold exactly is refused, and the caller keeps it as text. Bytes, which JSON lacks, are
//! written as `{"$base64": "…"}` for readers; they do not come back.

use crate::{Map, Number, Value};
use std::collections::HashSet;

/// How deep lists and maps may nest.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not a document that a value can hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error("not JSON at byte {0}")]
    Syntax(usize),
    /// A map has the same key twice.
    #[error("the same key twice in one object at byte {0}")]
    DuplicateKey(usize),
    /// A `\u` escape stands for half of a surrogate pair.
    #[error("an unpaired surrogate at byte {0}")]
    Surrogate(usize),
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels at byte {0}")]
    TooDeep(usize),
}

/// Reads a document.
///
/// # Errors
/// When it is not JSON, or JSON that would lose something as a value.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser { text, at: 0 };
    parser.space();
    let value = parser.value(0)?;
    parser.space();
    if parser.at == text.len() { Ok(value) } else { Err(JsonError::Syntax(parser.at)) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error<T>(&self) -> Result<T, JsonError> {
        Err(JsonError::Syntax(self.at))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        self.error()
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep(self.at));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.error(),
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        match Number::parse(&self.text[start..self.at]) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(JsonError::Syntax(start)),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(list));
        }
        loop {
            self.space();
            list.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(list));
                }
                _ => return self.error(),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let (mut map, mut keys) = (Map::new(), Keys::default());
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(map));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.error();
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.error();
            }
            self.at += 1;
            self.space();
            let value = self.value(depth + 1)?;
            if !keys.is_new(&map, &key) {
                return Err(JsonError::DuplicateKey(start));
            }
            map.push_new(key, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Map(map));
                }
                _ => return self.error(),
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let rest = &self.text.as_bytes()[start..];
            self.at += rest.iter().position(ends).unwrap_or(rest.len());
            if out.is_empty() && self.peek() == Some(b'"') {
                let whole = self.text[start..self.at].to_owned();
                self.at += 1;
                return Ok(whole);
            }
            out.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.error(),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let char = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return self.error(),
        };
        self.at += 1;
        Ok(char)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let Some(char) = char::from_u32(first) {
            return Ok(char);
        }
        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            return Err(JsonError::Surrogate(start));
        }
        self.at += 1;
        let second = self.hex4()?;
        let pair = char::decode_utf16([first as u16, second as u16]).next();
        pair.and_then(Result::ok).ok_or(JsonError::Surrogate(start))
    }

    /// The four digits after `\u`, with `at` on the `u`.
    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let hex = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(code) = hex.and_then(|hex| std::str::from_utf8(hex).ok()) else {
            return self.error();
        };
        self.at += 5;
        Ok(u32::from_str_radix(code, 16).unwrap_or(0))
    }
}

/// How many keys are compared one by one, which is quicker than hashing few.
const FEW: usize = 16;

/// The keys of an object so far.
#[derive(Default)]
struct Keys {
    /// All of them, once they are more than a few.
    many: HashSet<String>,
}

impl Keys {
    /// Notes a key that `map` is about to get; false when it has it already.
    fn is_new(&mut self, map: &Map, key: &str) -> bool {
        if map.len() < FEW {
            return map.get(key).is_none();
        }
        if self.many.is_empty() {
            self.many.extend(map.keys().map(str::to_owned));
        }
        self.many.insert(key.to_owned())
    }
}

/// How a document is spelled: what a body needs to come back byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// White space between the parts.
    pub space: Space,
    /// Which characters are written as `\u` escapes though they need not be.
    pub escape: Escape,
    /// Whether `/` is written as `\/`.
    pub slashes: bool,
    /// Whether a line feed ends the document.
    pub newline: bool,
}

/// White space between the parts of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// None.
    #[default]
    Compact,
    /// One space after each comma and colon.
    Spaced,
    /// A line for each item, indented by so many spaces a level.
    Indented(u8),
}

/// Which characters are escaped beyond need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// None.
    #[default]
    Needed,
    /// All but ASCII.
    Ascii,
    /// `<`, `>`, `&`, U+2028 and U+2029, which are special in HTML and JavaScript.
    Html,
}

/// The document in compact spelling.
#[must_use]
pub fn to_string(value: &Value) -> String {
    to_string_styled(value, Style::default())
}

/// The document in a given spelling.
#[must_use]
pub fn to_string_styled(value: &Value, style: Style) -> String {
    let mut writer = Writer { out: String::new(), style };
    writer.value(value, 0);
    if style.newline {
        writer.out.push('\n');
    }
    writer.out
}

/// Whether that is the document in a given spelling.
#[must_use]
pub fn is_spelled(value: &Value, style: Style, text: &str) -> bool {
    let mut writer = Writer { out: String::with_capacity(text.len() + 1), style };
    writer.value(value, 0);
    if style.newline {
        writer.out.push('\n');
    }
    writer.out == text
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Number(number) => self.out.push_str(number.as_str()),
            Value::Text(text) => self.string(text),
            Value::Bytes(bytes) => {
                self.out.push_str("{\"$base64\":\"");
                self.out.push_str(&base64(bytes));
                self.out.push_str("\"}");
            }
            Value::List(list) => {
                self.group(['[', ']'], list.len(), depth, |writer, place| {
                    writer.value(&list[place], depth + 1);
                });
            }
            Value::Map(map) => {
                let mut pairs = map.iter();
                self.group(['{', '}'], map.len(), depth, |writer, _| {
                    let Some((key, value)) = pairs.next() else { return };
                    writer.string(key);
                    writer.out.push(':');
                    if writer.style.space != Space::Compact {
                        writer.out.push(' ');
                    }
                    writer.value(value, depth + 1);
                });
            }
        }
    }

    fn group(
        &mut self,
        brackets: [char; 2],
        len: usize,
        depth: usize,
        mut item: impl FnMut(&mut Self, usize),
    ) {
        self.out.push(brackets[0]);
        for place in 0..len {
            if place > 0 {
                self.out.push(',');
                if self.style.space == Space::Spaced {
                    self.out.push(' ');
                }
            }
            self.line(depth + 1);
            item(self, place);
        }
        if len > 0 {
            self.line(depth);
        }
        self.out.push(brackets[1]);
    }

    fn line(&mut self, depth: usize) {
        if let Space::Indented(width) = self.style.space {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', usize::from(width) * depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        // What is written as it stands, mostly all of it.
        let as_it_is = |byte: &u8| match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => false,
            b'/' | b'<' | b'>' | b'&' => self.style == Style::default(),
            _ => true,
        };
        let run = text.bytes().position(|byte| !as_it_is(&byte)).unwrap_or(text.len());
        let (run, rest) = text.split_at(run);
        self.out.push_str(run);
        for char in rest.chars() {
            match char {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '/' if self.style.slashes => self.out.push_str("\\/"),
                _ if self.escaped(char) => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => self.out.push(char),
            }
        }
        self.out.push('"');
    }

    fn escaped(&self, char: char) -> bool {
        char < ' '
            || match self.style.escape {
                Escape::Needed => false,
                Escape::Ascii => !char.is_ascii(),
                Escape::Html => matches!(char, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            }
    }
}

/// Bytes in Base64 (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            out.push(if place <= chunk.len() { ALPHABET[index as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_found_among_few_and_many() {
        for count in [1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":0")).collect();
            let unique = format!("{{{}}}", keys.join(","));
            assert!(parse(&unique).is_ok(), "{unique}");
            for twice in [0, count - 1] {
                let text = format!("{{{},\"k{twice}\":0}}", keys.join(","));
                assert!(matches!(parse(&text), Err(JsonError::DuplicateKey(_))), "{text}");
            }
        }
    }

    #[track_caller]
    fn round_trips(text: &str, style: Style) {
        assert_eq!(to_string_styled(&parse(text).unwrap(), style), text);
    }

    #[test]
    fn every_spelling_comes_back() {
        let compact = Style::default();
        round_trips(
            r#"{"b":1.10,"a":[18446744073709551616,-0,1e+3,null,true,false,{},[]]}"#,
            compact,
        );
        round_trips(r#"{"a": [1, 2], "b": "x"}"#, Style { space: Space::Spaced, ..compact });
        let indented = Style { space: Space::Indented(2), newline: true, ..compact };
        round_trips("{\n  \"a\": [\n    1,\n    {}\n  ]\n}\n", indented);
        round_trips(r#""\u00e9\ud83d\ude00""#, Style { escape: Escape::Ascii, ..compact });
        round_trips(r#""\u003cb\u003e""#, Style { escape: Escape::Html, ..compact });
        round_trips(r#""a\/b""#, Style { slashes: true, ..compact });
    }

    #[test]
    fn refuses_what_it_would_lose() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#), Err(JsonError::DuplicateKey(7)));
        assert_eq!(parse(r#""\ud800""#), Err(JsonError::Surrogate(1)));
        assert_eq!(parse(&"[".repeat(200)), Err(JsonError::TooDeep(129)));
        for bad in
            ["", "{", "[1,]", "{\"a\"}", "01", "\"\n\"", "nul", "1 2", "\"\\x\"", "\"\\u12\""]
        {
            assert!(matches!(parse(bad), Err(JsonError::Syntax(_))), "{bad:?}");
        }
    }

    #[test]
    fn base64_matches_the_rfc() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
