//! Whether the files of a recording are what they were: cheaply by what the file system says of them,
//! surely by their content.

use crate::StoreError;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file that changed less than this ago may change again without a new time.
const GRAIN: Duration = Duration::from_secs(2);

/// A file of a recording.
pub(super) struct Known {
    pub(super) path: PathBuf,
    metadata: Metadata,
}

/// What the file system says of all files of a recording, as a hash.
pub(super) struct Stamp {
    hash: [u8; 32],
    settled: bool,
}

impl Stamp {
    pub(super) fn of(files: &[Known], now: SystemTime) -> Self {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let limit = now.saturating_sub(GRAIN).as_secs() as i64;
        let mut settled = true;
        let mut hasher = blake3::Hasher::new();
        for Known { path, metadata } in files {
            let path = path.as_os_str().as_encoded_bytes();
            let mut bytes = [0; 56];
            let words = [
                path.len() as u64,
                metadata.len(),
                metadata.ino(),
                metadata.mtime() as u64,
                metadata.mtime_nsec() as u64,
                metadata.ctime() as u64,
                metadata.ctime_nsec() as u64,
            ];
            for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
                place.copy_from_slice(&word.to_le_bytes());
            }
            hasher.update(path);
            hasher.update(&bytes);
            settled &= metadata.mtime().max(metadata.ctime()) < limit;
        }
        Stamp { hash: *hasher.finalize().as_bytes(), settled }
    }

    /// Whether files that have this stamp are surely the same.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The stamp to keep: one that no files have, when it is not settled.
    pub(super) fn settled(&self) -> &[u8; 32] {
        if self.settled { &self.hash } else { &[0; 32] }
    }
}

/// The files of a recording, in order, but for those that begin with a dot.
pub(super) fn files(folder: &Path) -> Result<Vec<Known>, StoreError> {
    let mut files = Vec::new();
    collect(folder, &mut files).map_err(StoreError::io("read", folder))?;
    // By bytes, which is several times as fast as by the parts of paths.
    files.sort_unstable_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<Known>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        let metadata = match entry.metadata()? {
            link if link.is_symlink() => fs::metadata(&path)?,
            metadata => metadata,
        };
        // A link to a folder above would never end.
        match metadata.is_dir() {
            true if entry.file_type()?.is_dir() => collect(&path, files)?,
            true => {}
            false => files.push(Known { path, metadata }),
        }
    }
    Ok(())
}

/// The hash of names and contents.
pub(super) fn content(files: &[Known]) -> Result<[u8; 32], StoreError> {
    let mut hasher = blake3::Hasher::new();
    for Known { path, .. } in files {
        let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
        let name = path.as_os_str().as_encoded_bytes();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    Ok(*hasher.finalize().as_bytes())
}
