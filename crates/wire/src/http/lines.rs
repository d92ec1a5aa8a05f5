//! Finds the end of a block of lines: a head or a trailer section.
//!
//! It copies nothing when the block comes in one piece, and remembers how far it has looked when it
//! does not. It does not read the lines.

use super::malformed;
use crate::WireError;

/// A block of lines that has come in part.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    sought: Sought,
}

/// How far the end of a block was sought.
#[derive(Debug, Default)]
struct Sought {
    /// Where the line begins whose end has not come.
    line: usize,
    /// Up to where that line was looked at.
    looked: usize,
}

impl Lines {
    /// Whether part of a block has come.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes bytes up to the empty line that ends the block, and gives the block to `read`.
    /// `None` when more bytes must come.
    ///
    /// # Errors
    /// When the block passes `limit`, a line ends without a carriage return, or `read` fails.
    pub(super) fn take<T>(
        &mut self,
        input: &mut &[u8],
        limit: usize,
        read: impl FnOnce(&[u8]) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        if self.buffer.is_empty() {
            self.sought = Sought::default();
            if let Some(end) = find_end(input, &mut self.sought)? {
                let (block, rest) = input.split_at(end);
                *input = rest;
                check(end, limit)?;
                return read(block).map(Some);
            }
            check(input.len(), limit)?;
            self.buffer.extend_from_slice(input);
            *input = &[];
            return Ok(None);
        }
        let known = self.buffer.len();
        // One byte beyond the limit is enough to know that it is passed.
        let taken = input.len().min((limit + 1).saturating_sub(known));
        self.buffer.extend_from_slice(&input[..taken]);
        let Some(end) = find_end(&self.buffer, &mut self.sought)? else {
            *input = &input[taken..];
            check(self.buffer.len(), limit)?;
            return Ok(None);
        };
        *input = &input[end - known..];
        check(end, limit)?;
        let block = std::mem::take(&mut self.buffer);
        read(&block[..end]).map(Some)
    }
}

fn check(length: usize, limit: usize) -> Result<(), WireError> {
    if length <= limit {
        return Ok(());
    }
    Err(WireError::TooLarge { protocol: super::NAME, what: "the head of a message", limit })
}

/// Where the block ends.
fn find_end(bytes: &[u8], sought: &mut Sought) -> Result<Option<usize>, WireError> {
    loop {
        let Some(length) = line_feed(&bytes[sought.looked..]) else {
            sought.looked = bytes.len();
            return Ok(None);
        };
        let end = sought.looked + length;
        if end == sought.line || bytes[end - 1] != b'\r' {
            return Err(malformed("a line that ends without a carriage return"));
        }
        let empty = end == sought.line + 1;
        *sought = Sought { line: end + 1, looked: end + 1 };
        if empty {
            return Ok(Some(end + 1));
        }
    }
}

/// Where the first line feed is.
pub(super) fn line_feed(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes)
}
