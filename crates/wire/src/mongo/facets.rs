//! What of a command identifies it, and what two must agree in.

use super::{bson, clock};
use crate::{Bracket, Facets, Flaw, flaw};
use rehearsal_model::{Map, Value};
use std::time::Duration;

/// The facets of MongoDB.
#[derive(Debug)]
pub(super) struct MongoFacets;

/// Parts in which keys and operators say which command it is, and values do not.
const OUTLINED: [&str; 6] = ["filter", "query", "updates", "deletes", "update", "pipeline"];

/// Options that say how to go about it and not what is wanted. Drivers lower the time as it passes.
const NO_CONCERN: [&str; 2] = ["comment", "maxTimeMS"];

/// How long servers wait for news when nobody says how long.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// The command and what it is about.
fn headline(request: &Map) -> (&str, &str) {
    let headline = request.text("mongodb").unwrap_or_default();
    headline.split_once(' ').unwrap_or((headline, ""))
}

impl Facets for MongoFacets {
    fn operation(&self, request: &Map) -> String {
        request.text("mongodb").unwrap_or("command").to_owned()
    }

    fn subject(&self, request: &Map) -> Option<String> {
        Some(headline(request).1.to_owned()).filter(|collection| !collection.is_empty())
    }

    /// The command with the fields that it looks at: `find shop.orders _id, state`.
    fn statement(&self, request: &Map) -> Option<String> {
        let fields = ["filter", "query", "key"].iter().find_map(|key| match request.get(key)? {
            Value::Map(fields) => Some(fields.keys().collect::<Vec<_>>().join(", ")),
            Value::Text(field) => Some(field.clone()),
            _ => None,
        });
        Some(format!("{} {}", self.operation(request), fields?).trim_end().to_owned())
    }

    fn identity(&self, request: &Map) -> Value {
        let mut form = Map::new();
        // One that is given up instead of committed is ended in another way, and is to read so.
        if self.bracket(request) == Some(Bracket::Ends) {
            form.push_new("ends", true);
            return Value::Map(form);
        }
        for key in ["mongodb", "key"] {
            if let Some(value) = request.get(key) {
                form.push_new(key, value.clone());
            }
        }
        for key in OUTLINED {
            if let Some(value) = request.get(key) {
                form.push_new(key, outline(value));
            }
        }
        Value::Map(form)
    }

    fn request(&self, request: &Map) -> Value {
        let mut form = request.clone();
        form.remove("awaits");
        form.get_mut("pipeline").into_iter().for_each(clock::without_start);
        if let Some(Value::Map(options)) = form.get_mut("options") {
            NO_CONCERN.iter().for_each(|key| _ = options.remove(key));
            if options.is_empty() {
                form.remove("options");
            }
        }
        Value::Map(form)
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        Value::Map(response.clone())
    }

    fn given<'a>(&self, request: &'a mut Map, response: Option<&'a mut Map>) -> Vec<&'a mut Value> {
        let asked = request.get_mut("cursor");
        asked.into_iter().chain(response.and_then(|reply| reply.get_mut("cursor"))).collect()
    }

    fn flaw(&self, _request: &Map, response: &Map) -> Option<Flaw> {
        let mut parts = response.iter();
        parts.find_map(|(key, value)| Some(flaw::innermost(value, &bson::problem)?.at_key(key)))
    }

    fn repeatable(&self, request: &Map) -> bool {
        match headline(request).0 {
            "collStats" | "count" | "dataSize" | "dbHash" | "dbStats" | "distinct" | "explain"
            | "find" | "hostInfo" | "listCollections" | "listCommands" | "listDatabases"
            | "listIndexes" | "rolesInfo" | "serverStatus" | "usersInfo" => true,
            "aggregate" => !writes(request),
            _ => self.sets_up(request),
        }
    }

    fn bracket(&self, request: &Map) -> Option<Bracket> {
        match (headline(request).0, request.text("transaction")) {
            ("commitTransaction" | "abortTransaction", _) => Some(Bracket::Ends),
            (_, Some("begins")) => Some(Bracket::Opens),
            _ => None,
        }
    }

    fn sets_up(&self, request: &Map) -> bool {
        matches!(
            headline(request).0,
            "authenticate"
                | "buildInfo"
                | "buildinfo"
                | "connectionStatus"
                | "getCmdLineOpts"
                | "getLog"
                | "getParameter"
                | "hello"
                | "ping"
                | "whatsmyuri"
        )
    }

    fn usual(&self, request: &Map) -> Option<Map> {
        match headline(request).0 {
            "authenticate" | "ping" => Some(Map::new()),
            "getMore" if request.get("awaits").is_some() => {
                let mut nothing = Map::from([("documents", Value::List(Vec::new()))]);
                nothing.push_new("cursor", request.get("cursor")?.clone());
                Some(nothing)
            }
            _ => None,
        }
    }

    /// What reads on a change stream waits for news.
    fn waits(&self, request: &Map) -> Option<Duration> {
        request.get("awaits").filter(|awaits| **awaits == Value::Bool(true))?;
        let options = request.get("options").and_then(Value::as_map);
        let limit = options.and_then(|options| options.get("maxTimeMS")?.as_i64());
        Some(limit.map_or(USUAL_WAIT, |limit| Duration::from_millis(limit.unsigned_abs())))
    }

    /// The trace ids in comments, which may be texts or documents.
    fn trace(&self, request: &Map) -> Vec<String> {
        let options = request.get("options").and_then(Value::as_map);
        let found = match options.and_then(|options| options.get("comment")) {
            Some(Value::Map(comment)) => comment.text("traceparent"),
            Some(Value::Text(comment)) => {
                let behind = comment.split_once("traceparent=").map(|(_, behind)| behind);
                behind.map(|behind| behind.trim_start_matches('\''))
            }
            _ => None,
        };
        let id = found.and_then(|found| found.split('-').nth(1)).filter(|id| !id.is_empty());
        id.map(str::to_owned).into_iter().collect()
    }
}

/// Whether an aggregation writes, or waits for what others write.
fn writes(request: &Map) -> bool {
    let stages = request.get("pipeline").and_then(Value::as_list).unwrap_or_default();
    let names = stages.iter().filter_map(|stage| stage.as_map()?.keys().next());
    names.into_iter().any(|name| matches!(name, "$out" | "$merge" | "$changeStream"))
}

/// Keys and operators, without the values. Things of the same kind count once.
fn outline(value: &Value) -> Value {
    match value {
        Value::Map(map) if super::bson::is_marked(map) => Value::Null,
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, value)| (key.to_owned(), outline(value)));
            Value::Map(pairs.collect())
        }
        Value::List(list) => {
            let mut kinds: Vec<Value> = Vec::new();
            for kind in list.iter().map(outline) {
                if kinds.last() != Some(&kind) {
                    kinds.push(kind);
                }
            }
            Value::List(kinds)
        }
        _ => Value::Null,
    }
}
