//! `rehearsal init`: a commented `rehearsal.yaml` to begin with.

use crate::error::{CliError, Outcome};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

pub(super) fn run(project: &Path) -> Result<Outcome, CliError> {
    let path = project.join("rehearsal.yaml");
    let created = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = match created {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text = format!("create {}: it exists already and is left as it is", path.display());
            return Err(CliError::Wrong(text));
        }
        created => created.map_err(CliError::io(format!("create {}", path.display())))?,
    };
    file.write_all(rehearsal_store::init_text().as_bytes())
        .map_err(CliError::io(format!("write {}", path.display())))?;
    super::print(&format!(
        "Wrote {}: every setting with what it does, all of them optional.\n\
         Next: rehearsal record -- <the command that starts your app>\n",
        path.display()
    ))?;
    Ok(Outcome::Good)
}
