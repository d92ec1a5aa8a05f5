//! What a failure comes down to: where it comes from, by which mark it is known again, and whose it is.
//!
//! Finding that out is the work of `compare` (the cause) and of the command line (owners, quarantine).

use serde::Serialize;

/// Where a failure comes from, told apart from what follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Sixteen hexadecimal digits that are the same for each failure of this kind: of edge, operation,
    /// paths and kinds of difference, and of no value that varies.
    pub fingerprint: String,
    /// The edge that differs: `inbound` when it is the app's answer.
    pub edge: String,
    /// What was asked there, without numbers and ids: `GET /orders/{n}`.
    pub operation: String,
    /// What kind of failure it is: `call-differs`, `response`, `timed-out`, …
    pub finding: String,
    /// Each place that differs and how, sorted: `body.amount retyped`.
    pub changes: Vec<String>,
    /// Why this is taken for the cause, in a sentence without a full stop.
    pub reason: String,
}

/// Whose a failure is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// Teams, people or addresses.
    pub owners: Vec<String>,
    /// Where that is written: `edge payments in rehearsal.yaml`.
    pub source: String,
}

/// A test whose failure is known and, until a day, does not fail the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// Who sees to it.
    pub owner: String,
    /// The last day on which it holds: `2026-12-31`.
    pub until: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether that day is over, so that the failure counts again.
    pub expired: bool,
}

/// What the history knew of failures with the same fingerprint when the run began to ask it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Past {
    /// How many there were; 0 when this kind is new.
    pub failures: usize,
    /// In how many runs.
    pub runs: usize,
    /// When the first of those runs began, in milliseconds since 1970.
    pub first_ms: Option<i64>,
    /// The commit of the first of those runs.
    pub first_commit: Option<String>,
}

/// What is known of a failed test beyond its findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Triage {
    /// Where the failure comes from.
    pub cause: Cause,
    /// Whose it is, where anything says so.
    pub ownership: Option<Ownership>,
    /// Whether it is in quarantine.
    pub quarantine: Option<Quarantine>,
    /// Since when failures of this kind are seen; none where there is no history to ask.
    pub past: Option<Past>,
}

impl Triage {
    /// Whether a quarantine keeps the failure from failing the run.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        self.quarantine.as_ref().is_some_and(|quarantine| !quarantine.expired)
    }
}
