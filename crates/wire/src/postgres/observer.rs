//! Watches both peers: follows what the client asks and the server answers, message by message.
//!
//! The client's side is read as it comes, the server's is matched with what was asked. Bytes are
//! forwarded by the driver, but for what the server says until the client knows how to log in: an offer
//! to bind that to the server's certificate would be about ours.

mod answering;
mod asking;
mod login;
mod starting;
mod teaching;

use super::inbox::Inbox;
use super::pending::{Asked, Running};
use super::plan::Plans;
use super::{copies, copy, malformed};
use crate::sql::Lessons;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use std::collections::{HashMap, HashSet, VecDeque};

use Peer::{Client, Server};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// The first message, or the one behind a request for encryption, is to come.
    Greeting,
    /// The server's one byte about encryption is to come.
    Choice,
    /// The server has not said that it is ready.
    Starting,
    Ready,
    /// It is a request to cancel, or has become another protocol.
    Over,
}

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limits: Limits,
    phase: Phase,
    client: Inbox,
    server: Inbox,
    next: u64,
    plans: Plans,
    asked: VecDeque<Asked>,
    /// The exchange at the head of `asked`, or the connecting.
    running: Option<Running>,
    /// Exchanges of portals of which more rows may be fetched.
    suspended: HashMap<u64, Running>,
    /// The server passes over everything until the client synchronises.
    skipping: bool,
    /// An error, until all has come of what it may be about: servers send one at once, and clients send
    /// the messages of one statement one by one.
    refusal: Option<(Bytes, Moment)>,
    /// What the client copies in.
    copied: copy::Data,
    /// Why it gave up.
    copy_failed: Option<Value>,
    /// It has said that this is all.
    copy_done: bool,
    /// The server has asked for it.
    copying: bool,
    /// What the server has refused while the client was still copying in: how much of the data had come by
    /// then is chance.
    parked: Option<(Running, Moment)>,
    notices: Vec<Value>,
    parameters: Map,
    auth: Option<String>,
    /// How what the server says until then reaches the client.
    login: login::Login,
    /// A wish for TLS that the server has not answered.
    wish: Option<Moment>,
    /// What was told of the schema.
    lessons: Lessons,
    /// Tables whose names were told.
    named: HashSet<u32>,
    /// A number for the database.
    database: u32,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            phase: Phase::Greeting,
            client: Inbox::new(limits.body),
            server: Inbox::new(limits.body),
            next: 1,
            plans: Plans::default(),
            asked: VecDeque::new(),
            running: None,
            suspended: HashMap::new(),
            skipping: false,
            refusal: None,
            copied: copy::Data::default(),
            copy_failed: None,
            copy_done: false,
            copying: false,
            parked: None,
            notices: Vec::new(),
            parameters: Map::new(),
            auth: None,
            login: login::Login::Passing,
            wish: None,
            lessons: Lessons::default(),
            named: HashSet::new(),
            database: 0,
        }
    }

    fn begin(&mut self, request: Map, at: Moment, out: &mut Vec<Command>) -> Running {
        let id = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id, at });
        Running::new(id, request, at)
    }

    fn emit(&mut self, mut running: Running, now: Moment, out: &mut Vec<Command>) {
        if running.silent {
            return;
        }
        running.aside(&mut self.notices, &mut self.parameters);
        if let Some(text) = running.request.text("sql") {
            self.teach_written(text, None, out);
        }
        if !running.copies.is_empty() {
            copies::put(&mut running.request, std::mem::take(&mut running.copies));
        }
        let exchange = Exchange {
            response: Some(running.response()),
            request: running.request,
            started: running.started,
            finished: now,
            ..Exchange::default()
        };
        out.push(Command::Emit { id: running.id, exchange: Box::new(exchange) });
    }

    fn client(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        loop {
            match self.phase {
                Phase::Over => return Ok(()),
                Phase::Choice if !self.client.is_empty() => {
                    return Err(malformed("bytes behind a request for encryption"));
                }
                Phase::Choice => return Ok(()),
                Phase::Greeting => {
                    let Some(message) = self.client.start(now)? else { return Ok(()) };
                    self.greeting(&message, out)?;
                }
                Phase::Starting | Phase::Ready => {
                    let Some(message) = self.client.message(now)? else { return Ok(()) };
                    if self.logs_in(&message, now, out)? {
                        continue;
                    }
                    self.client_message(&message, out)?;
                }
            }
        }
    }

    fn server(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.phase == Phase::Choice {
            return self.choice(now, out);
        }
        while self.phase != Phase::Over {
            let Some(message) = self.server.message(now)? else { return Ok(()) };
            if !self.passes(&message, out)? {
                continue;
            }
            if !self.aside(&message, now, out)? {
                match self.phase {
                    Phase::Starting => self.starting(&message, now, out)?,
                    Phase::Ready => self.server_message(&message, now, out)?,
                    _ => return Err(malformed("a server that speaks before it is asked")),
                }
            }
        }
        Ok(())
    }

    /// A side has ended: what the server was answering broke off.
    fn ended(&mut self, how: Ending, now: Moment, out: &mut Vec<Command>) {
        let failure = match how {
            Ending::Reset => Failure::Reset,
            Ending::Finished => Failure::Closed,
        };
        self.unpark(out);
        // What it says of an error that cannot be read is what it says of the end.
        let _ = self.settle(out);
        let mut running = self.running.take();
        if running.is_none()
            && matches!(
                self.asked.front(),
                Some(Asked::Query(..) | Asked::Execute(..) | Asked::Call(..))
            )
        {
            running = self.run(out).is_ok().then(|| self.running.take()).flatten();
        }
        self.phase = Phase::Over;
        for (_, running) in std::mem::take(&mut self.suspended) {
            self.emit(running, now, out);
        }
        if let Some(mut running) = running.filter(|running| !running.silent) {
            if running.refused_copy {
                self.take_copied(&mut running);
            }
            if running.has_error() {
                return self.emit(running, now, out);
            }
            let exchange = Exchange {
                request: running.request,
                failure: Some(failure),
                started: running.started,
                finished: now,
                ..Exchange::default()
            };
            out.push(Command::Emit { id: running.id, exchange: Box::new(exchange) });
        }
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { .. } if self.phase == Phase::Over => {}
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                let read = self.client(at, out);
                if read.is_err() || self.phase == Phase::Over {
                    self.let_go(out);
                }
                read?;
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes, at);
                let read = self.server(at, out);
                if read.is_err() || self.phase == Phase::Over {
                    self.let_go(out);
                }
                read?;
            }
            Event::Opened { .. } => out.push(Command::Hold { from: Server }),
            Event::Closed { from: Server, how, at } => {
                self.let_go(out);
                self.ended(how, at, out);
            }
            Event::Closed { from: Client, how, at } => {
                self.leaves(out)?;
                if how == Ending::Reset {
                    self.ended(Ending::Reset, at, out);
                }
            }
            Event::Answer { .. }
            | Event::Request { .. }
            | Event::TlsReady { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
