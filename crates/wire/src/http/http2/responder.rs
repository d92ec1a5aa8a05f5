//! Plays the server: asks for the answer of each stream's request and sends it as there is room.
//!
//! Streams are answered as their answers come, whatever their order. Nothing is ever pushed.

use super::converse::{self, News};
use super::frames;
use super::half::Half;
use super::intake::Intake;
use super::reader::{Reader, Said};
use super::script::Script;
use super::sender::{After, INTERNAL_ERROR, REFUSED_STREAM, Sender};
use super::table::Raw;
use super::turns::is_call_of;
use super::{malformed, settings, write};
use crate::grpc::Counter;
use crate::http::backlog::Backlog;
use crate::http::head::{Head, Method};
use crate::http::responder::problem;
use crate::http::upgrade::{self, Offer};
use crate::http::{endless, fields};
use crate::websocket::Player;
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, ResetCode, Value, stream};
use std::collections::BTreeMap;

/// The state of a connection to a mock.
pub(in crate::http) struct Responder {
    limits: Limits,
    reader: Reader,
    sender: Sender,
    intake: Intake,
    /// Streams that are not answered.
    streams: BTreeMap<u32, Stream>,
    /// The last stream that the client began.
    highest: u32,
    backlog: Backlog,
    /// No stream above this one is heard any more, as the client was told.
    deaf: Option<u32>,
    /// The client will send no more.
    finished: bool,
    over: bool,
}

struct Stream {
    started: Moment,
    method: Method,
    progress: Progress,
    talk: Option<Talk>,
    intake: Intake,
    /// What the backlog has of it.
    size: usize,
    /// Of a request that asks for a WebSocket.
    opening: Option<Box<Opening>>,
}

/// A request for a WebSocket.
#[derive(Default)]
struct Opening {
    offer: Offer,
    request: Map,
    /// What the client says before it is answered.
    early: Vec<u8>,
}

/// A call of gRPC, which may be answered while it is still being said.
#[derive(Default)]
struct Talk {
    messages: Counter,
    /// Of how many messages it was last asked what to say.
    asked: Option<usize>,
    /// What was asked is not answered: until then nobody knows whether the call is heard to its end.
    waits: bool,
    /// It was answered by a recorded call.
    known: bool,
    script: Option<Script>,
    /// After how many messages the recorded call was over without being ended: what else the client says
    /// is not heard, and so no part of the call.
    open: Option<usize>,
}

impl Talk {
    /// Whether the call is over unheard.
    fn is_over(&self) -> bool {
        !self.waits && self.open.is_some_and(|count| self.asked >= Some(count))
    }

    /// After how many messages the call is known to be over unheard.
    fn heard(&self) -> Option<usize> {
        self.open.filter(|_| self.known && self.is_over())
    }

    /// Of how many messages it is to be asked what to say, when something may be due; `whole` when no more
    /// will come.
    fn to_ask(&self, whole: bool) -> Option<usize> {
        let came = self.messages.complete();
        let due = self.script.as_ref().and_then(Script::next_due);
        // The call may be another one yet than that which is over after so many.
        let open = self.open.filter(|count| *count <= came && self.asked < Some(*count));
        let next = !whole && self.asked != Some(came) && (came <= EACH || due == Some(came));
        open.or(next.then_some(came)).filter(|_| !self.waits)
    }

    /// Takes what the call may become.
    fn begin(&mut self, response: &Map, method: Method) {
        let count = |value: &Value| value.as_i64().and_then(|it| usize::try_from(it).ok());
        self.open = response.get("open").and_then(count);
        let after = response.get("turns").and_then(Value::as_list).unwrap_or_default();
        let after = after.iter().filter_map(count).collect();
        // Of a call that failed there is nothing to say.
        let Ok(outgoing) = write::response(response, method, true) else { return };
        // A head that has the status is all there is of an answer.
        let fields = fields::each(response.get("headers"));
        let eager = fields.iter().all(|(name, _)| *name != "grpc-status");
        self.script = Some(Script::of_response(outgoing, eager, after, self.script.take()));
    }
}

/// The mark of the numbers by which it is asked how a request goes on, and not for its answer.
const SO_FAR: u64 = 1 << 40;

/// Up to how many messages it is asked at each of them; then at those that are waited for.
const EACH: usize = 16;

/// How far a request is.
enum Progress {
    /// It is being read.
    Coming(Half),
    /// Its answer was asked for.
    Asked,
    /// The client waited in vain when this was recorded, so that it does again.
    Silent,
    /// It has become a WebSocket.
    Conversing(Box<Player>),
}

impl Responder {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        Responder {
            limits,
            reader: Reader::of_client(limits),
            sender: Sender::new(Peer::Client),
            intake: Intake::default(),
            streams: BTreeMap::new(),
            highest: 0,
            backlog: Backlog::new(limits),
            deaf: None,
            finished: false,
            over: false,
        }
    }

    fn client(
        &mut self,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.reader.push(bytes, at);
        while let Some(said) = self.reader.next(at)? {
            self.said(said, at, out)?;
        }
        self.settle(out);
        Ok(())
    }

    fn said(&mut self, said: Said, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        match said {
            Said::Fields { stream, fields, last, at } => {
                if stream > self.highest && !self.begin(stream, at)? {
                    return Ok(());
                }
                self.fields(stream, fields, last)?;
                self.ask_so_far(stream, out);
                self.ask(stream, false, out);
            }
            Said::Data { stream, bytes, size, last } => {
                self.intake.of_connection(size, &mut self.sender)?;
                let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
                if !last {
                    open.intake.of_stream(stream, size, &mut self.sender)?;
                }
                if let Progress::Coming(half) = &mut open.progress {
                    let (kept, before) = half.data(&bytes, last, self.limits);
                    open.size = open.size + kept - before;
                    self.backlog.remove(before);
                    self.backlog.add(kept)?;
                    if let Some(talk) = &mut open.talk {
                        talk.messages.push(&bytes);
                    }
                    self.go_on(stream, out);
                    self.ask_so_far(stream, out);
                    self.ask(stream, false, out);
                    return Ok(());
                }
                self.heard(stream, &bytes, last, now, out)?;
            }
            Said::Reset { stream, .. } => {
                self.tell(stream, News::Closed(Peer::Client, Ending::Reset), now, out)?;
                // It was made all the same.
                if self.streams.get(&stream).is_some_and(|open| open.talk.is_some()) {
                    self.ask(stream, true, out);
                }
                self.sender.forget(stream);
                self.forget(stream);
            }
            Said::Settings(settings) => self.sender.settle(&settings),
            Said::Ping(payload) => self.sender.frame(frames::PING, frames::ACK, 0, &payload),
            Said::Window { stream, by } => self.sender.grant(stream, by)?,
            Said::GoAway { .. } | Said::Nothing => {}
        }
        Ok(())
    }

    /// Takes a new stream; false when there are too many.
    fn begin(&mut self, stream: u32, started: Moment) -> Result<bool, WireError> {
        if stream.is_multiple_of(2) {
            return Err(malformed("a stream of the client with an even number"));
        }
        if self.deaf.is_some_and(|last| stream > last) {
            return Ok(false);
        }
        self.highest = stream;
        if self.streams.len() >= self.limits.in_flight {
            self.sender.reset(stream, REFUSED_STREAM);
            return Ok(false);
        }
        self.sender.open(stream);
        let progress = Progress::Coming(Half::new());
        let (method, intake) = (Method::Other, Intake::default());
        let (talk, opening) = (None, None);
        let begun = Stream { started, method, progress, talk, intake, size: 0, opening };
        self.streams.insert(stream, begun);
        Ok(true)
    }

    fn fields(&mut self, stream: u32, fields: Vec<Raw>, last: bool) -> Result<(), WireError> {
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
        let Progress::Coming(half) = &mut open.progress else { return Ok(()) };
        let waits = !last && half.head().is_none() && expects_continue(&fields);
        let size = half.request_fields(fields, last)?;
        open.size += size;
        open.method = half.head().map_or(Method::Other, Head::method);
        if !last && open.talk.is_none() && half.head().is_some_and(is_call_of) {
            open.talk = Some(Talk::default());
        }
        self.backlog.add(size)?;
        if waits {
            self.sender.section(stream, &write::continues(), false);
        }
        Ok(())
    }

    /// Asks how a call goes on of which so much has come, when something may be due.
    fn ask_so_far(&mut self, number: u32, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let (Progress::Coming(half), Some(talk)) = (&stream.progress, &mut stream.talk) else {
            return;
        };
        let Some(count) = talk.to_ask(half.last) else { return };
        let mut half = half.clone();
        half.shorten(count);
        let Some(mut request) = half.request(self.limits) else { return };
        (talk.asked, talk.waits) = (Some(count), true);
        request.push_new("so-far", true);
        let id = ExchangeId(u64::from(number) | SO_FAR);
        out.push(Command::Ask { id, request, at: stream.started });
    }

    /// Takes what a call may become, and says what of its answer is due.
    fn begin_answer(&mut self, number: u32, answer: Answer, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let Some(talk) = &mut stream.talk else { return };
        talk.waits = false;
        talk.known = matches!(answer, Answer::Response(_));
        if let Answer::Response(response) = answer {
            talk.begin(&response, stream.method);
        }
        self.go_on(number, out);
        // More may have come while it was asked.
        self.ask_so_far(number, out);
        self.ask(number, false, out);
        self.settle(out);
    }

    /// Says what is due of an answer; asks for the answer to a call that is never ended.
    fn go_on(&mut self, number: u32, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let Some(talk) = &mut stream.talk else { return };
        let came = talk.messages.complete();
        if let (Some(script), Progress::Coming(_)) = (&mut talk.script, &stream.progress) {
            script.go_on(number, came, &mut self.sender);
        }
        if talk.is_over() {
            self.ask(number, true, out);
        }
    }

    /// Asks for the answer to a request that is complete, or to a wish for a tunnel, or at any rate.
    fn ask(&mut self, number: u32, at_any_rate: bool, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let waits = stream.talk.as_ref().is_some_and(|talk| talk.waits);
        let Progress::Coming(half) = &mut stream.progress else { return };
        let complete = half.last || stream.method == Method::Connect;
        if !at_any_rate && (waits || !complete) {
            return;
        }
        let mut half = std::mem::replace(half, Half::new());
        if let Some(heard) = stream.talk.as_ref().and_then(Talk::heard) {
            half.shorten(heard);
        }
        let opens = half.head().filter(|head| converse::is_opening(head));
        let offer = opens.map(|head| Offer::of(&head.fields));
        let Some(request) = half.request(self.limits) else { return };
        stream.progress = Progress::Asked;
        stream.opening = offer.map(|offer| {
            Box::new(Opening { offer, request: request.clone(), ..Opening::default() })
        });
        let id = ExchangeId(number.into());
        out.push(Command::Ask { id, request, at: stream.started });
    }

    fn forget(&mut self, stream: u32) -> Option<Stream> {
        let forgotten = self.streams.remove(&stream)?;
        self.backlog.remove(forgotten.size);
        Some(forgotten)
    }

    fn answer(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if id.0 & SO_FAR != 0 {
            self.begin_answer(u32::try_from(id.0 ^ SO_FAR).unwrap_or(0), answer, out);
            return Ok(());
        }
        let number = u32::try_from(id.0).unwrap_or(0);
        // A stream that its client has given up is not answered.
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
        if answer == Answer::Failure(Failure::TimedOut) {
            stream.progress = Progress::Silent;
        } else if let Some(response) = conversation(stream, &answer) {
            self.converse(number, response, at, out)?;
        } else if let Some(stream) = self.forget(number) {
            let script = stream.talk.and_then(|talk| talk.script);
            self.say(number, stream.method, script, answer)?;
        }
        self.settle(out);
        Ok(())
    }

    /// Plays the messages of a WebSocket, which are a part of the answer that opened it.
    fn converse(
        &mut self,
        number: u32,
        mut response: Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
        let opening = stream.opening.take().unwrap_or_default();
        opening.offer.answer(&mut response);
        let outgoing = write::response(&response, Method::Connect, false);
        let extensions = upgrade::agreed_on_stream(&response).unwrap_or_default();
        let outgoing = match outgoing {
            Ok(outgoing) => outgoing,
            Err(error) => {
                self.forget(number);
                let outgoing = write::response(&wrong(&error), Method::Connect, false)?;
                self.sender.say(number, outgoing, After::End);
                return Ok(());
            }
        };
        self.sender.begin(number, &outgoing.sections);
        let recorded = response.clone();
        let request = opening.request;
        let response = Some(response);
        let exchange = Exchange { request, response, started: at, ..Exchange::default() };
        let id = ExchangeId(number.into());
        let player = Player::new(Peer::Server, id, exchange, &recorded, extensions, self.limits);
        stream.progress = Progress::Conversing(Box::new(player));
        self.tell(number, News::Opened, at, out)?;
        self.tell(number, News::Data(&opening.early), at, out)
    }

    /// Tells the player of a stream what happened there, if there is one.
    fn tell(
        &mut self,
        number: u32,
        news: News<'_>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
        let Progress::Conversing(player) = &mut stream.progress else { return Ok(()) };
        if !converse::play(player, number, news, at, &mut self.sender, out)? {
            self.forget(number);
        }
        Ok(())
    }

    /// Takes content of a stream whose request is complete, or that has become a WebSocket.
    fn heard(
        &mut self,
        number: u32,
        bytes: &[u8],
        last: bool,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
        if let Some(opening) = &mut stream.opening {
            return self.backlog.keep(&mut opening.early, bytes);
        }
        self.tell(number, News::Data(bytes), at, out)?;
        if last {
            self.tell(number, News::Closed(Peer::Client, Ending::Finished), at, out)?;
        }
        Ok(())
    }

    /// Tells all players.
    fn tell_all(
        &mut self,
        news: impl Fn() -> News<'static>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let streams: Vec<u32> = self.streams.keys().copied().collect();
        streams.into_iter().try_for_each(|stream| self.tell(stream, news(), at, out))
    }

    fn say(
        &mut self,
        stream: u32,
        method: Method,
        script: Option<Script>,
        answer: Answer,
    ) -> Result<(), WireError> {
        let (response, after) = match answer {
            Answer::Response(response) if endless::is_endless(&response) => {
                (response, After::Silence)
            }
            Answer::Response(response) => (response, After::End),
            Answer::Miss(miss) => (problem(502, miss.message, miss.details), After::End),
            Answer::Failure(Failure::UnheardBy(code))
            | Answer::Broken(_, Failure::UnheardBy(code)) => {
                self.hear_no_more(stream, code);
                return Ok(());
            }
            Answer::Failure(failure) => {
                match after(failure) {
                    After::Close(code) => self.sender.closes = Some(code),
                    After::Reset(code) => self.sender.reset(stream, code),
                    After::End | After::Silence | After::More => {}
                }
                return Ok(());
            }
            Answer::Broken(response, failure) => (response, after(failure)),
            Answer::Incomplete => {
                let message = "no mock answers this request, which is complete";
                (problem(502, message.to_owned(), Value::Null), After::End)
            }
        };
        match write::response(&response, method, after != After::End) {
            Ok(outgoing) => match script {
                Some(script) => script.finish(stream, outgoing, after, &mut self.sender),
                None => self.sender.say(stream, outgoing, after),
            },
            Err(error) => {
                let problem = wrong(&error);
                let outgoing = write::response(&problem, method, false)?;
                self.sender.say(stream, outgoing, After::End);
            }
        }
        Ok(())
    }

    /// Says of a stream that it was not heard, nor any above it, and why (RFC 9113, section 6.8): clients may
    /// ask for it again on another connection.
    fn hear_no_more(&mut self, stream: u32, code: ResetCode) {
        let last = stream.saturating_sub(2);
        if self.deaf.is_none_or(|told| told > last) {
            self.deaf = Some(last);
            let payload = [last.to_be_bytes(), code.0.to_be_bytes()].concat();
            self.sender.frame(frames::GOAWAY, 0, 0, &payload);
        }
        self.sender.forget(stream);
    }

    /// Sends what can be sent, and ends the connection when it is time.
    fn settle(&mut self, out: &mut Vec<Command>) {
        if self.over {
            return;
        }
        self.sender.pump(out);
        let silent = |stream: &Stream| match &stream.progress {
            Progress::Coming(half) => !half.last,
            Progress::Asked => false,
            Progress::Silent | Progress::Conversing(_) => true,
        };
        let heard = |stream: &u32| self.deaf.is_some_and(|last| *stream <= last);
        let answered = self.deaf.is_some() && !self.streams.keys().any(heard);
        let done = answered || self.finished && self.streams.values().all(silent);
        let code = self.sender.closes.or((done && self.sender.is_done()).then_some(0));
        if let Some(code) = code {
            self.over = true;
            let last = self.deaf.unwrap_or(self.highest);
            if self.deaf.is_none() || code != 0 {
                let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
                self.sender.frame(frames::GOAWAY, 0, 0, &payload);
            }
            self.sender.flush(out);
            out.push(Command::Close { to: Peer::Client, how: Ending::Finished });
        }
    }

    /// Tells a client that what it sent cannot be read.
    fn refuse(&mut self, error: &WireError, out: &mut Vec<Command>) {
        let code: u32 = match error {
            WireError::Malformed { .. } => 1,
            WireError::TooLarge { .. } => 11,
            WireError::Unwritable { .. } => 2,
        };
        let words = error.to_string();
        let payload = [&self.highest.to_be_bytes()[..], &code.to_be_bytes(), words.as_bytes()];
        self.sender.frame(frames::GOAWAY, 0, 0, &payload.concat());
        self.sender.flush(out);
    }

    fn closed(&mut self, how: Ending, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.tell_all(|| News::Closed(Peer::Client, how), at, out)?;
        self.finished = true;
        match how {
            Ending::Reset => self.over = true,
            Ending::Finished => self.settle(out),
        }
        Ok(())
    }
}

/// What says that a mock cannot be served.
fn wrong(error: &WireError) -> Map {
    problem(502, format!("the mock is wrong: {error}"), Value::Null)
}

/// The answer of a stream that becomes a WebSocket by it.
fn conversation(stream: &Stream, answer: &Answer) -> Option<Map> {
    let Answer::Response(response) = answer else { return None };
    let opens = stream.opening.is_some() && stream::conversation(response).is_some();
    (opens && upgrade::agreed_on_stream(response).is_some()).then(|| response.clone())
}

fn after(failure: Failure) -> After {
    match failure {
        Failure::Closed => After::Close(0),
        Failure::ClosedBy(code) | Failure::UnheardBy(code) => After::Close(code.0),
        Failure::TimedOut => After::Silence,
        Failure::Refused | Failure::Unreachable | Failure::Reset => After::Reset(INTERNAL_ERROR),
        Failure::ResetBy(code) => After::Reset(code.0),
    }
}

fn expects_continue(fields: &[Raw]) -> bool {
    fields
        .iter()
        .any(|(name, value)| name == b"expect" && value.eq_ignore_ascii_case(b"100-continue"))
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Opened { .. } => {
                let streams = Some(self.limits.in_flight);
                self.sender.raw(|bytes| settings::write_ours(streams, bytes));
                self.sender.flush(out);
                Ok(())
            }
            Event::Data { from: Peer::Client, bytes, at } => {
                self.client(bytes, at, out).inspect_err(|error| self.refuse(error, out))
            }
            Event::Answer { id, answer, at } => self.answer(id, answer, at, out),
            Event::Closed { from: Peer::Client, how, at } => self.closed(how, at, out),
            Event::Tick { at } => {
                self.tell_all(|| News::Tick, at, out)?;
                self.settle(out);
                Ok(())
            }
            Event::Data { from: Peer::Server, .. }
            | Event::Closed { from: Peer::Server, .. }
            | Event::TlsReady { .. }
            | Event::Request { .. } => Ok(()),
        }
    }
}
