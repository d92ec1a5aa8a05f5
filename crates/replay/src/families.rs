//! The two addresses of this machine. A client that is told `localhost` tries `[::1]` and `127.0.0.1`, in an
//! order and as often as its library sees fit (RFC 6724, RFC 8305), so an attempt at the one that nobody
//! listens on says nothing about the app. Names that a name server resolves are edges under their name and
//! need none of this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The same port of this machine in the other address family.
pub(crate) fn twin(address: SocketAddr) -> Option<SocketAddr> {
    let other = match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(_) | IpAddr::V6(_) => return None,
    };
    Some(SocketAddr::new(other, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_addresses_of_this_machine_are_twins() {
        let of = |text: &str| twin(text.parse().unwrap()).map(|it| it.to_string());
        assert_eq!(of("[::1]:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(of("127.0.0.1:80").as_deref(), Some("[::1]:80"));
        assert_eq!(of("127.0.0.2:80"), None);
        assert_eq!(of("10.0.0.1:80"), None);
        assert_eq!(of("[::]:80"), None);
    }
}
