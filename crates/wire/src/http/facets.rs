//! Which parts of requests and responses identify them, and what two must agree in.
//!
//! Everything here works on recorded data that people may have edited, so nothing is taken for
//! granted. Comparison form leaves out what concerns a connection or the client's software and not
//! the operation.

use super::comparison;
use super::write::request_line;
use super::{fields, form};
use crate::Facets;
use rehearsal_model::{Map, Value};

/// The facets of HTTP.
pub(super) struct HttpFacets;

impl Facets for HttpFacets {
    fn operation(&self, request: &Map) -> String {
        let (operation, _) = split(request);
        operation
    }

    /// Method, path and the names in the query; its values are as much values as a body's are.
    fn identity(&self, request: &Map) -> Value {
        let (operation, query) = split(request);
        let mut out = Map::from([("http", operation)]);
        let names: Vec<String> = query.keys().map(str::to_owned).collect();
        if !names.is_empty() {
            out.push_new("query", names);
        }
        Value::Map(out)
    }

    fn request(&self, request: &Map) -> Value {
        let (operation, query) = split(request);
        let mut out = Map::from([("http", operation)]);
        if !query.is_empty() {
            out.push_new("query", query);
        }
        comparison::message(request, comparison::Side::Request, &mut out);
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

    fn repeatable(&self, request: &Map) -> bool {
        matches!(request_line(request).0, b"GET" | b"HEAD" | b"OPTIONS")
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

/// Method and path, and the query after it.
fn split(request: &Map) -> (String, Map) {
    let (method, target) = request_line(request);
    let (method, target) = (String::from_utf8_lossy(method), String::from_utf8_lossy(target));
    let target = origin_form(&target);
    match target.split_once('?') {
        Some((path, query)) => (format!("{method} {path}"), sorted_query(query)),
        None => (format!("{method} {target}"), Map::new()),
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
