//! The channels and patterns that a connection listens to.

use super::{NAME, malformed};
use crate::WireError;
use bytes::Bytes;
use std::collections::BTreeSet;

/// Channels and patterns that one connection may listen to.
const MOST: usize = 65_536;

/// What is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Channels,
    Patterns,
    Shards,
}

/// A command that begins or ends listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) of: Of,
    pub(super) begins: bool,
}

impl Change {
    /// The change that a command makes, or that a confirmation is about.
    pub(super) fn parse(name: &[u8]) -> Option<Change> {
        // All others are told apart by their length, and nearly all are others.
        if !("subscribe".len()..="punsubscribe".len()).contains(&name.len()) {
            return None;
        }
        let all = [Of::Channels, Of::Patterns, Of::Shards].into_iter();
        let mut all = all.flat_map(|of| [true, false].map(|begins| Change { of, begins }));
        all.find(|change| name.eq_ignore_ascii_case(change.word().as_bytes()))
    }

    /// The word in confirmations.
    pub(super) fn word(self) -> &'static str {
        match (self.of, self.begins) {
            (Of::Channels, true) => "subscribe",
            (Of::Patterns, true) => "psubscribe",
            (Of::Shards, true) => "ssubscribe",
            (Of::Channels, false) => "unsubscribe",
            (Of::Patterns, false) => "punsubscribe",
            (Of::Shards, false) => "sunsubscribe",
        }
    }

    /// The word with which messages begin that come of it.
    pub(super) fn message(self) -> &'static str {
        match self.of {
            Of::Channels => "message",
            Of::Patterns => "pmessage",
            Of::Shards => "smessage",
        }
    }
}

/// Everything that a connection listens to.
#[derive(Debug, Default)]
pub(super) struct Subscriptions([BTreeSet<Bytes>; 3]);

impl Subscriptions {
    /// Whether there are any for which a connection of version 2 is given over to messages.
    pub(super) fn any(&self) -> bool {
        self.0.iter().any(|names| !names.is_empty())
    }

    pub(super) fn clear(&mut self) {
        *self = Subscriptions::default();
    }

    /// Those of one kind, in order.
    pub(super) fn names(&self, of: Of) -> Vec<Bytes> {
        self.0[of as usize].iter().cloned().collect()
    }

    /// How many the server counts in confirmations of a kind.
    pub(super) fn count(&self, of: Of) -> usize {
        match of {
            Of::Shards => self.0[2].len(),
            Of::Channels | Of::Patterns => self.0[0].len() + self.0[1].len(),
        }
    }

    /// Begins or ends listening; tells whether that changed anything.
    pub(super) fn change(&mut self, change: Change, name: &Bytes) -> Result<bool, WireError> {
        let names = &mut self.0[change.of as usize];
        if !change.begins {
            return Ok(names.remove(name));
        }
        if names.len() >= MOST {
            let what = "the list of channels";
            return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST });
        }
        if name.len() > 512 << 10 {
            return Err(malformed("the name of a channel that is too long"));
        }
        Ok(names.insert(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_known_by_its_word_and_no_other_command_is_one() {
        for of in [Of::Channels, Of::Patterns, Of::Shards] {
            for begins in [true, false] {
                let change = Change { of, begins };
                let word = change.word().to_ascii_uppercase();
                assert_eq!(Change::parse(word.as_bytes()), Some(change));
                assert_eq!(Change::parse(change.word().as_bytes()), Some(change));
            }
        }
        for other in ["", "GET", "PUBLISH", "SPUBLISH", "UNSUBSCRIBED", "SRANDMEMBER"] {
            assert_eq!(Change::parse(other.as_bytes()), None, "{other}");
        }
    }
}
