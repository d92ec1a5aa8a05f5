//! The session of an observed connection: what it is told and what it wants done.

use super::carry::{Carry, Listener};
use crate::{Ended, Stream, scratch};
use bytes::Bytes;
use rehearsal_wire::{Command, Ending, Event, Peer};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often the protocol of a connection may change.
pub(super) const MOST_CHANGES: u8 = 8;

/// Bytes of a side that the session has been given and that were not forwarded.
type Unsent<'a> = Option<(Peer, &'a [u8])>;

impl Carry<'_> {
    /// Tells the session what happened and does what it wants.
    pub(super) fn tell(&mut self, event: Event<'_>) {
        let unsent = match &event {
            Event::Data { from, bytes, .. } if self.held[*from as usize] => Some((*from, *bytes)),
            _ => None,
        };
        scratch::lend_commands(|commands| {
            let Listener::Known(session) = &mut self.listener else { return };
            // A decoder must not panic. If one does, that costs its recording, not the connection.
            let handle = AssertUnwindSafe(|| session.handle(event, commands));
            let result = catch_unwind(handle).map(|result| result.map_err(|e| e.to_string()));
            let result = result.unwrap_or_else(|_| Err("its decoder has a defect".to_owned()));
            let sent = commands.iter().any(|command| matches!(command, Command::Send { .. }));
            // What the session has dealt with is neither lost nor the beginning of TLS.
            let unsent = unsent.filter(|_| !sent);
            for command in commands.drain(..) {
                self.obey(command, unsent);
            }
            if let Err(error) = result {
                self.demote(&error, unsent);
            }
        });
    }

    fn obey(&mut self, command: Command, unsent: Unsent<'_>) {
        match command {
            Command::Send { to, bytes } => self.side(to).push(bytes),
            Command::Hold { from } => self.held[from as usize] = true,
            Command::Forward { from } => self.held[from as usize] = false,
            Command::Begin { id, at } => self.exchanges.begin(id, at),
            Command::Stir { id, at } => self.exchanges.stir(id, at),
            Command::Emit { id, exchange } => self.exchanges.emit(id, exchange),
            Command::Unread(why) => {
                let what = "the rest of an exchange on this connection is not recorded";
                self.account.warn(&format!("{what}: {why}"));
            }
            Command::Teach(taught) => self.exchanges.taught(taught),
            Command::Unasked(is_so) => self.exchanges.opens_unasked(is_so),
            Command::StartTls { with, unread } => self.start_tls(with, unread, unsent),
            Command::Become { protocol, client, server } => {
                self.change_protocol(protocol, &[(Peer::Client, client), (Peer::Server, server)]);
            }
            Command::Reach { party, client, server } => {
                self.reach(&party, &[(Peer::Client, client), (Peer::Server, server)]);
            }
            Command::Close { to, how } => {
                if how == Ending::Reset {
                    self.account.ended(Ended::BrokenOff);
                }
                self.side(to).finish(how);
            }
            Command::Wake { after } => self.timers.wake(after),
            // Nobody can answer; the real server does.
            Command::Ask { .. } | Command::Within(_) => {}
        }
    }

    fn start_tls(&mut self, with: Peer, unread: Bytes, unsent: Unsent<'_>) {
        if !matches!(self.listener, Listener::Known(_)) {
            return;
        }
        if self.tls_midway {
            let unread = match unsent {
                Some((from, bytes)) if unread.is_empty() && from == with => {
                    Bytes::copy_from_slice(bytes)
                }
                _ => unread,
            };
            self.tls.push_back((with, unread));
            return;
        }
        self.side(with.other()).push(unread.clone());
        let rest = rehearsal_wire::fallback().name();
        match self.options.protocol(rest) {
            Some(_) if self.exchanges.speaks(rest) => {}
            // What follows is bytes without a meaning.
            Some(_) => self.change_protocol(rest, &[(with, unread)]),
            None => self.demote("it turned to TLS, which is not read on this connection", unsent),
        }
    }

    /// Takes the stream of a side out, to lay TLS over it.
    pub(super) fn take_stream(&mut self, peer: Peer) -> Stream {
        self.side(peer).take()
    }

    /// Goes on with a side over which TLS was laid, or failed to be.
    pub(super) fn tls_laid(&mut self, with: Peer, laid: io::Result<Stream>) {
        match laid {
            Ok(stream) => {
                self.side(with).put_back(stream);
                self.secured[with as usize] = true;
                self.tell(Event::TlsReady { with });
            }
            Err(error) => {
                let whom = match with {
                    Peer::Client => "client",
                    Peer::Server => "server",
                };
                self.account.warn(&format!("establish TLS with the {whom}: {error}"));
                let at = self.options.clock.now();
                self.tell(Event::Closed { from: with, how: Ending::Reset, at });
                self.break_off();
            }
        }
    }

    /// Goes on with the session of another protocol. It forwards both sides until it says
    /// otherwise; what it is given here was passed on by the session before it.
    pub(super) fn change_protocol(&mut self, name: &'static str, unused: &[(Peer, Bytes)]) {
        if !matches!(self.listener, Listener::Known(_)) {
            return;
        }
        self.changes += 1;
        let Some(protocol) = self.options.protocol(name).filter(|_| self.changes <= MOST_CHANGES)
        else {
            self.demote(&format!("it changes to {name}, which cannot be read here"), None);
            return;
        };
        self.held = [false; 2];
        self.listen(protocol);
        for (from, bytes) in unused {
            if !bytes.is_empty() {
                let at = self.options.clock.now();
                self.tell(Event::Data { from: *from, bytes, at });
            }
        }
    }

    /// Carries the rest unread. Unsent bytes that the session did not deal with are sent, so that
    /// the peers notice nothing.
    pub(super) fn demote(&mut self, reason: &str, unsent: Unsent<'_>) {
        if matches!(self.listener, Listener::Unread) {
            return;
        }
        self.account.warn(&format!("the rest of this connection is not recorded: {reason}"));
        self.account.demoted();
        self.stop_listening();
        if let Some((from, bytes)) = unsent {
            self.side(from.other()).push(Bytes::copy_from_slice(bytes));
        }
        let [client, server] = self.secured;
        if client != server {
            // One side speaks TLS and the other does not: they would not understand each other.
            self.break_off();
        }
    }

    /// Lets nobody read along any more.
    pub(super) fn stop_listening(&mut self) {
        self.exchanges.abandon();
        self.listener = Listener::Unread;
        self.held = [false; 2];
        self.tls.clear();
        self.timers = crate::timers::Timers::default();
        self.turn.leave();
    }
}
