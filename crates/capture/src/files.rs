//! Hands the app another file than the one that it opens, where the policy has one for it: the bundle of
//! root certificates with one more in it. Files are known by what they are and not by their paths, so
//! that links and relative paths lead there as well. Everything else is opened as the app says.
//!
//! Only opening for reading is looked at. What cannot be looked at is left to the kernel.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::call::Waiting;
use crate::contract::InPlace;
use crate::memory;

/// A longer path opens nothing (PATH_MAX).
const LONGEST: usize = 4096;
/// Opening with any of these is not reading what is there.
const OTHERWISE: i32 =
    libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_DIRECTORY | libc::O_PATH;

/// The files that others stand in for, by device and number.
#[derive(Default)]
pub(crate) struct StandIns(HashMap<(u64, u64), PathBuf>);

impl StandIns {
    pub(crate) fn new(files: &[InPlace]) -> Self {
        let known = files.iter().filter_map(|file| Some((identity(&file.of)?, file.shown.clone())));
        StandIns(known.collect())
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((about.dev(), about.ino()))
}

/// Answers `open`, `openat` and `openat2`.
pub(crate) fn open(call: Waiting) {
    match stand_in(&call) {
        Some((file, flags)) => call.give_file(file.as_fd(), flags & libc::O_CLOEXEC != 0),
        None => call.resume(),
    }
}

/// The file to hand out in place of the one that is asked for, and how that is to be opened.
fn stand_in(call: &Waiting) -> Option<(File, i32)> {
    let (folder, path, flags) = match i64::from(call.number()) {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => (libc::AT_FDCWD, call.arg(0), call.arg(1) as i32),
        libc::SYS_openat => (call.arg(0) as i32, call.arg(1), call.arg(2) as i32),
        _ => {
            // `struct open_how` begins with the flags.
            let how = memory::read(call.tid(), call.arg(2), 8).ok()?;
            let flags = u64::from_ne_bytes(how.try_into().ok()?);
            (call.arg(0) as i32, call.arg(1), i32::try_from(flags).ok()?)
        }
    };
    if flags & OTHERWISE != libc::O_RDONLY {
        return None;
    }
    let path = memory::read_text(call.tid(), path, LONGEST).ok()?;
    let path = Path::new(std::ffi::OsStr::from_bytes(&path));
    let whole = match (path.is_absolute(), folder) {
        (true, _) => path.to_owned(),
        (false, libc::AT_FDCWD) => Path::new(&format!("/proc/{}/cwd", call.tid())).join(path),
        (false, folder) => Path::new(&format!("/proc/{}/fd/{folder}", call.tid())).join(path),
    };
    let shown = call.shared.stand_ins.0.get(&identity(&whole)?)?;
    Some((File::open(shown).ok()?, flags))
}
