//! A recording's folder, read and written whole.
//!
//! A new recording is written beside its place and swapped in; single files are replaced by
//! renaming. Whoever writes holds the folder's [`crate::lock::Lock`].

use super::ambient;
use super::blobs::{self, BlobWriter};
use super::manifest;
use super::names::{number_in, test_file_name};
use super::parallel;
use super::test::{self, Edges};
use super::text;
use super::{Shapes, wire_shapes};
use crate::StoreError;
use crate::disk;
use crate::yaml::{self, Emitter, Node};
use rehearsal_model::{Manifest, Mock, Recording, TestCase, TestId};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "recording.yaml";
const AMBIENT: &str = "ambient.yaml";
const TESTS: &str = "tests";
const BLOBS: &str = "blobs";

/// Reads what a recording says of itself, without its tests.
///
/// # Errors
/// When the file cannot be read, is not as it should be, or is of a newer format.
pub fn read_manifest(folder: &Path) -> Result<Manifest, StoreError> {
    let path = folder.join(MANIFEST);
    let text = disk::read_text(&path, yaml::MAX_SIZE)?;
    text::manifest(&text).map_err(|error| StoreError::file(&path, error))
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
    let files: Vec<_> = test_files(folder)?.into_iter().collect();
    let tests = parallel::map(&files, |(id, path)| {
        let node = read_yaml(folder, path)?;
        test::read(node, *id, &edges).map_err(|error| StoreError::file(path, error))
    })?;
    let path = folder.join(AMBIENT);
    let mocks = match path.exists() {
        true => ambient::read(read_yaml(folder, &path)?, &edges)
            .map_err(|error| StoreError::file(&path, error))?,
        false => Vec::new(),
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Recording { name, tests, mocks, manifest })
}

fn read_yaml(folder: &Path, path: &Path) -> Result<Node, StoreError> {
    let text = disk::read_text(path, yaml::MAX_SIZE)?;
    yaml::parse_with(&text, &|tag, name| blobs::fetch(folder, tag, name))
        .map_err(|error| StoreError::file(path, error))
}

/// The test files of a folder by number; none when it has no tests.
fn test_files(folder: &Path) -> Result<BTreeMap<TestId, PathBuf>, StoreError> {
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
    disk::replace_folder(folder, |new| write_into(new, recording, shapes))
}

fn write_into(folder: &Path, recording: &Recording, shapes: Shapes<'_>) -> Result<(), StoreError> {
    let edges = Edges { manifest: &recording.manifest, shapes };
    refuse_same_numbers(&recording.tests)?;
    for name in [TESTS, BLOBS] {
        let path = folder.join(name);
        fs::create_dir(&path).map_err(StoreError::io("create", &path))?;
    }
    parallel::map(&recording.tests, |case| {
        let path = folder.join(TESTS).join(test_file_name(case));
        emit(folder, path, |out| test::write(out, case, &edges))?.write()
    })?;
    for file in head_files(folder, &recording.manifest, &recording.mocks, &edges)? {
        file.write()?;
    }
    // Git does not keep empty folders, and nobody should see one.
    let _ = fs::remove_dir(folder.join(BLOBS));
    Ok(())
}

fn refuse_same_numbers(tests: &[TestCase]) -> Result<(), StoreError> {
    let mut names = HashMap::new();
    for case in tests {
        if names.insert(case.id, &case.name).is_some() || case.id.0 == 0 {
            let problem = format!("two tests have the number {}, or it is 0", case.id);
            return Err(StoreError::whole_file(Path::new(&test_file_name(case)), problem));
        }
    }
    Ok(())
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
    let edges = Edges { manifest: &recording.manifest, shapes };
    let present = test_files(folder)?;
    let fresh: Vec<&TestCase> =
        recording.tests.iter().filter(|case| !present.contains_key(&case.id)).collect();
    replace(head_files(folder, &recording.manifest, &recording.mocks, &edges)?)?;
    replace_tests(folder, &fresh, &edges)
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
    let tests_folder = folder.join(TESTS);
    fs::create_dir_all(&tests_folder).map_err(StoreError::io("create", &tests_folder))?;
    let present = test_files(folder)?;
    let files = parallel::map(tests, |case| {
        let path = tests_folder.join(test_file_name(case));
        emit(folder, path, |out| test::write(out, case, edges))
    })?;
    let names: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    replace(files)?;
    for (case, name) in tests.iter().zip(names) {
        if let Some(old) = present.get(&case.id).filter(|old| **old != name) {
            fs::remove_file(old).map_err(StoreError::io("remove", old))?;
        }
    }
    Ok(())
}

/// The two files beside the tests.
fn head_files(
    folder: &Path,
    manifest: &Manifest,
    mocks: &[Mock],
    edges: &Edges<'_>,
) -> Result<[Emitted; 2], StoreError> {
    let path = folder.join(MANIFEST);
    let text = manifest::write(manifest)
        .map_err(|error| StoreError::whole_file(&path, error.to_string()))?;
    let manifest = Emitted { path, text, blobs: Vec::new() };
    let mocks = emit(folder, folder.join(AMBIENT), |out| ambient::write(out, mocks, edges))?;
    Ok([manifest, mocks])
}

/// The text of a file, and the blobs that it mentions.
struct Emitted {
    path: PathBuf,
    text: String,
    blobs: Vec<(PathBuf, Vec<u8>)>,
}

fn emit(
    folder: &Path,
    path: PathBuf,
    write: impl FnOnce(&mut Emitter<BlobWriter>) -> Result<(), String>,
) -> Result<Emitted, StoreError> {
    let mut out = Emitter::new(BlobWriter::default());
    write(&mut out).map_err(|problem| StoreError::whole_file(&path, problem))?;
    let (text, large) = out.finish();
    let place = |(name, bytes)| (folder.join(BLOBS).join(name), bytes);
    Ok(Emitted { path, text, blobs: large.blobs.into_iter().map(place).collect() })
}

impl Emitted {
    /// Into a folder that nobody else sees.
    fn write(self) -> Result<(), StoreError> {
        for (path, bytes) in self.blobs {
            disk::write_once(&path, &bytes)?;
        }
        fs::write(&self.path, self.text).map_err(StoreError::io("write", self.path))
    }
}

/// Into a folder that others see: blobs first, so that no file mentions one that is not there.
fn replace(files: impl IntoIterator<Item = Emitted>) -> Result<(), StoreError> {
    let (mut blobs, mut texts) = (BTreeMap::new(), Vec::new());
    for file in files {
        blobs.extend(file.blobs.into_iter().filter(|(path, _)| !path.exists()));
        texts.push((file.path, file.text.into_bytes()));
    }
    if let Some(folder) = blobs.keys().next().and_then(|path| path.parent()) {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    }
    let files: Vec<(PathBuf, Vec<u8>)> = blobs.into_iter().chain(texts).collect();
    disk::replace_files(&files)
}
