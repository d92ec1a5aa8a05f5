//! Watches both peers: each command is joined with the reply that names its number.
//!
//! Replies that come without being asked for again (exhaust cursors) are recorded as if the client
//! had asked for each; news of the server (streamed greetings) once. A request for news of a change
//! stream is recorded when there is some.

use super::command::{self, Kind};
use super::inbox::{Inbox, Message};
use super::message::{self, Said};
use super::{NAME, malformed, reply, teaching};
use crate::sql::Lessons;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use std::collections::{HashSet, VecDeque};

/// A command whose reply is to come.
#[derive(Debug)]
struct Pending {
    /// The number that the reply names.
    number: u32,
    command: command::Command,
    started: Moment,
    /// The exchange that has begun; none when it is not recorded.
    id: Option<ExchangeId>,
    /// It is a stream of replies, and this the number of the last one. The next one should name it,
    /// but some servers name the command's.
    last: Option<u32>,
    /// It waits for news, and is recorded when there is some.
    waits: bool,
}

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limits: Limits,
    client: Inbox,
    server: Inbox,
    next: u64,
    pending: VecDeque<Pending>,
    /// Cursors that wait for news.
    waiting: HashSet<i64>,
    over: bool,
    /// What was told of the fields of collections.
    lessons: Lessons,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            client: Inbox::new(limits),
            server: Inbox::new(limits),
            next: 1,
            pending: VecDeque::new(),
            waiting: HashSet::new(),
            over: false,
            lessons: Lessons::default(),
        }
    }

    fn begin(&mut self, at: Moment, out: &mut Vec<Command>) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id, at });
        id
    }

    fn asked(&mut self, message: &Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        let said = message::read(message)?;
        let command = command::read(&said)?;
        // What may be answered after seconds begins with its answer: nobody shall wait for that.
        let recorded = command.kind == Kind::Ordinary && command.name != "getMore";
        let id = recorded.then(|| self.begin(message.at, out));
        // A limit of time is allowed for cursors that wait and for no others. Another connection may
        // have opened the cursor.
        let is_limited = command.name == "getMore" && said.document.get("maxTimeMS").is_some();
        let waits =
            is_limited || command.cursor().is_some_and(|cursor| self.waiting.contains(&cursor));
        let mut pending =
            Pending { number: message.id, command, started: message.at, id, last: None, waits };
        if said.more_to_come {
            pending.answered(Map::new(), message.at, out);
            return Ok(());
        }
        if self.pending.len() >= self.limits.in_flight {
            let (what, limit) = ("the list of commands without a reply", self.limits.in_flight);
            return Err(WireError::TooLarge { protocol: NAME, what, limit });
        }
        self.pending.push_back(pending);
        Ok(())
    }

    fn replied(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let said = message::read(message)?;
        let place = self.pending.iter().position(|pending| pending.is_answered_by(message.answers));
        let Some(mut pending) = place.and_then(|place| self.pending.remove(place)) else {
            return Err(malformed("a reply to a command that nobody sent"));
        };
        let Said { document, more_to_come, .. } = said;
        let login_ended = document.get("done") != Some(&false.into());
        let response = reply::read(&pending.command, document);
        let cursor = response.get("cursor").and_then(Value::as_i64);
        if let Some(cursor) = cursor
            && pending.command.opens_waiting()
            && self.waiting.len() < self.limits.in_flight
        {
            self.waiting.insert(cursor);
        }
        if let Some(at) = pending.begins(&response, login_ended, message.at) {
            pending.id = Some(self.begin(at, out));
            pending.started = at;
        }
        let taught = teaching::taught(&pending.command, &response, &mut self.lessons);
        out.extend(taught.into_iter().map(crate::Command::Teach));
        pending.answered(response, now, out);
        if more_to_come {
            pending.last = Some(message.id);
            self.pending.push_back(pending);
        }
        Ok(())
    }

    /// A side has ended: what the server was answering broke off.
    fn ended(&mut self, how: Ending, now: Moment, out: &mut Vec<Command>) {
        self.over = true;
        let failure = match how {
            Ending::Reset => Failure::Reset,
            Ending::Finished => Failure::Closed,
        };
        for pending in std::mem::take(&mut self.pending) {
            let Some(id) = pending.id.filter(|_| pending.command.kind == Kind::Ordinary) else {
                continue;
            };
            let exchange = Exchange {
                request: pending.command.request,
                failure: Some(failure),
                unit: pending.command.unit,
                started: pending.started,
                finished: now,
                ..Exchange::default()
            };
            out.push(Command::Emit { id, exchange: Box::new(exchange) });
        }
    }
}

impl Pending {
    fn is_answered_by(&self, answers: u32) -> bool {
        self.number == answers || self.last == Some(answers)
    }

    /// Records what was replied, unless it is not recorded.
    /// When the exchange began of which this is the answer, if it has not and is recorded.
    fn begins(&mut self, response: &Map, login_ended: bool, now: Moment) -> Option<Moment> {
        match self.command.kind {
            Kind::Hello => self.last.is_none().then_some(self.started),
            Kind::Authentication => login_ended.then_some(self.started),
            Kind::Ordinary if self.command.name == "getMore" => {
                // Only change streams say where they stand.
                if self.waits || response.get("resume_token").is_some() {
                    let documents = response.get("documents").and_then(Value::as_list);
                    let nothing = documents.is_some_and(<[Value]>::is_empty);
                    self.command.cursor().into_iter().for_each(|id| self.command.waits(id));
                    return (!nothing || response.get("cursor").is_none()).then_some(now);
                }
                Some(if self.last.is_some() { now } else { self.started })
            }
            Kind::Ordinary | Kind::Housekeeping => None,
        }
    }

    fn answered(&mut self, response: Map, now: Moment, out: &mut Vec<Command>) {
        let Some(id) = self.id.take() else { return };
        let exchange = Exchange {
            request: self.command.request.clone(),
            response: Some(response),
            unit: self.command.unit,
            started: self.started,
            finished: now,
            ..Exchange::default()
        };
        out.push(Command::Emit { id, exchange: Box::new(exchange) });
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { .. } if self.over => {}
            Event::Data { from: Peer::Client, bytes, at } => {
                self.client.push(bytes, at);
                while let Some(message) = self.client.message(at)? {
                    self.asked(&message, out)?;
                }
            }
            Event::Data { from: Peer::Server, bytes, at } => {
                self.server.push(bytes, at);
                while let Some(message) = self.server.message(at)? {
                    self.replied(&message, at, out)?;
                }
            }
            Event::Closed { from: Peer::Server, how, at } => self.ended(how, at, out),
            Event::Closed { from: Peer::Client, how: Ending::Reset, at } => {
                self.ended(Ending::Reset, at, out);
            }
            _ => {}
        }
        Ok(())
    }
}
