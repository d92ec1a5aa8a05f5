//! What any server answers to what sets a connection up, for what a recording does not have.

use super::{blocking, table};
use bytes::Bytes;
use rehearsal_model::{Map, Value};

/// The usual reply to a command, when there is one.
pub(super) fn reply(words: &[Bytes]) -> Option<Map> {
    let (name, rest) = table::name(words);
    let status = |text: &str| Some(Map::from([("status", text)]));
    match &*name {
        "AUTH" | "SELECT" | "READONLY" | "READWRITE" | "ASKING" | "QUIT" | "CLIENT SETNAME"
        | "CLIENT SETINFO" | "CLIENT TRACKING" | "CLIENT NO-EVICT" | "CLIENT NO-TOUCH"
        | "CLIENT CACHING" | "CLIENT REPLY" => status("OK"),
        "RESET" => status("RESET"),
        "PING" => match rest.first() {
            None => status("PONG"),
            Some(message) => Some(Map::from([("bulk", Value::from_bytes(message))])),
        },
        "ECHO" => Some(Map::from([("bulk", Value::from_bytes(rest.first()?))])),
        // What a driver asks a server for that may be too old to know of it.
        "CLIENT MAINT_NOTIFICATIONS" => Some(Map::from([(
            "error",
            "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.",
        )])),
        "CLIENT ID" => Some(Map::from([("integer", 1)])),
        "CLIENT GETNAME" => Some(Map::from([("nil", true)])),
        "HELLO" => Some(Map::from([("map", hello())])),
        "UNSUBSCRIBE" | "PUNSUBSCRIBE" | "SUNSUBSCRIBE" => {
            Some(Map::from([("confirmed", Value::List(Vec::new()))]))
        }
        _ => blocking::limit(words).map(|_| Map::from([("nil", "array")])),
    }
}

fn hello() -> Map {
    let mut map = Map::from([("server", "redis"), ("version", "7.2.0")]);
    map.push_new("proto", 3);
    map.push_new("id", 1);
    map.push_new("mode", "standalone");
    map.push_new("role", "master");
    map.push_new("modules", Value::List(Vec::new()));
    map
}
