//! The options of `test` and `merge`: runs, and the results of runs made one.

use super::values::{parse_clock, parse_duration, parse_overlap};
use super::{App, Capture};
use crate::spread::Spread;
use clap::{Args, ValueHint};
use rehearsal_model::{ClockSetting, Overlap};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal test                                         every recording
  rehearsal test checkout --test 'POST /orders' -- ./shop-new
  rehearsal test --format human --format junit --output report.xml
  rehearsal test -j4 --shard 1/3                         a third of the tests, on four copies

Exit codes: 0 all passed, 1 a test failed, 2 the command or a file is wrong,
3 the app did not start or died, 4 Rehearsal itself failed, 130 interrupted.")]
pub(crate) struct Test {
    /// The recordings to replay; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// Only these tests: a number, a part of the name, a path of the request, or a test's file
    #[arg(long, short, value_name = "TEST")]
    pub(crate) test: Vec<String>,

    /// Only the tests that this file lists, a test's file a line as `rehearsal select` prints them;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tests_from: Option<PathBuf>,

    /// Run again when the app's program or a test changes, what failed first; Ctrl-C ends
    #[arg(long)]
    pub(crate) watch: bool,

    /// With --watch: another file, or a folder with all below it, of which a change counts
    #[arg(long, value_name = "PATH", requires = "watch", value_hint = ValueHint::AnyPath)]
    pub(crate) watch_path: Vec<PathBuf>,

    /// Stop at the first failure
    #[arg(long)]
    pub(crate) fail_fast: bool,

    /// Run tests that failed again, up to this many times: one that passes then is flaky, which is
    /// told apart from broken and does not fail the run
    #[arg(long, value_name = "TIMES", default_value_t = 0, hide_default_value = true)]
    pub(crate) rerun_failed: usize,

    /// Answer a call that differs from the recorded one as that was answered, so that one run shows
    /// all that has changed, for `review`; the test fails all the same
    #[arg(long)]
    pub(crate) go_on: bool,

    /// Let an edge through to the real dependency
    #[arg(long, value_name = "EDGE")]
    pub(crate) real: Vec<String>,

    /// How long one test may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// What the app's clock shows: the time at which each test was recorded, running on
    /// (`recorded`, unless the settings say otherwise) or standing (`frozen`), the `real` time, or
    /// an instant such as 2026-01-31T10:00:00Z
    #[arg(long, value_name = "CLOCK", value_parser = parse_clock)]
    pub(crate) clock: Option<ClockSetting>,

    /// How tests are played that overlapped when they were recorded: beside one another again
    /// (`recorded`), or one after the other (`none`, unless the settings say otherwise)
    #[arg(long, value_name = "OVERLAP", value_parser = parse_overlap)]
    pub(crate) overlap: Option<Overlap>,

    #[command(flatten)]
    pub(crate) spread: Spread,

    /// What to print; may be given several times, each with an --output of its own
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Vec<String>,

    /// Where the format given before it goes: a file, or `-` for stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Vec<PathBuf>,

    /// Name the tests that pass too
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Heed no noise that was learned by replaying, only what people declared
    #[arg(long)]
    pub(crate) strict: bool,

    /// Say which values the app invented, and what stands for them in this run
    #[arg(long)]
    pub(crate) explain: bool,

    /// Show what the app writes
    #[arg(long)]
    pub(crate) app_output: bool,

    #[command(flatten)]
    pub(crate) capture: Capture,

    #[command(flatten)]
    pub(crate) app: App,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal merge 1.jsonl 2.jsonl 3.jsonl --format junit --output report.xml
  rehearsal merge results/*                         folders of rehearsal/runs

The exit code is that of the whole, as `rehearsal test` has it.")]
pub(crate) struct Merge {
    /// The results of every shard, in any order: files written by `test --format json`, or folders of
    /// rehearsal/runs
    #[arg(value_name = "RUN_OR_EVENTS", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) results: Vec<PathBuf>,

    /// What to print; may be given several times, each with an --output of its own
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Vec<String>,

    /// Where the format given before it goes: a file, or `-` for stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Vec<PathBuf>,

    /// Name the tests that pass too
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
