//! What of a statement identifies it, and what two must agree in.

use super::copies::COPIES;
use super::{fitting, function, reply, sql};
use crate::{Bracket, Facets, Flaw, flaw};
use rehearsal_model::{Map, Value};
use std::time::Duration;

/// The facets of PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresFacets;

/// What a request is.
enum Request<'a> {
    Connect(&'a Map),
    Prepare(&'a str),
    Describe(&'a str),
    Sql(&'a str),
    /// Calls a function.
    Call(&'a str),
    /// Asks for TLS.
    Tls,
    /// Waits for a notification on a channel.
    Receive(&'a str),
    /// Text that is not Unicode, or nothing.
    Other,
}

fn read(request: &Map) -> Request<'_> {
    if let Some(connect) = request.get("connect").and_then(Value::as_map) {
        return Request::Connect(connect);
    }
    if request.get("tls").is_some() {
        return Request::Tls;
    }
    if let Some(channel) = request.text("receive") {
        return Request::Receive(channel);
    }
    if let Some(name) = request.text("call") {
        return Request::Call(name);
    }
    if let Some(text) = request.text("prepare") {
        return Request::Prepare(text);
    }
    match (request.text("describe"), request.text("sql")) {
        (Some(sql), _) => Request::Describe(sql),
        (None, Some(sql)) => Request::Sql(sql),
        (None, None) => Request::Other,
    }
}

impl Facets for PostgresFacets {
    fn operation(&self, request: &Map) -> String {
        match read(request) {
            Request::Connect(to) => {
                let database = to.text("database").or(to.text("user")).unwrap_or_default();
                format!("connect {database}")
            }
            Request::Prepare(text) => format!("prepare {}", sql::operation(text)),
            Request::Describe(text) => format!("describe {}", sql::operation(text)),
            Request::Sql(text) => sql::operation(text),
            Request::Call(name) => format!("call {name}"),
            Request::Tls => "ask for TLS".to_owned(),
            Request::Receive(channel) => format!("receive {channel}"),
            Request::Other => "statement".to_owned(),
        }
    }

    fn subject(&self, request: &Map) -> Option<String> {
        match read(request) {
            Request::Prepare(text) | Request::Describe(text) | Request::Sql(text) => {
                sql::subject(text)
            }
            Request::Connect(_)
            | Request::Call(_)
            | Request::Tls
            | Request::Receive(_)
            | Request::Other => None,
        }
    }

    fn statement(&self, request: &Map) -> Option<String> {
        match read(request) {
            Request::Sql(text) | Request::Describe(text) => Some(sql::normalise(text).sql),
            _ => None,
        }
    }

    fn identity(&self, request: &Map) -> Value {
        let form = match read(request) {
            Request::Connect(_) => Map::from([("connect", true)]),
            Request::Prepare(text) => Map::from([("prepare", sql::normalise(text).sql)]),
            Request::Describe(text) => described(request, text),
            // One that is rolled back instead of committed is ended in another way, and is to read so.
            Request::Sql(text) if sql::ends_transaction(text) => Map::from([("ends", true)]),
            Request::Sql(text) => Map::from([("sql", sql::normalise(text).sql)]),
            Request::Call(name) => Map::from([("call", name)]),
            Request::Tls | Request::Receive(_) | Request::Other => request.clone(),
        };
        Value::Map(form)
    }

    /// Literals and parameters stand beside the text, each by its number, and by its column where
    /// an INSERT names one.
    fn request(&self, request: &Map) -> Value {
        let (key, text) = match read(request) {
            Request::Connect(connect) => {
                let named = ["user", "database"].map(|name| (name, connect.get(name).cloned()));
                let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
                let named: Map = named.collect();
                return Value::Map(Map::from([("connect", named)]));
            }
            Request::Describe(text) => return Value::Map(described(request, text)),
            Request::Prepare(text) => ("prepare", text),
            Request::Sql(text) => ("sql", text),
            Request::Call(name) => {
                let mut form = Map::from([("call", name)]);
                if let Some(params) = request.get("params").and_then(Value::as_list) {
                    form.push_new("params", numbered(params, &[]));
                }
                return Value::Map(form);
            }
            Request::Tls | Request::Receive(_) | Request::Other => {
                return Value::Map(request.clone());
            }
        };
        let normal = sql::normalise(text);
        let mut form = Map::from([(key, normal.sql.as_str())]);
        if let Some(params) = request.get("params").and_then(Value::as_list) {
            form.push_new("params", numbered(params, &normal.columns));
        }
        if !normal.literals.is_empty() {
            form.push_new("literals", normal.values());
        }
        COPIES.put_compared(request, &mut form);
        Value::Map(form)
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        let one = |result: &Map| {
            let kept = ["columns", "rows", "copy", "value", "tag", "error", "accepted", "payload"]
                .into_iter();
            kept.filter_map(|key| Some((key, result.get(key)?.clone()))).collect::<Map>()
        };
        let mut form = one(response);
        if let Some(results) = response.get("results").and_then(Value::as_list) {
            let each = results.iter().filter_map(Value::as_map).map(one).collect::<Vec<_>>();
            form.push_new("results", each);
        }
        Value::Map(form)
    }

    fn repeatable(&self, request: &Map) -> bool {
        match read(request) {
            Request::Connect(_) | Request::Describe(_) | Request::Tls => true,
            Request::Sql(text) => sql::repeatable(text),
            Request::Prepare(_) | Request::Call(_) | Request::Receive(_) | Request::Other => false,
        }
    }

    fn sets_up(&self, request: &Map) -> bool {
        match read(request) {
            Request::Connect(_) | Request::Describe(_) | Request::Tls => true,
            Request::Sql(text) => sql::sets_up(text),
            Request::Prepare(_) | Request::Call(_) | Request::Receive(_) | Request::Other => false,
        }
    }

    /// A server that has not been asked has no TLS.
    fn usual(&self, request: &Map) -> Option<Map> {
        matches!(read(request), Request::Tls).then(|| Map::from([("accepted", false)]))
    }

    fn flaw(&self, request: &Map, response: &Map) -> Option<Flaw> {
        if let Request::Call(name) = read(request) {
            return function::flaw(name, response);
        }
        flaw::in_rows(response, &reply::columns, &fitting::problem)
    }

    fn stands(&self, request: &Map) -> bool {
        matches!(read(request), Request::Describe(_))
    }

    fn optional(&self, request: &Map) -> bool {
        matches!(read(request), Request::Prepare(_))
    }

    /// A text that copies data in is answered while they are.
    fn is_so_far(&self, request: &Map) -> bool {
        request.get("so-far").is_some()
    }

    fn cut(&self, request: &Map, recorded: &Map) -> Option<Map> {
        COPIES.cut(request, recorded)
    }

    fn waits(&self, request: &Map) -> Option<Duration> {
        matches!(read(request), Request::Receive(_)).then_some(Duration::MAX)
    }

    fn bracket(&self, request: &Map) -> Option<Bracket> {
        match read(request) {
            Request::Sql(text) => sql::bracket(text),
            _ => None,
        }
    }

    fn trace(&self, request: &Map) -> Vec<String> {
        request.text("sql").map(sql::trace).unwrap_or_default()
    }
}

fn described(request: &Map, text: &str) -> Map {
    let mut form = Map::from([("describe", sql::outline(text))]);
    if let Some(portal) = request.get("portal") {
        form.push_new("portal", portal.clone());
    }
    form
}

fn numbered(params: &[Value], columns: &[Option<String>]) -> Map {
    let each = params.iter().enumerate().map(|(index, value)| {
        let name = match columns.get(index) {
            Some(Some(column)) => format!("${} {column}", index + 1),
            _ => format!("${}", index + 1),
        };
        (name, value.clone())
    });
    each.collect()
}
