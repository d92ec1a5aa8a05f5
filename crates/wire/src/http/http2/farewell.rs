//! Why a server ends the connection, when it says so before it does (RFC 9113, section 6.8).

use crate::Ending;
use rehearsal_model::{Failure, ResetCode};

/// What a server has said of that.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    said: Option<ResetCode>,
}

impl Farewell {
    /// Servers say it twice to end in order: an error counts, whichever comes first.
    pub(super) fn hear(&mut self, code: ResetCode) {
        self.said = self.wrong().or(Some(code));
    }

    /// The reason, when that is an error: clients leave the connection for it alone, and what becomes of
    /// their streams is the server's doing.
    pub(super) fn wrong(&self) -> Option<ResetCode> {
        self.said.filter(|code| *code != ResetCode::NO_ERROR)
    }

    /// What becomes of the streams that are open when the connection ends like this.
    pub(super) fn failure(&self, how: Ending) -> Failure {
        match (self.wrong(), how) {
            (Some(code), _) => Failure::ClosedBy(code),
            (None, Ending::Reset) => Failure::Reset,
            (None, Ending::Finished) => Failure::Closed,
        }
    }
}
