//! Plays the server: answers what concerns only the connection by itself, and asks for the replies to
//! all other commands.
//!
//! Only one question is out at a time; what the client sends meanwhile waits. Replies are never
//! compressed or streamed: a client that allows that must take them one by one as well.

use super::command::{self, Kind};
use super::inbox::{Inbox, Message};
use super::login::{Login, Step};
use super::message::{self, Said};
use super::{NAME, clock, hello, reply};
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Failure, Map, Moment, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The number of every connection, as servers tell it in their greeting.
const CONNECTION: u32 = 1;

/// A command whose reply is asked for.
#[derive(Debug)]
struct Waiting {
    number: u32,
    said: Said,
    command: command::Command,
    /// What to say when the recording has no error; for logins.
    prepared: Option<Value>,
}

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    inbox: Inbox,
    next: u64,
    /// The number of the last message that was sent.
    sent: u32,
    waiting: Option<Waiting>,
    login: Login,
    /// Replies tell a logical time.
    tells_time: bool,
    words: Arc<[String]>,
    client_ended: bool,
    over: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits, words: Arc<[String]>) -> Self {
        Responder {
            inbox: Inbox::new(limits),
            next: 1,
            sent: 0,
            waiting: None,
            login: Login::default(),
            tells_time: false,
            words,
            client_ended: false,
            over: false,
        }
    }

    /// Reads on until a question is out.
    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while self.waiting.is_none() && !self.over {
            let Some(message) = self.inbox.message(now)? else { break };
            self.message(&message, out)?;
        }
        Ok(())
    }

    fn message(&mut self, message: &Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        let said = message::read(message)?;
        let mut command = command::read(&said)?;
        if let Some(cursor) = command.cursor().filter(|cursor| *cursor < 0) {
            command.waits(cursor.saturating_neg());
        }
        let mut waiting = Waiting { number: message.id, said, command, prepared: None };
        match waiting.command.kind {
            Kind::Housekeeping => {
                let done = housekeeping(&waiting);
                self.send(&waiting, &done, out)
            }
            Kind::Authentication => {
                let name = &waiting.command.name;
                match self.login.take(name, &waiting.said, &self.words) {
                    Step::On(reply) | Step::Out(reply) => return self.send(&waiting, &reply, out),
                    Step::In(reply) => waiting.prepared = Some(reply),
                }
                self.ask(waiting, message.at, out);
                Ok(())
            }
            Kind::Ordinary | Kind::Hello => {
                self.ask(waiting, message.at, out);
                Ok(())
            }
        }
    }

    fn ask(&mut self, about: Waiting, at: Moment, out: &mut Vec<Command>) {
        let request = about.command.request.clone();
        out.extend(about.command.unit.map(Command::Within));
        out.push(Command::Ask { id: ExchangeId(self.next), request, at });
        self.waiting = Some(about);
    }

    /// Sends a reply, unless none is wanted.
    fn send(
        &mut self,
        to: &Waiting,
        document: &Value,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if to.said.more_to_come {
            return Ok(());
        }
        self.sent = self.sent.wrapping_add(1);
        let mut document = Cow::Borrowed(document);
        if self.tells_time
            && let Value::Map(reply) = document.to_mut()
        {
            clock::tell(reply);
        }
        let bytes = message::write(self.sent, to.number, to.said.form, &document)?;
        out.push(Command::Send { to: Peer::Client, bytes: Bytes::from(bytes) });
        Ok(())
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        out.push(Command::Close { to: Peer::Client, how });
    }

    /// Tells the client too why there is no reply: it would only ask again on another connection.
    fn unwritable(&mut self, to: &Waiting, error: WireError, out: &mut Vec<Command>) -> WireError {
        let why = format!("rehearsal: failed to {error}");
        match self.send(to, &reply::refusal(8, "UnknownError", &why), out) {
            Ok(()) => error,
            Err(other) => other,
        }
    }

    fn answer(&mut self, answer: Answer, out: &mut Vec<Command>) -> Result<(), WireError> {
        let Some(mut waiting) = self.waiting.take() else { return Ok(()) };
        self.next += 1;
        match answer {
            Answer::Response(mut response) => {
                if waiting.command.kind == Kind::Hello
                    && let Some(Value::Map(fields)) = response.get_mut("fields")
                {
                    self.tells_time = clock::is_told_by(fields);
                    hello::write(&waiting.said, CONNECTION, fields);
                }
                let document = match waiting.prepared.take() {
                    Some(prepared) if response.get("error").is_none() => Ok(prepared),
                    _ => reply::write(&waiting.command, &response),
                };
                let sent = document.and_then(|document| self.send(&waiting, &document, out));
                sent.map_err(|error| self.unwritable(&waiting, error, out))
            }
            // It follows from an error before, and would only hide that one from the app.
            Answer::Miss(_) if waiting.command.name == "abortTransaction" => {
                self.send(&waiting, &reply::done(Map::new()), out)
            }
            Answer::Miss(miss) => self.send(&waiting, &reply::miss(&miss), out),
            Answer::Failure(Failure::Closed) | Answer::Broken(_, Failure::Closed) => {
                self.end(Ending::Finished, out);
                Ok(())
            }
            Answer::Failure(_) | Answer::Broken(..) | Answer::Incomplete => {
                self.end(Ending::Reset, out);
                Ok(())
            }
        }
    }
}

/// What is said to commands that concern sessions and cursors, of which there are none here.
fn housekeeping(asked: &Waiting) -> Value {
    let mut more = Map::new();
    if asked.command.name == "killCursors" {
        let killed = asked.said.document.get("cursors").cloned();
        more.push_new("cursorsKilled", killed.unwrap_or_else(|| Value::List(Vec::new())));
        for key in ["cursorsNotFound", "cursorsAlive", "cursorsUnknown"] {
            more.push_new(key, Value::List(Vec::new()));
        }
    }
    reply::done(more)
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from: Peer::Client, bytes, at } => {
                let limit = self.inbox.limit().saturating_mul(2);
                if self.inbox.len() + bytes.len() > limit {
                    let what = "what the client sent without an answer";
                    return Err(WireError::TooLarge { protocol: NAME, what, limit });
                }
                self.inbox.push(bytes, at);
                self.read(at, out)?;
            }
            Event::Answer { id, answer, at } if id == ExchangeId(self.next) => {
                self.answer(answer, out)?;
                self.read(at, out)?;
            }
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => self.over = true,
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            _ => {}
        }
        if self.client_ended && self.waiting.is_none() && !self.over {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
