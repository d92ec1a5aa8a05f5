//! How a played server lets clients in: whoever they are, however they prove it.

use super::{Phase, Responder, Waiting};
use crate::mysql::compression::Kind;
use crate::mysql::fields::put_zero_ended;
use crate::mysql::greeting::{self, CACHING, CHALLENGE, Greeting, NATIVE};
use crate::mysql::login::{self, Login};
use crate::mysql::packets::{Inbox, Packet};
use crate::mysql::replies::Done;
use crate::mysql::{capabilities, reply, status};
use crate::{Command, Ending, Peer, Verdict, WireError};
use rehearsal_model::{Map, Moment};

impl Responder {
    /// Greets as the recorded server did.
    pub(super) fn greet(
        &mut self,
        response: &Map,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if reply::error(response, &mut self.outbox)? {
            self.end(Ending::Finished, out);
            return Ok(());
        }
        let greeting = Greeting::from_map(response)?;
        self.capabilities = greeting.capabilities;
        self.first_flags = status::lasting(greeting.status);
        self.flags = self.first_flags;
        self.outbox.add(|out| greeting.write(out));
        self.phase = Phase::Login;
        Ok(())
    }

    /// Goes on in TLS, when it was offered and the client wants it or may yet. Whether that is so.
    pub(super) fn turns_to_tls(&mut self, out: &mut Vec<Command>) -> bool {
        if !matches!(self.phase, Phase::Login) || self.capabilities & capabilities::SSL == 0 {
            return false;
        }
        let said = self.inbox.held();
        match login::turns_to_tls(&said) {
            Verdict::No => return false,
            Verdict::NeedMore => {}
            Verdict::Yes => {
                self.inbox = Inbox::new(self.limits.body);
                let unread = said.slice(login::TLS_REQUEST..);
                out.push(Command::StartTls { with: Peer::Client, unread });
            }
        }
        true
    }

    pub(super) fn login(
        &mut self,
        packet: &Packet,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let login = login::read(&packet.body, self.capabilities)?;
        self.capabilities = login.capabilities;
        self.take(login, packet.at, out);
        Ok(())
    }

    pub(super) fn change_user(
        &mut self,
        packet: &Packet,
        body: &[u8],
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.start_anew(out);
        let login = login::read_change(body, self.capabilities)?;
        self.take(login, packet.at, out);
        Ok(())
    }

    /// Lets the client prove in a way that needs nothing of us, if it has begun with another.
    fn take(&mut self, login: Login, at: Moment, out: &mut Vec<Command>) {
        let can_switch = self.capabilities & capabilities::PLUGIN_AUTH != 0;
        if login.plugin.is_empty() || greeting::plays(&login.plugin) || !can_switch {
            return self.come_in(login, at, out);
        }
        self.outbox.add(|out| {
            out.push(0xfe);
            put_zero_ended(out, NATIVE.as_bytes());
            put_zero_ended(out, CHALLENGE);
        });
        self.phase = Phase::Switching(Login { plugin: String::new(), ..login }, at);
    }

    pub(super) fn come_in(&mut self, login: Login, at: Moment, out: &mut Vec<Command>) {
        let fast = login.plugin == CACHING && login.has_proof;
        self.ask(Waiting::Connect { fast }, login.request, at, out);
    }

    pub(super) fn came_in(
        &mut self,
        fast: bool,
        response: &Map,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if reply::error(response, &mut self.outbox)? {
            self.end(Ending::Finished, out);
            return Ok(());
        }
        if fast {
            // The server knows the password from before.
            self.outbox.add(|out| out.extend_from_slice(&[1, 3]));
        }
        self.flags = reply::flags(response, self.first_flags)?;
        let done = Done { affected: 0, ..reply::done(response, self.flags)? };
        reply::ok(&done, self.form(false), &mut self.outbox);
        if let Some(kind) = Kind::of(self.capabilities).filter(|_| !self.inbox.is_packed()) {
            self.flush(out);
            self.inbox.unpack(kind)?;
        }
        Ok(())
    }
}
