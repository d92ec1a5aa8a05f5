//! The messages of both sides, from bytes and into bytes. None is longer than 515 bytes.

use super::{NAME, malformed};
use crate::party::authority;
use crate::{Verdict, WireError};
use rehearsal_model::{Map, Value};
use std::net::{Ipv4Addr, Ipv6Addr};

const VERSION: u8 = 5;
/// The version of the login (RFC 1929, section 2).
const LOGIN_VERSION: u8 = 1;
const REFUSED: u8 = 0xff;

/// By what a client says who it is, by number (RFC 1928, section 3).
const METHODS: [&str; 3] = ["none", "gssapi", "password"];

/// What the client wants of the proxy, by number from 1 (section 4).
const COMMANDS: [&str; 3] = ["CONNECT", "BIND", "UDP ASSOCIATE"];

/// What became of it, by number (section 6).
const STATUSES: [&str; 9] = [
    "succeeded",
    "general failure",
    "not allowed",
    "network unreachable",
    "host unreachable",
    "connection refused",
    "TTL expired",
    "command not supported",
    "address type not supported",
];

/// Which message of the client comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Greeting,
    Login,
    Wish,
}

/// What follows an answer of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another message of the client.
    Stage(Stage),
    /// A connection with this party; with one whose name cannot be read, or one that calls the proxy, if none.
    Tunnel(Option<String>),
    /// Nothing: the proxy has refused.
    End,
}

/// Whether a connection began as a client that greets and a proxy that chooses a method.
pub(super) fn detect(client: &[u8], server: &[u8]) -> Verdict {
    match client {
        [] if server.is_empty() => Verdict::NeedMore,
        [VERSION] => Verdict::NeedMore,
        [VERSION, count, rest @ ..] if *count > 0 => {
            let count = usize::from(*count);
            let methods = &rest[..rest.len().min(count)];
            let distinct = (1..methods.len()).all(|end| !methods[..end].contains(&methods[end]));
            // Those between are assigned to nobody (section 3).
            let known = methods.iter().all(|method| matches!(method, 0..=9 | 0x80..=0xfe));
            // Whoever does not wait for the proxy logs in or says with whom it wants to be connected.
            let goes_on = matches!(rest.get(count), None | Some(&(VERSION | LOGIN_VERSION)));
            match server {
                _ if !distinct || !known || !goes_on => Verdict::No,
                [] | [VERSION] => Verdict::NeedMore,
                [VERSION, method, ..] if *method == REFUSED || methods.contains(method) => {
                    Verdict::Yes
                }
                _ => Verdict::No,
            }
        }
        _ => Verdict::No,
    }
}

/// The client's message at the beginning of these bytes, and its length. None when it is not complete.
pub(super) fn request(stage: Stage, bytes: &[u8]) -> Result<Option<(Map, usize)>, WireError> {
    match stage {
        Stage::Greeting => greeting(bytes),
        Stage::Login => login(bytes),
        Stage::Wish => wish(bytes),
    }
}

fn greeting(bytes: &[u8]) -> Result<Option<(Map, usize)>, WireError> {
    check(bytes.first(), VERSION, "a greeting of another version")?;
    let Some((methods, length)) = counted(bytes, 1) else { return Ok(None) };
    let named = methods.iter().map(|method| Value::from(method_name(*method))).collect();
    Ok(Some((
        Map::from([("socks", Value::from("greeting")), ("methods", Value::List(named))]),
        length,
    )))
}

fn login(bytes: &[u8]) -> Result<Option<(Map, usize)>, WireError> {
    check(bytes.first(), LOGIN_VERSION, "a login of another version")?;
    let Some((user, end)) = counted(bytes, 1) else { return Ok(None) };
    let Some((password, length)) = counted(bytes, end) else { return Ok(None) };
    let mut request = Map::from([("socks", "login")]);
    request.push_new("user", Value::from_bytes(user));
    request.push_new("password", Value::from_bytes(password));
    Ok(Some((request, length)))
}

fn wish(bytes: &[u8]) -> Result<Option<(Map, usize)>, WireError> {
    check(bytes.first(), VERSION, "a request of another version")?;
    let Some((host, port, length)) = address(bytes)? else { return Ok(None) };
    let command = match COMMANDS.get(usize::from(bytes[1]).wrapping_sub(1)) {
        Some(name) => (*name).to_owned(),
        None => format!("COMMAND {}", bytes[1]),
    };
    Ok(Some((Map::from([("socks", format!("{command} {host}:{port}"))]), length)))
}

/// The proxy's answer at the beginning of these bytes, and its length. None when it is not complete.
pub(super) fn response(stage: Stage, bytes: &[u8]) -> Result<Option<(Map, usize)>, WireError> {
    // There are proxies that answer to a login with the version of the rest.
    let version = match bytes.first() {
        Some(&LOGIN_VERSION) if stage == Stage::Login => LOGIN_VERSION,
        _ => VERSION,
    };
    check(bytes.first(), version, "an answer of another version")?;
    let Some(&code) = bytes.get(1) else { return Ok(None) };
    Ok(match stage {
        Stage::Greeting => Some((Map::from([("method", method_name(code))]), 2)),
        Stage::Login => {
            let status = if code == 0 { "accepted" } else { "refused" };
            Some((Map::from([("status", status)]), 2))
        }
        Stage::Wish => address(bytes)?.map(|(_, _, length)| {
            let known = STATUSES.get(usize::from(code)).map(|name| (*name).to_owned());
            let status = known.unwrap_or_else(|| format!("status {code}"));
            (Map::from([("status", status)]), length)
        }),
    })
}

/// The bytes of an answer.
pub(super) fn write(stage: Stage, response: &Map) -> Result<Vec<u8>, WireError> {
    let key = if stage == Stage::Greeting { "method" } else { "status" };
    let text = response.get(key).and_then(Value::as_text);
    let code = text.and_then(|text| match stage {
        Stage::Greeting if text == "refused" => Some(REFUSED),
        Stage::Greeting => number(text, &METHODS, "method "),
        Stage::Login => {
            ["accepted", "refused"].iter().position(|known| *known == text).map(|at| at as u8)
        }
        Stage::Wish => number(text, &STATUSES, "status "),
    });
    let Some(code) = code else {
        let what = format!(
            "{key} is none that SOCKS has; write one such as `{}`",
            match stage {
                Stage::Greeting => "password",
                Stage::Login => "accepted",
                Stage::Wish => "connection refused",
            }
        );
        return Err(WireError::Unwritable { protocol: NAME, what });
    };
    Ok(match stage {
        Stage::Greeting => vec![VERSION, code],
        Stage::Login => vec![LOGIN_VERSION, code],
        // Where the proxy is bound: 0.0.0.0, port 0.
        Stage::Wish => vec![VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0],
    })
}

/// What follows a message of the client and the answer to it.
pub(super) fn next(stage: Stage, request: &Map, response: &Map) -> Result<Next, WireError> {
    let text = |key| response.get(key).and_then(Value::as_text).unwrap_or_default();
    Ok(match (stage, text("method"), text("status")) {
        (Stage::Greeting, "none", _) | (Stage::Login, _, "accepted") => Next::Stage(Stage::Wish),
        (Stage::Greeting, "password", _) => Next::Stage(Stage::Login),
        (Stage::Greeting, "refused", _) => Next::End,
        (Stage::Greeting, method, _) => {
            return Err(malformed(&format!(
                "the proxy wants to know by {method} who asks, which is not read"
            )));
        }
        (Stage::Wish, _, "succeeded") => Next::Tunnel(party(request)),
        (Stage::Login | Stage::Wish, ..) => Next::End,
    })
}

/// With whom a request asks to be connected, as `host:port`.
pub(super) fn party(request: &Map) -> Option<String> {
    let asked = request.get("socks").and_then(Value::as_text)?;
    authority(asked.strip_prefix("CONNECT ")?, None)
}

fn method_name(code: u8) -> String {
    match METHODS.get(usize::from(code)) {
        Some(name) => (*name).to_owned(),
        None if code == REFUSED => "refused".to_owned(),
        None => format!("method {code}"),
    }
}

/// The number of a name: its place, or what stands behind the word for those without one.
fn number(text: &str, names: &[&str], word: &str) -> Option<u8> {
    match names.iter().position(|name| *name == text) {
        Some(place) => u8::try_from(place).ok(),
        None => text.strip_prefix(word)?.parse().ok(),
    }
}

fn check(found: Option<&u8>, wanted: u8, what: &str) -> Result<(), WireError> {
    match found {
        Some(found) if *found != wanted => Err(malformed(what)),
        _ => Ok(()),
    }
}

/// The bytes whose number stands at a place, and where they end.
fn counted(bytes: &[u8], place: usize) -> Option<(&[u8], usize)> {
    let start = place + 1;
    let end = start + usize::from(*bytes.get(place)?);
    Some((bytes.get(start..end)?, end))
}

/// The address that a request and its answer have at the same place: host, port, and where they end.
fn address(bytes: &[u8]) -> Result<Option<(String, u16, usize)>, WireError> {
    const KIND: usize = 3;
    let Some(kind) = bytes.get(KIND) else { return Ok(None) };
    let rest = &bytes[KIND + 1..];
    let (host, end) = match kind {
        1 => match rest.first_chunk::<4>() {
            Some(octets) => (Ipv4Addr::from(*octets).to_string(), KIND + 5),
            None => return Ok(None),
        },
        3 => match counted(bytes, KIND + 1) {
            Some((name, end)) => (String::from_utf8_lossy(name).to_ascii_lowercase(), end),
            None => return Ok(None),
        },
        4 => match rest.first_chunk::<16>() {
            Some(octets) => (format!("[{}]", Ipv6Addr::from(*octets)), KIND + 17),
            None => return Ok(None),
        },
        _ => return Err(malformed("an address of an unknown kind")),
    };
    let port = bytes.get(end..end + 2).and_then(|port| port.first_chunk::<2>());
    Ok(port.map(|port| (host, u16::from_be_bytes(*port), end + 2)))
}
