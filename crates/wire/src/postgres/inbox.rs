//! Cuts the bytes of one side into messages.
//!
//! It knows lengths and kinds and nothing of what is inside (PostgreSQL documentation, "Message
//! Flow" and "Message Formats").

use super::{NAME, malformed};
use crate::WireError;
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::Moment;

/// The largest start-up packet that real servers take.
const LARGEST_START: usize = 10_000;

/// What a side has sent and that is not used yet.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: BytesMut,
    since: Moment,
    limit: usize,
}

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its type byte; 0 for those before start-up, which have none.
    pub(super) kind: u8,
    /// What follows the length.
    pub(super) body: Bytes,
    /// When its first byte came, or the rest of the message before it.
    pub(super) at: Moment,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Inbox { bytes: BytesMut::new(), since: Moment::default(), limit }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.bytes.is_empty() {
            self.since = at;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// A copy of all that is unused.
    pub(super) fn held(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }

    /// All that is unused.
    pub(super) fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }

    /// The next message with a type byte.
    pub(super) fn message(&mut self, now: Moment) -> Result<Option<Message>, WireError> {
        self.next(1, self.limit, now)
    }

    /// The next message of start-up, which has no type byte.
    pub(super) fn start(&mut self, now: Moment) -> Result<Option<Message>, WireError> {
        self.next(0, LARGEST_START, now)
    }

    fn next(
        &mut self,
        head: usize,
        limit: usize,
        now: Moment,
    ) -> Result<Option<Message>, WireError> {
        let Some(&[a, b, c, d]) = self.bytes.get(head..head + 4) else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length < 4 {
            return Err(malformed("a message whose length is less than 4"));
        }
        if length > limit.max(LARGEST_START) {
            return Err(WireError::TooLarge { protocol: NAME, what: "a message", limit });
        }
        if self.bytes.len() < head + length {
            return Ok(None);
        }
        let mut body = self.bytes.split_to(head + length);
        let kind = if head == 1 { body[0] } else { 0 };
        body.advance(head + 4);
        let at = std::mem::replace(&mut self.since, now);
        Ok(Some(Message { kind, body: body.freeze(), at }))
    }
}
