//! Why a recording could not be made.

use rehearsal_capture::CaptureError;
use rehearsal_store::StoreError;
use rehearsal_supervise::{Ending, SpawnError};

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
    /// A certificate that the settings name cannot be read.
    #[error(transparent)]
    Certificate(#[from] rehearsal_tls::TlsError),
    /// The app ended before anybody called it.
    #[error("record: the app ended with {0} before a request came; nothing was kept")]
    EndedEarly(Ending),
    /// The app never listened.
    #[error("record: the app did not listen anywhere, so nobody could call it; nothing was kept")]
    NotListening,
    /// The app listens where callers are not seen.
    #[error(
        "record: the app listens only on Unix sockets, where its callers are not seen; let it listen on \
         a port (127.0.0.1:0 will do) while it is recorded"
    )]
    OnlyUnix,
    /// Nobody called the app.
    #[error("record: no request came; call the app at {listening} while it is recorded")]
    NothingCame {
        /// Where it listened.
        listening: String,
    },
    /// A part of ours failed.
    #[error("record: {0}")]
    Internal(String),
}
