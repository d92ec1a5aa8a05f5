//! A project: the folder with `rehearsal.yaml` and `rehearsal/`.

use crate::cache::{self, Loaded};
use crate::key::Key;
use crate::lock::Lock;
use crate::scrub::Scrubber;
use crate::settings::{SETTINGS_FILE, compile_proto};
use crate::{StoreError, disk, files, read_recording, text, writer, yaml};
use rehearsal_model::{Edit, Noise, Recording, Settings, TestId};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder in a project that holds the recordings.
const FOLDER: &str = "rehearsal";
/// Folders beside the recordings.
const RESERVED: [&str; 3] = ["runs", "cache", "defects"];
/// The longest name that file systems take, less what temporary names add.
const LONGEST_NAME: usize = 200;

/// A folder with its settings and recordings.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    settings: Settings,
}

impl Project {
    /// Opens a folder. Without a `rehearsal.yaml` the settings are the defaults.
    ///
    /// # Errors
    /// When there is no such folder, or the settings cannot be read or are not as they should be.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        // A mistyped folder would otherwise look like a project without recordings.
        if !folder.is_dir() {
            return Err(StoreError::whole_file(folder, "there is no such folder"));
        }
        let path = folder.join(SETTINGS_FILE);
        let mut settings = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Settings::default(),
            _ => read_settings(&path)?,
        };
        for edge in &mut settings.edges {
            let named = [&mut edge.client_certificate, &mut edge.client_key];
            for path in named.into_iter().flatten() {
                *path = folder.join(&*path).to_string_lossy().into_owned();
            }
        }
        Ok(Project { root: folder.to_owned(), settings })
    }

    /// The project's folder, as it was given.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the project sets.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the project sets, to be changed by the command line.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// What replaces the secrets of this project.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or the key can neither be read nor made.
    pub fn scrubber(&self) -> Result<Scrubber, StoreError> {
        Scrubber::new(&self.settings.secrets, Key::load(&self.root)?)
    }

    /// What the project says of messages, as a `FileDescriptorSet`; empty when it says nothing.
    ///
    /// # Errors
    /// When a path that `proto` names does not exist, or what is there has a mistake.
    pub fn schemas(&self) -> Result<Vec<u8>, StoreError> {
        compile_proto(&self.root, &self.settings.proto)
    }

    /// Reads a recording, whole. What one that was cut off had left behind is saved first.
    ///
    /// # Errors
    /// When a file cannot be read or is not as it should be.
    pub fn read(&self, name: &str) -> Result<Recording, StoreError> {
        let folder = self.recording_folder(name)?;
        writer::recover(&folder)?;
        read_recording(&folder)
    }

    /// Loads a recording to be replayed, out of the cache when that is still true. What one that was
    /// cut off had left behind is saved first.
    ///
    /// # Errors
    /// When a file cannot be read or is not as it should be.
    pub fn load(&self, name: &str) -> Result<Loaded, StoreError> {
        writer::recover(&self.recording_folder(name)?)?;
        cache::load(&self.root, name)
    }

    /// Adds to what may differ in tests of a recording; all else in their files stays as it is.
    ///
    /// # Errors
    /// When a file cannot be read or written, or another process writes the recording.
    pub fn add_noise(&self, name: &str, more: &[(TestId, Vec<Noise>)]) -> Result<(), StoreError> {
        let folder = self.recording_folder(name)?;
        let _lock = Lock::take(&folder)?;
        files::add_noise(&folder, more)
    }

    /// The text that a test's file becomes when changes are accepted and paths become noise, where
    /// it says `text`. Nothing but blobs is written.
    ///
    /// # Errors
    /// When the file is not as it should be, says something else than was compared with, or is laid
    /// out in a way in which it cannot be changed.
    pub fn amended(
        &self,
        (name, id, file): (&str, TestId, &Path),
        text: &str,
        edits: &[Edit],
        noise: &[String],
    ) -> Result<String, StoreError> {
        let folder = self.recording_folder(name)?;
        files::amended(&files::Amendment { folder: &folder, file, id, text, edits, noise })
    }

    /// Replaces files of a recording, each at once and durably.
    ///
    /// # Errors
    /// When a file cannot be written, or another process writes the recording.
    pub fn replace_files(&self, name: &str, new: &[(PathBuf, Vec<u8>)]) -> Result<(), StoreError> {
        let folder = self.recording_folder(name)?;
        let _lock = Lock::take(&folder)?;
        files::replace(new)
    }

    /// Removes tests of a recording. What they share with others, and the answers that they gave to
    /// reads of later tests, go with them.
    ///
    /// # Errors
    /// When a file cannot be removed, or another process writes the recording.
    pub fn remove_tests(&self, name: &str, ids: &[TestId]) -> Result<(), StoreError> {
        let folder = self.recording_folder(name)?;
        let _lock = Lock::take(&folder)?;
        files::remove_tests(&folder, ids)
    }

    /// The folder that holds the recordings, `runs` and `cache`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    /// The names of the recordings, sorted; none when there is no such folder. What one that was cut
    /// off had left behind is saved first.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn recordings(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.folder();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StoreError::io("list", &folder))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", &folder))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if wrong_with(&name).is_none() && has_been_recorded(&entry.path()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The folder of a recording, which need not exist.
    ///
    /// # Errors
    /// When it cannot be the name of a recording.
    pub fn recording_folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        match wrong_with(name) {
            None => Ok(self.folder().join(name)),
            Some(problem) => Err(StoreError::Name { name: name.to_owned(), problem }),
        }
    }
}

/// Whether a folder holds a recording that is over. One whose remains cannot be saved counts, so
/// that reading it says why.
fn has_been_recorded(folder: &Path) -> bool {
    let manifest = folder.join("recording.yaml");
    manifest.is_file() || writer::recover(folder).is_err() || manifest.is_file()
}

fn read_settings(path: &Path) -> Result<Settings, StoreError> {
    let text = disk::read_text(path, yaml::MAX_SIZE)?;
    text::settings(&text).map_err(|error| StoreError::file(path, error))
}

/// Why a name cannot be that of a recording.
fn wrong_with(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > LONGEST_NAME {
        Some("it is longer than 200 bytes")
    } else if name.starts_with(['.', '-']) {
        Some("it begins with a dot or a dash")
    } else if name.contains(|char: char| matches!(char, '/' | '\\') || char.is_control()) {
        Some("it contains a slash or a control character")
    } else if RESERVED.contains(&name) {
        Some("the folder of that name is used for something else")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_recordings_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let project = Project::open(place.path()).unwrap();
        assert_eq!(project.recordings().unwrap(), Vec::<String>::new());
        for name in ["shop", "cart", ".cart.1.new", "runs", "cache"] {
            let folder = project.folder().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("recording.yaml"), "").unwrap();
        }
        fs::create_dir(project.folder().join("empty")).unwrap();
        fs::write(project.folder().join(".gitignore"), "").unwrap();
        assert_eq!(project.recordings().unwrap(), ["cart", "shop"]);
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        assert!(Project::open(Path::new("/p")).is_err());
        let project = Project { root: PathBuf::from("/p"), settings: Settings::default() };
        let folder = project.recording_folder("Shop 2 (é)").unwrap();
        assert_eq!(folder, Path::new("/p/rehearsal/Shop 2 (é)"));
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".x", "-x", "runs", "cache", "a\nb"] {
            assert!(project.recording_folder(bad).is_err(), "{bad:?}");
        }
        let error = project.recording_folder("runs").unwrap_err().to_string();
        let expected = "use `runs` as the name of a recording: the folder of that name is used for something else; choose another";
        assert_eq!(error, expected);
    }

    #[test]
    fn settings_name_their_file() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("rehearsal.yaml"), "timeout: 3s\n").unwrap();
        let project = Project::open(place.path()).unwrap();
        assert_eq!(project.settings().timeout.as_secs(), 3);
        fs::write(place.path().join("rehearsal.yaml"), "a: b\n\u{e9}: \n").unwrap();
        let error = Project::open(place.path()).unwrap_err().to_string();
        assert!(error.contains("rehearsal.yaml, line 1, column 1: unknown key `a`; "), "{error}");
        fs::write(place.path().join("rehearsal.yaml"), b"a\n\xff").unwrap();
        let error = Project::open(place.path()).unwrap_err().to_string();
        assert!(error.ends_with("line 2 is not UTF-8; save the file as UTF-8"), "{error}");
    }
}
