//! What can go wrong with the files of a project.
//!
//! Every message fits after "failed to" and says what to do next where that is not plain.

use crate::binary::BinaryError;
use crate::writer::Recovered;
use crate::yaml::{Spot, YamlError};
use std::io;
use std::path::{Path, PathBuf};

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
    /// A file is not as it should be.
    #[error("read {file}, line {line}, column {column}: {problem}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u32,
        /// The column in characters, from 1.
        column: u32,
        /// What is wrong there.
        problem: String,
    },
    /// A file as a whole cannot be used.
    #[error("use {file}: {problem}", file = file.display())]
    WholeFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        problem: String,
    },
    /// A name cannot be that of a recording.
    #[error("use `{name}` as the name of a recording: {problem}; choose another")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        problem: &'static str,
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
    /// There is a recording already.
    #[error(
        "record into {folder}: it has a recording{}; add to it with --append or choose another \
         name with --name",
        after_crash(*recovered),
        folder = folder.display()
    )]
    Exists {
        /// The recording's folder.
        folder: PathBuf,
        /// What was made files just before, because an earlier recording had broken off.
        recovered: Option<Recovered>,
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
    /// Whether it is a failure of ours or of the system's, rather than a mistake in a file or a
    /// command.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            StoreError::Io { action, .. } => *action != "read",
            StoreError::Binary { .. } => true,
            _ => false,
        }
    }

    /// Names the file in which something is wrong.
    pub(crate) fn file(file: &Path, error: YamlError) -> Self {
        let Spot { line, column } = error.at;
        StoreError::File { file: file.to_owned(), line, column, problem: error.problem }
    }

    /// Names the file that cannot be used.
    pub(crate) fn whole_file(file: &Path, problem: impl Into<String>) -> Self {
        StoreError::WholeFile { file: file.to_owned(), problem: problem.into() }
    }

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

fn after_crash(recovered: Option<Recovered>) -> String {
    recovered.map_or_else(String::new, |Recovered { tests, mocks, .. }| {
        format!(" ({tests} tests and {mocks} mocks of it saved from one that had broken off)")
    })
}
