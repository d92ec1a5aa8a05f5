//! How a call ended: `grpc-status`, `grpc-message` and `grpc-status-details-bin` as one value.
//!
//! What would not come back as it was stays among the trailers. Where the fields stood is kept by a
//! placeholder unless they stood before all others.

use super::base64;
use super::protobuf::{self, Schemas};
use rehearsal_model::{Map, Value};

/// Stands where a field was that the value gives.
const AUTO: &str = "auto";

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
/// In the order in which they stand when nothing else is said.
const FIELDS: [&str; 3] = [STATUS, MESSAGE, DETAILS];

/// The codes by number (gRPC, "Status codes and their use").
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A header or trailer field.
pub(crate) type Field = (String, Value);

/// Where the fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Among the headers: there is nothing but the status.
    Headers,
    Trailers,
}

/// Takes how a call ended out of its last fields; `None` when they do not say it.
pub(crate) fn lift(fields: &mut Vec<Field>, block: Block, schemas: &Schemas) -> Option<Value> {
    let text = |name: &str| {
        let mut found = fields.iter().filter(|(other, _)| other == name);
        // A field that comes twice is left alone.
        let (first, second) = (found.next(), found.next());
        first.filter(|_| second.is_none()).and_then(|(_, value)| value.as_text())
    };
    let code = text(STATUS)?;
    let number = code.parse::<usize>().ok().filter(|number| number.to_string() == code)?;
    let mut map = Map::new();
    match NAMES.get(number) {
        Some(name) => map.push_new("status", *name),
        None => map.push_new("status", number),
    }
    let mut lifted = vec![STATUS];
    let message = text(MESSAGE).and_then(read_message);
    if let Some(message) = &message {
        map.push_new("message", message.as_str());
        lifted.push(MESSAGE);
    }
    let plain = message.as_deref().unwrap_or_default();
    if let Some(details) = text(DETAILS).and_then(|it| read_details(it, number, plain, schemas)) {
        map.push_new("details", details);
        lifted.push(DETAILS);
    }
    let is_first = || {
        fields.iter().map(|(name, _)| name.as_str()).take(lifted.len()).eq(lifted.iter().copied())
    };
    if block == Block::Trailers && is_first() {
        fields.drain(..lifted.len());
    } else {
        let lifted = |name: &str| lifted.contains(&name);
        fields.iter_mut().filter(|(name, _)| lifted(name)).for_each(|it| it.1 = AUTO.into());
    }
    Some(Value::Map(map))
}

/// Puts how a call ended among its last fields.
///
/// `Err` says what is wrong with the value.
pub(crate) fn lower(
    ended: &Value,
    fields: &mut Vec<Field>,
    block: Block,
    schemas: &Schemas,
) -> Result<(), String> {
    let Value::Map(map) = ended else {
        return Err(format!("grpc is {}; it must be a map with a status", ended.kind()));
    };
    let code = code_of(map.get("status"))?;
    let message = match map.get("message") {
        None => None,
        Some(Value::Text(text)) => Some(text.as_str()),
        Some(other) => return Err(format!("grpc.message is {}; it must be text", other.kind())),
    };
    let plain = message.unwrap_or_default();
    let details = map.get("details").map(|details| write_details(details, code, plain, schemas));
    let made = [Some(code.to_string()), message.map(write_message), details.transpose()?];
    let mut missing = Vec::new();
    for (name, value) in FIELDS.into_iter().zip(made) {
        let place =
            fields.iter_mut().find(|(other, old)| other == name && old.as_text() == Some(AUTO));
        match (place, value) {
            (Some(place), Some(value)) => place.1 = Value::Text(value),
            (Some(_), None) => {
                fields.retain(|(other, old)| other != name || old.as_text() != Some(AUTO))
            }
            (None, Some(value)) => missing.push((name.to_owned(), Value::Text(value))),
            (None, None) => {}
        }
    }
    match block {
        Block::Trailers => drop(fields.splice(0..0, missing)),
        Block::Headers => fields.extend(missing),
    }
    Ok(())
}

/// Whether fields have a placeholder for a status.
pub(crate) fn has_place(fields: &[(&str, &Value)]) -> bool {
    fields.iter().any(|(name, value)| *name == STATUS && value.as_text() == Some(AUTO))
}

/// The text of a binary field that is sent as bytes behind a zero, as some libraries do among
/// themselves; everywhere else it is base64.
pub(crate) fn binary_field(name: &str, value: &[u8]) -> Option<String> {
    let bytes = value.strip_prefix(b"\0")?;
    name.ends_with("-bin").then(|| base64::encode(bytes))
}

/// Why a call failed, in a few words, when it did.
pub(crate) fn failure(response: &Map) -> Option<String> {
    let ended = response.get("grpc")?.as_map()?;
    let status = match ended.get("status")? {
        Value::Text(name) if name != NAMES[0] => name.clone(),
        Value::Number(number) => format!("status {number}"),
        _ => return None,
    };
    match ended.text("message").filter(|message| !message.is_empty()) {
        Some(message) => Some(format!("{status}: {message}")),
        None => Some(status),
    }
}

fn code_of(status: Option<&Value>) -> Result<usize, String> {
    match status {
        Some(Value::Text(name)) => NAMES
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| format!("grpc.status is {name:?}; the codes are {}", NAMES.join(", "))),
        Some(Value::Number(number)) => number.as_str().parse().map_err(|_| {
            format!("grpc.status is {number}; it must be the name of a code, or its number")
        }),
        _ => Err("grpc has no status; give the name of a code, such as OK".to_owned()),
    }
}

/// The text of a message, when writing it gives the same again.
fn read_message(encoded: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.as_bytes();
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        match (byte, rest) {
            (b'%', [high, low, rest @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                plain.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
                bytes = rest;
            }
            (byte, _) => plain.push(*byte),
        }
    }
    let plain = String::from_utf8(plain).ok()?;
    (write_message(&plain) == encoded).then_some(plain)
}

/// Everything but printable ASCII, and the percent sign, as `%XX` (gRPC over HTTP/2, "Status-Message").
pub(super) fn write_message(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The details, alone when the rest says what the other fields say.
fn read_details(encoded: &str, code: usize, message: &str, schemas: &Schemas) -> Option<Value> {
    let of = schemas.message("google.rpc.Status");
    let value = protobuf::decode(&base64::decode(encoded.as_bytes())?, of, schemas);
    if matches!(value, Value::Bytes(_)) {
        return None;
    }
    let alone = value.as_map().and_then(|map| map.get("details")).cloned();
    [alone, Some(value)].into_iter().flatten().find(|shown| {
        write_details(shown, code, message, schemas).is_ok_and(|written| written == encoded)
    })
}

fn write_details(
    details: &Value,
    code: usize,
    message: &str,
    schemas: &Schemas,
) -> Result<String, String> {
    let mut whole = Map::new();
    let value = match details {
        Value::List(_) => {
            if code != 0 {
                whole.push_new("code", code);
            }
            if !message.is_empty() {
                whole.push_new("message", message);
            }
            whole.push_new("details", details.clone());
            &Value::Map(whole)
        }
        whole => whole,
    };
    let bytes = protobuf::encode(value, schemas.message("google.rpc.Status"), schemas);
    Ok(base64::encode(&bytes.map_err(|problem| format!("grpc.details: {problem}"))?))
}
