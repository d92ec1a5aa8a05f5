//! Watches both peers and cuts what they say into turns.
//!
//! When the client ends its direction the server may still be speaking, so a turn is then kept open
//! until the server ends too. A client that breaks the connection off leaves no failure behind: as a
//! dependency's client it will do that by itself, and as the app's it does what the request says.

use super::lines::Lines;
use super::turn::{ServerEnd, Turn};
use crate::{Command, Ending, Event, Limits, Peer, Session, Verdict, WireError, begins_tls};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Moment};

/// So many bytes tell whether TLS begins (RFC 8446, section 5.1, and the type of the message).
const HELLO: usize = 6;

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limit: usize,
    next: u64,
    turn: Option<Turn>,
    client_ended: bool,
    server_ended: bool,
    lines: Lines,
    turning: Turning,
}

/// How far a connection is that turns to TLS.
#[derive(Debug, Default)]
enum Turning {
    /// It does not.
    #[default]
    No,
    /// It was agreed on. The client's first bytes are held back while they may begin TLS.
    Agreed(Vec<u8>),
    /// They do, and it is asked for.
    Asked(Vec<u8>),
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limit: limits.body,
            next: 1,
            turn: None,
            client_ended: false,
            server_ended: false,
            lines: Lines::default(),
            turning: Turning::No,
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
        if from == Peer::Server
            && let (Some(sent), Some(received)) = (turn.sent.bytes(), turn.received.bytes())
            && self.lines.turns_to_tls(sent, received)
        {
            self.turning = Turning::Agreed(Vec::new());
            out.push(Command::Hold { from: Peer::Client });
        }
    }

    /// Takes what came where TLS was agreed on or asked for. Whether it is dealt with.
    fn turns(&mut self, from: Peer, bytes: &[u8], at: Moment, out: &mut Vec<Command>) -> bool {
        match std::mem::take(&mut self.turning) {
            Turning::No => return false,
            // It was not laid, and the client's hello has been passed on.
            Turning::Asked(hello) => {
                self.lines.give_up();
                self.data(Peer::Client, &hello, at, out);
                return false;
            }
            Turning::Agreed(mut held) if from == Peer::Client => {
                held.extend_from_slice(bytes);
                // More of them would say the same, but for how they are cut.
                match begins_tls(&held[..held.len().min(HELLO)]) {
                    Verdict::NeedMore => self.turning = Turning::Agreed(held),
                    Verdict::Yes => {
                        let unread = Bytes::copy_from_slice(&held);
                        out.push(Command::StartTls { with: Peer::Client, unread });
                        out.push(Command::StartTls { with: Peer::Server, unread: Bytes::new() });
                        out.push(Command::Forward { from: Peer::Client });
                        self.turning = Turning::Asked(held);
                    }
                    Verdict::No => self.let_go(&held, at, out),
                }
            }
            Turning::Agreed(held) => {
                self.let_go(&held, at, out);
                return false;
            }
        }
        true
    }

    /// Goes on in the clear: what was held back is no TLS, or comes too late.
    fn let_go(&mut self, held: &[u8], at: Moment, out: &mut Vec<Command>) {
        if !held.is_empty() {
            out.push(Command::Send { to: Peer::Server, bytes: Bytes::copy_from_slice(held) });
        }
        out.push(Command::Forward { from: Peer::Client });
        self.data(Peer::Client, held, at, out);
    }

    /// TLS is laid: what was said before it is a turn of its own.
    fn secured(&mut self, out: &mut Vec<Command>) {
        if matches!(std::mem::take(&mut self.turning), Turning::Asked(_)) {
            if let Some(turn) = &mut self.turn {
                turn.starttls = true;
            }
            self.emit(None, out);
            self.lines.secured();
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
        if let Some(mut turn) = self.turn.take() {
            let id = turn.id;
            let sent = turn.sent.bytes();
            turn.hidden = sent.map(|sent| self.lines.scan(sent).hidden).unwrap_or_default();
            self.lines.over(sent, turn.received.bytes().unwrap_or_default());
            out.push(Command::Emit { id, exchange: Box::new(turn.into_exchange(end)) });
        }
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from, bytes, at } => {
                if !self.turns(from, bytes, at, out) {
                    self.data(from, bytes, at, out);
                }
            }
            Event::Closed { from, how, at } => {
                match std::mem::take(&mut self.turning) {
                    Turning::Agreed(held) => self.let_go(&held, at, out),
                    // It could not be laid.
                    Turning::Asked(_) | Turning::No => {}
                }
                self.closed(from, how, out);
            }
            Event::TlsReady { .. } => self.secured(out),
            Event::Opened { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
