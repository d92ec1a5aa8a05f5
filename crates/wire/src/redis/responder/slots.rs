//! Replies in the order of the commands.

use crate::redis::blocking;
use crate::redis::resp::Resp;
use crate::redis::subscriptions::Change;
use crate::redis::write::{Version, write};
use bytes::Bytes;
use rehearsal_model::ExchangeId;
use std::collections::VecDeque;

/// What a question is about.
#[derive(Debug)]
pub(super) enum About {
    Command(Vec<Bytes>),
    /// With the version of the protocol that holds if it is refused.
    Hello {
        before: Version,
    },
    /// With the database that holds if it is refused.
    Select {
        before: u32,
    },
    Quit,
    /// With the names that were given.
    Channels(Change, Vec<Bytes>),
    /// With the number of commands that were queued before.
    Transaction {
        commands: usize,
    },
}

/// How far a reply has come.
#[derive(Debug)]
enum State {
    Ready(Vec<u8>),
    /// That a command is queued, unless the transaction turns out to have refused it.
    Queued,
    Asked(ExchangeId, About),
}

/// The place of one reply.
#[derive(Debug)]
pub(super) struct Slot {
    state: State,
    version: Version,
    silent: bool,
}

impl Slot {
    pub(super) fn ready(reply: &Resp, version: Version, silent: bool) -> Self {
        let mut slot = Slot { state: State::Queued, version, silent };
        slot.fill(reply);
        slot
    }

    pub(super) fn queued(version: Version, silent: bool) -> Self {
        Slot { state: State::Queued, version, silent }
    }

    pub(super) fn asked(id: ExchangeId, about: About, version: Version, silent: bool) -> Self {
        Slot { state: State::Asked(id, about), version, silent }
    }

    fn fill(&mut self, reply: &Resp) {
        let mut bytes = Vec::new();
        if !self.silent {
            write(reply, self.version, &mut bytes);
        }
        self.state = State::Ready(bytes);
    }
}

/// The replies that are due.
#[derive(Debug, Default)]
pub(super) struct Slots {
    queue: VecDeque<Slot>,
    /// The bytes of those before the queue.
    ready: Vec<u8>,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn push(&mut self, slot: Slot) {
        self.queue.push_back(slot);
    }

    /// The place of an exchange, and what it is about.
    pub(super) fn find(&mut self, id: ExchangeId) -> Option<(usize, About, Version)> {
        let place = self
            .queue
            .iter()
            .position(|slot| matches!(&slot.state, State::Asked(asked, _) if *asked == id))?;
        let slot = &mut self.queue[place];
        match std::mem::replace(&mut slot.state, State::Queued) {
            State::Asked(_, about) => Some((place, about, slot.version)),
            _ => None,
        }
    }

    /// Fills a place with replies one behind the other.
    pub(super) fn fill(&mut self, place: usize, replies: &[Resp]) {
        let Some(slot) = self.queue.get_mut(place) else { return };
        let mut bytes = Vec::new();
        let out = if place == 0 { &mut self.ready } else { &mut bytes };
        if !slot.silent {
            replies.iter().for_each(|reply| write(reply, slot.version, out));
        }
        match place {
            0 => _ = self.queue.pop_front(),
            _ => slot.state = State::Ready(bytes),
        }
    }

    /// Fills the places of commands that were queued before a place, as far as nobody was told.
    pub(super) fn fill_queued(&mut self, end: usize, count: usize, reply: impl Fn(usize) -> Resp) {
        for (number, place) in (end.saturating_sub(count)..end).enumerate() {
            let slot = &mut self.queue[place];
            if matches!(slot.state, State::Queued) {
                slot.fill(&reply(number));
            }
        }
    }

    /// Tells the client of commands that were queued, where no end of their transaction has come.
    pub(super) fn settle_queued(&mut self) {
        for slot in self.queue.iter_mut().rev() {
            match slot.state {
                State::Queued => slot.fill(&Resp::Status(Bytes::from_static(b"QUEUED"))),
                State::Asked(_, About::Transaction { .. }) => return,
                _ => {}
            }
        }
    }

    /// The bytes of all replies before the first that is not known.
    pub(super) fn take_ready(&mut self) -> Vec<u8> {
        while let Some(Slot { state: State::Ready(bytes), .. }) = self.queue.front() {
            self.ready.extend_from_slice(bytes);
            self.queue.pop_front();
        }
        std::mem::take(&mut self.ready)
    }

    /// Whether a reply is yet to come that somebody might wait for. A command that waits for
    /// something to happen is given up by a client that ends.
    pub(super) fn wait_for_more(&self) -> bool {
        self.queue.iter().any(|slot| match &slot.state {
            State::Asked(_, About::Command(words)) => blocking::limit(words).is_none(),
            State::Ready(_) => false,
            _ => true,
        })
    }
}
