//! Undoing the compression of messages (RFC 7692, section 7.2.2).
//!
//! Nothing is compressed here: whoever agreed to compression takes messages without it as well.

use super::{malformed, too_large};
use crate::WireError;
use flate2::{Decompress, FlushDecompress, Status};

/// What every compressed message ends with and is sent without.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// How much the output grows at a time.
const STEP: usize = 16 << 10;

/// The decompressor of one side.
#[derive(Debug)]
pub(super) struct Inflate {
    state: Decompress,
    /// Whether each message is compressed by itself.
    forgets: bool,
}

impl Inflate {
    pub(super) fn new(forgets: bool) -> Self {
        Inflate { state: Decompress::new(false), forgets }
    }

    /// The message of a compressed payload, when it is no larger than the limit.
    pub(super) fn message(&mut self, payload: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::new();
        for part in [payload, &TAIL] {
            self.part(part, &mut out, limit)?;
        }
        if self.forgets {
            self.state.reset(false);
        }
        Ok(out)
    }

    fn part(&mut self, mut input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), WireError> {
        loop {
            if out.len() > limit {
                return Err(too_large("a message, decompressed,", limit));
            }
            out.reserve(STEP.min(limit + 1 - out.len()));
            let (before, room) = (self.state.total_in(), out.capacity() - out.len());
            let status = self.state.decompress_vec(input, out, FlushDecompress::Sync);
            let status =
                status.map_err(|_| malformed("a message that is not compressed as it says"))?;
            let used = usize::try_from(self.state.total_in() - before).unwrap_or(input.len());
            input = input.get(used..).unwrap_or_default();
            match status {
                Status::StreamEnd => {
                    // A last block may be the end of a message; the next one begins anew.
                    self.state.reset(false);
                    if input.is_empty() {
                        return Ok(());
                    }
                }
                // Room that is left says that there was no more to come.
                Status::Ok | Status::BufError if input.is_empty() && out.len() < out.capacity() => {
                    return Ok(());
                }
                Status::BufError if used == 0 && room > 0 => {
                    return Err(malformed("a compressed message that breaks off"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }
}
