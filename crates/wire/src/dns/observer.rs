//! Watches queries and their answers.
//!
//! A query that is sent again is the same exchange. An answer to nothing that waits is a repeated
//! or late one and is passed over. A query that is never answered ends with its flow: timed out,
//! or refused when nobody listened.

use super::decode::decode;
use super::map::{answer_map, query_map};
use super::message::bit;
use super::pending::{Pending, Query};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{ExchangeId, Failure, Map, Moment};

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limit: usize,
    next: u64,
    pending: Pending,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer { limit: limits.in_flight, next: 1, pending: Pending::default() }
    }

    fn query(&mut self, bytes: &[u8], at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let message = decode(bytes)?;
        let Some(question) = message.question.clone() else { return Ok(()) };
        let answers = message.bits & bit::RESPONSE != 0;
        if answers || self.pending.contains(message.id, &question) {
            return Ok(());
        }
        if self.pending.len() >= self.limit {
            let oldest = self.pending.oldest();
            oldest.into_iter().for_each(|query| emit(query, Err(Failure::TimedOut), at, out));
        }
        let exchange = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id: exchange, at });
        let request = query_map(&message, &question);
        let (id, bits) = (message.id, message.bits);
        self.pending.push(Query { exchange, id, bits, question, request, at });
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

/// Emits what came of a query.
pub(super) fn emit(
    query: Query,
    outcome: Result<Map, Failure>,
    at: Moment,
    out: &mut Vec<Command>,
) {
    let id = query.exchange;
    let (response, failure) = match outcome {
        Ok(response) => (Some(response), None),
        Err(failure) => (None, Some(failure)),
    };
    let exchange = Box::new(query.into_exchange(response, failure, at));
    out.push(Command::Emit { id, exchange });
}

/// Emits all that wait when the flow ends.
pub(super) fn emit_all(pending: &mut Pending, how: Ending, at: Moment, out: &mut Vec<Command>) {
    let failure = match how {
        Ending::Finished => Failure::TimedOut,
        Ending::Reset => Failure::Refused,
    };
    while let Some(query) = pending.oldest() {
        emit(query, Err(failure), at, out);
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from: Peer::Client, bytes, at } => self.query(bytes, at, out)?,
            Event::Data { from: Peer::Server, bytes, at } => self.response(bytes, at, out)?,
            Event::Closed { from: Peer::Server, how, at } => {
                emit_all(&mut self.pending, how, at, out);
            }
            Event::Closed { from: Peer::Client, at, .. } => {
                emit_all(&mut self.pending, Ending::Finished, at, out);
            }
            Event::Opened { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
