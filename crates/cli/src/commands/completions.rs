//! `rehearsal completions`: completions for a shell.

use crate::arguments::Arguments;
use crate::error::{CliError, Outcome};
use clap::CommandFactory;

pub(super) fn run(shell: clap_complete::Shell) -> Result<Outcome, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rehearsal", &mut text);
    super::print(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Good)
}
