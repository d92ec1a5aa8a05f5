//! What of a query identifies it, and what of an answer matters.

use super::map::parse_question;
use crate::Facets;
use rehearsal_model::{Map, Value};

/// The facets of queries.
#[derive(Debug)]
pub(super) struct DnsFacets;

impl Facets for DnsFacets {
    fn operation(&self, request: &Map) -> String {
        canonical(request)
    }

    fn identity(&self, request: &Map) -> Value {
        Value::from(canonical(request))
    }

    /// Flags depend on the machine's settings and say nothing of what the app wants.
    fn request(&self, request: &Map) -> Value {
        Value::from(Map::from([("query", canonical(request))]))
    }

    /// Servers rotate the records of an answer and count their time to live down, so the records
    /// are sorted and do not have it.
    fn response(&self, _request: &Map, response: &Map) -> Value {
        let mut form = Map::new();
        for key in ["rcode", "truncated"] {
            if let Some(value) = response.get(key) {
                form.push_new(key, value.clone());
            }
        }
        let records = response.get("records").and_then(Value::as_list).unwrap_or_default();
        let mut records: Vec<_> = records.iter().filter_map(Value::as_map).map(record).collect();
        records.sort_by(|left, right| order(left).cmp(&order(right)));
        form.push_new("records", records);
        Value::from(form)
    }

    fn repeatable(&self, _request: &Map) -> bool {
        true
    }

    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}

/// The query with its name in lower case and type and class in upper case.
fn canonical(request: &Map) -> String {
    let text = request.text("query").unwrap_or_default();
    match (parse_question(text), text.split_once(' ')) {
        (Some(question), Some((_, rest))) => {
            let name = question.name.to_string().to_ascii_lowercase();
            format!("{name} {}", rest.to_ascii_uppercase())
        }
        _ => text.to_ascii_lowercase(),
    }
}

fn record(record: &Map) -> Map {
    let mut form = Map::new();
    for key in ["name", "type", "class", "data"] {
        match (key, record.get(key)) {
            ("name", Some(Value::Text(name))) => form.push_new(key, name.to_ascii_lowercase()),
            (_, Some(value)) => form.push_new(key, value.clone()),
            (_, None) => {}
        }
    }
    form
}

fn order(record: &Map) -> [&[u8]; 3] {
    ["name", "type", "data"]
        .map(|key| record.get(key).and_then(Value::as_bytes).unwrap_or_default())
}
