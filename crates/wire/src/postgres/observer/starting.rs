//! Start-up: encryption, credentials, and what a server may say at any time.
//!
//! Credentials are carried through and never looked at.

use super::{Observer, Phase, teaching};
use crate::postgres::fields::Fields;
use crate::postgres::inbox::Message;
use crate::postgres::pending::Asked;
use crate::postgres::start::{self, Start};
use crate::postgres::{malformed, notice};
use crate::{Command, Peer, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, Map, Moment, Value};

/// Notices and settings that wait for an exchange.
const MOST_NOTICES: usize = 256;

impl Observer {
    pub(super) fn greeting(
        &mut self,
        message: &Message,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match start::read(&message.body)? {
            Start::Tls => {
                self.phase = Phase::Choice;
                self.wish = Some(message.at);
            }
            Start::Gss => self.phase = Phase::Choice,
            Start::Cancel => self.phase = Phase::Over,
            Start::Work { parameters, .. } if parameters.get("replication").is_some() => {
                self.phase = Phase::Over;
                let (client, server) = (self.client.take(), self.server.take());
                out.push(Command::Become { protocol: "opaque", client, server });
            }
            Start::Work { parameters, .. } => {
                self.phase = Phase::Starting;
                let named = parameters.text("database").or(parameters.text("user"));
                self.database = teaching::database(named);
                let request = Map::from([("connect", parameters)]);
                self.running = Some(self.begin(request, message.at, out));
            }
        }
        Ok(())
    }

    pub(super) fn choice(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let (said, wish) = (self.server.take(), self.wish.take());
        out.push(Command::Send { to: Peer::Client, bytes: said.clone() });
        match (&said[..], wish) {
            (b"N", _) => self.phase = Phase::Greeting,
            (b"S", Some(at)) => {
                self.phase = Phase::Greeting;
                let running = self.begin(start::tls(), at, out);
                let exchange = Exchange {
                    request: running.request,
                    response: Some(Map::from([("accepted", true)])),
                    started: at,
                    finished: now,
                    ..Exchange::default()
                };
                out.push(Command::Emit { id: running.id, exchange: Box::new(exchange) });
                let unread = self.client.take();
                out.push(Command::StartTls { with: Peer::Client, unread });
                out.push(Command::StartTls { with: Peer::Server, unread: Bytes::new() });
            }
            (b"G", _) => return Err(malformed("encryption by GSSAPI, which is not read")),
            // Servers that cannot say so in one byte end the connection with an error.
            _ => return Err(malformed("more than one byte about encryption")),
        }
        Ok(())
    }

    /// Takes what the server may say at any time.
    pub(super) fn aside(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<bool, WireError> {
        let said = match message.kind {
            b'N' => notice::read(&message.body)?,
            // Of its own notifications an app hears when all that it asked is answered.
            b'A' if self.running.is_none() && self.awaits_nothing() => {
                self.heard(&message.body, now, out)?;
                return Ok(true);
            }
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

    /// Whether every statement was answered that the client has sent.
    fn awaits_nothing(&self) -> bool {
        self.asked.iter().all(|asked| matches!(asked, Asked::Sync))
    }

    /// A notification that comes while the app has asked for nothing is what it waits for.
    fn heard(&mut self, body: &[u8], now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let mut said = notice::read_notification(body)?;
        let request = Map::from([("receive", said.remove("notify").unwrap_or_default())]);
        let running = self.begin(request, now, out);
        let exchange = Exchange {
            request: running.request,
            response: Some(said),
            started: now,
            finished: now,
            ..Exchange::default()
        };
        out.push(Command::Emit { id: running.id, exchange: Box::new(exchange) });
        Ok(())
    }

    pub(super) fn starting(
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
}
