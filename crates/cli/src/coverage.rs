//! What a test covers: the operations that it asks of the app and of whom it calls, and the shapes of
//! what is said. Two tests that cover the same have the same key; the values in them may be others.

use rehearsal_model::{Edge, Map, TestCase, Value};
use rehearsal_wire::{Facets, Protocol};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// Parts of a path that are more than a name: numbers, and long words with digits.
const ID: usize = 8;

/// How tests are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct By {
    /// By edge and operation of the request.
    pub(crate) route: bool,
    /// By the status of the answer.
    pub(crate) status: bool,
    /// By the keys and kinds in request and answer.
    pub(crate) shape: bool,
    /// By the operations that are called, in order.
    pub(crate) calls: bool,
}

impl By {
    pub(crate) const ALL: By = By { route: true, status: true, shape: true, calls: true };

    /// From words such as `route+status+shape`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut by = By::default();
        for word in text.split('+') {
            match word {
                "route" => by.route = true,
                "status" => by.status = true,
                "shape" => by.shape = true,
                "calls" => by.calls = true,
                word => {
                    return Err(format!("{word:?} is none of route, status, shape and calls"));
                }
            }
        }
        Ok(by)
    }
}

/// The protocols of a recording's edges.
pub(crate) struct Coverage {
    protocols: HashMap<String, &'static dyn Protocol>,
}

impl Coverage {
    pub(crate) fn of(edges: &[Edge]) -> Self {
        let protocols = edges.iter().filter_map(|edge| {
            Some((edge.name.to_string(), rehearsal_wire::protocol(&edge.protocol)?))
        });
        Coverage { protocols: protocols.collect() }
    }

    fn facets(&self, edge: &str) -> &'static dyn Facets {
        let known = self.protocols.get(edge).copied();
        known.unwrap_or_else(rehearsal_wire::fallback).facets()
    }

    /// What a test is, in the respects that are asked for.
    pub(crate) fn key(&self, test: &TestCase, by: By) -> String {
        let facets = self.facets(test.edge.as_str());
        let request = &test.exchange.request;
        let response = test.exchange.response.as_ref();
        let mut key = String::new();
        if by.route {
            let _ = writeln!(key, "{} {}", test.edge, route(&facets.operation(request)));
        }
        if by.status {
            let status = response.and_then(|answer| answer.iter().next()).map(|(_, value)| value);
            let failed = response.and_then(|answer| facets.failure(request, answer));
            let _ = writeln!(key, "{status:?} {failed:?} {:?}", test.exchange.failure);
        }
        if by.shape {
            let answered = response.map(|answer| facets.response(request, answer));
            for said in [Some(facets.request(request)), answered] {
                let body = said.as_ref().and_then(Value::as_map).and_then(|it| it.get("body"));
                let _ = writeln!(key, "{}", shape(body));
            }
        }
        if by.calls {
            for operation in self.operations(test).into_iter().skip(1) {
                let _ = writeln!(key, "{operation}");
            }
        }
        key
    }

    /// The operations of a test: its own, then those of its calls, each with its edge.
    pub(crate) fn operations(&self, test: &TestCase) -> Vec<String> {
        let named = |edge: &str, request: &Map| {
            let operation = self.facets(edge).operation(request);
            format!("{edge} {}", route(&operation))
        };
        let calls = test.calls.iter();
        let calls = calls.map(|call| named(call.edge.as_str(), &call.exchange.request));
        [named(test.edge.as_str(), &test.exchange.request)].into_iter().chain(calls).collect()
    }
}

/// An operation without the ids in its path: `GET /orders/17` is `GET /orders/*`.
fn route(operation: &str) -> String {
    let part = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let is_id = digits > 0 && (digits == part.len() || part.len() >= ID);
        if is_id { "*".to_owned() } else { part.to_owned() }
    };
    let path = operation.split('?').next().unwrap_or_default();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The keys and kinds of a value. A list is what its items are.
fn shape(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Bool(_)) => "bool".to_owned(),
        Some(Value::Number(_)) => "number".to_owned(),
        Some(Value::Text(_)) => "text".to_owned(),
        Some(Value::Bytes(_)) => "bytes".to_owned(),
        Some(Value::List(items)) => {
            let kinds: BTreeSet<String> = items.iter().map(|item| shape(Some(item))).collect();
            format!("[{}]", kinds.into_iter().collect::<Vec<_>>().join("|"))
        }
        Some(Value::Map(map)) => {
            let mut keys: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", shape(Some(value)))).collect();
            keys.sort();
            format!("{{{}}}", keys.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    #[test]
    fn ids_are_left_out_of_a_route() {
        for (operation, expected) in [
            ("GET /orders/17", "GET /orders/*"),
            ("GET /orders/17/lines/3?page=2", "GET /orders/*/lines/*"),
            ("GET /v2/users/0f3a9c1e-77aa-4b1e", "GET /v2/users/*"),
            ("SELECT orders", "SELECT orders"),
            ("POST /checkout", "POST /checkout"),
        ] {
            assert_eq!(route(operation), expected);
        }
    }

    #[test]
    fn a_shape_is_keys_and_kinds() {
        let of = |text: &str| shape(Some(&json::parse(text).unwrap()));
        assert_eq!(of(r#"{"b":1,"a":"x"}"#), of(r#"{"a":"y","b":2}"#));
        assert_eq!(of("[1,2,3]"), of("[4]"));
        for (one, other) in [("[1]", "[]"), (r#"{"a":1}"#, r#"{"a":null}"#), ("1", "\"1\"")] {
            assert_ne!(of(one), of(other));
        }
    }

    #[test]
    fn what_tells_tests_apart_is_named_by_words() {
        let by = By::parse("route+status").unwrap();
        assert_eq!(by, By { route: true, status: true, ..By::default() });
        assert_eq!(By::parse("route+status+shape+calls"), Ok(By::ALL));
        assert!(By::parse("route+colour").unwrap_err().contains("colour"));
    }
}
