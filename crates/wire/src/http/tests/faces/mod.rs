//! What is spoken through HTTP: operations, identities, comparison forms.

mod graphql;
mod soap;

use super::*;
use rehearsal_model::Map;

/// What is said of one request.
struct Told {
    operation: String,
    identity: String,
    form: String,
    repeatable: bool,
}

#[track_caller]
fn map(text: &str) -> Map {
    match json::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("not a map: {other:?}"),
    }
}

#[track_caller]
fn tell(request: &Map) -> Told {
    let facets = Http.facets();
    Told {
        operation: facets.operation(request),
        identity: json::to_string(&facets.identity(request)),
        form: json::to_string(&facets.request(request)),
        repeatable: facets.repeatable(request),
    }
}
