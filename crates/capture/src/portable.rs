//! Capture without the kernel's help, for every operating system: the user maps
//! local ports to dependencies and names the ports that the app listens on. The
//! notices are the same as those of the supervisor. Starts no process and sets
//! no environment.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::contract::{Captured, Notice, Policy, Verdict};
use crate::endpoint::Endpoint;

/// How often the app's port is tried until it accepts: nothing tells the moment.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A dependency that the app is told to look for at a local port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Map {
    /// The loopback port that the app connects to; 0 lets the system choose.
    pub local_port: u16,
    /// What stands behind it: `host:port`.
    pub target: String,
}

/// A port of the app that callers reach through us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listen {
    /// Where callers connect to; 0 lets the system choose.
    pub port: u16,
    /// Where the app listens.
    pub app_port: u16,
}

/// The text is neither `PORT=HOST:PORT` nor `PORT=PORT`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("read the port mapping {text:?}: write {form}")]
pub struct MapError {
    text: String,
    form: &'static str,
}

impl FromStr for Map {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let parse = || {
            let (local_port, target) = text.split_once('=')?;
            let (host, port) = target.rsplit_once(':')?;
            port.parse::<u16>().ok().filter(|port| *port != 0)?;
            let local_port = local_port.parse().ok()?;
            (!host.is_empty()).then(|| Self { local_port, target: target.to_owned() })
        };
        parse().ok_or_else(|| MapError {
            text: text.to_owned(),
            form: "LOCAL_PORT=HOST:PORT, such as 15432=db.internal:5432",
        })
    }
}

impl FromStr for Listen {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let parse = || {
            let (port, app_port) = text.split_once('=')?;
            let app_port = app_port.parse().ok().filter(|port| *port != 0)?;
            Some(Self { port: port.parse().ok()?, app_port })
        };
        parse().ok_or_else(|| MapError {
            text: text.to_owned(),
            form: "PORT=APP_PORT, such as 8080=18080",
        })
    }
}

/// The open ports. Dropping it closes them.
#[derive(Debug)]
pub struct Ports {
    maps: Vec<SocketAddr>,
    listens: Vec<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Ports {
    /// The local address of each map, in the order given.
    pub fn maps(&self) -> &[SocketAddr] {
        &self.maps
    }

    /// The address of each front, in the order given.
    pub fn listens(&self) -> &[SocketAddr] {
        &self.listens
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens all ports on loopback and reports connections until the result is
/// dropped. `Notice::Outbound` names its dependency by the text of the map; its
/// endpoint is the address the app connected to.
pub fn open(
    (maps, listens): (&[Map], &[Listen]),
    runtime: &Handle,
    policy: Arc<dyn Policy>,
    notices: UnboundedSender<Notice>,
) -> io::Result<Ports> {
    let _inside = runtime.enter();
    let mut ports = Ports { maps: Vec::new(), listens: Vec::new(), tasks: Vec::new() };
    for map in maps {
        let listener = listener(map.local_port)?;
        ports.maps.push(listener.local_addr()?);
        let (policy, notices) = (policy.clone(), notices.clone());
        ports.tasks.push(runtime.spawn(outbound(listener, map.target.clone(), policy, notices)));
    }
    for listen in listens {
        let front = bound(listen.port)?;
        let visible = front.local_addr()?;
        let hidden = SocketAddr::from((Ipv4Addr::LOCALHOST, listen.app_port));
        ports.listens.push(visible);
        ports.tasks.push(runtime.spawn(inbound(front, (visible, hidden), notices.clone())));
    }
    Ok(ports)
}

fn listener(port: u16) -> io::Result<TcpListener> {
    bound(port)?.listen(BACKLOG).map_err(|error| io::Error::new(error.kind(), taken(port, &error)))
}

/// A socket that has its port and does not listen yet.
fn bound(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere this would allow to take a port from the process that has it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    let bound = socket.bind((Ipv4Addr::LOCALHOST, port).into());
    bound.map_err(|error| io::Error::new(error.kind(), taken(port, &error)))?;
    Ok(socket)
}

fn taken(port: u16, error: &io::Error) -> String {
    format!("listen on port {port} of this machine: {error}; choose another port")
}

async fn accept(listener: &TcpListener, notices: &UnboundedSender<Notice>) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                let _ = notices.send(Notice::Trouble(format!("accept a connection: {error}")));
                // Such as too many open files: trying at once would change nothing.
                let never = std::future::pending::<()>();
                let _ = tokio::time::timeout(TRY_EVERY, never).await;
            }
        }
    }
}

async fn outbound(
    listener: TcpListener,
    target: String,
    policy: Arc<dyn Policy>,
    notices: UnboundedSender<Notice>,
) {
    loop {
        let stream = accept(&listener, &notices).await;
        let Ok(at) = listener.local_addr() else { return };
        let (policy, notices) = (policy.clone(), notices.clone());
        let (to, name) = (Endpoint::tcp(at), target.clone());
        tokio::spawn(async move {
            let notice = match policy.connect_named(&name, &to).await {
                Verdict::Redirect(ticket) => {
                    let Ok(stream) = stream.into_std().map(Captured::Tcp) else { return };
                    Notice::Outbound { to, name: Some(name), ticket, stream }
                }
                // The connection exists already: resetting it is the only refusal,
                // and nothing could pass it on.
                Verdict::Refuse(errno, why) => {
                    reset(stream);
                    Notice::Refused { to, errno, why }
                }
                Verdict::Pass => {
                    reset(stream);
                    let why = "a mapped port cannot be passed through";
                    Notice::Refused { to, errno: 0, why }
                }
            };
            let _ = notices.send(notice);
        });
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    // Failing that, it is closed in the ordinary way.
    let _ = stream.set_zero_linger();
}

/// Listens in front of the app as soon as the app itself does: until then callers are refused, as
/// they would be without us.
async fn inbound(
    front: TcpSocket,
    (visible, hidden): (SocketAddr, SocketAddr),
    notices: UnboundedSender<Notice>,
) {
    accepts(hidden).await;
    let listener = match front.listen(BACKLOG) {
        Ok(listener) => listener,
        Err(error) => {
            let _ = notices.send(Notice::Trouble(taken(visible.port(), &error)));
            return;
        }
    };
    let (visible, hidden) = (Endpoint::tcp(visible), Endpoint::tcp(hidden));
    let (at, to) = (visible.clone(), hidden.clone());
    let _ = notices.send(Notice::Listening { visible: at, hidden: to, pid: 0 });
    loop {
        let stream = accept(&listener, &notices).await.into_std();
        let Ok(stream) = stream.map(Captured::Tcp) else { continue };
        let (visible, hidden) = (visible.clone(), hidden.clone());
        let _ = notices.send(Notice::Inbound { visible, hidden, stream });
    }
}

/// Waits until somebody accepts connections at an address.
async fn accepts(hidden: SocketAddr) {
    let mut tries = tokio::time::interval(TRY_EVERY);
    loop {
        tries.tick().await;
        // Where nobody listens, a connection can still be made from a port to itself.
        let other = |stream: TcpStream| stream.local_addr().is_ok_and(|local| local != hidden);
        if TcpStream::connect(hidden).await.is_ok_and(other) {
            return;
        }
    }
}
