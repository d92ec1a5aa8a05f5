//! Undoes a compression whose result has a length that was said before. Streams are no concern of this
//! file, nor is which protocol says the length.

use std::io::Read;

/// The bytes of what zlib packed (RFC 1950); none when they do not come to that length.
pub(crate) fn zlib(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    exactly(flate2::read::ZlibDecoder::new(packed), length)
}

/// The bytes of what Zstandard packed (RFC 8878); none when they do not come to that length.
pub(crate) fn zstd(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    exactly(ruzstd::decoding::StreamingDecoder::new(packed).ok()?, length)
}

/// One byte more than that is read at most, which tells that there is more.
fn exactly(reader: impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(length).ok()?.checked_add(1)?;
    reader.take(limit).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length).then_some(bytes)
}
