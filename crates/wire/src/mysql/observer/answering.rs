//! What the server answers, matched with what was asked.

use super::Observer;
use super::asking::{File, What};
use crate::mysql::columns::Column;
use crate::mysql::fields::Fields;
use crate::mysql::outcome::Running;
use crate::mysql::packets::Packet;
use crate::mysql::replies::{self, Done};
use crate::mysql::{capabilities, malformed, shown, status, text, values};
use crate::{Command, WireError};
use rehearsal_model::{Map, Moment, Value};
use std::sync::Arc;

/// The most columns that a server sends.
const MOST_COLUMNS: u64 = 4096;

/// What is to come of an answer.
#[derive(Debug)]
pub(super) enum Reading {
    /// Its first packet.
    Head,
    /// Definitions of columns, so many more, then what marks their end if the client wants that.
    Columns {
        left: usize,
        columns: Vec<Column>,
    },
    /// The end of the columns.
    ColumnsEnd,
    Rows,
    /// Definitions of parameters, so many more (with what marks their end), then so many columns.
    Params {
        left: usize,
        columns: usize,
    },
}

impl Observer {
    pub(super) fn server_packet(
        &mut self,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.is_farewell(packet) {
            return Ok(());
        }
        let Some(asked) = self.asked.front_mut() else {
            return Err(malformed("an answer that was not asked for"));
        };
        let what = asked.what;
        if let Some(mut running) = asked.running.take() {
            let sql = running.request.get("sql").and_then(text::of);
            running.expected =
                sql.map_or_else(Vec::new, |sql| status::after_each(self.flags, &sql));
            self.running = Some(running);
        }
        if packet.body.is_empty() && what != What::Text {
            return Err(malformed("an empty packet"));
        }
        if packet.omitted.is_some() && !matches!(self.reading, Reading::Rows) {
            return Err(malformed("an answer that is too large to be kept"));
        }
        match what {
            What::Plain => self.plain(packet, now, out),
            What::Text => {
                let info = Map::from([("info", Value::from_bytes(&packet.body))]);
                self.answered(info, now, out);
                Ok(())
            }
            What::Fields => self.field_list(packet, now, out),
            What::Prepare { statement } => self.prepared(statement, packet, now, out),
            What::Fetch { statement } => self.fetched(statement, packet, now, out),
            What::Results { statement } => self.result(statement, packet, now, out),
        }
    }

    /// The first that was asked is answered: the next one is read.
    fn answered(&mut self, response: Map, now: Moment, out: &mut Vec<Command>) {
        self.asked.pop_front();
        self.reading = Reading::Head;
        if let Some(running) = self.running.take() {
            self.teach(running.request.text("sql"), out);
            Observer::emit(running, response, now, out);
        }
        self.say_unasked(out);
    }

    fn plain(
        &mut self,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let mut response = Map::new();
        match packet.body[0] {
            0 => {
                let done = Done::read(&packet.body, self.capabilities)?;
                let expected = std::mem::replace(&mut self.flags, status::lasting(done.status));
                crate::mysql::outcome::put_done(done, false, expected, &mut response);
            }
            0xfe => {}
            0xff => response.push_new("error", replies::read_error(&packet.body)?),
            _ => return Err(malformed("an answer that is neither OK nor an error")),
        }
        self.answered(response, now, out);
        Ok(())
    }

    /// Whether a packet ends columns or rows. A row that begins so has a value of 16 MiB.
    fn is_end(&self, packet: &Packet) -> bool {
        let most = if self.deprecates_ends() { 0xff_ffff } else { 9 };
        packet.body[0] == 0xfe && packet.body.len() < most && packet.omitted.is_none()
    }

    fn result(
        &mut self,
        statement: Option<u64>,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let body = &packet.body[..];
        if body[0] == 0xff && packet.omitted.is_none() {
            let error = replies::read_error(body)?;
            self.outcome(|outcome| outcome.error = Some(error));
            return self.result_done(None, statement, now, out);
        }
        match &mut self.reading {
            Reading::Head if body[0] == 0 => {
                let done = Done::read(body, self.capabilities)?;
                self.result_done(Some(done), statement, now, out)
            }
            Reading::Head if body[0] == 0xfb => {
                self.file = Some(File::default());
                Ok(())
            }
            Reading::Head => self.result_head(statement, body),
            Reading::Columns { .. } => {
                let extended = self.has(capabilities::EXTENDED_METADATA);
                if let Some(columns) = self.next_column(body, extended)? {
                    self.begin_rows(statement, columns);
                }
                Ok(())
            }
            Reading::ColumnsEnd => {
                let done = Done::read_end(body, self.capabilities)?;
                if done.status & status::CURSOR != 0 {
                    return self.cursor_opened(statement, &done);
                }
                self.reading = Reading::Rows;
                Ok(())
            }
            Reading::Rows => self.row_or_end(statement, packet, now, out),
            Reading::Params { .. } => Err(malformed("parameters in a result")),
        }
    }

    fn outcome(&mut self, change: impl FnOnce(&mut crate::mysql::outcome::Outcome)) {
        if let Some(running) = &mut self.running {
            change(&mut running.outcome);
        }
    }

    fn result_head(&mut self, statement: Option<u64>, body: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(body);
        let left = column_count(fields.number()?)?;
        let caches = self.has(capabilities::CACHE_METADATA);
        if caches && !fields.is_empty() && fields.byte()? == 0 {
            let known = statement.and_then(|number| self.statements.get(number)?.columns.clone());
            let known = known.filter(|columns| columns.len() == left);
            let columns = known.ok_or_else(|| malformed("rows of columns that are not known"))?;
            self.begin_rows(statement, columns);
            return Ok(());
        }
        self.reading = Reading::Columns { left, columns: Vec::new() };
        Ok(())
    }

    /// Takes a definition; gives all when it was the last.
    fn next_column(
        &mut self,
        body: &[u8],
        extended: bool,
    ) -> Result<Option<Arc<[Column]>>, WireError> {
        let Reading::Columns { left, columns } = &mut self.reading else { return Ok(None) };
        columns.push(Column::read(body, extended)?);
        *left -= 1;
        Ok((*left == 0).then(|| std::mem::take(columns).into()))
    }

    fn begin_rows(&mut self, statement: Option<u64>, columns: Arc<[Column]>) {
        if let Some(known) = statement.and_then(|number| self.statements.get_mut(number)) {
            known.columns = Some(Arc::clone(&columns));
        }
        self.teach_columns(&columns);
        self.outcome(|outcome| outcome.columns = Some(columns));
        self.reading = match self.deprecates_ends() {
            true => Reading::Rows,
            false => Reading::ColumnsEnd,
        };
    }

    fn row_or_end(
        &mut self,
        statement: Option<u64>,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.is_end(packet) {
            let done = Done::read_end(&packet.body, self.capabilities)?;
            let opens = self.deprecates_ends() && done.status & status::CURSOR != 0;
            return match opens {
                true => self.cursor_opened(statement, &done),
                false => self.result_done(Some(done), statement, now, out),
            };
        }
        let limit = self.limits.body;
        match &mut self.running {
            Some(running) => add_row(running, packet, statement.is_some(), limit),
            None => Ok(()),
        }
    }

    /// One result is complete, and with the last one the answer.
    fn result_done(
        &mut self,
        done: Option<Done>,
        statement: Option<u64>,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let more = done.as_ref().is_some_and(|done| done.status & status::MORE_RESULTS != 0);
        let flags = done.as_ref().map_or(self.flags, |done| status::lasting(done.status));
        let Some(running) = &mut self.running else {
            self.answered(Map::new(), now, out);
            return Ok(());
        };
        running.outcome.done = done;
        running.complete(self.flags);
        if more {
            self.reading = Reading::Head;
            return Ok(());
        }
        self.flags = flags;
        let response = running.response();
        let _ = statement;
        self.answered(response, now, out);
        Ok(())
    }

    /// The rows of this statement are fetched by and by.
    fn cursor_opened(&mut self, statement: Option<u64>, done: &Done) -> Result<(), WireError> {
        self.flags = status::lasting(done.status);
        self.asked.pop_front();
        self.reading = Reading::Head;
        let running = self.running.take();
        let (Some(number), Some(running)) = (statement, running) else {
            return Err(malformed("a cursor of a statement that is not prepared"));
        };
        self.suspended.insert(number, running);
        Ok(())
    }

    fn fetched(
        &mut self,
        statement: u64,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let failed = packet.body[0] == 0xff && packet.omitted.is_none();
        if !failed && !self.is_end(packet) {
            let limit = self.limits.body;
            return match self.suspended.get_mut(&statement) {
                Some(running) => add_row(running, packet, true, limit),
                None => Ok(()),
            };
        }
        self.asked.pop_front();
        let done = match failed {
            true => None,
            false => Some(Done::read_end(&packet.body, self.capabilities)?),
        };
        let over = done.as_ref().is_none_or(|done| done.status & status::LAST_ROW != 0);
        if over && let Some(mut running) = self.suspended.remove(&statement) {
            if failed {
                running.outcome.error = Some(replies::read_error(&packet.body)?);
            }
            running.outcome.done = done;
            running.complete(self.flags);
            let response = running.response();
            Observer::emit(running, response, now, out);
        }
        Ok(())
    }

    fn field_list(
        &mut self,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if packet.body[0] == 0xff {
            let response = Map::from([("error", replies::read_error(&packet.body)?)]);
            self.answered(response, now, out);
            return Ok(());
        }
        if matches!(self.reading, Reading::Head) {
            self.reading = Reading::Columns { left: usize::MAX, columns: Vec::new() };
        }
        let Reading::Columns { columns, .. } = &mut self.reading else { return Ok(()) };
        if packet.body[0] == 0xfe && packet.body.len() < 16 {
            let columns = std::mem::take(columns);
            let mut response = Map::new();
            shown::put(&columns, &mut response);
            self.answered(response, now, out);
            return Ok(());
        }
        if columns.len() as u64 >= MOST_COLUMNS {
            return Err(malformed("more columns than a table can have"));
        }
        let extended = self.has(capabilities::EXTENDED_METADATA);
        self.next_column(&packet.body, extended).map(|_| ())
    }

    fn prepared(
        &mut self,
        statement: u64,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let body = &packet.body[..];
        let ends = usize::from(!self.deprecates_ends());
        match &mut self.reading {
            Reading::Head if body[0] == 0xff => {
                let response = Map::from([("error", replies::read_error(body)?)]);
                self.statements.remove(statement);
                self.answered(response, now, out);
                return Ok(());
            }
            Reading::Head => {
                let mut fields = Fields::new(body);
                fields.byte()?;
                let (id, columns) = (fields.u32()?, usize::from(fields.u16()?));
                let params = usize::from(fields.u16()?);
                self.statements.name(statement, id);
                if let Some(known) = self.statements.get_mut(statement) {
                    known.params = params;
                }
                let left = if params > 0 { params + ends } else { 0 };
                self.reading = Reading::Params { left, columns };
            }
            Reading::Params { left, .. } => *left -= 1,
            Reading::Columns { .. } => {
                let extended = self.has(capabilities::EXTENDED_METADATA);
                if let Some(columns) = self.next_column(body, extended)? {
                    self.teach_columns(&columns);
                    if let Some(known) = self.statements.get_mut(statement) {
                        known.columns = Some(columns);
                    }
                    self.reading = Reading::ColumnsEnd;
                    if ends > 0 {
                        return Ok(());
                    }
                }
            }
            _ => {}
        }
        if let Reading::Params { left: 0, columns } = self.reading {
            self.reading = match columns {
                0 => Reading::Rows,
                left => Reading::Columns { left, columns: Vec::new() },
            };
        }
        if matches!(self.reading, Reading::Rows | Reading::ColumnsEnd) {
            let response = self.described(statement);
            self.answered(response, now, out);
        }
        Ok(())
    }

    /// The description of a statement in the form of recordings.
    fn described(&self, statement: u64) -> Map {
        let mut response = Map::new();
        if let Some(known) = self.statements.get(statement) {
            response.push_new("takes", known.params as u64);
            if let Some(columns) = &known.columns {
                shown::put(columns, &mut response);
            }
        }
        response
    }
}

fn column_count(count: u64) -> Result<usize, WireError> {
    match count {
        1..=MOST_COLUMNS => usize::try_from(count).map_err(|_| malformed("too many columns")),
        _ => Err(malformed("a result of no columns, or of more than there can be")),
    }
}

fn add_row(
    running: &mut Running,
    packet: &Packet,
    is_binary: bool,
    limit: usize,
) -> Result<(), WireError> {
    let length = match &packet.omitted {
        Some(_) => usize::MAX,
        None => packet.body.len(),
    };
    let outcome = &mut running.outcome;
    if !outcome.has_room(length, limit) {
        return Ok(());
    }
    let columns = outcome.columns.as_deref().unwrap_or_default();
    let row = match is_binary {
        true => values::read_binary_row(&packet.body, columns)?,
        false => values::read_text_row(&packet.body, columns)?,
    };
    outcome.rows.push(row);
    Ok(())
}
