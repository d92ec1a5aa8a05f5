//! Values in the text format.
//!
//! The text of a value is what the server printed under the settings of its connection; whatever
//! would not be printed the same again from a more telling form stays text.

use super::types::{Kind, kind};
use super::{array, bytea};
use rehearsal_model::{Number, Value};

/// The value that a text stands for.
pub(super) fn decode(oid: u32, text: &[u8]) -> Value {
    let plain = || Value::from_bytes(text);
    let read = || {
        let string = std::str::from_utf8(text).ok()?;
        match kind(oid) {
            Kind::Bool => match string {
                "t" => Some(Value::Bool(true)),
                "f" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Integer(_) | Kind::Oid | Kind::Float(_) | Kind::Numeric => {
                Number::parse(string).map(Value::Number)
            }
            Kind::Bytea => bytea::decode(string).map(Value::Bytes),
            Kind::Array(element) => {
                let value = array::decode_text(element, string)?;
                let again = array::encode_text(element, &value)?;
                (again == text).then_some(value)
            }
            _ => None,
        }
    };
    read().unwrap_or_else(plain)
}

/// The text of a value, or `None` when the type has no such value.
pub(super) fn encode(oid: u32, value: &Value) -> Option<Vec<u8>> {
    match (kind(oid), value) {
        (_, Value::Text(text)) => Some(text.clone().into_bytes()),
        (Kind::Bool, Value::Bool(true)) => Some(b"t".to_vec()),
        (Kind::Bool, Value::Bool(false)) => Some(b"f".to_vec()),
        (
            Kind::Integer(_) | Kind::Oid | Kind::Float(_) | Kind::Numeric | Kind::Other,
            Value::Number(number),
        ) => Some(number.as_str().as_bytes().to_vec()),
        (Kind::Bytea, Value::Bytes(bytes)) => Some(bytea::encode(bytes)),
        (Kind::Text | Kind::Other, Value::Bytes(bytes)) => Some(bytes.clone()),
        (Kind::Array(element), Value::List(_)) => array::encode_text(element, value),
        _ => None,
    }
}
