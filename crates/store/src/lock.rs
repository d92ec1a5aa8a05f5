//! One writer at a time for each recording, by an advisory lock on a file in its folder.
//!
//! The kernel drops the lock with the process, so a crash leaves no stale lock. Readers do not lock:
//! files are replaced whole.

use crate::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The file's name in the folder.
pub const FILE: &str = ".lock";

/// The lock on a recording's folder; dropping it lets it go.
#[derive(Debug)]
pub struct Lock {
    /// Open, which holds the lock.
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of a folder that exists.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the process that has it, or when the file cannot be made.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(StoreError::io("open", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { folder: folder.into(), pid: holder(&file) });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(StoreError::io("lock", &path)(source));
                }
            }
            if !is_at(&file, &path) {
                // Its last holder removed it between our opening and our locking.
                continue;
            }
            let pid = format!("{}\n", std::process::id());
            let written = file.set_len(0).and_then(|()| file.write_all(pid.as_bytes()));
            written.map_err(StoreError::io("write", &path))?;
            return Ok(Lock { _file: file, path });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is still held, so that nobody else's lock goes. One that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Who wrote their number into a lock file, when it can be read.
fn holder(mut file: &File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read(&mut text).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.trim().parse().ok()
}

/// Whether an open file is the one that its path names.
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_second_writer_hears_who_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err();
        let us = std::process::id();
        assert!(matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == us));
        assert!(error.to_string().contains(&us.to_string()), "{error}");
        drop(lock);
        assert!(!folder.path().join(FILE).exists());
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_left_by_a_crash_locks_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "4194305 and much more text than a number").unwrap();
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn never_two_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (holders, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(lock) = Lock::take(folder.path()) {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
