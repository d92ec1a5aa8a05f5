//! Defects as Markdown files in `rehearsal/defects`, one for each fingerprint. What people write below
//! the heading `Notes` is kept.

use super::Defect;
use crate::error::CliError;
use std::fs;
use std::io::Write;
use std::path::Path;

const NOTES: &str = "\n## Notes\n";
const ISSUE: &str = "- issue: `";

/// What a file said before.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whether there was none.
    pub(super) new: bool,
    /// The tracker's key.
    pub(super) key: Option<String>,
    notes: String,
}

pub(super) fn known(folder: &Path, defect: &Defect) -> Known {
    let Ok(text) = fs::read_to_string(path(folder, defect)) else {
        return Known { new: true, ..Known::default() };
    };
    let (head, notes) = text.split_once(NOTES).unwrap_or((&text, ""));
    let key = head.lines().find_map(|line| line.strip_prefix(ISSUE)?.strip_suffix('`'));
    Known { new: false, key: key.map(str::to_owned), notes: notes.to_owned() }
}

/// Writes the file whole or not at all, and gives its name from the project's folder.
pub(super) fn write(
    folder: &Path,
    defect: &Defect,
    key: Option<&str>,
    known: &Known,
) -> Result<String, CliError> {
    let path = path(folder, defect);
    let issue = key.map_or(String::new(), |key| format!("{ISSUE}{key}`\n"));
    let text =
        format!("# {}\n\n{issue}{}{NOTES}{}", defect.title(), defect.markdown(), known.notes);
    let parent = path.parent().unwrap_or(folder);
    let doing = || format!("write {}", path.display());
    fs::create_dir_all(parent).map_err(CliError::io(doing()))?;
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(CliError::io(doing()))?;
    file.write_all(text.as_bytes()).map_err(CliError::io(doing()))?;
    file.persist(&path).map_err(|error| CliError::io(doing())(error.error))?;
    Ok(format!("rehearsal/defects/{}.md", defect.fingerprint()))
}

fn path(folder: &Path, defect: &Defect) -> std::path::PathBuf {
    folder.join("defects").join(format!("{}.md", defect.fingerprint()))
}
