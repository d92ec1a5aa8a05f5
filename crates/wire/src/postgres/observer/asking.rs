//! What the client asks for, message by message.

use super::Observer;
use crate::postgres::fields::Fields;
use crate::postgres::function::Call;
use crate::postgres::inbox::Message;
use crate::postgres::pending::{Asked, Running};
use crate::postgres::plan::Described;
use crate::postgres::{copy, malformed};
use crate::{Command, WireError};
use rehearsal_model::{Map, Value};

/// Messages that may wait for their answer, for each exchange that may: batches of an app's
/// thousands of rows are sent at once, each as several messages.
const MESSAGES: usize = 256;

impl Observer {
    /// Notes what the client asks for. What stands in passwords is not looked at.
    pub(super) fn client_message(
        &mut self,
        message: &Message,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if message.kind != b'd' && !matches!(message.kind, b'c' | b'f') {
            self.unpark(out);
        }
        let body = &message.body[..];
        let at = message.at;
        let asked = match message.kind {
            b'Q' => {
                let sql = text(body)?;
                self.plans.declare(&sql)?;
                Asked::Query(sql, at)
            }
            b'P' => Asked::Parse(self.plans.parse(body)?, at),
            b'B' => Asked::Bind(self.plans.bind(body)?.1),
            b'D' => match self.plans.described(body)? {
                Described::Statement(statement) => Asked::DescribeStatement(statement, at),
                Described::Portal(portal) => {
                    Asked::DescribePortal { portal, at, flushed: false, executed: false }
                }
            },
            b'E' => {
                let (portal, _) = self.plans.executed(body)?;
                if let Some(Asked::DescribePortal {
                    portal: described, flushed, executed, ..
                }) = self.asked.back_mut()
                {
                    *executed = !*flushed && described.number == portal.number;
                }
                self.plans.declare(&portal.statement.sql)?;
                Asked::Execute(portal, at)
            }
            b'C' => Asked::Close(self.plans.close(body)?),
            b'S' if self.copying && !self.copy_done => return Ok(()),
            b'S' => Asked::Sync,
            b'F' => {
                let call = Call::read(body)?;
                let expected = call.expected();
                Asked::Call(call.into_map(), expected, at)
            }
            b'd' | b'c' | b'f' => return self.client_copies(message, out),
            b'H' => {
                if let Some(Asked::DescribePortal { flushed, .. }) = self.asked.back_mut() {
                    *flushed = true;
                }
                return Ok(());
            }
            b'p' | b'X' => return Ok(()),
            _ => return Err(malformed("a message of an unknown type from the client")),
        };
        if self.skipping {
            if !matches!(asked, Asked::Sync) {
                return Ok(());
            }
            self.skipping = false;
        }
        let most = self.limits.in_flight.saturating_mul(MESSAGES);
        if self.asked.len() >= most {
            return Err(malformed(&format!("a pipeline of more than {most} messages")));
        }
        self.begin_copying();
        let all = matches!(asked, Asked::Sync);
        self.asked.push_back(asked);
        if all { self.settle(out) } else { Ok(()) }
    }

    /// Takes data that is copied in. An app need not wait until the server wants it.
    fn client_copies(
        &mut self,
        message: &Message,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match message.kind {
            b'd' => self.copied.push(&message.body, self.limits.body),
            b'f' => self.copy_failed = Some(text(&message.body)?),
            _ => {}
        }
        self.copy_done |= message.kind != b'd';
        if self.copy_done {
            self.unpark(out);
        }
        Ok(())
    }

    /// Emits what was refused while the client was copying in: it has said all that it had to say.
    pub(super) fn unpark(&mut self, out: &mut Vec<Command>) {
        if let Some((mut running, at)) = self.parked.take() {
            self.take_copied(&mut running);
            self.emit(running, at, out);
        }
    }

    /// Notes what the client has copied in.
    pub(super) fn take_copied(&mut self, running: &mut Running) {
        let mut copied = Map::new();
        std::mem::take(&mut self.copied).into_map("copy", &mut copied);
        if let Some(why) = self.copy_failed.take() {
            copied.insert("copy_failed", why);
        }
        running.copies.push(copied);
        running.refused_copy = false;
        self.copy_done = false;
    }

    /// Forgets data that a server did not want.
    fn begin_copying(&mut self) {
        if self.asked.is_empty() {
            self.copied = copy::Data::default();
            self.copy_failed = None;
            self.copy_done = false;
        }
    }
}

/// Text up to its zero byte.
fn text(body: &[u8]) -> Result<Value, WireError> {
    Fields::new(body).zero_ended().map(Value::from_bytes)
}
