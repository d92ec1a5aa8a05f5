//! What a recording has so far, while it goes on: one file to which every finished test and mock is
//! appended.
//!
//! A crash of ours, or `kill -9`, loses nothing that was flushed; a loss of power loses what the
//! kernel had not written. Turning a journal into the files of a recording is the work of `writer`.

mod frame;
mod read;

pub use read::{Entry, Frame, Reader, Survey, survey};

use crate::StoreError;
use crate::binary::{Binary, BinaryError};
use rehearsal_model::{Manifest, Mock, TestCase};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file's name in the folder of the recording.
pub const FILE: &str = ".journal";

/// Bytes that wait to be written when nobody flushes.
const BUFFER: usize = 1 << 20;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    /// The length of the file: whole frames only.
    length: u64,
}

impl Journal {
    /// Starts the journal of a recording's folder, which exists and has `known_mocks` mocks already.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn create(
        folder: &Path,
        manifest: &Manifest,
        known_mocks: u64,
    ) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).open(&path);
        let file = file.map_err(StoreError::io("create", &path))?;
        let buffer = frame::header(known_mocks).to_vec();
        let mut journal = Journal { file, path, buffer, length: 0 };
        journal.manifest(manifest)?;
        journal.flush()?;
        Ok(journal)
    }

    /// Appends what the recording says of itself; the last one counts.
    ///
    /// # Errors
    /// As [`Journal::flush`].
    pub fn manifest(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        self.append(frame::MANIFEST, manifest)
    }

    /// Appends a test.
    ///
    /// # Errors
    /// As [`Journal::flush`], and when a value nests too deep.
    pub fn test(&mut self, test: &TestCase) -> Result<(), StoreError> {
        self.append(frame::TEST, test)
    }

    /// Appends a mock.
    ///
    /// # Errors
    /// As [`Journal::flush`], and when a value nests too deep.
    pub fn mock(&mut self, mock: &Mock) -> Result<(), StoreError> {
        self.append(frame::MOCK, mock)
    }

    fn append(&mut self, kind: u8, thing: &impl Binary) -> Result<(), StoreError> {
        let appended = frame::append(&mut self.buffer, kind, thing);
        appended.map_err(|problem| self.unfit(problem))?;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn unfit(&self, problem: BinaryError) -> StoreError {
        StoreError::Binary { path: self.path.clone(), problem }
    }

    /// Hands what was appended to the kernel, in one write.
    ///
    /// # Errors
    /// When the file cannot be written. What was to be written is given up, and the file ends with
    /// what was written before, so that later frames stay readable.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.buffer);
        let length = self.buffer.len() as u64;
        self.buffer.clear();
        // One large body must not cost its size for as long as the recording goes on.
        self.buffer.shrink_to(2 * BUFFER);
        match written {
            Ok(()) => {
                self.length += length;
                Ok(())
            }
            Err(source) => {
                let cut = self.file.set_len(self.length);
                let source = cut.err().unwrap_or(source);
                Err(StoreError::io("write", &self.path)(source))
            }
        }
    }

    /// The length of what was flushed: whole frames only.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// Removes the journal of a folder, when there is one.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", &path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
