//! The options of `record` and `learn`: what makes recordings and what is learned about them.

use super::values::{parse_duration, parse_rotation, parse_share};
use super::{App, Capture};
use crate::coverage::By;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

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

    /// Close a recording that has about this size and go on in NAME-2, NAME-3, …, such as 50MB. Each can be
    /// replayed alone; a test is never split
    #[arg(long, value_name = "SIZE", value_parser = parse_rotation)]
    pub(crate) rotate: Option<u64>,

    /// Keep a part of the tests, evenly: 10% is each tenth
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub(crate) sample: Option<f64>,

    /// Keep only the first of the tests that are the same in these respects: of `route`, `status`,
    /// `shape` (keys and kinds of the bodies) and `calls`, such as route+status+shape
    #[arg(long, value_name = "RESPECTS", value_parser = By::parse)]
    pub(crate) unique_by: Option<By>,

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
