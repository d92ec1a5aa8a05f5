//! The bytes of a journal: a header, then frames.
//!
//! Header: `REHEARSALJ`, the version of the encoding, a zero, the number of mocks that the recording
//! had before (8 bytes). Frame: the length of the payload (4 bytes), its checksum (8 bytes), the
//! payload: a kind and what [`crate::binary`] makes of the thing. Numbers are little-endian.
//!
//! The checksum tells what a kill or a full disk has cut, not what somebody forged: a frame is made for
//! each exchange while the app waits, and a cryptographic hash would cost a tenth of that.

use crate::binary::{self, Binary, BinaryError};

pub(super) const MAGIC: &[u8; 10] = b"REHEARSALJ";
pub(super) const HEADER: usize = MAGIC.len() + 2 + 8;
/// Length and checksum.
pub(super) const HEAD: usize = 12;

pub(super) const MANIFEST: u8 = 0;
pub(super) const TEST: u8 = 1;
pub(super) const MOCK: u8 = 2;

pub(super) fn header(known_mocks: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    header[MAGIC.len()] = binary::VERSION;
    header[MAGIC.len() + 2..].copy_from_slice(&known_mocks.to_le_bytes());
    header
}

/// Appends a frame, or nothing when the thing cannot be encoded.
pub(super) fn append(out: &mut Vec<u8>, kind: u8, thing: &impl Binary) -> Result<(), BinaryError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.push(kind);
    let put = thing.put(out);
    let length = u32::try_from(out.len() - start - HEAD).map_err(|_| BinaryError::TooLong);
    let length = match put.and(length) {
        Ok(length) => length,
        Err(problem) => {
            out.truncate(start);
            return Err(problem);
        }
    };
    let check = checksum(&out[start + HEAD..]);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEAD].copy_from_slice(&check);
    Ok(())
}

/// The length of the payload behind a head.
pub(super) fn length(head: &[u8; HEAD]) -> u32 {
    u32::from_le_bytes([head[0], head[1], head[2], head[3]])
}

/// Whether a payload is the one that its head was made for.
pub(super) fn is_whole(head: &[u8; HEAD], payload: &[u8]) -> bool {
    checksum(payload) == head[4..]
}

/// A sum that changes with every change within eight bytes that stand together, and with the length.
fn checksum(payload: &[u8]) -> [u8; 8] {
    // Odd, with ones and zeros well mixed: the golden ratio, as in Fibonacci hashing.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let stir = |sum: u64, word: u64| {
        let product = (sum ^ word).wrapping_mul(FACTOR);
        product ^ (product >> 29)
    };
    let (words, rest) = payload.as_chunks::<8>();
    let sum = words.iter().fold(payload.len() as u64, |sum, it| stir(sum, u64::from_le_bytes(*it)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    stir(stir(sum, u64::from_le_bytes(last)), FACTOR).to_le_bytes()
}
