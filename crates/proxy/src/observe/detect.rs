//! Finding out which protocol a connection speaks, from the first bytes of both sides.

use rehearsal_model::Moment;
use rehearsal_wire::{Peer, Protocol, Verdict};

/// Bytes that are kept until the protocol is known.
const MOST_BYTES: usize = 64 << 10;

/// Turns between the sides that are kept until then.
const MOST_TURNS: usize = 256;

/// What a connection has said so far.
#[derive(Default)]
pub(super) struct Detection {
    client: Vec<u8>,
    server: Vec<u8>,
    turns: Vec<Turn>,
}

/// Bytes that came from one side with none from the other between them.
pub(super) struct Turn {
    pub(super) from: Peer,
    /// When the first of them came.
    pub(super) at: Moment,
    len: usize,
}

/// What the first bytes say.
pub(super) enum Decision {
    /// This protocol.
    Known(&'static dyn Protocol),
    /// None of those to choose from.
    Unknown,
    /// Nothing yet.
    NeedMore,
}

impl Detection {
    /// Bytes that came from a side so far.
    pub(super) fn count(&self, from: Peer) -> usize {
        self.bytes(from).len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Adds what came.
    pub(super) fn add(&mut self, from: Peer, bytes: &[u8], at: Moment) {
        match from {
            Peer::Client => self.client.extend_from_slice(bytes),
            Peer::Server => self.server.extend_from_slice(bytes),
        }
        match self.turns.last_mut() {
            Some(turn) if turn.from == from => turn.len += bytes.len(),
            _ => self.turns.push(Turn { from, at, len: bytes.len() }),
        }
    }

    /// Asks the protocols in order. Whoever is sure wins, but the last of them, who takes what
    /// nobody else does, is heard only when no other may still become sure. `last_chance` says
    /// that no more bytes will come.
    pub(super) fn decide(
        &self,
        protocols: &[&'static dyn Protocol],
        last_chance: bool,
    ) -> Decision {
        let Some((last, others)) = protocols.split_last() else { return Decision::Unknown };
        let mut undecided = false;
        for protocol in others {
            match protocol.detect(&self.client, &self.server) {
                Verdict::Yes => return Decision::Known(*protocol),
                Verdict::NeedMore => undecided = true,
                Verdict::No => {}
            }
        }
        let full = self.client.len() + self.server.len() >= MOST_BYTES
            || self.turns.len() >= MOST_TURNS
            || last_chance;
        if undecided && !full {
            return Decision::NeedMore;
        }
        match last.detect(&self.client, &self.server) {
            Verdict::Yes => Decision::Known(*last),
            Verdict::NeedMore if !full => Decision::NeedMore,
            Verdict::NeedMore | Verdict::No => Decision::Unknown,
        }
    }

    /// All that came, turn by turn.
    pub(super) fn replay(&self) -> impl Iterator<Item = (&Turn, &[u8])> {
        let (mut client, mut server) = (&self.client[..], &self.server[..]);
        self.turns.iter().map(move |turn| {
            let rest = match turn.from {
                Peer::Client => &mut client,
                Peer::Server => &mut server,
            };
            let (bytes, after) = rest.split_at(turn.len);
            *rest = after;
            (turn, bytes)
        })
    }

    fn bytes(&self, from: Peer) -> &[u8] {
        match from {
            Peer::Client => &self.client,
            Peer::Server => &self.server,
        }
    }
}
