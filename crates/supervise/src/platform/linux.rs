//! Linux: orphans are adopted, so that the tree is everything below the guard, found in `/proc`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// How often to look for processes whose end is not heard of, in milliseconds: never.
pub(crate) const LOOK_EVERY: i32 = -1;

/// Threads that are looked at to see whether any works.
const MOST_LOOKED_AT: usize = 10_000;

/// Orphans of the tree become our children instead of init's, so that none is lost.
pub(crate) fn adopt_orphans() {
    // SAFETY: changes an attribute of this process only.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// The calling process is to be killed when its parent ends. Async-signal-safe.
pub(crate) fn die_with_parent() {
    // SAFETY: changes an attribute of this process only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
}

/// Our own executable, also when its file was replaced since.
pub(crate) fn executable() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// Sends a signal to all that is left of the tree.
pub(crate) fn signal(_app: i32, signal: i32) {
    // SAFETY: plain system calls on processes below us, found a moment ago.
    for pid in descendants(unsafe { libc::getpid() }) {
        // SAFETY: as above.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Whether processes of the tree are left that are no children of ours: none can be.
pub(crate) fn has_strays(_app: i32) -> bool {
    false
}

/// A descriptor that is readable when a child has died.
pub(crate) struct Deaths(OwnedFd);

impl Deaths {
    pub(crate) fn watch() -> io::Result<Self> {
        // SAFETY: a signal set is plain memory, initialised by `sigemptyset` before it is used.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGCHLD);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(Self(OwnedFd::from_raw_fd(fd)))
            }
        }
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Whether any thread of the processes below this one runs, may run, or waits for a disk (proc_pid_stat(5),
/// proc_tid_children(5)). Only they are looked at, however many there are on the machine.
pub(crate) fn is_at_work(guard: i32) -> bool {
    let mut next = vec![guard];
    let mut left = MOST_LOOKED_AT;
    while let Some(pid) = next.pop() {
        for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let thread = thread.path();
            left -= 1;
            let works = || matches!(state_and_parent(&thread.join("stat")), Some(('R' | 'D', _)));
            if left == 0 || pid != guard && works() {
                return true;
            }
            let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
            next.extend(children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
    }
    false
}

/// Every process below this one, in no order.
fn descendants(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![root]);
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.push(child);
            next.push(child);
        }
    }
    found
}

/// The parent of a living process; none for one that is dead and waits to be reaped.
fn parent(pid: i32) -> Option<i32> {
    let (state, parent) = state_and_parent(Path::new(&format!("/proc/{pid}/stat")))?;
    (state != 'Z').then_some(parent)
}

/// The state and the parent of a process or a thread, of which this is the file.
fn state_and_parent(stat: &Path) -> Option<(char, i32)> {
    let stat = fs::read_to_string(stat).ok()?;
    // The name stands in parentheses and may hold anything, parentheses too.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}
