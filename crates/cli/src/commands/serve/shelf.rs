//! Recordings that were read, kept until a file of theirs changes: a page shows one test of many.

use rehearsal_model::Recording;
use rehearsal_store::{Project, StoreError};
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Recordings that are kept at a time.
const KEPT: usize = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Shelf(Mutex<BTreeMap<String, (u64, Arc<Recording>)>>);

impl Shelf {
    /// A recording as its files are at this moment.
    pub(super) fn read(&self, project: &Project, name: &str) -> Result<Arc<Recording>, StoreError> {
        let stamp = stamp(&project.recording_folder(name)?);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, recording)) = lock().get(name)
            && *known == stamp
        {
            return Ok(Arc::clone(recording));
        }
        let recording = Arc::new(project.read(name)?);
        let mut shelf = lock();
        if shelf.len() >= KEPT {
            shelf.clear();
        }
        shelf.insert(name.to_owned(), (stamp, Arc::clone(&recording)));
        Ok(recording)
    }
}

/// A mark of the names, sizes and times of a recording's files.
fn stamp(folder: &Path) -> u64 {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("tests")] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(known) = entry.metadata() else { continue };
            files.push((entry.file_name(), known.len(), known.modified().ok()));
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}
