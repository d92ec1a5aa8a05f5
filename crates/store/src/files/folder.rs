//! A recording's folder, read.
//!
//! Writing is in `save`.

use super::ambient;
use super::blobs;
use super::flaws;
use super::manifest;
use super::names::number_in;
use super::parallel;
use super::test::{self, Edges};
use super::{Shapes, wire_shapes};
use crate::StoreError;
use crate::disk;
use crate::yaml::{self, Node};
use rehearsal_model::{Manifest, Mock, Recording, TestCase, TestId};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

pub(super) const MANIFEST: &str = "recording.yaml";
pub(super) const AMBIENT: &str = "ambient.yaml";
pub(super) const TESTS: &str = "tests";
pub(super) const BLOBS: &str = "blobs";

/// Reads what a recording says of itself, without its tests.
///
/// # Errors
/// When the file cannot be read, is not as it should be, or is of a newer format.
pub fn read_manifest(folder: &Path) -> Result<Manifest, StoreError> {
    let path = folder.join(MANIFEST);
    let node = read_yaml(folder, &path)?;
    manifest::read(node).map_err(|error| StoreError::file(&path, error))
}

/// Reads a recording. Its name is that of its folder; the order of a message's own keys is that of
/// its protocol, whatever it is in the file.
///
/// # Errors
/// The first thing that is wrong, by the number of the test, with its file, line and column.
pub fn read_recording(folder: &Path) -> Result<Recording, StoreError> {
    read_with(folder, &wire_shapes)
}

pub(super) fn read_with(folder: &Path, shapes: Shapes<'_>) -> Result<Recording, StoreError> {
    let manifest = read_manifest(folder)?;
    let edges = Edges { manifest: &manifest, shapes };
    let tests = each_test(folder, &edges, |test| test)?;
    let mocks = mocks_of(folder, &edges)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Recording { name, tests, mocks, manifest })
}

/// Reads the mocks of a recording, of which `manifest` is that.
///
/// # Errors
/// The first thing that is wrong, with its file, line and column.
pub(crate) fn read_mocks(folder: &Path, manifest: &Manifest) -> Result<Vec<Mock>, StoreError> {
    mocks_of(folder, &Edges { manifest, shapes: &wire_shapes })
}

/// Reads a recording to see whether it is as it should be, and keeps nothing of its tests: the
/// highest number of one, and how many mocks there are.
///
/// # Errors
/// As [`read_recording`].
pub(crate) fn check_recording(folder: &Path) -> Result<(TestId, usize), StoreError> {
    let manifest = read_manifest(folder)?;
    let edges = Edges { manifest: &manifest, shapes: &wire_shapes };
    let numbers = each_test(folder, &edges, |test: TestCase| test.id)?;
    let last = numbers.into_iter().max().unwrap_or(TestId(0));
    Ok((last, mocks_of(folder, &edges)?.len()))
}

/// Tests that are read at a time by [`for_each_test`].
const AT_A_TIME: usize = 512;

/// Reads the tests of a recording by number and gives them away one by one, so that few of them are
/// held.
///
/// # Errors
/// The first thing that is wrong, by the number of the test, with its file, line and column; or what
/// `take` says.
pub(crate) fn for_each_test(
    folder: &Path,
    manifest: &Manifest,
    mut take: impl FnMut(TestCase) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let edges = Edges { manifest, shapes: &wire_shapes };
    let files: Vec<_> = test_files(folder)?.into_iter().collect();
    for some in files.chunks(AT_A_TIME) {
        each_of(folder, some, &edges, |test| test)?.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

/// Reads the tests by number, and keeps of each what `keep` makes of it.
fn each_test<T: Send>(
    folder: &Path,
    edges: &Edges<'_>,
    keep: impl Fn(TestCase) -> T + Sync,
) -> Result<Vec<T>, StoreError> {
    let files: Vec<_> = test_files(folder)?.into_iter().collect();
    each_of(folder, &files, edges, keep)
}

fn each_of<T: Send>(
    folder: &Path,
    files: &[(TestId, PathBuf)],
    edges: &Edges<'_>,
    keep: impl Fn(TestCase) -> T + Sync,
) -> Result<Vec<T>, StoreError> {
    parallel::map(files, |(id, path)| {
        let node = read_yaml(folder, path)?;
        let test = test::read(node, *id, edges).map_err(|error| StoreError::file(path, error))?;
        match flaws::of_test(&test, edges) {
            None => Ok(keep(test)),
            Some(flaw) => Err(StoreError::file(path, flaw.placed(&read_yaml(folder, path)?))),
        }
    })
}

fn mocks_of(folder: &Path, edges: &Edges<'_>) -> Result<Vec<Mock>, StoreError> {
    let path = folder.join(AMBIENT);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mocks = ambient::read(read_yaml(folder, &path)?, edges);
    let mocks = mocks.map_err(|error| StoreError::file(&path, error))?;
    match flaws::of_mocks(&mocks, edges) {
        None => Ok(mocks),
        Some(flaw) => Err(StoreError::file(&path, flaw.placed(&read_yaml(folder, &path)?))),
    }
}

pub(super) fn read_yaml(folder: &Path, path: &Path) -> Result<Node, StoreError> {
    let text = disk::read_text(path, yaml::MAX_SIZE)?;
    yaml::parse_with(&text, &|tag, name| blobs::fetch(folder, tag, name))
        .map_err(|error| StoreError::file(path, error))
}

/// The test files of a folder by number; none when it has no tests.
pub(super) fn test_files(folder: &Path) -> Result<BTreeMap<TestId, PathBuf>, StoreError> {
    let folder = folder.join(TESTS);
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(&folder).map_err(StoreError::io("list", &folder))? {
        let path = entry.map_err(StoreError::io("list", &folder))?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if name.starts_with('.') || !(name.ends_with(".yaml") || name.ends_with(".yml")) {
            continue;
        }
        let Some(id) = number_in(name) else {
            let hint = "the name of a test file begins with a number and ends with `.yaml`, such as `0001-get-orders.yaml`";
            return Err(StoreError::whole_file(&path, hint));
        };
        if let Some(other) = files.insert(id, path) {
            let path = &files[&id];
            let (first, second) = if other < *path { (&other, path) } else { (path, &other) };
            let first = first.file_name().unwrap_or_default().display();
            let problem = format!("{first} has the same number; give one of them another");
            return Err(StoreError::whole_file(second, problem));
        }
    }
    Ok(files)
}
