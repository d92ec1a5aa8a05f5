//! How single messages are compressed (`grpc-encoding`): gzip and deflate.
//!
//! Compressing again need not give the bytes that were recorded; what they hold is the same.
//! Messages in any other encoding are left as they are.

use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::{Read, Write};

/// An encoding of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            _ => None,
        }
    }

    /// What the bytes hold; `None` when they are damaged or hold more than `limit` bytes.
    pub(super) fn decode(self, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let most = limit as u64 + 1;
        match self {
            Coding::Gzip => MultiGzDecoder::new(bytes).take(most).read_to_end(&mut out),
            Coding::Deflate => ZlibDecoder::new(bytes).take(most).read_to_end(&mut out),
        }
        .ok()?;
        (out.len() <= limit).then_some(out)
    }

    pub(super) fn encode(self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let level = Compression::default();
        match self {
            Coding::Gzip => {
                let mut writer = GzEncoder::new(Vec::new(), level);
                writer.write_all(bytes)?;
                writer.finish()
            }
            Coding::Deflate => {
                let mut writer = ZlibEncoder::new(Vec::new(), level);
                writer.write_all(bytes)?;
                writer.finish()
            }
        }
    }
}
