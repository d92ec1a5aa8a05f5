//! `rehearsal man`: the manual, one page on standard output or one file per command.

use crate::arguments::Arguments;
use crate::error::{CliError, Outcome};
use clap::CommandFactory;
use std::path::Path;

pub(super) fn run(folder: Option<&Path>) -> Result<Outcome, CliError> {
    let command = Arguments::command();
    match folder {
        Some(folder) => {
            let doing = || format!("write manual pages into {}", folder.display());
            std::fs::create_dir_all(folder).map_err(CliError::io(doing()))?;
            clap_mangen::generate_to(command, folder).map_err(CliError::io(doing()))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(CliError::io("write the manual page"))?;
            super::print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Outcome::Good)
}
