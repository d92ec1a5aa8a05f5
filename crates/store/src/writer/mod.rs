//! Writes a recording while it goes on: into a journal first, into files when it ends.
//!
//! What a recording that broke off left in its journal becomes files when the next one starts, or
//! by [`recover`]. Deciding what is recorded, and replacing its secrets, is the caller's work.

mod pour;
mod publish;

pub use publish::{Recovered, recover};

use crate::journal::{self, Journal};
use crate::lock::Lock;
use crate::{StoreError, files};
use publish::{convert, has_recording, publish};
use rehearsal_model::{Manifest, Mock, TestCase, TestId};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What Git shall not see of the project's folder.
const IGNORED: &str = "cache/\nruns/\n.*.new/\n.journal\n.lock\n";

/// Writes one recording. Dropped before it is finished, it leaves the journal for [`recover`].
#[derive(Debug)]
pub struct Writer {
    journal: Journal,
    folder: PathBuf,
    first_test: TestId,
    recovered: Option<Recovered>,
    /// Held to the end.
    _lock: Lock,
}

/// What a finished recording has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its tests, with those that it had before.
    pub tests: usize,
    /// Its mocks that belong to no single test, with those that it had before.
    pub mocks: usize,
    /// The size of its files.
    pub bytes: u64,
    /// Where they are.
    pub folder: PathBuf,
}

impl Writer {
    /// Starts a recording in a folder, or adds to the one that is there.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when one is there and `append` is not set, [`StoreError::Locked`] when
    /// another process records into it, or when files cannot be read or written.
    pub fn create(
        project_folder_root: &Path,
        recording_folder: PathBuf,
        manifest: Manifest,
        append: bool,
    ) -> Result<Self, StoreError> {
        let folder = recording_folder;
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        ignore_what_is_ours(&project_folder_root.join("rehearsal"))?;
        let lock = Lock::take(&folder)?;
        let recovered = convert(&folder)?;
        let (mut first_test, mut known_mocks) = (TestId(1), 0);
        if has_recording(&folder) {
            if !append {
                return Err(StoreError::Exists { folder, recovered });
            }
            // A file that is not as it should be is to be known before and not after.
            let (last, mocks) = files::check_recording(&folder)?;
            first_test = TestId(last.0.saturating_add(1));
            known_mocks = mocks as u64;
        }
        let journal = Journal::create(&folder, &manifest, known_mocks)?;
        Ok(Writer { journal, folder, first_test, recovered, _lock: lock })
    }

    /// What an earlier recording in this folder had left behind, now in its files.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovered> {
        self.recovered
    }

    /// The number of the first test of this recording.
    #[must_use]
    pub fn first_test(&self) -> TestId {
        self.first_test
    }

    /// Where it will be.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How much was written so far, in bytes: about what its files will be.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.journal.length()
    }

    /// Says what is known of the recording so far: after a crash, its tests can be read only with
    /// the edges that were named here or at the start.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn manifest(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        self.journal.manifest(manifest)
    }

    /// Adds a test.
    ///
    /// # Errors
    /// When it nests too deep, or the journal cannot be written.
    pub fn test(&mut self, test: TestCase) -> Result<(), StoreError> {
        self.journal.test(&test)
    }

    /// Adds a mock that is not one test's own; they come in the order of the timeline.
    ///
    /// # Errors
    /// When it nests too deep, or the journal cannot be written.
    pub fn mock(&mut self, mock: Mock) -> Result<(), StoreError> {
        self.journal.mock(&mock)
    }

    /// Puts what was added where a crash of ours does not reach it, in one write.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.journal.flush()
    }

    /// Turns the journal into the files of the recording.
    ///
    /// # Errors
    /// When a file cannot be read or written; the journal stays, and [`recover`] tries again.
    pub fn finish(mut self, manifest: Manifest) -> Result<Finished, StoreError> {
        self.journal.manifest(&manifest)?;
        // The disk need not have the journal now: until the swap the old state is there, and the new
        // one is swapped in when the disk has it.
        self.journal.flush()?;
        let adds = has_recording(&self.folder);
        let saved = publish(&self.folder, manifest, self.journal.length())?;
        journal::remove(&self.folder)?;
        let bytes = match adds {
            true => size(&self.folder).map_err(StoreError::io("read", &self.folder))?,
            false => saved.bytes,
        };
        Ok(Finished { tests: saved.tests, mocks: saved.mocks, bytes, folder: self.folder })
    }

    /// Gives the recording up: nothing stays of it but what was there before.
    ///
    /// # Errors
    /// When the journal cannot be removed.
    pub fn discard(self) -> Result<(), StoreError> {
        let Writer { folder, _lock: lock, .. } = self;
        journal::remove(&folder)?;
        drop(lock);
        // It goes only when it is empty, and when it does not, there is something in it.
        let _ = fs::remove_dir(&folder);
        Ok(())
    }
}

/// Makes `rehearsal/.gitignore` unless it is there.
fn ignore_what_is_ours(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(".gitignore");
    fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let made = fs::OpenOptions::new().write(true).create_new(true).open(&path);
    match made.and_then(|mut file| file.write_all(IGNORED.as_bytes())) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::io("write", path)(error))
        }
        _ => Ok(()),
    }
}

/// The bytes of the files of a recording, which are two levels deep.
fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
