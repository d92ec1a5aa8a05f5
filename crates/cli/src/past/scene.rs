//! Where and how a run takes place.

use super::git::{self, mark};
use rehearsal_history::Scene;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The largest file of a command whose content counts: a program, a script.
const MAX_PROGRAM: u64 = 256 << 20;

/// What the scene is made of that only the command knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// The project's folder.
    pub(crate) root: PathBuf,
    /// The words of each app that is run.
    pub(crate) commands: Vec<Vec<OsString>>,
    /// Options that change what a verdict is.
    pub(crate) options: String,
    /// How many apps run side by side.
    pub(crate) jobs: usize,
}

/// Looks around. Asking git and reading programs takes some milliseconds, so it is done beside the run.
pub(super) fn look(given: &Given, run: String) -> Scene {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let git = git::state(&given.root);
    let mut code = format!("{:?} {:?} {}", git.commit, git.changes, given.options);
    for word in given.commands.iter().flatten() {
        let _ = write!(code, " {word:?} {:?}", content(&given.root.join(word)));
    }
    Scene {
        run,
        started_ms: i64::try_from(began.as_millis()).unwrap_or(i64::MAX),
        dirty: git.changes.is_some(),
        commit: git.commit,
        branch: git.branch,
        code: mark(code.as_bytes()),
        host: host(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        jobs: given.jobs.max(1),
    }
}

/// A mark of a file that a command names: a program that was built anew is another one.
fn content(path: &Path) -> Option<String> {
    let about = std::fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > MAX_PROGRAM {
        return None;
    }
    Some(mark(&std::fs::read(path).ok()?))
}

fn host() -> String {
    let mut name = [0_u8; 256];
    // SAFETY: the pointer and the length are those of one array, of which the last byte is not given.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    match failed {
        0 => String::from_utf8_lossy(&name[..end]).into_owned(),
        _ => String::new(),
    }
}
