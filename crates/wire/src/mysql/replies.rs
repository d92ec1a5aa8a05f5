//! What a server answers: OK, errors, and the ends of rows (MySQL source documentation, "Generic
//! Response Packets").

use super::fields::{Fields, put_number, put_sized};
use super::{capabilities, session, status};
use crate::WireError;
use rehearsal_model::{Map, Value};

/// How a statement ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Done {
    pub(super) affected: u64,
    pub(super) last_id: u64,
    pub(super) status: u16,
    pub(super) warnings: u16,
    pub(super) info: Option<Value>,
    pub(super) session: Vec<Value>,
}

impl Done {
    /// Reads an OK packet, whichever byte it begins with.
    pub(super) fn read(body: &[u8], capabilities: u64) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        fields.byte()?;
        let (affected, last_id) = (fields.number()?, fields.number()?);
        let (status, warnings) = (fields.u16()?, fields.u16()?);
        let mut done = Done { affected, last_id, status, warnings, ..Done::default() };
        if fields.is_empty() {
            return Ok(done);
        }
        let mut sized = fields.clone();
        let info = match sized.sized() {
            Ok(info) => {
                fields = sized;
                info
            }
            // Some servers leave the length out.
            Err(_) => std::mem::replace(&mut fields, Fields::new(&[])).rest(),
        };
        done.info = (!info.is_empty()).then(|| Value::from_bytes(info));
        let tracks = capabilities & capabilities::SESSION_TRACK != 0;
        if tracks && status & status::SESSION_CHANGED != 0 && !fields.is_empty() {
            done.session = session::read(fields.sized()?)?;
        }
        Ok(done)
    }

    /// Reads the end of columns or of rows.
    pub(super) fn read_end(body: &[u8], capabilities: u64) -> Result<Self, WireError> {
        if capabilities & capabilities::DEPRECATE_EOF != 0 {
            return Done::read(body, capabilities);
        }
        let mut fields = Fields::new(body);
        fields.byte()?;
        let (warnings, status) = (fields.u16()?, fields.u16()?);
        Ok(Done { status, warnings, ..Done::default() })
    }

    /// Writes an OK packet that begins with that byte.
    pub(super) fn write(&self, head: u8, capabilities: u64, out: &mut Vec<u8>) {
        let tracks = capabilities & capabilities::SESSION_TRACK != 0 && !self.session.is_empty();
        let status = self.status | if tracks { status::SESSION_CHANGED } else { 0 };
        out.push(head);
        put_number(out, self.affected);
        put_number(out, self.last_id);
        out.extend_from_slice(&status.to_le_bytes());
        out.extend_from_slice(&self.warnings.to_le_bytes());
        let info = self.info.as_ref().and_then(Value::as_bytes);
        if info.is_some() || tracks {
            put_sized(out, info.unwrap_or_default());
        }
        if tracks {
            let mut changes = Vec::new();
            session::write(&self.session, &mut changes);
            put_sized(out, &changes);
        }
    }

    /// Writes the end of columns or of rows.
    pub(super) fn write_end(&self, capabilities: u64, out: &mut Vec<u8>) {
        if capabilities & capabilities::DEPRECATE_EOF != 0 {
            return self.write(0xfe, capabilities, out);
        }
        out.push(0xfe);
        out.extend_from_slice(&self.warnings.to_le_bytes());
        out.extend_from_slice(&self.status.to_le_bytes());
    }
}

/// Reads an error.
pub(super) fn read_error(body: &[u8]) -> Result<Map, WireError> {
    let mut fields = Fields::new(body);
    fields.byte()?;
    let mut map = Map::from([("code", i32::from(fields.u16()?))]);
    let mut marked = fields.clone();
    if marked.byte() == Ok(b'#')
        && let Ok(state) = marked.take(5)
    {
        map.push_new("state", Value::from_bytes(state));
        fields = marked;
    }
    map.push_new("message", Value::from_bytes(fields.rest()));
    Ok(map)
}

/// Writes an error.
pub(super) fn write_error(error: &Map, out: &mut Vec<u8>) -> Result<(), WireError> {
    let code = error.get("code").and_then(Value::as_i64).and_then(|code| u16::try_from(code).ok());
    let code = code.ok_or_else(|| super::unwritable("`code` of an error must be a number"))?;
    out.push(0xff);
    out.extend_from_slice(&code.to_le_bytes());
    if let Some(state) = error.text("state").filter(|state| state.len() == 5) {
        out.push(b'#');
        out.extend_from_slice(state.as_bytes());
    }
    out.extend_from_slice(error.get("message").and_then(Value::as_bytes).unwrap_or_default());
    Ok(())
}

/// An error of the played server itself.
pub(super) fn error(code: i32, state: &str, message: &str) -> Map {
    let mut map = Map::from([("code", code)]);
    map.push_new("state", state);
    map.push_new("message", message);
    map
}
