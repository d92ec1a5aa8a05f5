//! What becomes of `bind` and `listen`: a TCP port of the app really is a hidden
//! one on loopback, with our front at the address it asked for while recording;
//! and the lie of `getsockname` that belongs to it. Unix sockets are hidden in
//! `bind/unix.rs`; UDP ports are left alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use crate::app_socket::{AppSocket, Kind, Working};
use crate::call::Waiting;
use crate::contract::{Mode, Notice};
use crate::endpoint::Endpoint;
use crate::fronts::{self, Front, FrontOptions};
use crate::kernel::errno;
use crate::names::Binding;
use crate::socket::{self, Address};
use crate::{memory, process};

pub(crate) mod unix;

pub(crate) fn bind(call: Waiting) {
    let Ok((call, address)) = call.address(1, 2) else { return };
    match address {
        Address::Inet(asked) => {
            let Ok((call, socket)) = call.socket() else { return };
            let Kind::Tcp { .. } = socket.kind else { return call.resume() };
            bind_once(call, &socket, asked.into(), |call, socket| hide(call, socket, asked));
        }
        Address::Unix(name) if !name.is_empty() => {
            let Ok((call, socket)) = call.socket() else { return };
            let Kind::UnixStream = socket.kind else { return call.resume() };
            let asked = Address::Unix(name.clone());
            bind_once(call, &socket, asked, |call, socket| unix::hide(call, socket, name));
        }
        _ => call.resume(),
    }
}

/// Binds by `hide`, which gives the identity of the socket afterwards.
fn bind_once(
    call: Waiting,
    socket: &AppSocket,
    asked: Address,
    hide: impl FnOnce(&Waiting, &AppSocket) -> io::Result<u64>,
) {
    // Bound before a signal interrupted the call, which comes again.
    let lost = crate::lock(&call.shared.names).find_lost(socket.inode, &asked);
    if let Some(lost) = lost {
        return call.finish_once(socket.inode, asked, lost.result);
    }
    match hide(&call, socket) {
        Ok(inode) => call.finish_once(inode, asked, Ok(0)),
        Err(error) => call.finish(Err(errno(&error))),
    }
}

/// Binds the app's socket to a hidden port in the place of `asked`. Gives the
/// identity of the socket afterwards.
fn hide(call: &Waiting, socket: &AppSocket, asked: SocketAddr) -> io::Result<u64> {
    let options = options(socket);
    let working = socket.working()?;
    if working.is_replacement() {
        let reuse = i32::from(options.reuse_address);
        let fresh = working.socket.as_fd();
        socket::set_option(fresh, libc::SOL_SOCKET, libc::SO_REUSEADDR, reuse)?;
    }
    let known = crate::lock(&call.shared.names).binding(&asked.into()).is_some();
    if known {
        return rebind(call, &working, asked, options);
    }
    // The front comes first: when it fails, the app's socket must stay unbound,
    // so that the app can try the next port.
    let reserved = match call.shared.options.mode {
        Mode::Record => Some(open_front(call, asked, options)?),
        Mode::Replay => None,
    };
    let hidden = bind_hidden(working.socket.as_fd(), asked, options)?;
    let inode = working.settle(&call.shared.listener, call.call())?;
    let (front, visible) = match reserved {
        Some((front, visible)) => (Some(front), visible),
        None if asked.port() == 0 => (None, SocketAddr::new(asked.ip(), hidden.port())),
        None => (None, asked),
    };
    let (visible, hidden) = (Address::Inet(visible), Address::Inet(hidden));
    keep(call, &working, visible.clone(), (visible, hidden, front));
    Ok(inode)
}

/// Remembers what an address has become, by where callers find it.
fn keep(
    call: &Waiting,
    working: &Working,
    at: Address,
    (visible, hidden, front): (Address, Address, Option<Front>),
) {
    let mut names = crate::lock(&call.shared.names);
    if names.is_crowded() {
        names.sweep(&process::live_sockets(call.tid()));
    }
    let held = working.is_replacement().then(|| working.socket.clone());
    let inodes = vec![working.inode];
    names.bind(at, Binding { visible, hidden, listening: false, inodes, held, front });
}

/// The address is the app's own already: the kernel decides at the hidden port
/// whether it may be bound again, by the same rules as it would at the visible.
fn rebind(
    call: &Waiting,
    working: &Working,
    asked: SocketAddr,
    options: FrontOptions,
) -> io::Result<u64> {
    let mut names = crate::lock(&call.shared.names);
    let in_use = || io::Error::from_raw_os_error(libc::EADDRINUSE);
    let binding = names.binding(&asked.into()).ok_or_else(in_use)?;
    let again = socket::bind(working.socket.as_fd(), &binding.hidden);
    match again {
        Err(error) if errno(&error) == libc::EADDRINUSE => {
            let live = process::live_sockets(call.tid());
            if !binding.listening || binding.inodes.iter().any(|inode| live.contains(inode)) {
                return Err(error);
            }
            // Somebody else has taken the hidden port since the app closed it.
            let hidden = bind_hidden(working.socket.as_fd(), asked, options)?;
            binding.hidden = hidden.into();
            binding.inodes.clear();
            if let Some(front) = &binding.front {
                front.lead_to(Endpoint::tcp(hidden));
            }
        }
        other => other?,
    }
    let inode = working.settle(&call.shared.listener, call.call())?;
    binding.inodes.push(inode);
    binding.listening = false;
    binding.held = working.is_replacement().then(|| working.socket.clone());
    Ok(inode)
}

fn options(socket: &AppSocket) -> FrontOptions {
    let Some(duplicate) = socket.duplicate() else {
        // Not to be seen; servers set the first one, and the rest are defaults.
        return FrontOptions { reuse_address: true, reuse_port: false, v6_only: false };
    };
    let is_set = |level, option| socket::option(duplicate, level, option).is_ok_and(|v| v != 0);
    FrontOptions {
        reuse_address: is_set(libc::SOL_SOCKET, libc::SO_REUSEADDR),
        reuse_port: is_set(libc::SOL_SOCKET, libc::SO_REUSEPORT),
        v6_only: is_set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
    }
}

fn open_front(
    call: &Waiting,
    asked: SocketAddr,
    options: FrontOptions,
) -> io::Result<(Front, SocketAddr)> {
    let reserved = fronts::reserve(asked, &options);
    match &reserved {
        // A program that binds both wildcards has set IPV6_V6ONLY on this one,
        // which does not show when sockets are replaced.
        Err(error)
            if errno(error) == libc::EADDRINUSE
                && !call.shared.duplicating
                && asked.is_ipv6()
                && asked.ip().is_unspecified() =>
        {
            fronts::reserve(asked, &FrontOptions { v6_only: true, ..options })
        }
        _ => reserved,
    }
}

/// Binds to a loopback address from which every address the app asked for can
/// be stood for.
fn bind_hidden(
    socket: BorrowedFd<'_>,
    asked: SocketAddr,
    options: FrontOptions,
) -> io::Result<SocketAddr> {
    let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    let ip = match asked.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => mapped,
        IpAddr::V6(ip) if ip.is_unspecified() && !options.v6_only => mapped,
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    if ip == mapped {
        socket::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
    }
    let bound = socket::bind(socket, &Address::Inet(SocketAddr::new(ip, 0)));
    let ip = match bound {
        // IPv6 is switched off here; IPv4 does as well behind the scenes.
        Err(error) if errno(&error) == libc::EADDRNOTAVAIL && ip.is_ipv6() => {
            socket::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
            socket::bind(socket, &Address::Inet(SocketAddr::new(mapped, 0)))?;
            mapped
        }
        other => other.map(|()| ip)?,
    };
    Ok(SocketAddr::new(ip, fronts::port_of(socket)?))
}

pub(crate) fn listen(call: Waiting) {
    let Ok((call, socket)) = call.socket() else { return };
    match socket.kind {
        Kind::Tcp { .. } | Kind::UnixStream if is_again(&call, &socket) => call.resume(),
        Kind::Tcp { v6 } => {
            let done = listen_tcp(&call, &socket, v6);
            call.finish(done.map(|()| 0).map_err(|error| errno(&error)));
        }
        Kind::UnixStream => {
            let known = crate::lock(&call.shared.names).binding_of(socket.inode).is_some();
            // One without a name cannot listen, and one with a name of the kernel's nobody calls.
            if !known {
                return call.resume();
            }
            let done = listen_bound(&call, &socket, socket.inode);
            call.finish(done.map(|()| 0).map_err(|error| errno(&error)));
        }
        _ => call.resume(),
    }
}

/// Whether a replaced socket listens already and is only to change its backlog,
/// for which the kernel needs no help.
fn is_again(call: &Waiting, socket: &AppSocket) -> bool {
    let mut names = crate::lock(&call.shared.names);
    socket.duplicate().is_none()
        && names.binding_of(socket.inode).is_some_and(|(_, binding)| binding.held.is_none())
}

fn listen_tcp(call: &Waiting, socket: &AppSocket, v6: bool) -> io::Result<()> {
    let mut inode = socket.inode;
    if crate::lock(&call.shared.names).binding_of(inode).is_none() {
        // The kernel would choose a port on every address now.
        let any: IpAddr =
            if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        inode = hide(call, socket, SocketAddr::new(any, 0))?;
    }
    listen_bound(call, socket, inode)
}

fn listen_bound(call: &Waiting, socket: &AppSocket, inode: u64) -> io::Result<()> {
    let shared = &call.shared;
    let mut names = crate::lock(&shared.names);
    let gone = || io::Error::from_raw_os_error(libc::EBADF);
    let (at, binding) = names.binding_of(inode).ok_or_else(gone)?;
    let held = binding.held.clone();
    let target = socket.duplicate().or(held.as_ref().map(|held| held.as_fd()));
    socket::listen(target.ok_or_else(gone)?, call.arg(1) as i32)?;
    let visible = Endpoint::of(at).ok_or_else(gone)?;
    let hidden = Endpoint::of(&binding.hidden).ok_or_else(gone)?;
    if let Some(front) = &mut binding.front {
        let ends = (visible.clone(), hidden.clone());
        front.listen(&shared.options.runtime, ends, shared.notices.clone())?;
    }
    binding.held = None;
    if !std::mem::replace(&mut binding.listening, true) {
        let pid = process::thread_group(call.tid()) as u32;
        shared.notify(Notice::Listening { visible, hidden, pid });
    }
    Ok(())
}

/// `getsockname`: a hidden socket, and those it accepted, name the address that
/// the app asked for.
pub(crate) fn local_name(call: Waiting) {
    if !crate::lock(&call.shared.names).has_bindings() {
        return call.resume();
    }
    let tid = call.tid();
    let Ok((call, socket)) = call.socket() else { return };
    let real = match (socket.duplicate(), socket.kind) {
        (Some(duplicate), Kind::Tcp { .. } | Kind::UnixStream) => {
            socket::local_name(duplicate).ok()
        }
        (None, Kind::Tcp { v6 }) => {
            process::local_address(tid, socket.inode, v6).map(Address::Inet)
        }
        (None, Kind::UnixStream) => process::local_path(tid, socket.inode).map(Address::Unix),
        _ => return call.resume(),
    };
    let Some(mut seen) = visible_name(&call, &socket, real) else { return call.resume() };
    if let (Address::Inet(address), Kind::Tcp { v6 }) = (&mut seen, socket.kind) {
        *address = socket::for_family(*address, v6);
    }
    let written = memory::write_name(tid, call.arg(1), call.arg(2), &seen.to_bytes());
    call.finish(written.map(|()| 0).map_err(|error| errno(&error)));
}

fn visible_name(call: &Waiting, socket: &AppSocket, real: Option<Address>) -> Option<Address> {
    let mut names = crate::lock(&call.shared.names);
    if let Some((_, binding)) = names.binding_of(socket.inode) {
        return Some(binding.visible.clone());
    }
    let real = real?;
    let visible = &names.binding_behind(&real)?.visible;
    let (Address::Inet(real), Address::Inet(visible)) = (&real, visible) else {
        return Some(visible.clone());
    };
    if !real.ip().to_canonical().is_loopback() {
        return None;
    }
    // An accepted socket has one address, never the wildcard.
    let ip = if visible.ip().is_unspecified() { real.ip() } else { visible.ip() };
    Some(Address::Inet(SocketAddr::new(ip, visible.port())))
}
