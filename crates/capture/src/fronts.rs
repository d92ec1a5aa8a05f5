//! Our listeners: the loopback ones that redirected connections arrive at, and
//! the fronts at the addresses that the app asked for. Brings each arriving
//! stream together with the call that caused it. Moves no data.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::bind::unix::{self, SocketFile};
use crate::contract::{Captured, Notice, Ticket};
use crate::endpoint::Endpoint;
use crate::listener::Listener;
use crate::socket::{self, Address};

/// A stream that nobody of the app's tree announces is a stranger's.
const STRANGER_AFTER: Duration = Duration::from_secs(5);
/// Above this many unannounced streams the strangers are turned out.
const UNANNOUNCED: usize = 64;

/// Ends its task when dropped.
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A listener at an address that the app asked for.
pub(crate) enum Front {
    /// Bound, so that the address is ours, but refusing as the app does still.
    Bound(Seat),
    Listening {
        /// Where callers are to be led, for it changes when the app restarts.
        hidden: Arc<Mutex<Endpoint>>,
        _task: Task,
        _seat: Seat,
    },
    /// Only to be looked at.
    Pretended { _seat: Seat },
    /// On its way from one of these to another.
    Nowhere,
}

/// A bound socket of ours, and the file that it has if it has one, which goes before it.
pub(crate) struct Seat {
    _file: Option<SocketFile>,
    socket: OwnedFd,
}

impl Front {
    /// Starts accepting for the app that listens at `hidden`.
    pub(crate) fn listen(
        &mut self,
        runtime: &Handle,
        (visible, hidden): (Endpoint, Endpoint),
        notices: UnboundedSender<Notice>,
    ) -> io::Result<()> {
        let Self::Bound(seat) = self else { return Ok(()) };
        let _inside = runtime.enter();
        let listener = Listener::new(seat.socket.try_clone()?)?;
        let hidden = Arc::new(Mutex::new(hidden));
        let target = hidden.clone();
        let captured = match visible {
            Endpoint::Tcp(_) => |stream: OwnedFd| Captured::Tcp(stream.into()),
            Endpoint::Unix(_) => |stream: OwnedFd| Captured::Unix(stream.into()),
        };
        let task = runtime.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (visible, hidden) = (visible.clone(), crate::lock(&target).clone());
                        let stream = captured(stream);
                        let _ = notices.send(Notice::Inbound { visible, hidden, stream });
                    }
                    Err(error) => pause_after(&error, &notices).await,
                }
            }
        });
        if let Self::Bound(seat) = std::mem::replace(self, Self::Nowhere) {
            *self = Self::Listening { hidden, _task: Task(task), _seat: seat };
        }
        Ok(())
    }

    /// Leads callers to another place from here on.
    pub(crate) fn lead_to(&self, place: Endpoint) {
        if let Self::Listening { hidden, .. } = self {
            *crate::lock(hidden) = place;
        }
    }
}

/// The peer name by which a redirected connection is recognised.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    Tcp(SocketAddr),
    Unix(Vec<u8>),
}

impl Key {
    /// The key of a socket whose local name is `name`.
    pub(crate) fn of(name: &Address) -> Option<Self> {
        match name {
            Address::Inet(address) => {
                Some(Self::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port())))
            }
            Address::Unix(name) if !name.is_empty() => Some(Self::Unix(name.clone())),
            _ => None,
        }
    }
}

enum Half {
    /// The app was connected; its stream has not been accepted yet.
    Announced(Endpoint, Ticket),
    /// A stream was accepted before its call was finished.
    Arrived(Captured, Instant),
}

/// Where the two halves of a redirected connection meet, in either order.
pub(crate) struct Meeting {
    halves: Mutex<HashMap<Key, Half>>,
    notices: UnboundedSender<Notice>,
}

impl Meeting {
    pub(crate) fn new(notices: UnboundedSender<Notice>) -> Self {
        Self { halves: Mutex::default(), notices }
    }

    /// The app's socket named `key` leads to us and believes to lead to `to`.
    pub(crate) fn announce(&self, key: Key, to: Endpoint, ticket: Ticket) {
        let mut halves = crate::lock(&self.halves);
        match halves.remove(&key) {
            Some(Half::Arrived(stream, _)) => self.send(to, ticket, stream),
            _ => drop(halves.insert(key, Half::Announced(to, ticket))),
        }
    }

    /// Nobody will announce this connection.
    pub(crate) fn turn_away(&self, key: &Key) {
        crate::lock(&self.halves).remove(key);
    }

    fn arrive(&self, key: Key, stream: Captured) {
        let mut halves = crate::lock(&self.halves);
        if let Some(Half::Announced(to, ticket)) = halves.remove(&key) {
            return self.send(to, ticket, stream);
        }
        halves.insert(key, Half::Arrived(stream, Instant::now()));
        if halves.len() > UNANNOUNCED {
            halves.retain(|_, half| match half {
                Half::Arrived(_, since) => since.elapsed() < STRANGER_AFTER,
                Half::Announced(..) => true,
            });
        }
    }

    fn send(&self, to: Endpoint, ticket: Ticket, stream: Captured) {
        let _ = self.notices.send(Notice::Outbound { to, name: None, ticket, stream });
    }
}

/// The listeners that redirected connections are sent to.
pub(crate) struct Arrivals {
    v4: SocketAddr,
    /// Absent where IPv6 is switched off.
    v6: Option<SocketAddr>,
    unix: Address,
    _tasks: Vec<Task>,
}

impl Arrivals {
    pub(crate) fn open(runtime: &Handle, meeting: &Arc<Meeting>) -> io::Result<Self> {
        let mut tasks = Vec::new();
        let v4 = arrive_tcp(runtime, meeting, socket::any_loopback(), &mut tasks)?;
        let v6 = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0));
        let v6 = arrive_tcp(runtime, meeting, v6, &mut tasks).ok();
        let unix = arrive_unix(runtime, meeting, &mut tasks)?;
        Ok(Self { v4, v6, unix, _tasks: tasks })
    }

    /// Where to connect a TCP socket, the preferred place first.
    pub(crate) fn tcp(&self, v6: bool) -> Vec<Address> {
        let fallback = socket::for_family(self.v4, v6);
        let preferred = if v6 { self.v6 } else { None };
        preferred.into_iter().chain([fallback]).map(Address::Inet).collect()
    }

    pub(crate) fn unix(&self) -> Vec<Address> {
        vec![self.unix.clone()]
    }
}

fn arrive_tcp(
    runtime: &Handle,
    meeting: &Arc<Meeting>,
    at: SocketAddr,
    tasks: &mut Vec<Task>,
) -> io::Result<SocketAddr> {
    let family = if at.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let listener = socket::create(family, libc::SOCK_STREAM)?;
    socket::bind(listener.as_fd(), &Address::Inet(at))?;
    let _inside = runtime.enter();
    let listener = Listener::new(listener)?;
    let Address::Inet(address) = listener.local_name()? else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    let arrive = |stream: OwnedFd| Captured::Tcp(stream.into());
    tasks.push(Task(runtime.spawn(arrivals(listener, meeting.clone(), arrive))));
    Ok(address)
}

fn arrive_unix(
    runtime: &Handle,
    meeting: &Arc<Meeting>,
    tasks: &mut Vec<Task>,
) -> io::Result<Address> {
    let listener = socket::create(libc::AF_UNIX, libc::SOCK_STREAM)?;
    // An empty name makes the kernel choose an abstract one.
    socket::bind(listener.as_fd(), &Address::Unix(Vec::new()))?;
    let name = socket::local_name(listener.as_fd())?;
    let _inside = runtime.enter();
    let listener = Listener::new(listener)?;
    let arrive = |stream: OwnedFd| Captured::Unix(stream.into());
    tasks.push(Task(runtime.spawn(arrivals(listener, meeting.clone(), arrive))));
    Ok(name)
}

/// Brings every stream that arrives to the meeting.
async fn arrivals(listener: Listener, meeting: Arc<Meeting>, captured: fn(OwnedFd) -> Captured) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(key) = Key::of(&peer) {
                    meeting.arrive(key, captured(stream));
                }
            }
            Err(error) => pause_after(&error, &meeting.notices).await,
        }
    }
}

/// After an error that concerns the listener, not the connection, such as too
/// many open files, accepting again at once would only burn the processor.
async fn pause_after(error: &io::Error, notices: &UnboundedSender<Notice>) {
    const CONNECTION: [i32; 3] = [libc::ECONNABORTED, libc::EINTR, libc::EPROTO];
    if !error.raw_os_error().is_some_and(|errno| CONNECTION.contains(&errno)) {
        let _ = notices.send(Notice::Trouble(format!("accept a captured connection: {error}")));
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(Duration::from_millis(100), never).await;
    }
}

/// Opens the front of an app that asked for `asked`, bound but not listening.
/// Fails as the app's own `bind` would.
pub(crate) fn reserve(asked: SocketAddr, like: &FrontOptions) -> io::Result<(Front, SocketAddr)> {
    let family = if asked.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let front = socket::create(family, libc::SOCK_STREAM)?;
    let set =
        |level, option, value: bool| socket::set_option(front.as_fd(), level, option, value.into());
    set(libc::SOL_SOCKET, libc::SO_REUSEADDR, like.reuse_address)?;
    set(libc::SOL_SOCKET, libc::SO_REUSEPORT, like.reuse_port)?;
    if asked.is_ipv6() {
        set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, like.v6_only)?;
    }
    socket::bind(front.as_fd(), &Address::Inet(asked))?;
    let port = port_of(front.as_fd())?;
    let front = Front::Bound(Seat { socket: front, _file: None });
    Ok((front, SocketAddr::new(asked.ip(), port)))
}

/// The same for a Unix socket, at an absolute path or an abstract name. `mode` are the rights that the
/// app's own file would have.
pub(crate) fn reserve_unix(at: &[u8], mode: u32) -> io::Result<Front> {
    let socket = socket::create(libc::AF_UNIX, libc::SOCK_STREAM)?;
    let file = match at.first() {
        Some(0) => {
            socket::bind(socket.as_fd(), &Address::Unix(at.to_vec()))?;
            None
        }
        _ => Some(SocketFile::bind(socket.as_fd(), Path::new(OsStr::from_bytes(at)), mode)?),
    };
    Ok(Front::Bound(Seat { socket, _file: file }))
}

/// What stands at the path of a Unix socket in replay, where nobody is to listen.
pub(crate) fn pretend_unix(at: &[u8], mode: u32) -> io::Result<Front> {
    if at.first() == Some(&0) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let socket = socket::create(libc::AF_UNIX, libc::SOCK_STREAM)?;
    let file = unix::stand_in(socket.as_fd(), Path::new(OsStr::from_bytes(at)), mode)?;
    Ok(Front::Pretended { _seat: Seat { socket, _file: Some(file) } })
}

/// The options of the app's socket that its front must share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrontOptions {
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) v6_only: bool,
}

/// The local port of an IP socket.
pub(crate) fn port_of(socket: BorrowedFd<'_>) -> io::Result<u16> {
    match socket::local_name(socket)? {
        Address::Inet(address) => Ok(address.port()),
        _ => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
    }
}
