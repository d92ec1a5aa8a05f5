//! Plays the server: asks what to answer to all bytes that are not answered yet.
//!
//! It does not know where a request ends. It asks each time that bytes come, and waits for more
//! when the answer is that a mock begins with them. A client that stops in the middle of a recorded
//! turn therefore gets no answer and no miss.

use super::lines::Lines;
use super::{NAME, STARTTLS, hidden, turn, writable};
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::{ExchangeId, Failure, Map, Moment, Value};

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    limit: usize,
    /// The turn that is being answered; asking again with more bytes keeps its number.
    id: ExchangeId,
    unanswered: BytesMut,
    /// When the first of `unanswered` came.
    since: Moment,
    /// When the first of `unanswered` came that was not asked about.
    since_asked: Moment,
    /// How many of `unanswered` were asked about, while an answer is awaited.
    asked: Option<usize>,
    client_ended: bool,
    over: bool,
    lines: Lines,
    /// How many of `unanswered` a mock begins with, and is not.
    begun: usize,
    /// Whether TLS has yet to be laid, as was recorded.
    turning: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            limit: limits.body,
            id: ExchangeId(1),
            unanswered: BytesMut::new(),
            since: Moment::default(),
            since_asked: Moment::default(),
            asked: None,
            client_ended: false,
            over: false,
            lines: Lines::default(),
            begun: 0,
            turning: false,
        }
    }

    fn ask(&mut self, out: &mut Vec<Command>) {
        let mut scan = self.lines.scan(&self.unanswered);
        let length = scan.until(self.begun, self.unanswered.len());
        if length <= self.begun && !self.unanswered.is_empty() {
            // The rest of a secret has to come first.
            return;
        }
        self.asked = Some(length);
        self.since_asked = self.since;
        let mut request = Map::from([("send", Value::from_bytes(&self.unanswered[..length]))]);
        scan.hidden.retain(|range| range.end <= length);
        hidden::mark(&mut request, &scan.hidden);
        out.push(Command::Ask { id: self.id, request, at: self.since });
    }

    fn data(&mut self, bytes: &[u8], at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.len() > self.limit - self.unanswered.len() {
            let what = "what the client sent without an answer";
            return Err(WireError::TooLarge { protocol: NAME, what, limit: self.limit });
        }
        if self.unanswered.is_empty() {
            self.since = at;
        }
        if self.asked == Some(self.unanswered.len()) {
            self.since_asked = at;
        }
        self.unanswered.extend_from_slice(bytes);
        if self.asked.is_none() {
            self.ask(out);
        }
        Ok(())
    }

    fn answer(
        &mut self,
        asked: usize,
        answer: Answer,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match answer {
            Answer::Response(reply) => self.respond(asked, &reply, out)?,
            Answer::Broken(reply, failure) => {
                self.respond(asked, &reply, out)?;
                if !self.over {
                    self.end(ending(failure), out);
                }
            }
            Answer::Incomplete => {
                self.begun = asked;
                if self.unanswered.len() > asked {
                    self.ask(out);
                }
            }
            Answer::Failure(failure) => self.end(ending(failure), out),
            Answer::Miss(_) => self.end(Ending::Reset, out),
        }
        Ok(())
    }

    fn respond(
        &mut self,
        asked: usize,
        reply: &Map,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let bytes = writable(reply, "receive")?;
        if !bytes.is_empty() {
            out.push(Command::Send { to: Peer::Client, bytes: Bytes::copy_from_slice(bytes) });
        }
        let answered =
            reply.get("asked").and_then(Value::as_map).map(|asked| writable(asked, "send"));
        let answered = answered.transpose()?;
        let length = answered.map(|it| self.lines.scan(&self.unanswered[..asked]).length_of(it));
        // Less than was asked: the client did not wait, as it did while it was recorded.
        let length = length.map_or(asked, |length| length.min(asked));
        if length == asked {
            self.since = self.since_asked;
        }
        self.lines.over(Some(&self.unanswered[..length]), bytes);
        self.unanswered.advance(length);
        (self.begun, self.id.0) = (0, self.id.0 + 1);
        if reply.get(STARTTLS) == Some(&Value::Bool(true)) {
            self.lines.secured();
            self.turning = true;
            // What came in the clear behind the command is no TLS, and fails as such.
            let unread = self.unanswered.split().freeze();
            out.push(Command::StartTls { with: Peer::Client, unread });
            return Ok(());
        }
        match reply.text("ends") {
            Some(turn::RESET) => self.end(Ending::Reset, out),
            Some(_) => self.end(Ending::Finished, out),
            None if !self.unanswered.is_empty() => self.ask(out),
            None => {}
        }
        Ok(())
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        self.unanswered = BytesMut::new();
        out.push(Command::Close { to: Peer::Client, how });
    }
}

fn ending(failure: Failure) -> Ending {
    match failure.without_code() {
        Failure::Closed => Ending::Finished,
        _ => Ending::Reset,
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Opened { at } => {
                self.since = at;
                self.ask(out);
            }
            Event::Data { from: Peer::Client, bytes, at } => self.data(bytes, at, out)?,
            Event::Answer { id, answer, .. } if id == self.id => {
                if let Some(asked) = self.asked.take() {
                    self.answer(asked, answer, out)?;
                }
            }
            Event::TlsReady { .. } => self.turning = false,
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => self.over = true,
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            Event::Data { .. }
            | Event::Closed { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        if self.client_ended && self.asked.is_none() && !self.turning && !self.over {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
