//! How many files may be open. Each connection of the app is two of ours, so we take as many as we
//! may; the app keeps the limit that it would have without us.

use std::io;
use std::sync::OnceLock;

static GIVEN: OnceLock<Option<libc::rlimit>> = OnceLock::new();

/// Raises our limit as far as it goes, once; returns the one that we were given.
pub(crate) fn take_all() -> Option<libc::rlimit> {
    *GIVEN.get_or_init(|| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a live `rlimit`.
        if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
            return None;
        }
        // A system that refuses leaves us what we have.
        let _ = set(libc::rlimit { rlim_cur: limit.rlim_max, ..limit });
        Some(limit)
    })
}

/// Sets the limit of this process. Async-signal-safe.
pub(crate) fn set(limit: libc::rlimit) -> io::Result<()> {
    // SAFETY: the pointer is to a live `rlimit`.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
