//! What can go wrong in a command, and the one place where outcomes become exit codes.

use rehearsal_history::HistoryError;
use rehearsal_record::RecordError;
use rehearsal_replay::ReplayError;
use rehearsal_store::StoreError;
use rehearsal_supervise::SpawnError;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Good,
    /// A test failed.
    TestsFailed,
    /// The app died while it was tested.
    AppDied,
    /// A check of `doctor` says that capture does not work.
    NotFit,
    /// The user interrupted it.
    Interrupted,
    /// Another test runner ended with this code.
    Ran(u8),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Wrong(String),
    /// The files of the project.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A recording.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A run of tests.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The history of runs.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Reading or writing something else.
    #[error("{doing}: {source}")]
    Io {
        /// What was done.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
}

impl CliError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| CliError::Io { doing, source }
    }

    /// Says it on standard error, with the app's last words where those explain it.
    pub(crate) fn print(&self) {
        let mut out = io::stderr().lock();
        // Whoever closed standard error does not want to be told.
        let _ = writeln!(out, "rehearsal: failed to {self}");
        if let CliError::Replay(
            ReplayError::EndedEarly { output, .. } | ReplayError::NotListening { output, .. },
        ) = self
        {
            for line in output {
                let _ = writeln!(out, "  | {}", rehearsal_report::visible(line));
            }
            let _ = writeln!(
                out,
                "hint: variables that it needs can be set as `env` in rehearsal.yaml"
            );
        }
    }

    fn code(&self) -> u8 {
        match self {
            CliError::Wrong(_) => WRONG,
            CliError::Store(error) if error.is_ours() => OURS,
            CliError::Store(_) => WRONG,
            CliError::Record(error) => match error {
                RecordError::Spawn(error) => spawn_code(error),
                RecordError::Store(error) if error.is_ours() => OURS,
                RecordError::Store(_) | RecordError::Certificate(_) => WRONG,
                RecordError::EndedEarly(_) | RecordError::NotListening => APP,
                RecordError::NothingCame { .. } | RecordError::OnlyUnix => WRONG,
                RecordError::Capture(_) | RecordError::Internal(_) => OURS,
            },
            CliError::Replay(error) => match error {
                ReplayError::Spawn(error) => spawn_code(error),
                ReplayError::Store(error) if error.is_ours() => OURS,
                ReplayError::Shelf(_) | ReplayError::Store(_) | ReplayError::Certificate(_) => {
                    WRONG
                }
                ReplayError::EndedEarly { .. } | ReplayError::NotListening { .. } => APP,
                ReplayError::Capture(_) | ReplayError::Internal(_) => OURS,
            },
            CliError::History(_) => WRONG,
            CliError::Io { .. } => OURS,
        }
    }
}

/// The command or a file is wrong.
const WRONG: u8 = 2;
/// The app did not start, or died.
const APP: u8 = 3;
/// Rehearsal itself failed.
const OURS: u8 = 4;

/// A program that is not there is a wrong command; one that cannot be run is the app's trouble.
fn spawn_code(error: &SpawnError) -> u8 {
    match error {
        SpawnError::NotFound(_) | SpawnError::Denied(_) | SpawnError::Folder { .. } => WRONG,
        SpawnError::Refused { .. } => APP,
        SpawnError::Guard(_) => OURS,
    }
}

/// The exit code of every command.
pub(crate) fn exit_code(outcome: &Result<Outcome, CliError>) -> ExitCode {
    ExitCode::from(match outcome {
        Ok(Outcome::Good) => 0,
        Ok(Outcome::TestsFailed) => 1,
        Ok(Outcome::AppDied) => APP,
        Ok(Outcome::NotFit) => OURS,
        Ok(Outcome::Interrupted) => 130,
        Ok(Outcome::Ran(code)) => *code,
        Err(error) => error.code(),
    })
}
