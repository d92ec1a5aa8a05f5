//! One unit of a conversation on an edge.

use crate::{Map, Moment, ResetCode};
use std::fmt;

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
    /// One conversation of a connection of several was reset, with this code.
    ResetBy(ResetCode),
    /// As [`Failure::Closed`], after this code was given as the reason.
    ClosedBy(ResetCode),
    /// Whoever was asked said that it has done nothing for this and takes no more on this connection, and why.
    UnheardBy(ResetCode),
}

/// Makes a failure of its code.
type Coded = fn(ResetCode) -> Failure;

impl Failure {
    /// Every failure without a code, with the word that files use for it.
    pub const ALL: [(Failure, &str); 5] = [
        (Failure::Refused, "refused"),
        (Failure::Unreachable, "unreachable"),
        (Failure::TimedOut, "timed out"),
        (Failure::Reset, "reset"),
        (Failure::Closed, "closed"),
    ];

    /// What makes those with a code, with the word that files use for it.
    pub const CODED: [(Coded, &str); 3] = [
        (Failure::ResetBy, "reset"),
        (Failure::ClosedBy, "closed"),
        (Failure::UnheardBy, "unheard"),
    ];

    /// The word that files use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Refused => "refused",
            Failure::Unreachable => "unreachable",
            Failure::TimedOut => "timed out",
            Failure::Reset | Failure::ResetBy(_) => "reset",
            Failure::Closed | Failure::ClosedBy(_) => "closed",
            Failure::UnheardBy(_) => "unheard",
        }
    }

    /// The code that was given.
    #[must_use]
    pub fn code(self) -> Option<ResetCode> {
        match self {
            Failure::ResetBy(code) | Failure::ClosedBy(code) | Failure::UnheardBy(code) => {
                Some(code)
            }
            _ => None,
        }
    }

    /// The failure that a word in a file names, with the code that stands beside it. There is none of a
    /// word that takes no code and has one, nor of one that lacks it.
    #[must_use]
    pub fn parse(word: &str, code: Option<ResetCode>) -> Option<Self> {
        match code {
            None => Self::ALL.iter().find(|(_, name)| *name == word).map(|(failure, _)| *failure),
            Some(code) => {
                Self::CODED.iter().find(|(_, name)| *name == word).map(|(make, _)| make(code))
            }
        }
    }

    /// The same on a connection that knows no codes.
    #[must_use]
    pub fn without_code(self) -> Self {
        match self {
            Failure::ResetBy(_) => Failure::Reset,
            Failure::ClosedBy(_) | Failure::UnheardBy(_) => Failure::Closed,
            plain => plain,
        }
    }

    /// Whether `seen` is what this was when it was recorded. What was recorded without a code says
    /// nothing about it.
    #[must_use]
    pub fn allows(self, seen: Failure) -> bool {
        self == seen || self == seen.without_code()
    }
}

impl fmt::Display for Failure {
    /// The word, with the code after it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())?;
        self.code().map_or(Ok(()), |code| write!(out, " ({code})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_come_back_as_the_same_failure() {
        let code = ResetCode(8);
        let coded = Failure::CODED.iter().map(|(make, word)| (make(code), *word));
        for (failure, word) in Failure::ALL.into_iter().chain(coded) {
            assert_eq!(failure.as_str(), word);
            assert_eq!(Failure::parse(word, failure.code()), Some(failure));
        }
        for (word, code) in [("refused", Some(code)), ("unheard", None), ("gone", None)] {
            assert_eq!(Failure::parse(word, code), None, "{word}");
        }
    }

    #[test]
    fn what_was_recorded_without_a_code_allows_any() {
        let [calm, cancel] = [11, 8].map(|code| Failure::ResetBy(ResetCode(code)));
        assert!(Failure::Reset.allows(calm) && calm.allows(calm));
        assert!(
            !calm.allows(cancel) && !calm.allows(Failure::Reset) && !Failure::Closed.allows(calm)
        );
        assert!(Failure::Closed.allows(Failure::UnheardBy(ResetCode::NO_ERROR)));
        assert_eq!(calm.to_string(), "reset (ENHANCE_YOUR_CALM)");
    }
}
