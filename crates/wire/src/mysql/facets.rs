//! What of a statement identifies it, and what two must agree in.

use super::file::FILES;
use super::{shown, status, text, values};
use crate::sql::{self, Dialect};
use crate::{Bracket, Facets, Flaw, flaw};
use rehearsal_model::{Map, Value};
use std::borrow::Cow;

/// The facets of MySQL.
#[derive(Debug)]
pub(super) struct MysqlFacets;

/// What a request is.
enum Request<'a> {
    Greeting,
    Connect(&'a Map),
    Prepare(Cow<'a, str>),
    Sql(Cow<'a, str>),
    /// A command without SQL.
    Other,
}

fn read(request: &Map) -> Request<'_> {
    if request.get("greeting").is_some() {
        return Request::Greeting;
    }
    if let Some(connect) = request.get("connect").and_then(Value::as_map) {
        return Request::Connect(connect);
    }
    let text = |key: &str| request.get(key).and_then(text::of);
    match (text("prepare"), text("sql")) {
        (Some(sql), _) => Request::Prepare(sql),
        (None, Some(sql)) => Request::Sql(sql),
        (None, None) => Request::Other,
    }
}

const OTHERS: &[&str] = &["use", "fields", "command"];

impl Facets for MysqlFacets {
    fn operation(&self, request: &Map) -> String {
        match read(request) {
            Request::Greeting => "greeting".to_owned(),
            Request::Connect(to) => {
                let database = to.text("database").or(to.text("user")).unwrap_or_default();
                format!("connect {database}")
            }
            Request::Prepare(text) => format!("prepare {}", sql::operation(&text, Dialect::Mysql)),
            Request::Sql(text) => sql::operation(&text, Dialect::Mysql),
            Request::Other => {
                let named = OTHERS.iter().find_map(|key| Some((key, request.text(key)?)));
                match named {
                    Some((&"command", name)) => name.to_owned(),
                    Some((key, name)) => format!("{key} {name}"),
                    None => "statement".to_owned(),
                }
            }
        }
    }

    fn subject(&self, request: &Map) -> Option<String> {
        match read(request) {
            Request::Prepare(text) | Request::Sql(text) => sql::subject(&text, Dialect::Mysql),
            Request::Other => request.text("fields").map(str::to_lowercase),
            Request::Greeting | Request::Connect(_) => None,
        }
    }

    fn statement(&self, request: &Map) -> Option<String> {
        match read(request) {
            Request::Sql(text) => Some(sql::normalise(&text, Dialect::Mysql).sql),
            _ => None,
        }
    }

    fn identity(&self, request: &Map) -> Value {
        let form = match read(request) {
            Request::Greeting => Map::from([("greeting", true)]),
            Request::Connect(_) => Map::from([("connect", true)]),
            Request::Prepare(text) => {
                Map::from([("prepare", sql::normalise(&text, Dialect::Mysql).sql)])
            }
            // One that is rolled back instead of committed is ended in another way, and is to read so.
            Request::Sql(text) if sql::ends_transaction(&text, Dialect::Mysql) => {
                Map::from([("ends", true)])
            }
            Request::Sql(text) => Map::from([("sql", sql::normalise(&text, Dialect::Mysql).sql)]),
            Request::Other => request.clone(),
        };
        Value::Map(form)
    }

    /// Literals and parameters stand beside the text, each by its number, and parameters by their
    /// column where an INSERT names one.
    fn request(&self, request: &Map) -> Value {
        let text = match read(request) {
            Request::Greeting => return Value::Map(Map::from([("greeting", true)])),
            Request::Connect(connect) => {
                let named = ["user", "database"].map(|name| (name, connect.get(name).cloned()));
                let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
                let named: Map = named.collect();
                return Value::Map(Map::from([("connect", named)]));
            }
            Request::Prepare(text) => return Value::Map(prepared(&text)),
            Request::Sql(text) => text,
            Request::Other => return Value::Map(request.clone()),
        };
        let normal = sql::normalise(&text, Dialect::Mysql);
        let mut form = Map::from([("sql", normal.sql.as_str())]);
        if let Some(params) = request.get("params").and_then(Value::as_list) {
            form.push_new("params", numbered(params, &normal.columns));
        }
        if let Some(rows) = request.get("bulk").and_then(Value::as_list) {
            let each = rows.iter().map(|row| match row.as_list() {
                Some(row) => Value::Map(numbered(row, &normal.columns)),
                None => row.clone(),
            });
            form.push_new("bulk", each.collect::<Vec<_>>());
        }
        if !normal.literals.is_empty() {
            form.push_new("literals", normal.values());
        }
        FILES.put_compared(request, &mut form);
        Value::Map(form)
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        let one = |result: &Map| {
            let kept = ["columns", "rows", "affected", "last_id", "error"].into_iter();
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
            Request::Greeting | Request::Connect(_) | Request::Prepare(_) => true,
            Request::Sql(text) => sql::repeatable(&text, Dialect::Mysql),
            Request::Other => request.get("sql_omitted").is_none(),
        }
    }

    fn sets_up(&self, request: &Map) -> bool {
        match read(request) {
            Request::Greeting | Request::Connect(_) | Request::Prepare(_) => true,
            Request::Sql(text) => text::sets_up(&text),
            Request::Other => request.get("sql_omitted").is_none(),
        }
    }

    fn flaw(&self, _request: &Map, response: &Map) -> Option<Flaw> {
        flaw::in_rows(response, &shown::take, &values::problem)
    }

    fn stands(&self, request: &Map) -> bool {
        matches!(read(request), Request::Prepare(_))
    }

    fn usual(&self, request: &Map) -> Option<Map> {
        let done = || Map::from([("affected", 0)]);
        match read(request) {
            // What is executed says what is missing, in terms of the app.
            Request::Prepare(text) => Some(Map::from([("takes", text::parameters(&text) as u64)])),
            Request::Sql(text) => text::is_setting(&text).then(done),
            Request::Other => request.get("use").map(|_| done()),
            Request::Greeting | Request::Connect(_) => None,
        }
    }

    /// A text that loads files is answered while they come.
    fn is_so_far(&self, request: &Map) -> bool {
        request.get("so-far").is_some()
    }

    fn cut(&self, request: &Map, recorded: &Map) -> Option<Map> {
        FILES.cut(request, recorded)
    }

    fn bracket(&self, request: &Map) -> Option<Bracket> {
        match read(request) {
            // Who logs in, or does so anew, finds everything as it is at first.
            Request::Connect(_) => Some(Bracket::Unasked(false)),
            Request::Sql(text) => sql::bracket(&text, Dialect::Mysql)
                .or_else(|| status::unasked(&text).map(Bracket::Unasked)),
            Request::Greeting | Request::Prepare(_) | Request::Other => None,
        }
    }

    fn trace(&self, request: &Map) -> Vec<String> {
        let sql = request.text("sql");
        sql.map(|sql| sql::trace(sql, Dialect::Mysql)).unwrap_or_default()
    }
}

/// Columns are named after expressions, so that literals matter.
fn prepared(text: &str) -> Map {
    let normal = sql::normalise(text, Dialect::Mysql);
    let mut form = Map::from([("prepare", normal.sql.as_str())]);
    if !normal.literals.is_empty() {
        form.push_new("literals", normal.values());
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
