//! The results of runs, kept in `rehearsal/runs/<run-id>/` for whoever asks later.

use crate::outputs::Outputs;
use rehearsal_store::Project;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs that are kept; the oldest beyond are removed.
const KEPT: usize = 20;

/// A run whose results are being kept.
pub(crate) struct Run {
    runs: PathBuf,
    name: String,
}

impl Run {
    /// Opens a folder for a run that begins and adds it to the outputs. Results that cannot be kept
    /// do not keep the tests from running: a project may be mounted read-only.
    pub(crate) fn begin(project: &Project, outputs: &mut Outputs) -> Option<Self> {
        let runs = project.root().join("rehearsal").join("runs");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{:013}-{}", now.as_millis(), std::process::id());
        match open(&runs.join(&name), outputs) {
            Ok(()) => Some(Run { runs, name }),
            Err(_) => None,
        }
    }

    /// The name of its folder.
    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    /// Removes the oldest runs. What cannot be removed stays for the next time.
    pub(crate) fn end(self) {
        let entries = fs::read_dir(&self.runs).into_iter().flatten().flatten();
        // The history lies beside them.
        let mut folders: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        let surplus = folders.len().saturating_sub(KEPT);
        for folder in folders.drain(..surplus) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn open(folder: &Path, outputs: &mut Outputs) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (file, format) in [("events.jsonl", "json"), ("report.txt", "human")] {
        let path = folder.join(file);
        let out = BufWriter::new(fs::File::create(&path)?);
        outputs.add(&path.display().to_string(), format, Box::new(out));
    }
    Ok(())
}
