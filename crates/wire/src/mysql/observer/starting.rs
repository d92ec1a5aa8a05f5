//! The greeting, and how the client comes in.

use super::{Observer, Phase};
use crate::mysql::compression::Kind;
use crate::mysql::greeting::{self, Greeting};
use crate::mysql::outcome::put_done;
use crate::mysql::packets::{Inbox, Outbox, Packet};
use crate::mysql::replies::{self, Done};
use crate::mysql::{capabilities, login, malformed, status};
use crate::{Command, Peer, Verdict, WireError};
use bytes::Bytes;
use rehearsal_model::{Map, Moment};

use Peer::{Client, Server};

impl Observer {
    pub(super) fn greeting(
        &mut self,
        packet: &Packet,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let mut body = packet.body.to_vec();
        let response = if body.first() == Some(&0xff) {
            self.phase = Phase::Over;
            Map::from([("error", replies::read_error(&body)?)])
        } else {
            greeting::without_the_unknown(&mut body)?;
            let greeting = Greeting::read(&body)?;
            if self.server.len() > 0 {
                return Err(malformed("a server that goes on before it is answered"));
            }
            self.capabilities = greeting.capabilities;
            self.first_flags = status::lasting(greeting.status);
            self.flags = self.first_flags;
            self.auth.clone_from(&greeting.plugin);
            self.phase = Phase::Login;
            greeting.into_map()
        };
        let mut outbox = Outbox::default();
        outbox.number = packet.number;
        outbox.add(|out| out.extend_from_slice(&body));
        let rest = if self.phase == Phase::Over { self.server.held() } else { Bytes::new() };
        let bytes = [outbox.take(), rest].concat().into();
        out.extend([Command::Send { to: Client, bytes }, Command::Forward { from: Server }]);
        let running = self.begin(greeting::request(), self.opened, out);
        Observer::emit(running, response, packet.at, out);
        Ok(())
    }

    /// Has the driver forward what the client says, unless it turns to TLS or may yet. Whether that
    /// is done.
    pub(super) fn lets_client_go(&mut self, out: &mut Vec<Command>) -> bool {
        let said = self.client.held();
        let offered = self.phase == Phase::Login && self.has(capabilities::SSL);
        match login::turns_to_tls(&said) {
            Verdict::NeedMore if offered => return false,
            Verdict::Yes if offered => {
                self.client = Inbox::new(self.limits.body);
                let unread = said.slice(login::TLS_REQUEST..);
                let bytes = said.slice(..login::TLS_REQUEST);
                out.push(Command::Send { to: Server, bytes });
                out.push(Command::StartTls { with: Client, unread });
                out.push(Command::StartTls { with: Server, unread: Bytes::new() });
                return false;
            }
            _ => {}
        }
        self.release_client(out);
        true
    }

    pub(super) fn release_client(&mut self, out: &mut Vec<Command>) {
        if std::mem::replace(&mut self.holds_client, false) {
            let bytes = self.client.held();
            if !bytes.is_empty() {
                out.push(Command::Send { to: Server, bytes });
            }
            out.push(Command::Forward { from: Client });
        }
    }

    pub(super) fn login(
        &mut self,
        packet: &Packet,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let login = login::read(&packet.body, self.capabilities)?;
        self.capabilities = login.capabilities;
        if !login.plugin.is_empty() {
            self.auth = login.plugin;
        }
        self.phase = Phase::Proving;
        self.running = Some(self.begin(login.request, packet.at, out));
        Ok(())
    }

    /// Reads how the server takes what the client says.
    pub(super) fn proving(
        &mut self,
        packet: &Packet,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.phase == Phase::Login && packet.body.first() != Some(&0xff) {
            return Err(malformed("a server that goes on before it is answered"));
        }
        let mut response = Map::from([("auth", self.auth.clone())]);
        match packet.body.first() {
            Some(0) => {
                let done = Done::read(&packet.body, self.capabilities)?;
                self.flags = status::lasting(done.status);
                put_done(done, false, self.first_flags, &mut response);
                self.phase = Phase::Ready;
                if let Some(kind) = Kind::of(self.capabilities) {
                    self.client.unpack(kind)?;
                    self.server.unpack(kind)?;
                }
            }
            Some(0xff) => {
                response.push_new("error", replies::read_error(&packet.body)?);
                self.phase = Phase::Over;
            }
            Some(0xfe) => {
                let plugin = packet.body[1..].split(|byte| *byte == 0).next().unwrap_or_default();
                if !plugin.is_empty() {
                    self.auth = String::from_utf8_lossy(plugin).into_owned();
                }
                return Ok(());
            }
            // More of the conversation in which the client proves who it is.
            Some(_) => return Ok(()),
            None => return Err(malformed("an empty packet")),
        }
        if let Some(running) = self.running.take() {
            Observer::emit(running, response, now, out);
        }
        self.say_unasked(out);
        Ok(())
    }

    /// Whether the client can do that and the server too.
    pub(super) fn has(&self, capability: u64) -> bool {
        self.capabilities & capability != 0
    }

    pub(super) fn deprecates_ends(&self) -> bool {
        self.has(capabilities::DEPRECATE_EOF)
    }
}
