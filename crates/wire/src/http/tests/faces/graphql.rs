//! GraphQL: what is equal, what is not, and what is plain HTTP.

use super::*;

/// What is said of parameters that are posted as JSON.
#[track_caller]
fn posted(parameters: &str) -> Told {
    let mut request =
        map(r#"{"http":"POST /graphql","headers":{"content-type":"application/json"}}"#);
    request.push_new("body", json::parse(parameters).expect("JSON"));
    tell(&request)
}

fn document(text: &str) -> Told {
    posted(&json::to_string(&Value::Map(Map::from([("query", text)]))))
}

#[track_caller]
fn equal(one: &str, other: &str) {
    let (one, other) = (document(one), document(other));
    assert_eq!((one.identity, one.form), (other.identity, other.form));
}

#[track_caller]
fn another(one: &str, other: &str) {
    assert_ne!(document(one).identity, document(other).identity);
}

#[test]
fn an_operation_has_the_name_that_people_give_it() {
    let operation = |text| document(text).operation;
    assert_eq!(operation("query Orders { orders { id } }"), "query Orders");
    assert_eq!(
        operation("mutation PlaceOrder($a: Int!) { place(a: $a) { id } }"),
        "mutation PlaceOrder"
    );
    assert_eq!(operation("{ orders { id } shop: store { a } c d }"), "query { orders store c }");
    assert_eq!(operation("mutation { pay(order: 17) { id } }"), "mutation { pay }");
    assert_eq!(operation("{ ...F } fragment F on Query { a }"), "query { ...F }");
    let several = "query A { a } mutation B { b }";
    let asked = |name| {
        let parameters = Map::from([("query", Value::from(several)), ("operationName", name)]);
        posted(&json::to_string(&Value::Map(parameters)))
    };
    assert_eq!(
        (asked("B".into()).operation.as_str(), asked("B".into()).repeatable),
        ("mutation B", false)
    );
    assert_eq!(
        (asked("A".into()).operation.as_str(), asked("A".into()).repeatable),
        ("query A", true)
    );
    assert_eq!(asked("C".into()).operation, "GraphQL C");
    assert_eq!(asked(Value::Null).operation, "GraphQL");
}

#[test]
fn the_document_identifies_and_what_it_is_given_is_compared() {
    let told = posted(
        r#"{"query":"query Orders($first: Int = 10, $input: In) {\n orders(first: $first, kind: OPEN, after: \"x\") { id, total }\n}",
            "operationName":"Orders","variables":{"input":{"amount":19.90}},"extensions":{}}"#,
    );
    let text = "query Orders($first: Int = ?, $input: In) { orders(after: ?, first: $first, kind: ?) { id total } }";
    assert_eq!(
        told.identity,
        format!(
            r#"{{"http":"POST /graphql","graphql":{{"operation":"Orders","document":"{text}"}}}}"#
        )
    );
    let body = format!(
        r#""body":{{"query":"{text}","literals":{{"$first":10,"orders.after":"x","orders.kind":"OPEN"}},"variables":{{"input":{{"amount":19.90}}}}}}"#
    );
    assert!(told.form.ends_with(&format!("{body}}}")), "{}", told.form);
    assert!(told.repeatable);
}

#[test]
fn layout_and_what_has_no_order_do_not_count() {
    equal("{a(x:1,y:2){b,c}}", "query {\n # all\n a(y: 2 x: 1) { b c }\n}");
    equal("query Q($a: Int, $b: [In!]!) { f(a: $a) }", "query Q($b:[In!]! $a:Int){f(a:$a)}");
    equal("{ f(in: {a: 1, b: {c: 2, d: 3}}) }", "{ f(in: {b: {d: 3, c: 2}, a: 1}) }");
    equal("{ f(in: {a: $a, b: 1}) }", "{ f(in: {b: 1, a: $a}) }");
    equal(
        "{ ...A ...B } fragment A on Q { a } fragment B on Q { b }",
        "fragment B on Q{b} {...A ...B} fragment A on Q{a}",
    );
    equal(r#"{ f(a: "x\u0079") }"#, r#"{ f(a: """xy""") }"#);
    equal("\"says\" query Q { a }", "query Q { a }");
    let parameters = r#"{"query":"query A { a }","operationName":null,"variables":null}"#;
    assert_eq!(posted(parameters).form, document("query A{a}").form);
    assert_eq!(
        posted(r#"{"variables":{},"operationName":"A","query":"query A{a}"}"#).form,
        document("query A{a}").form
    );
}

#[test]
fn what_is_asked_for_counts() {
    another("{ a b }", "{ b a }");
    another("{ a }", "{ x: a }");
    another("{ a }", "mutation { a }");
    another("query A { a }", "query B { a }");
    another("{ a @skip(if: $x) }", "{ a @include(if: $x) }");
    another("{ a(x: 1) }", "{ a(y: 1) }");
    another("{ a(x: $x) }", "{ a(x: 1) }");
    another("{ ... on A { a } }", "{ ... on B { a } }");
    another("query ($a: Int) { a }", "query ($a: Int!) { a }");
    let told = |value| document(&format!("{{ a(x: {value}) }}"));
    assert_eq!(told("1").identity, told("[2, {b: E}]").identity);
    assert_ne!(told("1").form, told("2").form);
    assert_ne!(told("null").form, told("\"null\"").form);
}

#[test]
fn literals_are_named_by_where_they_stand() {
    let told = document(
        "query { a: orders(filter: {ids: [1, $x], since: \"y\"}) { total(in: EUR) @if(b: true) } \
         ...F ... on Q { c(d: 1) } } fragment F on Q { c(d: 2) } query { a: orders(filter: 3) }",
    );
    let literals = r#""literals":{"F.c.d":2,"a.filter":3,"a.filter.ids.0":1,"a.filter.since":"y","a.total.in":"EUR","a.total.@if.b":true,"c.d":1}"#;
    assert!(told.form.contains(literals), "{}", told.form);
    let twice = document("{ a(b: 1) a(b: 1) }");
    assert!(twice.form.contains(r#""literals":{"a.b":1,"a.b (2)":1}"#), "{}", twice.form);
}

#[test]
fn a_batch_is_all_of_its_requests() {
    let told = posted(r#"[{"query":"{a}"},{"query":"mutation M{b}","variables":{"x":1}}]"#);
    assert_eq!(told.operation, "query { a }, mutation M");
    assert!(told.form.contains(
        r#""body":[{"query":"query { a }"},{"query":"mutation M { b }","variables":{"x":1}}]"#
    ));
    assert!(!told.repeatable);
    let five = posted(&format!("[{}]", [r#"{"query":"query A{a}"}"#; 5].join(",")));
    assert_eq!(five.operation, "query A, query A, query A and 2 more");
    assert!(five.repeatable);
}

#[test]
fn persisted_documents_are_known_by_their_hash() {
    let hash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
    let asked = |name: &str, query: &str, hash: &str| {
        posted(&format!(
            r#"{{{name}{query}"variables":{{"a":1}},"extensions":{{"persistedQuery":{{"version":1,"sha256Hash":"{hash}"}}}}}}"#
        ))
    };
    let (name, query) = (r#""operationName":"Orders","#, r#""query":"query Orders { a }","#);
    let told = asked(name, "", hash);
    assert_eq!((told.operation.as_str(), told.repeatable), ("GraphQL Orders", false));
    assert_eq!(
        told.identity,
        format!(r#"{{"http":"POST /graphql","graphql":{{"operation":"Orders","hash":"{hash}"}}}}"#)
    );
    assert_eq!(asked("", "", hash).operation, "GraphQL ecf4edb4");
    assert_ne!(asked("", "", "other").identity, asked("", "", hash).identity);
    let registered = asked(name, query, hash);
    assert_eq!((registered.operation.as_str(), registered.repeatable), ("query Orders", true));
    assert_ne!(registered.identity, told.identity);
}

#[test]
fn parameters_may_come_in_the_query() {
    let line = "GET /graphql?variables=%7B%22a%22%3A+1%7D&query=query+Q(%24a%3AInt)%7Bf(a%3A%24a,b%3A2)%7D&operationName=Q";
    let told = tell(&Map::from([("http", line)]));
    assert_eq!(told.operation, "query Q");
    assert!(told.repeatable);
    let text = "query Q($a: Int) { f(a: $a, b: ?) }";
    assert_eq!(
        told.identity,
        format!(r#"{{"http":"GET /graphql","graphql":{{"operation":"Q","document":"{text}"}}}}"#)
    );
    assert_eq!(
        told.form,
        format!(
            r#"{{"http":"GET /graphql","query":{{"query":"{text}","literals":{{"f.b":2}},"variables":{{"a":1}}}}}}"#
        )
    );
    let line =
        r#"GET /graphql?extensions={"persistedQuery":{"version":1,"sha256Hash":"0123456789"}}"#;
    let told = tell(&Map::from([("http", line)]));
    assert_eq!((told.operation.as_str(), told.repeatable), ("GraphQL 01234567", true));
    let told = tell(&Map::from([("http", "GET /graphql?query=mutation%7Ba%7D")]));
    assert!(!told.repeatable);
}

#[test]
fn a_bare_document_is_one_too() {
    let request = |kind: &str| {
        tell(&map(&format!(
            r#"{{"http":"POST /g","headers":{{"Content-Type":"{kind}"}},"body":"query A {{ a }}"}}"#
        )))
    };
    assert_eq!(request("application/graphql; charset=utf-8").operation, "query A");
    assert_eq!(request("text/plain").operation, "POST /g");
}

#[test]
fn what_is_no_document_is_plain_http() {
    let plain = [
        r#"{"query":"shoes"}"#,
        r#"{"query":""}"#,
        r#"{"query":{"match_all":{}}}"#,
        r#"{"query":17,"extensions":{"persistedQuery":{"sha256Hash":"a"}}}"#,
        r#"{"query":"{ a"}"#,
        r#"{"query":"{ a } }"}"#,
        r#"{"query":"{ a() }"}"#,
        r#"{"query":"{}"}"#,
        r#"{"query":"query Q() { a }"}"#,
        r#"{"query":"{ a(x: ) }"}"#,
        r#"{"query":"type A { a: Int }"}"#,
        r#"{"query":"fragment on on Q { a }"}"#,
        r#"{"query":"fragment F on Q { a }"}"#,
        r#"{"variables":{"a":1}}"#,
        r#"{"extensions":{"persistedQuery":{}}}"#,
        r#"[{"query":"{ a }"},{"q":1}]"#,
        "[]",
    ];
    for parameters in plain {
        assert_eq!(posted(parameters).operation, "POST /graphql", "{parameters}");
    }
    assert_eq!(tell(&Map::from([("http", "GET /search?query=shoes")])).operation, "GET /search");
    let escaped = Map::from([("http", "GET /graphql?a=1&%71uery=%7Ba%7D")]);
    assert_eq!(tell(&escaped).operation, "query { a }");
    let nested = |depth: usize| document(&format!("{}a{}", "{a".repeat(depth), "}".repeat(depth)));
    assert_eq!(nested(90).operation, "query { a }");
    assert_eq!(nested(50_000).operation, "POST /graphql");
    let deep = "[".repeat(60_000);
    assert_eq!(document(&format!("{{ a(x: {deep}) }}")).operation, "POST /graphql");
    let many = "x: 1 ".repeat(20_000);
    assert_eq!(document(&format!("{{ a({many}) }}")).operation, "POST /graphql");
}

#[test]
fn errors_are_named_though_the_status_is_200() {
    let request = map(r#"{"http":"POST /graphql","body":{"query":"{ a }"}}"#);
    let failure = |answer: &str| Http.facets().failure(&request, &map(answer));
    let said =
        failure(r#"{"status":200,"body":{"errors":[{"message":"no total"},{}],"data":null}}"#);
    assert_eq!(said.as_deref(), Some("GraphQL error: no total (and 1 more)"));
    assert_eq!(failure(r#"{"status":200,"body":{"data":{"a":1}}}"#), None);
    assert_eq!(failure(r#"{"status":200,"body":{"errors":[]}}"#), None);
    let batch = failure(r#"{"status":200,"body":[{"data":1},{"errors":[{}]}]}"#);
    assert_eq!(batch.as_deref(), Some("GraphQL error: without a message"));
    let plain = map(r#"{"http":"POST /a","body":{"a":1}}"#);
    let answer = map(r#"{"status":200,"body":{"errors":[{"message":"no"}]}}"#);
    assert_eq!(Http.facets().failure(&plain, &answer), None);
}
