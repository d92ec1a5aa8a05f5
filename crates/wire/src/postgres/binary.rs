//! Values in the binary format (the `*send` and `*recv` functions in PostgreSQL's
//! `src/backend/utils/adt`).
//!
//! The readable form is the one that the text format has. Bytes that would not come out the same
//! from it are kept as bytes.

use super::types::{Kind, kind};
use super::{address, array, float, moment, numeric, range, span};
use rehearsal_model::{Number, Value};

/// The value that bytes stand for.
pub(super) fn decode(oid: u32, bytes: &[u8]) -> Value {
    let kind = kind(oid);
    if matches!(kind, Kind::Text | Kind::Other) {
        return Value::from_bytes(bytes);
    }
    if kind == Kind::Bytea {
        return Value::Bytes(bytes.to_vec());
    }
    read(kind, bytes)
        .filter(|value| write(kind, value).as_deref() == Some(bytes))
        .unwrap_or_else(|| Value::Bytes(bytes.to_vec()))
}

/// The bytes of a value, or `None` when the type has no such value.
pub(super) fn encode(oid: u32, value: &Value) -> Option<Vec<u8>> {
    let kind = kind(oid);
    match (kind, value) {
        (_, Value::Bytes(bytes)) => Some(bytes.clone()),
        (Kind::Other, Value::Number(number)) => Some(number.as_str().as_bytes().to_vec()),
        _ => write(kind, value),
    }
}

fn read(kind: Kind, bytes: &[u8]) -> Option<Value> {
    match kind {
        Kind::Bool => Some(Value::Bool(*bytes.first()? == 1)),
        Kind::Integer(2) => Some(i32::from(i16::from_be_bytes(bytes.try_into().ok()?)).into()),
        Kind::Integer(4) => Some(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Integer(_) => Some(i64::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Oid => Some(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Float(4) => float::from_4(f32::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Float(_) => float::from_8(f64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Numeric => {
            let text = numeric::read(bytes)?;
            Some(Number::parse(&text).map_or_else(|| text.into(), Value::Number))
        }
        Kind::Date => moment::read_date(bytes).map(Value::from),
        Kind::Time => moment::read_time(bytes).map(Value::from),
        Kind::TimeTz => moment::read_zoned_time(bytes).map(Value::from),
        Kind::Timestamp => moment::read_timestamp(bytes, false).map(Value::from),
        Kind::TimestampTz => moment::read_timestamp(bytes, true).map(Value::from),
        Kind::Interval => span::read(bytes).map(Value::from),
        Kind::Uuid => address::read_uuid(bytes).map(Value::from),
        Kind::Jsonb => match bytes.split_first()? {
            (1, json) => Some(Value::from(std::str::from_utf8(json).ok()?)),
            _ => None,
        },
        Kind::Inet(_) => address::read_inet(bytes).map(Value::from),
        Kind::Macaddr => address::read_mac(bytes).map(Value::from),
        Kind::Bits => address::read_bits(bytes).map(Value::from),
        Kind::Range(bound) => range::read(bound, bytes).map(Value::from),
        Kind::Multirange(bound) => range::read_many(bound, bytes).map(Value::from),
        Kind::Array(element) => array::decode_binary(element, bytes),
        Kind::Text | Kind::Bytea | Kind::Other => None,
    }
}

fn write(kind: Kind, value: &Value) -> Option<Vec<u8>> {
    let integer = || value.as_i64();
    let text = || value.as_text();
    match kind {
        Kind::Bool => match value {
            Value::Bool(value) => Some(vec![u8::from(*value)]),
            _ => None,
        },
        Kind::Integer(2) => Some(i16::try_from(integer()?).ok()?.to_be_bytes().to_vec()),
        Kind::Integer(4) => Some(i32::try_from(integer()?).ok()?.to_be_bytes().to_vec()),
        Kind::Integer(_) => Some(integer()?.to_be_bytes().to_vec()),
        Kind::Oid => Some(u32::try_from(integer()?).ok()?.to_be_bytes().to_vec()),
        Kind::Float(4) => Some(float::spelling(value)?.parse::<f32>().ok()?.to_be_bytes().into()),
        Kind::Float(_) => Some(float::spelling(value)?.parse::<f64>().ok()?.to_be_bytes().into()),
        Kind::Numeric => numeric::write(float::spelling(value)?),
        Kind::Date => moment::write_date(text()?),
        Kind::Time => moment::write_time(text()?),
        Kind::TimeTz => moment::write_zoned_time(text()?),
        Kind::Timestamp => moment::write_timestamp(text()?, false),
        Kind::TimestampTz => moment::write_timestamp(text()?, true),
        Kind::Interval => span::write(text()?),
        Kind::Uuid => address::write_uuid(text()?),
        Kind::Jsonb => Some([&[1], text()?.as_bytes()].concat()),
        Kind::Inet(network) => address::write_inet(text()?, network),
        Kind::Macaddr => address::write_mac(text()?),
        Kind::Bits => address::write_bits(text()?),
        Kind::Range(bound) => range::write(bound, text()?),
        Kind::Multirange(bound) => range::write_many(bound, text()?),
        Kind::Array(element) => array::encode_binary(element, value),
        Kind::Text | Kind::Bytea | Kind::Other => value.as_bytes().map(<[u8]>::to_vec),
    }
}
