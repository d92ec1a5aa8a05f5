//! Plays the client: sends recorded requests and emits them with the answers that came.
//!
//! It does not wait for the server's settings, which a client need not. A connection on which the
//! server wants no more requests is closed once the last answer has come.

use super::frames;
use super::half::Half;
use super::intake::Intake;
use super::reader::{Reader, Said};
use super::script::Script;
use super::sender::{After, CANCEL, Sender};
use super::turns::Order;
use super::{malformed, settings, write};
use crate::grpc::Counter;
use crate::http::backlog::Backlog;
use crate::http::head::Method;
use crate::http::write::request_line;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use std::collections::BTreeMap;

/// The largest number that a stream may have.
const LAST_STREAM: u32 = 0x7fff_ffff;

/// The state of a connection to the app.
pub(in crate::http) struct Requester {
    limits: Limits,
    reader: Reader,
    sender: Sender,
    intake: Intake,
    /// Requests that were sent and not answered.
    streams: BTreeMap<u32, Stream>,
    /// The number of the next stream.
    next: u32,
    backlog: Backlog,
    /// The server wants no more requests.
    leaving: bool,
    over: bool,
}

struct Stream {
    id: ExchangeId,
    request: Map,
    method: Method,
    started: Moment,
    response: Half,
    /// What is still to be said, in turns with the answers.
    script: Option<(Script, Counter)>,
    intake: Intake,
    /// What the backlog has of it.
    size: usize,
}

impl Requester {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        let mut sender = Sender::new(Peer::Server);
        sender.raw(|bytes| {
            bytes.extend_from_slice(frames::PREFACE);
            settings::write_ours(None, bytes);
        });
        Requester {
            limits,
            reader: Reader::of_server(limits),
            sender,
            intake: Intake::default(),
            streams: BTreeMap::new(),
            next: 1,
            backlog: Backlog::new(limits),
            leaving: false,
            over: false,
        }
    }

    fn request(
        &mut self,
        id: ExchangeId,
        request: &Map,
        started: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.backlog.check_count(self.streams.len())?;
        let outgoing = write::request(request)?;
        let number = self.next;
        self.next += 2;
        let method = Method::of(request_line(request).0);
        let (request, response, intake) = (request.clone(), Half::new(), Intake::default());
        self.sender.open(number);
        let script = match Order::of(&request) {
            Some(order) => Some((Script::of_request(outgoing, order), Counter::default())),
            None => {
                self.sender.say(number, outgoing, After::End);
                None
            }
        };
        let stream = Stream { id, request, method, started, response, script, intake, size: 0 };
        self.streams.insert(number, stream);
        self.go_on(number, started, out);
        self.sender.pump(out);
        self.leaving |= self.next > LAST_STREAM;
        Ok(())
    }

    fn server(
        &mut self,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.reader.push(bytes, at);
        while let Some(said) = self.reader.next(at)? {
            self.said(said, at, out)?;
        }
        self.sender.pump(out);
        if self.leaving && self.streams.is_empty() {
            self.over = true;
            out.push(Command::Close { to: Peer::Server, how: Ending::Finished });
        }
        Ok(())
    }

    fn said(&mut self, said: Said, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        match said {
            Said::Fields { stream: number, fields, last, .. } => {
                let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
                let size = stream.response.response_fields(fields, last)?;
                stream.size += size;
                self.backlog.add(size)?;
                self.go_on(number, now, out);
                self.answered(number, now, out);
            }
            Said::Data { stream: number, bytes, size, last } => {
                self.intake.of_connection(size, &mut self.sender)?;
                let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
                if !last {
                    stream.intake.of_stream(number, size, &mut self.sender)?;
                }
                let (kept, before) = stream.response.data(&bytes, last, self.limits);
                stream.size = stream.size + kept - before;
                self.backlog.remove(before);
                self.backlog.add(kept)?;
                if let Some((_, came)) = &mut stream.script {
                    came.push(&bytes);
                }
                self.go_on(number, now, out);
                self.answered(number, now, out);
            }
            Said::Reset { stream } => {
                self.sender.forget(stream);
                self.emit(stream, Some(Failure::Reset), now, out);
            }
            Said::GoAway { last } => {
                self.leaving = true;
                while let Some((&unheard, _)) = self.streams.range(last.saturating_add(1)..).next()
                {
                    self.sender.forget(unheard);
                    self.emit(unheard, Some(Failure::Closed), now, out);
                }
            }
            Said::Settings(settings) => self.sender.settle(&settings),
            Said::Ping(payload) => self.sender.frame(frames::PING, frames::ACK, 0, &payload),
            Said::Window { stream, by } => self.sender.grant(stream, by)?,
            Said::Nothing => {}
        }
        Ok(())
    }

    /// Says what is due after the answers that have come; gives the call up when that is due.
    fn go_on(&mut self, number: u32, now: Moment, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let Some((script, came)) = &mut stream.script else { return };
        script.go_on(number, came.complete(), &mut self.sender);
        let is_silent = stream.response.head().is_none();
        let heard = (!is_silent).then(|| came.complete());
        if script.is_given_up(heard) && !stream.response.last {
            self.sender.pump(out);
            self.sender.reset(number, CANCEL);
            self.emit(number, is_silent.then_some(Failure::Closed), now, out);
        }
    }

    /// Emits a stream whose answer is complete. What is left of its request need not be sent.
    fn answered(&mut self, number: u32, now: Moment, out: &mut Vec<Command>) {
        if self.streams.get(&number).is_some_and(|stream| stream.response.last) {
            if self.sender.is_open(number) {
                self.sender.reset(number, CANCEL);
            }
            self.emit(number, None, now, out);
        }
    }

    fn emit(
        &mut self,
        number: u32,
        failure: Option<Failure>,
        finished: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(stream) = self.streams.remove(&number) else { return };
        self.backlog.remove(stream.size);
        let Stream { id, request, method, started, response, .. } = stream;
        let response = response.response(method, self.limits);
        let exchange = Exchange { request, response, failure, connection: 0, started, finished };
        out.push(Command::Emit { id, exchange: Box::new(exchange) });
    }

    fn closed(&mut self, how: Ending, at: Moment, out: &mut Vec<Command>) {
        self.over = true;
        let failure = if how == Ending::Reset { Failure::Reset } else { Failure::Closed };
        while let Some((&number, _)) = self.streams.first_key_value() {
            self.emit(number, Some(failure), at, out);
        }
    }
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { id, request, at, .. } if !self.over => {
                self.request(id, request, at, out)
            }
            Event::Request { .. } => Err(malformed("a request after the connection has ended")),
            Event::Data { from: Peer::Server, bytes, at } if !self.over => {
                self.server(bytes, at, out)
            }
            Event::Closed { from: Peer::Server, how, at } if !self.over => {
                self.closed(how, at, out);
                Ok(())
            }
            Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
