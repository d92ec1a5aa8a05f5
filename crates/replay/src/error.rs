//! Why a run could not be made.

use crate::shelf::ShelfError;
use rehearsal_capture::CaptureError;
use rehearsal_store::StoreError;
use rehearsal_supervise::SpawnError;
use std::time::Duration;

/// Why a run could not be made. A test that fails is none of these.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A recording cannot be replayed.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The app cannot be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Its connections cannot be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The app ended before it listened.
    #[error("start the app: it ended with {how} before it listened")]
    EndedEarly {
        /// How it ended.
        how: String,
        /// The last lines that it wrote.
        output: Vec<String>,
    },
    /// The app never listened.
    #[error(
        "start the app: it did not listen on {wanted} within {limit:?}; set `start-timeout` in \
         rehearsal.yaml if it needs longer"
    )]
    NotListening {
        /// Where it was to listen.
        wanted: String,
        /// How long we waited.
        limit: Duration,
        /// The last lines that it wrote.
        output: Vec<String>,
    },
    /// A certificate that the settings name cannot be read.
    #[error(transparent)]
    Certificate(#[from] rehearsal_tls::TlsError),
    /// A test cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of ours failed.
    #[error("replay: {0}")]
    Internal(String),
}
