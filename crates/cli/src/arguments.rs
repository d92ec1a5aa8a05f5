//! The command line: every command, option and help text.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use rehearsal_capture as capture;
use rehearsal_model::{CaptureWay, ClockSetting, Settings};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Replay recordings twice, and write down as noise what differs from replay to replay
    Learn(Learn),
    /// Show recordings as tables, and one test as a story
    Show(Show),
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

/// The app to run, for `record` and `test`.
#[derive(Args, Clone, Debug)]
pub(crate) struct App {
    /// Run this line by `sh -c`
    #[arg(short = 'c', value_name = "LINE", conflicts_with = "words")]
    pub(crate) line: Option<OsString>,

    /// The command and its arguments; if absent, the one in rehearsal.yaml (for `test`: in the
    /// recording)
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) words: Vec<OsString>,
}

/// How connections are captured.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Capture")]
pub(crate) struct Capture {
    /// How connections reach us: by a seccomp supervisor (Linux), or by explicit ports
    #[arg(long, value_name = "WAY")]
    pub(crate) capture: Option<Way>,

    /// With `--capture proxy`: listen on a loopback port for a dependency
    #[arg(long, value_name = "PORT=HOST:PORT")]
    pub(crate) map: Vec<capture::portable::Map>,

    /// With `--capture proxy`: the port others call, and the port on which the app listens
    #[arg(long, value_name = "PORT=APP_PORT")]
    pub(crate) listen: Vec<capture::portable::Listen>,

    /// How the supervisor redirects a socket
    #[arg(long, value_name = "STRATEGY", default_value = "auto", hide_short_help = true)]
    pub(crate) strategy: Strategy,
}

/// How connections are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Every connection of the process tree, without configuration (Linux)
    Seccomp,
    /// Only the ports given by --map and --listen
    Proxy,
}

/// How the supervisor redirects a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// Whichever works here
    Auto,
    /// Act on a duplicate of the app's socket (pidfd_getfd)
    Pidfd,
    /// Replace the app's socket (SECCOMP_IOCTL_NOTIF_ADDFD)
    Addfd,
}

impl Capture {
    /// The way that the options and the settings ask for.
    pub(crate) fn way(&self, settings: &Settings) -> capture::Way {
        let asked = self.capture.unwrap_or(match settings.capture {
            CaptureWay::Seccomp => Way::Seccomp,
            CaptureWay::Proxy => Way::Proxy,
        });
        match asked {
            Way::Seccomp => capture::Way::Supervisor(match self.strategy {
                Strategy::Auto => capture::Strategy::Auto,
                Strategy::Pidfd => capture::Strategy::PidfdGetfd,
                Strategy::Addfd => capture::Strategy::AddFd,
            }),
            Way::Proxy => {
                capture::Way::Ports { map: self.map.clone(), listen: self.listen.clone() }
            }
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal record --name checkout -- ./shop --port 8080
  rehearsal record --for 30s -c 'npm run migrate && npm start'

Use the app as you always do; Ctrl-C ends the recording. Each request becomes a test.")]
pub(crate) struct Record {
    /// The name of the recording; the program's name if absent
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Add to a recording that exists
    #[arg(long)]
    pub(crate) append: bool,

    /// End the recording after this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,

    /// End the recording when no request came for this time (counted from the first request)
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) until_idle: Option<Duration>,

    /// Let overlapping requests through one by one, so that each call is one test's own
    #[arg(long)]
    pub(crate) serialize: bool,

    /// Add the secrets of TLS connections, both sides' of us, to this file (NSS key log format), so
    /// that a capture of the network can be read. Only its owner may read it; keep it safe
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(crate) keylog: Option<PathBuf>,

    /// Do not replay the recording twice to learn what differs from run to run
    #[arg(long)]
    pub(crate) no_verify: bool,

    #[command(flatten)]
    pub(crate) capture: Capture,

    #[command(flatten)]
    pub(crate) app: App,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal test                                         every recording
  rehearsal test checkout --test 'POST /orders' -- ./shop-new
  rehearsal test --format human --format junit --output report.xml

Exit codes: 0 all passed, 1 a test failed, 2 the command or a file is wrong,
3 the app did not start or died, 4 Rehearsal itself failed, 130 interrupted.")]
pub(crate) struct Test {
    /// The recordings to replay; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    /// Only these tests: a number, a part of the name, a path of the request, or a test's file
    #[arg(long, short, value_name = "TEST")]
    pub(crate) test: Vec<String>,

    /// Stop at the first failure
    #[arg(long)]
    pub(crate) fail_fast: bool,

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
  rehearsal learn                         every recording
  rehearsal learn checkout -- ./shop-new

`record` does the same at its end, unless it is told --no-verify.")]
pub(crate) struct Learn {
    /// The recordings to replay; all of them if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<String>,

    #[command(flatten)]
    pub(crate) capture: Capture,

    #[command(flatten)]
    pub(crate) app: App,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The recording; all of them, a line each, if absent
    #[arg(value_name = "RECORDING")]
    pub(crate) recording: Option<String>,

    /// The number of a test, to read it as a story
    #[arg(value_name = "NUMBER")]
    pub(crate) test: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Keep what was recorded in this new folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) keep: Option<PathBuf>,
}

fn parse_clock(text: &str) -> Result<ClockSetting, String> {
    rehearsal_store::parse_clock(text).map_err(|error| error.to_string())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    rehearsal_store::parse_duration(text).map_err(|error| error.to_string())
}
