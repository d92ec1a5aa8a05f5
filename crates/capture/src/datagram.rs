//! What becomes of datagrams with an address: queries to name servers go to our
//! resolver and their answers seem to come from the server; for the others the
//! policy decides whether they may leave. TCP Fast Open is refused here, because
//! it would connect without `connect`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use crate::app_socket::{AppSocket, Kind};
use crate::call::Waiting;
use crate::contract::Notice;
use crate::endpoint::Endpoint;
use crate::kernel::{check, errno};
use crate::names::Connected;
use crate::socket::{self, Address};
use crate::{memory, process};

pub(crate) const DNS: u16 = 53;
pub(crate) const LONGEST: usize = 65_535;
/// Destinations that are reported once, not for each datagram.
const REPORTED: usize = 4096;
/// How often a blocked receiver is checked for having gone away.
const STILL_THERE: Duration = Duration::from_secs(1);

/// `connect` of a UDP socket.
pub(crate) fn connect(call: Waiting, socket: &AppSocket, to: SocketAddr) {
    if to.port() == DNS {
        let done = ask_resolver(&call, socket, to, |working, stand_in| {
            socket::connect(working, stand_in).map(|()| 0)
        });
        return call.finish(done.map_err(|error| errno(&error)));
    }
    crate::lock(&call.shared.names).disconnect(socket.inode);
    // Port 0 is how resolvers ask for a source address; nothing can be sent there.
    if to.port() == 0 { call.resume() } else { decide(call, to) }
}

/// Does `act` on the app's socket with the stand-in of name server `to`.
fn ask_resolver(
    call: &Waiting,
    socket: &AppSocket,
    to: SocketAddr,
    act: impl FnOnce(BorrowedFd<'_>, &Address) -> io::Result<i64>,
) -> io::Result<i64> {
    let shared = &call.shared;
    let Kind::Udp { v6 } = socket.kind else {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    };
    let server = SocketAddr::new(to.ip().to_canonical(), to.port());
    let stand_in = Address::Inet(socket::for_family(shared.resolvers.stand_in(server)?, v6));
    let known = crate::lock(&shared.names).resolver(socket.inode).flatten();
    if let Some(held) = known {
        return act(held.as_fd(), &stand_in);
    }
    let working = socket.working()?;
    if v6 {
        // Fails on a bound socket only, which then cannot reach us.
        let _ =
            socket::set_option(working.socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0);
    }
    let result = act(working.socket.as_fd(), &stand_in)?;
    let inode = working.settle(&shared.listener, call.call())?;
    let held = working.is_replacement().then(|| working.socket.clone());
    let mut names = crate::lock(&shared.names);
    names.add_resolver(inode, held);
    names.connect(inode, Connected { asked: to.into(), target: stand_in, repeats: false });
    if names.is_crowded() {
        names.sweep(&process::live_sockets(call.tid()));
    }
    Ok(result)
}

/// Lets the policy decide over a datagram destination.
pub(crate) fn decide(call: Waiting, to: SocketAddr) {
    match permit(&call, to) {
        Ok(()) => call.resume(),
        Err(errno) => call.finish(Err(errno)),
    }
}

/// Asks the policy about a datagram destination and reports the first answer.
pub(crate) fn permit(call: &Waiting, to: SocketAddr) -> Result<(), i32> {
    let endpoint = Endpoint::tcp(to);
    let first = {
        let mut reported = crate::lock(&call.shared.passed_datagrams);
        reported.len() < REPORTED && reported.insert(endpoint.clone())
    };
    let plain = SocketAddr::new(to.ip().to_canonical(), to.port());
    let verdict = call.shared.policy.datagram(plain);
    if first {
        call.shared.notify(match verdict {
            Ok(()) => Notice::Passed { to: endpoint, why: "a UDP datagram" },
            Err(errno) => {
                let why = "a UDP datagram that may not leave";
                Notice::Refused { to: endpoint, errno, why }
            }
        });
    }
    verdict
}

/// `sendto` with an address.
pub(crate) fn send(call: Waiting) {
    let fast_open = call.arg(3) as i32 & libc::MSG_FASTOPEN != 0;
    let Ok((call, address)) = call.address(4, 5) else { return };
    let Address::Inet(to) = address else { return call.resume() };
    let Ok((call, socket)) = call.socket() else { return };
    match socket.kind {
        Kind::Tcp { .. } if fast_open => call.finish(Err(libc::EOPNOTSUPP)),
        Kind::Udp { .. } if to.port() == DNS => query(call, &socket, to),
        Kind::Udp { .. } => decide(call, to),
        _ => call.resume(),
    }
}

fn query(call: Waiting, socket: &AppSocket, to: SocketAddr) {
    let length = call.arg(2) as usize;
    if length > LONGEST {
        return call.finish(Err(libc::EMSGSIZE));
    }
    let payload = match memory::read(call.tid(), call.arg(1), length) {
        Ok(payload) => payload,
        Err(error) => return call.out_of_reach(&error),
    };
    let done = ask(&call, socket, to, &payload, call.arg(3) as i32);
    call.finish(done.map_err(|error| errno(&error)));
}

/// Sends a query to the stand-in of name server `to`.
pub(crate) fn ask(
    call: &Waiting,
    socket: &AppSocket,
    to: SocketAddr,
    query: &[u8],
    flags: i32,
) -> io::Result<i64> {
    let flags = flags | libc::MSG_NOSIGNAL;
    ask_resolver(call, socket, to, |working, stand_in| send_to(working, query, flags, stand_in))
}

fn send_to(socket: BorrowedFd<'_>, payload: &[u8], flags: i32, to: &Address) -> io::Result<i64> {
    let to = to.to_bytes();
    // SAFETY: both buffers are as long as we say.
    let count = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            payload.as_ptr().cast(),
            payload.len(),
            flags,
            to.as_ptr().cast(),
            to.len() as libc::socklen_t,
        )
    };
    check(count as libc::c_long)
}

/// `recvfrom` with room for the source address.
pub(crate) fn receive(call: Waiting) {
    if !crate::lock(&call.shared.names).has_resolvers() {
        return call.resume();
    }
    let inode = process::socket_inode(call.tid(), call.fd());
    let known = inode.and_then(|inode| crate::lock(&call.shared.names).resolver(inode));
    let Some(held) = known else { return call.resume() };
    let (call, socket) = match held {
        Some(held) => (call, held),
        None => match call.socket() {
            Ok((call, socket)) => match socket.working() {
                Ok(working) => (call, working.socket),
                Err(error) => return call.out_of_reach(&error),
            },
            Err(()) => return,
        },
    };
    match receive_now(&call, socket.as_fd()) {
        Err(libc::EAGAIN) if !is_impatient(&call, &socket) => wait(call, socket),
        result => call.finish(result),
    }
}

/// Receives one datagram if there is one and gives it to the app as coming from
/// the server it asked.
fn receive_now(call: &Waiting, socket: BorrowedFd<'_>) -> Result<i64, i32> {
    let mut buffer = vec![0u8; (call.arg(2) as usize).min(LONGEST)];
    let flags = call.arg(3) as i32 | libc::MSG_DONTWAIT;
    let mut name = [0u8; socket::LONGEST];
    let mut name_length = name.len() as libc::socklen_t;
    // SAFETY: both buffers are as long as we say.
    let count = unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            flags,
            name.as_mut_ptr().cast(),
            &raw mut name_length,
        )
    };
    let count = check(count as libc::c_long).map_err(|error| errno(&error))?;
    let fault = |error: io::Error| errno(&error);
    // With MSG_TRUNC the count is that of the whole datagram.
    let filled = (count as usize).min(buffer.len());
    memory::write(call.tid(), call.arg(1), &buffer[..filled]).map_err(fault)?;
    let name = &name[..(name_length as usize).min(name.len())];
    let source = match Address::parse(name) {
        Address::Inet(from) => {
            let server = call.shared.resolvers.server_at(from).unwrap_or(from);
            Address::Inet(socket::for_family(server, from.is_ipv6())).to_bytes()
        }
        _ => name.to_vec(),
    };
    if call.arg(5) != 0 {
        memory::write_name(call.tid(), call.arg(4), call.arg(5), &source).map_err(fault)?;
    }
    Ok(count)
}

fn is_impatient(call: &Waiting, socket: &OwnedFd) -> bool {
    // SAFETY: the call takes integers only.
    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) };
    call.arg(3) as i32 & libc::MSG_DONTWAIT != 0 || flags & libc::O_NONBLOCK != 0
}

/// Waits in the app's place until a datagram comes, its own limit is over or it
/// has gone away.
fn wait(call: Waiting, socket: Arc<OwnedFd>) {
    let limit = receive_limit(socket.as_fd());
    let runtime = call.shared.options.runtime.clone();
    runtime.spawn(async move {
        let started = std::time::Instant::now();
        // SAFETY: the descriptor is owned by the value that watches it, and is
        // the same for as long as that lives.
        let watch = |copy| unsafe { AsyncFd::<OwnedFd>::register(copy) }.map_err(io::Error::from);
        let watched = match socket.try_clone().and_then(watch) {
            Ok(watched) => watched,
            Err(error) => return call.finish(Err(errno(&error))),
        };
        loop {
            let pause = limit.map_or(STILL_THERE, |limit| {
                limit.saturating_sub(started.elapsed()).min(STILL_THERE)
            });
            if let Ok(Ok(mut ready)) = tokio::time::timeout(pause, watched.readable()).await {
                match receive_now(&call, socket.as_fd()) {
                    Err(libc::EAGAIN) => ready.clear_ready(),
                    result => return call.finish(result),
                }
            }
            let is_over = limit.is_some_and(|limit| started.elapsed() >= limit);
            if is_over || !call.shared.listener.is_waiting(call.call().id) {
                return call.finish(Err(libc::EAGAIN));
            }
        }
    });
}

/// `SO_RCVTIMEO`; zero means none.
fn receive_limit(socket: BorrowedFd<'_>) -> Option<Duration> {
    let mut limit = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut length = size_of::<libc::timeval>() as libc::socklen_t;
    // SAFETY: the value is as long as `length` says.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVTIMEO,
            (&raw mut limit).cast(),
            &raw mut length,
        )
    };
    let limit = Duration::new(limit.tv_sec as u64, limit.tv_usec as u32 * 1000);
    (result == 0 && !limit.is_zero()).then_some(limit)
}
