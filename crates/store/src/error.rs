//! What can go wrong with the files of a project.
//!
//! Every message fits after "failed to" and says what to do next where that is not plain.

use crate::binary::BinaryError;
use std::io;
use std::path::PathBuf;

/// Why files cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process writes the recording.
    #[error(
        "lock {folder}: {} is recording into it; wait for it or choose another name with --name",
        holder(*pid),
        folder = folder.display()
    )]
    Locked {
        /// The recording's folder.
        folder: PathBuf,
        /// The process, when it could be read.
        pid: Option<u32>,
    },
    /// Something cannot be encoded for the journal.
    #[error("write {path}: {problem}", path = path.display())]
    Binary {
        /// The journal.
        path: PathBuf,
        /// Why not.
        problem: BinaryError,
    },
    /// The journal of a broken-off recording was written by another version.
    #[error(
        "read {path}: another version of rehearsal wrote this journal of a recording that broke \
         off; run that version once to keep what it has, or delete the file",
        path = path.display()
    )]
    JournalVersion {
        /// The journal.
        path: PathBuf,
    },
    /// The file of the key for placeholders holds none.
    #[error(
        "read the key for secrets in {path}: it is not 64 hexadecimal digits; delete the file to \
         have a new one made",
        path = path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A pattern of `rehearsal.yaml` is no regular expression.
    #[error("read secrets.patterns of rehearsal.yaml: {problem}")]
    Pattern {
        /// Where and why.
        problem: regex::Error,
    },
}

impl StoreError {
    /// Turns what the system said into an error that names the file.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| StoreError::Io { action, path, source }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
