//! What stands in the supervisor's place where there is none: plain refusals.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::begin::{Birth, Held};
use crate::{CaptureError, Notice, Options, Policy};

/// Refuses: a supervisor needs Linux. Async-signal-safe.
///
/// # Errors
/// Always.
pub fn enter(_fd: RawFd) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

pub(crate) async fn supervise<A, E: From<CaptureError>>(
    _: Options,
    _policy: Arc<dyn Policy>,
    _notices: UnboundedSender<Notice>,
    _spawn: impl AsyncFnOnce(Birth) -> Result<A, E>,
) -> Result<(A, Held), E> {
    Err(CaptureError::NotHere.into())
}
