//! What the client asks for, command by command.

use super::{Observer, Phase};
use crate::mysql::command::Reply;
use crate::mysql::outcome::Running;
use crate::mysql::packets::{Omitted, Packet};
use crate::mysql::{NAME, command, file, login, malformed, text};
use crate::{Command, WireError};
use rehearsal_model::{Map, Moment};

pub(super) use crate::mysql::file::File;

/// Commands that may wait for their answer, for each exchange that may: drivers send batches at once.
const COMMANDS: usize = 256;

/// Something that the client asked and the server has yet to answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) what: What,
    /// Its exchange, when it is one.
    pub(super) running: Option<Running>,
}

/// What kind of answer comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// OK or an error.
    Plain,
    /// A text of no form.
    Text,
    /// Columns, without their number before them.
    Fields,
    /// Results; those of a prepared statement are binary.
    Results { statement: Option<u64> },
    /// The description of a statement.
    Prepare { statement: u64 },
    /// More rows of a cursor.
    Fetch { statement: u64 },
}

impl Observer {
    pub(super) fn client_packet(
        &mut self,
        packet: Packet,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(file) = &mut self.file {
            if !packet.body.is_empty() {
                file.push(&packet, self.limits.body);
                return Ok(());
            }
            if let (Some(file), Some(running)) = (self.file.take(), &mut self.running) {
                running.files.push(file.into_map());
            }
            return Ok(());
        }
        let Some((code, body)) = packet.body.split_first() else {
            return Err(malformed("an empty packet where a command should be"));
        };
        let most = self.limits.in_flight.saturating_mul(COMMANDS);
        if self.asked.len() >= most {
            return Err(malformed(&format!("a pipeline of more than {most} commands")));
        }
        let (what, request) = match *code {
            command::QUIT => return Ok(()),
            command::CHANGE_USER => return self.change_user(body, packet.at, out),
            command::STMT_CLOSE => return self.close(body, packet.at, out),
            command::STMT_SEND_LONG_DATA => return self.statements.send_ahead(body),
            command::QUERY | command::STMT_PREPARE => self.statement(*code, body, &packet)?,
            command::STMT_EXECUTE | command::STMT_BULK_EXECUTE => {
                self.execute(*code, body, &packet, out)?
            }
            command::STMT_FETCH => {
                let number = statement_number(body)?;
                match self.statements.number(number) {
                    Some(statement) => (What::Fetch { statement }, None),
                    None => (What::Plain, None),
                }
            }
            command::STMT_RESET => {
                if let Some(number) = self.statements.number(statement_number(body)?) {
                    self.statements.reset(number);
                    self.finish_cursor(number, packet.at, out);
                }
                (What::Plain, None)
            }
            command::RESET_CONNECTION => {
                self.start_anew(packet.at, out);
                (What::Plain, None)
            }
            command::PING => (What::Plain, None),
            other => {
                let (reply, request) = command::plain(other, body)?;
                let what = match reply {
                    Reply::Plain => What::Plain,
                    Reply::Text => What::Text,
                    Reply::Fields => What::Fields,
                    Reply::Results => What::Results { statement: None },
                };
                (what, request)
            }
        };
        let running = request.map(|request| self.begin(request, packet.at, out));
        self.asked.push_back(Asked { what, running });
        Ok(())
    }

    fn statement(
        &mut self,
        code: u8,
        body: &[u8],
        packet: &Packet,
    ) -> Result<(What, Option<Map>), WireError> {
        let request = request_of(code, body, packet.omitted.as_ref());
        if code == command::QUERY {
            return Ok((What::Results { statement: None }, Some(request)));
        }
        if packet.omitted.is_some() {
            let what = "the text of a prepared statement";
            return Err(WireError::TooLarge { protocol: NAME, what, limit: self.limits.body });
        }
        let statement = self.statements.prepare(text::recorded(body))?;
        Ok((What::Prepare { statement }, Some(request)))
    }

    fn execute(
        &mut self,
        code: u8,
        body: &[u8],
        packet: &Packet,
        out: &mut Vec<Command>,
    ) -> Result<(What, Option<Map>), WireError> {
        if packet.omitted.is_some() {
            let what = "the parameters of a statement";
            return Err(WireError::TooLarge { protocol: NAME, what, limit: self.limits.body });
        }
        let executed = match code {
            command::STMT_EXECUTE => self.statements.execute(body)?,
            _ => self.statements.execute_bulk(body)?,
        };
        // The server says that there is no such statement.
        let Some(executed) = executed else { return Ok((What::Plain, None)) };
        self.finish_cursor(executed.number, packet.at, out);
        let what = What::Results { statement: Some(executed.number) };
        Ok((what, Some(executed.request)))
    }

    fn close(&mut self, body: &[u8], now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if let Some(number) = self.statements.number(statement_number(body)?) {
            self.finish_cursor(number, now, out);
            self.statements.remove(number);
        }
        Ok(())
    }

    /// The client has had enough of the rows of a cursor.
    fn finish_cursor(&mut self, number: u64, now: Moment, out: &mut Vec<Command>) {
        if let Some(mut running) = self.suspended.remove(&number) {
            running.complete(self.flags);
            let response = running.response();
            Observer::emit(running, response, now, out);
        }
    }

    /// The client goes on as if it had just connected; a transaction that is open is rolled back.
    fn start_anew(&mut self, at: Moment, out: &mut Vec<Command>) {
        let mut open: Vec<u64> = self.suspended.keys().copied().collect();
        open.sort_unstable();
        for number in open {
            self.finish_cursor(number, at, out);
        }
        self.statements.clear();
        self.flags = self.first_flags;
        self.unasked = false;
        out.push(Command::Unasked(false));
    }

    fn change_user(
        &mut self,
        body: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if !self.asked.is_empty() {
            return Err(malformed("a change of the user while statements are under way"));
        }
        self.start_anew(at, out);
        let login = login::read_change(body, self.capabilities)?;
        self.auth = login.plugin;
        self.phase = Phase::Proving;
        self.running = Some(self.begin(login.request, at, out));
        Ok(())
    }
}

fn statement_number(body: &[u8]) -> Result<u32, WireError> {
    crate::mysql::fields::Fields::new(body).u32()
}

/// The request of a text, executed or prepared, in the form of recordings.
fn request_of(code: u8, body: &[u8], omitted: Option<&Omitted>) -> Map {
    let key = if code == command::QUERY { "sql" } else { "prepare" };
    let mut request = Map::new();
    match omitted {
        Some(omitted) => file::put_omitted("sql_omitted", omitted, &mut request),
        None => request.push_new(key, text::recorded(body)),
    }
    request
}
