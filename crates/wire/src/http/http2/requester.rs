//! Plays the client: sends recorded requests and emits them with the answers that came.
//!
//! It does not wait for the server's settings, which a client need not unless it wants a WebSocket. A connection on which the
//! server wants no more requests is closed once the last answer has come.

use super::converse::{self, Conversing, News};
use super::farewell::Farewell;
use super::frames;
use super::half::Half;
use super::intake::Intake;
use super::line::Line;
use super::reader::Said;
use super::script::Script;
use super::sender::{After, CANCEL};
use super::streams::Streams;
use super::turns::Order;
use super::{malformed, settings, write};
use crate::grpc::Counter;
use crate::http::head::Method;
use crate::http::write::request_line;
use crate::http::{endless, upgrade};
use crate::websocket::Player;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, stream};

/// The largest number that a stream may have.
const LAST_STREAM: u32 = 0x7fff_ffff;

/// The state of a connection to the app.
pub(in crate::http) struct Requester {
    limits: Limits,
    line: Line,
    /// Requests that were sent and not answered.
    streams: Streams<Stream>,
    /// The number of the next stream.
    next: u32,
    /// Requests for WebSockets, which wait for the server's settings (RFC 8441, section 3).
    held: Vec<Held>,
    /// The server has said its settings.
    settled: bool,
    /// The server wants no more requests.
    leaving: bool,
    farewell: Farewell,
    over: bool,
}

struct Held {
    id: ExchangeId,
    request: Map,
    recorded: Option<Map>,
    at: Moment,
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
    /// The recorded answer, if it has no end of its own.
    recorded: Option<Map>,
    /// It has become a WebSocket.
    player: Option<Box<Player>>,
    /// When the client leaves, and whether all has come by then.
    leaves: Option<(bool, u64)>,
}

impl Conversing for Stream {
    fn player(&mut self) -> Option<&mut Player> {
        self.player.as_deref_mut()
    }
}

impl Requester {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        let mut line = Line::to(Peer::Server, limits);
        line.sender.raw(|bytes| {
            bytes.extend_from_slice(frames::PREFACE);
            settings::write_ours(None, bytes);
        });
        Requester {
            limits,
            line,
            streams: Streams::new(limits),
            next: 1,
            held: Vec::new(),
            settled: false,
            leaving: false,
            farewell: Farewell::default(),
            over: false,
        }
    }

    fn request(
        &mut self,
        id: ExchangeId,
        request: &Map,
        recorded: Option<&Map>,
        started: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.streams.check_count(self.held.len())?;
        let opens = converse::is_recorded_opening(request);
        let lasts = |recorded: &&Map| {
            opens && stream::conversation(recorded).is_some() || endless::is_endless(recorded)
        };
        let recorded = recorded.filter(lasts).cloned();
        if opens && !self.settled {
            self.held.push(Held { id, request: request.clone(), recorded, at: started });
            self.line.sender.pump(out);
            return Ok(());
        }
        let outgoing = write::request(request)?;
        let number = self.next;
        self.next += 2;
        let method = Method::of(request_line(request).0);
        let (request, response, intake) = (request.clone(), Half::new(), Intake::default());
        self.line.sender.open(number);
        let script = match Order::of(&request) {
            Some(order) => Some((Script::of_request(outgoing, order), Counter::default())),
            None if opens && recorded.is_some() => {
                self.line.sender.begin(number, &outgoing.sections);
                None
            }
            None => {
                self.line.sender.say(number, outgoing, After::End);
                None
            }
        };
        let (player, leaves) = (None, None);
        let stream = Stream {
            id,
            request,
            method,
            started,
            response,
            script,
            intake,
            recorded,
            player,
            leaves,
        };
        self.streams.insert(number, stream);
        self.go_on(number, started, out);
        self.line.sender.pump(out);
        self.leaving |= self.next > LAST_STREAM;
        Ok(())
    }

    fn server(
        &mut self,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.line.push(bytes, at);
        while let Some(said) = self.line.next(at)? {
            self.said(said, at, out)?;
        }
        self.line.sender.pump(out);
        if self.leaving && self.streams.is_empty() {
            self.over = true;
            out.push(Command::Close { to: Peer::Server, how: Ending::Finished });
        }
        Ok(())
    }

    fn said(&mut self, said: Said, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        match said {
            Said::Fields { stream: number, fields, last, .. } => {
                let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
                let size = stream.response.response_fields(fields, last)?;
                self.streams.keep(number, size)?;
                self.go_on(number, now, out);
                self.converse(number, now, out)?;
                self.heard(number, now, out);
                self.answered(number, now, out);
            }
            Said::Data { stream: number, bytes, size, last } => {
                let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
                if !last {
                    stream.intake.of_stream(number, size, &mut self.line.sender)?;
                }
                if stream.player.is_some() {
                    self.tell(number, News::Data(&bytes), now, out)?;
                    if last {
                        let news = News::Closed(Peer::Server, Ending::Finished);
                        self.tell(number, news, now, out)?;
                    }
                    return Ok(());
                }
                if let Some((_, came)) = &mut stream.script {
                    came.push(&bytes);
                }
                self.streams.content(number, |stream| Some(&mut stream.response), &bytes, last)?;
                self.go_on(number, now, out);
                self.heard(number, now, out);
                self.answered(number, now, out);
            }
            Said::Reset { stream, code } => {
                self.tell(stream, News::Closed(Peer::Server, Ending::Reset), now, out)?;
                self.line.sender.forget(stream);
                self.emit(stream, Some(Failure::ResetBy(code)), now, out);
            }
            Said::GoAway { last, code } => {
                self.leaving = true;
                self.farewell.hear(code);
                while let Some(unheard) = self.streams.first_above(last) {
                    self.line.sender.forget(unheard);
                    self.emit(unheard, Some(Failure::UnheardBy(code)), now, out);
                }
            }
            Said::Settings(_) => {
                self.settled = true;
                for Held { id, request, recorded, at } in std::mem::take(&mut self.held) {
                    self.request(id, &request, recorded.as_ref(), at, out)?;
                }
            }
            Said::Ping(_) | Said::Window { .. } | Said::Nothing => {}
        }
        Ok(())
    }

    /// Says what is due after the answers that have come; gives the call up when that is due.
    fn go_on(&mut self, number: u32, now: Moment, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let Some((script, came)) = &mut stream.script else { return };
        script.go_on(number, came.complete(), &mut self.line.sender);
        let is_silent = stream.response.head().is_none();
        let heard = (!is_silent).then(|| came.complete());
        if script.is_given_up(heard) && !stream.response.last {
            self.line.sender.pump(out);
            self.line.sender.reset(number, CANCEL);
            self.emit(number, is_silent.then_some(Failure::Closed), now, out);
        }
    }

    /// Plays the messages of a WebSocket once it is opened as it was recorded.
    fn converse(
        &mut self,
        number: u32,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
        let opens = stream.player.is_none() && !stream.response.last;
        let recorded = stream.recorded.as_ref();
        let recorded = recorded.filter(|it| opens && stream::conversation(it).is_some());
        let answer = stream.response.clone().response(stream.method, self.limits);
        let (Some(recorded), Some(answer)) = (recorded, answer) else { return Ok(()) };
        let Some(extensions) = upgrade::agreed_on_stream(&answer) else { return Ok(()) };
        let (request, response) = (stream.request.clone(), Some(answer));
        let opening =
            Exchange { request, response, started: stream.started, ..Exchange::default() };
        let (id, limits) = (stream.id, self.limits);
        let player = Player::new(Peer::Client, id, opening, recorded, extensions, limits);
        stream.player = Some(Box::new(player));
        self.tell(number, News::Opened, now, out)
    }

    /// Tells the player of a stream what happened there, if there is one.
    fn tell(
        &mut self,
        number: u32,
        news: News<'_>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        converse::tell(&mut self.streams, number, news, at, &mut self.line.sender, out)
    }

    /// Waits for more of a response without end.
    fn heard(&mut self, number: u32, at: Moment, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        let recorded = stream.recorded.as_ref().filter(|it| endless::is_endless(it));
        let Some(recorded) = recorded.filter(|_| stream.response.endless().is_some()) else {
            return;
        };
        let complete = stream.response.items() >= endless::items(recorded);
        let after = if complete { endless::AFTERMATH } else { endless::PATIENCE };
        let until = at.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
        // Once all has come, more of it does not make the wait longer.
        let fixed = stream.leaves.filter(|(all, _)| *all && complete);
        stream.leaves = Some(fixed.unwrap_or((complete, until)));
        out.push(Command::Wake { after });
    }

    /// Time has passed: for players, and for responses without end that are left now.
    fn tick(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        for number in self.streams.numbers() {
            self.tell(number, News::Tick, at, out)?;
            let leaves = self.streams.get(number).and_then(|stream| stream.leaves);
            if leaves.is_some_and(|(_, until)| until <= at.0) {
                self.line.sender.reset(number, CANCEL);
                self.emit(number, None, at, out);
            }
        }
        self.line.sender.pump(out);
        Ok(())
    }

    /// Emits a stream whose answer is complete. What is left of its request need not be sent.
    fn answered(&mut self, number: u32, now: Moment, out: &mut Vec<Command>) {
        if self.streams.get(number).is_some_and(|stream| stream.response.last) {
            if self.line.sender.is_open(number) {
                self.line.sender.reset(number, CANCEL);
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
        let Some(stream) = self.streams.remove(number) else { return };
        let Stream { id, request, method, started, response, leaves, .. } = stream;
        let left = leaves.is_some() && failure.is_none() && !response.last;
        let response = match left {
            true => response.ended_by_client(method, self.limits),
            false => response.response(method, self.limits),
        };
        let exchange =
            Exchange { request, response, failure, connection: 0, unit: None, started, finished };
        out.push(Command::Emit { id, exchange: Box::new(exchange) });
    }

    fn closed(&mut self, how: Ending, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        for number in self.streams.numbers() {
            self.tell(number, News::Closed(Peer::Server, how), at, out)?;
        }
        self.over = true;
        let failure = self.farewell.failure(how);
        while let Some(number) = self.streams.first_above(0) {
            self.emit(number, Some(failure), at, out);
        }
        for Held { id, request, at: started, .. } in std::mem::take(&mut self.held) {
            let (failure, finished) = (Some(failure), at);
            let exchange = Exchange { request, failure, started, finished, ..Exchange::default() };
            out.push(Command::Emit { id, exchange: Box::new(exchange) });
        }
        Ok(())
    }
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { id, request, recorded, at } if !self.over => {
                self.request(id, request, recorded, at, out)
            }
            Event::Request { .. } => Err(malformed("a request after the connection has ended")),
            Event::Data { from: Peer::Server, bytes, at } if !self.over => {
                self.server(bytes, at, out)
            }
            Event::Closed { from: Peer::Server, how, at } if !self.over => {
                self.closed(how, at, out)
            }
            Event::Tick { at } if !self.over => self.tick(at, out),
            Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
