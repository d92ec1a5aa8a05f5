//! The address of a party as text that users read and write: `127.0.0.1:80`,
//! `[::1]:80`, `unix:/run/app.sock`, `unix:@abstract`. Resolves no names.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

#[cfg(target_os = "linux")]
use crate::socket::Address;

/// Where a stream connection leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Endpoint {
    /// A TCP address; IPv4 addresses are never in their IPv6-mapped form.
    Tcp(SocketAddr),
    /// A Unix socket: an absolute path, or an abstract name behind a NUL byte.
    Unix(Vec<u8>),
}

impl Endpoint {
    /// The endpoint of `address`, with an IPv4-mapped address taken out of IPv6.
    pub fn tcp(address: SocketAddr) -> Self {
        Self::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// The endpoint at an address that leads somewhere.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(address: &Address) -> Option<Self> {
        match address {
            Address::Inet(address) => Some(Self::tcp(*address)),
            Address::Unix(name) if !name.is_empty() => Some(Self::Unix(name.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(name) => match name.split_first() {
                Some((0, name)) => write!(f, "unix:@{}", String::from_utf8_lossy(name)),
                _ => write!(f, "unix:{}", String::from_utf8_lossy(name)),
            },
        }
    }
}

/// The text names no endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("read {0:?} as an endpoint: write 127.0.0.1:80, [::1]:80, unix:/path or unix:@name")]
pub struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || EndpointError(text.to_owned());
        match text.strip_prefix("unix:") {
            Some("") | Some("@") => Err(wrong()),
            Some(name) => Ok(Self::Unix(match name.strip_prefix('@') {
                Some(name) => [&[0], name.as_bytes()].concat(),
                None => name.as_bytes().to_vec(),
            })),
            None => text.parse().map(Self::tcp).map_err(|_| wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_a_round_trip() {
        for text in ["127.0.0.1:80", "[::1]:80", "unix:/run/app.sock", "unix:@bus"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mapped_addresses_are_plain() {
        assert_eq!("[::ffff:10.0.0.1]:5".parse::<Endpoint>().unwrap().to_string(), "10.0.0.1:5");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "localhost:80", "127.0.0.1", "unix:", "unix:@"] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError(text.to_owned())));
        }
    }
}
