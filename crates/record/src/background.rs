//! Giving way: the recorder's work can wait, the traffic of the app cannot.

/// How much the recorder gives way, in steps of `nice(2)`.
#[cfg(target_os = "linux")]
const STEPS: libc::c_int = 10;

/// Lets this thread run only where no other wants to. Nothing depends on it: where the system
/// refuses, the thread runs like any other.
#[cfg(target_os = "linux")]
pub(crate) fn give_way() {
    // SAFETY: takes numbers only. On Linux, "this process" (0) means the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, STEPS) };
}

/// Elsewhere the call would slow the whole process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_way() {}
