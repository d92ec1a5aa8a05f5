//! Cuts the bytes of one side into lines, and into the data that some of them announce.

use super::{NAME, malformed};
use crate::WireError;
use bytes::{Buf, Bytes, BytesMut};

/// The longest line. A client may ask for many keys at once.
const LONGEST_LINE: usize = 256 << 10;

/// The unread bytes of one side.
#[derive(Debug)]
pub(super) struct Lines {
    bytes: BytesMut,
    /// So many bytes hold no line end.
    scanned: usize,
    /// A line whose data has yet to come, and how long that is.
    announced: Option<(Bytes, usize)>,
    limit: usize,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Lines { bytes: BytesMut::new(), scanned: 0, announced: None, limit }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.announced.is_none()
    }

    /// All bytes that are unused.
    pub(super) fn take(&mut self) -> Bytes {
        self.scanned = 0;
        self.bytes.split().freeze()
    }

    /// The next line without its end, and its data when `length` says that it has some.
    pub(super) fn next(
        &mut self,
        length: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Option<(Bytes, Option<Bytes>)>, WireError> {
        if self.announced.is_none() {
            let Some(line) = self.line()? else { return Ok(None) };
            let Some(length) = length(&line) else { return Ok(Some((line, None))) };
            if length > self.limit {
                return Err(WireError::TooLarge {
                    protocol: NAME,
                    what: "a value",
                    limit: self.limit,
                });
            }
            self.announced = Some((line, length));
        }
        let Some((_, length)) = &self.announced else { return Ok(None) };
        let length = *length;
        if self.bytes.len() < length + 2 {
            return Ok(None);
        }
        if self.bytes[length..length + 2] != *b"\r\n" {
            return Err(malformed("a value that is longer than it says"));
        }
        let data = self.bytes.split_to(length).freeze();
        self.bytes.advance(2);
        let line = self.announced.take().map(|(line, _)| line).unwrap_or_default();
        Ok(Some((line, Some(data))))
    }

    fn line(&mut self) -> Result<Option<Bytes>, WireError> {
        let found = self.bytes[self.scanned..].iter().position(|byte| *byte == b'\n');
        let end = found.map(|place| place + self.scanned);
        if end.unwrap_or(self.bytes.len()) > LONGEST_LINE {
            return Err(WireError::TooLarge {
                protocol: NAME,
                what: "a line",
                limit: LONGEST_LINE,
            });
        }
        self.scanned = if end.is_some() { 0 } else { self.bytes.len() };
        let Some(end) = end else { return Ok(None) };
        let mut line = self.bytes.split_to(end + 1);
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.truncate(end - 1);
        }
        Ok(Some(line.freeze()))
    }
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect()
}

/// A number without a sign.
pub(super) fn number(word: &[u8]) -> Option<usize> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| digits)?.parse().ok()
}
