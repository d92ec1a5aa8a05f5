//! BSON (specification 1.1) as values and back, byte for byte.
//!
//! What YAML says by itself is written so: text, booleans, null, lists, maps, doubles with their
//! point, integers of 32 bits, and longer ones that need their 64. The rest is a map whose first key
//! says what it is, as in MongoDB Extended JSON v2 (`{$oid: …}`, `{$date: …}`, `{$numberLong: "5"}`).
//! It knows nothing of commands.

mod date;
mod decimal;
mod marked;
mod read;
mod write;

pub(super) use read::{Budget, document, skip};

use crate::WireError;
use crate::base64;
use rehearsal_model::{Map, Value};

/// How deep documents may stand in one another; servers refuse more than 180 or so.
const DEEPEST: usize = 190;

/// The first keys of maps that stand for something else than a document of that key. A document that
/// begins with one of them is written as `{$document: [[key, value], …]}`.
const MARKS: [&str; 18] = [
    "$array",
    "$binary",
    "$code",
    "$date",
    "$dbPointer",
    "$document",
    "$maxKey",
    "$minKey",
    "$numberDecimal",
    "$numberDouble",
    "$numberInt",
    "$numberLong",
    "$oid",
    "$regularExpression",
    "$symbol",
    "$timestamp",
    "$undefined",
    "$uuid",
];

fn is_mark(key: &str) -> bool {
    key.starts_with('$') && MARKS.contains(&key)
}

/// What keeps a value from being one of BSON.
pub(super) fn problem(value: &Value) -> Option<WireError> {
    write::value(value, 0, &mut Vec::new()).err()
}

/// Writes a document: a map, or `{$document: …}`.
pub(super) fn write(document: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    write::document(document, out)
}

/// Bytes as the value that stands for them.
pub(super) fn binary(bytes: &[u8]) -> Value {
    marked::binary(0, bytes)
}

/// The bytes that a value stands for.
pub(super) fn bytes(value: &Value) -> Option<Vec<u8>> {
    base64::decode(value.as_map()?.get("$binary")?.as_map()?.text("base64")?)
}

/// Whether a map stands for a value that is no document.
pub(super) fn is_marked(map: &Map) -> bool {
    map.keys().next().is_some_and(is_mark)
}

#[cfg(test)]
mod tests;
