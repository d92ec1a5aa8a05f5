//! From what is new to the files of a recording, beside what was there before.
//!
//! Doing it twice gives what doing it once gives, so a crash between the files and the removal of
//! the journal does no harm.

use super::pour::pour;
use crate::StoreError;
use crate::files::{self, Saved, wire_shapes};
use crate::journal::{self, Reader, Survey};
use crate::lock::Lock;
use rehearsal_model::{EdgeLatency, Manifest};
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
    let Some(survey) = journal::survey(folder)? else { return Ok(None) };
    let Survey { manifest, tests, mocks, end, torn } = survey;
    let recovered = Recovered { tests, mocks, lost: torn };
    if tests + mocks > 0 {
        publish(folder, manifest, end)?;
    }
    journal::remove(folder)?;
    Ok((tests + mocks > 0).then_some(recovered))
}

/// Whether a folder has a recording, whole or in part.
pub(super) fn has_recording(folder: &Path) -> bool {
    ["recording.yaml", "ambient.yaml", "tests"].iter().any(|name| folder.join(name).exists())
}

/// Writes what the journal has before the place `end`, beside what the folder has already.
pub(super) fn publish(folder: &Path, manifest: Manifest, end: u64) -> Result<Saved, StoreError> {
    let Some(reader) = Reader::open(folder)?.map(|reader| reader.until(end)) else {
        return Err(StoreError::whole_file(&folder.join(journal::FILE), "somebody removed it"));
    };
    if !has_recording(folder) {
        return files::make(folder, &manifest, &wire_shapes, |files| pour(reader, end, files));
    }
    let present = files::read_manifest(folder)?;
    let mut mocks = files::read_mocks(folder, &present)?;
    // Those beyond the known ones are from an earlier attempt to write the same news.
    mocks.truncate(usize::try_from(reader.known_mocks()).unwrap_or(usize::MAX));
    let manifest = merged(folder, present, manifest)?;
    files::add(folder, &manifest, &wire_shapes, |files| {
        mocks.into_iter().try_for_each(|mock| files.mock(&mock))?;
        pour(reader, end, files)
    })
}

/// Descriptor sets one behind the other are one of all their files, of which the first count.
fn both(old: Vec<u8>, mut new: Vec<u8>) -> Vec<u8> {
    if old != new {
        new.extend(old);
    }
    new
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
                let EdgeLatency { answers, own } = edge.latency;
                known.latency.answers = answers.or(known.latency.answers);
                known.latency.own = own.or(known.latency.own);
                for (table, columns) in edge.tables {
                    known.tables.entry(table).or_default().extend(columns);
                }
            }
        }
    }
    let schemas = both(old.schemas, new.schemas);
    Ok(Manifest { edges, schemas, ..new })
}
