//! With whom somebody wants to be connected: a host and its port, in one spelling. Nobody is asked whether
//! there is such a host.

use std::net::Ipv6Addr;

/// The longest `host:port` that is taken for one: a name has 253 characters at most (RFC 1035).
const LONGEST: usize = 253 + 6;

/// A host and its port in one spelling; `port` stands in for one that is not said.
pub(crate) fn authority(text: &str, port: Option<u16>) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let (host, said) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let said = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (format!("[{address}]"), said)
        }
        None => {
            let (host, said) = match text.rsplit_once(':') {
                Some((host, said)) => (host, Some(said)),
                None => (text, None),
            };
            let ordinary =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            if host.is_empty() || !host.bytes().all(ordinary) {
                return None;
            }
            (host.to_ascii_lowercase(), said)
        }
    };
    let port = match said.filter(|said| !said.is_empty()) {
        Some(said) if said.bytes().all(|byte| byte.is_ascii_digit()) => said.parse().ok()?,
        Some(_) => return None,
        None => port?,
    };
    Some(format!("{host}:{port}"))
}
