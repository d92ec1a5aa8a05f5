//! Plays the server: answers with the number and the question of the query, its spelling included
//! (resolvers vary the case of letters to recognise forged answers).

use super::decode::{decode, malformed};
use super::encode::encode;
use super::map::{parse_answer, query_map};
use super::message::{Message, bit};
use super::pending::{Pending, Query};
use super::word::SERVFAIL;
use crate::{Answer, Command, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{ExchangeId, Moment};

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    limit: usize,
    next: u64,
    pending: Pending,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder { limit: limits.in_flight, next: 1, pending: Pending::default() }
    }

    fn query(&mut self, bytes: &[u8], at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let message = decode(bytes)?;
        let Some(question) = message.question.clone() else { return Ok(()) };
        let answers = message.bits & bit::RESPONSE != 0;
        if answers || self.pending.contains(message.id, &question) {
            return Ok(());
        }
        if self.pending.len() >= self.limit {
            return Err(malformed(format!("more than {} queries without an answer", self.limit)));
        }
        let exchange = ExchangeId(self.next);
        self.next += 1;
        let request = query_map(&message, &question);
        out.push(Command::Ask { id: exchange, request: request.clone(), at });
        let (id, bits) = (message.id, message.bits);
        self.pending.push(Query { exchange, id, bits, question, request, at });
        Ok(())
    }

    fn answer(
        &mut self,
        exchange: ExchangeId,
        answer: Answer,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(query) = self.pending.take(exchange) else { return Ok(()) };
        let bits = bit::RESPONSE | bit::RECURSION_AVAILABLE;
        let mut message = match answer {
            Answer::Response(map) => parse_answer(&map)?,
            // A query is complete, so that nothing answers it when more is wanted.
            Answer::Miss(_) | Answer::Incomplete => {
                Message { bits, rcode: SERVFAIL, ..Message::default() }
            }
            Answer::Failure(_) | Answer::Broken(..) => return Ok(()),
        };
        message.id = query.id;
        message.bits |= query.bits & bit::RECURSION_DESIRED;
        message.question = Some(query.question);
        out.push(Command::Send { to: Peer::Client, bytes: encode(&message)?.into() });
        Ok(())
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from: Peer::Client, bytes, at } => self.query(bytes, at, out),
            Event::Answer { id, answer, .. } => self.answer(id, answer, out),
            Event::Opened { .. }
            | Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
