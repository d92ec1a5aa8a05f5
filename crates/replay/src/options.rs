//! What `test` is asked to do.

use rehearsal_capture::Way;
use rehearsal_model::{Settings, TestId};
use rehearsal_store::cache::Loaded;
use rehearsal_store::scrub::Scrubber;
use rehearsal_supervise::Program;
use std::sync::Arc;

/// A recording and those of its tests that shall run.
#[derive(Debug)]
pub struct Selected {
    /// The name of the recording.
    pub name: String,
    /// The recording.
    pub recording: Loaded,
    /// The numbers of the tests, in order; not empty.
    pub tests: Vec<TestId>,
    /// The files of the tests, from the project's folder, in the same order.
    pub files: Vec<String>,
    /// The app.
    pub program: Program,
}

/// What `test` is asked to do.
pub struct ReplayOptions {
    /// The settings of the project; edges that are `real` are let through.
    pub settings: Settings,
    /// What replaces secrets in what the app says before it is compared.
    pub scrubber: Arc<Scrubber>,
    /// How connections reach us.
    pub way: Way,
    /// Whether what was learned about noise is left out.
    pub strict: bool,
    /// Whether to tell what is bound in each test.
    pub explain: bool,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
}
