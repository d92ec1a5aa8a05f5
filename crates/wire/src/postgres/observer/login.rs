//! What reaches the client of how the server lets it in.
//!
//! A server that speaks TLS offers to bind the login to its certificate (SCRAM-SHA-256-PLUS), and a
//! client that could, and is not offered that, says so and is turned away. With another certificate in
//! between neither can work, so that the client is asked for its password instead, inside TLS, and
//! the login is ours. The password is kept until then and goes nowhere else.

use super::{Observer, Phase};
use crate::postgres::fields::Fields;
use crate::postgres::frames::{Frames, zero_ended};
use crate::postgres::inbox::Message;
use crate::postgres::malformed;
use crate::postgres::scram::Scram;
use crate::{Command, Ending, Peer, WireError};
use bytes::Bytes;
use rehearsal_model::Moment;

use Peer::{Client, Server};

const PLAIN: &[u8] = b"SCRAM-SHA-256";
const BOUND: &[u8] = b"SCRAM-SHA-256-PLUS";

/// Who forwards what the server says.
#[derive(Debug)]
pub(super) enum Login {
    /// We do, message by message.
    Passing,
    /// The client was asked for its password.
    Asked,
    /// We log in, and the client hears nothing of it.
    Ours(Scram),
    /// The driver does.
    Over,
}

impl Observer {
    /// Forwards a message of the server, if it is for the client. What is not is dealt with.
    pub(super) fn passes(
        &mut self,
        message: &Message,
        out: &mut Vec<Command>,
    ) -> Result<bool, WireError> {
        let kind = match message.kind {
            b'R' => Some(Fields::new(&message.body).u32().unwrap_or_default()),
            _ => None,
        };
        match (&mut self.login, kind) {
            (Login::Over, _) => return Ok(true),
            (Login::Passing, Some(10)) if offers(&message.body, BOUND) => {
                self.auth.get_or_insert_with(|| "scram-sha-256".to_owned());
                self.login = Login::Asked;
                out.push(Command::Hold { from: Client });
                out.push(send(Client, |frames| frames.add(b'R', |out| out.extend([0, 0, 0, 3]))));
                return Ok(false);
            }
            (Login::Ours(scram), Some(11)) => {
                let reply = scram.reply(&message.body[4..]).map_err(malformed)?;
                let write = |frames: &mut Frames| frames.add(b'p', |out| out.extend(reply));
                out.push(send(Server, write));
                return Ok(false);
            }
            (Login::Ours(scram), Some(12)) => {
                if !scram.proves(&message.body[4..]) {
                    let close = |to| Command::Close { to, how: Ending::Reset };
                    out.extend([Client, Server].map(close));
                    return Err(malformed("a server that does not know the password"));
                }
                return Ok(false);
            }
            _ => {}
        }
        out.push(send(Client, |frames| {
            frames.add(message.kind, |out| out.extend_from_slice(&message.body));
        }));
        if kind.is_some() || self.phase == Phase::Ready {
            self.let_go(out);
        }
        Ok(true)
    }

    /// Takes the password that the client was asked for.
    pub(super) fn logs_in(
        &mut self,
        message: &Message,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<bool, WireError> {
        if !matches!(self.login, Login::Asked) || message.kind != b'p' {
            return Ok(false);
        }
        let password = Fields::new(&message.body).zero_ended()?;
        let (scram, first) = Scram::begin(password, now);
        self.login = Login::Ours(scram);
        out.push(send(Server, |frames| {
            frames.add(b'p', |out| {
                zero_ended(out, PLAIN);
                out.extend(u32::try_from(first.len()).unwrap_or_default().to_be_bytes());
                out.extend_from_slice(first.as_bytes());
            });
        }));
        Ok(true)
    }

    /// The client says no more. One that wants its login bound to the server's certificate leaves here.
    pub(super) fn leaves(&mut self, out: &mut Vec<Command>) -> Result<(), WireError> {
        if !matches!(self.login, Login::Asked) {
            return Ok(());
        }
        self.let_go(out);
        Err(malformed(
            "a client that was asked for its password within TLS and left; one that insists on binding \
             its login to the server's certificate cannot be recorded: let it do without meanwhile \
             (channel_binding=prefer)",
        ))
    }

    /// Leaves forwarding to the driver; what of a message has come is forwarded first.
    pub(super) fn let_go(&mut self, out: &mut Vec<Command>) {
        let before = std::mem::replace(&mut self.login, Login::Over);
        if matches!(before, Login::Over) {
            return;
        }
        let held = [(Client, self.server.held())];
        let ours = matches!(before, Login::Asked | Login::Ours(_));
        let unsent = if ours { self.client.held() } else { Bytes::new() };
        for (to, bytes) in held.into_iter().chain([(Server, unsent)]) {
            if !bytes.is_empty() {
                out.push(Command::Send { to, bytes });
            }
        }
        out.extend([Server, Client].map(|from| Command::Forward { from }));
    }
}

/// Whether a server offers a mechanism.
fn offers(body: &[u8], name: &[u8]) -> bool {
    let names = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    names.into_iter().any(|offered| offered == name)
}

fn send(to: Peer, write: impl FnOnce(&mut Frames)) -> Command {
    let mut frames = Frames::default();
    write(&mut frames);
    Command::Send { to, bytes: frames.take() }
}

#[cfg(test)]
mod tests {
    use crate::postgres::Postgres;
    use crate::postgres::tests::{message, startup};
    use crate::{Command, Ending, Event, Limits, Peer, Protocol};
    use rehearsal_model::Moment;

    use Peer::{Client, Server};

    #[test]
    fn a_client_that_insists_on_the_binding_is_explained() {
        let offer = message(b'R', b"\0\0\0\nSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        let begun = startup();
        for how in [Ending::Finished, Ending::Reset] {
            let (mut session, mut out) = (Postgres.observer(Limits::default()), Vec::new());
            let mut tell = |event, out: &mut Vec<Command>| session.handle(event, out);
            let at = Moment(1);
            tell(Event::Data { from: Client, bytes: &begun, at }, &mut out).unwrap();
            tell(Event::Data { from: Server, bytes: &offer, at }, &mut out).unwrap();
            let why = tell(Event::Closed { from: Client, how, at }, &mut out).unwrap_err();
            assert!(why.to_string().contains("channel_binding=prefer"), "{why}");
            assert!(out.contains(&Command::Forward { from: Client }), "its end is passed on");
        }
    }
}
