//! Identity and comparison form.

use super::*;
use rehearsal_model::Map;

fn map(text: &str) -> Map {
    match json::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("not a map: {other:?}"),
    }
}

#[track_caller]
fn request(recorded: &str, expected: &str) {
    assert_eq!(json::to_string(&Http.facets().request(&map(recorded))), expected);
}

#[track_caller]
fn response(recorded: &str, expected: &str) {
    let form = Http.facets().response(&Map::new(), &map(recorded));
    assert_eq!(json::to_string(&form), expected);
}

#[test]
fn the_operation_is_method_and_path() {
    let operation = |line: &str| Http.facets().operation(&Map::from([("http", line)]));
    assert_eq!(operation("POST /orders?dry=1"), "POST /orders");
    assert_eq!(operation("GET /a?to=c://d?e"), "GET /a");
    assert_eq!(operation("GET /a?"), "GET /a");
    assert_eq!(operation("GET http://shop:80/a?b=c://d"), "GET /a");
    assert_eq!(operation("GET http://shop"), "GET /");
    assert_eq!(operation("CONNECT shop:443"), "CONNECT shop:443");
    assert_eq!(operation("OPTIONS *"), "OPTIONS *");
    assert_eq!(Http.facets().operation(&Map::new()), " ");
}

#[test]
fn the_names_in_a_query_identify_and_its_values_are_compared() {
    let facets = Http.facets();
    let asked = |line: &str| Map::from([("http", line)]);
    let identity = |line: &str| json::to_string(&facets.identity(&asked(line)));
    let form = |line: &str| json::to_string(&facets.request(&asked(line)));
    let names = r#"{"http":"GET /a","query":["b","c","d"]}"#;
    assert_eq!(identity("GET /a?d=x+y&b=2&c&b=1"), names);
    assert_eq!(identity("GET /a?b=3&d=z&c="), names);
    assert_ne!(identity("GET /a?b=3&d=z"), names);
    assert_eq!(identity("GET /a?"), r#"{"http":"GET /a"}"#);
    let values = r#"{"http":"GET /a","query":{"b":["2","1"],"c":null,"d":"x y"}}"#;
    assert_eq!(form("GET /a?d=x+y&b=2&c&b=1"), values);
    assert_eq!(form("GET /a?b=2&d=x%20y&b=1&c"), values);
    assert_eq!(form("GET /a?%ff=%fe"), r#"{"http":"GET /a","query":{"%ff":"%fe"}}"#);
}

#[test]
fn requests_compare_by_what_they_say() {
    request(
        r#"{"http":"POST /a?x=1","headers":[{"X-Key":"k"},{"Host":"h"},{"x-key":"l"},
            {"Connection":"Keep-Alive, X-Hop"},{"X-Hop":"1"},{"User-Agent":"u"},
            {"Traceparent":"t"},{"X-B3-SpanId":"s"},{"Content-Type":"application/json"},
            {"Accept":"*/*"}],"body":"{\"a\" :1}"}"#,
        concat!(
            r#"{"http":"POST /a","query":{"x":"1"},"headers":{"accept":"*/*","#,
            r#""content-type":"application/json","x-key":["k","l"]},"body":{"a":1}}"#
        ),
    );
    request(
        r#"{"http":"POST /","headers":{"Content-Type":"application/x-www-form-urlencoded"},
            "body":"b=%c3%a9&a=1"}"#,
        concat!(
            r#"{"http":"POST /","headers":{"content-type":"application/x-www-form-urlencoded"},"#,
            r#""form":{"a":"1","b":"é"}}"#
        ),
    );
    request(
        r#"{"http":"POST /","headers":{"Content-Type":"multipart/form-data; boundary=r4nd0m"},
            "multipart":[{"headers":{"Content-Type":"application/json"},"body":"[ 1]"},
            {"body":"[ 1]"}]}"#,
        concat!(
            r#"{"http":"POST /","headers":{"content-type":"multipart/form-data"},"multipart":["#,
            r#"{"headers":{"content-type":"application/json"},"body":[1]},{"body":[1]}]}"#
        ),
    );
}

#[test]
fn responses_compare_by_what_they_say() {
    response(
        r#"{"status":200,"reason":"Fine","informational":[{"status":100},{"status":103,
            "headers":{"Link":"a"}}],"headers":{"Date":"Sun, 06 Nov 1994 08:49:37 GMT",
            "Server":"s","Transfer-Encoding":"chunked"},"body":[1],"trailers":{"X":"y"}}"#,
        concat!(
            r#"{"status":200,"informational":[{"status":103,"headers":{"link":"a"}}],"#,
            r#""headers":{"date":"<HTTP date>","server":"s"},"body":[1],"trailers":{"x":"y"}}"#
        ),
    );
    for odd in ["yesterday", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 36 Nov 1994 08:49:37 GMT"] {
        let recorded = format!(r#"{{"status":200,"headers":{{"Date":"{odd}"}}}}"#);
        response(&recorded, &format!(r#"{{"status":200,"headers":{{"date":"{odd}"}}}}"#));
    }
}

#[test]
fn sets_compare_in_any_order_but_lists_do_not() {
    response(
        r#"{"status":405,"headers":[{"Allow":"OPTIONS,GET , HEAD"},{"Vary":"Origin"},
            {"Via":"b, a"}]}"#,
        concat!(
            r#"{"status":405,"headers":{"allow":"GET, HEAD, OPTIONS","vary":"Origin","#,
            r#""via":"b, a"}}"#
        ),
    );
}

#[test]
fn reads_are_repeatable() {
    let repeatable = |line: &str| Http.facets().repeatable(&Map::from([("http", line)]));
    assert!(["GET /", "HEAD /", "OPTIONS *"].into_iter().all(repeatable));
    assert!(!["POST /", "PUT /", "DELETE /", "get /", ""].into_iter().any(repeatable));
}

#[test]
fn a_call_may_name_its_test() {
    let named = |headers: &str| {
        let request = map(&format!(r#"{{"http":"GET /","headers":{headers}}}"#));
        Http.facets().named_test(&request)
    };
    assert_eq!(named(r#"{"X-Rehearsal-Test":" a.py::test_b "}"#).as_deref(), Some("a.py::test_b"));
    assert_eq!(named(r#"[{"A":"1"},{"x-rehearsal-test":"b"}]"#).as_deref(), Some("b"));
    assert_eq!(named(r#"{"x-rehearsal-test":""}"#), None);
    assert_eq!(named("{}"), None);
}

#[test]
fn traces_come_from_the_usual_headers() {
    let recorded = r#"{"http":"GET /","headers":{"traceparent":
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","X-Request-ID":"r1",
        "x-correlation-id":"r1","B3":"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
        "X-B3-TraceId":"463ac35c9f6413ad"}}"#;
    let expected = [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "r1",
        "80f198ee56343ba864fe8b2a57d3eff7",
        "463ac35c9f6413ad",
    ];
    assert_eq!(Http.facets().trace(&map(recorded)), expected);
}
