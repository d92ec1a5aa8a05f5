//! Ports that nobody else takes while a test runs. It does not reserve them: they are free to bind.

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
        let free = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
            && TcpListener::bind((Ipv6Addr::LOCALHOST, port))
                .map_or_else(|error| error.kind() != std::io::ErrorKind::AddrInUse, |_| true);
        if free {
            return port;
        }
    }
    panic!("no port from {FIRST} on is free");
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
