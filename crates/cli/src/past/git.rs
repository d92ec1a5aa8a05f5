//! What git says of the project: commit, branch, and a mark of what differs from the commit.
//!
//! It asks the program `git` and changes nothing; where there is none, or no repository, it knows
//! nothing, which is no failure. Names that a CI system gives a detached checkout are taken from its
//! variables.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};

/// What git says.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    /// A mark of the differences of tracked files from the commit; none when there are none.
    pub(super) changes: Option<String>,
}

/// Variables in which CI systems name the branch.
const BRANCHES: [&str; 6] = [
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BRANCH_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
];
/// Variables in which they name the commit.
const COMMITS: [&str; 5] =
    ["GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILDKITE_COMMIT", "CIRCLE_SHA1"];

pub(super) fn state(folder: &Path) -> State {
    let commit = ask(folder, &["rev-parse", "--verify", "-q", "HEAD"]).and_then(line);
    let branch = ask(folder, &["symbolic-ref", "--short", "-q", "HEAD"]).and_then(line);
    let diff = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD"];
    let changes = commit.as_ref().and_then(|_| ask(folder, &diff));
    let changes = changes.filter(|diff| !diff.is_empty()).map(|diff| mark(&diff));
    State {
        commit: commit.or_else(|| first_of(&COMMITS)),
        branch: branch.or_else(|| first_of(&BRANCHES)),
        changes,
    }
}

fn first_of(names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
}

fn line(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What git answers, if it knows. No hook and no monitor of the repository runs for it.
fn ask(folder: &Path, words: &[&str]) -> Option<Vec<u8>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let said = Command::new("git")
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"])
        .arg::<&OsStr>(folder.as_ref())
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    said.status.success().then_some(said.stdout)
}

/// A mark of bytes: the same for the same ones, in this and later releases of the standard library's
/// hash as good as never for others. It is compared with others of one file only.
pub(super) fn mark(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
