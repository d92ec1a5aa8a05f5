//! Frames between bytes and their parts (RFC 9113, section 4).

use super::{malformed, too_large};
use crate::WireError;
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::Moment;

/// What a client sends first (RFC 9113, section 3.4).
pub(in crate::http) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest frame that may be sent without agreement.
pub(super) const LARGEST: usize = 1 << 14;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 0x20;

/// A frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Bytes,
    /// When its first byte came.
    pub(super) at: Moment,
}

impl Frame {
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without padding, and without the priority that a header frame may begin with.
    pub(super) fn content(&self) -> Result<Bytes, WireError> {
        let mut payload = self.payload.clone();
        let mut padding = 0;
        if self.has(PADDED) {
            padding = usize::from(*payload.first().ok_or_else(cut)?);
            payload.advance(1);
        }
        if self.kind == HEADERS && self.has(WITH_PRIORITY) {
            if payload.len() < 5 {
                return Err(cut());
            }
            payload.advance(5);
        }
        let length = payload.len().checked_sub(padding);
        payload.truncate(length.ok_or_else(|| malformed("padding longer than its frame"))?);
        Ok(payload)
    }

    /// The first number of 32 bits in the payload.
    pub(super) fn number(&self) -> Result<u32, WireError> {
        self.payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(cut)
    }

    /// The two numbers that the payload begins with.
    pub(super) fn numbers(&self) -> Result<(u32, u32), WireError> {
        let second = self.payload.get(4..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?;
        Ok((self.number()?, u32::from_be_bytes(*second)))
    }
}

fn cut() -> WireError {
    malformed("a frame shorter than its kind is")
}

/// The bytes of one side that are not used yet, and when the first of them came.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: BytesMut,
    since: Moment,
}

impl Inbox {
    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.bytes.is_empty() {
            self.since = at;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame when all of it has come; its payload may have `largest` bytes.
    pub(super) fn frame(
        &mut self,
        largest: usize,
        now: Moment,
    ) -> Result<Option<Frame>, WireError> {
        let Some(&[a, b, c, kind, flags, s, t, u, v]) = self.bytes.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > largest {
            return Err(too_large("a frame", largest));
        }
        if self.bytes.len() < 9 + length {
            return Ok(None);
        }
        self.bytes.advance(9);
        let payload = self.bytes.split_to(length).freeze();
        let at = std::mem::replace(&mut self.since, now);
        let stream = u32::from_be_bytes([s & 0x7f, t, u, v]);
        Ok(Some(Frame { kind, flags, stream, payload, at }))
    }

    /// Takes the preface; whether it was there.
    pub(super) fn preface(&mut self, now: Moment) -> Result<bool, WireError> {
        let shown = self.bytes.len().min(PREFACE.len());
        if self.bytes[..shown] != PREFACE[..shown] {
            return Err(malformed("a connection that does not begin as HTTP/2 does"));
        }
        let complete = shown == PREFACE.len();
        if complete {
            self.bytes.advance(shown);
            self.since = now;
        }
        Ok(complete)
    }
}

/// Appends a frame, whose payload is no longer than a frame may be.
pub(super) fn write(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}
