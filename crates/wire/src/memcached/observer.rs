//! Watches both peers: matches what the server says with what the client asked, in order.
//!
//! Some commands get no reply, and quiet ones only when something is not as usual; then the reply
//! itself says by its kind, its key or its mark whose it is.

use super::asked::{Asked, Replies};
use super::inbox::Inbox;
use super::lines::{Lines, words};
use super::reply::{self, Line};
use super::{MOST_WAITING, NAME, malformed};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use std::collections::VecDeque;

use Peer::{Client, Server};

/// A command that the server may yet answer.
#[derive(Debug)]
struct Waiting {
    id: ExchangeId,
    asked: Asked,
    at: Moment,
}

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    client: Inbox,
    server: Lines,
    next: u64,
    waiting: VecDeque<Waiting>,
    /// The lines of the reply that is coming.
    lines: Vec<Line>,
    /// How many bytes they have.
    size: usize,
    limit: usize,
    /// When the last reply was complete: the server takes one command after the other.
    last: Moment,
    client_ended: bool,
    over: bool,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            client: Inbox::new(limits.body),
            server: Lines::new(limits.body),
            next: 1,
            waiting: VecDeque::new(),
            lines: Vec::new(),
            size: 0,
            limit: limits.body,
            last: Moment::default(),
            client_ended: false,
            over: false,
        }
    }

    fn client(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while let Some((asked, at)) = self.client.command(now)? {
            if asked.name() == b"watch" {
                return self.leave(&asked, out);
            }
            if self.waiting.len() >= MOST_WAITING {
                let what = "the number of commands without a reply";
                return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST_WAITING });
            }
            let id = ExchangeId(self.next);
            self.next += 1;
            out.push(Command::Begin { id, at });
            self.waiting.push_back(Waiting { id, asked, at });
            self.pass_silent(now, out);
        }
        Ok(())
    }

    /// The connection turns into a log: it is carried on as such, with the command that did it.
    fn leave(&mut self, asked: &Asked, out: &mut Vec<Command>) -> Result<(), WireError> {
        if !self.waiting.is_empty() {
            return Err(malformed("watch behind commands without a reply"));
        }
        let line = asked.words.join(&b' ');
        let client = [&line, &b"\r\n"[..], &self.client.take()].concat();
        let (client, server) = (Bytes::from(client), self.server.take());
        self.over = true;
        out.push(Command::Become { protocol: "opaque", client, server });
        Ok(())
    }

    /// Takes the commands as done that the server never answers.
    fn pass_silent(&mut self, now: Moment, out: &mut Vec<Command>) {
        while let Some(front) = self.waiting.pop_front() {
            if front.asked.replies() != Replies::Never {
                self.waiting.push_front(front);
                return;
            }
            self.emit(front, Map::new(), now, out);
        }
    }

    fn line(&mut self, line: Line, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.lines.is_empty() {
            let place = self.waiting.iter().position(|waiting| fits(&waiting.asked, &line.0));
            // Those before it were quiet, and had nothing to say.
            let Some(place) = place.filter(|place| self.are_quiet(*place)) else {
                return Err(malformed("a reply that nobody asked for"));
            };
            for quiet in self.waiting.drain(..place).collect::<Vec<_>>() {
                self.emit(quiet, Map::new(), now, out);
            }
        }
        let Some(front) = self.waiting.front() else { return Ok(()) };
        self.size += line.0.len() + line.1.as_ref().map_or(0, Bytes::len);
        if self.size > self.limit {
            return Err(WireError::TooLarge { protocol: NAME, what: "a reply", limit: self.limit });
        }
        let goes_on = reply::goes_on(front.asked.name(), &line.0);
        self.lines.push(line);
        if goes_on {
            return Ok(());
        }
        let Some(front) = self.waiting.pop_front() else { return Ok(()) };
        self.size = 0;
        let response = reply::show(front.asked.name(), std::mem::take(&mut self.lines))?;
        self.emit(front, response, now, out);
        self.pass_silent(now, out);
        Ok(())
    }

    fn are_quiet(&self, count: usize) -> bool {
        let quiet = |waiting: &Waiting| waiting.asked.replies() != Replies::Always;
        self.waiting.iter().take(count).all(quiet)
    }

    fn emit(&mut self, done: Waiting, response: Map, now: Moment, out: &mut Vec<Command>) {
        // Replies that come together were made one after the other, before now.
        let started = done.at.max(self.last);
        let finished = if self.server.is_empty() { now } else { now.min(Moment(started.0 + 1)) };
        self.last = finished;
        let request = done.asked.request();
        let response = Some(response);
        let exchange = Exchange { request, response, started, finished, ..Exchange::default() };
        out.push(Command::Emit { id: done.id, exchange: Box::new(exchange) });
    }

    fn ended(&mut self, how: Ending, now: Moment, out: &mut Vec<Command>) {
        self.over = true;
        let failure = match how {
            _ if self.client_ended => Failure::TimedOut,
            Ending::Reset => Failure::Reset,
            Ending::Finished => Failure::Closed,
        };
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.asked.replies() != Replies::Always {
                self.emit(waiting, Map::new(), now, out);
                continue;
            }
            let exchange = Exchange {
                request: waiting.asked.request(),
                failure: Some(failure),
                started: waiting.at,
                finished: now,
                ..Exchange::default()
            };
            out.push(Command::Emit { id: waiting.id, exchange: Box::new(exchange) });
        }
    }
}

/// Whether a line may be the reply to a command.
fn fits(asked: &Asked, line: &[u8]) -> bool {
    let words = words(line);
    let kind = words.first().copied().unwrap_or_default();
    if reply::is_error(line) {
        return true;
    }
    if !asked.is_meta() {
        return !matches!(kind, b"VA" | b"HD" | b"EN" | b"NF" | b"NS" | b"EX" | b"MN" | b"ME");
    }
    let quiet = asked.replies() == Replies::Quietly;
    let gives = asked.flag(b'v').is_some();
    let fits = match (kind, asked.name()) {
        (b"MN", b"mn") | (b"ME", b"me") | (b"EN", b"me") => true,
        (b"VA", b"mg" | b"ma") => gives,
        (b"HD", b"mg") => !gives,
        (b"EN", b"mg") | (b"HD", b"ms" | b"md") => !quiet,
        (b"HD", b"ma") => !quiet && !gives,
        (b"NS" | b"NF" | b"EX", b"ms" | b"md" | b"ma") => true,
        _ => false,
    };
    let has = |letter: u8| words.iter().skip(1).find(|word| word.first() == Some(&letter));
    let same_mark = match (asked.flag(b'O'), has(b'O')) {
        (Some(mark), Some(told)) => **mark == **told,
        (None, Some(_)) => false,
        _ => true,
    };
    let same_key = match (asked.flag(b'k'), has(b'k'), asked.words.get(1)) {
        (Some(_), Some(told), Some(key)) => told[1..] == **key,
        _ => true,
    };
    fits && same_mark && same_key
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                self.client(at, out)?;
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes);
                while let Some(line) = self.server.next(reply::announced)? {
                    self.line(line, at, out)?;
                }
            }
            Event::Closed { from: Server, how, at } => self.ended(how, at, out),
            Event::Closed { from: Client, how, at } => {
                self.client_ended = true;
                if how == Ending::Reset {
                    self.ended(how, at, out);
                }
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
