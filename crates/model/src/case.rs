//! Test cases, mocks and the recording that holds them.

use crate::{Edge, EdgeName, Exchange, Timestamp};
use std::fmt;

/// The number of a test in its recording, from 1; it is the start of its file's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestId(pub u32);

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// One inbound exchange, the outbound exchanges it caused, and what the app answered.
#[derive(Clone, Debug, PartialEq)]
pub struct TestCase {
    /// Its number.
    pub id: TestId,
    /// What people call it: `POST /orders`.
    pub name: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The inbound edge that was called.
    pub edge: EdgeName,
    /// The request and the app's answer.
    pub exchange: Exchange,
    /// What the app asked of others, in the order in which it asked.
    pub calls: Vec<Call>,
    /// Paths whose values may differ between runs, from `request`, `response` or `calls[n]`.
    pub noise: Vec<Noise>,
    /// The earlier tests that were under way when it began.
    pub during: Vec<TestId>,
}

/// A value that may differ between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// The path that selects it.
    pub path: String,
    /// A regular expression that it must match all the same; with any of the two it must be there.
    pub matches: Option<String>,
    /// The kind that it must have: one of [`crate::KINDS`].
    pub kind: Option<String>,
    /// Why, when that was learned by replaying.
    pub learned: Option<String>,
}

impl From<&str> for Noise {
    fn from(path: &str) -> Self {
        Noise { path: path.to_owned(), ..Noise::default() }
    }
}

/// An outbound exchange that a test case caused.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The dependency.
    pub edge: EdgeName,
    /// What was asked and answered.
    pub exchange: Exchange,
    /// Whether it began before the call above it had its answer, so that the two may swap.
    pub parallel: bool,
}

/// An outbound exchange that is not one test's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Mock {
    /// The dependency.
    pub edge: EdgeName,
    /// What was asked and answered.
    pub exchange: Exchange,
    /// The last test that had begun when it was made: its place on the timeline; 0 is start-up.
    pub after: TestId,
    /// How many calls of that test came before it. Noted of answers that changed in the course of the
    /// recording, else 0.
    pub calls: u32,
    /// The overlapping tests one of which made it; empty for an ambient exchange.
    pub shared_by: Vec<TestId>,
    /// The test of another test runner that made it, by the name that it has there.
    pub of_test: Option<String>,
}

/// What a recording says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The version of Rehearsal that wrote it.
    pub tool: String,
    /// The command that was recorded, word by word; a shell line is `["sh", "-c", line]`.
    pub command: Vec<String>,
    /// The parties that were seen.
    pub edges: Vec<Edge>,
    /// Every address on which the app listened, whoever called there.
    pub listens: Vec<String>,
    /// What the messages are by whose names they are written, as a `FileDescriptorSet`; empty when
    /// that was not told.
    pub schemas: Vec<u8>,
    /// When it was made, of the mocks of another test runner: their tests have no times of their own.
    pub at: Option<Timestamp>,
}

impl Manifest {
    /// The edge of a name.
    #[must_use]
    pub fn edge(&self, name: &str) -> Option<&Edge> {
        self.edges.iter().find(|edge| edge.name.as_str() == name)
    }
}

/// Test cases and mocks made by one `record`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Its folder's name.
    pub name: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// By number.
    pub tests: Vec<TestCase>,
    /// Ambient and shared mocks, in recorded order.
    pub mocks: Vec<Mock>,
}
