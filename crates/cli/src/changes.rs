//! Tells when files change, by inotify(7): a build that has ended, a file that was edited.
//!
//! Folders are watched, since builds and editors replace files. What a change means is not known here.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

/// A build writes a file in several steps: when nothing has happened for so long, it is whole.
const QUIET: Duration = Duration::from_millis(60);
/// Folders that are watched below one that is given.
const MOST_FOLDERS: usize = 4096;
/// Names of folders that are not looked into: what is in them is made from the rest.
const MADE: [&str; 5] = ["target", "node_modules", "__pycache__", "runs", "cache"];
/// What the kernel tells before a name: four numbers.
const HEAD: usize = 16;

/// See the module.
pub(crate) struct Changes {
    queue: AsyncFd<fs::File>,
    /// Folders by the number that the kernel gave them.
    folders: HashMap<i32, PathBuf>,
    files: BTreeSet<PathBuf>,
    whole: Vec<PathBuf>,
}

impl Changes {
    /// Watches nothing yet. Must be called where an event loop runs.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: a call without pointers; what it returns is checked.
        let fd = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: the descriptor is the file's for as long as that lives, and the two are one value here.
        let queue = unsafe { AsyncFd::register(fs::File::from(fd)) }?;
        Ok(Changes { queue, folders: HashMap::new(), files: BTreeSet::new(), whole: Vec::new() })
    }

    /// Watches a file, which need not exist, or all that is below a folder.
    pub(crate) fn watch(&mut self, path: &Path) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        if path.is_dir() {
            self.whole.push(path.clone());
            return self.below(&path);
        }
        if let Some(folder) = path.parent() {
            self.folder(folder)?;
        }
        // What a link stands for is what a build replaces.
        if let Ok(real) = fs::canonicalize(&path)
            && real != path
        {
            if let Some(folder) = real.parent() {
                self.folder(folder)?;
            }
            self.files.insert(real);
        }
        self.files.insert(path);
        Ok(())
    }

    fn below(&mut self, top: &Path) -> io::Result<()> {
        let mut left = vec![top.to_owned()];
        while let Some(folder) = left.pop() {
            self.folder(&folder)?;
            for entry in fs::read_dir(&folder)?.flatten() {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_source = is_folder && !is_made(&entry.file_name());
                if is_source && self.folders.len() < MOST_FOLDERS {
                    left.push(entry.path());
                }
            }
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let name = CString::new(folder.as_os_str().as_bytes())?;
        let mask = libc::IN_CLOSE_WRITE
            | libc::IN_MODIFY
            | libc::IN_MOVED_TO
            | libc::IN_CREATE
            | libc::IN_ATTRIB
            | libc::IN_ONLYDIR;
        // SAFETY: the name is a string that ends in NUL and lives during the call.
        let number =
            unsafe { libc::inotify_add_watch(self.queue.as_raw_fd(), name.as_ptr(), mask) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        self.folders.insert(number, folder.to_owned());
        Ok(())
    }

    /// Waits until something has changed and nothing does any more; the paths, sorted.
    pub(crate) async fn next(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut changed = BTreeSet::new();
        while changed.is_empty() {
            self.more(&mut changed).await?;
        }
        while let Ok(more) = timeout(QUIET, self.more(&mut changed)).await {
            more?;
        }
        Ok(changed.into_iter().collect())
    }

    async fn more(&mut self, changed: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let length = loop {
            let mut ready = self.queue.readable().await?;
            if let Ok(read) = ready.try_io(|file| file.get_ref().read(&mut buffer)) {
                break read?;
            }
        };
        for (folder, name) in events(&buffer[..length]) {
            let Some(path) = self.folders.get(&folder).map(|folder| folder.join(name)) else {
                continue;
            };
            if path.is_dir() {
                let is_source = path.file_name().is_some_and(|name| !is_made(name));
                if is_source && self.whole.iter().any(|whole| path.starts_with(whole)) {
                    // One that is gone again is no matter.
                    let _ = self.below(&path);
                }
            } else if self.is_wanted(&path) {
                changed.insert(path);
            }
        }
        Ok(())
    }

    fn is_wanted(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        // Editors keep what they are at in files of such names.
        let temporary = name.starts_with(b".") || name.ends_with(b"~") || name.ends_with(b".swp");
        self.files.contains(path)
            || !temporary && self.whole.iter().any(|whole| path.starts_with(whole))
    }
}

/// Whether a folder is hidden, or its content is made from the rest.
fn is_made(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".") || MADE.iter().any(|made| name == *made)
}

/// The folders' numbers and names in what the kernel tells (inotify(7), "Reading events").
fn events(mut bytes: &[u8]) -> Vec<(i32, &OsStr)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        let word = |at: usize| head.get(at..at + 4).and_then(|it| it.try_into().ok());
        let (Some(folder), Some(length)) = (word(0), word(12)) else { break };
        let length = u32::from_ne_bytes(length) as usize;
        let Some((name, rest)) = rest.split_at_checked(length) else { break };
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        found.push((i32::from_ne_bytes(folder), OsStr::from_bytes(&name[..end])));
        bytes = rest;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(work)
    }

    #[test]
    fn a_file_that_is_replaced_has_changed_and_its_neighbours_are_no_matter() {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::write(at("app"), "one").unwrap();
            let mut changes = Changes::new().unwrap();
            changes.watch(&at("app")).unwrap();
            fs::write(at("other"), "x").unwrap();
            fs::write(at("app.new"), "two").unwrap();
            fs::rename(at("app.new"), at("app")).unwrap();
            assert_eq!(changes.next().await.unwrap(), [at("app")]);
            fs::remove_file(at("app")).unwrap();
            fs::hard_link(at("other"), at("app")).unwrap();
            assert_eq!(changes.next().await.unwrap(), [at("app")]);
        });
    }

    #[test]
    fn what_is_below_a_folder_is_watched_when_it_comes_too() {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir_all(at("src/a")).unwrap();
            let mut changes = Changes::new().unwrap();
            changes.watch(&at("src")).unwrap();
            fs::write(at("src/a/.hidden"), "x").unwrap();
            fs::write(at("src/a/b.py"), "x").unwrap();
            assert_eq!(changes.next().await.unwrap(), [at("src/a/b.py")]);
        });
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let mut bytes = [7i32.to_ne_bytes(), [0; 4], [0; 4], 4u32.to_ne_bytes()].concat();
        bytes.extend(b"ab\0\0");
        let whole = bytes.clone();
        bytes.extend(&whole[..9]);
        assert_eq!(events(&bytes), [(7, OsStr::new("ab"))]);
        assert_eq!(events(&whole[..18]), []);
    }
}
