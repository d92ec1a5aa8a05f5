//! Begins a capture together with the app, whichever way it is done.

#[cfg(not(target_os = "linux"))]
use crate::elsewhere::supervise;
use crate::portable::{self, Listen, Map, Ports};
use crate::{CaptureError, Clock, Mode, Notice, Options, Policy, Strategy};
#[cfg(target_os = "linux")]
use crate::{Running, prepare};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

/// How connections reach us.
#[derive(Clone, Debug)]
pub enum Way {
    /// By the seccomp supervisor: every connection of the process tree. Linux only.
    Supervisor(Strategy),
    /// By explicit ports, which the app is configured to use.
    Ports {
        /// Dependencies that the app finds at ports of ours.
        map: Vec<Map>,
        /// The app's ports behind ours.
        listen: Vec<Listen>,
    },
}

/// What whoever spawns the app needs to know.
#[derive(Debug, Default)]
pub struct Birth {
    /// The descriptor for [`crate::enter`], where the way needs it.
    pub hook: Option<RawFd>,
    /// Folders of the capture's, to be removed when all is over, also when we are killed.
    pub remove: Vec<PathBuf>,
}

/// What must be kept while the app runs; dropping it ends the capture.
pub struct Held {
    _capture: Capture,
}

#[expect(dead_code, reason = "held for the effect of dropping it")]
enum Capture {
    #[cfg(target_os = "linux")]
    Supervisor(Running),
    Ports(Ports),
}

/// Begins to capture and has the app spawned by `spawn`. A `clock` is given to the app by the supervisor alone.
/// What arrives is accepted, and the policy asked, on `runtime`.
///
/// # Errors
/// What `spawn` says when the app does not start, else why its connections cannot be captured.
pub async fn begin<A, E: From<CaptureError>>(
    way: &Way,
    mode: Mode,
    policy: Arc<dyn Policy>,
    (notices, runtime): (UnboundedSender<Notice>, &Handle),
    clock: Option<Arc<Clock>>,
    spawn: impl AsyncFnOnce(Birth) -> Result<A, E>,
) -> Result<(A, Held), E> {
    match way {
        Way::Supervisor(strategy) => {
            let options = Options { mode, strategy: *strategy, clock, runtime: runtime.clone() };
            supervise(options, policy, notices, spawn).await
        }
        Way::Ports { map, listen } => {
            let ports = portable::open((map, listen), runtime, policy, notices);
            let ports = ports.map_err(CaptureError::Io)?;
            Ok((spawn(Birth::default()).await?, Held { _capture: Capture::Ports(ports) }))
        }
    }
}

#[cfg(target_os = "linux")]
async fn supervise<A, E: From<CaptureError>>(
    options: Options,
    policy: Arc<dyn Policy>,
    notices: UnboundedSender<Notice>,
    spawn: impl AsyncFnOnce(Birth) -> Result<A, E>,
) -> Result<(A, Held), E> {
    let (pending, end) = prepare(options, policy, notices).map_err(CaptureError::Io)?;
    let starting = tokio::task::spawn_blocking(move || pending.start());
    let birth = Birth { hook: Some(end.fd()), remove: vec![end.folder().to_owned()] };
    let app = spawn(birth).await;
    drop(end);
    let panicked = |error: tokio::task::JoinError| CaptureError::Io(std::io::Error::other(error));
    let running = starting.await.map_err(panicked)?;
    // A filter that could not be set is why the app did not start, where both failed.
    match (app, running) {
        (Ok(app), Ok(running)) => Ok((app, Held { _capture: Capture::Supervisor(running) })),
        (_, Err(error @ (CaptureError::FilterRefused { .. } | CaptureError::Nested))) => {
            Err(error.into())
        }
        (Err(error), _) => Err(error),
        (_, Err(error)) => Err(error.into()),
    }
}
