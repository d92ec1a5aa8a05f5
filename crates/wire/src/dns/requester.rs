//! Plays the client: sends recorded queries and takes what answers them.
//!
//! It sends each query once; how long an answer may take is the driver's to say.

use super::decode::{decode, malformed};
use super::encode::encode;
use super::map::{answer_map, parse_query};
use super::message::{Message, bit};
use super::observer::{emit, emit_all};
use super::pending::{Pending, Query};
use crate::{Command, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{ExchangeId, Map, Moment};

/// The session of [`crate::Protocol::requester`].
#[derive(Debug)]
pub(super) struct Requester {
    limit: usize,
    /// The number of the next query.
    next: u16,
    pending: Pending,
}

impl Requester {
    pub(super) fn new(limits: Limits) -> Self {
        Requester { limit: limits.in_flight, next: 1, pending: Pending::default() }
    }

    fn request(
        &mut self,
        exchange: ExchangeId,
        request: &Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.pending.len() >= self.limit {
            return Err(malformed(format!("more than {} queries without an answer", self.limit)));
        }
        let (question, bits) = parse_query(request)?;
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let message = Message { id, bits, question: Some(question.clone()), ..Message::default() };
        out.push(Command::Send { to: Peer::Server, bytes: encode(&message)?.into() });
        self.pending.push(Query { exchange, id, bits, question, request: request.clone(), at });
        Ok(())
    }

    fn response(
        &mut self,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let message = decode(bytes)?;
        if message.bits & bit::RESPONSE != 0
            && let Some(query) = self.pending.answered(&message)
        {
            emit(query, Ok(answer_map(&message)), at, out);
        }
        Ok(())
    }
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { id, request, at, .. } => self.request(id, request, at, out)?,
            Event::Data { from: Peer::Server, bytes, at } => self.response(bytes, at, out)?,
            Event::Closed { from: Peer::Server, how, at } => {
                emit_all(&mut self.pending, how, at, out);
            }
            Event::Opened { .. }
            | Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
