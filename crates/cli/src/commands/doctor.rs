//! `rehearsal doctor`: whether capture works on this machine, and what to do if not.

use crate::arguments::Color;
use crate::error::{CliError, Outcome};
use rehearsal_capture::{State, checks};
use std::fmt::Write;

pub(super) fn run(color: Color) -> Result<Outcome, CliError> {
    let look = crate::look::stdout(color, false);
    let mut page = String::new();
    let mut fit = true;
    for check in checks() {
        let (word, paint) = match check.state {
            State::Good => ("ok", "32"),
            State::Limited => ("limited", "33"),
            State::Bad => ("FAILED", "31"),
        };
        fit &= check.state != State::Bad;
        let word = format!("{word:<8}");
        let word = if look.color { format!("\x1b[{paint}m{word}\x1b[0m") } else { word };
        let _ = writeln!(page, "{word} {}: {}", check.name, check.detail);
        if !check.advice.is_empty() {
            let _ = writeln!(page, "         → {}", check.advice);
        }
    }
    let verdict = match fit {
        true => "Capture works here: `rehearsal record -- <command>` needs no privileges.",
        false => {
            "Capture does not work here. `--capture proxy` with --map and --listen does: see \
             `rehearsal record --help`."
        }
    };
    let _ = writeln!(page, "\n{verdict}");
    super::print(&page)?;
    Ok(if fit { Outcome::Good } else { Outcome::NotFit })
}
