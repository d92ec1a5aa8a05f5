//! Files before and after something was accepted.

use super::{Amendment, amended};
use rehearsal_model::{Edit, Map, Step, TestId, Value, json};
use std::fs;

const MANIFEST: &str = "format: 1
written-by: 0.1.0
command: [./shop]
edges:
  inbound: {protocol: http, role: inbound}
  pay: {protocol: http, role: outbound}
";

const TEST: &str = r#"# The shop's first order.
test: POST /orders
at: 2026-11-20T10:00:00.123Z
request:
  http: POST /orders
  body: {sku: A1} # one
calls:
  # Money first.
  - edge: pay
    http: POST /charges?dry=1   # dry
    headers: {X-Shop: a, content-length: auto}
    body: {order: 1,  amount: "39.80"}
    response: {status: 201}
  - edge: pay
    parallel: true
    http: GET /rates
    response: {status: 200, headers: {content-type: application/json}, body: {rate: 2}}
response:
  status: 201
  headers: {content-type: application/json}
  body:
    id: 1   # ours
    total: "39.80"
    note: '{"a":1,"b":[1,2]}'
noise: [response.body.id, "calls[1].headers.x"]
"#;

fn way(path: &str) -> Vec<Step> {
    let step = |step: &str| match step.parse() {
        Ok(place) => Step::Index(place),
        Err(_) => Step::Key(step.to_owned()),
    };
    path.split(' ').map(step).collect()
}

fn value(path: &str, from: &str, to: &str) -> Edit {
    let read = |text: &str| (!text.is_empty()).then(|| json::parse(text).unwrap());
    Edit::Value { at: way(path), expected: read(from), actual: read(to) }
}

fn after(edits: &[Edit], noise: &[&str]) -> Result<String, String> {
    after_in(TEST, edits, noise)
}

fn after_in(text: &str, edits: &[Edit], noise: &[&str]) -> Result<String, String> {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("recording.yaml"), MANIFEST).unwrap();
    let noise: Vec<String> = noise.iter().map(|path| (*path).to_owned()).collect();
    let amendment = Amendment {
        folder: place.path(),
        file: std::path::Path::new("0001-x.yaml"),
        id: TestId(1),
        text,
        edits,
        noise: &noise,
    };
    amended(&amendment).map_err(|error| error.to_string())
}

#[track_caller]
fn check(edits: &[Edit], from: &str, to: &str) {
    assert_eq!(TEST.matches(from).count(), 1, "{from}");
    assert_eq!(after(edits, &[]).unwrap(), TEST.replace(from, to));
}

#[test]
fn values_names_and_places_are_accepted() {
    check(
        &[value("response status", "201", "200")],
        "response:\n  status: 201",
        "response:\n  status: 200",
    );
    check(
        &[value("calls 0 body amount", "\"39.80\"", "39.80")],
        "1,  amount: \"39.80\"",
        "1,  amount: 39.80",
    );
    check(&[value("calls 0 headers x-shop", "\"a\"", "\"b\"")], "X-Shop: a", "X-Shop: b");
    let path = value("calls 0 http", "\"POST /charges\"", "\"POST /v2/charges\"");
    check(&[path], "/charges?dry=1 ", "/v2/charges?dry=1 ");
    let renamed = [
        value("response body total", "\"39.80\"", ""),
        value("response body sum", "", "\"39.80\""),
    ];
    check(&renamed, "    total: \"39.80\"", "    sum: \"39.80\"");
    let inside =
        [value("response body note b 1", "2", ""), value("response body note a", "1", "3")];
    check(&inside, r#"'{"a":1,"b":[1,2]}'"#, r#"'{"a":3,"b":[1]}'"#);
    check(&[value("response body id", "1", "1")], "id: 1 ", "id: 1 ");
    check(&[value("calls 0 query dry", "\"1\"", "\"a b\"")], "?dry=1 ", "?dry=a%20b ");
    let added = value("calls 0 query wet", "", "\"x\"");
    check(&[added], "?dry=1 ", "?dry=1&wet=x ");
}

#[test]
fn in_texts_only_the_place_changes() {
    let odd = "    note: |-\n      {\"a\" :1,\n         \"b\": [ 1,2 ]}";
    let xml = "    note: |-\n      <o a=\"1\">\n        <n>1</n><n/>\n      </o>";
    let with = |text: &str, edits: &[Edit]| {
        let text = TEST.replace("    note: '{\"a\":1,\"b\":[1,2]}'", text);
        after_in(&text, edits, &[]).unwrap()
    };
    let edits = [value("response body note a", "1", "3"), value("response body note b 0", "1", "")];
    let out = with(odd, &edits);
    assert!(out.contains("      {\"a\" :3,\n         \"b\": [ 2 ]}\n"), "{out}");
    let place = |path: &str, expected: &str, actual: &str| Edit::Value {
        at: vec![
            Step::Key("response".into()),
            Step::Key("body".into()),
            Step::Key("note".into()),
            Step::Xml(path.into()),
        ],
        expected: Some(expected).filter(|it| !it.is_empty()).map(Value::from),
        actual: Some(actual).filter(|it| !it.is_empty()).map(Value::from),
    };
    let edits =
        [place("/o/n[1]", "1", "a & b"), place("/o/@a", "1", "2"), place("/o/n[2]", "<n/>", "")];
    let out = with(xml, &edits);
    let expected = "      <o a=\"2\">\n        <n>a &amp; b</n>\n      </o>\n";
    assert!(out.contains(expected), "{out}");
    let out = with(xml, &[place("/o/m", "", "<m/>")]);
    assert!(out.contains("<n>1</n><n/><m/>\n"), "{out}");
}

#[test]
fn calls_go_come_again_and_change_places() {
    let request = Map::from([
        ("http", Value::from("POST /charges?dry=1")),
        ("headers", Map::from([("X-Shop", "a"), ("content-length", "auto")]).into()),
        ("body", json::parse(r#"{"order":1,"amount":"39.80"}"#).unwrap()),
    ]);
    let gone = after(&[Edit::Drop { call: 0, request: request.clone() }], &[]).unwrap();
    assert!(!gone.contains("/charges") && !gone.contains("parallel"), "{gone}");
    assert!(gone.contains("noise: [response.body.id, \"calls[0].headers.x\"]"), "{gone}");
    assert!(gone.contains("id: 1   # ours"), "{gone}");
    let again = Edit::Repeat { edge: "pay".into(), request: request.clone(), times: 1 };
    let again = after(&[again], &[]).unwrap();
    assert_eq!(again.matches("POST /charges?dry=1").count(), 2, "{again}");
    assert!(again.contains("calls[2].headers.x"), "{again}");
    let moved = after(&[Edit::Before { call: 1, other: 0 }], &[]).unwrap();
    assert!(moved.find("/rates").unwrap() < moved.find("/charges").unwrap(), "{moved}");
    let both =
        [Edit::Drop { call: 0, request }, value("calls 1 http", "\"GET /rates\"", "\"GET /r\"")];
    assert!(after(&both, &[]).unwrap().contains("http: GET /r\n"));
}

#[test]
fn a_file_that_says_something_else_is_refused() {
    let error = after(&[value("response status", "204", "200")], &[]).unwrap_err();
    let expected = "use 0001-x.yaml: response.status was changed since the run (201 there, 204 when it ran); run `rehearsal test` again";
    assert_eq!(error, expected);
    let request = Map::from([("http", "GET /other")]);
    assert!(after(&[Edit::Drop { call: 0, request }], &[]).is_err());
    let gone = after(&[value("calls 0 query wet", "\"1\"", "\"2\"")], &[]).unwrap_err();
    assert!(gone.contains("calls[0].query.wet was changed since the run"), "{gone}");
}

#[test]
fn noise_joins_what_is_there() {
    let out = after(&[], &["response.body.total", "response.body.id"]).unwrap();
    let noise = "noise: [response.body.id, \"calls[1].headers.x\", response.body.total]";
    assert!(out.contains(noise), "{out}");
}
