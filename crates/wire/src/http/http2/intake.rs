//! Room for what comes in: windows are widened as they are used up (RFC 9113, section 5.2).
//!
//! Content above the limit is hashed and not kept, so that a peer may always go on; what is kept of
//! all streams together is bounded elsewhere.

use super::frames;
use super::malformed;
use super::sender::Sender;
use super::settings::{OUR_CONNECTION_WINDOW, OUR_WINDOW};
use crate::WireError;

/// What has come since a window was widened.
#[derive(Debug, Default)]
pub(super) struct Intake {
    used: usize,
}

impl Intake {
    /// Takes content of a stream.
    pub(super) fn of_stream(
        &mut self,
        stream: u32,
        size: usize,
        sender: &mut Sender,
    ) -> Result<(), WireError> {
        self.take(stream, size, OUR_WINDOW, sender)
    }

    /// Takes content of any stream.
    pub(super) fn of_connection(
        &mut self,
        size: usize,
        sender: &mut Sender,
    ) -> Result<(), WireError> {
        self.take(0, size, OUR_CONNECTION_WINDOW, sender)
    }

    fn take(
        &mut self,
        stream: u32,
        size: usize,
        window: usize,
        sender: &mut Sender,
    ) -> Result<(), WireError> {
        self.used += size;
        if self.used > window {
            return Err(malformed("more content than there is room for"));
        }
        if self.used >= window / 2 {
            let more = self.used as u32;
            sender.frame(frames::WINDOW_UPDATE, 0, stream, &more.to_be_bytes());
            self.used = 0;
        }
        Ok(())
    }
}
