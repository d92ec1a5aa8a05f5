//! Socket addresses as the kernel writes them, and the few socket calls that
//! the standard library does not offer on a borrowed descriptor. No policy.

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::kernel::check;

/// `sizeof(struct sockaddr_storage)`: the kernel refuses longer ones.
pub(crate) const LONGEST: usize = 128;
const UNIX_PATH: usize = 2;

/// A `struct sockaddr`, understood as far as capture needs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Address {
    Inet(SocketAddr),
    /// A path, or a name behind a NUL byte; empty means "choose one for me".
    Unix(Vec<u8>),
    /// `AF_UNSPEC`: take the connection back.
    Unspecified,
    Other,
}

impl Address {
    /// Reads the bytes of a `struct sockaddr`; what is too short is `Other`, as
    /// the kernel will refuse it.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self::try_parse(bytes).unwrap_or(Self::Other)
    }

    fn try_parse(bytes: &[u8]) -> Option<Self> {
        let family = i32::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let port = || Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
        Some(match family {
            libc::AF_UNSPEC => Self::Unspecified,
            libc::AF_INET => {
                let ip = <[u8; 4]>::try_from(bytes.get(4..8)?).ok()?;
                bytes.get(..mem::size_of::<libc::sockaddr_in>())?;
                Self::Inet(SocketAddr::from((ip, port()?)))
            }
            libc::AF_INET6 => {
                let ip = <[u8; 16]>::try_from(bytes.get(8..24)?).ok()?;
                Self::Inet(SocketAddr::from((ip, port()?)))
            }
            libc::AF_UNIX => {
                let name = &bytes[UNIX_PATH..];
                let end = match name.first() {
                    Some(0) | None => name.len(),
                    Some(_) => name.iter().position(|byte| *byte == 0).unwrap_or(name.len()),
                };
                Self::Unix(name[..end].to_vec())
            }
            _ => Self::Other,
        })
    }

    /// The bytes of the `struct sockaddr`.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        match self {
            Self::Inet(SocketAddr::V4(address)) => {
                bytes.extend((libc::AF_INET as u16).to_ne_bytes());
                bytes.extend(address.port().to_be_bytes());
                bytes.extend(address.ip().octets());
                bytes.extend([0; 8]);
            }
            Self::Inet(SocketAddr::V6(address)) => {
                bytes.extend((libc::AF_INET6 as u16).to_ne_bytes());
                bytes.extend(address.port().to_be_bytes());
                bytes.extend([0; 4]);
                bytes.extend(address.ip().octets());
                bytes.extend([0; 4]);
            }
            Self::Unix(name) => {
                bytes.extend((libc::AF_UNIX as u16).to_ne_bytes());
                bytes.extend(name);
                if name.first().is_some_and(|byte| *byte != 0) {
                    bytes.push(0);
                }
            }
            Self::Unspecified | Self::Other => bytes.extend((libc::AF_UNSPEC as u16).to_ne_bytes()),
        }
        bytes
    }
}

/// The address in the form that a socket of the family wants: IPv4 is mapped
/// into IPv6 for an `AF_INET6` socket.
pub(crate) fn for_family(address: SocketAddr, v6: bool) -> SocketAddr {
    match (address.ip(), v6) {
        (IpAddr::V4(ip), true) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        (ip, false) => SocketAddr::new(ip.to_canonical(), address.port()),
        _ => address,
    }
}

/// Whether the address is one of this machine: binding to it tells.
pub(crate) fn is_local(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback()
        || ip.is_unspecified()
        || std::net::UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

/// A new close-on-exec socket.
pub(crate) fn create(family: i32, kind: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes integers only; a result is a descriptor of ours.
    unsafe {
        let fd = check(libc::socket(family, kind | libc::SOCK_CLOEXEC, 0).into())?;
        Ok(OwnedFd::from_raw_fd(fd as i32))
    }
}

pub(crate) fn connect(socket: BorrowedFd<'_>, to: &Address) -> io::Result<()> {
    let bytes = to.to_bytes();
    // SAFETY: the pointer and length are those of `bytes`.
    let result = unsafe {
        libc::connect(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len() as libc::socklen_t)
    };
    check(result.into()).map(drop)
}

pub(crate) fn bind(socket: BorrowedFd<'_>, to: &Address) -> io::Result<()> {
    let bytes = to.to_bytes();
    // SAFETY: the pointer and length are those of `bytes`.
    let result = unsafe {
        libc::bind(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len() as libc::socklen_t)
    };
    check(result.into()).map(drop)
}

pub(crate) fn listen(socket: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    // SAFETY: the call takes integers only.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) }.into()).map(drop)
}

pub(crate) fn local_name(socket: BorrowedFd<'_>) -> io::Result<Address> {
    name(socket, libc::getsockname)
}

pub(crate) fn peer_name(socket: BorrowedFd<'_>) -> io::Result<Address> {
    name(socket, libc::getpeername)
}

type NameCall =
    unsafe extern "C" fn(libc::c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> libc::c_int;

fn name(socket: BorrowedFd<'_>, call: NameCall) -> io::Result<Address> {
    let mut bytes = [0u8; LONGEST];
    let mut length = LONGEST as libc::socklen_t;
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe { call(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &mut length) };
    check(result.into())?;
    Ok(Address::parse(&bytes[..(length as usize).min(LONGEST)]))
}

/// An option whose value is an `int`.
pub(crate) fn option(socket: BorrowedFd<'_>, level: i32, option: i32) -> io::Result<i32> {
    let mut value = 0i32;
    let mut length = mem::size_of::<i32>() as libc::socklen_t;
    // SAFETY: the value is as long as `length` says.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut value).cast(), &mut length)
    };
    check(result.into()).map(|_| value)
}

pub(crate) fn set_option(
    socket: BorrowedFd<'_>,
    level: i32,
    option: i32,
    value: i32,
) -> io::Result<()> {
    // SAFETY: the value is as long as we say.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            mem::size_of::<i32>() as libc::socklen_t,
        )
    };
    check(result.into()).map(drop)
}

pub(crate) fn set_nonblocking(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both calls take integers only.
    unsafe {
        let flags = check(libc::fcntl(socket.as_raw_fd(), libc::F_GETFL).into())? as i32;
        check(libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK).into())?;
    }
    Ok(())
}

/// The identity of a socket of ours, comparable with `process::socket_inode`.
pub(crate) fn inode(socket: &impl AsFd) -> io::Result<u64> {
    Ok(status(socket.as_fd())?.st_ino)
}

/// The rights that the file of a Unix socket will have.
pub(crate) fn mode(socket: BorrowedFd<'_>) -> io::Result<u32> {
    Ok(status(socket)?.st_mode)
}

fn status(socket: BorrowedFd<'_>) -> io::Result<libc::stat> {
    let mut status = mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for what the kernel writes, which it does on success.
    unsafe {
        check(libc::fstat(socket.as_raw_fd(), status.as_mut_ptr()).into())?;
        Ok(status.assume_init())
    }
}

/// The loopback address of IPv4 with a port that the kernel chooses.
pub(crate) fn any_loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_a_round_trip() {
        let mut path = b"/run/app.sock".to_vec();
        for address in [
            Address::Inet("10.1.2.3:80".parse().unwrap()),
            Address::Inet("[2001:db8::1]:443".parse().unwrap()),
            Address::Unix(std::mem::take(&mut path)),
            Address::Unix(b"\0name".to_vec()),
            Address::Unix(Vec::new()),
            Address::Unspecified,
        ] {
            assert_eq!(Address::parse(&address.to_bytes()), address);
        }
    }

    #[test]
    fn short_addresses_are_left_to_the_kernel() {
        let whole = Address::Inet("10.1.2.3:80".parse().unwrap()).to_bytes();
        for length in 0..whole.len() {
            assert_eq!(Address::parse(&whole[..length]), Address::Other);
        }
    }

    #[test]
    fn loopback_is_local_and_documentation_addresses_are_not() {
        assert!(is_local("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!is_local("192.0.2.1".parse().unwrap()));
    }
}
