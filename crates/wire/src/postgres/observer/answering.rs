//! What the server answers, matched with what was asked.

use super::Observer;
use crate::postgres::inbox::Message;
use crate::postgres::pending::{Asked, Running};
use crate::postgres::{columns, malformed};
use crate::{Command, WireError};
use rehearsal_model::{ExchangeId, Map, Moment};
use std::sync::Arc;

impl Observer {
    pub(super) fn server_message(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let body = &message.body[..];
        match message.kind {
            b'1' => self.pop(|asked| matches!(asked, Asked::Parse(..))).map(|_| ()),
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
            b'E' if self.is_unsure() => {
                self.refusal = Some((message.body.clone(), now));
                Ok(())
            }
            b'E' => self.refused(body, now, out),
            b'D' | b'C' | b'I' | b's' | b'G' | b'H' | b'd' | b'c' => self.result(message, now, out),
            b'V' => self.value(body, now, out),
            _ => Err(malformed("a message of an unknown type from the server")),
        }
    }

    fn pop(&mut self, expected: impl FnOnce(&Asked) -> bool) -> Result<Asked, WireError> {
        let asked = self.asked.pop_front().filter(expected);
        asked.ok_or_else(|| malformed("an answer that was not asked for"))
    }

    /// The exchange of the statement that the server is answering, begun when it has not been.
    pub(super) fn run(&mut self, out: &mut Vec<Command>) -> Result<&mut Running, WireError> {
        if self.running.is_none() {
            let running = match self.asked.front() {
                Some(Asked::Query(sql, at)) => {
                    let (request, at) = (Map::from([("sql", sql.clone())]), *at);
                    self.begin(request, at, out)
                }
                Some(Asked::Call(request, _, at)) => {
                    let (request, at) = (request.clone(), *at);
                    self.begin(request, at, out)
                }
                Some(Asked::Execute(portal, at)) => {
                    let (portal, at) = (Arc::clone(portal), *at);
                    match self.suspended.remove(&portal.number) {
                        Some(running) => running,
                        None if portal.complete.get().is_some() => {
                            let nothing = Running::new(ExchangeId(0), Map::new(), at);
                            Running { silent: true, ..nothing }
                        }
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
                self.copied.begin(body)?;
                self.copying = true;
                // A server that is being copied to passes over these.
                while let Some(Asked::Sync) = self.asked.get(1).filter(|_| !self.copy_done) {
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

    /// What a function gave.
    fn value(&mut self, body: &[u8], now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let Some(Asked::Call(_, expected, _)) = self.asked.front() else {
            return Err(malformed("the result of a function that was not called"));
        };
        let value = expected.read(body)?;
        let running = self.run(out)?;
        running.touched = true;
        running.outcome.value = Some(value);
        self.finish(true, now, out)
    }

    /// The result of one statement is complete.
    fn finish(
        &mut self,
        simple: bool,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        if std::mem::take(&mut self.copying) {
            match running.outcome.has_error() && !self.copy_done {
                true => running.refused_copy = true,
                false => self.take_copied(&mut running),
            }
        }
        if simple {
            running.outcome.aside(&mut self.notices, &mut self.parameters);
            running.complete();
            self.running = Some(running);
        } else {
            let asked = self.pop(|asked| matches!(asked, Asked::Execute(..)))?;
            if let Asked::Execute(portal, _) = asked {
                let _ = portal.complete.set(());
            }
            self.emit_or_park(running, now, out);
        }
        Ok(())
    }

    fn emit_or_park(&mut self, running: Running, now: Moment, out: &mut Vec<Command>) {
        match running.refused_copy {
            true => self.parked = Some((running, now)),
            false => self.emit(running, now, out),
        }
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
        if let Some(Asked::Query(text, _)) = self.asked.front() {
            let text = text.clone();
            self.teach_columns(text.as_text(), columns.as_deref().unwrap_or_default(), out);
            let running = self.run(out)?;
            running.touched = true;
            running.outcome.columns = columns;
            return Ok(());
        }
        match self.pop(|_| true)? {
            Asked::DescribeStatement(statement, at) => {
                if let Some(text) = statement.sql.as_text() {
                    self.teach_columns(Some(text), columns.as_deref().unwrap_or_default(), out);
                    self.teach_written(text, Some(&statement), out);
                }
                let mut running = self.begin(statement.request(false), at, out);
                running.touched = true;
                running.outcome.params = statement.told.get().cloned();
                running.outcome.columns.clone_from(&columns);
                let _ = statement.columns.set(columns);
                self.emit(running, now, out);
            }
            Asked::DescribePortal { portal, at, executed, .. } => {
                let text = portal.statement.sql.as_text();
                self.teach_columns(text, columns.as_deref().unwrap_or_default(), out);
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

    /// Whether an error may be about something that the client has not said yet.
    fn is_unsure(&self) -> bool {
        let begins = matches!(
            self.asked.front(),
            Some(
                Asked::Parse(..)
                    | Asked::Bind(_)
                    | Asked::DescribeStatement(..)
                    | Asked::DescribePortal { .. }
            )
        );
        let all = self.asked.iter().any(|asked| matches!(asked, Asked::Sync));
        self.running.is_none() && begins && !all
    }

    /// Deals with an error that has waited.
    pub(super) fn settle(&mut self, out: &mut Vec<Command>) -> Result<(), WireError> {
        match self.refusal.take() {
            Some((body, at)) => self.refused(&body, at, out),
            None => Ok(()),
        }
    }

    /// The first of what is passed over that is an exchange gets the error; the server has not
    /// looked at the others.
    fn refused(
        &mut self,
        body: &[u8],
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(Asked::Query(..) | Asked::Call(..)) = self.asked.front() {
            let running = self.run(out)?;
            running.touched = true;
            running.outcome.error(body)?;
            return self.finish(true, now, out);
        }
        let executes =
            |asked: &Asked| matches!(asked, Asked::Execute(..) | Asked::DescribePortal { .. });
        let ends = |asked: &&Asked| !matches!(asked, Asked::Sync);
        let runs = self.asked.iter().take_while(ends).any(executes);
        while let Some(asked) = self.asked.front() {
            let request = match asked {
                Asked::Sync => break,
                // With its parameters it reads better, where those have come.
                Asked::Parse(statement, at) if !runs => Some((statement.prepare(), *at)),
                // Neither has it a text; a played server refuses it without asking.
                Asked::DescribeStatement(statement, _) if statement.is_unknown() => None,
                Asked::DescribePortal { portal, .. } | Asked::Execute(portal, _)
                    if portal.statement.is_unknown() =>
                {
                    None
                }
                Asked::DescribeStatement(statement, at) => Some((statement.request(false), *at)),
                Asked::DescribePortal { portal, at, executed: false, .. } => {
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
        let ends =
            |asked: &Asked| matches!(asked, Asked::Sync | Asked::Query(..) | Asked::Call(..));
        let asked = self.pop(ends)?;
        if let (Asked::Query(..) | Asked::Call(..), Some(running)) = (asked, self.running.take()) {
            self.emit_or_park(running, now, out);
        }
        self.copying = false;
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
}
