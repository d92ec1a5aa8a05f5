//! Stands in for the name servers that the app asks: one loopback UDP socket
//! per server, so that the socket an answer comes from tells which server it is
//! to be attributed to. Knows nothing of DNS itself; the policy answers.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::contract::Policy;
use crate::fronts::Task;
use crate::socket;

/// Name servers that an app may ask; three are usual.
const SERVERS: usize = 64;
/// Queries to one server that are answered at the same time; others are dropped
/// as a busy server does.
const QUERIES: usize = 256;
const LONGEST_QUERY: usize = 65_535;

struct Service {
    at: SocketAddr,
    _task: Task,
}

pub(crate) struct Resolvers {
    runtime: Handle,
    policy: Arc<dyn Policy>,
    services: Mutex<HashMap<SocketAddr, Service>>,
}

impl Resolvers {
    pub(crate) fn new(runtime: Handle, policy: Arc<dyn Policy>) -> Self {
        Self { runtime, policy, services: Mutex::default() }
    }

    /// Where to send what the app sends to `server`.
    pub(crate) fn stand_in(&self, server: SocketAddr) -> io::Result<SocketAddr> {
        let mut services = crate::lock(&self.services);
        if let Some(service) = services.get(&server) {
            return Ok(service.at);
        }
        if services.len() >= SERVERS {
            return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        }
        let service = self.open(server)?;
        let at = service.at;
        services.insert(server, service);
        Ok(at)
    }

    /// The server for which our socket at `at` stands.
    pub(crate) fn server_at(&self, at: SocketAddr) -> Option<SocketAddr> {
        let plain = SocketAddr::new(at.ip().to_canonical(), at.port());
        let services = crate::lock(&self.services);
        services.iter().find(|(_, service)| service.at == plain).map(|(server, _)| *server)
    }

    fn open(&self, server: SocketAddr) -> io::Result<Service> {
        let socket = std::net::UdpSocket::bind(socket::any_loopback())?;
        socket.set_nonblocking(true)?;
        let at = socket.local_addr()?;
        let _inside = self.runtime.enter();
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let policy = self.policy.clone();
        let task = self.runtime.spawn(answer_all(socket, server, policy));
        Ok(Service { at, _task: Task(task) })
    }
}

async fn answer_all(socket: Arc<UdpSocket>, server: SocketAddr, policy: Arc<dyn Policy>) {
    let slots = Arc::new(Semaphore::new(QUERIES));
    let mut buffer = vec![0u8; LONGEST_QUERY];
    loop {
        // An error belongs to an earlier answer that nobody waited for.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Ok(slot) = slots.clone().try_acquire_owned() else { continue };
        let (query, socket, policy) = (buffer[..length].to_vec(), socket.clone(), policy.clone());
        tokio::spawn(async move {
            if let Some(answer) = policy.resolve(server, query).await {
                let _ = socket.send_to(&answer, from).await;
            }
            drop(slot);
        });
    }
}
