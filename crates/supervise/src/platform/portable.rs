//! Systems without a way to adopt orphans, such as macOS: the tree is the app's process group.
//! A process that leaves the group (a daemon that calls `setsid`) is not found again, and when the
//! guard itself is killed nobody ends the app.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::sync::OnceLock;

/// How often to look for processes whose end is not heard of, in milliseconds.
pub(crate) const LOOK_EVERY: i32 = 100;

/// The end of the pipe that the signal handler writes to.
static DEATH: OnceLock<PipeWriter> = OnceLock::new();

/// Orphans go to init here.
pub(crate) fn adopt_orphans() {}

/// There is no such tie here; the guard ends its tree as long as it lives.
pub(crate) fn die_with_parent() {}

/// Our own executable.
pub(crate) fn executable() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Sends a signal to all that is left of the tree.
pub(crate) fn signal(app: i32, signal: i32) {
    // SAFETY: a plain system call; the group's number is not given away while it has members.
    unsafe { libc::kill(-app, signal) };
}

/// Whether processes of the tree are left that are no children of ours.
pub(crate) fn has_strays(app: i32) -> bool {
    // SAFETY: signal 0 is sent to nobody; the call only asks whether the group has members.
    unsafe { libc::kill(-app, 0) == 0 }
}

/// Whether the tree is doing something: nobody says so here.
pub(crate) fn is_at_work(_guard: i32) -> bool {
    false
}

/// A descriptor that is readable when a child has died.
pub(crate) struct Deaths(PipeReader);

impl Deaths {
    /// One for each process: the handler knows one pipe.
    pub(crate) fn watch() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        for fd in [reader.as_raw_fd(), writer.as_raw_fd()] {
            // SAFETY: sets a flag of a descriptor.
            if unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        DEATH.set(writer).map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))?;
        let handler: extern "C" fn(libc::c_int) = note_death;
        // SAFETY: an action of zeros is a valid one; the handler makes one async-signal-safe call.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
            libc::sigemptyset(&raw mut action.sa_mask);
            if libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self(reader))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

extern "C" fn note_death(_signal: libc::c_int) {
    let Some(pipe) = DEATH.get() else { return };
    // A full pipe has been readable for long. The number of the last error must survive.
    let before = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    // SAFETY: one byte of a live local.
    unsafe { libc::write(pipe.as_raw_fd(), (&raw const DEATH_BYTE).cast(), 1) };
    restore_errno(before);
}

static DEATH_BYTE: u8 = 0;

#[cfg(target_os = "linux")]
fn restore_errno(value: i32) {
    // SAFETY: the number belongs to this thread.
    unsafe { *libc::__errno_location() = value };
}

#[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
fn restore_errno(value: i32) {
    // SAFETY: the number belongs to this thread.
    unsafe { *libc::__error() = value };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    #[test]
    fn hears_of_a_dead_child_and_of_the_end_of_its_group() {
        let deaths = Deaths::watch().unwrap();
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let group = child.id().cast_signed();
        assert!(has_strays(group));
        signal(group, libc::SIGTERM);
        let mut polled = libc::pollfd { fd: deaths.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, as the call is told.
        while unsafe { libc::poll(&raw mut polled, 1, 10_000) } < 0 {}
        assert_eq!(polled.revents, libc::POLLIN);
        child.wait().unwrap();
        assert!(!has_strays(group));
        assert!(Deaths::watch().is_err(), "there is one pipe for the handler");
    }
}
