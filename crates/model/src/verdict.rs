//! What a run said of one test, for those who look at tests and not at the run.

use crate::{CallName, Finding, Outcome, RunEvent, TestId};

/// A test that has its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The recording.
    pub recording: String,
    /// The number of the test.
    pub number: TestId,
    /// Its name.
    pub name: String,
    /// The file that holds it, from the project's folder.
    pub file: String,
    /// The verdict.
    pub outcome: Outcome,
    /// How long it took.
    pub took_ms: f64,
    /// What the app asked of others when it was recorded, in order.
    pub calls: Vec<CallName>,
    /// Why it failed.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// That of the event that ends a test; none of any other.
    #[must_use]
    pub fn of(event: RunEvent) -> Option<Self> {
        match event {
            RunEvent::TestFinished {
                recording,
                number,
                name,
                file,
                outcome,
                took_ms,
                calls,
                findings,
                triage: _,
                evidence: _,
            } => Some(Verdict { recording, number, name, file, outcome, took_ms, calls, findings }),
            _ => None,
        }
    }
}
