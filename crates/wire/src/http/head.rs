//! The head of a message: its start line and its fields (RFC 9112, sections 3 to 5).
//!
//! It reads complete heads only; [`super::lines`] finds their end. It decides nothing about the
//! body: it notes the facts on which [`super::framing`] does.

use super::lines::line_feed;
use super::malformed;
use crate::WireError;
use rehearsal_model::Value;

/// How many fields a head or a trailer section may have.
const MAX_FIELDS: usize = 4096;

const CONTROLS: &str = "a header value with control characters";

/// A field: its name as spelled, and its value as text or, when it is not UTF-8, as bytes.
pub(super) type Field = (String, Value);

/// What the start line says.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Request { method: Method, line: Value },
    Response { status: u16, reason: Value },
}

/// The methods that change how an answer is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Head,
    Connect,
    Other,
}

impl Method {
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"HEAD" => Method::Head,
            b"CONNECT" => Method::Connect,
            _ => Method::Other,
        }
    }
}

/// A head and what its fields say about the message and the connection.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) start: Start,
    /// HTTP/1.0 rather than HTTP/1.1.
    pub(super) old: bool,
    pub(super) fields: Vec<Field>,
    pub(super) facts: Facts,
}

/// What the fields of a head say about framing and the connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) content_length: Option<u64>,
    /// There is a Transfer-Encoding, and whether its last coding is `chunked`.
    pub(super) transfer_encoding: Option<bool>,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    pub(super) expect_continue: bool,
}

impl Head {
    /// Reads the head of a request, the empty line at its end included.
    pub(super) fn request(bytes: &[u8]) -> Result<Self, WireError> {
        let (line, rest) = split_line(bytes);
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (method, target, version) = (parts.next(), parts.next(), parts.next());
        let (Some(method), Some(target), Some(version)) = (method, target, version) else {
            return Err(malformed("a request line without three parts"));
        };
        if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
            return Err(malformed("a request method that is not a token"));
        }
        if target.is_empty() || target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(malformed("a request target with white space or control characters"));
        }
        let old = old_version(version)?;
        let line = text(&line[..method.len() + 1 + target.len()]);
        let (fields, facts) = fields(rest)?;
        Ok(Head { start: Start::Request { method: Method::of(method), line }, old, fields, facts })
    }

    /// Reads the head of a response, the empty line at its end included.
    pub(super) fn response(bytes: &[u8]) -> Result<Self, WireError> {
        let (line, rest) = split_line(bytes);
        let (version, line) = line.split_at(line.len().min(8));
        let old = old_version(version)?;
        let [b' ', hundreds @ b'1'..=b'9', tens, ones, reason @ ..] = line else {
            return Err(malformed("a status line without a status code"));
        };
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return Err(malformed("a status code that is not a number"));
        }
        let digits = [hundreds, tens, ones];
        let status = digits.iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
        let reason = match reason {
            [] => reason,
            [b' ', reason @ ..] => reason,
            _ => return Err(malformed("a status code of more than three digits")),
        };
        if reason.iter().any(|byte| is_control(*byte)) {
            return Err(malformed("a reason phrase with control characters"));
        }
        let (fields, facts) = fields(rest)?;
        Ok(Head { start: Start::Response { status, reason: text(reason) }, old, fields, facts })
    }

    /// The status of a response; 0 for a request.
    pub(super) fn status(&self) -> u16 {
        match self.start {
            Start::Response { status, .. } => status,
            Start::Request { .. } => 0,
        }
    }

    /// The method of a request; [`Method::Other`] for a response.
    pub(super) fn method(&self) -> Method {
        match self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => Method::Other,
        }
    }

    /// Whether the sender wants the connection to end after this message (RFC 9112, section 9.3).
    pub(super) fn closes(&self) -> bool {
        self.facts.close || (self.old && !self.facts.keep_alive)
    }

    /// Whether the answer to this request may turn the connection into another protocol's.
    pub(super) fn may_switch(&self) -> bool {
        self.method() == Method::Connect || (self.facts.upgrade && !self.old)
    }
}

/// Reads the fields of a trailer section, the empty line at its end included.
pub(super) fn trailers(bytes: &[u8]) -> Result<Vec<Field>, WireError> {
    fields(bytes).map(|(fields, _)| fields)
}

/// Reads fields up to the empty line.
fn fields(block: &[u8]) -> Result<(Vec<Field>, Facts), WireError> {
    let (mut fields, mut facts) = (Vec::with_capacity(12), Facts::default());
    // Looked at once as a whole; every part ends beside a byte of ASCII.
    let whole = std::str::from_utf8(block).ok();
    let mut at = 0;
    loop {
        let line = &block[at..];
        if matches!(line, [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            return Ok((fields, facts));
        }
        if fields.len() == MAX_FIELDS {
            return Err(malformed(format!("more than {MAX_FIELDS} header fields")));
        }
        let colon = line.iter().position(|byte| !is_token(*byte)).unwrap_or(line.len());
        if colon == 0 || line.get(colon) != Some(&b':') {
            return Err(malformed("a header line without a field name and a colon"));
        }
        let rest = &line[colon + 1..];
        let (length, plain) = value_length(rest);
        let after = match rest[length..] {
            [] => line.len(),
            [b'\n', ..] => colon + 1 + length + 1,
            [b'\r', b'\n', ..] => colon + 1 + length + 2,
            _ => return Err(malformed(CONTROLS)),
        };
        let name = at..at + colon;
        let indent = rest[..length].iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
        let raw = trim(&rest[indent..length]);
        let start = at + colon + 1 + indent;
        let text = whole.filter(|_| plain).and_then(|whole| whole.get(start..start + raw.len()));
        let mut value = match text {
            Some(text) => Value::Text(text.to_owned()),
            None => Value::from_bytes(raw),
        };
        at += after;
        while matches!(block.get(at), Some(b' ' | b'\t')) {
            let (fold, next) = split_line(&block[at..]);
            value = unfold(&value, &field_value(fold)?);
            at = block.len() - next.len();
        }
        note(&block[name.clone()], value.as_bytes().unwrap_or_default(), &mut facts)?;
        let known = whole.and_then(|whole| whole.get(name.clone()));
        fields.push((known.map_or_else(|| ascii(&block[name]), str::to_owned), value));
    }
}

/// Up to where bytes have no control character but tabs, and whether they are ASCII that far.
fn value_length(bytes: &[u8]) -> (usize, bool) {
    let mut all = 0;
    let ends = |byte: &u8| {
        all |= *byte;
        is_control(*byte)
    };
    let length = bytes.iter().position(ends).unwrap_or(bytes.len());
    (length, all.is_ascii())
}

/// Joins a value and its continuation line by one space (RFC 9112, section 5.2).
fn unfold(value: &Value, fold: &Value) -> Value {
    let parts = [value.as_bytes().unwrap_or_default(), fold.as_bytes().unwrap_or_default()];
    text(trim(&parts.join(&b' ')))
}

fn field_value(raw: &[u8]) -> Result<Value, WireError> {
    let value = trim(raw);
    let (mut ascii, mut control) = (true, false);
    for byte in value {
        ascii &= byte.is_ascii();
        control |= is_control(*byte);
    }
    if control {
        return Err(malformed(CONTROLS));
    }
    Ok(if ascii { Value::Text(self::ascii(value)) } else { Value::from_bytes(value) })
}

/// Notes what a field says about framing and the connection.
fn note(name: &[u8], value: &[u8], facts: &mut Facts) -> Result<(), WireError> {
    // Lengths tell most names apart without comparing them.
    match name.len() {
        14 if name.eq_ignore_ascii_case(b"content-length") => {
            let length = content_length(value)?;
            if facts.content_length.is_some_and(|known| known != length) {
                return Err(malformed("two Content-Length fields that differ"));
            }
            facts.content_length = Some(length);
        }
        17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
            let known = facts.transfer_encoding.get_or_insert(false);
            for coding in items(value) {
                if *known {
                    return Err(malformed("a transfer coding after chunked"));
                }
                *known = coding.eq_ignore_ascii_case(b"chunked");
            }
        }
        10 if name.eq_ignore_ascii_case(b"connection") => {
            for item in items(value) {
                facts.close |= item.eq_ignore_ascii_case(b"close");
                facts.keep_alive |= item.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        7 if name.eq_ignore_ascii_case(b"upgrade") => facts.upgrade = true,
        6 if name.eq_ignore_ascii_case(b"expect") => {
            facts.expect_continue |= value.eq_ignore_ascii_case(b"100-continue");
        }
        _ => {}
    }
    Ok(())
}

/// Reads a Content-Length, which a sender may have repeated in one field (RFC 9110, section 8.6).
fn content_length(value: &[u8]) -> Result<u64, WireError> {
    let mut length = None;
    for item in value.split(|byte| *byte == b',').map(trim) {
        let digits = !item.is_empty() && item.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(item).ok().filter(|_| digits);
        let number = number.and_then(|number| number.parse::<u64>().ok());
        match number {
            Some(number) if length.is_none_or(|known| known == number) => length = Some(number),
            _ => return Err(malformed("a Content-Length that is not one number")),
        }
    }
    length.ok_or_else(|| malformed("an empty Content-Length"))
}

/// The items of a comma-separated list that are not empty.
pub(super) fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|item| !item.is_empty())
}

/// Splits after the first line feed; the line comes without its end.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match line_feed(bytes) {
        Some(end) => (bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]), &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn old_version(version: &[u8]) -> Result<bool, WireError> {
    match version {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        _ => Err(malformed("a version that is neither HTTP/1.0 nor HTTP/1.1")),
    }
}

/// Without white space around it.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn text(bytes: &[u8]) -> Value {
    if bytes.is_ascii() { Value::Text(ascii(bytes)) } else { Value::from_bytes(bytes) }
}

/// Text from bytes that are known to be ASCII.
fn ascii(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map(str::to_owned).unwrap_or_default()
}

/// Control characters that no field value may hold: all but the tab.
pub(super) fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

/// Whether a byte may be part of a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            let letter = (byte as u8).is_ascii_alphanumeric();
            table[byte] = letter
                || matches!(
                    byte as u8,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                );
            byte += 1;
        }
        table
    };
    TABLE[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(block: &[u8], expected: Result<&[(&str, Value)], ()>) {
        let read = fields(block).map(|(fields, _)| fields).map_err(|_| ());
        let own = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
        assert_eq!(read, expected.map(|all| all.iter().map(own).collect()));
    }

    #[test]
    fn a_field_is_read_whatever_stands_around_and_in_it() {
        let text = |text: &str| Value::Text(text.to_owned());
        check(b"a:1\r\nb: \t 2 \t\r\n\r\nrest", Ok(&[("a", text("1")), ("b", text("2"))]));
        check(b"a:\r\nb:  \r\n\r\n", Ok(&[("a", text("")), ("b", text(""))]));
        check(b"a: x\ty\r\n z\r\nb: 1\r\n\r\n", Ok(&[("a", text("x\ty z")), ("b", text("1"))]));
        check("a: é x\r\nb: 1\r\n\r\n".as_bytes(), Ok(&[("a", text("é x")), ("b", text("1"))]));
        let latin = Value::Bytes(b"\xe9 x".to_vec());
        check(b"a: \xe9 x\r\nb: 1\r\n\r\n", Ok(&[("a", latin), ("b", text("1"))]));
        for wrong in ["a: x\x01y", "a: x\ry", "a: x\x7f", "a: x\r", "a b: 1", ": 1", "a", "\x0b"] {
            check(format!("{wrong}\r\n\r\n").as_bytes(), Err(()));
        }
    }
}
