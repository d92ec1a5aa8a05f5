//! Changes of the session that a server reports with an OK (MySQL source documentation, "OK_Packet").

use super::fields::{Fields, put_sized};
use crate::WireError;
use rehearsal_model::{Map, Value};

const VARIABLE: u8 = 0;

/// Changes whose data is one text, by their number.
const TEXTS: &[(u8, &str)] =
    &[(1, "schema"), (2, "changed"), (4, "transaction"), (5, "transaction_state")];

const GTIDS: u8 = 3;

/// Reads the changes.
pub(super) fn read(data: &[u8]) -> Result<Vec<Value>, WireError> {
    let mut fields = Fields::new(data);
    let mut changes = Vec::new();
    while !fields.is_empty() {
        let kind = fields.byte()?;
        let data = fields.sized()?;
        let mut inner = Fields::new(data);
        if kind == VARIABLE {
            while !inner.is_empty() {
                let name = Value::from_bytes(inner.sized()?);
                let value = Value::from_bytes(inner.sized()?);
                changes.push(Value::Map(Map::from([("variable", name), ("value", value)])));
            }
            continue;
        }
        let change = match TEXTS.iter().find(|(known, _)| *known == kind) {
            Some((_, name)) => Map::from([(*name, Value::from_bytes(inner.sized()?))]),
            None if kind == GTIDS => {
                inner.byte()?;
                Map::from([("gtids", Value::from_bytes(inner.sized()?))])
            }
            None => {
                let data = Value::from_bytes(data);
                Map::from([("change", Value::from(i32::from(kind))), ("data", data)])
            }
        };
        changes.push(Value::Map(change));
    }
    Ok(changes)
}

/// Writes the changes; what is none is left out.
pub(super) fn write(changes: &[Value], out: &mut Vec<u8>) {
    for change in changes.iter().filter_map(Value::as_map) {
        let bytes = |key: &str| change.get(key).and_then(Value::as_bytes);
        let mut data = Vec::new();
        let text = TEXTS.iter().find_map(|(kind, name)| Some((*kind, bytes(name)?)));
        let kind = if let Some(name) = bytes("variable") {
            put_sized(&mut data, name);
            put_sized(&mut data, bytes("value").unwrap_or_default());
            VARIABLE
        } else if let Some((kind, text)) = text {
            put_sized(&mut data, text);
            kind
        } else if let Some(gtids) = bytes("gtids") {
            data.push(0);
            put_sized(&mut data, gtids);
            GTIDS
        } else {
            let kind = change.get("change").and_then(Value::as_i64);
            let Some(kind) = kind.and_then(|kind| u8::try_from(kind).ok()) else { continue };
            data.extend_from_slice(bytes("data").unwrap_or_default());
            kind
        };
        out.push(kind);
        put_sized(out, &data);
    }
}
