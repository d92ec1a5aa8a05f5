//! A decoded copy of a recording in one file, so that a large one is ready in a moment.
//!
//! Nothing depends on it: it is made from the recording's files when it is missing, damaged, older
//! than they are or made by another build, and it may be deleted at any time. Heads and fingerprints
//! are read at once, exchanges when they are asked for.

mod build;
mod index;
mod layout;
mod stamp;

pub use index::{MockHead, TestHead};

use crate::StoreError;
use crate::binary::{self, Binary};
use index::Index;
use layout::{Bytes, Header};
use rehearsal_matching::Entry;
use rehearsal_model::{Call, Exchange, Manifest, Mock, TestCase, TestId};
use stamp::Stamp;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A recording, ready to be replayed.
#[derive(Debug)]
pub struct Loaded {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its tests, by number.
    pub tests: Vec<TestHead>,
    /// Its mocks that are not one test's own, in recorded order.
    pub mocks: Vec<MockHead>,
    /// All calls and mocks in the order of the timeline, as an index over them wants them. An edge's
    /// number is its place in the manifest.
    pub prints: Vec<Entry>,
    /// Where the exchanges are in `bytes`.
    records: Vec<layout::Record>,
    bytes: Bytes,
    /// The cache's file, for messages.
    path: PathBuf,
}

/// Loads the recording `rehearsal/<name>` of a project, from its cache when that is still true.
///
/// # Errors
/// When the recording's files cannot be read. A cache that cannot be read or written is no error.
pub fn load(project_root: &Path, name: &str) -> Result<Loaded, StoreError> {
    load_at(SystemTime::now(), project_root, name)
}

fn load_at(now: SystemTime, project_root: &Path, name: &str) -> Result<Loaded, StoreError> {
    let folder = project_root.join("rehearsal").join(name);
    let path = project_root.join("rehearsal/cache").join(format!("{name}.bin"));
    let files = stamp::files(&folder)?;
    let stamp = Stamp::of(&files, now);
    let found = File::open(&path).ok().map(Bytes::File);
    if let Some(bytes) = found
        && let Some((header, index)) = bytes.front()
    {
        if stamp.is_settled() && header.stamp == *stamp.bytes() {
            if let Some(loaded) = open(bytes, &index, &path) {
                return Ok(loaded);
            }
        } else if header.content == stamp::content(&files)? {
            // Where the stamp cannot be written, the content is looked at again the next time.
            let _ = layout::restamp(&path, &Header { stamp: *stamp.settled(), ..header });
            if let Some(loaded) = open(bytes, &index, &path) {
                return Ok(loaded);
            }
        }
    }
    // Before the files are read: what changes after this is seen by the next who loads.
    let header = Header { stamp: *stamp.settled(), content: stamp::content(&files)? };
    let files = files.iter().map(|file| file.path.clone()).collect();
    let bytes = build::build(&folder, files, &header, &path)?;
    let damaged = || StoreError::whole_file(&path, "the cache is damaged; delete the file");
    let (_, index) = bytes.front().ok_or_else(damaged)?;
    open(bytes, &index, &path).ok_or_else(damaged)
}

/// `None` when the bytes are damaged.
fn open(bytes: Bytes, index: &[u8], path: &Path) -> Option<Loaded> {
    let index: Index = binary::decode(index).ok()?;
    let records = bytes.records(&index.records)?;
    let Index { manifest, tests, mocks, prints, .. } = index;
    Some(Loaded { manifest, tests, mocks, prints, records, bytes, path: path.into() })
}

impl Loaded {
    /// The hash of all that is in the recording: the same for the same files, wherever they are.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.bytes.check()
    }

    /// The head of a test.
    #[must_use]
    pub fn head(&self, id: TestId) -> Option<&TestHead> {
        let place = self.tests.binary_search_by_key(&id, |test| test.id).ok()?;
        self.tests.get(place)
    }

    /// A test, whole.
    ///
    /// # Errors
    /// When there is none of this number, or the cache is damaged.
    pub fn test(&self, id: TestId) -> Result<TestCase, StoreError> {
        let head = self.known(id)?;
        let mut test: TestCase = self.record(head.record)?;
        test.calls.reserve(head.calls as usize);
        for place in 1..=head.calls {
            test.calls.push(self.record(head.record + place)?);
        }
        Ok(test)
    }

    /// A test without its calls.
    ///
    /// # Errors
    /// When there is none of this number, or the cache is damaged.
    pub fn uncalled(&self, id: TestId) -> Result<TestCase, StoreError> {
        self.record(self.known(id)?.record)
    }

    /// The exchange of a test's call, by its place from 0.
    ///
    /// # Errors
    /// When there is no such call, or the cache is damaged.
    pub fn call_exchange(&self, test: TestId, index: u32) -> Result<Exchange, StoreError> {
        let head = self.known(test)?;
        if index >= head.calls {
            return Err(self.problem(format!("test {test} has no call {index}")));
        }
        self.record::<Call>(head.record + 1 + index).map(|call| call.exchange)
    }

    /// A mock, by its place from 0.
    ///
    /// # Errors
    /// When there is no such mock, or the cache is damaged.
    pub fn mock(&self, index: u32) -> Result<Mock, StoreError> {
        let head = self.mocks.get(index as usize);
        let head = head.ok_or_else(|| self.problem(format!("there is no mock {index}")))?;
        self.record(head.record)
    }

    fn known(&self, id: TestId) -> Result<&TestHead, StoreError> {
        self.head(id).ok_or_else(|| self.problem(format!("there is no test {id}")))
    }

    fn record<T: Binary>(&self, number: u32) -> Result<T, StoreError> {
        let record = self.records.get(number as usize);
        let bytes = record.and_then(|record| self.bytes.checked(record));
        let decoded = bytes.and_then(|bytes| binary::decode(&bytes).ok());
        decoded.ok_or_else(|| self.problem("the cache is damaged; delete the file".into()))
    }

    fn problem(&self, problem: String) -> StoreError {
        StoreError::whole_file(&self.path, problem)
    }
}

#[cfg(test)]
mod tests;
