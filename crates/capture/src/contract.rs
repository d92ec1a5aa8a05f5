//! What the users of capture and capture say to one another: options, the
//! policy asked for every connection, and the notices sent back.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Clock, Endpoint};

/// A future that can be awaited on any thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whatever the policy wants to find again beside the captured connection, for
/// example an upstream connection that it has dialled already.
pub type Ticket = Box<dyn Any + Send>;

/// Whether the ports that the app listens on stay open to the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A front listens at the address the app asked for.
    Record,
    /// Nobody listens there; the app is reachable at its hidden address only.
    Replay,
}

/// How the supervisor gets hold of a socket of the app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Tries `PidfdGetfd` and falls back to `AddFd`.
    Auto,
    /// Works on a duplicate of the app's socket; keeps its options.
    PidfdGetfd,
    /// Puts a new socket in the place of the app's. Works in a default Docker
    /// container. Options that the app set before `connect` or `bind` are lost.
    AddFd,
}

/// How to capture.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether fronts are opened.
    pub mode: Mode,
    /// How sockets are taken.
    pub strategy: Strategy,
    /// The clock of the app, where it shall not see the real one.
    pub clock: Option<Arc<Clock>>,
    /// Where policies and accept loops run.
    pub runtime: tokio::runtime::Handle,
}

/// What becomes of a connection.
pub enum Verdict {
    /// It comes to us, with this ticket.
    Redirect(Ticket),
    /// The kernel connects the app to where it wanted, unseen by us.
    Pass,
    /// The app gets this error number, such as `ECONNREFUSED`; the reason is for
    /// the user, who sees it beside the address in [`Notice::Refused`].
    Refuse(i32, &'static str),
}

/// A file that the app is shown in the place of another one.
#[derive(Clone, Debug)]
pub struct InPlace {
    /// The file that the app opens, by whatever path.
    pub of: PathBuf,
    /// The one that it reads.
    pub shown: PathBuf,
}

/// Decides over everything the app wants to reach. The app waits in its call
/// meanwhile, other calls of the app do not.
pub trait Policy: Send + Sync + 'static {
    /// A TCP or Unix stream connection that leaves the process tree. Up to its
    /// first wait the future runs where all calls of the app are received, so
    /// that an answer at once is the fastest; it must not block.
    fn connect(&self, to: &Endpoint) -> BoxFuture<'_, Verdict>;

    /// The same, by a thread of the app of this number. Only the supervisor knows it.
    fn connect_by(&self, _thread: i32, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        self.connect(to)
    }

    /// A connection to a port that the user mapped to `name` (`host:port`); `to`
    /// is that port. Only [`crate::portable`] asks this.
    fn connect_named<'a>(&'a self, name: &'a str, to: &'a Endpoint) -> BoxFuture<'a, Verdict> {
        let _ = name;
        self.connect(to)
    }

    /// A DNS query datagram to `server` (port 53); `None` leaves it unanswered.
    fn resolve(&self, server: SocketAddr, query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>>;

    /// Files that the app shall not read as they are. Asked once; where there are any, each file that the
    /// app opens costs some microseconds.
    fn files(&self) -> Vec<InPlace> {
        Vec::new()
    }

    /// Any other UDP destination, an error number to refuse it. Resolvers
    /// connect UDP sockets to each address of a name without sending anything,
    /// to learn the source address; such a call cannot be told from a real one.
    fn datagram(&self, to: SocketAddr) -> Result<(), i32>;
}

/// A stream of the app that ends at us. It does not block, and no event loop watches it yet: whoever
/// carries it chooses which.
#[derive(Debug)]
pub enum Captured {
    /// TCP, on loopback.
    Tcp(std::net::TcpStream),
    /// A Unix stream socket.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

/// What happened at the edges of the app.
pub enum Notice {
    /// The app connected to `to` and `stream` is its other end.
    Outbound {
        /// Where the app believes it is connected to.
        to: Endpoint,
        /// The name behind it where the user gave one (`portable` only).
        name: Option<String>,
        /// What the policy gave with its verdict.
        ticket: Ticket,
        /// The server side of the connection.
        stream: Captured,
    },
    /// Somebody connected to the app's front.
    Inbound {
        /// The address that the app asked for.
        visible: Endpoint,
        /// Where the app really listens; to be dialled for this stream.
        hidden: Endpoint,
        /// The server side of the connection.
        stream: Captured,
    },
    /// The app accepts connections from here on.
    Listening {
        /// The address that the app asked for.
        visible: Endpoint,
        /// Where it can be reached.
        hidden: Endpoint,
        /// The process that listens; 0 when it is not known.
        pid: u32,
    },
    /// The app gave up listening at this address.
    Closed {
        /// The address that the app asked for.
        visible: Endpoint,
    },
    /// A connection or datagram went its way without us.
    Passed {
        /// Where to.
        to: Endpoint,
        /// The reason.
        why: &'static str,
    },
    /// A connection or datagram was answered by an error.
    Refused {
        /// Where to.
        to: Endpoint,
        /// The error number the app saw.
        errno: i32,
        /// The reason.
        why: &'static str,
    },
    /// The app asked a name service on a Unix socket (nscd, systemd-resolved) and
    /// was refused, so that it asks by DNS, which we hear. A matter of routine.
    NameService {
        /// The socket.
        to: Endpoint,
        /// The reason.
        why: &'static str,
    },
    /// The app connected to itself.
    Inner {
        /// The address that the app asked for.
        to: Endpoint,
    },
    /// Something could not be captured; text for the user.
    Trouble(String),
    /// The last process of the tree is gone.
    Ended,
}

/// Capture could not begin.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The app's process ended before it was under the filter.
    #[error("start capturing: the process ended before its filter was in place")]
    ChildGone,
    /// The kernel or a sandbox does not let us filter.
    #[error(
        "install the system call filter ({step}: {source}): run `rehearsal doctor`, \
         or use `--capture proxy`"
    )]
    FilterRefused {
        /// Which of the calls failed.
        step: &'static str,
        /// How.
        source: io::Error,
    },
    /// A second filter of this kind cannot be put on a process.
    #[error(
        "install the system call filter: the process already runs under another supervisor of \
         this kind; do not run rehearsal inside rehearsal"
    )]
    Nested,
    /// This system has no supervisor.
    #[error(
        "capture without configuration: that needs Linux; use `--capture proxy` with explicit ports"
    )]
    NotHere,
    /// Listeners or threads of our own could not be made.
    #[error("start capturing: {0}")]
    Io(#[from] io::Error),
}
