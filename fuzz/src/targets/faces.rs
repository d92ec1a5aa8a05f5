//! What is spoken through HTTP: an input is a GraphQL document, and an XML document.

use crate::memory::within;
use rehearsal_compare::Rules;
use rehearsal_model::{Map, Value};
use rehearsal_wire::protocol;

/// What the facets of a request may hold at once for an input of 64 KiB.
const MEMORY: usize = 64 << 20;

fn told(body: Value) -> (String, Value, Value, bool) {
    let request = Map::from([("http", Value::from("POST /")), ("body", body)]);
    let facets = protocol("http").expect("there is HTTP").facets();
    within(MEMORY, || {
        facets.failure(&request, &request);
        let (identity, form) = (facets.identity(&request), facets.request(&request));
        (facets.operation(&request), identity, form, facets.repeatable(&request))
    })
}

/// White space, commas and comments around a document say nothing.
pub(crate) fn graphql(data: &[u8]) {
    let document = String::from_utf8_lossy(data);
    let posted = |text: &str| told(Map::from([("query", text)]).into());
    let one = posted(&document);
    if one.0 != "POST /" {
        assert_eq!(one, posted(&format!("\u{feff},# {{\n {document}\n,#")));
    }
}

/// Comments and processing instructions around an envelope, and white space, say nothing.
pub(crate) fn soap(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let one = told(Value::from(text.as_ref()));
    let longer = format!("{text}\n<!-- {{ --><?pi?>");
    if one.0 != "POST /" {
        let other = told(Value::from(longer.as_str()));
        assert_eq!((one.0, one.1), (other.0, other.1));
    }
    let (one, other) = (Value::from(text.as_ref()), Value::from(longer.as_str()));
    let differences = rehearsal_compare::compare(&one, &other, "body", &Rules::default());
    assert!(
        differences.len() <= 1 && differences.iter().all(|it| it.path == "body"),
        "{differences:?}"
    );
}
