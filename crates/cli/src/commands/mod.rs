//! One file per command, and the list of them.

mod completions;
mod demo;
mod doctor;
mod init;
mod learn;
mod man;
mod record;
mod show;
mod test;

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
        Command::Learn(learn) => learn::run(&learn, &project),
        Command::Show(show) => show::run(&show, &project, color),
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
