//! `rehearsal review`: what changed in the last run, cause by cause, to be accepted, ignored or rejected.
//!
//! What a cause is, is decided in `compare`; how a file is edited, in `store`. Here it is shown, asked and
//! kept. Nothing is accepted that nobody asked for.

mod ask;
mod decisions;
mod desk;
mod draw;
mod keys;
mod lines;
mod remote;
mod report;
mod run;

use crate::arguments::{Color, Review};
use crate::error::{CliError, Outcome};
use crate::look;
use desk::Desk;
pub(super) use remote::{decide, reviewed, undo};
use std::io::IsTerminal;
use std::path::Path;

pub(super) fn run(arguments: &Review, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    if arguments.undo {
        let run = run::find(&project, arguments.run.as_deref(), true)?;
        let mut desk = Desk::open(&project, run)?;
        let undone = desk.undo()?;
        super::print(&format!("undone: {undone}\n"))?;
        return Ok(Outcome::Good);
    }
    let run = run::find(&project, arguments.run.as_deref(), false)?;
    let mut desk = Desk::open(&project, run)?;
    let by_words = arguments.accept
        || !arguments.accept_matching.is_empty()
        || !arguments.ignore_matching.is_empty();
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut problems = Vec::new();
    if by_words {
        problems = report::decide(&mut desk, arguments)?;
    }
    if arguments.json {
        super::print(&report::json(&desk))?;
    } else if by_words || !terminal {
        super::print(&report::text(&desk, by_words))?;
    } else {
        ask::ask(&mut desk, look::stdout(color, false))?;
    }
    for problem in problems {
        super::print(&format!("not accepted: {problem}\n"))?;
    }
    Ok(if desk.is_done() { Outcome::Good } else { Outcome::TestsFailed })
}
