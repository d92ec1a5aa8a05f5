//! A listening socket of ours. Unlike tokio's it leaves what it accepts to the event loop of whoever
//! carries that, which saves four system calls for each connection.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::kernel::check;
use crate::socket::{self, Address, LONGEST};

/// How many connections may wait for us to accept; the kernel caps it.
const BACKLOG: i32 = 4096;

/// See the module.
pub(crate) struct Listener(AsyncFd<OwnedFd>);

impl Listener {
    /// Begins to listen on a bound socket. Must be called within a runtime, which tells when somebody
    /// comes.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        socket::listen(socket.as_fd(), BACKLOG)?;
        socket::set_nonblocking(socket.as_fd())?;
        // SAFETY: the descriptor is owned by the value that watches it, and is
        // the same for as long as that lives.
        let watched = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        watched.map(Self).map_err(io::Error::from)
    }

    pub(crate) fn local_name(&self) -> io::Result<Address> {
        socket::local_name(self.0.get_ref().as_fd())
    }

    /// The next connection, which does not block, and its peer's name, which is valid even after a
    /// reset.
    pub(crate) async fn accept(&self) -> io::Result<(OwnedFd, Address)> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(accepted) = ready.try_io(|socket| accept(socket.get_ref().as_fd())) {
                return accepted;
            }
        }
    }
}

fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    let mut bytes = [0u8; LONGEST];
    let mut length = LONGEST as libc::socklen_t;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the buffer is as long as `length` says; a result is a descriptor of ours.
    let stream = unsafe {
        let name = bytes.as_mut_ptr().cast();
        let fd = libc::accept4(listener.as_raw_fd(), name, &mut length, flags);
        OwnedFd::from_raw_fd(check(fd.into())? as i32)
    };
    Ok((stream, Address::parse(&bytes[..(length as usize).min(LONGEST)])))
}
