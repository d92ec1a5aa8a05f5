//! The command line of Rehearsal: parses it, runs one command, and turns the outcome into an exit
//! code.

mod app;
mod arguments;
#[cfg(target_os = "linux")]
mod changes;
mod commands;
mod coverage;
mod defects;
mod demo;
mod environment;
mod error;
mod graph;
mod live;
mod look;
mod merge;
mod outputs;
mod owners;
mod past;
#[cfg(test)]
mod reference;
mod rerun;
mod runs;
mod selection;
mod sieve;
mod signals;
mod spread;
mod triage;

use clap::{CommandFactory, FromArgMatches};
use mimalloc::MiMalloc;
use rehearsal_supervise::GUARD_WORD;
use std::process::ExitCode;

/// What one thread allocates for an exchange another one frees, which the system's allocator is slow
/// at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == GUARD_WORD) {
        return rehearsal_supervise::guard(words.collect(), rehearsal_capture::enter);
    }
    let matches = arguments::Arguments::command().get_matches();
    let outcome = match arguments::Arguments::from_arg_matches(&matches) {
        Ok(arguments) => commands::run(arguments, &matches),
        Err(error) => error.exit(),
    };
    if let Err(error) = &outcome {
        error.print();
    }
    error::exit_code(&outcome)
}
