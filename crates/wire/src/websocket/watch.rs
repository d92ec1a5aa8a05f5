//! Watches a conversation and makes one exchange of it: for recording.

use super::handshake::Extensions;
use super::inbox::{Inbox, Said};
use super::{message, too_large};
use crate::{Command, Ending, Limits, Peer, WireError};
use rehearsal_model::{Exchange, ExchangeId, Map, Moment, Value, stream};

/// Messages that one conversation may have.
const MOST: usize = 100_000;
/// Room for its messages, in largest bodies.
const BODIES: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Watch {
    id: ExchangeId,
    /// What opened it; taken when it is emitted.
    exchange: Option<Exchange>,
    inboxes: [Inbox; 2],
    /// Which side has said that it closes.
    closed: [bool; 2],
    messages: Vec<Value>,
    size: usize,
    limits: Limits,
}

impl Watch {
    /// Goes on after the exchange that opened the conversation.
    pub(crate) fn new(
        id: ExchangeId,
        exchange: Exchange,
        extensions: Extensions,
        limits: Limits,
    ) -> Self {
        Watch {
            id,
            exchange: Some(exchange),
            inboxes: [Peer::Client, Peer::Server].map(|from| Inbox::new(from, extensions, limits)),
            closed: [false; 2],
            messages: Vec::new(),
            size: 0,
            limits,
        }
    }

    /// Takes bytes of a side.
    pub(crate) fn data(
        &mut self,
        from: Peer,
        input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let read = self.read(from, input, at, out);
        if read.is_err() {
            // What was understood is a conversation that was still open.
            self.emit(at, out);
        }
        read
    }

    fn read(
        &mut self,
        from: Peer,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        while self.exchange.is_some() && !self.closed[from as usize] {
            let before = input.len();
            let Some(said) = self.inboxes[from as usize].next(&mut input)? else { return Ok(()) };
            let closes = matches!(said, Said::Close(_));
            let answers = closes && self.closed[from.other() as usize];
            if let Some(message) = message::record(from, said).filter(|_| !answers) {
                self.keep(message, before - input.len())?;
                if from == Peer::Client {
                    out.push(Command::Stir { id: self.id, at });
                }
            }
            self.closed[from as usize] |= closes;
            if self.closed == [true; 2] {
                self.emit(at, out);
            }
        }
        Ok(())
    }

    fn keep(&mut self, message: Map, size: usize) -> Result<(), WireError> {
        self.size += size;
        let limit = self.limits.body.saturating_mul(BODIES);
        if self.size > limit {
            return Err(too_large("a conversation", limit));
        }
        if self.messages.len() == MOST {
            return Err(super::malformed(format!("more than {MOST} messages")));
        }
        self.messages.push(Value::Map(message));
        Ok(())
    }

    /// Whether the conversation is over, and its exchange was emitted.
    pub(crate) fn is_over(&self) -> bool {
        self.exchange.is_none()
    }

    /// A side will say no more.
    pub(crate) fn ended(&mut self, from: Peer, how: Ending, at: Moment, out: &mut Vec<Command>) {
        if self.exchange.is_some() && self.closed == [false; 2] {
            let how = if how == Ending::Reset { "reset" } else { "ended" };
            self.messages.push(Value::Map(message::broke_off(from, how)));
        }
        self.emit(at, out);
    }

    fn emit(&mut self, at: Moment, out: &mut Vec<Command>) {
        let Some(mut exchange) = self.exchange.take() else { return };
        let messages = Value::List(std::mem::take(&mut self.messages));
        exchange.response.get_or_insert_default().insert(stream::CONVERSATION, messages);
        exchange.finished = at;
        out.push(Command::Emit { id: self.id, exchange: Box::new(exchange) });
    }
}
