//! What `record` is asked to do.

use rehearsal_capture::Way;
use rehearsal_model::{Edge, TestCase};
use rehearsal_supervise::Program;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
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
    /// When the app is another test runner: the folder in which its tests leave their names. Then no
    /// tests are made of what comes in, and each call is a mock, of the test that made it.
    pub tests: Option<PathBuf>,
    /// Which tests are kept; all if absent.
    pub keep: Option<Keep>,
    /// The size at which a recording is closed and goes on in another one, in bytes.
    pub rotate: Option<u64>,
}

/// Which tests are kept.
#[derive(Clone)]
pub struct Keep(Arc<Judge>);

/// Whether a test is kept, given the edges that were met so far.
type Judge = dyn Fn(&TestCase, &[Edge]) -> bool + Send + Sync;

impl Keep {
    /// Those of which this is true. Asked once about each, in the order in which they end.
    pub fn new(judge: impl Fn(&TestCase, &[Edge]) -> bool + Send + Sync + 'static) -> Self {
        Keep(Arc::new(judge))
    }

    pub(crate) fn keeps(&self, test: &TestCase, edges: &[Edge]) -> bool {
        (self.0)(test, edges)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}

/// When a recording ends by itself, if not when the app ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    /// After this time.
    pub after: Option<Duration>,
    /// When nothing came for this time, counted from the first request.
    pub idle: Option<Duration>,
}
