//! Commands in the form of recordings.
//!
//! What belongs to one run, one connection or one driver is left out: sessions, transaction numbers,
//! cluster times, proofs of passwords. Observers and responders read commands here, so that both
//! leave out the same.

use super::message::Said;
use super::{malformed, shape};
use crate::WireError;
use rehearsal_model::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Keys that say nothing of what is wanted.
const LEFT_OUT: [&str; 12] = [
    "$audit",
    "$client",
    "$clusterTime",
    "$configServerState",
    "$configTime",
    "$db",
    "$topologyTime",
    "autocommit",
    "lsid",
    "recoveryToken",
    "startTransaction",
    "txnNumber",
];

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// It is recorded and asked for.
    Ordinary,
    /// The greeting: recorded, with what the driver says of itself left out.
    Hello,
    /// A part of proving who one is.
    Authentication,
    /// A played server answers by itself.
    Housekeeping,
}

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) kind: Kind,
    /// Its name, such as `find`.
    pub(super) name: String,
    /// Database and collection: `shop.orders`, or the database alone.
    pub(super) target: String,
    /// As recordings have it.
    pub(super) request: Map,
    /// What tells its transaction from others, when it is in one: its session and its number.
    pub(super) unit: Option<u64>,
}

/// The name of a command, told apart by what becomes of it.
pub(super) fn kind(name: &str) -> Kind {
    match name {
        "hello" | "isMaster" | "ismaster" => Kind::Hello,
        "saslStart" | "saslContinue" | "authenticate" => Kind::Authentication,
        "endSessions"
        | "killAllSessions"
        | "killAllSessionsByPattern"
        | "killCursors"
        | "killSessions"
        | "logout"
        | "refreshSessions"
        | "startSession" => Kind::Housekeeping,
        _ => Kind::Ordinary,
    }
}

/// Reads a command.
pub(super) fn read(said: &Said) -> Result<Command, WireError> {
    let document = &said.document;
    let Some((name, subject)) = document.iter().next() else {
        return Err(malformed("a command without a name"));
    };
    let database = document.text("$db").unwrap_or("admin");
    let kind = kind(name);
    let subject_of = if name == "getMore" { document.get("collection") } else { Some(subject) };
    let target = match subject_of.and_then(Value::as_text) {
        Some(collection) => format!("{database}.{collection}"),
        None => database.to_owned(),
    };
    let request = match kind {
        Kind::Ordinary => ordinary(name, subject, &target, document),
        Kind::Hello => Map::from([("mongodb", "hello admin")]),
        Kind::Authentication | Kind::Housekeeping => {
            let name = if kind == Kind::Authentication { "authenticate" } else { name };
            Map::from([("mongodb", format!("{name} {database}"))])
        }
    };
    Ok(Command { kind, name: name.to_owned(), target, request, unit: unit(document) })
}

/// Its value says nothing; it is the same for the same transaction in a process.
fn unit(document: &Map) -> Option<u64> {
    document.get("autocommit").filter(|value| **value == Value::Bool(false))?;
    let mut hasher = DefaultHasher::new();
    (document.get("lsid"), document.get("txnNumber")).hash(&mut hasher);
    Some(hasher.finish())
}

fn ordinary(name: &str, subject: &Value, target: &str, document: &Map) -> Map {
    let mut request = Map::from([("mongodb", format!("{name} {target}"))]);
    let mut options = Map::new();
    match subject {
        Value::Number(number) if name == "getMore" && number.as_i64().is_some() => {
            request.push_new("cursor", subject.clone());
        }
        Value::Map(id) if name == "getMore" => {
            // A number that 32 bits could hold says that it has 64; nobody needs to know.
            match id.text("$numberLong").and_then(|id| id.parse::<i64>().ok()) {
                Some(number) => request.push_new("cursor", number),
                None => options.push_new(name, subject.clone()),
            }
        }
        Value::Text(_) => {}
        subject if is_one(subject) => {}
        subject => options.push_new(name, subject.clone()),
    }
    for part in shape::PARTS {
        let mut values = document.iter().skip(1).filter(|(key, _)| *key == part.name);
        if let Some((_, value)) = values.next().filter(|(_, value)| shape::fits(part, value)) {
            request.push_new(part.name, value.clone());
        }
    }
    for (key, value) in document.iter().skip(1) {
        let is_part = shape::PARTS.iter().any(|part| part.name == key && shape::fits(part, value));
        if !is_part && let Some(value) = option(name, key, value) {
            options.push_new(key, value);
        }
    }
    if !options.is_empty() {
        request.push_new("options", options);
    }
    if let Some(place) = transaction(name, document) {
        request.push_new("transaction", place);
    }
    request
}

impl Command {
    /// Whether the cursor that it opens waits for news: change streams, and tailable cursors that wait.
    pub(super) fn opens_waiting(&self) -> bool {
        let options = self.request.get("options").and_then(Value::as_map);
        let is_set = |key| options.and_then(|options| options.get(key)) == Some(&Value::Bool(true));
        let stages = self.request.get("pipeline").and_then(Value::as_list);
        let first = stages.and_then(|stages| stages.first()?.as_map()?.keys().next());
        first == Some("$changeStream") || (is_set("tailable") && is_set("awaitData"))
    }

    /// The cursor that it reads on.
    pub(super) fn cursor(&self) -> Option<i64> {
        self.request.get("cursor")?.as_i64()
    }

    /// Notes that the cursor which it reads on waits for news.
    pub(super) fn waits(&mut self, cursor: i64) {
        self.request.insert("cursor", cursor);
        self.request.insert("awaits", true);
    }
}

/// Whether a value only stands there because a command needs one.
fn is_one(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Number(number) => matches!(number.as_str(), "1" | "1.0"),
        Value::Map(map) => map.text("$numberLong") == Some("1"),
        _ => false,
    }
}

/// What is kept of an option.
fn option(command: &str, key: &str, value: &Value) -> Option<Value> {
    let secret = matches!(command, "createUser" | "updateUser")
        && matches!(key, "pwd" | "digestPassword" | "mechanisms");
    if secret || LEFT_OUT.contains(&key) || (command == "getMore" && key == "collection") {
        return None;
    }
    let map = value.as_map();
    match key {
        // What drivers add by themselves, to a server that is alone or to the one that takes writes.
        "$readPreference" => {
            let usual = |map: &Map| {
                map.len() == 1 && matches!(map.text("mode"), Some("primary" | "primaryPreferred"))
            };
            (!map.is_some_and(usual)).then(|| value.clone())
        }
        "readConcern" => {
            let kept =
                |(key, _): &(&str, &Value)| !matches!(*key, "afterClusterTime" | "atClusterTime");
            let kept: Map = map?.iter().filter(kept).map(|(k, v)| (k, v.clone())).collect();
            (!kept.is_empty()).then_some(Value::Map(kept))
        }
        "cursor" | "let" | "collation" if map.is_some_and(Map::is_empty) => None,
        _ => Some(value.clone()),
    }
}

/// Which command of a transaction it is. Those that end one say so by their name.
fn transaction(name: &str, document: &Map) -> Option<&'static str> {
    let begins = document.get("startTransaction") == Some(&Value::Bool(true));
    let within = document.get("autocommit") == Some(&Value::Bool(false));
    match name {
        "commitTransaction" | "abortTransaction" => None,
        _ if begins => Some("begins"),
        _ => within.then_some("continues"),
    }
}
