//! Plays the client: sends what was recorded and collects what comes back.
//!
//! It cannot know when a reply is complete. It takes the reply to be complete when the server ends
//! the connection or, after at least one byte, is silent for [`QUIET`]: a server that pauses longer
//! within one reply is cut short, and each reply costs that time.

use super::turn::{CLOSED, RESET, ServerEnd, Turn};
use super::{NAME, writable};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Map, Moment};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a server that has spoken is silent before its reply is taken to be complete.
pub(super) const QUIET: Duration = Duration::from_millis(200);

/// The session of [`crate::Protocol::requester`].
#[derive(Debug)]
pub(super) struct Requester {
    limits: Limits,
    turn: Option<Turn>,
    /// Requests that came before the reply to an earlier one was complete.
    waiting: VecDeque<(ExchangeId, Bytes, Option<Ending>)>,
    /// Whether a [`Command::Wake`] is under way.
    waking: bool,
    ended: Option<ServerEnd>,
}

impl Requester {
    pub(super) fn new(limits: Limits) -> Self {
        Requester { limits, turn: None, waiting: VecDeque::new(), waking: false, ended: None }
    }

    fn request(
        &mut self,
        id: ExchangeId,
        request: &Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.waiting.len() >= self.limits.in_flight {
            let what = format!("more than {} requests wait for a reply", self.limits.in_flight);
            return Err(WireError::Unwritable { protocol: NAME, what });
        }
        let bytes = Bytes::copy_from_slice(writable(request, "send")?);
        let ends = match request.text("ends") {
            Some(CLOSED) => Some(Ending::Finished),
            Some(RESET) => Some(Ending::Reset),
            _ => None,
        };
        self.waiting.push_back((id, bytes, ends));
        self.advance(at, out);
        Ok(())
    }

    /// Sends the next request when none is under way; ends it at once when nobody can reply.
    fn advance(&mut self, at: Moment, out: &mut Vec<Command>) {
        while self.turn.is_none()
            && let Some((id, bytes, ends)) = self.waiting.pop_front()
        {
            let mut turn = Turn::new(id, at, self.limits.body);
            turn.sent.push(&bytes);
            turn.client_end = ends;
            self.turn = Some(turn);
            if self.ended.is_some() {
                self.emit(out);
                continue;
            }
            if !bytes.is_empty() {
                out.push(Command::Send { to: Peer::Server, bytes });
            }
            if let Some(how) = ends {
                out.push(Command::Close { to: Peer::Server, how });
            }
            if ends == Some(Ending::Reset) {
                // Nobody is there any more to whom the server could reply.
                self.emit(out);
            }
        }
    }

    fn data(&mut self, bytes: &[u8], at: Moment, out: &mut Vec<Command>) {
        let Some(turn) = self.turn.as_mut().filter(|_| !bytes.is_empty()) else { return };
        turn.received.push(bytes);
        turn.last = at;
        if !self.waking {
            self.waking = true;
            out.push(Command::Wake { after: QUIET });
        }
    }

    fn tick(&mut self, at: Moment, out: &mut Vec<Command>) {
        self.waking = false;
        let Some(turn) = self.turn.as_ref().filter(|turn| !turn.received.is_empty()) else {
            return;
        };
        let silent = at.since(turn.last);
        if silent < QUIET {
            self.waking = true;
            out.push(Command::Wake { after: QUIET.saturating_sub(silent) });
            return;
        }
        self.emit(out);
        self.advance(at, out);
    }

    fn emit(&mut self, out: &mut Vec<Command>) {
        if let Some(turn) = self.turn.take() {
            let id = turn.id;
            let exchange = Box::new(turn.into_exchange(self.ended));
            out.push(Command::Emit { id, exchange });
        }
    }
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { id, request, at, .. } => self.request(id, request, at, out)?,
            Event::Data { from: Peer::Server, bytes, at } => self.data(bytes, at, out),
            Event::Closed { from: Peer::Server, how, at } => {
                let reset = how == Ending::Reset;
                self.ended = Some(if reset { ServerEnd::Reset } else { ServerEnd::Closed });
                self.emit(out);
                self.advance(at, out);
            }
            Event::Tick { at } => self.tick(at, out),
            Event::Opened { .. }
            | Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. } => {}
        }
        Ok(())
    }
}
