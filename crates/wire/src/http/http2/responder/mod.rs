//! Plays the server: asks for the answer of each stream's request and sends it as there is room.
//!
//! Streams are answered as their answers come, whatever their order. Nothing is ever pushed.

mod answer;
mod stream;
mod talk;
mod tunnel;

use super::converse::News;
use super::half::Half;
use super::line::Line;
use super::reader::Said;
use super::sender::REFUSED_STREAM;
use super::streams::Streams;
use super::table::Raw;
use super::turns::is_call_of;
use super::{converse, settings, write};
use crate::http::head::{Head, Method};
use crate::http::upgrade::Offer;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{ExchangeId, Moment};
use stream::{Opening, Progress, Stream};
use talk::Talk;

/// The state of a connection to a mock.
pub(in crate::http) struct Responder {
    limits: Limits,
    line: Line,
    /// Streams that are not answered.
    streams: Streams<Stream>,
    /// No stream above this one is heard any more, as the client was told.
    deaf: Option<u32>,
    /// The client will send no more.
    finished: bool,
    over: bool,
}

impl Responder {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        Responder {
            limits,
            line: Line::to(Peer::Client, limits),
            streams: Streams::new(limits),
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
        self.line.push(bytes, at);
        while let Some(said) = self.line.next(at)? {
            self.said(said, at, out)?;
        }
        self.settle(out);
        Ok(())
    }

    fn said(&mut self, said: Said, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        match said {
            Said::Fields { stream, fields, last, at } => {
                if self.streams.begins(stream)? && !self.begin(stream, at) {
                    return Ok(());
                }
                self.fields(stream, fields, last)?;
                self.ask_so_far(stream, out);
                self.ask(stream, false, out);
            }
            Said::Data { stream, bytes, size, last } => {
                let Some(open) = self.streams.get_mut(stream) else { return Ok(()) };
                if !last {
                    open.intake.of_stream(stream, size, &mut self.line.sender)?;
                }
                if !open.is_coming() {
                    return self.heard(stream, &bytes, last, now, out);
                }
                if let Some(talk) = &mut open.talk {
                    talk.messages.push(&bytes);
                }
                self.streams.content(stream, Stream::coming, &bytes, last)?;
                self.go_on(stream, out);
                self.ask_so_far(stream, out);
                self.ask(stream, false, out);
            }
            Said::Reset { stream, .. } => {
                self.tell(stream, News::Closed(Peer::Client, Ending::Reset), now, out)?;
                // It was made all the same.
                if self.streams.get(stream).is_some_and(|open| open.talk.is_some()) {
                    self.ask(stream, true, out);
                }
                self.line.sender.forget(stream);
                self.streams.remove(stream);
            }
            Said::GoAway { .. }
            | Said::Settings(_)
            | Said::Ping(_)
            | Said::Window { .. }
            | Said::Nothing => {}
        }
        Ok(())
    }

    /// Takes a new stream; false when it is not heard, or there are too many.
    fn begin(&mut self, stream: u32, started: Moment) -> bool {
        if self.deaf.is_some_and(|last| stream > last) {
            return false;
        }
        if self.streams.len() >= self.limits.in_flight {
            self.streams.pass_over(stream);
            self.line.sender.reset(stream, REFUSED_STREAM);
            return false;
        }
        self.line.sender.open(stream);
        self.streams.insert(stream, Stream::new(started));
        true
    }

    fn fields(&mut self, stream: u32, fields: Vec<Raw>, last: bool) -> Result<(), WireError> {
        let Some(open) = self.streams.get_mut(stream) else { return Ok(()) };
        let Progress::Coming(half) = &mut open.progress else { return Ok(()) };
        let waits = !last && half.head().is_none() && expects_continue(&fields);
        let size = half.request_fields(fields, last)?;
        open.method = half.head().map_or(Method::Other, Head::method);
        if !last && open.talk.is_none() && half.head().is_some_and(is_call_of) {
            open.talk = Some(Talk::default());
        }
        self.streams.keep(stream, size)?;
        if waits {
            self.line.sender.section(stream, &write::continues(), false);
        }
        Ok(())
    }

    /// Asks for the answer to a request that is complete, or to a wish for a tunnel, or at any rate.
    fn ask(&mut self, number: u32, at_any_rate: bool, out: &mut Vec<Command>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
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

    /// Sends what can be sent, and ends the connection when it is time.
    fn settle(&mut self, out: &mut Vec<Command>) {
        if self.over {
            return;
        }
        self.line.sender.pump(out);
        let answered = self
            .deaf
            .is_some_and(|last| self.streams.first_above(0).is_none_or(|first| first > last));
        let done = answered || self.finished && self.streams.values().all(Stream::is_silent);
        let sender = &mut self.line.sender;
        let code = sender.closes.or((done && sender.is_done()).then_some(0));
        if let Some(code) = code {
            self.over = true;
            if self.deaf.is_none() || code != 0 {
                sender.go_away(self.deaf.unwrap_or(self.streams.highest()), code, "");
            }
            sender.flush(out);
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
        self.line.sender.go_away(self.streams.highest(), code, &error.to_string());
        self.line.sender.flush(out);
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
                self.line.sender.raw(|bytes| settings::write_ours(streams, bytes));
                self.line.sender.flush(out);
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
