//! `rehearsal mock`: mocks for the tests of another runner.

use super::values::parse_clock;
use super::{App, Capture};
use clap::{Args, Subcommand, ValueEnum};
use rehearsal_model::ClockSetting;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Tests whose calls shall be told apart name themselves, in one of these ways:
  a header `x-rehearsal-test: NAME` on a call of HTTP or gRPC;
  NAME written into the file $REHEARSAL_TESTS/<process id>, emptied when the test is over;
  REHEARSAL_TEST=NAME in the environment of a process that runs one test.")]
pub(crate) enum Mock {
    /// Run a test runner with its real dependencies, and keep what they answer
    #[command(after_help = "\
Examples:
  rehearsal mock record -- pytest
  rehearsal mock record --name shop-tests -- go test ./...

The exit code is the runner's.")]
    Record(MockRecord),
    /// Run a test runner with recorded answers in the place of its dependencies
    #[command(after_help = "\
Examples:
  rehearsal mock replay                            what was recorded, by the recorded command
  rehearsal mock replay pytest -- pytest -k order
  rehearsal mock replay --on-miss record           keep what is new

The exit code is the runner's; 1 when it is 0 and a call was missed and refused.")]
    Replay(MockReplay),
}

#[derive(Args, Debug)]
pub(crate) struct MockRecord {
    /// The name of the recording; if absent the runner's: `pytest` of `python3 -m pytest`, `go-test` of
    /// `go test ./...`
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Add to a recording that exists
    #[arg(long, conflicts_with = "replace")]
    pub(crate) append: bool,

    /// Take the place of a recording that exists
    #[arg(long)]
    pub(crate) replace: bool,

    #[command(flatten)]
    pub(crate) capture: Capture,

    #[command(flatten)]
    pub(crate) app: App,
}

#[derive(Args, Debug)]
pub(crate) struct MockReplay {
    /// The recording; if absent, the one of the runner's name, or the only one there is
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// What becomes of a call that no mock answers
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(crate) on_miss: Miss,

    /// What the runner's clock shows: the `real` time, that of the recording (`recorded`), or an
    /// instant such as 2026-01-31T10:00:00Z
    #[arg(long, value_name = "CLOCK", value_parser = parse_clock, default_value = "real")]
    pub(crate) clock: ClockSetting,

    #[command(flatten)]
    pub(crate) capture: Capture,

    #[command(flatten)]
    pub(crate) app: App,
}

/// What becomes of a call that no mock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Miss {
    /// It gets an error of its protocol, and the exit code is 1
    Fail,
    /// The real dependency answers, and the answer is added to the recording
    Record,
    /// The real dependency answers
    Real,
}
