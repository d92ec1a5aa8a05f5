//! Plays the server: takes any credentials, answers by itself what only sets up or ends something, and
//! asks for the results of statements.
//!
//! A text may be prepared on any connection, whatever connection it was prepared on when it was
//! recorded. Only one question is out at a time; what the client sends meanwhile waits.

mod answering;
mod coming_in;
mod loading;

use super::columns::Column;
use super::command::Reply;
use super::fields::Fields;
use super::file;
use super::login::Login;
use super::packets::{Inbox, Outbox, Packet};
use super::reply::{self, Form};
use super::statements::{Executed, Statements};
use super::{NAME, command, greeting, malformed, status, text};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use loading::Loading;
use rehearsal_model::{ExchangeId, Map, Moment, Value};
use std::collections::HashMap;

#[derive(Debug)]
enum Phase {
    /// What the recorded server greets with is being asked for.
    Greeting,
    /// The client is to say who it is.
    Login,
    /// It is to prove that in another way.
    Switching(Login, Moment),
    Ready,
    Over,
}

/// What the question that is out is about.
#[derive(Debug)]
enum Waiting {
    Greeting,
    Connect {
        fast: bool,
    },
    /// A statement that was sent as text, or a command with results; and how many of these were sent.
    Query(Option<Value>, usize),
    /// What comes before a file is loaded.
    SoFar(Box<Loading>),
    Execute(Executed),
    Prepare(u64),
    Fields,
    Text,
    Plain,
}

/// A cursor and how far the client has read it.
#[derive(Debug)]
struct Served {
    result: Map,
    columns: Vec<Column>,
    rows_sent: usize,
    flags: u16,
}

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    limits: Limits,
    phase: Phase,
    inbox: Inbox,
    next: u64,
    /// What was offered, then what the client took of it.
    capabilities: u64,
    statements: Statements,
    waiting: Option<Waiting>,
    loading: Option<Loading>,
    served: HashMap<u64, Served>,
    /// What lasts of the flags that were said last.
    flags: u16,
    /// Those that the server greeted with.
    first_flags: u16,
    /// Whether it was said that transactions are opened unasked.
    unasked: bool,
    /// A statement was not answered, so that what undoes it need not have been recorded.
    missed: bool,
    outbox: Outbox,
    client_ended: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            limits,
            phase: Phase::Greeting,
            inbox: Inbox::new(limits.body),
            next: 1,
            capabilities: 0,
            statements: Statements::default(),
            waiting: None,
            loading: None,
            served: HashMap::new(),
            flags: status::AUTOCOMMIT,
            first_flags: status::AUTOCOMMIT,
            unasked: false,
            missed: false,
            outbox: Outbox::default(),
            client_ended: false,
        }
    }

    /// Reads on until a question is out.
    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while self.waiting.is_none() {
            if matches!(self.phase, Phase::Over | Phase::Greeting) {
                return Ok(());
            }
            let Some(packet) = self.inbox.next(now) else { return Ok(()) };
            self.outbox.number = packet.number.wrapping_add(1);
            match std::mem::replace(&mut self.phase, Phase::Ready) {
                Phase::Login => self.login(&packet, out)?,
                Phase::Switching(login, at) => self.come_in(login, at, out),
                _ => self.packet(&packet, out)?,
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
        if !self.outbox.is_empty() {
            let bytes = self.inbox.wrap(self.outbox.take());
            out.push(Command::Send { to: Peer::Client, bytes });
        }
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.flush(out);
        self.phase = Phase::Over;
        out.push(Command::Close { to: Peer::Client, how });
    }

    fn form(&self, binary: bool) -> Form {
        Form { capabilities: self.capabilities, binary }
    }

    /// Writes an OK that says nothing.
    fn ok(&mut self) {
        let done = super::replies::Done { status: self.flags, ..Default::default() };
        reply::ok(&done, self.form(false), &mut self.outbox);
    }

    fn packet(&mut self, packet: &Packet, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.loading.is_some() {
            return self.file_packet(packet, out);
        }
        let Some((code, body)) = packet.body.split_first() else {
            return Err(malformed("an empty packet where a command should be"));
        };
        match *code {
            command::QUIT => self.end(Ending::Finished, out),
            command::PING => self.ok(),
            command::SET_OPTION => {
                let done = super::replies::Done { status: self.flags, ..Default::default() };
                let form = self.form(false);
                self.outbox.add(|out| done.write_end(form.capabilities, out));
            }
            command::QUERY => self.query(body, packet, out),
            command::STMT_PREPARE => {
                let sql = text::recorded(body);
                let statement = self.statements.prepare(sql.clone())?;
                let request = Map::from([("prepare", sql)]);
                self.ask(Waiting::Prepare(statement), request, packet.at, out);
            }
            command::STMT_EXECUTE | command::STMT_BULK_EXECUTE => {
                let executed = match *code {
                    command::STMT_EXECUTE => self.statements.execute(body)?,
                    _ => self.statements.execute_bulk(body)?,
                };
                match executed {
                    Some(executed) => {
                        self.served.remove(&executed.number);
                        let request = executed.request.clone();
                        self.ask(Waiting::Execute(executed), request, packet.at, out);
                    }
                    None => self.unknown(),
                }
            }
            command::STMT_FETCH => self.fetch(body)?,
            command::STMT_SEND_LONG_DATA => self.statements.send_ahead(body)?,
            command::STMT_CLOSE | command::STMT_RESET => self.close(*code, body)?,
            command::RESET_CONNECTION => {
                self.start_anew(out);
                self.ok();
                self.say_unasked(out);
            }
            command::CHANGE_USER => self.change_user(packet, body, out)?,
            code => self.plain(code, body, packet.at, out),
        }
        Ok(())
    }

    fn query(&mut self, body: &[u8], packet: &Packet, out: &mut Vec<Command>) {
        let mut request = Map::new();
        if let Some(omitted) = &packet.omitted {
            file::put_omitted("sql_omitted", omitted, &mut request);
            return self.ask(Waiting::Query(None, 0), request, packet.at, out);
        }
        let sql = text::recorded(body);
        request.push_new("sql", sql.clone());
        self.ask_or_load(sql, request, packet.at, out);
    }

    /// The client names a statement that it has not prepared.
    fn unknown(&mut self) {
        let message = "Unknown prepared statement handler";
        reply::refuse(1243, "HY000", message, &mut self.outbox);
    }

    fn close(&mut self, code: u8, body: &[u8]) -> Result<(), WireError> {
        let number = self.statements.number(Fields::new(body).u32()?);
        if let Some(number) = number {
            self.served.remove(&number);
            match code {
                command::STMT_CLOSE => self.statements.remove(number),
                _ => self.statements.reset(number),
            }
        }
        match (code, number) {
            (command::STMT_CLOSE, _) => {}
            (_, Some(_)) => self.ok(),
            (_, None) => self.unknown(),
        }
        Ok(())
    }

    /// The client goes on as if it had just connected; a transaction that is open is rolled back.
    fn start_anew(&mut self, out: &mut Vec<Command>) {
        self.statements.clear();
        self.served.clear();
        self.flags = self.first_flags;
        self.unasked = false;
        out.push(Command::Unasked(false));
    }

    /// Says what the flags do once the client is in, when they are no longer what was said.
    fn say_unasked(&mut self, out: &mut Vec<Command>) {
        let is_so = self.flags & status::AUTOCOMMIT == 0;
        if matches!(self.phase, Phase::Ready)
            && std::mem::replace(&mut self.unasked, is_so) != is_so
        {
            out.push(Command::Unasked(is_so));
        }
    }

    /// Sends as many rows of a cursor as are wanted.
    fn fetch(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(body);
        let (id, most) = (fields.u32()?, fields.u32()?);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let form = self.form(true);
        let number = self.statements.number(id);
        let Some(served) = number.and_then(|number| self.served.get_mut(&number)) else {
            let message = "The statement has no open cursor.";
            reply::refuse(1421, "HY000", message, &mut self.outbox);
            return Ok(());
        };
        let rows = reply::rows(&served.result)?.get(served.rows_sent..).unwrap_or_default();
        let over = rows.len() < most;
        let rows = &rows[..rows.len().min(most)];
        served.rows_sent += rows.len();
        reply::write_rows(rows, &served.columns, form, &mut self.outbox)?;
        let failed = over && reply::error(&served.result, &mut self.outbox)?;
        if !failed {
            let mark = if over { status::LAST_ROW } else { status::CURSOR };
            let done = reply::done(&served.result, served.flags | mark)?;
            self.outbox.add(|out| done.write_end(form.capabilities, out));
        }
        if over && let Some(number) = number {
            self.served.remove(&number);
        }
        Ok(())
    }

    fn plain(&mut self, code: u8, body: &[u8], at: Moment, out: &mut Vec<Command>) {
        match command::plain(code, body) {
            Ok((reply, Some(request))) => {
                let about = match reply {
                    Reply::Plain => Waiting::Plain,
                    Reply::Text => Waiting::Text,
                    Reply::Fields => Waiting::Fields,
                    Reply::Results => Waiting::Query(None, 0),
                };
                self.ask(about, request, at, out);
            }
            Ok((_, None)) => self.ok(),
            Err(_) => reply::refuse(1047, "08S01", "Unknown command", &mut self.outbox),
        }
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if matches!(self.phase, Phase::Over) {
            return Ok(());
        }
        match event {
            Event::Opened { at } => self.ask(Waiting::Greeting, greeting::request(), at, out),
            Event::Data { from: Peer::Client, bytes, at } => {
                let limit = self.limits.body.saturating_mul(2);
                if self.inbox.len() + bytes.len() > limit {
                    let what = "what the client sent without an answer";
                    return Err(WireError::TooLarge { protocol: NAME, what, limit });
                }
                self.inbox.push(bytes, at)?;
                if !self.turns_to_tls(out) {
                    self.read(at, out)?;
                }
            }
            Event::Answer { id, answer, at } if id == ExchangeId(self.next) => {
                self.answer(answer, out)?;
                self.say_unasked(out);
                self.read(at, out)?;
            }
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => {
                self.unsent(out);
                self.phase = Phase::Over;
            }
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.unsent(out);
                self.client_ended = true;
            }
            _ => {}
        }
        if matches!(self.phase, Phase::Over) {
            return Ok(());
        }
        self.flush(out);
        if self.client_ended && self.waiting.is_none() {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
