//! Frames (RFC 6455, section 5.2): reading them from pieces, writing them.
//!
//! It checks each frame by itself; what frames mean together is the business of [`super::inbox`].

use super::malformed;
use crate::{Peer, WireError};

/// A frame whose payload is unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) last: bool,
    /// The first of the reserved bits: the message is compressed (RFC 7692, section 6).
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) payload: Vec<u8>,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const ALL: [(u8, Opcode); 6] = [
        (0, Opcode::Continuation),
        (1, Opcode::Text),
        (2, Opcode::Binary),
        (8, Opcode::Close),
        (9, Opcode::Ping),
        (10, Opcode::Pong),
    ];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == number).map(|(_, opcode)| *opcode)
    }

    fn number(self) -> u8 {
        Self::ALL.iter().find(|(_, opcode)| *opcode == self).map_or(0, |(number, _)| *number)
    }

    /// Control frames stand between the fragments of a message.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// The longest header: two bytes, a length of eight, a mask of four.
const LONGEST: usize = 14;

/// The frames of one side.
#[derive(Debug)]
pub(super) struct Frames {
    from: Peer,
    /// Bytes that a payload may have.
    limit: usize,
    header: Vec<u8>,
    /// The frame whose payload is being read, and how much of that is to come.
    reading: Option<(Frame, usize)>,
}

impl Frames {
    pub(super) fn new(from: Peer, limit: usize) -> Self {
        Frames { from, limit, header: Vec::with_capacity(LONGEST), reading: None }
    }

    /// Takes the bytes of one frame; the frame when it is complete.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, WireError> {
        while self.reading.is_none() {
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            self.header.push(*byte);
            *input = rest;
            self.reading = self.begin()?;
        }
        let Some((frame, left)) = &mut self.reading else { return Ok(None) };
        let taken = (*left).min(input.len());
        let (now, rest) = input.split_at(taken);
        *input = rest;
        *left -= taken;
        let from = frame.payload.len();
        frame.payload.extend_from_slice(now);
        if let Some(mask) = mask_of(&self.header) {
            mask_from(&mut frame.payload[from..], mask, from);
        }
        if *left > 0 {
            return Ok(None);
        }
        self.header.clear();
        Ok(self.reading.take().map(|(frame, _)| frame))
    }

    /// The frame of a header that is complete.
    fn begin(&self) -> Result<Option<(Frame, usize)>, WireError> {
        let [first, second, ..] = self.header[..] else { return Ok(None) };
        if self.header.len() == 2 {
            self.check(first, second)?;
        }
        if self.header.len() < header_length(second) {
            return Ok(None);
        }
        let length = match (second & 0x7f, &self.header[2..]) {
            (126, [high, low, ..]) => u64::from(u16::from_be_bytes([*high, *low])),
            (127, bytes) => bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes)),
            (length, _) => u64::from(length),
        };
        if length >> 63 == 1 {
            return Err(malformed("a frame whose length has its highest bit set"));
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= self.limit);
        let length = length.ok_or_else(|| super::too_large("a frame", self.limit))?;
        let opcode = Opcode::of(first & 0x0f).unwrap_or(Opcode::Continuation);
        let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
        Ok(Some((Frame { last, compressed, opcode, payload: Vec::new() }, length)))
    }

    /// Refuses what the first two bytes show to be wrong.
    fn check(&self, first: u8, second: u8) -> Result<(), WireError> {
        let Some(opcode) = Opcode::of(first & 0x0f) else {
            return Err(malformed(format!("a frame with the reserved opcode {}", first & 0x0f)));
        };
        if first & 0x30 != 0 {
            return Err(malformed("a frame with a reserved bit set"));
        }
        let is_masked = second & 0x80 != 0;
        match self.from {
            Peer::Client if !is_masked => return Err(malformed("a client's frame without a mask")),
            Peer::Server if is_masked => return Err(malformed("a server's frame with a mask")),
            Peer::Client | Peer::Server => {}
        }
        if opcode.is_control() && (first & 0x80 == 0 || first & 0x40 != 0 || second & 0x7f > 125) {
            return Err(malformed("a control frame that is in pieces, compressed or too long"));
        }
        Ok(())
    }
}

fn header_length(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 != 0 { 4 } else { 0 }
}

/// The mask, which is the end of a header.
fn mask_of(header: &[u8]) -> Option<[u8; 4]> {
    let is_masked = header.get(1).is_some_and(|second| second & 0x80 != 0);
    header.last_chunk::<4>().filter(|_| is_masked).copied()
}

/// Masks or unmasks bytes that stand at a place of the payload.
fn mask_from(bytes: &mut [u8], mask: [u8; 4], place: usize) {
    for (byte, place) in bytes.iter_mut().zip(place..) {
        *byte ^= mask[place % 4];
    }
}

/// Appends a frame that is whole. A client's is masked, as it must be; with the mask 0 the bytes stay
/// as they are, and every run sends the same.
pub(super) fn write(by: Peer, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode.number());
    let mask = if by == Peer::Client { 0x80 } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.push(mask | length),
        (_, Ok(length)) => {
            out.push(mask | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    if by == Peer::Client {
        out.extend_from_slice(&[0; 4]);
    }
    out.extend_from_slice(payload);
}
