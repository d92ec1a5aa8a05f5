//! The key of the placeholders that stand for secrets.
//!
//! It is one person's, not one project's, and is never in a repository: without it nobody can try
//! out which password has a placeholder's hash.

use crate::StoreError;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// 32 bytes that nobody guesses.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// The key of this person, made when there is none: in the file that `$REHEARSAL_KEY_FILE` names,
    /// else in `$XDG_CONFIG_HOME/rehearsal/key` or `~/.config/rehearsal/key`, and where that cannot be
    /// written in `rehearsal/cache/key` of the project.
    ///
    /// # Errors
    /// When no place can be written, or a file is there that holds no key.
    pub fn load(project_root: &Path) -> Result<Self, StoreError> {
        Self::load_with(|name| std::env::var_os(name), project_root)
    }

    fn load_with(
        variable: impl Fn(&str) -> Option<OsString>,
        project_root: &Path,
    ) -> Result<Self, StoreError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = variable("REHEARSAL_KEY_FILE") {
            return read_or_make(&path);
        }
        let home = || variable("HOME").map(|home| home.join(".config"));
        let config = variable("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(home);
        if let Some(config) = config {
            match read_or_make(&config.join("rehearsal/key")) {
                Err(StoreError::Io { .. }) => {}
                settled => return settled,
            }
        }
        read_or_make(&project_root.join("rehearsal/cache/key"))
    }

    /// The keyed hash of a secret.
    #[must_use]
    pub fn hash(&self, secret: &str) -> u64 {
        let hash = blake3::keyed_hash(&self.0, secret.as_bytes());
        let mut start = [0; 8];
        start.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_be_bytes(start)
    }
}

/// Says nothing of the bytes.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

fn read_or_make(path: &Path) -> Result<Key, StoreError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    make(path).map_err(StoreError::io("create", path))?;
    // Whoever came first has made the file; everybody reads it.
    read(path)?.ok_or_else(|| StoreError::io("read", path)(ErrorKind::NotFound.into()))
}

/// The key in a file of 64 hexadecimal digits; `None` when there is no file.
fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    let mut text = String::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(StoreError::io("open", path))?,
    };
    let no_key = || StoreError::NoKey { path: path.into() };
    match file.take(128).read_to_string(&mut text) {
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(no_key()),
        read => read.map_err(StoreError::io("read", path))?,
    };
    let digits = text.trim_ascii().as_bytes();
    let mut key = [0; 32];
    if digits.len() != 64 {
        return Err(no_key());
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => *byte = (high << 4 | low) as u8,
            _ => return Err(no_key()),
        }
    }
    Ok(Some(Key(key)))
}

/// Makes a key file, readable by its owner only, unless somebody else does so first.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    let mut text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    // Named by the key itself, so that no two makers share it.
    let temporary = folder.join(format!(".key.{:016x}", Key(key).hash("name of a file")));
    let made = write_private(&temporary, &text).and_then(|()| {
        // A link, unlike a rename, does not replace the key that another process made meanwhile.
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(_) if !path.exists() => fs::rename(&temporary, path),
            linked => linked,
        }
    });
    let _ = fs::remove_file(&temporary);
    made
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn load(home: &Path, root: &Path) -> Result<Key, StoreError> {
        Key::load_with(|name| (name == "HOME").then(|| home.into()), root)
    }

    #[test]
    fn is_made_once_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let first = load(home.path(), Path::new("/nowhere")).unwrap();
        let folder = home.path().join(".config/rehearsal");
        assert_eq!((mode(&folder), mode(&folder.join("key"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let second = load(home.path(), Path::new("/nowhere")).unwrap();
        assert_eq!(first.hash("hunter2"), second.hash("hunter2"));
        assert_ne!(first.hash("hunter2"), Key::new([0; 32]).hash("hunter2"));
        assert_eq!(format!("{first:?}"), "Key(..)");
    }

    #[test]
    fn the_variables_come_before_the_home() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("deep/er/my-key");
        let config = folder.path().join("xdg");
        let variables = [("REHEARSAL_KEY_FILE", &named), ("XDG_CONFIG_HOME", &config)];
        for (count, made) in [(2, named.clone()), (1, config.join("rehearsal/key"))] {
            let known = &variables[2 - count..];
            let find = |name: &str| {
                known.iter().find(|(known, _)| *known == name).map(|(_, path)| path.into())
            };
            Key::load_with(find, folder.path()).unwrap();
            assert!(made.exists(), "{}", made.display());
        }
    }

    #[test]
    fn a_home_that_cannot_be_written_leaves_it_to_the_project() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("file");
        fs::write(&home, "").unwrap();
        load(&home, root.path()).unwrap();
        assert!(root.path().join("rehearsal/cache/key").exists());
    }

    #[test]
    fn a_file_without_a_key_is_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".config/rehearsal/key");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for bad in [&b""[..], b"abc", b"\xff\xfe", "g".repeat(64).as_bytes(), &[b'a'; 66]] {
            fs::write(&path, bad).unwrap();
            let error = load(home.path(), home.path()).unwrap_err();
            assert!(matches!(error, StoreError::NoKey { .. }), "{bad:?}: {error}");
        }
    }

    #[test]
    fn all_who_come_at_once_get_the_same() {
        let home = tempfile::tempdir().unwrap();
        let hashes: Vec<u64> = std::thread::scope(|scope| {
            let task = || load(home.path(), home.path()).unwrap().hash("x");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(task)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(hashes.iter().all(|hash| *hash == hashes[0]));
    }
}
