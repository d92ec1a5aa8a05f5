//! What of a command identifies it, and what two must agree in.

use super::asked::Asked;
use super::{form, reply};
use crate::{Facets, Flaw, keys};
use rehearsal_model::{Map, Value};

/// The facets of memcached.
#[derive(Debug)]
pub(super) struct MemcachedFacets;

fn asked(request: &Map) -> Option<Asked> {
    request.get("memcached")?;
    Asked::read(request).ok().filter(|asked| !asked.words.is_empty())
}

/// The first key, unless it is long.
fn key(asked: &Asked) -> Option<String> {
    let place = if matches!(asked.name(), b"gat" | b"gats") { 2 } else { 1 };
    asked.words.get(place).filter(|key| key.len() <= 60).map(|key| shown(key))
}

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

impl Facets for MemcachedFacets {
    fn operation(&self, request: &Map) -> String {
        let Some(asked) = asked(request) else { return "command".to_owned() };
        match key(&asked) {
            Some(key) => format!("{} {key}", shown(asked.name())),
            None => shown(asked.name()),
        }
    }

    fn subject(&self, request: &Map) -> Option<String> {
        key(&asked(request)?)
    }

    fn statement(&self, request: &Map) -> Option<String> {
        let asked = asked(request)?;
        Some(format!("{} {}", shown(asked.name()), keys::pattern(&key(&asked)?)))
    }

    fn identity(&self, request: &Map) -> Value {
        match asked(request) {
            Some(asked) => Value::Map(Map::from([("command", Value::from_bytes(asked.name()))])),
            None => Value::Map(request.clone()),
        }
    }

    fn request(&self, request: &Map) -> Value {
        Value::Map(asked(request).map_or_else(|| request.clone(), |asked| form::command(&asked)))
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        Value::Map(response.clone())
    }

    fn flaw(&self, _request: &Map, response: &Map) -> Option<Flaw> {
        reply::write(response, &mut Vec::new()).err().map(|error| Flaw::of(&error))
    }

    fn repeatable(&self, request: &Map) -> bool {
        let Some(asked) = asked(request) else { return false };
        match asked.name() {
            b"get" | b"gets" | b"stats" | b"me" => true,
            // Those that may change the item: its time to live, or that it exists.
            b"mg" => [b'T', b'N', b'E'].iter().all(|letter| asked.flag(*letter).is_none()),
            _ => self.sets_up(request),
        }
    }

    fn sets_up(&self, request: &Map) -> bool {
        let asked = asked(request);
        asked.is_some_and(|asked| {
            matches!(asked.name(), b"version" | b"verbosity" | b"quit" | b"mn")
        })
    }

    fn usual(&self, request: &Map) -> Option<Map> {
        match asked(request)?.name() {
            b"version" => Some(Map::from([("status", "VERSION 1.6.18")])),
            b"verbosity" => Some(Map::from([("status", "OK")])),
            b"mn" => Some(Map::from([("status", "MN")])),
            b"quit" => Some(Map::new()),
            _ => None,
        }
    }

    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}
