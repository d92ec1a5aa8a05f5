//! Replies in the form of recordings, and back.
//!
//! The order of the keys of a reply is not kept: no driver minds it. The order within documents is.

use super::command::{Command, Kind};
use super::{hello, shape, unwritable};
use crate::{Miss, WireError};
use rehearsal_model::{Map, Number, Value, json};

/// Keys that belong to one run.
const LEFT_OUT: [&str; 10] = [
    "$clusterTime",
    "$configServerState",
    "$configTime",
    "$gleStats",
    "$topologyTime",
    "electionId",
    "lastCommittedOpTime",
    "opTime",
    "operationTime",
    "recoveryToken",
];

/// Keys of a conversation about who one is, which stays out of recordings.
const AUTHENTICATION: [&str; 5] = ["conversationId", "dbname", "done", "payload", "user"];

/// Keys of replies that stand by themselves; the others stand under `fields`.
const OWN: [&str; 8] = [
    "n",
    "nModified",
    "upserted",
    "value",
    "values",
    "lastErrorObject",
    "writeErrors",
    "writeConcernError",
];

/// The keys of a cursor that are batches.
const BATCHES: [&str; 2] = ["firstBatch", "nextBatch"];

/// What a server said, as recordings have it.
pub(super) fn read(command: &Command, mut document: Map) -> Map {
    document = document.into_iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())).collect();
    match command.kind {
        Kind::Hello => document = hello::read(document),
        Kind::Authentication => AUTHENTICATION.iter().for_each(|key| _ = document.remove(key)),
        _ => {}
    }
    let mut map = Map::new();
    if is_zero(document.get("ok")) {
        document.remove("ok");
        map.push_new("error", document);
        return map;
    }
    if is_one(document.get("ok")) {
        document.remove("ok");
    }
    if let Some(Value::Map(cursor)) = document.get_mut("cursor") {
        let rest = read_cursor(command, std::mem::take(cursor), &mut map);
        match rest.is_empty() {
            true => _ = document.remove("cursor"),
            false => _ = document.insert("cursor", rest),
        }
    }
    for key in OWN {
        if document.get(key).is_some_and(|value| shape::fits_reply(key, value))
            && let Some(value) = document.remove(key)
        {
            map.push_new(key, value);
        }
    }
    if !document.is_empty() {
        map.push_new("fields", document);
    }
    map
}

/// Notes what a cursor says; gives what there is no place for.
fn read_cursor(command: &Command, cursor: Map, map: &mut Map) -> Map {
    let (mut rest, mut id, mut name, mut token) = (Map::new(), None, None, None);
    for (key, value) in cursor {
        match key.as_str() {
            "firstBatch" | "nextBatch" if map.is_empty() && value.as_list().is_some() => {
                map.push_new("documents", value);
            }
            "id" if long(&value).is_some() => id = long(&value).filter(|id| *id != 0),
            "ns" if value.as_text().is_some() => {
                name = Some(value).filter(|name| name.as_text() != Some(&command.target))
            }
            "postBatchResumeToken" => token = Some(value),
            _ => rest.push_new(key, value),
        }
    }
    let id = id.map(Value::from);
    for (key, value) in [("cursor", id), ("cursor_of", name), ("resume_token", token)] {
        if let Some(value) = value {
            map.push_new(key, value);
        }
    }
    rest
}

/// What a played server says, as a document.
pub(super) fn write(command: &Command, response: &Map) -> Result<Value, WireError> {
    let mut document = Map::new();
    if let Some(error) = response.get("error") {
        document.push_new("ok", decimal(0));
        merge(&mut document, "error", error)?;
        return Ok(Value::Map(document));
    }
    if let Some(cursor) = write_cursor(command, response)? {
        document.push_new("cursor", cursor);
    }
    for key in OWN {
        if let Some(value) = response.get(key) {
            document.push_new(key, value.clone());
        }
    }
    if let Some(fields) = response.get("fields") {
        merge(&mut document, "fields", fields)?;
    }
    if document.get("ok").is_none() {
        document.push_new("ok", decimal(1));
    }
    Ok(Value::Map(document))
}

fn write_cursor(command: &Command, response: &Map) -> Result<Option<Map>, WireError> {
    let Some(documents) = response.get("documents") else { return Ok(None) };
    if documents.as_list().is_none() {
        return Err(unwritable("`documents` must be a list"));
    }
    let mut id = match response.get("cursor") {
        None => 0,
        Some(id) => long(id).ok_or_else(|| unwritable("`cursor` must be a whole number"))?,
    };
    if command.opens_waiting() || command.request.get("awaits").is_some() {
        // Servers give positive numbers, so that this one is known again on any connection.
        id = id.saturating_neg();
    }
    let batch = BATCHES[usize::from(command.name == "getMore")];
    let name = response.get("cursor_of").cloned();
    let mut cursor = Map::from([(batch, documents.clone())]);
    cursor.push_new("id", Map::from([("$numberLong", id.to_string())]));
    cursor.push_new("ns", name.unwrap_or_else(|| command.target.as_str().into()));
    if let Some(token) = response.get("resume_token") {
        cursor.push_new("postBatchResumeToken", token.clone());
    }
    Ok(Some(cursor))
}

/// Adds the keys of a map.
fn merge(document: &mut Map, key: &str, value: &Value) -> Result<(), WireError> {
    let map = value.as_map().ok_or_else(|| unwritable(&format!("`{key}` must be a map")))?;
    for (key, value) in map.iter() {
        match (document.get_mut(key), value) {
            (Some(Value::Map(inner)), Value::Map(more)) => {
                more.iter().for_each(|(key, value)| _ = inner.insert(key, value.clone()));
            }
            _ => _ = document.insert(key, value.clone()),
        }
    }
    Ok(())
}

/// An error of the played server's own.
pub(super) fn refusal(code: i32, name: &str, message: &str) -> Value {
    let mut document = Map::from([("ok", decimal(0))]);
    document.push_new("errmsg", message);
    document.push_new("code", code);
    document.push_new("codeName", name);
    Value::Map(document)
}

/// The error that says that no mock answers.
pub(super) fn miss(miss: &Miss) -> Value {
    let mut message = miss.message.clone();
    if miss.details != Value::Null {
        message = format!("{message}: {}", json::to_string(&miss.details));
    }
    refusal(8, "UnknownError", &message)
}

/// That it was done.
pub(super) fn done(more: Map) -> Value {
    let mut document = more;
    document.push_new("ok", decimal(1));
    Value::Map(document)
}

/// A whole number as a double.
fn decimal(number: i32) -> Value {
    Number::parse(&format!("{number}.0")).map_or(Value::Null, Value::Number)
}

/// A whole number of any kind.
fn long(value: &Value) -> Option<i64> {
    match value {
        Value::Map(map) => map.text("$numberLong")?.parse().ok(),
        value => value.as_i64(),
    }
}

/// Whether it is the double that servers say. Another number is kept as it is.
fn is_one(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Number(number)) if number.as_str() == "1.0")
}

fn is_zero(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Number(number)) => matches!(number.as_str(), "0" | "0.0"),
        Some(value) => long(value) == Some(0),
        None => false,
    }
}
