//! What becomes of `connect` on stream sockets: to the app itself, to us, or as
//! the policy says; and the lie of `getpeername` that belongs to it. Datagram
//! sockets are `datagram`'s.

use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use crate::app_socket::{AppSocket, Kind, Working};
use crate::call::Waiting;
use crate::contract::{Notice, Ticket, Verdict};
use crate::endpoint::Endpoint;
use crate::fronts::Key;
use crate::kernel::errno;
use crate::names::Connected;
use crate::socket::{self, Address};
use crate::supervisor::Shared;
use crate::turn::Turn;
use crate::{datagram, memory, process};

/// Name services on Unix sockets. They would answer for names unseen; without
/// them the C library asks DNS.
const NAME_SERVICES: [&[u8]; 4] = [
    b"/var/run/nscd/socket",
    b"/run/nscd/socket",
    b"/run/systemd/resolve/io.systemd.Resolve",
    b"/var/run/avahi-daemon/socket",
];

pub(crate) fn connect(call: Waiting) {
    let Ok((call, address)) = call.address(1, 2) else { return };
    if address == Address::Other {
        return call.resume();
    }
    let Ok((call, socket)) = call.socket() else { return };
    if address == Address::Unspecified {
        crate::lock(&call.shared.names).disconnect(socket.inode);
        return call.resume();
    }
    match (socket.kind, address) {
        (Kind::Tcp { .. }, Address::Inet(to)) => stream(call, socket, Endpoint::tcp(to), to.into()),
        (Kind::Udp { .. }, Address::Inet(to)) => datagram::connect(call, &socket, to),
        (Kind::UnixStream, Address::Unix(name)) => unix(call, socket, name),
        (_, Address::Unix(name)) => {
            let path = endpoint(call.tid(), &name);
            call.shared.notify(Notice::Passed { to: path, why: "a Unix datagram socket" });
            call.resume();
        }
        _ => call.resume(),
    }
}

impl From<std::net::SocketAddr> for Address {
    fn from(address: std::net::SocketAddr) -> Self {
        Self::Inet(address)
    }
}

fn endpoint(tid: i32, name: &[u8]) -> Endpoint {
    match name.first() {
        Some(0) => Endpoint::Unix(name.to_vec()),
        _ => Endpoint::Unix(process::absolute(tid, name)),
    }
}

fn unix(call: Waiting, socket: AppSocket, name: Vec<u8>) {
    let to = endpoint(call.tid(), &name);
    let Endpoint::Unix(path) = &to else { return call.resume() };
    if NAME_SERVICES.contains(&path.as_slice()) {
        call.shared.notify(Notice::NameService { to, why: "names are asked by DNS instead" });
        return call.finish(Err(libc::ECONNREFUSED));
    }
    stream(call, socket, to, Address::Unix(name));
}

fn stream(call: Waiting, socket: AppSocket, to: Endpoint, asked: Address) {
    let shared = call.shared.clone();
    let Some((call, mut turn)) = Turn::take(call, socket.inode) else { return };
    let lost = crate::lock(&shared.names).find_lost(socket.inode, &asked);
    if let Some(lost) = lost {
        return call.finish_once(socket.inode, asked, lost.result);
    }
    let connected = crate::lock(&shared.names).connected(socket.inode).cloned();
    if let Some(connected) = connected {
        // Whether a replaced socket is connected still cannot be seen.
        let is_there = |socket| socket::peer_name(socket).is_ok();
        if !socket.duplicate().is_none_or(is_there) {
            crate::lock(&shared.names).disconnect(socket.inode);
        } else if crate::lock(&shared.names).take_repeat(socket.inode, &asked) {
            return call.finish_once(socket.inode, asked, Ok(0));
        } else {
            return again(call, &socket, &connected);
        }
    }
    if let Some(target) = own(&shared, &to, socket.kind) {
        return inner((call, turn), socket, (to, asked), target);
    }
    let runtime = shared.options.runtime.clone();
    let thread = call.tid();
    let work = async move {
        match shared.policy.connect_by(thread, &to).await {
            Verdict::Redirect(ticket) => redirect((call, &mut turn), &socket, (to, asked), ticket),
            Verdict::Pass => {
                shared.notify(Notice::Passed { to, why: "declared real" });
                call.resume();
            }
            Verdict::Refuse(errno, why) => {
                shared.notify(Notice::Refused { to, errno, why });
                call.finish(Err(errno));
            }
        }
        drop(turn);
    };
    begin(&runtime, work);
}

/// The hidden place behind `to`, if the app itself listens there.
fn own(shared: &Shared, to: &Endpoint, kind: Kind) -> Option<Address> {
    let names = crate::lock(&shared.names);
    match (to, kind) {
        (Endpoint::Tcp(address), Kind::Tcp { v6 }) => {
            names.inner(*address).map(|hidden| socket::for_family(hidden, v6).into())
        }
        (Endpoint::Unix(path), Kind::UnixStream) => names.inner_unix(path),
        _ => None,
    }
}

/// Does at once what needs no waiting, which saves the way to another thread, and
/// leaves the rest to the runtime.
fn begin(runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    let inside = runtime.enter();
    let mut context = Context::from_waker(Waker::noop());
    // A policy that panics must not take the supervisor with it; its call is
    // answered as the work is dropped.
    let first = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context)));
    drop(inside);
    if let Ok(Poll::Pending) = first {
        // Polled again there, by whose waker it goes on.
        runtime.spawn(work);
    }
}

/// Asks again about a connection that has been made already, as programs do to
/// learn how a non-blocking `connect` went.
fn again(call: Waiting, socket: &AppSocket, connected: &Connected) {
    match socket.duplicate() {
        Some(duplicate) => {
            let result = socket::connect(duplicate, &connected.target);
            call.finish(result.map(|()| 0).map_err(|error| errno(&error)));
        }
        None => call.resume(),
    }
}

/// Connects the app to itself. It may have to wait for the app to accept, so it
/// gets a thread that may block.
fn inner(
    (call, mut turn): (Waiting, Turn),
    socket: AppSocket,
    (to, asked): (Endpoint, Address),
    target: Address,
) {
    let shared = call.shared.clone();
    shared.notify(Notice::Inner { to });
    let runtime = shared.options.runtime.clone();
    runtime.spawn_blocking(move || {
        let done =
            try_targets(&socket, &[target], |_, _| Ok(())).and_then(|(working, result, target)| {
                turn.include(working.inode);
                let inode = working.settle(&call.shared.listener, call.call())?;
                Ok((inode, result, target))
            });
        match done {
            Ok((inode, result, target)) => {
                crate::lock(&shared.names).connect(
                    inode,
                    Connected { asked: asked.clone(), target, repeats: result.is_ok() },
                );
                call.finish_once(inode, asked, result);
            }
            Err(error) => call.finish(Err(errno(&error))),
        }
        drop(turn);
    });
}

fn redirect(
    (call, turn): (Waiting, &mut Turn),
    socket: &AppSocket,
    (to, asked): (Endpoint, Address),
    ticket: Ticket,
) {
    if !call.shared.listener.is_waiting(call.call().id) {
        // A signal has interrupted the call; it will come again or has failed.
        return call.finish(Err(libc::EINTR));
    }
    match redirected((&call, turn), socket, (to.clone(), &asked), ticket) {
        Ok((inode, result)) => call.finish_once(inode, asked, result),
        Err(error) => {
            if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) {
                call.trouble(&format!("could not be connected to {to}: {error}"));
            }
            call.finish(Err(errno(&error)));
        }
    }
}

type Redirected = (u64, Result<i64, i32>);

fn redirected(
    (call, turn): (&Waiting, &mut Turn),
    socket: &AppSocket,
    (to, asked): (Endpoint, &Address),
    ticket: Ticket,
) -> io::Result<Redirected> {
    let shared = &call.shared;
    let targets = match socket.kind {
        Kind::Tcp { v6 } => shared.arrivals.tcp(v6),
        _ => shared.arrivals.unix(),
    };
    let (working, result, target) = try_targets(socket, &targets, name_unix)?;
    let name = socket::local_name(working.socket.as_fd())?;
    turn.include(working.inode);
    let unnamed = || io::Error::from_raw_os_error(libc::EADDRNOTAVAIL);
    let key = Key::of(&name).ok_or_else(unnamed)?;
    let inode = working
        .settle(&shared.listener, call.call())
        .inspect_err(|_| shared.meeting.turn_away(&key))?;
    shared.meeting.announce(key, to, ticket);
    let mut names = crate::lock(&shared.names);
    names.unbind_client(socket.inode);
    names.connect(inode, Connected { asked: asked.clone(), target, repeats: result.is_ok() });
    if names.is_crowded() {
        names.sweep(&process::live_sockets(call.tid()));
    }
    Ok((inode, result))
}

type Attempt = (Working, Result<i64, i32>, Address);

/// Connects to the first of `targets` that the socket can reach at all, `prepared` for it.
fn try_targets(
    socket: &AppSocket,
    targets: &[Address],
    prepared: impl Fn(&Working, &Address) -> io::Result<()>,
) -> io::Result<Attempt> {
    const OTHER_FAMILY: [i32; 5] = [
        libc::EINVAL,
        libc::EADDRNOTAVAIL,
        libc::ENETUNREACH,
        libc::EAFNOSUPPORT,
        libc::EHOSTUNREACH,
    ];
    let mut last = libc::EADDRNOTAVAIL;
    for target in targets {
        let working = socket.working()?;
        prepared(&working, target)?;
        allow_mapped(&working, target);
        match socket::connect(working.socket.as_fd(), target).map_err(|error| errno(&error)) {
            Ok(()) => return Ok((working, Ok(0), target.clone())),
            Err(libc::EINPROGRESS) => {
                return Ok((working, Err(libc::EINPROGRESS), target.clone()));
            }
            Err(errno) if OTHER_FAMILY.contains(&errno) => last = errno,
            Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    Err(io::Error::from_raw_os_error(last))
}

/// Gives a Unix socket without a name an abstract one, to be recognised by.
fn name_unix(working: &Working, target: &Address) -> io::Result<()> {
    if !matches!(target, Address::Unix(_)) {
        return Ok(());
    }
    match socket::bind(working.socket.as_fd(), &Address::Unix(Vec::new())) {
        // It has a name already, which does as well.
        Err(error) if error.raw_os_error() != Some(libc::EINVAL) => Err(error),
        _ => Ok(()),
    }
}

/// An IPv6-only socket cannot reach a mapped address; the option can be taken
/// back as long as the socket is not bound. If it cannot, `connect` will tell.
fn allow_mapped(working: &Working, target: &Address) {
    if let Address::Inet(std::net::SocketAddr::V6(to)) = target
        && to.ip().to_ipv4_mapped().is_some()
    {
        let socket = working.socket.as_fd();
        let _ = socket::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0);
    }
}

/// `getpeername`: a redirected socket names the peer that the app asked for.
pub(crate) fn peer_name(call: Waiting) {
    let tid = call.tid();
    let inode = process::socket_inode(tid, call.fd());
    let connected = inode.and_then(|inode| {
        let names = crate::lock(&call.shared.names);
        names.connected(inode).map(|connected| connected.asked.clone())
    });
    let Some(asked) = connected else { return call.resume() };
    let Ok((call, socket)) = call.socket() else { return };
    if socket.duplicate().is_some_and(|duplicate| socket::peer_name(duplicate).is_err()) {
        return call.resume();
    }
    let name = match (asked, socket.kind) {
        (Address::Inet(to), Kind::Tcp { v6 } | Kind::Udp { v6 }) => {
            Address::Inet(socket::for_family(to, v6))
        }
        (asked, _) => asked,
    };
    let written = memory::write_name(tid, call.arg(1), call.arg(2), &name.to_bytes());
    call.finish(written.map(|()| 0).map_err(|error| errno(&error)));
}
