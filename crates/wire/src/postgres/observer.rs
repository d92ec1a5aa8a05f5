//! Watches both peers: follows what the client asks and the server answers, message by message.
//!
//! The client's side is read as it comes, the server's is matched with what was asked. Bytes are
//! forwarded by the driver, except around the request for TLS.

use super::fields::Fields;
use super::inbox::{Inbox, Message};
use super::pending::{Asked, Running};
use super::plan::{Described, Plans};
use super::start::{self, Start};
use super::{NAME, columns, copy, malformed, notice};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use Peer::{Client, Server};

/// Notices that wait for an exchange.
const MOST_NOTICES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// The first message, or the one behind a request for encryption, is to come.
    Greeting,
    /// The server's one byte about encryption is to come.
    Choice,
    /// TLS is being established with so many sides.
    Shaking(u8),
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
    /// The client is copying in.
    copied: Option<copy::Data>,
    /// It has not said that it is done.
    client_copying: bool,
    notices: Vec<Value>,
    parameters: Map,
    auth: Option<String>,
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
            copied: None,
            client_copying: false,
            notices: Vec::new(),
            parameters: Map::new(),
            auth: None,
        }
    }

    fn begin(&mut self, request: Map, at: Moment, out: &mut Vec<Command>) -> Running {
        let id = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id, at });
        Running::new(id, request, at)
    }

    fn emit(&mut self, mut running: Running, now: Moment, out: &mut Vec<Command>) {
        running.aside(&mut self.notices, &mut self.parameters);
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
                Phase::Choice | Phase::Shaking(_) if !self.client.is_empty() => {
                    return Err(malformed("bytes behind a request for encryption"));
                }
                Phase::Choice | Phase::Shaking(_) => return Ok(()),
                Phase::Greeting => {
                    let Some(message) = self.client.start(now)? else { return Ok(()) };
                    self.greeting(&message, out)?;
                }
                Phase::Starting | Phase::Ready => {
                    let Some(message) = self.client.message(now)? else { return Ok(()) };
                    self.client_message(&message)?;
                }
            }
        }
    }

    fn greeting(&mut self, message: &Message, out: &mut Vec<Command>) -> Result<(), WireError> {
        match start::read(&message.body)? {
            Start::Encryption => {
                self.phase = Phase::Choice;
                out.extend([Command::Hold { from: Server }, Command::Hold { from: Client }]);
            }
            Start::Cancel => self.phase = Phase::Over,
            Start::Work { parameters, .. } if parameters.get("replication").is_some() => {
                self.phase = Phase::Over;
                let (client, server) = (self.client.take(), self.server.take());
                out.push(Command::Become { protocol: "opaque", client, server });
            }
            Start::Work { parameters, .. } => {
                self.phase = Phase::Starting;
                let request = Map::from([("connect", parameters)]);
                self.running = Some(self.begin(request, message.at, out));
            }
        }
        Ok(())
    }

    /// Notes what the client asks for. What stands in passwords is not looked at.
    fn client_message(&mut self, message: &Message) -> Result<(), WireError> {
        let body = &message.body[..];
        let at = message.at;
        let asked = match message.kind {
            b'Q' => {
                let sql = text(body)?;
                self.plans.declare(&sql)?;
                Asked::Query(sql, at)
            }
            b'P' => {
                self.plans.parse(body)?;
                Asked::Parse
            }
            b'B' => Asked::Bind(self.plans.bind(body)?.1),
            b'D' => match self.plans.described(body)? {
                Described::Statement(statement) => Asked::DescribeStatement(statement, at),
                Described::Portal(portal) => Asked::DescribePortal { portal, at, executed: false },
            },
            b'E' => {
                let (portal, _) = self.plans.executed(body)?;
                if let Some(Asked::DescribePortal { portal: described, executed, .. }) =
                    self.asked.back_mut()
                {
                    *executed = described.number == portal.number;
                }
                self.plans.declare(&portal.statement.sql)?;
                Asked::Execute(portal, at)
            }
            b'C' => Asked::Close(self.plans.close(body)?),
            b'S' if self.client_copying => return Ok(()),
            b'S' => Asked::Sync,
            b'F' => return Err(malformed("a function call, which is not read")),
            b'd' | b'c' | b'f' => return self.client_copies(message),
            b'p' | b'H' | b'X' => return Ok(()),
            _ => return Err(malformed("a message of an unknown type from the client")),
        };
        if self.skipping {
            if !matches!(asked, Asked::Sync) {
                return Ok(());
            }
            self.skipping = false;
        }
        if self.asked.len() >= self.limits.in_flight.saturating_mul(8) {
            let (what, limit) = ("the pipeline", self.limits.in_flight);
            return Err(WireError::TooLarge { protocol: NAME, what, limit });
        }
        self.asked.push_back(asked);
        Ok(())
    }

    fn client_copies(&mut self, message: &Message) -> Result<(), WireError> {
        self.client_copying &= message.kind == b'd';
        // What comes after the server has refused is of no concern.
        let (Some(data), Some(running)) = (&mut self.copied, &mut self.running) else {
            return Ok(());
        };
        match message.kind {
            b'd' => data.push(&message.body),
            b'c' => {}
            _ => _ = running.request.insert("copy_failed", text(&message.body)?),
        }
        match data.len() > self.limits.body {
            true => Err(WireError::TooLarge {
                protocol: NAME,
                what: "data that is copied in",
                limit: self.limits.body,
            }),
            false => Ok(()),
        }
    }

    fn server(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.phase == Phase::Choice {
            return self.choice(out);
        }
        while self.phase != Phase::Over {
            let Some(message) = self.server.message(now)? else { return Ok(()) };
            if !self.aside(&message)? {
                match self.phase {
                    Phase::Starting => self.starting(&message, now, out)?,
                    Phase::Ready => self.server_message(&message, now, out)?,
                    _ => return Err(malformed("a server that speaks before it is asked")),
                }
            }
        }
        Ok(())
    }

    fn choice(&mut self, out: &mut Vec<Command>) -> Result<(), WireError> {
        let choice = self.server.take();
        out.push(Command::Send { to: Client, bytes: choice.clone() });
        match &choice[..] {
            b"S" => {
                self.phase = Phase::Shaking(2);
                out.extend([Server, Client].map(|with| Command::StartTls { with }));
            }
            b"N" => {
                self.phase = Phase::Greeting;
                out.extend([Server, Client].map(|from| Command::Forward { from }));
            }
            b"G" => return Err(malformed("encryption by GSSAPI, which is not read")),
            _ => return Err(malformed("more than one byte about encryption")),
        }
        Ok(())
    }

    /// Takes what the server may say at any time.
    fn aside(&mut self, message: &Message) -> Result<bool, WireError> {
        let said = match message.kind {
            b'N' => notice::read(&message.body)?,
            b'A' => notice::read_notification(&message.body)?,
            b'S' => {
                let mut fields = Fields::new(&message.body);
                let name = String::from_utf8_lossy(fields.zero_ended()?).into_owned();
                if self.parameters.len() < MOST_NOTICES {
                    self.parameters.insert(name, Value::from_bytes(fields.zero_ended()?));
                }
                return Ok(true);
            }
            b'K' | b'v' => return Ok(true),
            _ => return Ok(false),
        };
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(Value::Map(said));
        }
        Ok(true)
    }

    fn starting(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match message.kind {
            b'R' => {
                let auth = Fields::new(&message.body).u32()?;
                let auth = match auth {
                    0 => "trust",
                    3 => "password",
                    5 => "md5",
                    7..=9 => "gssapi",
                    10 => "scram-sha-256",
                    _ => return Ok(()),
                };
                self.auth.get_or_insert_with(|| auth.to_owned());
                return Ok(());
            }
            b'E' => {
                if let Some(running) = &mut self.running {
                    running.outcome.error(&message.body)?;
                    running.touched = true;
                }
                self.phase = Phase::Over;
            }
            b'Z' => self.phase = Phase::Ready,
            _ => return Err(malformed("a message that does not belong to start-up")),
        }
        if let Some(mut running) = self.running.take() {
            running.touched = true;
            running.outcome.auth = self.auth.take();
            self.emit(running, now, out);
        }
        Ok(())
    }

    fn server_message(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let body = &message.body[..];
        match message.kind {
            b'1' => self.pop(|asked| matches!(asked, Asked::Parse)).map(|_| ()),
            b'2' | b'3' => {
                let asked = self.pop(|asked| matches!(asked, Asked::Bind(_) | Asked::Close(_)))?;
                if let Asked::Bind(Some(ended)) | Asked::Close(Some(ended)) = asked
                    && let Some(running) = self.suspended.remove(&ended)
                {
                    self.emit(running, now, out);
                }
                Ok(())
            }
            b't' | b'T' | b'n' => self.described(message, now, out),
            b'Z' => self.ready(body, now, out),
            b'E' => self.refused(body, now, out),
            b'D' | b'C' | b'I' | b's' | b'G' | b'H' | b'd' | b'c' => self.result(message, now, out),
            _ => Err(malformed("a message of an unknown type from the server")),
        }
    }

    fn pop(&mut self, expected: impl FnOnce(&Asked) -> bool) -> Result<Asked, WireError> {
        let asked = self.asked.pop_front().filter(expected);
        asked.ok_or_else(|| malformed("an answer that was not asked for"))
    }

    /// The exchange of the statement that the server is answering, begun when it has not been.
    fn run(&mut self, out: &mut Vec<Command>) -> Result<&mut Running, WireError> {
        if self.running.is_none() {
            let running = match self.asked.front() {
                Some(Asked::Query(sql, at)) => {
                    let (request, at) = (Map::from([("sql", sql.clone())]), *at);
                    self.begin(request, at, out)
                }
                Some(Asked::Execute(portal, at)) => {
                    let (portal, at) = (Arc::clone(portal), *at);
                    match self.suspended.remove(&portal.number) {
                        Some(running) => running,
                        None => {
                            let mut running = self.begin(portal.request(), at, out);
                            running.formats.clone_from(&portal.formats);
                            running.outcome.columns = portal.columns();
                            running.touched = true;
                            running
                        }
                    }
                }
                _ => return Err(malformed("a result that was not asked for")),
            };
            self.running = Some(running);
        }
        self.running.as_mut().ok_or_else(|| malformed("a result that was not asked for"))
    }

    /// One message of the result of a statement.
    fn result(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let (body, limit) = (&message.body[..], self.limits.body);
        let simple = matches!(self.asked.front(), Some(Asked::Query(..)));
        let running = self.run(out)?;
        running.touched = true;
        match message.kind {
            b'D' => {
                let formats = std::mem::take(&mut running.formats);
                let row = running.outcome.row(body, &formats, limit);
                running.formats = formats;
                row
            }
            b'H' => running.outcome.copy_out(body),
            b'd' => {
                running.outcome.copied(body, limit);
                Ok(())
            }
            b'c' => Ok(()),
            b'G' => {
                self.copied = Some(copy::Data::begin(body)?);
                self.client_copying = true;
                // A server that is being copied to passes over these.
                while let Some(Asked::Sync) = self.asked.get(1) {
                    self.asked.remove(1);
                }
                Ok(())
            }
            b's' => {
                running.outcome.in_parts = true;
                let asked = self.pop(|asked| matches!(asked, Asked::Execute(..)))?;
                if let (Asked::Execute(portal, _), Some(running)) = (asked, self.running.take()) {
                    self.suspended.insert(portal.number, running);
                }
                Ok(())
            }
            kind => {
                if kind == b'C' {
                    running.outcome.tag(body)?;
                }
                self.finish(simple, now, out)
            }
        }
    }

    /// The result of one statement is complete.
    fn finish(
        &mut self,
        simple: bool,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        self.client_copying = false;
        if let Some(data) = self.copied.take() {
            data.into_map("copy", &mut running.request);
        }
        if simple {
            running.outcome.aside(&mut self.notices, &mut self.parameters);
            running.complete();
            self.running = Some(running);
        } else {
            self.pop(|asked| matches!(asked, Asked::Execute(..)))?;
            self.emit(running, now, out);
        }
        Ok(())
    }

    fn described(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let columns = match message.kind {
            b'T' => Some(columns::read(&message.body)?),
            _ => None,
        };
        if message.kind == b't' {
            let Some(Asked::DescribeStatement(statement, _)) = self.asked.front() else {
                return Err(malformed("types of parameters that were not asked for"));
            };
            let _ = statement.told.set(columns::read_types(&message.body)?);
            return Ok(());
        }
        if let Some(Asked::Query(..)) = self.asked.front() {
            let running = self.run(out)?;
            running.touched = true;
            running.outcome.columns = columns;
            return Ok(());
        }
        match self.pop(|_| true)? {
            Asked::DescribeStatement(statement, at) => {
                let mut running = self.begin(statement.request(false), at, out);
                running.touched = true;
                running.outcome.params = statement.told.get().cloned();
                running.outcome.columns.clone_from(&columns);
                let _ = statement.columns.set(columns);
                self.emit(running, now, out);
            }
            Asked::DescribePortal { portal, at, executed } => {
                if !executed && !portal.statement.is_unknown() {
                    let mut running = self.begin(portal.statement.request(true), at, out);
                    running.touched = true;
                    running.outcome.columns.clone_from(&columns);
                    self.emit(running, now, out);
                }
                let _ = portal.columns.set(columns);
            }
            _ => return Err(malformed("a description that was not asked for")),
        }
        Ok(())
    }

    /// The first of what is passed over that is an exchange gets the error; the server has not
    /// looked at the others.
    fn refused(
        &mut self,
        body: &[u8],
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(Asked::Query(..)) = self.asked.front() {
            let running = self.run(out)?;
            running.touched = true;
            running.outcome.error(body)?;
            return self.finish(true, now, out);
        }
        while let Some(asked) = self.asked.front() {
            let request = match asked {
                Asked::Sync => break,
                // Neither has it a text; a played server refuses it without asking.
                Asked::DescribeStatement(statement, _) if statement.is_unknown() => None,
                Asked::DescribePortal { portal, .. } | Asked::Execute(portal, _)
                    if portal.statement.is_unknown() =>
                {
                    None
                }
                Asked::DescribeStatement(statement, at) => Some((statement.request(false), *at)),
                Asked::DescribePortal { portal, at, executed: false } => {
                    Some((portal.statement.request(true), *at))
                }
                Asked::Execute(..) => {
                    self.run(out)?.outcome.error(body)?;
                    self.finish(false, now, out)?;
                    self.drop_until_sync();
                    break;
                }
                _ => None,
            };
            if let Some((request, at)) = request {
                let mut running = self.begin(request, at, out);
                running.touched = true;
                running.outcome.error(body)?;
                self.emit(running, now, out);
                self.drop_until_sync();
                break;
            }
            self.asked.pop_front();
        }
        // The server has an error of its own (it is being shut down) when nothing was asked.
        self.skipping = self.asked.is_empty();
        Ok(())
    }

    fn drop_until_sync(&mut self) {
        while !matches!(self.asked.front(), None | Some(Asked::Sync)) {
            self.asked.pop_front();
        }
    }

    fn ready(&mut self, body: &[u8], now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let asked = self.pop(|asked| matches!(asked, Asked::Sync | Asked::Query(..)))?;
        if let (Asked::Query(..), Some(running)) = (asked, self.running.take()) {
            self.emit(running, now, out);
        }
        self.copied = None;
        if body == b"I" {
            for (_, running) in std::mem::take(&mut self.suspended) {
                self.emit(running, now, out);
            }
            if self.asked.is_empty() {
                self.plans.end_portals();
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
        let mut running = self.running.take();
        if running.is_none()
            && matches!(self.asked.front(), Some(Asked::Query(..) | Asked::Execute(..)))
        {
            running = self.run(out).is_ok().then(|| self.running.take()).flatten();
        }
        self.phase = Phase::Over;
        for (_, running) in std::mem::take(&mut self.suspended) {
            self.emit(running, now, out);
        }
        if let Some(running) = running {
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
                self.client(at, out)?;
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes, at);
                self.server(at, out)?;
            }
            Event::TlsReady { .. } => {
                if self.phase == Phase::Shaking(2) {
                    self.phase = Phase::Shaking(1);
                } else {
                    self.phase = Phase::Greeting;
                    out.extend([Server, Client].map(|from| Command::Forward { from }));
                }
            }
            Event::Closed { from: Server, how, at } => self.ended(how, at, out),
            Event::Closed { from: Client, how: Ending::Reset, at } => {
                self.ended(Ending::Reset, at, out);
            }
            Event::Closed { .. }
            | Event::Opened { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => {}
        }
        Ok(())
    }
}

/// Text up to its zero byte.
fn text(body: &[u8]) -> Result<Value, WireError> {
    Fields::new(body).zero_ended().map(Value::from_bytes)
}
