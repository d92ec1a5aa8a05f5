//! The logical time that servers of a cluster tell with each reply, and that clients hand on.
//!
//! It belongs to one run, so it is no part of recordings. A played server whose recorded greeting is that
//! of a cluster tells one that stands still: sessions want to be told any.

use rehearsal_model::{Map, Value};

/// Whether a greeting is that of a server that tells the time: of a replica set or before shards.
pub(super) fn is_told_by(greeting: &Map) -> bool {
    greeting.get("setName").is_some() || greeting.text("msg") == Some("isdbgrid")
}

/// Adds the time to a reply.
pub(super) fn tell(reply: &mut Map) {
    let time = || Map::from([("$timestamp", Map::from([("t", 1), ("i", 1)]))]);
    if reply.get("operationTime").is_some() {
        return;
    }
    reply.push_new("operationTime", time());
    let signature = Map::from([
        ("hash", Value::Bytes(vec![0; 20])),
        ("keyId", Value::Map(Map::from([("$numberLong", "0")]))),
    ]);
    let cluster =
        Map::from([("clusterTime", Value::Map(time())), ("signature", Value::Map(signature))]);
    reply.push_new("$clusterTime", cluster);
}

/// A pipeline without the time from which a change stream is to be told of changes: that one is given
/// matters, and not which.
pub(super) fn without_start(pipeline: &mut Value) {
    let Value::List(stages) = pipeline else { return };
    let Some(Value::Map(first)) = stages.first_mut() else { return };
    if let Some(Value::Map(stream)) = first.get_mut("$changeStream")
        && stream.get("startAtOperationTime").is_some()
    {
        stream.insert("startAtOperationTime", "a time of the server");
    }
}
