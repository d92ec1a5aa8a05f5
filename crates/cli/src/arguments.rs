//! The command line: every command and where its options are. What the options of a command are
//! stands in the module of its group.

mod app;
mod look;
mod mock;
mod past;
mod record;
mod review;
mod scale;
mod serve;
mod test;
mod values;

pub(crate) use app::{App, Capture};
pub(crate) use look::{Demo, Drawn, Graph, Impact, Show};
pub(crate) use mock::{Miss, Mock, MockRecord, MockReplay};
pub(crate) use past::{Defect, Failures, History, Past, Slow};
pub(crate) use record::{Learn, Record};
pub(crate) use review::Review;
pub(crate) use scale::{Dedup, Select};
pub(crate) use serve::Serve;
pub(crate) use test::{Merge, Test};

use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Integration tests from real traffic: record what crosses an app's edges, replay it anywhere.
#[derive(Debug, Parser)]
#[command(name = "rehearsal", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Try `rehearsal demo` first: it shows the whole loop in a few seconds.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The project's folder: where `rehearsal.yaml` and the recordings are
    #[arg(long, short = 'C', global = true, value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) project: PathBuf,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an app and record what crosses its edges
    Record(Record),
    /// Run the app against its recordings, with no dependency present
    Test(Test),
    /// Go through what differs in the last run, cause by cause: accept, ignore or reject it
    Review(Review),
    /// Replay recordings twice, and write down as noise what differs from replay to replay
    Learn(Learn),
    /// Print the tests that cover most edges and operations in a given time
    Select(Select),
    /// Say which tests cover the same, and remove what others cover
    Dedup(Dedup),
    /// Record and play what the tests of another runner (pytest, go test, jest) ask of others
    #[command(subcommand)]
    Mock(Mock),
    /// Join the results of shards (`test --shard`) into those of one run
    Merge(Merge),
    /// Show recordings as tables, and one test as a story
    Show(Show),
    /// List past runs: when, at which commit, and what they came to
    History(History),
    /// List tests that passed and failed on the same code, with what sets the failures apart
    Flaky(Past),
    /// List failures of past runs by kind: where each comes from, since when, how often
    Failures(Failures),
    /// List tests that take longer than they used to, by more than noise explains
    Slow(Slow),
    /// Draw what the app depends on: who calls it, whom it calls, by which operations, how often
    Graph(Graph),
    /// List the tests, operations and recordings that a change of a field of an edge touches
    Impact(Impact),
    /// File a defect for each kind of failure, or bring it up to date
    Defect(Defect),
    /// Show runs, recordings and the past in a browser, live, and review differences there
    Serve(Serve),
    /// See the whole loop on a sample shop
    Demo(Demo),
    /// Write a commented rehearsal.yaml
    Init,
    /// Check whether capture works on this machine
    Doctor,
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// Write the pages into this folder
        #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// The sample shop that `demo` records
    #[command(hide = true)]
    DemoShop,
}
