//! Writing so that nobody ever sees a part of a file or folder, and a loss of power undoes at most
//! the last write.
//!
//! It knows nothing of what the files hold.

use crate::{StoreError, lock};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// With more files than this, one `syncfs` costs less than an `fsync` for each.
const FEW: usize = 32;

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

/// Writes a file whose name is made from its content, unless it is there.
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    match path.exists() {
        true => Ok(()),
        false => write_aside(path, bytes)?.take_place(),
    }
}

/// Replaces files, each at once and all of them durably.
pub(crate) fn replace_files(files: Vec<(PathBuf, String)>) -> Result<(), StoreError> {
    let mut folders: Vec<PathBuf> =
        files.iter().filter_map(|(path, _)| path.parent().map(Path::to_owned)).collect();
    folders.sort();
    folders.dedup();
    let written = files
        .iter()
        .map(|(path, text)| write_aside(path, text.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    match (written.len() > FEW, folders.first()) {
        (true, Some(folder)) => sync_file_system(folder)?,
        _ => written.iter().try_for_each(Aside::sync)?,
    }
    written.into_iter().try_for_each(Aside::take_place)?;
    folders.iter().try_for_each(|folder| sync(folder))
}

/// A whole file that waits beside its place; dropped before it took it, it goes away.
struct Aside {
    path: PathBuf,
    aside: PathBuf,
    done: bool,
}

fn write_aside(path: &Path, bytes: &[u8]) -> Result<Aside, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let thread = std::thread::current().id();
    let aside = path.with_file_name(format!(".{name}.{}-{thread:?}.new", std::process::id()));
    let aside = Aside { path: path.to_owned(), aside, done: false };
    let mut file = File::create(&aside.aside).map_err(StoreError::io("write", path))?;
    file.write_all(bytes).map_err(StoreError::io("write", path))?;
    Ok(aside)
}

impl Aside {
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
pub(crate) fn replace_folder(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(StoreError::io("create", parent))?;
    remove_leftovers(parent, &name);
    let new = parent.join(format!(".{name}.{}.new", std::process::id()));
    let made = fs::create_dir(&new)
        .map_err(StoreError::io("create", &new))
        .and_then(|()| fill(&new))
        .and_then(|()| sync_file_system(&new))
        .and_then(|()| take_folder(&new, folder));
    // What has the name now is the old folder, or the one that was not filled.
    let _ = fs::remove_dir_all(&new);
    made?;
    sync(parent)
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

/// Removes what a process that no longer runs left behind.
fn remove_leftovers(parent: &Path, name: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(pid) = file_name.to_str().and_then(|file_name| {
            let rest = file_name.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?;
            rest.strip_suffix(".new")?.parse::<libc::pid_t>().ok()
        }) else {
            continue;
        };
        if pid as u32 == std::process::id() || !is_running(pid) {
            let _ = fs::remove_dir_all(entry.path());
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
fn sync_file_system(folder: &Path) -> Result<(), StoreError> {
    let file = File::open(folder).map_err(StoreError::io("write", folder))?;
    // SAFETY: the descriptor is open for as long as `file` lives.
    match unsafe { libc::syncfs(file.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(StoreError::io("write", folder)(io::Error::last_os_error())),
    }
}

/// Swaps two folders in one step where the file system can, else in two.
fn exchange(new: &Path, folder: &Path) -> io::Result<()> {
    let (one, other) = (c_path(new)?, c_path(folder)?);
    // SAFETY: both paths are strings that end with NUL and live until the call returns.
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
    if answer == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if !matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) {
        return Err(error);
    }
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
