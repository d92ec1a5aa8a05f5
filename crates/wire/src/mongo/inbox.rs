//! Cuts the bytes of one side into messages (MongoDB Wire Protocol, "Standard Message Header").
//!
//! It knows lengths, numbers and opcodes and undoes compression; what is inside is for `message`.

use super::{NAME, compression, malformed};
use crate::{Limits, Verdict, WireError};
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::Moment;

pub(super) const HEADER: usize = 16;
pub(super) const OP_REPLY: u32 = 1;
pub(super) const OP_QUERY: u32 = 2004;
const OP_COMPRESSED: u32 = 2012;
pub(super) const OP_MSG: u32 = 2013;

/// What no real message reaches, in bytes.
const LARGEST: u32 = 48_000_000;

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its number, chosen by who sent it.
    pub(super) id: u32,
    /// The number of the message that it answers.
    pub(super) answers: u32,
    pub(super) code: u32,
    /// The first bytes, which a checksum covers too; none of a message that was compressed.
    pub(super) header: Option<[u8; HEADER]>,
    pub(super) body: Bytes,
    /// When its first byte came, or the rest of the message before it.
    pub(super) at: Moment,
}

/// What a side has sent and that is not used yet.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: BytesMut,
    since: Moment,
    limit: usize,
}

impl Inbox {
    pub(super) fn new(limits: Limits) -> Self {
        // Bulk writes come in messages three times as large as the largest document.
        Inbox {
            bytes: BytesMut::new(),
            since: Moment::default(),
            limit: limits.body.saturating_mul(3),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.bytes.is_empty() {
            self.since = at;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next message, whole and not compressed.
    pub(super) fn message(&mut self, now: Moment) -> Result<Option<Message>, WireError> {
        let Some(header) = self.bytes.first_chunk::<HEADER>().copied() else { return Ok(None) };
        let length = word(&header, 0) as usize;
        if length < HEADER {
            return Err(malformed("a message whose length is less than that of its header"));
        }
        self.check(length)?;
        if self.bytes.len() < length {
            return Ok(None);
        }
        let mut body = self.bytes.split_to(length).freeze();
        body.advance(HEADER);
        let at = std::mem::replace(&mut self.since, now);
        let (id, answers, mut code) = (word(&header, 4), word(&header, 8), word(&header, 12));
        let mut header = Some(header);
        if code == OP_COMPRESSED {
            (code, body) = self.inflate(&body)?;
            header = None;
        }
        Ok(Some(Message { id, answers, code, header, body, at }))
    }

    fn check(&self, length: usize) -> Result<(), WireError> {
        match length > self.limit {
            true => {
                Err(WireError::TooLarge { protocol: NAME, what: "a message", limit: self.limit })
            }
            false => Ok(()),
        }
    }

    /// The opcode and the body of a compressed message.
    fn inflate(&self, body: &[u8]) -> Result<(u32, Bytes), WireError> {
        let Some((head, packed)) = body.split_at_checked(9) else {
            return Err(malformed("a compressed message that is cut off"));
        };
        let (code, length, compressor) = (word(head, 0), word(head, 4) as usize, head[8]);
        if code == OP_COMPRESSED {
            return Err(malformed("a message that is compressed twice"));
        }
        self.check(length)?;
        Ok((code, Bytes::from(compression::inflate(compressor, packed, length)?)))
    }
}

/// Four bytes as a number, the lowest first; zero where there are none.
fn word(bytes: &[u8], place: usize) -> u32 {
    let chunk = bytes.get(place..).and_then(|rest| rest.first_chunk::<4>());
    chunk.map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// Whether a connection that begins so speaks MongoDB.
pub(super) fn detect(client: &[u8]) -> Verdict {
    // The highest byte of the length, the answered message (none), the upper half of the opcode.
    let known = [(3, 0..=2), (8, 0..=0), (9, 0..=0), (10, 0..=0), (11, 0..=0), (13, 7..=7)];
    let fits = |(place, range): &(usize, std::ops::RangeInclusive<u8>)| {
        client.get(*place).is_none_or(|byte| range.contains(byte))
    };
    if !known.iter().all(fits) {
        return Verdict::No;
    }
    if client.len() < HEADER {
        return Verdict::NeedMore;
    }
    let known = matches!(word(client, 12), OP_MSG | OP_QUERY | OP_COMPRESSED);
    match known && (HEADER as u32 + 5..=LARGEST).contains(&word(client, 0)) {
        true => Verdict::Yes,
        false => Verdict::No,
    }
}
