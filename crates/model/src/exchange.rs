//! One unit of a conversation on an edge.

use crate::{Map, Moment};

/// A number that tells the exchanges of one connection apart, given by its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// A request and what came of it, in the words of its protocol.
///
/// `request` and `response` are maps whose keys the protocol defines (`http`, `headers`, `body`;
/// `status`, …). A conversation that broke off has a `failure`, and a `response` only as far as one
/// came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchange {
    /// What the client asked; empty when no connection came about.
    pub request: Map,
    /// What the server answered.
    pub response: Option<Map>,
    /// How it broke off, when it did.
    pub failure: Option<Failure>,
    /// The ordinal of its connection on the edge, from 1; 0 where that says nothing.
    pub connection: u32,
    /// What tells the unit of work that it is a part of from all others of its edge in this run, where it is
    /// not the connection's: a transaction that has a number. It is not written.
    pub unit: Option<u64>,
    /// When the first byte of the request was seen.
    pub started: Moment,
    /// When the last byte of the response was seen.
    pub finished: Moment,
}

/// How a conversation ended other than by an answer. Replay does the same to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The connection was refused (`ECONNREFUSED`).
    Refused,
    /// The host or network cannot be reached (`EHOSTUNREACH`, `ENETUNREACH`).
    Unreachable,
    /// Connecting timed out (`ETIMEDOUT`), or whoever asked closed the connection before an answer
    /// began.
    TimedOut,
    /// The connection was reset (`ECONNRESET`).
    Reset,
    /// The connection was closed before the answer was complete.
    Closed,
}

impl Failure {
    /// Every failure with the word that files use for it.
    pub const ALL: [(Failure, &str); 5] = [
        (Failure::Refused, "refused"),
        (Failure::Unreachable, "unreachable"),
        (Failure::TimedOut, "timed out"),
        (Failure::Reset, "reset"),
        (Failure::Closed, "closed"),
    ];

    /// The word that files use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(failure, _)| *failure == self).map_or("closed", |(_, word)| word)
    }

    /// The failure that a word in a file names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(failure, _)| *failure)
    }
}
