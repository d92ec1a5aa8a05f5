//! Takes the parts of an input apart: how long, from whom, where to split.
//!
//! Readable inputs are easier to write by hand and to judge, so parts are separated by marker lines
//! and not by lengths.

/// The marker at which one part ends and the next begins.
const MARKER: &[u8] = b"\n---\n";

/// The parts of an input between its marker lines; at least one.
pub(crate) fn parts(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < data.len() {
        if data[at..].starts_with(MARKER) {
            parts.push(&data[from..at]);
            at += MARKER.len();
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&data[from..]);
    parts
}

/// A small generator of numbers (xorshift), so that an input always splits the same way.
pub(crate) struct Dice(u64);

impl Dice {
    /// Seeded by the bytes of the input.
    pub(crate) fn of(data: &[u8]) -> Self {
        let seed = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Dice(seed | 1)
    }

    /// A number from 0 to `below` - 1; 0 when that is 0.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }

    /// The same bytes in more pieces, each from 1 to `longest` bytes.
    pub(crate) fn split<'a>(&mut self, parts: &[&'a [u8]], longest: usize) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        for &part in parts {
            let mut rest = part;
            while !rest.is_empty() {
                let (piece, left) = rest.split_at((1 + self.below(longest)).min(rest.len()));
                pieces.push(piece);
                rest = left;
            }
        }
        pieces
    }
}
