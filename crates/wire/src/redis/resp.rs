//! RESP, versions 2 and 3: bytes to values, piece by piece (Redis documentation, "Redis serialization
//! protocol specification").
//!
//! Streamed strings and aggregates are not read: the specification has them, no server sends them.

use super::{NAME, malformed};
use crate::WireError;
use bytes::{Buf, Bytes, BytesMut};

/// How deep aggregates may nest.
const DEEPEST: usize = 32;
/// The longest line; servers take inline commands up to it.
const LONGEST_LINE: usize = 64 << 10;
/// Items for which there is room before they have come.
const FEW: usize = 8;
/// Digits of lengths that are read at once.
const DIGITS: usize = 9;
/// What a value costs beside its bytes, roughly, so that many small ones are bounded too.
const COST: usize = 32;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resp {
    Status(Bytes),
    Error(Bytes),
    /// `!`, an error whose text may have line ends.
    BulkError(Bytes),
    Integer(i64),
    Bulk(Bytes),
    /// `$-1`, and `_` of RESP3.
    Nil,
    /// `*-1`.
    NilArray,
    Array(Vec<Resp>),
    Map(Vec<(Resp, Resp)>),
    Set(Vec<Resp>),
    Push(Vec<Resp>),
    /// In its own spelling: `1.5`, `inf`.
    Double(Bytes),
    Bool(bool),
    /// The digits of an integer of any size.
    Big(Bytes),
    /// The three letters of the format, and the text.
    Verbatim(Bytes, Bytes),
    /// What the server says about the value behind it.
    Attributed(Vec<(Resp, Resp)>, Box<Resp>),
}

/// An aggregate that is being read.
#[derive(Debug)]
struct Open {
    kind: u8,
    left: u64,
    items: Vec<Resp>,
}

/// Cuts the bytes of one side into values.
#[derive(Debug)]
pub(super) struct Reader {
    bytes: BytesMut,
    /// So many bytes hold no line end.
    scanned: usize,
    stack: Vec<Open>,
    /// What the value that is being read has cost so far.
    cost: usize,
    limit: usize,
}

impl Reader {
    pub(super) fn new(limit: usize) -> Self {
        Reader { bytes: BytesMut::new(), scanned: 0, stack: Vec::new(), cost: 0, limit }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing is left that belongs to a value to come.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.stack.is_empty()
    }

    /// All bytes that are unused.
    pub(super) fn take(&mut self) -> Bytes {
        self.scanned = 0;
        self.bytes.split().freeze()
    }

    /// The first byte of the next value, when it is there and no value has begun.
    pub(super) fn first(&self) -> Option<u8> {
        self.bytes.first().copied().filter(|_| self.stack.is_empty())
    }

    /// A line that any line end ends, without that end.
    pub(super) fn line(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(end) = self.line_end(b'\n')? else { return Ok(None) };
        let mut line = self.bytes.split_to(end + 1);
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.truncate(end - 1);
        }
        Ok(Some(line.freeze()))
    }

    /// The next value, once all of it has come.
    pub(super) fn next(&mut self) -> Result<Option<Resp>, WireError> {
        while let Some(value) = self.token()? {
            if let Some(value) = self.complete(value)? {
                self.cost = 0;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The next value, when it has come whole and is an array of few strings, as nearly every command is: it
    /// is cut out in one piece. Of anything else nothing is taken, for [`Reader::next`] to read.
    pub(super) fn strings(&mut self) -> Option<Vec<Bytes>> {
        if !self.stack.is_empty() {
            return None;
        }
        let (count, mut at) = announced(&self.bytes, 0, b'*')?;
        let (mut places, mut cost) = ([(0, 0); FEW], COST);
        let places = places.get_mut(..count).filter(|places| !places.is_empty())?;
        for place in &mut *places {
            let (length, start) = announced(&self.bytes, at, b'$')?;
            let end = start + length;
            cost = cost.saturating_add(length + COST);
            if cost > self.limit || self.bytes.get(end..end + 2)? != b"\r\n" {
                return None;
            }
            *place = (start, end);
            at = end + 2;
        }
        self.scanned = 0;
        let whole = self.bytes.split_to(at).freeze();
        Some(places.iter().map(|(start, end)| whole.slice(*start..*end)).collect())
    }

    fn line_end(&mut self, end: u8) -> Result<Option<usize>, WireError> {
        let found = self.bytes[self.scanned..].iter().position(|byte| *byte == end);
        let place = found.map(|place| place + self.scanned);
        if place.unwrap_or(self.bytes.len()) > LONGEST_LINE {
            return Err(WireError::TooLarge {
                protocol: NAME,
                what: "a line",
                limit: LONGEST_LINE,
            });
        }
        self.scanned = if place.is_some() { 0 } else { self.bytes.len() };
        Ok(place)
    }

    /// A scalar, or the beginning of an aggregate (`Ok(Some(None))`).
    #[allow(clippy::option_option, reason = "nothing has come, an aggregate begins, or a scalar")]
    fn token(&mut self) -> Result<Option<Option<Resp>>, WireError> {
        let Some(end) = self.line_end(b'\n')? else { return Ok(None) };
        let text = match &self.bytes[..end] {
            [_, text @ .., b'\r'] => text,
            _ => return Err(malformed("a line that does not end in CR LF")),
        };
        let kind = self.bytes[0];
        match kind {
            b'$' | b'!' | b'=' => return self.sized(kind, length(text)?, end + 1),
            b'*' | b'%' | b'~' | b'>' | b'|' => {
                let count = length(text)?;
                self.bytes.advance(end + 1);
                return self.aggregate(kind, count).map(Some);
            }
            _ => {}
        }
        self.spend(text.len())?;
        let mut line = self.bytes.split_to(end + 1);
        line.truncate(end - 1);
        line.advance(1);
        scalar(kind, line.freeze()).map(|value| Some(Some(value)))
    }

    fn sized(
        &mut self,
        kind: u8,
        length: Option<u64>,
        start: usize,
    ) -> Result<Option<Option<Resp>>, WireError> {
        let Some(length) = length else {
            self.bytes.advance(start);
            return Ok(Some(Some(Resp::Nil)));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.limit.saturating_sub(self.cost) {
            return Err(self.too_large());
        }
        if self.bytes.len() < start + length + 2 {
            return Ok(None);
        }
        self.spend(length)?;
        let mut bytes = self.bytes.split_to(start + length + 2).freeze();
        if !bytes.ends_with(b"\r\n") {
            return Err(malformed("a string that is longer than it says"));
        }
        bytes.advance(start);
        bytes.truncate(length);
        Ok(Some(Some(match kind {
            b'$' => Resp::Bulk(bytes),
            b'!' => Resp::BulkError(bytes),
            _ if bytes.get(3) == Some(&b':') => Resp::Verbatim(bytes.slice(..3), bytes.slice(4..)),
            _ => return Err(malformed("a verbatim string without a format")),
        })))
    }

    fn aggregate(&mut self, kind: u8, count: Option<u64>) -> Result<Option<Resp>, WireError> {
        let Some(count) = count else { return Ok(Some(Resp::NilArray)) };
        self.spend(0)?;
        let each = if matches!(kind, b'%' | b'|') { 2 } else { 1 };
        // Each item takes three bytes at the least.
        let left = count.saturating_mul(each);
        if left > (self.limit / 3) as u64 {
            return Err(self.too_large());
        }
        if self.stack.len() == DEEPEST {
            return Err(malformed("values nested more than 32 deep"));
        }
        let few = usize::try_from(left).unwrap_or(usize::MAX).min(FEW);
        self.stack.push(Open { kind, left, items: Vec::with_capacity(few) });
        Ok(None)
    }

    /// Puts a scalar where it belongs; gives the outermost value when that is complete by it.
    fn complete(&mut self, scalar: Option<Resp>) -> Result<Option<Resp>, WireError> {
        let mut complete = scalar;
        loop {
            if let Some(value) = complete.take() {
                let Some(open) = self.stack.last_mut() else { return Ok(Some(value)) };
                open.items.push(value);
                open.left = open.left.saturating_sub(1);
            }
            let Some(open) = self.stack.last_mut() else { return Ok(None) };
            if open.left > 0 {
                return Ok(None);
            }
            // Attributes are followed by what they are about.
            if open.kind == b'|' {
                open.kind = b'a';
                open.left = 1;
                return Ok(None);
            }
            let Some(open) = self.stack.pop() else { return Ok(None) };
            complete = Some(close(open)?);
        }
    }

    fn spend(&mut self, length: usize) -> Result<(), WireError> {
        self.cost = self.cost.saturating_add(length + COST);
        // A value of many small parts takes more memory than bytes of the connection.
        match self.cost > self.limit.saturating_mul(8) {
            true => Err(self.too_large()),
            false => Ok(()),
        }
    }

    fn too_large(&self) -> WireError {
        WireError::TooLarge { protocol: NAME, what: "a value", limit: self.limit }
    }
}

fn close(Open { kind, mut items, .. }: Open) -> Result<Resp, WireError> {
    Ok(match kind {
        b'*' => Resp::Array(items),
        b'~' => Resp::Set(items),
        b'%' => Resp::Map(pairs(items)),
        b'a' => {
            let Some(value) = items.pop() else { return Err(malformed("attributes of nothing")) };
            Resp::Attributed(pairs(items), Box::new(value))
        }
        _ => Resp::Push(items),
    })
}

fn pairs(items: Vec<Resp>) -> Vec<(Resp, Resp)> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// The number on a line of a few digits that begins with this mark at a place, and where the next line begins.
fn announced(bytes: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let (first, rest) = bytes.get(at..)?.split_first()?;
    let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit());
    let (count, number) = digits
        .fold((0, 0), |(count, number), byte| (count + 1, number * 10 + usize::from(byte - b'0')));
    let is_line = *first == mark && count > 0 && rest[count..].starts_with(b"\r\n");
    is_line.then_some((number, at + 1 + count + 2))
}

/// A length; `-1` stands for nothing.
fn length(text: &[u8]) -> Result<Option<u64>, WireError> {
    if text == b"-1" {
        return Ok(None);
    }
    let digits = std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'));
    let length = digits.and_then(|digits| digits.parse().ok());
    length.map(Some).ok_or_else(|| malformed("a length that is not a number"))
}

fn scalar(kind: u8, text: Bytes) -> Result<Resp, WireError> {
    let string = || std::str::from_utf8(&text).ok();
    let value = match kind {
        b'+' => Some(Resp::Status(text)),
        b'-' => Some(Resp::Error(text)),
        b':' => string().and_then(|text| text.parse().ok()).map(Resp::Integer),
        b'_' if text.is_empty() => Some(Resp::Nil),
        b'#' if *text == *b"t" => Some(Resp::Bool(true)),
        b'#' if *text == *b"f" => Some(Resp::Bool(false)),
        b',' if is_double(&text) => Some(Resp::Double(text)),
        b'(' if is_integer(&text) => Some(Resp::Big(text)),
        _ => None,
    };
    value.ok_or_else(|| malformed("a line that is no value"))
}

fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn is_double(text: &[u8]) -> bool {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    parsed.is_some() && text.len() < 64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader makes of bytes at once, and byte by byte; both leave the same.
    #[track_caller]
    fn check(bytes: &[u8], at_once: bool) {
        let mut whole = Reader::new(1000);
        whole.push(bytes);
        let strings = whole.strings();
        assert_eq!(strings.is_some(), at_once, "{}", bytes.escape_ascii());
        let Some(strings) = strings else { return assert_eq!(whole.take(), bytes) };
        let mut split = Reader::new(1000);
        let mut value = None;
        for byte in bytes {
            split.push(&[*byte]);
            if value.is_none() {
                value = split.next().unwrap();
            }
        }
        assert_eq!(value, Some(Resp::Array(strings.into_iter().map(Resp::Bulk).collect())));
        assert_eq!(whole.take(), split.take());
    }

    #[test]
    fn few_strings_that_have_come_whole_are_cut_out_at_once() {
        check(b"*1\r\n$4\r\nPING\r\n", true);
        check(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPI", true);
        check(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", true);
        check(b"*02\r\n$3\r\nGET\r\n$001\r\n\n\r\n", true);
        for other in [
            &b""[..],
            b"*",
            b"*1",
            b"*1\r\n",
            b"*1\r\n$4\r\nPING\r",
            b"*1\r\n$3\r\nPING\r\n",
            b"*1\r\n+PING\r\n",
            b"*1\r\n$-1\r\n",
            b"*1\n$4\nPING\n",
            b"*0\r\n",
            b"*-1\r\n",
            b"*9\r\n$1\r\na\r\n",
            b"*1\r\n$1000\r\n",
            b"*1\r\n$18446744073709551615\r\nx\r\n",
            b"*18446744073709551617\r\n$1\r\na\r\n",
            b"$1\r\na\r\n",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn what_has_begun_is_not_begun_anew() {
        let mut reader = Reader::new(1000);
        reader.push(b"*1\r\n");
        assert_eq!(reader.next().unwrap(), None);
        reader.push(b"*1\r\n$1\r\na\r\n");
        assert_eq!(reader.strings(), None);
        let inner = Resp::Array(vec![Resp::Bulk(Bytes::from_static(b"a"))]);
        assert_eq!(reader.next().unwrap(), Some(Resp::Array(vec![inner])));
    }
}
