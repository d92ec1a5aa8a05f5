//! Watches both peers and cuts what they say into turns.
//!
//! When the client ends its direction the server may still be speaking, so a turn is then kept open
//! until the server ends too. A client that breaks the connection off leaves no failure behind: as a
//! dependency's client it will do that by itself, and as the app's it does what the request says.

use super::turn::{ServerEnd, Turn};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{ExchangeId, Moment};

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limit: usize,
    next: u64,
    turn: Option<Turn>,
    client_ended: bool,
    server_ended: bool,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limit: limits.body,
            next: 1,
            turn: None,
            client_ended: false,
            server_ended: false,
        }
    }

    fn data(&mut self, from: Peer, bytes: &[u8], at: Moment, out: &mut Vec<Command>) {
        if bytes.is_empty() {
            return;
        }
        let answered = self.turn.as_ref().is_some_and(|turn| !turn.received.is_empty());
        if from == Peer::Client && answered {
            self.emit(None, out);
        }
        let turn = self.turn.get_or_insert_with(|| {
            let id = ExchangeId(self.next);
            self.next += 1;
            out.push(Command::Begin { id, at });
            Turn::new(id, at, self.limit)
        });
        turn.last = at;
        match from {
            Peer::Client => turn.sent.push(bytes),
            Peer::Server => turn.received.push(bytes),
        }
    }

    fn closed(&mut self, from: Peer, how: Ending, out: &mut Vec<Command>) {
        if let Some(turn) = &mut self.turn
            && from == Peer::Client
            && turn.received.is_empty()
        {
            turn.client_end = Some(how);
        }
        match (from, how) {
            (Peer::Client, Ending::Finished) if self.server_ended => self.emit(None, out),
            (Peer::Client, Ending::Finished) => self.client_ended = true,
            (Peer::Client, Ending::Reset) => self.emit(None, out),
            (Peer::Server, Ending::Reset) => self.emit(Some(ServerEnd::Reset), out),
            // A server that ends after its client only does what it was asked to.
            (Peer::Server, Ending::Finished) => {
                self.server_ended = true;
                let end = (!self.client_ended).then_some(ServerEnd::Closed);
                self.emit(end, out);
            }
        }
    }

    fn emit(&mut self, end: Option<ServerEnd>, out: &mut Vec<Command>) {
        if let Some(turn) = self.turn.take() {
            let id = turn.id;
            out.push(Command::Emit { id, exchange: Box::new(turn.into_exchange(end)) });
        }
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from, bytes, at } => self.data(from, bytes, at, out),
            Event::Closed { from, how, .. } => self.closed(from, how, out),
            Event::Opened { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
