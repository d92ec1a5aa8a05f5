//! Takes hold of a socket of the app, in one of two ways: by a duplicate, or by
//! a new socket that replaces it. Decides nothing about where it leads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::kernel::{self, Call, Listener};
use crate::process;
use crate::socket;

/// What the socket is, as far as capture cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tcp { v6: bool },
    Udp { v6: bool },
    UnixStream,
    Other,
}

/// A socket of the app during one call.
pub(crate) struct AppSocket {
    tid: i32,
    fd: RawFd,
    pub(crate) kind: Kind,
    pub(crate) inode: u64,
    duplicate: Option<Arc<OwnedFd>>,
}

/// A socket to act on in the app's place.
pub(crate) struct Working {
    pub(crate) socket: Arc<OwnedFd>,
    /// The identity of `socket`, and of the app's from [`Self::settle`] on.
    pub(crate) inode: u64,
    /// The descriptor of the app to be replaced, unless `socket` is the app's.
    replaces: Option<(i32, RawFd)>,
}

impl AppSocket {
    /// Looks at the first argument of `call`. `EBADF` and `ENOTSOCK` are the
    /// kernel's to report; `EPERM` means that the process is out of reach.
    pub(crate) fn take(call: &Call, duplicating: bool) -> io::Result<Self> {
        let (tid, fd) = (call.tid(), call.fd());
        if !duplicating {
            let inode = process::socket_inode(tid, fd);
            let inode = inode.ok_or_else(|| io::Error::from_raw_os_error(unreachable(tid, fd)))?;
            let kind = named_kind(tid, fd, inode);
            return Ok(Self { tid, fd, kind, inode, duplicate: None });
        }
        let duplicate = kernel::duplicate(tid, fd)?;
        let kind = kind(duplicate.as_fd())?;
        let inode = socket::inode(&duplicate)?;
        Ok(Self { tid, fd, kind, inode, duplicate: Some(Arc::new(duplicate)) })
    }

    /// The app's own socket, where it can be had.
    pub(crate) fn duplicate(&self) -> Option<BorrowedFd<'_>> {
        self.duplicate.as_ref().map(|duplicate| duplicate.as_fd())
    }

    /// The socket to act on.
    pub(crate) fn working(&self) -> io::Result<Working> {
        if let Some(duplicate) = &self.duplicate {
            return Ok(Working { socket: duplicate.clone(), inode: self.inode, replaces: None });
        }
        let (family, kind) = match self.kind {
            Kind::Tcp { v6 } => (family(v6), libc::SOCK_STREAM),
            Kind::Udp { v6 } => (family(v6), libc::SOCK_DGRAM),
            Kind::UnixStream => (libc::AF_UNIX, libc::SOCK_STREAM),
            Kind::Other => return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
        };
        let socket = Arc::new(socket::create(family, kind)?);
        let inode = socket::inode(&*socket)?;
        Ok(Working { socket, inode, replaces: Some((self.tid, self.fd)) })
    }
}

impl Working {
    pub(crate) fn is_replacement(&self) -> bool {
        self.replaces.is_some()
    }

    /// Makes the app's descriptor be this socket. Gives the identity that the
    /// app's socket has from here on.
    pub(crate) fn settle(&self, listener: &Listener, call: &Call) -> io::Result<u64> {
        if let Some((tid, fd)) = self.replaces {
            let gone = || io::Error::from_raw_os_error(libc::ENOENT);
            let (nonblocking, close_on_exec) =
                process::descriptor_flags(tid, fd).ok_or_else(gone)?;
            if !listener.is_waiting(call.id) {
                return Err(gone());
            }
            if nonblocking {
                socket::set_nonblocking(self.socket.as_fd())?;
            }
            listener.replace_fd(call.id, self.socket.as_fd(), fd, close_on_exec)?;
        }
        Ok(self.inode)
    }
}

fn family(v6: bool) -> i32 {
    if v6 { libc::AF_INET6 } else { libc::AF_INET }
}

fn kind(socket: BorrowedFd<'_>) -> io::Result<Kind> {
    let option = |name| socket::option(socket, libc::SOL_SOCKET, name);
    let v6 = match option(libc::SO_DOMAIN)? {
        libc::AF_INET => false,
        libc::AF_INET6 => true,
        libc::AF_UNIX if option(libc::SO_TYPE)? == libc::SOCK_STREAM => {
            return Ok(Kind::UnixStream);
        }
        _ => return Ok(Kind::Other),
    };
    Ok(match option(libc::SO_PROTOCOL)? {
        // Go listens by MPTCP, which is TCP to its user.
        libc::IPPROTO_TCP | libc::IPPROTO_MPTCP => Kind::Tcp { v6 },
        libc::IPPROTO_UDP => Kind::Udp { v6 },
        _ => Kind::Other,
    })
}

fn named_kind(tid: i32, fd: RawFd, inode: u64) -> Kind {
    match process::protocol_name(tid, fd).as_deref() {
        Some("TCP" | "MPTCP") => Kind::Tcp { v6: false },
        Some("TCPv6" | "MPTCPv6") => Kind::Tcp { v6: true },
        Some("UDP") => Kind::Udp { v6: false },
        Some("UDPv6") => Kind::Udp { v6: true },
        Some("UNIX-STREAM") => Kind::UnixStream,
        Some("UNIX") if process::is_unix_stream(tid, inode) => Kind::UnixStream,
        _ => Kind::Other,
    }
}

/// Why a descriptor has no socket inode: the process hides it, or there is none.
fn unreachable(tid: i32, fd: RawFd) -> i32 {
    match std::fs::read_link(format!("/proc/{tid}/fd/{fd}")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => libc::EPERM,
        _ => libc::EBADF,
    }
}
