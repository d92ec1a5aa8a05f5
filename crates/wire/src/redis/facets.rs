//! What of a command identifies it, and what two must agree in.

use super::table::{self, Kind, Name};
use super::{blocking, form, named, reply, usual, words};
use crate::{Facets, Flaw, keys};
use bytes::Bytes;
use rehearsal_model::{Map, Value};
use std::time::Duration;

/// How much of a key an operation shows.
const SHOWN: usize = 60;

/// The facets of Redis.
#[derive(Debug)]
pub(super) struct RedisFacets;

/// The words of a command, when it is one.
fn command(request: &Map) -> Option<Vec<Bytes>> {
    words::read(request.get("redis")?).ok().filter(|words| !words.is_empty())
}

/// The name of a command, when it is one and no transaction. Where nothing is quoted, no word is copied.
fn name(request: &Map) -> Option<Name> {
    if request.get("commands").is_some() {
        return None;
    }
    let name = match request.get("redis")? {
        Value::Text(line) if !words::has_quotes(line) => {
            let mut words = line.split_ascii_whitespace();
            match (words.next()?, words.next()) {
                (first, Some(second)) => table::name(&[first, second]).0,
                (first, None) => table::name(&[first]).0,
            }
        }
        _ => table::name(&command(request)?).0,
    };
    Some(name)
}

/// The words of each command of a transaction, when it is one.
fn transaction(request: &Map) -> Option<Vec<Vec<Bytes>>> {
    let commands = request.get("commands")?.as_list()?;
    Some(commands.iter().map(|shown| words::read(shown).unwrap_or_default()).collect())
}

/// What kind of message is waited for, and on which channel.
fn awaited(request: &Map) -> Option<Vec<Bytes>> {
    words::read(request.get("receive")?).ok()
}

fn text(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

/// The name, and the first argument, when that is short text.
fn name_and_key(words: &[Bytes]) -> (Name, Option<&str>) {
    let (name, rest) = table::name(words);
    let key = rest.first().and_then(|key| std::str::from_utf8(key).ok());
    let fits =
        |key: &&str| !key.is_empty() && key.len() <= SHOWN && !key.contains(char::is_whitespace);
    let (_, _, arguments) = table::row(&name);
    let is_told = !arguments.starts_with("script") && !arguments.is_empty();
    (name, key.filter(fits).filter(|_| is_told))
}

fn short(words: &[Bytes]) -> String {
    match name_and_key(words) {
        (name, Some(key)) => format!("{name} {key}"),
        (name, None) => name.into_owned(),
    }
}

fn insert_db(request: &Map, form: &mut Map) {
    if let Some(db) = request.get("db").filter(|db| **db != Value::from(0)) {
        form.push_new("db", db.clone());
    }
}

impl Facets for RedisFacets {
    fn operation(&self, request: &Map) -> String {
        if let Some(commands) = transaction(request) {
            let each: Vec<String> = commands.iter().map(|words| short(words)).collect();
            return format!("MULTI {}", each.join(", "));
        }
        if let Some(awaited) = awaited(request) {
            return format!("receive {}", text(&awaited.join(&b' ')));
        }
        command(request).map_or_else(|| "command".to_owned(), |words| short(&words))
    }

    fn subject(&self, request: &Map) -> Option<String> {
        let first = transaction(request).and_then(|commands| commands.into_iter().next());
        name_and_key(&first.or_else(|| command(request))?).1.map(str::to_owned)
    }

    fn statement(&self, request: &Map) -> Option<String> {
        if request.get("commands").is_some() {
            return None;
        }
        let words = command(request)?;
        let (name, key) = name_and_key(&words);
        Some(format!("{name} {}", keys::pattern(key?)))
    }

    fn identity(&self, request: &Map) -> Value {
        let mut form = Map::new();
        if request.get("commands").is_some() {
            form.push_new("command", "MULTI");
        } else if let Some(awaited) = awaited(request) {
            form.push_new("receive", awaited.first().map(|kind| text(kind)));
        } else if let Some(words) = command(request) {
            form.push_new("command", &*table::name(&words).0);
        } else {
            return Value::Map(request.clone());
        }
        insert_db(request, &mut form);
        Value::Map(form)
    }

    fn request(&self, request: &Map) -> Value {
        let mut form = if let Some(commands) = transaction(request) {
            let each: Vec<Map> = commands.iter().map(|words| form::command(words)).collect();
            let mut form =
                Map::from([("command", Value::from("MULTI")), ("commands", each.into())]);
            if let Some(discarded) = request.get("discarded") {
                form.push_new("discarded", discarded.clone());
            }
            form
        } else if let Some(awaited) = awaited(request) {
            let shown = awaited.iter().map(|word| Value::from_bytes(word)).collect();
            Map::from([("receive", Value::List(shown))])
        } else if let Some(words) = command(request) {
            match &*table::name(&words).0 {
                "HELLO" => hello(&words),
                _ => form::command(&words),
            }
        } else {
            return Value::Map(request.clone());
        };
        insert_db(request, &mut form);
        Value::Map(form)
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        Value::Map(response.clone())
    }

    fn beside(
        &self,
        request: &mut Map,
        response: Option<&mut Map>,
        change: &mut dyn FnMut(&str, &str) -> Option<String>,
    ) {
        named::each(request, response, change);
    }

    fn flaw(&self, _request: &Map, response: &Map) -> Option<Flaw> {
        let beside = ["confirmed", "refused"];
        let reply = response.iter().filter(|(key, _)| !beside.contains(key));
        let reply: Map = reply.map(|(key, value)| (key, value.clone())).collect();
        let read = if reply.is_empty() { None } else { reply::read(&reply).err() };
        read.map(|error| Flaw::of(&error))
    }

    fn repeatable(&self, request: &Map) -> bool {
        let command = command(request).filter(|_| request.get("commands").is_none());
        command.is_some_and(|words| {
            table::row(&table::name(&words).0).1 != Kind::Write && blocking::limit(&words).is_none()
        })
    }

    fn sets_up(&self, request: &Map) -> bool {
        name(request).is_some_and(|name| table::row(&name).1 == Kind::SetsUp)
    }

    fn usual(&self, request: &Map) -> Option<Map> {
        usual::reply(&command(request).filter(|_| request.get("commands").is_none())?)
    }

    fn waits(&self, request: &Map) -> Option<Duration> {
        if awaited(request).is_some() {
            return Some(Duration::MAX);
        }
        blocking::limit(&command(request).filter(|_| request.get("commands").is_none())?)
    }

    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}

/// Whatever version of the protocol a client would like, the same server answers; whether it proves
/// who it is decides how.
fn hello(words: &[Bytes]) -> Map {
    let proves = words.iter().any(|word| word.eq_ignore_ascii_case(b"AUTH"));
    let versions = matches!(words.get(1).map(|word| &**word), None | Some(b"2" | b"3"));
    let mut form = Map::from([("command", Value::from("HELLO")), ("auth", proves.into())]);
    if !versions {
        form.push_new("args", Value::from_bytes(&words[1]));
    }
    form
}
