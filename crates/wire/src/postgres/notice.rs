//! Errors and notices: their fields by name (PostgreSQL documentation, "Error and Notice Message
//! Fields").

use super::fields::Fields;
use super::frames::{self, Frames};
use crate::WireError;
use rehearsal_model::{Map, Value};

/// The byte of a field and its name in recordings.
const NAMES: &[(u8, &str)] = &[
    (b'V', "severity"),
    (b'C', "code"),
    (b'M', "message"),
    (b'D', "detail"),
    (b'H', "hint"),
    (b'P', "position"),
    (b'p', "internal_position"),
    (b'q', "internal_query"),
    (b'W', "where"),
    (b's', "schema"),
    (b't', "table"),
    (b'c', "column"),
    (b'd', "datatype"),
    (b'n', "constraint"),
    (b'F', "file"),
    (b'L', "line"),
    (b'R', "routine"),
    (b'S', "localized_severity"),
];

/// Reads an ErrorResponse or a NoticeResponse. A severity in the language of the people is kept
/// only where it is another word.
pub(super) fn read(body: &[u8]) -> Result<Map, WireError> {
    let mut fields = Fields::new(body);
    let mut map = Map::new();
    loop {
        let kind = fields.byte()?;
        if kind == 0 {
            break;
        }
        let text = Value::from_bytes(fields.zero_ended()?);
        if let Some((_, name)) = NAMES.iter().find(|(byte, _)| *byte == kind) {
            map.insert(*name, text);
        }
    }
    // Servers before 9.6 send only the one in the language of the people.
    match (map.get("severity").cloned(), map.remove("localized_severity")) {
        (Some(severity), Some(localized)) if severity != localized => {
            map.insert("localized_severity", localized);
        }
        (None, Some(localized)) => _ = map.insert("severity", localized),
        _ => {}
    }
    Ok(map)
}

/// Writes an ErrorResponse (`E`) or a NoticeResponse (`N`).
pub(super) fn write(kind: u8, map: &Map, frames: &mut Frames) {
    frames.add(kind, |out| {
        if let Some(severity) = map.get("severity")
            && map.get("localized_severity").is_none()
        {
            field(b'S', severity, out);
        }
        for (byte, name) in NAMES {
            if let Some(value) = map.get(name) {
                field(*byte, value, out);
            }
        }
        out.push(0);
    });
}

fn field(byte: u8, value: &Value, out: &mut Vec<u8>) {
    out.push(byte);
    match value {
        Value::Number(number) => frames::zero_ended(out, number.as_str().as_bytes()),
        value => frames::zero_ended(out, value.as_bytes().unwrap_or_default()),
    }
}

/// Reads a NotificationResponse.
pub(super) fn read_notification(body: &[u8]) -> Result<Map, WireError> {
    let mut fields = Fields::new(body);
    fields.i32()?;
    let channel = Value::from_bytes(fields.zero_ended()?);
    let payload = Value::from_bytes(fields.zero_ended()?);
    Ok(Map::from([("notify", channel), ("payload", payload)]))
}

/// Writes a notice or a notification, whichever a recording has.
pub(super) fn write_any(map: &Map, process: i32, frames: &mut Frames) {
    let Some(channel) = map.get("notify") else { return write(b'N', map, frames) };
    let [channel, payload] = [Some(channel), map.get("payload")]
        .map(|value| value.and_then(Value::as_bytes).unwrap_or_default());
    write_notification(channel, payload, process, frames);
}

/// Writes a NotificationResponse.
pub(super) fn write_notification(
    channel: &[u8],
    payload: &[u8],
    process: i32,
    frames: &mut Frames,
) {
    frames.add(b'A', |out| {
        out.extend_from_slice(&process.to_be_bytes());
        frames::zero_ended(out, channel);
        frames::zero_ended(out, payload);
    });
}
