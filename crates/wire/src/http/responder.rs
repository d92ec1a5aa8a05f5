//! Plays the server: reads requests, asks for their answers and sends them in the order in which
//! the requests came.
//!
//! It closes the connection when the client or the answer says so, and not otherwise.

use super::backlog::Backlog;
use super::head::{Head, Method};
use super::incoming::Requests;
use super::persistence::ends_connection;
use super::reader::{Message, Step};
use super::upgrade::{self, Offer};
use super::{endless, fields, framing, proxied, record, write};
use crate::websocket::{Extensions, Player};
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use std::collections::VecDeque;

/// The state of a connection to a mock.
pub(super) struct Responder {
    limits: Limits,
    requests: Requests,
    /// Requests that are complete and not answered, in order.
    pending: VecDeque<Pending>,
    backlog: Backlog,
    asked: u64,
    /// When the first byte of the request that is being read came.
    started: Moment,
    /// `100 Continue` was sent for the request that is being read.
    continued: bool,
    /// Bytes of the client after a request whose answer may switch protocols.
    waiting: Option<Vec<u8>>,
    /// The client will send no more.
    finished: bool,
    over: bool,
    /// A response without end was begun: the client leaves.
    endless: bool,
    /// The connection has become a WebSocket.
    player: Option<Player>,
}

struct Pending {
    id: ExchangeId,
    method: Method,
    closes: bool,
    /// The client speaks HTTP/1.0.
    old: bool,
    /// What the request adds to the backlog.
    size: usize,
    answer: Option<Answer>,
    /// What it says when it wants a WebSocket, and the request itself then.
    opening: Option<Box<(Offer, Map)>>,
    /// With whom it wants to be connected.
    party: Option<String>,
}

impl Pending {
    /// Whether an answer is there and is to be said.
    fn may_be_answered(&self) -> bool {
        self.answer.is_some() && !self.is_silence()
    }

    /// Whether the client waited in vain when this was recorded, so that it does again.
    fn is_silence(&self) -> bool {
        matches!(self.answer, Some(Answer::Failure(Failure::TimedOut)))
    }
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            limits,
            requests: Requests::new(limits),
            pending: VecDeque::new(),
            backlog: Backlog::new(limits),
            asked: 0,
            started: Moment::default(),
            continued: false,
            waiting: None,
            finished: false,
            over: false,
            endless: false,
            player: None,
        }
    }

    fn client(
        &mut self,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                return self.backlog.keep(waiting, input);
            }
            if self.requests.begins(&mut input) {
                self.started = at;
                self.continued = false;
            }
            match self.requests.step(&mut input)? {
                Step::More => {
                    self.encourage(out);
                    return Ok(());
                }
                Step::Head => {}
                Step::Message(message) => self.ask(*message, out)?,
            }
        }
    }

    /// Tells a client that waits for it to send the body (RFC 9110, section 10.1.1), once it is
    /// that request's turn.
    fn encourage(&mut self, out: &mut Vec<Command>) {
        let waits = |head: &Head| head.facts.expect_continue && !head.old;
        if self.requests.head().is_some_and(waits) && self.pending.is_empty() && !self.continued {
            self.continued = true;
            let bytes = Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n");
            out.push(Command::Send { to: Peer::Client, bytes });
        }
    }

    fn ask(&mut self, message: Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.backlog.check_count(self.pending.len())?;
        if message.head.may_switch() {
            self.waiting = Some(Vec::new());
        }
        self.asked += 1;
        let id = ExchangeId(self.asked);
        let (head, size) = (&message.head, message.size());
        self.backlog.add(size)?;
        let (method, closes, old) = (head.method(), head.closes(), head.old);
        let offer = message.head.facts.upgrade.then(|| Offer::of(&message.head.fields));
        let request = record::request(message, self.limits.body);
        let opening = offer.map(|offer| Box::new((offer, request.clone())));
        let (party, answer) = (proxied::party(&request), None);
        let asked = Pending { id, method, closes, old, size, answer, opening, party };
        self.pending.push_back(asked);
        out.push(Command::Ask { id, request, at: self.started });
        Ok(())
    }

    fn answer(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.id == id) {
            pending.answer = Some(answer);
        }
        while !self.over
            && !self.endless
            && self.pending.front().is_some_and(Pending::may_be_answered)
        {
            let Some(pending) = self.pending.pop_front() else { break };
            self.backlog.remove(pending.size);
            self.say(pending, at, out)?;
        }
        if !self.over && self.pending.is_empty() {
            if let Some(waiting) = self.waiting.take() {
                self.client(&waiting, at, out)?;
            }
            self.encourage(out);
        }
        if !self.over && self.finished && self.pending.front().is_none_or(Pending::is_silence) {
            self.close(Ending::Finished, out);
        }
        Ok(())
    }

    /// Sends an answer, or breaks off.
    fn say(
        &mut self,
        pending: Pending,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Pending { id, method, closes, old, answer, opening, party, .. } = pending;
        let mut response = match answer {
            Some(Answer::Response(response)) => response,
            Some(Answer::Miss(miss)) => problem(502, miss.message, miss.details),
            Some(Answer::Failure(failure)) => {
                self.close(ending(failure), out);
                return Ok(());
            }
            Some(Answer::Broken(mut response, failure)) => {
                if old {
                    unchunk(&mut response);
                }
                write::broken(&response, method)?.send(Peer::Client, out);
                self.close(ending(failure), out);
                return Ok(());
            }
            Some(Answer::Incomplete) | None => {
                let message = "no mock answers this request, which is complete";
                problem(502, message.to_owned(), Value::Null)
            }
        };
        if old {
            unchunk(&mut response);
        }
        if let Some(opening) = &opening {
            opening.0.answer(&mut response);
        }
        if endless::is_endless(&response) {
            endless::write(&response, method)?.send(Peer::Client, out);
            self.endless = true;
            return Ok(());
        }
        let outgoing = match write::response(&response, method) {
            Ok(outgoing) => outgoing,
            Err(error) => {
                let problem = problem(502, format!("the mock is wrong: {error}"), Value::Null);
                write::response(&problem, method)?.send(Peer::Client, out);
                return Err(error);
            }
        };
        outgoing.send(Peer::Client, out);
        if framing::switches(write::status_of(&response)?, method) {
            if let (Some(opening), Some(extensions)) = (opening, upgrade::agreed(&response)) {
                let request = opening.1;
                let response = Some(response);
                let opening = Exchange { request, response, started: at, ..Exchange::default() };
                return self.converse(id, opening, extensions, at, out);
            }
            self.over = true;
            let (client, server) = (self.waiting.take().unwrap_or_default().into(), Bytes::new());
            out.push(match party {
                Some(party) => Command::Reach { party, client, server },
                None => Command::Become { protocol: "opaque", client, server },
            });
        } else if closes || ends_connection(&response) {
            self.close(Ending::Finished, out);
        }
        Ok(())
    }

    /// Plays the messages of a WebSocket, which are a part of the answer that opened it.
    fn converse(
        &mut self,
        id: ExchangeId,
        opening: Exchange,
        extensions: Extensions,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let recorded = opening.response.clone().unwrap_or_default();
        let limits = self.limits;
        let player = Player::new(Peer::Server, id, opening, &recorded, extensions, limits);
        let player = self.player.insert(player);
        player.start(at, out)?;
        let client = self.waiting.take().unwrap_or_default();
        player.data(&client, at, out)
    }

    /// Tells a client that what it sent cannot be read, when it is its turn.
    fn refuse(&self, error: &WireError, out: &mut Vec<Command>) {
        let status = match error {
            WireError::Malformed { .. } => 400,
            WireError::TooLarge { .. } => 431,
            WireError::Unwritable { .. } => return,
        };
        let mut problem = problem(status, error.to_string(), Value::Null);
        problem.insert("framing", "close");
        let outgoing = write::response(&problem, Method::Other);
        if let (Ok(outgoing), true) = (outgoing, self.pending.is_empty()) {
            outgoing.send(Peer::Client, out);
        }
    }

    fn close(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        out.push(Command::Close { to: Peer::Client, how });
    }

    fn closed(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.finished = true;
        if how == Ending::Reset {
            self.over = true;
        } else if self.endless || self.pending.front().is_none_or(Pending::is_silence) {
            self.close(Ending::Finished, out);
        }
    }
}

fn ending(failure: Failure) -> Ending {
    if failure.without_code() == Failure::Closed { Ending::Finished } else { Ending::Reset }
}

/// Takes the chunked coding out of a response, which HTTP/1.0 does not know.
fn unchunk(response: &mut Map) {
    let list = fields::each(response.get("headers")).into_iter();
    let list = list.filter(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding"));
    let kept = fields::record(list.map(|(name, value)| (name.to_owned(), value.clone())).collect());
    response.remove("headers");
    response.remove("trailers");
    if let Some(kept) = kept {
        response.insert("headers", kept);
    }
}

/// A response of our own that says what is wrong.
pub(super) fn problem(status: u16, message: String, details: Value) -> Map {
    let mut body = Map::from([("error", message)]);
    match details {
        Value::Null => {}
        Value::Map(details) => {
            for (key, value) in details {
                body.insert(key, value);
            }
        }
        details => {
            body.insert("details", details);
        }
    }
    let headers = Map::from([("Content-Type", "application/json")]);
    let status = Value::from(status);
    Map::from([("status", status), ("headers", headers.into()), ("body", body.into())])
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        if let Some(player) = &mut self.player {
            return player.handle(event, out);
        }
        match event {
            Event::Data { from: Peer::Client, bytes, at } => {
                self.client(bytes, at, out).inspect_err(|error| self.refuse(error, out))
            }
            Event::Answer { id, answer, at } => self.answer(id, answer, at, out),
            Event::Closed { from: Peer::Client, how, .. } => {
                self.closed(how, out);
                Ok(())
            }
            Event::Data { from: Peer::Server, .. }
            | Event::Closed { from: Peer::Server, .. }
            | Event::TlsReady { .. }
            | Event::Request { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
