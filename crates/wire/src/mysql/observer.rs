//! Watches both peers: follows what the client asks and the server answers, packet by packet.
//!
//! The greeting is held back and goes on without what is not understood here, so that the client does
//! without it. The client's answer is held back until it is known not to be followed by TLS. Everything else is forwarded by the driver. Credentials are never looked at.

mod answering;
mod asking;
mod starting;
mod teaching;

use super::outcome::Running;
use super::packets::{Inbox, Packet};
use super::statements::Statements;
use super::status;
use crate::sql::Lessons;
use crate::{Command, Ending, Event, Limits, Peer, Session, Taught, WireError};
use answering::Reading;
use asking::Asked;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use std::collections::{HashMap, VecDeque};

use Peer::{Client, Server};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// The server is to greet.
    Greeting,
    /// The client is to say who it is.
    Login,
    /// It proves that.
    Proving,
    Ready,
    Over,
}

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    limits: Limits,
    phase: Phase,
    client: Inbox,
    server: Inbox,
    /// What the client says is not forwarded by the driver.
    holds_client: bool,
    next: u64,
    opened: Moment,
    /// What the server offered that is understood, then what the client took of it.
    capabilities: u64,
    /// How the client proves who it is.
    auth: String,
    statements: Statements,
    asked: VecDeque<Asked>,
    /// What of the answer to the first of them is to come.
    reading: Reading,
    /// The exchange of the first of them, or the connecting.
    running: Option<Running>,
    /// Exchanges of cursors, by statement.
    suspended: HashMap<u64, Running>,
    /// The file that the client is sending because the server asked for it.
    file: Option<asking::File>,
    /// What lasts of the flags that the server said last.
    flags: u16,
    /// Those that the server greeted with.
    first_flags: u16,
    /// Whether the server was said to open transactions unasked.
    unasked: bool,
    /// What was told of the schema.
    lessons: Lessons,
    /// What is to be told with the next answer.
    taught: Vec<Taught>,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            phase: Phase::Greeting,
            client: Inbox::new(limits.body),
            server: Inbox::new(limits.body),
            holds_client: true,
            next: 1,
            opened: Moment::default(),
            capabilities: 0,
            auth: String::new(),
            statements: Statements::default(),
            asked: VecDeque::new(),
            reading: Reading::Head,
            running: None,
            suspended: HashMap::new(),
            file: None,
            flags: status::AUTOCOMMIT,
            first_flags: status::AUTOCOMMIT,
            unasked: false,
            lessons: Lessons::default(),
            taught: Vec::new(),
        }
    }

    fn begin(&mut self, request: Map, at: Moment, out: &mut Vec<Command>) -> Running {
        let id = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id, at });
        Running::new(id, request, at)
    }

    fn emit(mut running: Running, response: Map, now: Moment, out: &mut Vec<Command>) {
        if !running.files.is_empty() {
            super::file::put(&mut running.request, std::mem::take(&mut running.files));
        }
        let exchange = Exchange {
            response: Some(response),
            request: running.request,
            started: running.started,
            finished: now,
            ..Exchange::default()
        };
        out.push(Command::Emit { id: running.id, exchange: Box::new(exchange) });
    }

    /// Says what the flags do, when they are no longer what was said: besides statements, settings of the
    /// server change them.
    fn say_unasked(&mut self, out: &mut Vec<Command>) {
        let is_so = self.flags & status::AUTOCOMMIT == 0;
        if std::mem::replace(&mut self.unasked, is_so) != is_so {
            out.push(Command::Unasked(is_so));
        }
    }

    fn client(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while self.phase != Phase::Over {
            let Some(packet) = self.client.next(now) else { return Ok(()) };
            match self.phase {
                Phase::Greeting => return Err(super::malformed("a client that speaks first")),
                Phase::Login => self.login(&packet, out)?,
                // It proves who it is.
                Phase::Proving | Phase::Over => {}
                Phase::Ready => self.client_packet(packet, out)?,
            }
        }
        Ok(())
    }

    fn server(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while self.phase != Phase::Over {
            let Some(packet) = self.server.next(now) else { return Ok(()) };
            match self.phase {
                Phase::Greeting => self.greeting(&packet, out)?,
                Phase::Login | Phase::Proving => self.proving(&packet, now, out)?,
                Phase::Ready | Phase::Over => self.server_packet(&packet, now, out)?,
            }
        }
        Ok(())
    }

    /// What is said at the end of a connection goes with what was asked first.
    fn is_farewell(&self, packet: &Packet) -> bool {
        self.asked.is_empty() && packet.body.first() == Some(&0xff)
    }

    /// A side has ended: what the server was answering broke off.
    fn ended(&mut self, how: Ending, now: Moment, out: &mut Vec<Command>) {
        let failure = match how {
            Ending::Reset => Failure::Reset,
            Ending::Finished => Failure::Closed,
        };
        self.phase = Phase::Over;
        let mut suspended: Vec<_> = std::mem::take(&mut self.suspended).into_values().collect();
        suspended.sort_by_key(|running| running.id);
        for mut running in suspended {
            running.complete(self.flags);
            let response = running.response();
            Observer::emit(running, response, now, out);
        }
        let asked = std::mem::take(&mut self.asked);
        let open = self.running.take().into_iter();
        for running in open.chain(asked.into_iter().filter_map(|asked| asked.running)) {
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
            Event::Opened { at } => {
                self.opened = at;
                out.extend([Server, Client].map(|from| Command::Hold { from }));
            }
            Event::Data { .. } if self.phase == Phase::Over => {}
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at)?;
                if !self.holds_client || self.lets_client_go(out) {
                    self.client(at, out)?;
                }
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes, at)?;
                let held = (self.phase == Phase::Greeting).then(|| self.server.held());
                let read = self.server(at, out);
                if let (Err(_), Some(bytes)) = (&read, held)
                    && self.phase == Phase::Greeting
                {
                    // Nobody else has what was held back.
                    out.push(Command::Send { to: Client, bytes });
                }
                read?;
            }
            Event::Closed { from: Server, how, at } => {
                self.release_client(out);
                if self.phase == Phase::Greeting {
                    out.push(Command::Send { to: Client, bytes: self.server.held() });
                }
                self.ended(how, at, out);
            }
            Event::Closed { from: Client, how, at } => {
                self.release_client(out);
                if how == Ending::Reset {
                    self.ended(how, at, out);
                }
            }
            Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}
