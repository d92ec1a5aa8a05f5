//! Another test runner with mocks in the place of its dependencies.
//!
//! The runner is started as an app is, but nobody drives it: its own tests do, and its exit code is
//! their verdict. A call is answered by the mocks of the test that makes it, then by those of no test;
//! each as often as it is asked, in recorded order and then by the last. What is written about calls
//! that no mock answers is in [`onward`].

mod cast;
mod onward;
mod overheard;
mod policy;
mod run;

pub(crate) use cast::{Cast, Voice};
pub use run::{OnMiss, Played, Suite, play};

use rehearsal_model::{Edge, Finding, Mock};

/// A call that no mock answered.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The test that made it, when that is known.
    pub test: Option<String>,
    /// What is known of it.
    pub finding: Finding,
    /// Whether the real dependency answered it.
    pub answered: bool,
}

/// What was met beyond the recording, to be added to it.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Dependencies that it does not have.
    pub edges: Vec<Edge>,
    /// What they and the known ones answered, without secrets.
    pub mocks: Vec<Mock>,
}
