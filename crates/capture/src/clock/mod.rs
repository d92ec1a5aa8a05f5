//! The wall clock of the app: what it shows while a test is replayed, whatever the time is.
//!
//! Programs read the clock through functions that the kernel maps into each of them (vDSO), without a
//! call that a filter could see. So each fresh program image is stopped at one of its first calls
//! and given a longer version of these functions, which adds a number that we change from outside.
//! Clocks that count from the start of the machine, of processor time and of files are left alone.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod deadlines;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod hook;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod image;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod nowhere;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod told;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod wall;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use calls::answer;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub use nowhere::Clock;
#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
pub(crate) use nowhere::answer;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use wall::Clock;

/// What a wall clock shows. Times are nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The time of the machine.
    Real,
    /// This time at the moment when it is set, and running on from there.
    Running(i64),
    /// This time, and no other until the next is set.
    Standing(i64),
}

/// Why the clock of an app cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// Not on this system or processor.
    #[error("set the app's clock: that works on Linux on x86-64 only so far")]
    NotHere,
    /// The kernel's functions are not of the form that is known.
    #[error("set the app's clock: {0} in the time functions of this kernel")]
    Unknown(&'static str),
    /// What has to be looked at cannot be.
    #[error("set the app's clock: {what}: {source}")]
    Io {
        /// What was looked at.
        what: &'static str,
        /// Why it could not be.
        source: std::io::Error,
    },
}
