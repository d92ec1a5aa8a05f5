//! Which parts of requests and responses identify them, and what two must agree in.
//!
//! Everything here works on recorded data that people may have edited, so nothing is taken for
//! granted. Comparison form leaves out what concerns a connection or the client's software and not
//! the operation.

use super::comparison;
use super::faces::{self, Answered, Asked, Face, Spoken};
use super::write::request_line;
use super::{by_hand, fields, form, proxied};
use crate::Facets;
use rehearsal_model::{Map, Value};

/// By which header a call names the test that makes it.
const TEST: &str = "x-rehearsal-test";

/// The facets of HTTP.
pub(super) struct HttpFacets;

impl Facets for HttpFacets {
    /// Method and path; of a call of gRPC its service and method, such as `shop.Pay/Charge`.
    fn operation(&self, request: &Map) -> String {
        if let Some(path) = crate::grpc::path_of(request) {
            return path.trim_start_matches('/').to_owned();
        }
        if let Some(line) = plain_line(request) {
            return line.to_owned();
        }
        let (method, path, query) = split(request);
        match spoken(&method, &query, request) {
            Some((_, spoken)) => spoken.operation,
            None => format!("{method} {path}"),
        }
    }

    fn subject(&self, request: &Map) -> Option<String> {
        Some(crate::grpc::path_of(request).map_or_else(|| split(request).1, str::to_owned))
    }

    /// Method, path and the names in the query, whose values are as much values as a body's are; or what
    /// a face says in the query's stead.
    fn identity(&self, request: &Map) -> Value {
        if self.sets_up(request) {
            return proxied::comparison(request);
        }
        let (method, path, query) = split(request);
        let mut out = Map::from([("http", format!("{method} {path}"))]);
        let spoken = spoken(&method, &query, request).map(|(_, spoken)| spoken);
        let names: Vec<String> = query.keys().map(str::to_owned).collect();
        let in_query = spoken.as_ref().is_some_and(|spoken| spoken.query.is_some());
        if !names.is_empty() && !in_query {
            out.push_new("query", names);
        }
        if let Some((key, value)) = spoken.map(|spoken| spoken.identity) {
            out.push_new(key, value);
        }
        Value::Map(out)
    }

    fn request(&self, request: &Map) -> Value {
        if self.sets_up(request) {
            return proxied::comparison(request);
        }
        let (method, path, query) = split(request);
        let mut out = Map::from([("http", format!("{method} {path}"))]);
        let read = spoken(&method, &query, request);
        let mut spoken = read.map(|(_, spoken)| spoken);
        let query = spoken.as_mut().and_then(|spoken| spoken.query.take()).unwrap_or(query);
        if !query.is_empty() {
            out.push_new("query", query);
        }
        comparison::message(request, comparison::Side::Request, &mut out);
        if let Some(spoken) = spoken {
            spoken.lay_over(&mut out);
        }
        Value::Map(out)
    }

    fn response(&self, _: &Map, response: &Map) -> Value {
        let mut out = Map::new();
        if let Some(status) = response.get("status") {
            out.push_new("status", status.clone());
        }
        comparison::message(response, comparison::Side::Response, &mut out);
        Value::Map(out)
    }

    fn by_hand(&self, request: &Map, (encrypted, address): (bool, &str)) -> Option<String> {
        let scheme = if encrypted { "https" } else { "http" };
        by_hand::curl(request, &format!("{scheme}://{address}"))
    }

    fn repeatable(&self, request: &Map) -> bool {
        let (method, _, query) = split(request);
        match spoken(&method, &query, request) {
            Some((_, spoken)) => spoken.repeatable,
            None => matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS"),
        }
    }

    /// A tunnel through a proxy, which is no call yet. What WebSockets over HTTP/2 begin with has a path.
    fn sets_up(&self, request: &Map) -> bool {
        proxied::party(request).is_some()
    }

    fn forwarded(&self, request: &Map) -> Option<(String, Map)> {
        proxied::forwarded(request)
    }

    fn is_so_far(&self, request: &Map) -> bool {
        request.get("so-far").is_some()
    }

    fn is_unheard(&self, recorded: &Map) -> bool {
        crate::grpc::is_unheard(recorded)
    }

    fn cut(&self, request: &Map, recorded: &Map) -> Option<Map> {
        let messages =
            |map: &Map| map.get("messages").and_then(Value::as_list).map(<[Value]>::to_vec);
        let came = messages(request).unwrap_or_default().len();
        let mut known = messages(recorded).unwrap_or_default();
        if came > known.len() {
            return None;
        }
        known.truncate(came);
        let mut cut = recorded.clone();
        cut.insert("messages", known);
        Some(cut)
    }

    fn failure(&self, request: &Map, response: &Map) -> Option<String> {
        if let Some(failure) = crate::grpc::failure(response) {
            return Some(failure);
        }
        let (method, _, query) = split(request);
        let (face, _) = spoken(&method, &query, request)?;
        face.failure(&Answered::new(response))
    }

    fn named_test(&self, request: &Map) -> Option<String> {
        let list = fields::each(request.get("headers"));
        let mut named = list.iter().filter(|(name, _)| name.eq_ignore_ascii_case(TEST));
        let name = named.find_map(|(_, value)| value.as_text())?.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn trace(&self, request: &Map) -> Vec<String> {
        let list = fields::each(request.get("headers"));
        let mut found = Vec::new();
        for (name, value) in &list {
            let Some(value) = value.as_text() else { continue };
            let id = match name.to_ascii_lowercase().as_str() {
                // W3C Trace Context: version, trace id, parent id and flags.
                "traceparent" => value.split('-').nth(1),
                // B3 in one header: trace id, span id, sampling state.
                "b3" => value.split_once('-').map(|(id, _)| id),
                "x-b3-traceid" | "x-request-id" | "x-correlation-id" => Some(value),
                _ => None,
            };
            let id = id.map(str::trim).filter(|id| !id.is_empty());
            if let Some(id) = id.filter(|id| !found.iter().any(|known| known == id)) {
                found.push(id.to_owned());
            }
        }
        found
    }
}

/// The method and path, where nothing else tells what a request is called.
fn plain_line(request: &Map) -> Option<&str> {
    let line = request.text("http").filter(|_| request.get("body").is_none())?;
    let (line, query) = line.split_once('?').unwrap_or((line, ""));
    // A target that names its host, no target at all, or a query in a language of its own.
    let other = line.contains(':') || !line.contains(' ') || faces::may_speak_in(query);
    (!other).then_some(line)
}

/// What a request says in a language of its own: never one that says nothing beside its path.
fn spoken(method: &str, query: &Map, request: &Map) -> Option<(&'static dyn Face, Spoken)> {
    if query.is_empty() && request.get("body").is_none() {
        return None;
    }
    faces::read(&Asked::new(method, query, request))
}

/// Method, path, and the query after it.
fn split(request: &Map) -> (String, String, Map) {
    let (method, target) = request_line(request);
    let (method, target) = (String::from_utf8_lossy(method), String::from_utf8_lossy(target));
    let target = origin_form(&target);
    match target.split_once('?') {
        Some((path, query)) => (method.into_owned(), path.to_owned(), sorted_query(query)),
        None => (method.into_owned(), target.to_owned(), Map::new()),
    }
}

/// The path and query of a target that names its host as well (RFC 9112, section 3.2.2).
fn origin_form(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |path| &rest[path..])
        }
        _ => target,
    }
}

/// A query as a map sorted by name; equal names keep their order. A part that is not UTF-8 stands
/// as it is spelled.
fn sorted_query(query: &str) -> Map {
    let spelled = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut list: Vec<(String, Value)> = form::pairs(query)
        .zip(spelled)
        .filter(|(_, (name, value))| !name.is_empty() || !value.is_empty())
        .map(|((name, value), (raw_name, raw_value))| {
            let value = value.map(|value| value.unwrap_or_else(|| raw_value.to_owned()));
            (name.unwrap_or_else(|| raw_name.to_owned()), Value::from(value))
        })
        .collect();
    list.sort_by(|one, other| one.0.cmp(&other.0));
    comparison::grouped(list)
}
