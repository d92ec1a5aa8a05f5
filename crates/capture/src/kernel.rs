//! Thin, typed wrappers of the kernel calls of seccomp user notification and
//! pidfd (<linux/seccomp.h>, pidfd_getfd(2)). No policy, no state.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const ID_VALID: libc::c_ulong = 0x4008_2102;
const ADD_FD: libc::c_ulong = 0x4018_2103;
const SET_FLAGS: libc::c_ulong = 0x4008_2104;
const SYNC_WAKE_UP: u64 = 1;
const ADD_FD_SET: u32 = 1;
const ADD_FD_SEND: u32 = 2;
const CONTINUE: u32 = 1;

/// `struct seccomp_notif`: one call of the app that waits for an answer.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Call {
    /// The cookie that names the call in every answer.
    pub(crate) id: u64,
    /// The thread that made the call.
    pub(crate) pid: u32,
    flags: u32,
    pub(crate) number: i32,
    pub(crate) arch: u32,
    pub(crate) instruction: u64,
    pub(crate) args: [u64; 6],
}

impl Call {
    pub(crate) fn tid(&self) -> i32 {
        self.pid as i32
    }

    /// The file descriptor in the first argument; every trapped call has one.
    pub(crate) fn fd(&self) -> RawFd {
        self.args[0] as RawFd
    }
}

#[repr(C)]
struct Answer {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

#[repr(C)]
struct AddFd {
    id: u64,
    flags: u32,
    source: u32,
    target: u32,
    target_flags: u32,
}

/// The supervisor's end of the filter.
pub(crate) struct Listener(pub(crate) OwnedFd);

impl Listener {
    /// Takes the next call. `NotFound` means that its caller is gone already.
    pub(crate) fn receive(&self) -> io::Result<Call> {
        let mut call = Call::default();
        // SAFETY: `call` has the layout and size encoded in the request number.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), RECEIVE, &mut call) }.into())?;
        Ok(call)
    }

    /// Ends the call with `result`; fails when the caller was interrupted.
    pub(crate) fn finish(&self, id: u64, result: Result<i64, i32>) -> io::Result<()> {
        let (value, error) = match result {
            Ok(value) => (value, 0),
            Err(errno) => (0, -errno),
        };
        self.answer(&Answer { id, value, error, flags: 0 })
    }

    /// Lets the kernel run the call as the app wrote it.
    pub(crate) fn resume(&self, id: u64) -> io::Result<()> {
        self.answer(&Answer { id, value: 0, error: 0, flags: CONTINUE })
    }

    fn answer(&self, answer: &Answer) -> io::Result<()> {
        // SAFETY: `answer` has the layout and size encoded in the request number.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, answer) }.into()).map(drop)
    }

    /// Has the kernel hand the processor over at once between caller and
    /// supervisor, since one of them always waits (Linux 6.6).
    pub(crate) fn hand_over_at_once(&self) -> io::Result<()> {
        // SAFETY: the request takes the flags by value.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP) }.into()).map(drop)
    }

    /// Whether the thread that made the call still waits in it. Until this has
    /// been asked after opening something by thread id, that id may be reused.
    pub(crate) fn is_waiting(&self, id: u64) -> bool {
        // SAFETY: the request takes a pointer to a 64-bit cookie.
        unsafe { libc::ioctl(self.0.as_raw_fd(), ID_VALID, &id) == 0 }
    }

    /// Ends the call with a copy of `source` as a new descriptor of the caller (Linux 5.14).
    pub(crate) fn finish_with_fd(
        &self,
        id: u64,
        source: BorrowedFd<'_>,
        close_on_exec: bool,
    ) -> io::Result<()> {
        let request = AddFd {
            id,
            flags: ADD_FD_SEND,
            source: source.as_raw_fd() as u32,
            target: 0,
            target_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        // SAFETY: `request` has the layout and size encoded in the request number.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), ADD_FD, &request) }.into()).map(drop)
    }

    /// Puts a copy of `source` at descriptor `target` of the caller.
    pub(crate) fn replace_fd(
        &self,
        id: u64,
        source: BorrowedFd<'_>,
        target: RawFd,
        close_on_exec: bool,
    ) -> io::Result<()> {
        let request = AddFd {
            id,
            flags: ADD_FD_SET,
            source: source.as_raw_fd() as u32,
            target: target as u32,
            target_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        // SAFETY: `request` has the layout and size encoded in the request number.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), ADD_FD, &request) }.into()).map(drop)
    }
}

/// A duplicate of descriptor `fd` of the process that thread `tid` belongs to.
pub(crate) fn duplicate(tid: i32, fd: RawFd) -> io::Result<OwnedFd> {
    let process = open_process(tid)?;
    // SAFETY: the call takes integers only; it yields a new descriptor of ours.
    unsafe {
        let copy = check(libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0))?;
        Ok(OwnedFd::from_raw_fd(copy as RawFd))
    }
}

/// A pidfd of the thread, or of its group where the kernel (before 6.9) has no
/// pidfds of threads.
fn open_process(tid: i32) -> io::Result<OwnedFd> {
    const PIDFD_THREAD: libc::c_int = libc::O_EXCL;
    // SAFETY: the call takes integers only.
    let mut fd = unsafe { libc::syscall(libc::SYS_pidfd_open, tid, PIDFD_THREAD) };
    if fd < 0 {
        let group = crate::process::thread_group(tid);
        // SAFETY: as above.
        fd = unsafe { libc::syscall(libc::SYS_pidfd_open, group, 0) };
    }
    // SAFETY: a non-negative result is a new descriptor of ours.
    check(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Turns the C convention into a result.
pub(crate) fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The error number of an I/O error; `EIO` for one that has none.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}
