//! What `record` is asked to do.

use rehearsal_capture::Way;
use rehearsal_supervise::Program;
use std::path::PathBuf;
use std::time::Duration;

/// What `record` is asked to do.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// The name of the recording.
    pub name: String,
    /// Whether it may exist and is added to.
    pub append: bool,
    /// The app.
    pub program: Program,
    /// How connections reach us.
    pub way: Way,
    /// Whether overlapping requests are let through one by one.
    pub serialize: bool,
    /// A file that gets the secrets of TLS, for whoever looks at the network beside us.
    pub keylog: Option<PathBuf>,
    /// When it ends by itself.
    pub ends: Ends,
}

/// When a recording ends by itself, if not when the app ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    /// After this time.
    pub after: Option<Duration>,
    /// When nothing came for this time, counted from the first request.
    pub idle: Option<Duration>,
}
