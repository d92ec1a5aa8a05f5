//! Content codings (RFC 9110, section 8.4): bodies are shown decoded and served encoded.
//!
//! Encoding again need not give the bytes that were recorded; what they decode to is the same.

use super::unwritable;
use crate::WireError;
use std::borrow::Cow;
use std::io::{self, Read, Write};

/// How many codings are undone.
const MAX_CODINGS: usize = 4;

/// The largest window of Zstandard that HTTP allows (RFC 9659), which is also the largest content
/// that is decoded in a single segment.
const MAX_WINDOW: u64 = 8 << 20;

/// A coding that is undone and applied.
#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding of a name; `None` for `identity` and for those that are passed on as they are.
    fn of(name: &str) -> Option<Self> {
        let names = [
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
        ];
        names.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| it)
    }

    fn decode(self, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
        match self {
            Coding::Gzip => read(flate2::read::MultiGzDecoder::new(bytes), limit),
            Coding::Deflate => read(flate2::read::ZlibDecoder::new(bytes), limit),
            Coding::Brotli => read(brotli::Decompressor::new(bytes, 4096), limit),
            Coding::Zstd => decode_zstd(bytes, limit),
        }
    }

    fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Coding::Gzip => {
                let level = flate2::Compression::default();
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
                writer.write_all(bytes)?;
                writer.finish()
            }
            Coding::Deflate => {
                let level = flate2::Compression::default();
                let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
                writer.write_all(bytes)?;
                writer.finish()
            }
            Coding::Brotli => {
                let mut out = Vec::new();
                // A quality that is fast, in the largest window that every decoder takes.
                let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 4, 22);
                writer.write_all(bytes)?;
                writer.flush()?;
                drop(writer);
                Ok(out)
            }
            Coding::Zstd => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                Ok(ruzstd::encoding::compress_to_vec(bytes, level))
            }
        }
    }
}

/// Decodes frame after frame.
fn decode_zstd(mut bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    while !bytes.is_empty() {
        if zstd_window(bytes)? > MAX_WINDOW {
            return None;
        }
        let frame = ruzstd::decoding::StreamingDecoder::new(&mut bytes).ok()?;
        plain.extend(read(frame, limit - plain.len())?);
    }
    Some(plain)
}

/// The memory that a frame asks for, by its header (RFC 8878, section 3.1.1.1).
fn zstd_window(frame: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = frame else { return None };
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let window = rest.first()?;
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let size = rest.get(dictionary..dictionary + size)?;
    Some(size.iter().rev().fold(0, |total, byte| total << 8 | u64::from(*byte)))
}

/// Reads to the end, unless that is above the limit.
fn read(reader: impl Read, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= limit).then_some(out)
}

/// Undoes the codings, the last first. `None` when that fails or gives more than `limit` bytes.
/// From the first unknown coding on, the bytes stay as they are.
pub(super) fn decode<'a>(bytes: &'a [u8], codings: &[&str], limit: usize) -> Option<Cow<'a, [u8]>> {
    let mut plain = Cow::Borrowed(bytes);
    if bytes.is_empty() {
        return Some(plain);
    }
    for coding in undone(codings)?.iter().rev() {
        plain = Cow::Owned(coding.decode(&plain, limit)?);
    }
    Some(plain)
}

/// Applies the codings that [`decode`] undoes. Nothing stays nothing.
pub(super) fn encode(plain: Vec<u8>, codings: &[&str]) -> Result<Vec<u8>, WireError> {
    if plain.is_empty() {
        return Ok(plain);
    }
    let undone = undone(codings)
        .ok_or_else(|| unwritable(format!("more than {MAX_CODINGS} content codings")))?;
    undone.iter().try_fold(plain, |bytes, coding| {
        coding.encode(&bytes).map_err(|error| unwritable(format!("content coding: {error}")))
    })
}

/// The codings after the last unknown one; `None` when there are too many.
fn undone(codings: &[&str]) -> Option<Vec<Coding>> {
    let mut known = Vec::new();
    for name in codings.iter().filter(|name| !name.eq_ignore_ascii_case("identity")) {
        match Coding::of(name) {
            Some(coding) => known.push(coding),
            None => known.clear(),
        }
    }
    (known.len() <= MAX_CODINGS).then_some(known)
}
