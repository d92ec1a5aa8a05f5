//! The frames around packets that go compressed (MySQL source documentation, "Compression"): from the OK that
//! lets a client in, what either side says is cut into frames anywhere, and a frame is packed or as it is.
//!
//! A played server packs nothing: its frames say so, and every client must take such.

use super::{capabilities, malformed};
use crate::{WireError, inflate};
use bytes::{Buf, Bytes, BytesMut};

/// Bytes before the contents of a frame: how many follow, its number, and what they unpack to.
const HEAD: usize = 7;
/// The most that a frame holds.
const FULL: usize = 0xff_ffff;

/// By what frames are packed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Zlib,
    Zstd,
}

impl Kind {
    /// What both sides can do; zlib before Zstandard when they can do both.
    pub(super) fn of(capabilities: u64) -> Option<Self> {
        if capabilities & capabilities::COMPRESS != 0 {
            return Some(Kind::Zlib);
        }
        (capabilities & capabilities::ZSTD != 0).then_some(Kind::Zstd)
    }
}

/// The frames of one side.
#[derive(Debug)]
pub(super) struct Frames {
    kind: Kind,
    /// The beginning of a frame.
    unread: BytesMut,
    /// The number of the last frame.
    number: u8,
}

impl Frames {
    pub(super) fn new(kind: Kind) -> Self {
        Frames { kind, unread: BytesMut::new(), number: 0 }
    }

    /// How much of a frame waits for its rest.
    pub(super) fn len(&self) -> usize {
        self.unread.len()
    }

    /// Adds what the frames hold that these bytes complete.
    pub(super) fn unpack(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), WireError> {
        self.unread.extend_from_slice(bytes);
        while let Some(&[a, b, c, number, d, e, f]) = self.unread.first_chunk::<HEAD>() {
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            if self.unread.len() < HEAD + length {
                return Ok(());
            }
            self.number = number;
            self.unread.advance(HEAD);
            let packed = self.unread.split_to(length);
            let unpacked = match (u32::from_le_bytes([d, e, f, 0]) as usize, self.kind) {
                (0, _) => {
                    out.extend_from_slice(&packed);
                    continue;
                }
                (length, Kind::Zlib) => inflate::zlib(&packed, length),
                (length, Kind::Zstd) => inflate::zstd(&packed, length),
            };
            let broken = || malformed("a compressed packet that cannot be decompressed");
            out.extend_from_slice(&unpacked.ok_or_else(broken)?);
        }
        Ok(())
    }

    /// Bytes in frames that are not packed, numbered on from the last frame.
    pub(super) fn wrap(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(bytes.len() + HEAD);
        for part in bytes.chunks(FULL) {
            self.number = self.number.wrapping_add(1);
            let [a, b, c, ..] = part.len().to_le_bytes();
            out.extend_from_slice(&[a, b, c, self.number, 0, 0, 0]);
            out.extend_from_slice(part);
        }
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn frame(number: u8, packed: &[u8], length: usize) -> Vec<u8> {
        let (here, there) = (packed.len().to_le_bytes(), length.to_le_bytes());
        [&here[..3], &[number], &there[..3], packed].concat()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn unpacked(kind: Kind, bytes: &[u8], pieces: usize) -> Result<(BytesMut, Frames), WireError> {
        let (mut frames, mut out) = (Frames::new(kind), BytesMut::new());
        bytes.chunks(pieces).try_for_each(|piece| frames.unpack(piece, &mut out))?;
        Ok((out, frames))
    }

    #[test]
    fn frames_are_unpacked_however_they_come() {
        let text = [b"SELECT ".repeat(400), (0..=255).collect()].concat();
        for (kind, packed) in [(Kind::Zlib, zlib(&text)), (Kind::Zstd, zstd(&text))] {
            let bytes = [frame(3, &packed, text.len()), frame(4, b"as it is", 0)].concat();
            for pieces in [1, 6, 7, 8, bytes.len()] {
                let (out, frames) = unpacked(kind, &bytes, pieces).unwrap();
                assert_eq!(out, [&text[..], b"as it is"].concat());
                assert_eq!((frames.number, frames.len()), (4, 0));
            }
        }
    }

    #[test]
    fn what_is_wrapped_goes_on_behind_the_last_frame() {
        let bytes = vec![7; FULL + 1];
        let (_, mut asked) = unpacked(Kind::Zlib, &frame(0, b"x", 0), 8).unwrap();
        let wrapped = asked.wrap(&bytes);
        assert_eq!(wrapped[..HEAD], [0xff, 0xff, 0xff, 1, 0, 0, 0]);
        let (out, frames) = unpacked(Kind::Zlib, &wrapped, 100_000).unwrap();
        assert_eq!((out.len(), frames.number), (FULL + 1, 2));
    }

    #[test]
    fn a_length_that_lies_is_an_error_and_no_more_is_unpacked() {
        let bomb = zlib(&vec![0; 1 << 20]);
        for length in [1, 1000, (1 << 20) - 1, (1 << 20) + 1] {
            assert!(unpacked(Kind::Zlib, &frame(0, &bomb, length), 4096).is_err(), "{length}");
        }
        assert!(unpacked(Kind::Zstd, &frame(0, &bomb, 1 << 20), 4096).is_err());
        assert!(unpacked(Kind::Zlib, &frame(0, b"", 5), 4096).is_err());
    }
}
