//! How far a recording is, for the live line.

use std::sync::Arc;
use tokio::time::Instant;

/// How far a recording is.
///
/// Counts are to be looked at: a watch of them tells only that the app listens, that the first
/// request was answered, that a server is asked or has answered, and that the recording is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests that the app answered.
    pub requests: u64,
    /// Calls that it made.
    pub calls: u64,
    /// Calls that several overlapping requests may have made, and nothing tells which did.
    pub shared: u64,
    /// Parties that were met.
    pub edges: usize,
    /// Bytes of connections that are over.
    pub bytes: u64,
    /// Exchanges that have begun and not finished.
    pub under_way: usize,
    /// Whether the recording cannot go on, such as when the disk is full.
    pub broken: bool,
    /// When a request was answered last.
    pub answered: Option<Instant>,
    /// Whether a server is asked of what its messages are made.
    pub asking: bool,
    /// Where the app listens.
    pub listening: Arc<[String]>,
}
