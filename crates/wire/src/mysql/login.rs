//! How a client comes in (MySQL source documentation, "Protocol::HandshakeResponse41" and
//! "COM_CHANGE_USER"). What proves who it is is passed over.

use super::fields::Fields;
use super::{capabilities, charset, malformed};
use crate::{Verdict, WireError};
use rehearsal_model::{Map, Value};

/// Bytes of a packet that asks for TLS, with its head.
pub(super) const TLS_REQUEST: usize = 36;

/// What a client says when it comes in.
#[derive(Debug, PartialEq)]
pub(super) struct Login {
    pub(super) capabilities: u64,
    /// How it proves who it is; empty when it does not say.
    pub(super) plugin: String,
    /// Whether it has sent any proof: a client without a password has not.
    pub(super) has_proof: bool,
    /// The request as recordings have it.
    pub(super) request: Map,
}

/// Whether a client that answers a greeting goes on in TLS first: it says no more than what it can do
/// (MySQL source documentation, "Protocol::SSLRequest").
pub(super) fn turns_to_tls(said: &[u8]) -> Verdict {
    let known = said.len().min(3);
    if said[..known] != [32, 0, 0][..known] {
        return Verdict::No;
    }
    match said.get(4..6) {
        None => Verdict::NeedMore,
        Some(&[low, high])
            if u64::from(u16::from_le_bytes([low, high])) & capabilities::SSL != 0 =>
        {
            if said.len() < TLS_REQUEST { Verdict::NeedMore } else { Verdict::Yes }
        }
        Some(_) => Verdict::No,
    }
}

/// Reads the answer to a greeting that offered these capabilities.
pub(super) fn read(body: &[u8], offered: u64) -> Result<Login, WireError> {
    let mut fields = Fields::new(body);
    let low = fields.u32()?;
    if u64::from(low) & capabilities::PROTOCOL_41 == 0 {
        return Err(malformed("a client from before MySQL 4.1"));
    }
    if u64::from(low) & capabilities::SSL != 0 && body.len() <= 32 {
        return Err(malformed("a client that goes on in TLS without having been offered it"));
    }
    fields.u32()?;
    let charset = u16::from(fields.byte()?);
    fields.take(19)?;
    let extended = fields.u32()?;
    let mut capabilities = u64::from(low);
    if offered & capabilities::MYSQL == 0 && capabilities & capabilities::MYSQL == 0 {
        capabilities |= u64::from(extended) << 32;
    }
    let capabilities = capabilities & offered;
    let has = |bit| u64::from(low) & bit != 0;
    let user = Value::from_bytes(fields.zero_ended_or_rest());
    let proof = if has(capabilities::SIZED_AUTH) {
        fields.sized()?
    } else if has(capabilities::SECURE_CONNECTION) {
        let length = usize::from(fields.byte()?);
        fields.take(length)?
    } else {
        fields.zero_ended_or_rest()
    };
    let database = match has(capabilities::CONNECT_WITH_DB) {
        true => fields.zero_ended_or_rest(),
        false => &[],
    };
    let plugin = match has(capabilities::PLUGIN_AUTH) {
        true => fields.zero_ended_or_rest(),
        false => &[],
    };
    let has_proof = !matches!(proof, [] | [0]);
    let plugin = String::from_utf8_lossy(plugin).into_owned();
    let request = request(user, database, charset);
    Ok(Login { capabilities, plugin, has_proof, request })
}

/// Reads a change of the user, from behind the byte of the command.
pub(super) fn read_change(body: &[u8], capabilities: u64) -> Result<Login, WireError> {
    let mut fields = Fields::new(body);
    let user = Value::from_bytes(fields.zero_ended()?);
    let length = usize::from(fields.byte()?);
    let has_proof = !matches!(fields.take(length)?, [] | [0]);
    let database = fields.zero_ended_or_rest();
    let charset = if fields.len() >= 2 { fields.u16()? } else { charset::USUAL };
    let plugin = String::from_utf8_lossy(fields.zero_ended_or_rest()).into_owned();
    let request = request(user, database, charset);
    Ok(Login { capabilities, plugin, has_proof, request })
}

fn request(user: Value, database: &[u8], charset: u16) -> Map {
    let mut connect = Map::from([("user", user)]);
    if !database.is_empty() {
        connect.push_new("database", Value::from_bytes(database));
    }
    connect.push_new("charset", charset::to_value(charset));
    Map::from([("connect", connect)])
}
