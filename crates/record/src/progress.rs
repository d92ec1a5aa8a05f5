//! How far a recording is, for the live line.

/// How far a recording is.
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
    /// Where the app listens.
    pub listening: Vec<String>,
}
