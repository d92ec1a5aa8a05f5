//! What `test` is asked to do.

use rehearsal_capture::Way;
use rehearsal_model::{Settings, Shard, TestId};
use rehearsal_store::cache::Loaded;
use rehearsal_store::scrub::Scrubber;
use rehearsal_supervise::Program;
use std::collections::BTreeMap;
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
    /// Tests that stay together on one copy of the app, as the settings declare it.
    pub groups: Vec<Vec<TestId>>,
    /// Which test an earlier run found to depend on which other: the first is named before it is searched
    /// for again.
    pub known: BTreeMap<TestId, TestId>,
    /// The app.
    pub program: Program,
}

/// How many copies of the app play tests side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// So many, as far as there are tests for them.
    Exactly(usize),
    /// As many as are worth their start, at most so many.
    UpTo(usize),
}

/// How the tests of a run are spread. Without a word, one copy plays all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Over copies of the app.
    pub jobs: Jobs,
    /// Over runs, of which this is one.
    pub shard: Option<Shard>,
}

impl Spread {
    /// How many copies there may be.
    #[must_use]
    pub fn most(&self) -> usize {
        match self.jobs {
            Jobs::Exactly(jobs) | Jobs::UpTo(jobs) => jobs,
        }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Spread { jobs: Jobs::Exactly(1), shard: None }
    }
}

/// What `test` is asked to do.
#[derive(Clone)]
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
    /// Whether a call that differs from the recorded one is answered as that was, so that what comes
    /// after it is seen too.
    pub go_on: bool,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// How tests are spread.
    pub spread: Spread,
}
