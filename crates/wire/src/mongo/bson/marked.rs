//! The types that YAML has no form for: maps whose first key says what they are.

use super::super::{malformed, unwritable};
use super::read::Reader;
use super::{date, decimal, write};
use crate::WireError;
use crate::base64;
use rehearsal_model::{Map, Value};

/// Reads a value of such a type.
pub(super) fn read(
    kind: u8,
    reader: &mut Reader<'_, '_>,
    depth: usize,
) -> Result<Value, WireError> {
    let one = |mark: &str, value: Value| Value::Map(Map::from([(mark, value)]));
    Ok(match kind {
        0x05 => {
            let length = reader.length()?;
            let [kind] = reader.chunk()?;
            binary(kind, reader.take(length)?)
        }
        0x06 => one("$undefined", true.into()),
        0x07 => one("$oid", base64::hex(&reader.chunk::<12>()?).into()),
        0x09 => {
            let time = i64::from_le_bytes(reader.chunk()?);
            let long = || Map::from([("$numberLong", time.to_string())]).into();
            one("$date", date::to_text(time).map_or_else(long, Value::from))
        }
        0x0b => {
            let (pattern, options) = (reader.zero_ended()?, reader.zero_ended()?);
            let parts = Map::from([("pattern", pattern), ("options", options)]);
            one("$regularExpression", parts.into())
        }
        0x0c => {
            let name = reader.string()?;
            let id = base64::hex(&reader.chunk::<12>()?);
            let parts = Map::from([("$ref", name), ("$id", Map::from([("$oid", id)]).into())]);
            one("$dbPointer", parts.into())
        }
        0x0d => one("$code", reader.string()?),
        0x0e => one("$symbol", reader.string()?),
        0x0f => {
            let end = (reader.left()).checked_sub(reader.length()?);
            let code = reader.string()?;
            let scope = reader.document(depth + 1)?;
            if end != Some(reader.left()) {
                return Err(malformed("a function whose length is wrong"));
            }
            Map::from([("$code", code), ("$scope", scope)]).into()
        }
        0x11 => {
            let number = u64::from_le_bytes(reader.chunk()?);
            let parts = Map::from([("t", number >> 32), ("i", number & 0xffff_ffff)]);
            one("$timestamp", parts.into())
        }
        0x13 => {
            let bits = u128::from_le_bytes(reader.chunk()?);
            let raw = || Map::from([("bits", base64::hex(&bits.to_be_bytes()))]).into();
            one("$numberDecimal", decimal::to_text(bits).map_or_else(raw, Value::from))
        }
        0x7f => one("$maxKey", 1.into()),
        0xff => one("$minKey", 1.into()),
        _ => return Err(malformed("a value of an unknown type")),
    })
}

pub(super) fn binary(kind: u8, bytes: &[u8]) -> Value {
    if let Some(uuid) = base64::uuid(bytes).filter(|_| kind == 4) {
        return Map::from([("$uuid", uuid)]).into();
    }
    let (data, kind) = (base64::encode(bytes), format!("{kind:02x}"));
    Map::from([("$binary", Map::from([("base64", data), ("subType", kind)]))]).into()
}

/// A double that is no number that can be written.
pub(super) fn odd_double(number: f64) -> Value {
    let bits = number.to_bits();
    let name = match () {
        () if number == f64::INFINITY => Value::from("Infinity"),
        () if number == f64::NEG_INFINITY => Value::from("-Infinity"),
        () if bits == f64::NAN.to_bits() => Value::from("NaN"),
        () => Map::from([("bits", base64::hex(&bits.to_be_bytes()))]).into(),
    };
    Map::from([("$numberDouble", name)]).into()
}

/// Writes what a map with such a first key stands for; gives its type.
pub(super) fn put(mark: &str, map: &Map, depth: usize, out: &mut Vec<u8>) -> Result<u8, WireError> {
    let keys = if mark == "$code" { &["$code", "$scope"][..] } else { &[mark] };
    if let Some(key) = map.keys().find(|key| !keys.contains(key)) {
        return Err(unwritable(&format!("`{key}` does not belong beside `{mark}`")));
    }
    let value = map.get(mark).unwrap_or(&Value::Null);
    match mark {
        "$numberInt" | "$numberLong" | "$numberDouble" | "$numberDecimal" => {
            return number(mark, value, out);
        }
        "$binary" | "$uuid" => return write_binary(mark, value, out),
        "$document" | "$array" => return write::pairs(mark, value, depth, out),
        "$code" => return code(map, depth, out),
        _ => {}
    }
    let wrong = || wrong(mark);
    Ok(match mark {
        "$undefined" => 0x06,
        "$maxKey" => 0x7f,
        "$minKey" => 0xff,
        "$symbol" => {
            write::string(value, out).ok_or_else(wrong)?;
            0x0e
        }
        "$oid" => {
            let id = value.as_text().and_then(base64::from_hex::<12>).ok_or_else(wrong)?;
            out.extend_from_slice(&id);
            0x07
        }
        "$date" => {
            let long = || text_at(value, "$numberLong")?.parse().ok();
            let time = value.as_text().and_then(date::from_text).or_else(long).ok_or_else(wrong)?;
            out.extend_from_slice(&time.to_le_bytes());
            0x09
        }
        "$timestamp" => {
            let part = |key| u32::try_from(value.as_map()?.get(key)?.as_i64()?).ok();
            let (time, place) = part("t").zip(part("i")).ok_or_else(wrong)?;
            out.extend_from_slice(&place.to_le_bytes());
            out.extend_from_slice(&time.to_le_bytes());
            0x11
        }
        "$regularExpression" => {
            for key in ["pattern", "options"] {
                let part = value.as_map().and_then(|parts| parts.get(key)?.as_bytes());
                write::zero_ended(part.ok_or_else(wrong)?, out)?;
            }
            0x0b
        }
        _ => {
            let parts = value.as_map().ok_or_else(wrong)?;
            let id = parts.get("$id").and_then(|id| base64::from_hex::<12>(text_at(id, "$oid")?));
            write::string(parts.get("$ref").unwrap_or(&Value::Null), out).ok_or_else(wrong)?;
            out.extend_from_slice(&id.ok_or_else(wrong)?);
            0x0c
        }
    })
}

fn wrong(mark: &str) -> WireError {
    let form = match mark {
        "$oid" => "24 hexadecimal digits",
        "$date" => "a moment such as `2024-05-06T07:08:09Z`, or {$numberLong: \"…\"}",
        "$numberInt" | "$numberLong" => "a whole number in quotes that is not too large",
        "$numberDouble" => "a number in quotes, `NaN`, `Infinity` or `-Infinity`",
        "$numberDecimal" => "a decimal number in quotes with 34 digits or fewer",
        "$binary" => "{base64: \"…\", subType: \"00\"}",
        "$uuid" => "a UUID",
        "$timestamp" => "{t: …, i: …} with whole numbers",
        "$regularExpression" => "{pattern: …, options: …}",
        "$dbPointer" => "{$ref: …, $id: {$oid: …}}",
        _ => "text",
    };
    unwritable(&format!("`{mark}` must be {form}"))
}

fn text_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.as_map()?.text(key)
}

fn number(mark: &str, value: &Value, out: &mut Vec<u8>) -> Result<u8, WireError> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Number(number) => number.as_str(),
        _ => "",
    };
    let wrong = || wrong(mark);
    match mark {
        "$numberInt" => {
            out.extend_from_slice(&text.parse::<i32>().map_err(|_| wrong())?.to_le_bytes());
            Ok(0x10)
        }
        "$numberLong" => {
            out.extend_from_slice(&text.parse::<i64>().map_err(|_| wrong())?.to_le_bytes());
            Ok(0x12)
        }
        "$numberDouble" => {
            let raw = text_at(value, "bits").and_then(base64::from_hex::<8>);
            let named = || match text {
                "NaN" => Some(f64::NAN.to_bits().to_be_bytes()),
                _ => Some(text.parse::<f64>().ok()?.to_bits().to_be_bytes()),
            };
            let bytes = raw.or_else(named).ok_or_else(wrong)?;
            out.extend(bytes.iter().rev());
            Ok(0x01)
        }
        _ => {
            let raw = text_at(value, "bits").and_then(base64::from_hex::<16>);
            let named = || Some(decimal::from_text(text)?.to_be_bytes());
            let bytes = raw.or_else(named).ok_or_else(wrong)?;
            out.extend(bytes.iter().rev());
            Ok(0x13)
        }
    }
}

fn write_binary(mark: &str, value: &Value, out: &mut Vec<u8>) -> Result<u8, WireError> {
    let (kind, bytes) = if mark == "$uuid" {
        let uuid = value.as_text().and_then(base64::from_uuid).ok_or_else(|| wrong(mark))?;
        (4, uuid.to_vec())
    } else {
        let kind = text_at(value, "subType").and_then(base64::from_hex::<1>);
        let data = text_at(value, "base64").and_then(base64::decode);
        let ([kind], data) = kind.zip(data).ok_or_else(|| wrong(mark))?;
        (kind, data)
    };
    write::length(bytes.len(), out);
    out.push(kind);
    out.extend_from_slice(&bytes);
    Ok(0x05)
}

fn code(map: &Map, depth: usize, out: &mut Vec<u8>) -> Result<u8, WireError> {
    let code = map.get("$code").unwrap_or(&Value::Null);
    let Some(scope) = map.get("$scope") else {
        write::string(code, out).ok_or_else(|| wrong("$code"))?;
        return Ok(0x0d);
    };
    let place = out.len();
    out.extend_from_slice(&[0; 4]);
    write::string(code, out).ok_or_else(|| wrong("$code"))?;
    if write::value(scope, depth + 1, out)? != 0x03 {
        return Err(unwritable("`$scope` must be a map"));
    }
    write::patch(place, out);
    Ok(0x0f)
}
