//! What the client asks for, message by message.

use super::Observer;
use crate::WireError;
use crate::postgres::fields::Fields;
use crate::postgres::inbox::Message;
use crate::postgres::pending::Asked;
use crate::postgres::plan::Described;
use crate::postgres::{NAME, malformed};
use rehearsal_model::Value;

impl Observer {
    /// Notes what the client asks for. What stands in passwords is not looked at.
    pub(super) fn client_message(&mut self, message: &Message) -> Result<(), WireError> {
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

    pub(super) fn client_copies(&mut self, message: &Message) -> Result<(), WireError> {
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
}

/// Text up to its zero byte.
fn text(body: &[u8]) -> Result<Value, WireError> {
    Fields::new(body).zero_ended().map(Value::from_bytes)
}
