//! Undoes the compression of a message (OP_COMPRESSED).
//!
//! A played server does not offer any, so nothing is ever compressed here.

use super::malformed;
use crate::{WireError, inflate};

/// The bytes of a body that must come to that length.
pub(super) fn inflate(kind: u8, packed: &[u8], length: usize) -> Result<Vec<u8>, WireError> {
    let broken = || malformed("a compressed message that cannot be decompressed");
    let bytes = match kind {
        0 => (packed.len() == length).then(|| packed.to_vec()),
        1 => snappy(packed, length).filter(|bytes| bytes.len() == length),
        2 => inflate::zlib(packed, length),
        3 => inflate::zstd(packed, length),
        _ => return Err(malformed("a message in an unknown compression")),
    };
    bytes.ok_or_else(broken)
}

/// Snappy's raw format (format description, "Compressed stream"): the length, then literals and
/// copies of what came before.
fn snappy(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut rest = preamble(packed, length)?;
    let mut out = Vec::new();
    while let Some((&tag, behind)) = rest.split_first() {
        rest = behind;
        let upper = usize::from(tag >> 2);
        let (offset, count) = match tag & 3 {
            0 => {
                let extra = upper.saturating_sub(59);
                let count = if extra == 0 { upper } else { number(&mut rest, extra)? } + 1;
                let (literal, behind) = rest.split_at_checked(count)?;
                if out.len() + count > length {
                    return None;
                }
                out.extend_from_slice(literal);
                rest = behind;
                continue;
            }
            1 => (usize::from(tag >> 5) << 8 | number(&mut rest, 1)?, (upper & 7) + 4),
            2 => (number(&mut rest, 2)?, upper + 1),
            _ => (number(&mut rest, 4)?, upper + 1),
        };
        let from = out.len().checked_sub(offset).filter(|_| offset > 0)?;
        if out.len() + count > length {
            return None;
        }
        // A copy may reach into what it writes.
        for place in from..from + count {
            out.push(*out.get(place)?);
        }
    }
    Some(out)
}

/// Checks the length at the beginning; gives what follows.
fn preamble(packed: &[u8], length: usize) -> Option<&[u8]> {
    let mut said = 0u64;
    for (place, byte) in packed.iter().enumerate().take(5) {
        said |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (usize::try_from(said).ok()? == length).then_some(&packed[place + 1..]);
        }
    }
    None
}

/// A number of some bytes, the lowest first.
fn number(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    let (taken, behind) = rest.split_at_checked(bytes)?;
    *rest = behind;
    Some(taken.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
