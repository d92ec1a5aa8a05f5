//! Well-known types, shown as the JSON mapping of protocol buffers shows them: a Timestamp as a time,
//! a Struct as what it holds, an Any with the message in it.
//!
//! Each is shown so only when that gives back the very bytes. A FieldMask stays a list of paths.

use super::decode::Decoder;
use super::elements::{self, Element, Wire};
use super::encode::Encoder;
use super::schema::Message;
use super::{instant, scalar};
use rehearsal_model::{Map, Value};

/// The key of an Any that tells what is in it.
const TYPE: &str = "@type";

/// The types that are shown in a way of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Timestamp,
    Duration,
    /// A scalar that can be absent.
    Wrapper,
    Struct,
    Value,
    ListValue,
    Any,
}

fn kind_of(message: &Message) -> Option<Kind> {
    let name = message.name.strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => Kind::Timestamp,
        "Duration" => Kind::Duration,
        "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value"
        | "UInt32Value" | "BoolValue" | "StringValue" | "BytesValue" => Kind::Wrapper,
        "Struct" => Kind::Struct,
        "Value" => Kind::Value,
        "ListValue" => Kind::ListValue,
        "Any" => Kind::Any,
        _ => return None,
    })
}

/// The value that shows a message with these fields and bytes; `None` when only the bytes do.
pub(super) fn show(
    decoder: &mut Decoder<'_>,
    message: &Message,
    fields: Value,
    bytes: &[u8],
    depth: usize,
) -> Option<Value> {
    let Some(kind) = kind_of(message) else { return Some(fields) };
    let shown = fields.as_map().and_then(|map| match kind {
        Kind::Timestamp => instant::show_time(map),
        Kind::Duration => instant::show_span(map),
        Kind::Wrapper => show_wrapper(message, map),
        Kind::Struct => show_inside(map, "fields", || Map::new().into()),
        Kind::ListValue => show_inside(map, "values", || Value::List(Vec::new())),
        Kind::Value => show_any_value(map),
        Kind::Any => show_any(decoder, map, depth),
    });
    let encoder = Encoder { schemas: decoder.schemas };
    let gives_back = |shown: &Value| {
        let mut out = Vec::with_capacity(bytes.len());
        encoder.message(shown, Some(message), &mut out).is_ok() && out == bytes
    };
    match shown.filter(gives_back) {
        Some(shown) => Some(shown),
        // Here a map of fields would be taken for what is shown.
        None if matches!(kind, Kind::Struct | Kind::Value | Kind::ListValue) => None,
        None => Some(fields),
    }
}

fn show_wrapper(message: &Message, map: &Map) -> Option<Value> {
    if map.is_empty() {
        return Some(match message.name.as_str() {
            "google.protobuf.BoolValue" => Value::Bool(false),
            "google.protobuf.StringValue" => "".into(),
            // Bytes would be taken for the message's own.
            "google.protobuf.BytesValue" => return None,
            _ => 0.into(),
        });
    }
    let value = map.get("value").filter(|_| map.len() == 1)?;
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::Text(_)).then(|| value.clone())
}

fn show_inside(map: &Map, key: &str, empty: impl Fn() -> Value) -> Option<Value> {
    match map.len() {
        0 => Some(empty()),
        1 => map.get(key).filter(|value| value.kind() == empty().kind()).cloned(),
        _ => None,
    }
}

fn show_any_value(map: &Map) -> Option<Value> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    let right = match (key, value) {
        ("null_value", _) => return Some(Value::Null),
        ("number_value", Value::Number(_))
        | ("string_value", Value::Text(_))
        | ("bool_value", Value::Bool(_))
        | ("struct_value", Value::Map(_))
        | ("list_value", Value::List(_)) => true,
        _ => false,
    };
    right.then(|| value.clone())
}

fn show_any(decoder: &mut Decoder<'_>, map: &Map, depth: usize) -> Option<Value> {
    let url = map.text("type_url")?;
    let schemas = decoder.schemas;
    let inner = schemas.message(type_of(url))?;
    let bytes = match map.get("value") {
        None => &[][..],
        Some(value) => value.as_bytes()?,
    };
    let mut shown = Map::from([(TYPE, url)]);
    match decoder.known(bytes, inner, depth + 1) {
        value if kind_of(inner).is_some() => shown.push_new("value", value),
        Value::Map(map) => map.into_iter().for_each(|(key, value)| shown.push_new(key, value)),
        _ => return None,
    }
    Some(Value::Map(shown))
}

/// The full name at the end of a type URL.
fn type_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// Writes a message that is shown in a way of its own; false when it is shown by its fields.
pub(super) fn write(
    encoder: Encoder<'_>,
    message: &Message,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<bool, String> {
    match (kind_of(message), value) {
        (Some(Kind::Timestamp), Value::Text(text)) => instant::write_time(text, out)?,
        (Some(Kind::Duration), Value::Text(text)) => instant::write_span(text, out)?,
        (Some(Kind::Wrapper), Value::Bool(_) | Value::Number(_) | Value::Text(_)) => {
            write_wrapper(encoder, message, value, out)?;
        }
        (Some(Kind::Struct), Value::Map(map)) => write_struct(map, out)?,
        (Some(Kind::ListValue), Value::List(list)) => write_list(list, out)?,
        (Some(Kind::Value), value) => write_value(value, out)?,
        (Some(Kind::Any), Value::Map(map)) if map.get(TYPE).is_some() => {
            write_any(encoder, map, out)?;
        }
        (Some(Kind::Struct), other) => return Err(scalar::expected("a map", other)),
        (Some(Kind::ListValue), other) => return Err(scalar::expected("a list", other)),
        _ => return Ok(false),
    }
    Ok(true)
}

fn write_wrapper(
    encoder: Encoder<'_>,
    message: &Message,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let field = message.numbered(1).ok_or("its schema has no field 1")?;
    let wire = scalar::write(field.kind, value, encoder.schemas)?;
    if !matches!(wire, Wire::Varint(0) | Wire::Fixed32(0) | Wire::Fixed64(0) | Wire::Length([])) {
        elements::write(Element { number: 1, wire }, out);
    }
    Ok(())
}

fn write_struct(map: &Map, out: &mut Vec<u8>) -> Result<(), String> {
    for (key, value) in map.iter() {
        let mut inner = Vec::new();
        write_value(value, &mut inner).map_err(|problem| format!("{key}: {problem}"))?;
        let mut entry = Vec::new();
        let key = Wire::Length(key.as_bytes());
        elements::write(Element { number: 1, wire: key }, &mut entry);
        elements::write(Element { number: 2, wire: Wire::Length(&inner) }, &mut entry);
        elements::write(Element { number: 1, wire: Wire::Length(&entry) }, out);
    }
    Ok(())
}

fn write_list(list: &[Value], out: &mut Vec<u8>) -> Result<(), String> {
    list.iter().try_for_each(|value| {
        let mut inner = Vec::new();
        write_value(value, &mut inner)?;
        elements::write(Element { number: 1, wire: Wire::Length(&inner) }, out);
        Ok(())
    })
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    let mut inner = Vec::new();
    let (number, wire) = match value {
        Value::Null => (1, Wire::Varint(0)),
        Value::Number(_) => (2, Wire::Fixed64(scalar::double(value)?.to_bits())),
        Value::Text(text) => (3, Wire::Length(text.as_bytes())),
        Value::Bool(truth) => (4, Wire::Varint(u64::from(*truth))),
        Value::Map(map) => {
            write_struct(map, &mut inner)?;
            (5, Wire::Length(&inner))
        }
        Value::List(list) => {
            write_list(list, &mut inner)?;
            (6, Wire::Length(&inner))
        }
        Value::Bytes(bytes) => {
            out.extend_from_slice(bytes);
            return Ok(());
        }
    };
    elements::write(Element { number, wire }, out);
    Ok(())
}

fn write_any(encoder: Encoder<'_>, map: &Map, out: &mut Vec<u8>) -> Result<(), String> {
    let url = map.text(TYPE).ok_or_else(|| format!("{TYPE} must be text"))?;
    let Some(message) = encoder.schemas.message(type_of(url)) else {
        return Err(format!("no schema tells what {url} is"));
    };
    let mut inner = Vec::new();
    if kind_of(message).is_some() {
        let value = map.get("value").ok_or_else(|| format!("{url} has no value"))?;
        encoder.message(value, Some(message), &mut inner)?;
    } else {
        let mut fields = map.clone();
        fields.remove(TYPE);
        encoder.fields(&Value::Map(fields), Some(message), &mut inner)?;
    }
    elements::write(Element { number: 1, wire: Wire::Length(url.as_bytes()) }, out);
    if !inner.is_empty() {
        elements::write(Element { number: 2, wire: Wire::Length(&inner) }, out);
    }
    Ok(())
}
