//! Why a recording could not be made.

use rehearsal_capture::CaptureError;
use rehearsal_store::StoreError;
use rehearsal_supervise::SpawnError;

/// Why a recording could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The app cannot be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Its connections cannot be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// What was recorded cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of ours failed.
    #[error("record: {0}")]
    Internal(String),
}
