//! What is kept of a run and of each test in it.

use rehearsal_model::{Cause, Outcome, Summary};

/// Where and how a run took place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The name of its folder in `rehearsal/runs`.
    pub run: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// The commit that was checked out, where there is git.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Whether anything in git differed from the commit.
    pub dirty: bool,
    /// A mark of everything that may change what the app does and is known: commit, changes,
    /// program, options. Runs that agree in it ran the same.
    pub code: String,
    /// The name of the machine.
    pub host: String,
    /// The version of Rehearsal.
    pub tool: String,
    /// How many apps ran side by side.
    pub jobs: usize,
}

/// A run as the file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRow {
    /// Its number in the file, from 1.
    pub id: i64,
    /// Where and how.
    pub scene: Scene,
    /// What it came to.
    pub summary: Summary,
}

/// One time that a test ran.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRow {
    /// The recording.
    pub recording: String,
    /// Its number there.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its file, from the project's folder.
    pub file: String,
    /// A mark of what its file said.
    pub digest: String,
    /// 0 in the run itself, then the number of the rerun.
    pub attempt: usize,
    /// The verdict.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The test that the same app ran just before, as `recording/number`; none when it was the first.
    pub before: Option<String>,
    /// The dependencies that it calls.
    pub edges: Vec<String>,
    /// Where its failure comes from, when it failed.
    pub cause: Option<Cause>,
    /// Whether all that differed were times.
    pub times: bool,
}

/// A test of a run as the analyses see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The number of its run.
    pub run: i64,
    /// When that began, in milliseconds since 1970.
    pub at_ms: i64,
    /// [`Scene::code`] of the run.
    pub code: String,
    /// The commit of the run.
    pub commit: Option<String>,
    /// The host of the run.
    pub host: String,
    /// [`Scene::jobs`] of the run.
    pub jobs: usize,
    /// The test.
    pub test: TestRow,
}

impl Sample {
    /// Whether it failed; what was not run has not.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.test.outcome == Outcome::Failed
    }

    /// `recording/number`, which names a test in one project.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.test.recording, self.test.number)
    }
}
