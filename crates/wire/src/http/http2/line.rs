//! A connection that we play one end of: what comes in and what goes out.
//!
//! What concerns the connection alone is dealt with here: pings are answered, settings are agreed to, and
//! windows are kept. Streams are the business of the two roles.

use super::frames;
use super::intake::Intake;
use super::reader::{Reader, Said};
use super::sender::Sender;
use crate::{Limits, Peer, WireError};
use rehearsal_model::Moment;

/// Our end of a connection.
pub(super) struct Line {
    reader: Reader,
    pub(super) sender: Sender,
    intake: Intake,
}

impl Line {
    /// To a peer of this kind.
    pub(super) fn to(peer: Peer, limits: Limits) -> Self {
        let reader = match peer {
            Peer::Client => Reader::of_client(limits),
            Peer::Server => Reader::of_server(limits),
        };
        Line { reader, sender: Sender::new(peer), intake: Intake::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        self.reader.push(bytes, at);
    }

    /// What the peer says next that may concern a stream.
    pub(super) fn next(&mut self, now: Moment) -> Result<Option<Said>, WireError> {
        while let Some(said) = self.reader.next(now)? {
            match said {
                Said::Ping(payload) => self.sender.frame(frames::PING, frames::ACK, 0, &payload),
                Said::Window { stream, by } => self.sender.grant(stream, by)?,
                Said::Nothing => {}
                Said::Data { size, .. } => {
                    self.intake.of_connection(size, &mut self.sender)?;
                    return Ok(Some(said));
                }
                Said::Settings(settings) => {
                    self.sender.settle(&settings);
                    return Ok(Some(said));
                }
                Said::Fields { .. } | Said::Reset { .. } | Said::GoAway { .. } => {
                    return Ok(Some(said));
                }
            }
        }
        Ok(None)
    }
}
