//! Finds a run that was kept, and reads what it said of its tests.

use crate::error::CliError;
use rehearsal_model::{RunEvent, Verdict};
use rehearsal_store::Project;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The longest line that is read; a longer one is passed over.
const LONGEST: u64 = 64 << 20;

/// A run that was kept.
pub(super) struct Kept {
    /// Its name.
    pub(super) name: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its tests, in order.
    pub(super) verdicts: Vec<Verdict>,
}

/// The run of a name, or the last one; of those with decisions, if only they count.
pub(super) fn find(project: &Project, name: Option<&str>, decided: bool) -> Result<Kept, CliError> {
    let runs = project.folder().join("runs");
    let entries = fs::read_dir(&runs).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("events.jsonl").is_file())
        .filter(|entry| !decided || has_decisions(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let found = match name {
        Some(name) => names.iter().find(|known| *known == name),
        None => names.last(),
    };
    let Some(found) = found else {
        return Err(CliError::Wrong(match (name, decided) {
            (Some(name), _) => format!("find the run {name:?} in {}", runs.display()),
            (None, true) => {
                "undo anything: nothing was decided in the runs that are kept".to_owned()
            }
            (None, false) => {
                "review anything: no run is kept; run `rehearsal test` first".to_owned()
            }
        }));
    };
    let folder = runs.join(found);
    let verdicts = read(&folder)?;
    Ok(Kept { name: found.clone(), folder, verdicts })
}

fn has_decisions(run: &Path) -> bool {
    run.join(super::decisions::FILE).metadata().is_ok_and(|it| it.len() > 0)
}

/// Reads line by line; a run that broke off ends where it broke off.
fn read(folder: &Path) -> Result<Vec<Verdict>, CliError> {
    let path = folder.join("events.jsonl");
    let doing = || format!("read {}", path.display());
    let mut file = BufReader::new(File::open(&path).map_err(CliError::io(doing()))?);
    let (mut verdicts, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut file, LONGEST);
        if limited.read_until(b'\n', &mut line).map_err(CliError::io(doing()))? == 0 {
            return Ok(verdicts);
        }
        let event = std::str::from_utf8(&line).ok().and_then(|it| RunEvent::from_json(it).ok());
        verdicts.extend(event.and_then(Verdict::of));
    }
}
