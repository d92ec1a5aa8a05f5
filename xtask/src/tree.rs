//! The files of the project: where its root is and what is in it.
//!
//! Only what belongs to the project counts: what git tracks, or would track. It
//! reads; it writes nothing.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Every file of the project, relative to its root, in order.
pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("failed to run git")?;
    if !listed.status.success() {
        bail!("failed to list the files: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let mut files: Vec<PathBuf> = String::from_utf8(listed.stdout)?
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|path| root.join(path).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}
