//! From what is new to the files of a recording, beside what was there before.
//!
//! Doing it twice gives what doing it once gives, so a crash between the files and the removal of
//! the journal does no harm.

use crate::journal::{self, Journaled};
use crate::lock::Lock;
use crate::{StoreError, append_recording, read_recording, write_recording};
use rehearsal_model::{Manifest, Mock, Recording, TestCase};
use std::path::Path;

/// What a recording that broke off had left in its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Its tests.
    pub tests: usize,
    /// Its mocks that belong to no single test.
    pub mocks: usize,
    /// Bytes that were written in part only and are lost.
    pub lost: u64,
}

/// What a recording adds.
#[derive(Debug)]
pub(super) struct News {
    pub(super) manifest: Manifest,
    /// How many mocks were there before.
    known_mocks: u64,
    tests: Vec<TestCase>,
    mocks: Vec<Mock>,
}

impl From<Journaled> for News {
    fn from(journaled: Journaled) -> Self {
        let Journaled { manifest, known_mocks, tests, mocks, torn: _ } = journaled;
        News { manifest, known_mocks, tests, mocks }
    }
}

/// Turns a journal that a crash left in a recording's folder into files. `None` when there is none,
/// or when the recording goes on and the journal is in use.
///
/// # Errors
/// When a file cannot be read or written; the journal stays.
pub fn recover(recording_folder: &Path) -> Result<Option<Recovered>, StoreError> {
    if !recording_folder.join(journal::FILE).exists() {
        return Ok(None);
    }
    match Lock::take(recording_folder) {
        Ok(_lock) => convert(recording_folder),
        Err(StoreError::Locked { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same, for who has the lock.
pub(super) fn convert(folder: &Path) -> Result<Option<Recovered>, StoreError> {
    let Some(journaled) = journal::recover(folder)? else { return Ok(None) };
    let (tests, mocks) = (journaled.tests.len(), journaled.mocks.len());
    let recovered = Recovered { tests, mocks, lost: journaled.torn };
    if tests + mocks > 0 {
        publish(folder, journaled.into())?;
    }
    journal::remove(folder)?;
    Ok((tests + mocks > 0).then_some(recovered))
}

/// Whether a folder has a recording, whole or in part.
pub(super) fn has_recording(folder: &Path) -> bool {
    ["recording.yaml", "ambient.yaml", "tests"].iter().any(|name| folder.join(name).exists())
}

/// Writes files; how many tests and mocks the recording then has.
pub(super) fn publish(folder: &Path, news: News) -> Result<(usize, usize), StoreError> {
    let News { manifest, known_mocks, mut tests, mocks } = news;
    tests.sort_by_key(|test| test.id);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !has_recording(folder) {
        let counts = (tests.len(), mocks.len());
        write_recording(folder, &Recording { name, manifest, tests, mocks })?;
        return Ok(counts);
    }
    let mut present = read_recording(folder)?;
    let numbers: std::collections::HashSet<_> = present.tests.iter().map(|test| test.id).collect();
    tests.retain(|test| !numbers.contains(&test.id));
    // Those beyond the known ones are from an earlier attempt to write the same news.
    present.mocks.truncate(usize::try_from(known_mocks).unwrap_or(usize::MAX));
    present.mocks.extend(mocks);
    let manifest = merged(folder, present.manifest, manifest)?;
    let counts = (present.tests.len() + tests.len(), present.mocks.len());
    append_recording(folder, &Recording { name, manifest, tests, mocks: present.mocks })?;
    Ok(counts)
}

/// The newer manifest with the edges of both.
fn merged(folder: &Path, old: Manifest, new: Manifest) -> Result<Manifest, StoreError> {
    let mut edges = old.edges;
    for edge in new.edges {
        match edges.iter_mut().find(|known| known.name == edge.name) {
            None => edges.push(edge),
            Some(known) if (&known.protocol, known.role) != (&edge.protocol, edge.role) => {
                let problem = format!(
                    "edge {} speaks {} there and {} in what was recorded; record into another \
                     folder with --name",
                    edge.name, known.protocol, edge.protocol
                );
                return Err(StoreError::whole_file(&folder.join("recording.yaml"), problem));
            }
            Some(known) => {
                for address in edge.addresses {
                    if !known.addresses.contains(&address) {
                        known.addresses.push(address);
                    }
                }
            }
        }
    }
    Ok(Manifest { edges, ..new })
}
