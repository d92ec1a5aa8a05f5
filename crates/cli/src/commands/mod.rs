//! One file per command, and the list of them.

mod completions;
mod dedup;
mod defect;
mod demo;
mod doctor;
mod failures;
mod flaky;
mod graph;
mod history;
mod impact;
mod init;
mod learn;
mod man;
mod merge;
mod mock;
mod record;
mod review;
mod select;
mod serve;
mod show;
mod slow;
mod test;
#[cfg(target_os = "linux")]
mod watch;

use crate::arguments::{Arguments, Command};
use crate::error::{CliError, Outcome};
use clap::ArgMatches;
use std::io::{self, Write};

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments, matches: &ArgMatches) -> Result<Outcome, CliError> {
    let Arguments { command, project, color } = arguments;
    let given = matches.subcommand().map_or(matches, |(_, matches)| matches);
    match command {
        Command::Record(record) => record::run(record, &project, color),
        Command::Test(test) => test::run(test, &project, color, given),
        Command::Review(review) => review::run(&review, &project, color),
        Command::Learn(learn) => learn::run(&learn, &project),
        Command::Select(select) => select::run(&select, &project),
        Command::Dedup(dedup) => dedup::run(&dedup, &project),
        Command::Mock(mock) => mock::run(mock, &project, color),
        Command::Merge(merge) => merge::run(&merge, &project, color, given),
        Command::Show(show) => show::run(&show, &project, color),
        Command::History(history) => history::run(&history, &project, color),
        Command::Flaky(past) => flaky::run(&past, &project, color),
        Command::Failures(failures) => failures::run(&failures, &project),
        Command::Graph(graph) => graph::run(&graph, &project),
        Command::Impact(impact) => impact::run(&impact, &project, color),
        Command::Defect(defect) => defect::run(&defect, &project),
        Command::Slow(slow) => slow::run(&slow, &project, color),
        Command::Serve(serve) => serve::run(&serve, &project),
        Command::Demo(demo) => demo::run(demo, color),
        Command::Init => init::run(&project),
        Command::Doctor => doctor::run(color),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { folder } => man::run(folder.as_deref()),
        Command::DemoShop => runtime()?
            .block_on(crate::demo::shop::run())
            .map(|()| Outcome::Good)
            .map_err(CliError::io("run the sample shop")),
    }
}

/// What the engines run on: one thread, since a test is driven and answered step by step, and waking
/// another thread for each step costs more than the step. What can be done side by side has threads
/// of its own.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::io("start the runtime"))
}

/// Writes to standard output. A reader that has gone away is not our failure.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::io("write to standard output")(error))
        }
        _ => Ok(()),
    }
}
