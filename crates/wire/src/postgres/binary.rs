//! Values in the binary format (`src/backend/utils/adt` of PostgreSQL, the `*send` functions).
//!
//! Bytes that would not come out the same from the readable form are kept as bytes.

use super::types::{Kind, kind};
use rehearsal_model::Value;

/// The value that bytes stand for.
pub(super) fn decode(oid: u32, bytes: &[u8]) -> Value {
    match kind(oid) {
        Kind::Text | Kind::Other => Value::from_bytes(bytes),
        _ => Value::Bytes(bytes.to_vec()),
    }
}

/// The bytes of a value, or `None` when the type has no such value.
pub(super) fn encode(_oid: u32, value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Text(text) => Some(text.clone().into_bytes()),
        Value::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    }
}
