//! The first message of a connection, which has no type byte.

use super::fields::Fields;
use super::malformed;
use crate::{Verdict, WireError};
use rehearsal_model::{Map, Value};

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// What a client can begin with.
#[derive(Debug, PartialEq)]
pub(super) enum Start {
    /// It would like TLS; one byte answers.
    Tls,
    /// It would like encryption by GSSAPI; one byte answers.
    Gss,
    /// It wants a statement of another connection cancelled.
    Cancel,
    /// It wants to work: the minor version of protocol 3, and its parameters.
    Work { minor: u32, parameters: Map },
}

/// Reads the body of a message of start-up.
pub(super) fn read(body: &[u8]) -> Result<Start, WireError> {
    let mut fields = Fields::new(body);
    match fields.u32()? {
        CANCEL => Ok(Start::Cancel),
        SSL => Ok(Start::Tls),
        GSS => Ok(Start::Gss),
        version if version >> 16 == 3 => {
            let mut parameters = Map::new();
            loop {
                let name = fields.zero_ended()?;
                if name.is_empty() {
                    break;
                }
                let name = String::from_utf8_lossy(name).into_owned();
                parameters.insert(name, Value::from_bytes(fields.zero_ended()?));
            }
            Ok(Start::Work { minor: version & 0xffff, parameters })
        }
        _ => Err(malformed("a version of the protocol other than 3")),
    }
}

/// The request that stands for a wish for TLS in recordings.
pub(super) fn tls() -> Map {
    Map::from([("tls", true)])
}

/// Whether a connection that begins so speaks PostgreSQL.
pub(super) fn detect(client: &[u8]) -> Verdict {
    if client.iter().zip([0, 0]).any(|(byte, expected)| *byte != expected) {
        return Verdict::No;
    }
    let Some(&[a, b, c, d, e, f, g, h]) = client.get(..8) else {
        return Verdict::NeedMore;
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    match (u32::from_be_bytes([e, f, g, h]), length) {
        (CANCEL, 16..=272) | (SSL | GSS, 8) => Verdict::Yes,
        (version, 9..=10_000) if version >> 16 == 3 && version & 0xffff < 16 => Verdict::Yes,
        _ => Verdict::No,
    }
}
