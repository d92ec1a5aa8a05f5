//! Writing so that nobody ever sees a part of a file or folder, and a loss of power undoes at most
//! the last write.
//!
//! It knows nothing of what the files hold.

use crate::{StoreError, lock};
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// With more files than this, one `syncfs` costs less than an `fsync` for each.
const FEW: usize = 32;
/// Files from this size on are sent to the disk as soon as they are written.
#[cfg(target_os = "linux")]
const LARGE: usize = 1 << 20;

/// Reads a file of UTF-8 that is not larger than `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String, StoreError> {
    let file = File::open(path).map_err(StoreError::io("read", path))?;
    let size = file.metadata().map_err(StoreError::io("read", path))?.len();
    if size > limit as u64 {
        let problem = format!("it is larger than {} MiB", limit >> 20);
        return Err(StoreError::whole_file(path, problem));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(limit as u64).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        StoreError::whole_file(path, format!("line {line} is not UTF-8; save the file as UTF-8"))
    })
}

/// A file that waits beside its place; dropped before it took it, it goes away.
#[derive(Debug)]
pub(crate) struct Aside {
    path: PathBuf,
    aside: PathBuf,
    done: bool,
}

/// Where something waits until it takes its place.
fn aside_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

/// Lets files that are whole take their places in the given order, each at once and all of them
/// durably.
pub(crate) fn take_places(files: Vec<Aside>) -> Result<(), StoreError> {
    let parents = files.iter().filter_map(|file| file.path.parent());
    let folders: BTreeSet<PathBuf> = parents.map(Path::to_owned).collect();
    match (files.len() > FEW, folders.first()) {
        (true, Some(folder)) => sync_file_system(folder)?,
        _ => files.iter().try_for_each(Aside::sync)?,
    }
    files.into_iter().try_for_each(Aside::take_place)?;
    folders.iter().try_for_each(|folder| sync(folder))
}

/// Has the system begin to write a large file to the disk, so that less is left when it must be
/// there. Small ones are better off together.
pub(crate) fn start_writing(file: &File, length: usize) {
    #[cfg(target_os = "linux")]
    if length >= LARGE {
        // Only a hint: what is not begun now is written when it must be.
        // SAFETY: the descriptor is open for as long as `file` lives.
        unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, length);
}

impl Aside {
    /// Begins the file that will take the place of `path`.
    pub(crate) fn create(path: &Path) -> io::Result<(Self, File)> {
        let aside = aside_of(path);
        let file = File::create_new(&aside)?;
        Ok((Aside { path: path.to_owned(), aside, done: false }, file))
    }

    /// Where it waits.
    pub(crate) fn place(&self) -> &Path {
        &self.aside
    }

    fn sync(&self) -> Result<(), StoreError> {
        sync(&self.aside)
    }

    fn take_place(mut self) -> Result<(), StoreError> {
        fs::rename(&self.aside, &self.path).map_err(StoreError::io("replace", &self.path))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.aside);
        }
    }
}

/// Fills a new folder and swaps it with the old one, which goes away. When filling fails, the old
/// one stays.
pub(crate) fn replace_folder<T>(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(StoreError::io("create", parent))?;
    remove_leftovers(parent, folder.file_name());
    let new = aside_of(folder);
    let made = fs::create_dir(&new)
        .map_err(StoreError::io("create", &new))
        .and_then(|()| fill(&new))
        .and_then(|filled| sync_file_system(&new).map(|()| filled))
        .and_then(|filled| take_folder(&new, folder).map(|()| filled));
    // What has the name now is the old folder, or the one that was not filled.
    let _ = fs::remove_dir_all(&new);
    // The disk has the new folder but perhaps not its name. A journaling file system keeps the order
    // of names: after a loss of power the old folder is there whole, or the new one.
    made
}

fn take_folder(new: &Path, folder: &Path) -> Result<(), StoreError> {
    if !folder.exists() {
        return fs::rename(new, folder).map_err(StoreError::io("replace", folder));
    }
    // The lock is held on the file, not on its name: a second name in the new folder keeps it.
    match fs::hard_link(folder.join(lock::FILE), new.join(lock::FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io("replace", folder)(error))
        }
        _ => exchange(new, folder).map_err(StoreError::io("replace", folder)),
    }
}

/// Removes what processes that no longer run left behind in a folder: all of it, or what waited to
/// take one name.
pub(crate) fn remove_leftovers(folder: &Path, name: Option<&OsStr>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some((whose, pid)) = file_name.to_str().and_then(|file_name| {
            let (whose, pid) =
                file_name.strip_prefix('.')?.strip_suffix(".new")?.rsplit_once('.')?;
            Some((whose, pid.parse::<libc::pid_t>().ok()?))
        }) else {
            continue;
        };
        let ours = u32::try_from(pid) == Ok(std::process::id());
        if name.is_none_or(|name| name == whose) && (ours || !is_running(pid)) {
            let path = entry.path();
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
}

fn is_running(pid: libc::pid_t) -> bool {
    // SAFETY: signal 0 is sent to nobody; the call only asks whether the process exists.
    let answer = unsafe { libc::kill(pid, 0) };
    answer == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StoreError::io("write", path))
}

/// Makes everything that was written to a folder's file system durable.
#[cfg(target_os = "linux")]
fn sync_file_system(folder: &Path) -> Result<(), StoreError> {
    let file = File::open(folder).map_err(StoreError::io("write", folder))?;
    // SAFETY: the descriptor is open for as long as `file` lives.
    match unsafe { libc::syncfs(file.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(StoreError::io("write", folder)(io::Error::last_os_error())),
    }
}

/// Makes everything below a folder durable, one by one, where the system knows no other way.
#[cfg(any(test, not(target_os = "linux")))]
fn sync_each(folder: &Path) -> Result<(), StoreError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(StoreError::io("write", &folder))? {
            let entry = entry.map_err(StoreError::io("write", &folder))?;
            let kind = entry.file_type().map_err(StoreError::io("write", &entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                sync(&entry.path())?;
            }
        }
        sync(&folder)?;
    }
    Ok(())
}

/// Swaps two folders in one step where the file system can; else the new one takes the name of the
/// old one in two.
fn exchange(new: &Path, folder: &Path) -> io::Result<()> {
    let Err(error) = swap(&c_path(new)?, &c_path(folder)?) else { return Ok(()) };
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::ENOTSUP) => exchange_in_two(new, folder),
        // A folder from a lower layer of an overlay (a container's image) cannot be renamed.
        Some(libc::EXDEV) => {
            fs::remove_dir_all(folder)?;
            fs::rename(new, folder)
        }
        _ => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn swap(one: &CStr, other: &CStr) -> io::Result<()> {
    // SAFETY: both paths end with NUL and live until the call returns.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            one.as_ptr(),
            libc::AT_FDCWD,
            other.as_ptr(),
            libc::RENAME_EXCHANGE,
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(target_os = "macos")]
fn swap(one: &CStr, other: &CStr) -> io::Result<()> {
    // SAFETY: both paths end with NUL and live until the call returns.
    let answer = unsafe { libc::renamex_np(one.as_ptr(), other.as_ptr(), libc::RENAME_SWAP) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn swap(_one: &CStr, _other: &CStr) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

#[cfg(not(target_os = "linux"))]
use sync_each as sync_file_system;

/// Between the two steps nobody finds a folder; a kill there leaves the old one beside its place.
fn exchange_in_two(new: &Path, folder: &Path) -> io::Result<()> {
    let old = new.with_extension("old");
    fs::rename(folder, &old)?;
    fs::rename(new, folder).inspect_err(|_| {
        let _ = fs::rename(&old, folder);
    })?;
    fs::remove_dir_all(old)
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_exchanged_in_two_steps_and_made_durable_one_by_one() {
        let place = tempfile::tempdir().unwrap();
        let (new, folder) = (place.path().join(".book.1.new"), place.path().join("book"));
        for (path, text) in [(&new, "new"), (&folder, "old")] {
            fs::create_dir_all(path.join("deep/er")).unwrap();
            fs::write(path.join("deep/er/file"), text).unwrap();
        }
        sync_each(&new).unwrap();
        exchange_in_two(&new, &folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("deep/er/file")).unwrap(), "new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "the old one is gone");
        assert!(exchange_in_two(&new, &folder).is_err());
        assert!(folder.exists(), "a new one that cannot be had leaves the old one");
        assert!(sync_each(&new).is_err());
    }
}
