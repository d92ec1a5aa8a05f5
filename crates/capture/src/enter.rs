//! The child's side of the start: puts the calling process under the filter
//! and hands the listener to the supervisor. Runs between fork and exec, so it
//! must not allocate, lock or panic.

use std::io;
use std::mem;
use std::os::fd::RawFd;

use crate::filter;
use crate::kernel::check;

const SET_MODE_FILTER: libc::c_uint = 1;
const NEW_LISTENER: libc::c_ulong = 1 << 3;
/// Signals wait for a call that the supervisor has begun (Linux 5.19).
const WAIT_KILLABLE: libc::c_ulong = 1 << 5;

/// What the child reports, before its listener if there is one.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Report {
    /// One of the steps below.
    pub(crate) step: i32,
    /// The error number of the step; 0 when all is well.
    pub(crate) errno: i32,
    pub(crate) pid: i32,
    /// The number of the listener in the child, to try `pidfd_getfd` on.
    pub(crate) fd: i32,
}

pub(crate) const STEP_PRIVILEGES: i32 = 1;
pub(crate) const STEP_FILTER: i32 = 2;
pub(crate) const STEP_DONE: i32 = 3;

/// A control message that carries one descriptor; aligned as the kernel wants.
#[repr(C, align(8))]
pub(crate) struct Carrier {
    pub(crate) header: libc::cmsghdr,
    pub(crate) fd: RawFd,
    pub(crate) padding: i32,
}

/// Puts the calling process, and all that it becomes or starts, under capture.
/// `fd` is what [`crate::ChildEnd::fd`] gives. To be called in the child
/// between fork and exec, after any change of user. Returns once the
/// supervisor is at work, or with the error that prevented it.
pub fn enter(fd: RawFd) -> io::Result<()> {
    let kind = filter::Kind::named(wait_for_byte(fd)?);
    // SAFETY: the calls take integers only.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    check(result.into()).map_err(|error| give_up(fd, STEP_PRIVILEGES, error))?;
    let listener = install(kind).map_err(|error| give_up(fd, STEP_FILTER, error))?;
    // SAFETY: getpid takes nothing and cannot fail.
    let pid = unsafe { libc::getpid() };
    let report = Report { step: STEP_DONE, errno: 0, pid, fd: listener };
    let sent = send(fd, &report, Some(listener));
    let told = sent.and_then(|()| wait_for_byte(fd)).map(drop);
    // SAFETY: both descriptors are open and used by nobody else in this process.
    unsafe {
        libc::close(listener);
        libc::close(fd);
    }
    told
}

fn install(kind: filter::Kind) -> io::Result<RawFd> {
    let program = filter::program(kind);
    let program = libc::sock_fprog {
        len: program.length as libc::c_ushort,
        filter: program.code.as_ptr().cast_mut(),
    };
    let attempt = |flags: libc::c_ulong| {
        // SAFETY: the program is a constant of the length given; the kernel copies it.
        check(unsafe {
            libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program)
        })
    };
    let listener = attempt(NEW_LISTENER | WAIT_KILLABLE).or_else(|error| {
        if error.raw_os_error() == Some(libc::EINVAL) { attempt(NEW_LISTENER) } else { Err(error) }
    })?;
    Ok(listener as RawFd)
}

fn give_up(fd: RawFd, step: i32, error: io::Error) -> io::Error {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    // The error is returned as well; nothing is lost if nobody listens.
    let _ = send(fd, &Report { step, errno, pid: 0, fd: -1 }, None);
    error
}

fn send(fd: RawFd, report: &Report, carried: Option<RawFd>) -> io::Result<()> {
    let mut part = libc::iovec {
        iov_base: (&raw const *report).cast_mut().cast(),
        iov_len: mem::size_of::<Report>(),
    };
    // SAFETY: a message header of zeros is a valid, empty one.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    let mut carrier = carrier(carried.unwrap_or(-1));
    if carried.is_some() {
        message.msg_control = (&raw mut carrier).cast();
        message.msg_controllen = mem::size_of::<Carrier>() as _;
    }
    // SAFETY: every pointer in the message leads to a live local; with these flags
    // the call is not trapped, which nobody would answer yet.
    let count = unsafe { libc::sendmsg(fd, &raw const message, filter::HANDING_OVER) };
    check(count as libc::c_long).map(drop)
}

pub(crate) fn carrier(fd: RawFd) -> Carrier {
    // SAFETY: a control header of zeros is a valid one.
    let mut header: libc::cmsghdr = unsafe { mem::zeroed() };
    header.cmsg_len = (mem::size_of::<libc::cmsghdr>() + mem::size_of::<RawFd>()) as _;
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    Carrier { header, fd, padding: 0 }
}

fn wait_for_byte(fd: RawFd) -> io::Result<u8> {
    let mut byte = 0u8;
    loop {
        // SAFETY: the buffer is one byte long.
        let count = unsafe { libc::read(fd, (&raw mut byte).cast(), 1) };
        match check(count as libc::c_long) {
            Ok(1) => return Ok(byte),
            // The supervisor is gone or has given up.
            Ok(_) => return Err(io::Error::from_raw_os_error(libc::ECONNABORTED)),
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}
