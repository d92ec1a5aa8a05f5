//! Plays the server: takes any credentials, answers what only prepares a statement by itself, and
//! asks for the results of those that are executed.
//!
//! A text may be prepared on any connection, whatever connection it was prepared on when it was
//! recorded. Only one question is out at a time; what the client sends meanwhile waits.

mod copying;

use super::columns::Column;
use super::fields::Fields;
use super::frames::Frames;
use super::function::{Call, Expected};
use super::inbox::{Inbox, Message};
use super::listening::Listening;
use super::plan::{Described, Plans, Portal, Statement};
use super::start::{self, Start};
use super::{NAME, copy, malformed, notice, outcome, reply, sql, unwritable};
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use copying::Copying;
use rehearsal_model::{ExchangeId, Failure, Map, Moment, Value};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Greeting,
    Ready,
    Over,
}

/// What the question that is out is about.
#[derive(Debug)]
enum Waiting {
    /// A connection, with the minor version of the protocol that the client would like.
    Connect(u32),
    /// Whether there is TLS.
    Tls,
    Query {
        text: Value,
        /// How many of its results were sent.
        sent: usize,
    },
    /// What comes before data are copied in.
    SoFar(Box<Copying>),
    Execute {
        portal: Arc<Portal>,
        describe: bool,
        most: usize,
    },
    Prepare,
    DescribeStatement(Arc<Statement>),
    DescribePortal(Arc<Portal>),
    Call(Expected),
}

impl Waiting {
    fn rolls_back(&self) -> bool {
        let text = match self {
            Waiting::Query { text, .. } => text.as_text(),
            Waiting::Execute { portal, .. } => portal.statement.sql.as_text(),
            _ => None,
        };
        text.is_some_and(sql::rolls_back)
    }
}

/// A portal's result and how far the client has read it.
#[derive(Debug)]
struct Served {
    result: Map,
    columns: Option<Vec<Column>>,
    rows_sent: usize,
}

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    limits: Limits,
    phase: Phase,
    inbox: Inbox,
    next: u64,
    plans: Plans,
    waiting: Option<Waiting>,
    copying: Option<Copying>,
    /// A portal that is to be described. If it is executed next, one question is enough.
    to_describe: Option<(Arc<Portal>, Moment)>,
    /// A message that waits for that.
    put_back: Option<Message>,
    served: HashMap<u64, Served>,
    /// An error was sent, and everything is passed over until the client synchronises.
    skipping: bool,
    /// The status of the transaction as ReadyForQuery says it.
    status: u8,
    frames: Frames,
    listening: Listening,
    client_ended: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            limits,
            phase: Phase::Greeting,
            inbox: Inbox::new(limits.body),
            next: 1,
            plans: Plans::default(),
            waiting: None,
            copying: None,
            to_describe: None,
            put_back: None,
            served: HashMap::new(),
            skipping: false,
            status: b'I',
            frames: Frames::default(),
            listening: Listening::default(),
            client_ended: false,
        }
    }

    /// Reads on until a question is out.
    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while self.waiting.is_none() && self.phase != Phase::Over {
            if self.phase == Phase::Greeting {
                let Some(message) = self.inbox.start(now)? else { return Ok(()) };
                self.greeting(&message, out)?;
                continue;
            }
            let message = match self.put_back.take() {
                Some(message) => message,
                None => match self.inbox.message(now)? {
                    Some(message) => message,
                    None => return Ok(()),
                },
            };
            self.message(message, out)?;
        }
        Ok(())
    }

    fn greeting(&mut self, message: &Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        match start::read(&message.body)? {
            Start::Gss => {
                out.push(Command::Send { to: Peer::Client, bytes: Bytes::from_static(b"N") });
            }
            Start::Tls => self.ask(Waiting::Tls, start::tls(), message.at, out),
            Start::Cancel => self.end(Ending::Finished, out),
            Start::Work { parameters, .. } if parameters.get("replication").is_some() => {
                self.phase = Phase::Over;
                let (client, server) = (self.inbox.take(), Bytes::new());
                out.push(Command::Become { protocol: "opaque", client, server });
            }
            Start::Work { minor, parameters } => {
                self.phase = Phase::Ready;
                let request = Map::from([("connect", parameters)]);
                self.ask(Waiting::Connect(minor), request, message.at, out);
            }
        }
        Ok(())
    }

    fn ask(&mut self, about: Waiting, request: Map, at: Moment, out: &mut Vec<Command>) {
        self.flush(out);
        self.waiting = Some(about);
        out.push(Command::Ask { id: ExchangeId(self.next), request, at });
    }

    fn flush(&mut self, out: &mut Vec<Command>) {
        if !self.frames.is_empty() {
            out.push(Command::Send { to: Peer::Client, bytes: self.frames.take() });
        }
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.flush(out);
        self.phase = Phase::Over;
        out.push(Command::Close { to: Peer::Client, how });
    }

    fn ready(&mut self) {
        let status = self.status;
        self.frames.add(b'Z', |out| out.push(status));
        if status == b'I' {
            self.served.clear();
        }
    }

    fn message(&mut self, message: Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        if let Some((portal, at)) = self.to_describe.take() {
            let executed = message.kind == b'E'
                && self.plans.executed(&message.body)?.0.number == portal.number;
            if executed {
                return self.execute(&message, true, out);
            }
            self.put_back = Some(message);
            let request = portal.statement.request(true);
            self.ask(Waiting::DescribePortal(portal), request, at, out);
            return Ok(());
        }
        if self.copying.is_some() {
            return self.copy_message(&message, out);
        }
        match message.kind {
            b'X' => self.end(Ending::Finished, out),
            b'S' => {
                self.skipping = false;
                self.ready();
                if self.status == b'I' {
                    self.plans.end_portals();
                }
            }
            // Credentials, a wish to have everything sent, and the rest of data that was refused.
            b'p' | b'H' | b'd' | b'c' | b'f' => {}
            b'Q' | b'P' | b'B' | b'D' | b'E' | b'C' | b'F' if self.skipping => {}
            b'Q' => self.query(&message, out)?,
            b'P' => {
                let request = self.plans.parse(&message.body)?.prepare();
                self.ask(Waiting::Prepare, request, message.at, out);
            }
            b'B' => self.bind(&message)?,
            b'D' => match self.plans.described(&message.body)? {
                Described::Statement(statement) if statement.is_unknown() => self.unknown(false),
                Described::Portal(portal) if portal.statement.is_unknown() => self.unknown(true),
                Described::Statement(statement) => {
                    let request = statement.request(false);
                    self.ask(Waiting::DescribeStatement(statement), request, message.at, out);
                }
                Described::Portal(portal) => self.to_describe = Some((portal, message.at)),
            },
            b'E' => self.execute(&message, false, out)?,
            b'C' => {
                if let Some(number) = self.plans.close(&message.body)? {
                    self.served.remove(&number);
                }
                self.frames.empty(b'3');
            }
            b'F' => {
                let call = Call::read(&message.body)?;
                let about = Waiting::Call(call.expected());
                self.ask(about, call.into_map(), message.at, out);
            }
            _ => return Err(malformed("a message of an unknown type")),
        }
        Ok(())
    }

    fn bind(&mut self, message: &Message) -> Result<(), WireError> {
        let (portal, replaced) = self.plans.bind(&message.body)?;
        if let Some(number) = replaced {
            self.served.remove(&number);
        }
        if portal.statement.is_unknown() {
            self.unknown(false);
        } else {
            self.frames.empty(b'2');
        }
        Ok(())
    }

    /// The client names a portal or a statement that it has not made.
    fn unknown(&mut self, portal: bool) {
        let (code, what) = match portal {
            true => ("34000", "portal does not exist"),
            false => ("26000", "prepared statement does not exist"),
        };
        reply::refuse(code, what, &mut self.frames);
        self.fail();
    }

    /// After an error in a pipeline.
    fn fail(&mut self) {
        self.skipping = true;
        if self.status == b'T' {
            self.status = b'E';
        }
    }

    fn query(&mut self, message: &Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        let text = Fields::new(&message.body).zero_ended()?;
        let text = Value::from_bytes(text);
        self.plans.declare(&text)?;
        let request = Map::from([("sql", text.clone())]);
        self.ask_or_copy(Waiting::Query { text, sent: 0 }, request, message.at, out);
        Ok(())
    }

    fn execute(
        &mut self,
        message: &Message,
        describe: bool,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let (portal, most) = self.plans.executed(&message.body)?;
        if portal.statement.is_unknown() {
            self.unknown(true);
            return Ok(());
        }
        if self.served.contains_key(&portal.number) {
            if describe && let Some(served) = self.served.get(&portal.number) {
                let columns = served.columns.as_deref();
                reply::description(columns, &portal.formats, &mut self.frames);
            }
            return self.serve(&portal, most, out);
        }
        self.plans.declare(&portal.statement.sql)?;
        let request = portal.request();
        self.ask_or_copy(Waiting::Execute { portal, describe, most }, request, message.at, out);
        Ok(())
    }

    fn answer(&mut self, answer: Answer, out: &mut Vec<Command>) -> Result<(), WireError> {
        let Some(about) = self.waiting.take() else { return Ok(()) };
        self.next += 1;
        let about = match about {
            Waiting::SoFar(copying) => {
                let response = match answer {
                    Answer::Response(response) => Some(response),
                    _ => None,
                };
                return self.so_far(*copying, response, out);
            }
            about => about,
        };
        match answer {
            Answer::Response(result) => self.respond(about, result, out)?,
            Answer::Miss(miss) => {
                if let Waiting::Tls = about {
                    self.secure(false, out);
                } else if let Waiting::Prepare = about {
                    self.frames.empty(b'1');
                } else if let Waiting::Connect(_) = about {
                    reply::miss(&miss, "FATAL", &mut self.frames);
                    self.end(Ending::Finished, out);
                } else if about.rolls_back() {
                    // A server never refuses this, and what led to it would be hidden from the app.
                    self.respond(about, Map::from([("tag", "ROLLBACK")]), out)?;
                } else {
                    reply::miss(&miss, "ERROR", &mut self.frames);
                    self.failed(&about);
                }
            }
            Answer::Failure(Failure::Closed) | Answer::Broken(_, Failure::Closed) => {
                self.end(Ending::Finished, out);
            }
            Answer::Failure(_) | Answer::Broken(..) | Answer::Incomplete => {
                self.end(Ending::Reset, out);
            }
        }
        Ok(())
    }

    /// The answer to a question for a notification. There need not be one.
    fn heard(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(channel) = self.listening.answered(id) else { return Ok(()) };
        match answer {
            Answer::Response(result) => {
                let payload = result.get("payload").and_then(Value::as_bytes);
                let payload = payload.ok_or_else(|| unwritable("`payload` must be text"))?;
                notice::write_notification(
                    channel.as_bytes(),
                    payload,
                    reply::PROCESS,
                    &mut self.frames,
                );
            }
            Answer::Failure(_) | Answer::Broken(..) => self.end(Ending::Finished, out),
            Answer::Miss(_) | Answer::Incomplete => self.listening.give_up(channel),
        }
        Ok(())
    }

    /// Says whether there is TLS, and lays it.
    fn secure(&mut self, accepted: bool, out: &mut Vec<Command>) {
        let bytes = Bytes::from_static(if accepted { b"S" } else { b"N" });
        out.push(Command::Send { to: Peer::Client, bytes });
        if accepted {
            let unread = self.inbox.take();
            out.push(Command::StartTls { with: Peer::Client, unread });
        }
    }

    fn failed(&mut self, about: &Waiting) {
        self.fail();
        if let Waiting::Query { .. } | Waiting::Call(_) = about {
            self.skipping = false;
            self.ready();
        }
    }

    fn respond(
        &mut self,
        about: Waiting,
        result: Map,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match about {
            Waiting::Connect(minor) => {
                if reply::error(&result, &mut self.frames)? {
                    self.end(Ending::Finished, out);
                } else {
                    reply::welcome(&result, minor, &mut self.frames)?;
                    self.ready();
                }
            }
            Waiting::Tls => {
                self.secure(result.get("accepted") == Some(&Value::Bool(true)), out);
            }
            Waiting::Query { text, sent } => {
                self.respond_to_query(&text, &result, sent, out)?;
            }
            // It is answered by itself.
            Waiting::SoFar(_) => {}
            Waiting::Execute { portal, describe, most } => {
                reply::asides(&result, &mut self.frames)?;
                let columns = reply::columns(&result)?;
                let refused = columns.is_none() && result.get("error").is_some();
                if describe && !refused && result.get("copy").is_none() {
                    reply::description(columns.as_deref(), &portal.formats, &mut self.frames);
                }
                let served = Served { result, columns, rows_sent: 0 };
                self.served.insert(portal.number, served);
                self.serve(&portal, most, out)?;
            }
            Waiting::Prepare if reply::error(&result, &mut self.frames)? => self.fail(),
            Waiting::Prepare => self.frames.empty(b'1'),
            Waiting::DescribeStatement(statement) => {
                if reply::error(&result, &mut self.frames)? {
                    self.fail();
                    return Ok(());
                }
                let told = reply::params(&result, &mut self.frames)?;
                let columns = reply::columns(&result)?;
                reply::description(columns.as_deref(), &[], &mut self.frames);
                let _ = statement.told.set(told);
                let _ = statement.columns.set(columns);
            }
            Waiting::Call(expected) => {
                reply::asides(&result, &mut self.frames)?;
                if reply::error(&result, &mut self.frames)? {
                    self.failed(&Waiting::Call(expected));
                } else {
                    expected.write(&result, &mut self.frames)?;
                    self.ready();
                }
            }
            Waiting::DescribePortal(portal) => {
                if reply::error(&result, &mut self.frames)? {
                    self.fail();
                    return Ok(());
                }
                let columns = reply::columns(&result)?;
                reply::description(columns.as_deref(), &portal.formats, &mut self.frames);
            }
        }
        Ok(())
    }

    fn respond_to_query(
        &mut self,
        text: &Value,
        result: &Map,
        sent: usize,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match self.respond_to_some(text, &reply::results(result), sent)? {
            true => self.end(Ending::Finished, out),
            false => self.ready(),
        }
        Ok(())
    }

    /// Sends as many rows of a portal's result as are wanted, and how it goes on.
    fn serve(
        &mut self,
        portal: &Portal,
        most: usize,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(served) = self.served.get_mut(&portal.number) else { return Ok(()) };
        let Served { result, columns, rows_sent } = served;
        let rows = reply::rows(result)?.get(*rows_sent..).unwrap_or_default();
        let suspended = most > 0 && rows.len() >= most;
        let rows = &rows[..if suspended { most } else { rows.len() }];
        *rows_sent += rows.len();
        reply::write_rows(rows, columns.as_deref(), &portal.formats, &mut self.frames)?;
        if suspended {
            self.frames.empty(b's');
            return Ok(());
        }
        copy::write_out(result, &mut self.frames)?;
        if reply::error(result, &mut self.frames)? {
            let fatal = reply::is_fatal(result);
            self.fail();
            if fatal {
                self.end(Ending::Finished, out);
            }
            return Ok(());
        }
        if columns.is_some() && result.get("tag").is_none() {
            // The app had enough before it had all when this was recorded.
            self.frames.empty(b's');
            return Ok(());
        }
        let in_parts = *rows_sent > rows.len();
        let part = in_parts && result.text("tag").is_some_and(outcome::counts_rows);
        reply::tag(result, part.then_some(rows.len()), &mut self.frames);
        let statements = portal.statement.sql.as_text().map(sql::statements).unwrap_or_default();
        let statement = statements.first().map(Vec::as_slice).unwrap_or_default();
        self.status = reply::status_after(self.status, statement, result);
        self.listening.after(statement, result)?;
        Ok(())
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.phase == Phase::Over {
            return Ok(());
        }
        let now = match event {
            Event::Data { at, .. } | Event::Answer { at, .. } => Some(at),
            _ => None,
        };
        match event {
            Event::Data { from: Peer::Client, bytes, at } => {
                let limit = self.limits.body.saturating_mul(2);
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
            Event::Answer { id, answer, .. } => self.heard(id, answer, out)?,
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => {
                self.phase = Phase::Over;
            }
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            _ => {}
        }
        if self.phase == Phase::Over {
            return Ok(());
        }
        self.flush(out);
        if let Some(now) = now {
            let questions = self.listening.wanted().into_iter();
            out.extend(questions.map(|(id, request)| Command::Ask { id, request, at: now }));
        }
        if self.client_ended && self.waiting.is_none() {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
