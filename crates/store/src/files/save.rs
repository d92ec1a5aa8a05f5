//! Writes recordings, whole ones and what is added to them.
//!
//! A new recording is written beside its place and swapped in; single files are replaced by
//! renaming. Tests and mocks are handed over one by one, and none is kept. Whoever writes holds the
//! folder's [`crate::lock::Lock`].

use super::ambient;
use super::blobs::BlobWriter;
use super::folder::{AMBIENT, MANIFEST, TESTS, test_files};
use super::manifest;
use super::names::test_file_name;
use super::outlet::Outlet;
use super::parallel;
use super::test::{self, Edges};
use super::{Shapes, wire_shapes};
use crate::StoreError;
use crate::disk;
use crate::yaml::Emitter;
use rehearsal_model::{Manifest, Mock, Recording, TestCase, TestId};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Writes a recording in the place of what the folder has, at once: a reader sees the old one or
/// the new one, also after a loss of power.
///
/// # Errors
/// When a file cannot be written, or a value is nested too deeply for a file. The folder is then as
/// it was.
pub fn write_recording(folder: &Path, recording: &Recording) -> Result<(), StoreError> {
    write_with(folder, recording, &wire_shapes)
}

pub(super) fn write_with(
    folder: &Path,
    recording: &Recording,
    shapes: Shapes<'_>,
) -> Result<(), StoreError> {
    make(folder, &recording.manifest, shapes, |files| fill(files, recording)).map(drop)
}

/// Adds to a recording: the tests whose numbers it lacks get files, what is there stays as people
/// edited it; the mocks and the manifest are replaced by the given ones.
///
/// # Errors
/// When a file cannot be written. What was written before is complete files.
pub fn append_recording(folder: &Path, recording: &Recording) -> Result<(), StoreError> {
    append_with(folder, recording, &wire_shapes)
}

pub(super) fn append_with(
    folder: &Path,
    recording: &Recording,
    shapes: Shapes<'_>,
) -> Result<(), StoreError> {
    if !folder.join(MANIFEST).exists() {
        return write_with(folder, recording, shapes);
    }
    add(folder, &recording.manifest, shapes, |files| fill(files, recording)).map(drop)
}

fn fill(files: &Files<'_>, recording: &Recording) -> Result<(), StoreError> {
    parallel::map(&recording.tests, |case| files.test(case))?;
    recording.mocks.iter().try_for_each(|mock| files.mock(mock))
}

/// Writes single tests of a recording anew, each file at once; a file of the same number under
/// another name goes away.
///
/// # Errors
/// When a file cannot be written.
pub fn write_tests(
    folder: &Path,
    manifest: &Manifest,
    tests: &[&TestCase],
) -> Result<(), StoreError> {
    replace_tests(folder, tests, &Edges { manifest, shapes: &wire_shapes })
}

pub(super) fn replace_tests(
    folder: &Path,
    tests: &[&TestCase],
    edges: &Edges<'_>,
) -> Result<(), StoreError> {
    let outlet = Outlet::shared(folder)?;
    let present = test_files(folder)?;
    let names = parallel::map(tests, |case| write_test(&outlet, case, edges))?;
    outlet.close()?;
    for (case, name) in tests.iter().zip(names) {
        if let Some(old) = present.get(&case.id).filter(|old| **old != name) {
            fs::remove_file(old).map_err(StoreError::io("remove", old))?;
        }
    }
    Ok(())
}

/// Removes the files of tests; those that are not there are no matter.
///
/// # Errors
/// When a file cannot be removed.
pub(crate) fn remove_tests(folder: &Path, ids: &[TestId]) -> Result<(), StoreError> {
    let present = test_files(folder)?;
    for path in ids.iter().filter_map(|id| present.get(id)) {
        fs::remove_file(path).map_err(StoreError::io("remove", path))?;
    }
    Ok(())
}

/// Makes a recording in the place of what the folder has, of what `fill` hands over.
///
/// # Errors
/// As [`write_recording`].
pub(crate) fn make(
    folder: &Path,
    manifest: &Manifest,
    shapes: Shapes<'_>,
    fill: impl FnOnce(&Files<'_>) -> Result<(), StoreError>,
) -> Result<Saved, StoreError> {
    disk::replace_folder(folder, |new| {
        let files = Files::new(Outlet::hidden(new)?, Edges { manifest, shapes }, HashSet::new())?;
        fill(&files)?;
        files.close()
    })
}

/// Adds what `fill` hands over to the recording that a folder has: the tests whose numbers it lacks
/// get files, what is there stays as people edited it; the mocks and the manifest are replaced.
///
/// # Errors
/// When a file cannot be written. What was written before is complete files.
pub(crate) fn add(
    folder: &Path,
    manifest: &Manifest,
    shapes: Shapes<'_>,
    fill: impl FnOnce(&Files<'_>) -> Result<(), StoreError>,
) -> Result<Saved, StoreError> {
    let outlet = Outlet::shared(folder)?;
    let present: HashSet<TestId> = test_files(folder)?.into_keys().collect();
    let files = Files::new(outlet, Edges { manifest, shapes }, present)?;
    fill(&files)?;
    files.close()
}

/// What a recording has after something was saved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saved {
    /// All its tests.
    pub(crate) tests: usize,
    /// All its mocks that belong to no single test.
    pub(crate) mocks: usize,
    /// The size of what was written.
    pub(crate) bytes: u64,
}

/// The files of a recording while they are written. Tests may come in any order and from several
/// threads, mocks in theirs.
pub(crate) struct Files<'a> {
    outlet: Outlet<'a>,
    edges: Edges<'a>,
    /// The numbers of tests that are there and stay.
    present: HashSet<TestId>,
    /// The numbers of tests that were written.
    numbers: Mutex<HashSet<TestId>>,
    ambient: Mutex<Ambient>,
}

struct Ambient {
    path: PathBuf,
    file: BufWriter<File>,
    mocks: usize,
    bytes: u64,
}

impl<'a> Files<'a> {
    fn new(
        outlet: Outlet<'a>,
        edges: Edges<'a>,
        present: HashSet<TestId>,
    ) -> Result<Self, StoreError> {
        let path = outlet.folder.join(MANIFEST);
        let text = emit(&outlet, &path, |out| {
            manifest::write(out, edges.manifest).map_err(|error| error.to_string())
        })?;
        outlet.text(path, &text)?;
        let path = outlet.folder.join(AMBIENT);
        let file = BufWriter::with_capacity(1 << 16, outlet.begin(&path)?);
        let ambient = Mutex::new(Ambient { path, file, mocks: 0, bytes: 0 });
        Ok(Files { outlet, edges, present, numbers: Mutex::default(), ambient })
    }

    /// Writes a test, unless one of its number is there.
    ///
    /// # Errors
    /// When one of its number was written already, or its file cannot be written.
    pub(crate) fn test(&self, case: &TestCase) -> Result<(), StoreError> {
        if self.present.contains(&case.id) {
            return Ok(());
        }
        let fresh = self.numbers.lock().unwrap_or_else(PoisonError::into_inner).insert(case.id);
        if !fresh || case.id.0 == 0 {
            let problem = format!("two tests have the number {}, or it is 0", case.id);
            return Err(StoreError::whole_file(Path::new(&test_file_name(case)), problem));
        }
        write_test(&self.outlet, case, &self.edges).map(drop)
    }

    /// Writes a mock behind those that were written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn mock(&self, mock: &Mock) -> Result<(), StoreError> {
        let mut ambient = self.ambient.lock().unwrap_or_else(PoisonError::into_inner);
        let text =
            emit(&self.outlet, &ambient.path, |out| ambient::write_mock(out, mock, &self.edges))?;
        if ambient.mocks == 0 {
            ambient.write(ambient::HEAD)?;
        }
        ambient.mocks += 1;
        ambient.write(&text)
    }

    fn close(self) -> Result<Saved, StoreError> {
        let mut ambient = self.ambient.into_inner().unwrap_or_else(PoisonError::into_inner);
        if ambient.mocks == 0 {
            ambient.write(ambient::EMPTY)?;
        }
        let Ambient { path, mut file, mocks, bytes } = ambient;
        file.flush().map_err(StoreError::io("write", path))?;
        drop(file);
        self.outlet.add(bytes);
        let numbers = self.numbers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let bytes = self.outlet.bytes();
        self.outlet.close()?;
        Ok(Saved { tests: self.present.len() + numbers.len(), mocks, bytes })
    }
}

impl Ambient {
    fn write(&mut self, text: &str) -> Result<(), StoreError> {
        self.bytes += text.len() as u64;
        let written = self.file.write_all(text.as_bytes());
        written.map_err(StoreError::io("write", &self.path))
    }
}

/// Writes the file of a test; its path.
fn write_test(
    outlet: &Outlet<'_>,
    case: &TestCase,
    edges: &Edges<'_>,
) -> Result<PathBuf, StoreError> {
    let path = outlet.folder.join(TESTS).join(test_file_name(case));
    let text = emit(outlet, &path, |out| test::write(out, case, edges))?;
    outlet.text(path.clone(), &text)?;
    Ok(path)
}

/// The text of a file, whose blobs are written on the way.
fn emit(
    outlet: &Outlet<'_>,
    path: &Path,
    write: impl FnOnce(&mut Emitter<BlobWriter<'_>>) -> Result<(), String>,
) -> Result<String, StoreError> {
    let mut out = Emitter::new(BlobWriter::new(outlet));
    write(&mut out).map_err(|problem| StoreError::whole_file(path, problem))?;
    let (text, blobs) = out.finish();
    blobs.finish().map(|()| text)
}
