//! What databases say when they refuse, and what it means for a history.

use super::PATIENCE;
use crate::{HistoryError, Place};
use std::error::Error;
use tokio_postgres::error::SqlState;

/// Why a database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// No connection can be tried.
    #[error("{0}")]
    Connection(String),
    /// It takes too long.
    #[error("it did not answer within {0} s")]
    Late(u64),
    /// What came is not what was asked.
    #[error("{0}")]
    Shape(String),
}

impl Fault {
    /// What is told of it.
    pub(crate) fn tell(self, doing: &'static str, place: &Place) -> HistoryError {
        let at = place.to_string();
        match self {
            Fault::Sqlite(error) => sqlite(&error, doing, at),
            Fault::Postgres(error) => postgres(&error, doing, at),
            Fault::Connection(problem) => HistoryError::Unreachable { at, problem },
            late @ Fault::Late(_) => HistoryError::Unreachable { at, problem: late.to_string() },
            Fault::Shape(problem) => HistoryError::Damaged { at, problem },
        }
    }
}

fn sqlite(error: &rusqlite::Error, doing: &'static str, at: String) -> HistoryError {
    use rusqlite::ErrorCode;
    let damaged = |problem: &str| problem.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            HistoryError::Damaged { at, problem: damaged("it is no database") }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            HistoryError::Damaged { at, problem: damaged("it is damaged") }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            HistoryError::Busy { at, seconds: PATIENCE.as_secs() }
        }
        _ => HistoryError::Refused { doing, at, problem: error.to_string() },
    }
}

fn postgres(error: &tokio_postgres::Error, doing: &'static str, at: String) -> HistoryError {
    let Some(said) = error.as_db_error() else {
        return HistoryError::Unreachable { at, problem: chain(error) };
    };
    let problem = said.message().to_owned();
    let code = said.code();
    if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return HistoryError::Busy { at, seconds: PATIENCE.as_secs() };
    }
    match code.code().get(..2) {
        Some("28") => HistoryError::Locked { at, problem },
        // What says that it does not run yet or any more, or has no place.
        Some("57" | "53" | "08") => HistoryError::Unreachable { at, problem },
        _ => HistoryError::Refused { doing, at, problem },
    }
}

/// An error with what is behind it: the last is what a person can do something about.
fn chain(error: &dyn Error) -> String {
    let mut words = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !words.iter().any(|word| word.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    words.join(": ")
}
