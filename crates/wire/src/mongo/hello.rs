//! What a server says of itself when it is greeted.
//!
//! Recordings keep what stays the same: versions, limits, names of hosts. A played server offers no
//! compression and no stream of news, so that drivers ask again from time to time instead.

use super::message::Said;
use rehearsal_model::{Map, Value};

/// Keys that belong to one run, one connection or one user, or offer what is not played.
const LEFT_OUT: [&str; 10] = [
    "compression",
    "connectionId",
    "electionId",
    "helloOk",
    "lastWrite",
    "localTime",
    "saslSupportedMechs",
    "speculativeAuthenticate",
    "topologyVersion",
    "ismaster",
];

/// What a recording keeps. Old and new drivers ask by different names and are told the same.
pub(super) fn read(document: Map) -> Map {
    let primary = document.get("ismaster").cloned();
    let kept = document.into_iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
    let mut kept: Map = kept.collect();
    if let Some(primary) = primary
        && kept.get("isWritablePrimary").is_none()
    {
        kept.push_new("isWritablePrimary", primary);
    }
    kept
}

/// What belongs to this connection, added to what was recorded.
pub(super) fn write(asked: &Said, connection: u32, reply: &mut Map) {
    if let Some(primary) = reply.get("isWritablePrimary").cloned() {
        reply.insert("ismaster", primary);
        reply.insert("helloOk", true);
    }
    reply.insert("connectionId", Value::from(connection));
    if asked.document.get("saslSupportedMechs").is_some() {
        reply.insert("saslSupportedMechs", vec!["SCRAM-SHA-256", "SCRAM-SHA-1"]);
    }
}
