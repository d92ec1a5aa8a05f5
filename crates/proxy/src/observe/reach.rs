//! What becomes of an observed connection on which the client is connected with somebody else, as
//! through a forward proxy: all that is found out of a new connection is found out again.

use super::carry::{Carry, Listener};
use super::detect::Detection;
use super::listen::MOST_CHANGES;
use bytes::Bytes;
use rehearsal_wire::{Peer, Verdict, begins_tls, fallback};

impl Carry<'_> {
    /// Goes on as a connection with that party. What the session before it has not used was passed on.
    pub(super) fn reach(&mut self, party: &str, unused: &[(Peer, Bytes)]) {
        let Some(tls) = self.exchanges.reached(party) else {
            self.change_protocol(fallback().name(), unused);
            return;
        };
        self.changes += 1;
        if self.changes > MOST_CHANGES {
            self.demote("it is passed on too many times", None);
            return;
        }
        let early = unused.iter().any(|(from, bytes)| {
            *from == Peer::Client && !bytes.is_empty() && begins_tls(bytes) != Verdict::No
        });
        if early && tls.available() {
            self.demote("its client spoke TLS before it was told that it is connected", None);
            return;
        }
        self.held = [false; 2];
        self.listener = Listener::Unknown(Detection::default());
        let quiet = unused.iter().all(|(_, bytes)| bytes.is_empty());
        self.beginning = (quiet && tls.available()).then(Vec::new);
        self.tls_midway = tls.midway();
        self.next_tls = Some(tls);
        for (from, bytes) in unused.iter().filter(|(_, bytes)| !bytes.is_empty()) {
            self.hear(*from, bytes);
        }
    }

    /// Reads what was forwarded already, while the protocol is not known or when it is.
    fn hear(&mut self, from: Peer, bytes: &[u8]) {
        let at = self.options.clock.now();
        let Listener::Unknown(detection) = &mut self.listener else {
            self.tell(rehearsal_wire::Event::Data { from, bytes, at });
            return;
        };
        detection.add(from, bytes, at);
        if let Some(detection) = self.decide(false) {
            match self.held.contains(&true) {
                true => self.demote("its first bytes came too early to be held back", None),
                false => self.catch_up(&detection),
            }
        }
    }
}
