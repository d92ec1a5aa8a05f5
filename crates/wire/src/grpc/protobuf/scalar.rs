//! Scalars between their encoding and the values that show them.
//!
//! A value is shown by the name of its field only when writing it gives the same bytes.

use super::elements::Wire;
use super::schema::{Kind, Schemas};
use rehearsal_model::{Number, Value};

/// The value of a scalar field; `None` when the element is not how the field is encoded.
pub(super) fn read(kind: Kind, wire: Wire<'_>, schemas: &Schemas) -> Option<Value> {
    match wire {
        Wire::Varint(value) => read_varint(kind, value, schemas),
        Wire::Fixed64(bits) => match kind {
            Kind::Double => from_double(f64::from_bits(bits)),
            Kind::Fixed64 => Some(bits.into()),
            Kind::Sfixed64 => Some(bits.cast_signed().into()),
            _ => None,
        },
        Wire::Fixed32(bits) => match kind {
            Kind::Float => from_float(f32::from_bits(bits)),
            Kind::Fixed32 => Some(bits.into()),
            Kind::Sfixed32 => Some(bits.cast_signed().into()),
            _ => None,
        },
        Wire::Length(bytes) => {
            matches!(kind, Kind::String | Kind::Bytes).then(|| Value::from_bytes(bytes))
        }
        Wire::Group(_) => None,
    }
}

fn read_varint(kind: Kind, value: u64, schemas: &Schemas) -> Option<Value> {
    let signed = value.cast_signed();
    match kind {
        Kind::Int64 => Some(signed.into()),
        Kind::Uint64 => Some(value.into()),
        Kind::Int32 => i32::try_from(signed).ok().map(Value::from),
        Kind::Uint32 => u32::try_from(value).ok().map(Value::from),
        Kind::Bool if value <= 1 => Some(Value::Bool(value == 1)),
        Kind::Sint64 => Some(unzigzag(value).into()),
        Kind::Sint32 => u32::try_from(value).ok().map(|value| unzigzag(value.into()).into()),
        Kind::Enum(place) => {
            let number = i32::try_from(signed).ok()?;
            let name = schemas.enums[place].name_of(number);
            Some(name.map_or_else(|| number.into(), Value::from))
        }
        _ => None,
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// A number or the word for one that is none; `None` for a NaN that is not the usual one.
pub(super) fn from_double(value: f64) -> Option<Value> {
    if value.is_nan() {
        return (value.to_bits() == f64::NAN.to_bits()).then(|| "NaN".into());
    }
    spelled(value, format!("{value:?}"))
}

/// As [`from_double`], with the few digits that tell a float from its neighbours.
pub(super) fn from_float(value: f32) -> Option<Value> {
    if value.is_nan() {
        return (value.to_bits() == f32::NAN.to_bits()).then(|| "NaN".into());
    }
    spelled(f64::from(value), format!("{value:?}"))
}

fn spelled(value: f64, debug: String) -> Option<Value> {
    if value.is_infinite() {
        return Some(if value > 0.0 { "Infinity" } else { "-Infinity" }.into());
    }
    Number::parse(debug.strip_suffix(".0").unwrap_or(&debug)).map(Value::Number)
}

/// The encoding of a value that a scalar field shows; `Err` says what the field holds.
pub(super) fn write<'a>(
    kind: Kind,
    value: &'a Value,
    schemas: &Schemas,
) -> Result<Wire<'a>, String> {
    let integer = |least: i128, most: i128| integer(value, least, most);
    Ok(match kind {
        Kind::Double => Wire::Fixed64(double(value)?.to_bits()),
        Kind::Float => Wire::Fixed32(float(value)?.to_bits()),
        Kind::Int64 => Wire::Varint(low_bits(integer(i64::MIN.into(), i64::MAX.into())?)),
        Kind::Uint64 => Wire::Varint(low_bits(integer(0, u64::MAX.into())?)),
        Kind::Int32 => Wire::Varint(low_bits(integer(i32::MIN.into(), i32::MAX.into())?)),
        Kind::Uint32 => Wire::Varint(low_bits(integer(0, u32::MAX.into())?)),
        Kind::Fixed64 => Wire::Fixed64(low_bits(integer(0, u64::MAX.into())?)),
        Kind::Sfixed64 => Wire::Fixed64(low_bits(integer(i64::MIN.into(), i64::MAX.into())?)),
        Kind::Fixed32 => Wire::Fixed32(low_bits(integer(0, u32::MAX.into())?) as u32),
        Kind::Sfixed32 => {
            Wire::Fixed32(low_bits(integer(i32::MIN.into(), i32::MAX.into())?) as u32)
        }
        Kind::Sint64 => {
            Wire::Varint(zigzag(low_bits(integer(i64::MIN.into(), i64::MAX.into())?).cast_signed()))
        }
        Kind::Sint32 => {
            Wire::Varint(zigzag(low_bits(integer(i32::MIN.into(), i32::MAX.into())?).cast_signed()))
        }
        Kind::Bool => match value {
            Value::Bool(truth) => Wire::Varint(u64::from(*truth)),
            other => return Err(expected("true or false", other)),
        },
        Kind::Enum(place) => Wire::Varint(enumerated(value, place, schemas)?),
        Kind::String | Kind::Bytes => match value.as_bytes() {
            Some(bytes) => Wire::Length(bytes),
            None => return Err(expected("text or bytes", value)),
        },
        Kind::Group(_) | Kind::Message(_) => return Err(expected("a message", value)),
    })
}

fn enumerated(value: &Value, place: usize, schemas: &Schemas) -> Result<u64, String> {
    let known = &schemas.enums[place];
    match value {
        Value::Text(name) => match known.number_of(name) {
            Some(number) => Ok(i64::from(number).cast_unsigned()),
            None => {
                let names: Vec<_> =
                    known.values.iter().take(8).map(|(name, _)| name.as_str()).collect();
                Err(format!("{name:?} is no value of {}; it has {}", known.name, names.join(", ")))
            }
        },
        Value::Number(_) => Ok(low_bits(integer(value, i32::MIN.into(), i32::MAX.into())?)),
        other => Err(expected(&format!("a name of {}", known.name), other)),
    }
}

/// The low 64 bits, negative numbers in two's complement.
pub(super) fn low_bits(value: i128) -> u64 {
    value as u64
}

/// A whole number within bounds.
pub(super) fn integer(value: &Value, least: i128, most: i128) -> Result<i128, String> {
    let Value::Number(number) = value else { return Err(expected("a whole number", value)) };
    let spelled = number.as_str();
    let whole = spelled.parse::<i128>().map_err(|_| format!("{spelled} is no whole number"))?;
    match (least..=most).contains(&whole) {
        true => Ok(whole),
        false => Err(format!("{spelled} is not between {least} and {most}")),
    }
}

pub(super) fn double(value: &Value) -> Result<f64, String> {
    floating(value, f64::NAN)
}

pub(super) fn float(value: &Value) -> Result<f32, String> {
    floating(value, f32::NAN)
}

fn floating<T: std::str::FromStr>(value: &Value, nan: T) -> Result<T, String> {
    let spelled = match value {
        Value::Number(number) => number.as_str(),
        Value::Text(text) if text == "NaN" => return Ok(nan),
        Value::Text(text) if matches!(text.as_str(), "Infinity" | "-Infinity") => text,
        other => return Err(expected("a number", other)),
    };
    spelled.parse().map_err(|_| format!("{spelled} is no number"))
}

/// What a value should have been.
pub(super) fn expected(wanted: &str, value: &Value) -> String {
    format!("it is {}; it must be {wanted}", value.kind())
}
