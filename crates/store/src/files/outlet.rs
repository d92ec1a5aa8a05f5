//! Where the files of a recording go while they are made: one by one, from several threads, so that
//! nobody has to hold them all.
//!
//! What the files say is made in `save`; how a file waits for its place is known to `disk`.

use super::folder::{BLOBS, TESTS};
use crate::StoreError;
use crate::disk::{self, Aside};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Takes the files of one recording.
pub(super) struct Outlet<'a> {
    pub(super) folder: &'a Path,
    /// In a folder that others see, files wait beside their places.
    waiting: Option<Mutex<Waiting>>,
    bytes: AtomicU64,
}

/// Files that are whole and wait for their places, in order.
#[derive(Default)]
struct Waiting {
    blobs: Vec<Aside>,
    texts: Vec<Aside>,
}

impl<'a> Outlet<'a> {
    /// Into a folder that nobody else sees: every file goes to its place at once.
    pub(super) fn hidden(folder: &'a Path) -> Result<Self, StoreError> {
        Self::new(folder, None)
    }

    /// Into a folder that others see: no file changes before [`Outlet::close`].
    pub(super) fn shared(folder: &'a Path) -> Result<Self, StoreError> {
        let outlet = Self::new(folder, Some(Mutex::default()))?;
        for folder in [folder, &folder.join(TESTS), &folder.join(BLOBS)] {
            disk::remove_leftovers(folder, None);
        }
        Ok(outlet)
    }

    /// The same, into a folder that is there: what others may have left behind stays.
    pub(super) fn beside(folder: &'a Path) -> Result<Self, StoreError> {
        Self::new(folder, Some(Mutex::default()))
    }

    fn new(folder: &'a Path, waiting: Option<Mutex<Waiting>>) -> Result<Self, StoreError> {
        for name in [TESTS, BLOBS] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
        }
        Ok(Outlet { folder, waiting, bytes: AtomicU64::new(0) })
    }

    /// How much was written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Writes a blob, unless it is there or another thread writes it.
    pub(super) fn blob(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(BLOBS).join(name);
        if self.waiting.is_some() && path.exists() {
            return Ok(());
        }
        let file = match self.open(&path, |waiting| &mut waiting.blobs) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            file => file.map_err(StoreError::io("write", &path))?,
        };
        self.fill(file, bytes).map_err(StoreError::io("write", path))
    }

    /// Writes a file of text.
    pub(super) fn text(&self, path: PathBuf, text: &str) -> Result<(), StoreError> {
        let file = self.open(&path, |waiting| &mut waiting.texts);
        let written = file.and_then(|file| self.fill(file, text.as_bytes()));
        written.map_err(StoreError::io("write", path))
    }

    /// Begins a file of text that is written bit by bit.
    pub(super) fn begin(&self, path: &Path) -> Result<File, StoreError> {
        self.open(path, |waiting| &mut waiting.texts).map_err(StoreError::io("write", path))
    }

    /// Counts what was written into a file that was begun.
    pub(super) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn open(
        &self,
        path: &Path,
        list: impl FnOnce(&mut Waiting) -> &mut Vec<Aside>,
    ) -> io::Result<File> {
        let Some(waiting) = &self.waiting else { return File::create_new(path) };
        let (aside, file) = Aside::create(path)?;
        list(&mut waiting.lock().unwrap_or_else(PoisonError::into_inner)).push(aside);
        Ok(file)
    }

    fn fill(&self, mut file: File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)?;
        disk::start_writing(&file, bytes.len());
        self.add(bytes.len() as u64);
        Ok(())
    }

    /// Ends it: what waits takes its place, blobs first, so that no file mentions one that is not
    /// there.
    pub(super) fn close(self) -> Result<(), StoreError> {
        if let Some(waiting) = self.waiting {
            let Waiting { mut blobs, texts } =
                waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
            blobs.extend(texts);
            disk::take_places(blobs)?;
        }
        // Git does not keep empty folders, and nobody should see one.
        let _ = fs::remove_dir(self.folder.join(BLOBS));
        Ok(())
    }
}
