//! The first packet, which the server sends (MySQL source documentation, "Protocol::HandshakeV10").

use super::charset;
use super::fields::{Fields, put_zero_ended};
use super::{capabilities, malformed, status, unwritable};
use crate::{Verdict, WireError};
use rehearsal_model::{Map, Value};

/// What a client answers to a played server's challenge is not checked, so that it may be the same
/// for all.
pub(super) const CHALLENGE: &[u8; 20] = b"rehearsal-challenge!";

/// The largest greeting that is taken for one.
const LARGEST: usize = 1024;

/// Errors with which a server turns a client away instead of greeting it.
const TURNED_AWAY: &[u16] = &[1040, 1129, 1130, 1152, 1156, 1158, 1159, 1160, 1161, 1203, 1226];

/// A greeting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Greeting {
    pub(super) version: String,
    pub(super) connection: u32,
    pub(super) challenge: Vec<u8>,
    pub(super) capabilities: u64,
    pub(super) charset: u8,
    pub(super) status: u16,
    /// How the server would like the client to prove who it is.
    pub(super) plugin: String,
}

impl Greeting {
    pub(super) fn read(body: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        if fields.byte()? != 10 {
            return Err(malformed("a version of the protocol other than 10"));
        }
        let version = String::from_utf8_lossy(fields.zero_ended()?).into_owned();
        let connection = fields.u32()?;
        let mut challenge = fields.take(8)?.to_vec();
        fields.take(1)?;
        let low = fields.u16()?;
        let (charset, status, high) = (fields.byte()?, fields.u16()?, fields.u16()?);
        let mut capabilities = u64::from(low) | u64::from(high) << 16;
        let length = usize::from(fields.byte()?);
        fields.take(6)?;
        let extended = fields.u32()?;
        if capabilities & capabilities::MYSQL == 0 {
            capabilities |= u64::from(extended) << 32;
        }
        if capabilities & capabilities::PROTOCOL_41 == 0 {
            return Err(malformed("a server from before MySQL 4.1"));
        }
        let rest = length.saturating_sub(8).max(13).min(fields.len());
        challenge.extend_from_slice(fields.take(rest)?);
        challenge.truncate(20);
        let plugin = String::from_utf8_lossy(fields.zero_ended_or_rest()).into_owned();
        Ok(Greeting { version, connection, challenge, capabilities, charset, status, plugin })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (low, high) = (self.capabilities.to_le_bytes(), &self.capabilities.to_le_bytes()[2..4]);
        out.push(10);
        put_zero_ended(out, self.version.as_bytes());
        out.extend_from_slice(&self.connection.to_le_bytes());
        let (first, second) = self.challenge.split_at(self.challenge.len().min(8));
        out.extend_from_slice(first);
        out.push(0);
        out.extend_from_slice(&low[..2]);
        out.push(self.charset);
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(high);
        let has_plugin = self.capabilities & capabilities::PLUGIN_AUTH != 0;
        out.push(if has_plugin { u8::try_from(self.challenge.len() + 1).unwrap_or(0) } else { 0 });
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&low[4..8]);
        out.extend_from_slice(second);
        out.push(0);
        if has_plugin {
            put_zero_ended(out, self.plugin.as_bytes());
        }
    }

    /// The greeting as recordings have it: what is the same for every connection.
    pub(super) fn into_map(self) -> Map {
        let mut map = Map::from([("version", self.version)]);
        map.push_new("auth", self.plugin);
        map.push_new("charset", charset::to_value(u16::from(self.charset)));
        if self.status != status::AUTOCOMMIT {
            map.push_new("status", status::to_value(self.status));
        }
        map.push_new("capabilities", capabilities::to_value(self.capabilities));
        map
    }

    /// The greeting of a played server.
    pub(super) fn from_map(map: &Map) -> Result<Self, WireError> {
        let version = map.text("version");
        let version = version.ok_or_else(|| unwritable("`version` must be text"))?.to_owned();
        // What a client must compute for the others cannot be asked for without their keys.
        let plugin = map.text("auth").filter(|plugin| plays(plugin)).unwrap_or(NATIVE).to_owned();
        let charset = map.get("charset").map(charset::from_value).transpose()?.unwrap_or(45);
        let status = map.get("status").map(status::from_value).transpose()?;
        let status = status.unwrap_or(status::AUTOCOMMIT);
        let capabilities = map.get("capabilities").map(capabilities::from_value).transpose()?;
        Ok(Greeting {
            version,
            connection: 1,
            challenge: CHALLENGE.to_vec(),
            capabilities: capabilities.unwrap_or(OLD),
            charset: u8::try_from(charset).unwrap_or(45),
            status,
            plugin,
        })
    }
}

/// Takes out of a greeting what is not understood, so that the client does without.
pub(super) fn without_the_unknown(body: &mut [u8]) -> Result<(), WireError> {
    let offered = Greeting::read(body)?.capabilities;
    let understood = capabilities::understood(offered).to_le_bytes();
    let version = body.iter().position(|byte| *byte == 0).unwrap_or_default();
    let place = version + 1 + 4 + 8 + 1;
    let fields = [(place, 0), (place + 5, 2)];
    for (place, from) in fields {
        body[place..place + 2].copy_from_slice(&understood[from..from + 2]);
    }
    if offered & capabilities::MYSQL == 0 {
        body[place + 14..place + 18].copy_from_slice(&understood[4..]);
    }
    Ok(())
}

/// What every server can do that speaks this protocol.
const OLD: u64 = capabilities::MYSQL
    | capabilities::PROTOCOL_41
    | capabilities::SECURE_CONNECTION
    | capabilities::CONNECT_WITH_DB
    | capabilities::PLUGIN_AUTH;

pub(super) const NATIVE: &str = "mysql_native_password";
pub(super) const CACHING: &str = "caching_sha2_password";

/// Whether a played server can take part in it without knowing a password.
pub(super) fn plays(plugin: &str) -> bool {
    plugin == NATIVE || plugin == CACHING
}

/// Whether a connection on which the server spoke first speaks MySQL.
pub(super) fn detect(client: &[u8], server: &[u8]) -> Verdict {
    let Some((&[a, b, c, number], body)) = server.split_first_chunk::<4>() else {
        // The length of a greeting has one byte that is not zero, or two.
        let fits = matches!(server, [] | [_] | [_, 0..=3] | [_, 0..=3, 0]);
        return if client.is_empty() && fits { Verdict::NeedMore } else { Verdict::No };
    };
    let length = u32::from_le_bytes([a, b, c, 0]) as usize;
    if number != 0 || !(9..=LARGEST).contains(&length) {
        return Verdict::No;
    }
    match body {
        [10, first, ..] if first.is_ascii_graphic() => Verdict::Yes,
        [] | [10] | [0xff] | [0xff, _] if client.is_empty() => Verdict::NeedMore,
        [0xff, low, high, ..] if TURNED_AWAY.contains(&u16::from_le_bytes([*low, *high])) => {
            Verdict::Yes
        }
        _ => Verdict::No,
    }
}

/// The request that stands for a greeting in recordings.
pub(super) fn request() -> Map {
    Map::from([("greeting", Value::Bool(true))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_recognised_by_its_first_bytes() {
        let greeting = Greeting {
            version: "10.11.6-MariaDB".to_owned(),
            challenge: CHALLENGE.to_vec(),
            capabilities: OLD & !capabilities::MYSQL | 5 << 34,
            plugin: NATIVE.to_owned(),
            ..Greeting::default()
        };
        let mut body = Vec::new();
        greeting.write(&mut body);
        assert_eq!(Greeting::read(&body).unwrap(), greeting);
        let length = u8::try_from(body.len()).unwrap();
        let bytes = [&[length, 0, 0, 0], &body[..]].concat();
        for end in 0..bytes.len() {
            let expected = if end < 6 { Verdict::NeedMore } else { Verdict::Yes };
            assert_eq!(detect(&[], &bytes[..end]), expected, "{end} bytes");
        }
        assert_eq!(detect(b"GET / HTTP/1.1\r\n", &[]), Verdict::No);
        assert_eq!(detect(&[], b"220 mail.example ESMTP\r\n"), Verdict::No);
        assert_eq!(detect(&[], b"SSH-2.0-x\r\n"), Verdict::No);
        assert_eq!(detect(&[], b"\x17\0\0\0\xff\x10\x04Too many connections"), Verdict::Yes);
    }

    #[test]
    fn what_is_not_understood_is_taken_out_of_an_offer() {
        let all = Greeting {
            version: "5.5.5-10.11.6-MariaDB".to_owned(),
            challenge: CHALLENGE.to_vec(),
            capabilities: !capabilities::MYSQL,
            plugin: NATIVE.to_owned(),
            ..Greeting::default()
        };
        for capabilities in [all.capabilities, all.capabilities & 0xffff_ffff | 1] {
            let offered = Greeting { capabilities, ..all.clone() };
            let mut body = Vec::new();
            offered.write(&mut body);
            without_the_unknown(&mut body).unwrap();
            let capabilities = capabilities::understood(capabilities);
            assert_eq!(capabilities & (1 << 27), 0, "attributes of queries");
            assert_eq!(Greeting::read(&body).unwrap(), Greeting { capabilities, ..offered });
        }
    }

    #[test]
    fn what_is_recorded_greets_again() {
        let map = Map::from([("version", "8.0.36"), ("auth", CACHING)]);
        let greeting = Greeting::from_map(&map).unwrap();
        assert_eq!(greeting.plugin, CACHING);
        let again = Greeting::from_map(&greeting.clone().into_map()).unwrap();
        assert_eq!(again, greeting);
        let other = Map::from([("version", "8.0.36"), ("auth", "sha256_password")]);
        assert_eq!(Greeting::from_map(&other).unwrap().plugin, NATIVE);
        assert!(Greeting::from_map(&Map::new()).is_err());
    }
}
