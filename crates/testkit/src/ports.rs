//! Ports that nobody else takes while a test runs. They are free to bind: they are claimed by another name, and
//! from other tests alone.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the search starts and how far it goes: below the range from which Linux takes the ports
/// of outgoing connections, so that no connection of a neighbour is in the way later.
const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

/// A port that nobody listens on, in IPv4 and IPv6, and that no other call in this process was given.
///
/// # Panics
///
/// When all are taken.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test programs that run at the same time begin at different places.
    let offset = std::process::id().wrapping_mul(997) % COUNT;
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (FIRST + (offset + number) % COUNT) as u16;
        let free = claim(port)
            && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
            && TcpListener::bind((Ipv6Addr::LOCALHOST, port))
                .map_or_else(|error| error.kind() != std::io::ErrorKind::AddrInUse, |_| true);
        if free {
            return port;
        }
    }
    panic!("no port from {FIRST} on is free");
}

/// Whether no other test program or suite that runs now was given a port. The kernel gives the name to one
/// process at a time, and takes it back when that ends (unix(7), abstract sockets).
#[cfg(target_os = "linux")]
fn claim(port: u16) -> bool {
    use std::collections::VecDeque;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::{Mutex, PoisonError};
    /// The last ones that this process keeps others from.
    const MOST: usize = 300;
    static CLAIMS: Mutex<VecDeque<UnixDatagram>> = Mutex::new(VecDeque::new());
    let Ok(name) = SocketAddr::from_abstract_name(format!("rehearsal-tests-port-{port}")) else {
        return false;
    };
    let Ok(claimed) = UnixDatagram::bind_addr(&name) else { return false };
    let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
    claims.push_back(claimed);
    if claims.len() > MOST {
        claims.pop_front();
    }
    true
}

#[cfg(not(target_os = "linux"))]
fn claim(_port: u16) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let mut ports: Vec<u16> = (0..100).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 100);
    }
}
