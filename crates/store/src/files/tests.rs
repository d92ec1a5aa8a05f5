//! Recordings come back from their folders, and mistakes in files are named with their place.

use super::folder::{read_with, write_with};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{
    Call, Edge, EdgeName, Exchange, Failure, Manifest, Map, Mock, Recording, Role, TestCase,
    TestId, Timestamp, Value,
};
use std::fs;
use std::path::Path;

static WEB: ExchangeShape = ExchangeShape {
    request: &[
        Field::required("http", Shape::Text, "Method and target"),
        Field::optional(
            "headers",
            Shape::Named(&Shape::Either(&[Shape::Data, Shape::List(&Shape::Data)])),
            "The headers",
        ),
        Field::optional("body", Shape::Any, "The body"),
    ],
    answer: "response",
    response: &[
        Field::required("status", Shape::Integer, "The status code"),
        Field::optional("headers", Shape::Named(&Shape::Data), "The headers"),
        Field::optional("body", Shape::Any, "The body"),
    ],
    keeps_connection: false,
};

static SQL: ExchangeShape = ExchangeShape {
    request: &[
        Field::required("sql", Shape::Text, "The statement"),
        Field::optional("params", Shape::List(&Shape::Any), "Its parameters"),
    ],
    answer: "result",
    response: &[
        Field::optional("rows", Shape::List(&Shape::List(&Shape::Any)), "The rows"),
        Field::optional("tag", Shape::Text, "What was done"),
    ],
    keeps_connection: true,
};

fn shapes(name: &str) -> Option<&'static ExchangeShape> {
    match name {
        "web" => Some(&WEB),
        "sql" => Some(&SQL),
        _ => None,
    }
}

fn edge(name: &str, role: Role, protocol: &str, address: &str) -> Edge {
    let addresses = vec![address.to_owned()];
    Edge { name: EdgeName::new(name), role, protocol: protocol.to_owned(), addresses }
}

fn exchange(request: Map, response: Option<Map>) -> Exchange {
    Exchange { request, response, ..Exchange::default() }
}

fn sample() -> Recording {
    let order = Map::from([("sku", Value::from("A1")), ("quantity", Value::from(2))]);
    let json = Map::from([("content-type", "application/json")]);
    let inbound = exchange(
        Map::from([
            ("http", Value::from("POST /orders")),
            ("headers", json.clone().into()),
            ("body", order.into()),
        ]),
        Some(Map::from([
            ("status", Value::from(201)),
            ("headers", json.into()),
            ("body", Map::from([("id", 17)]).into()),
        ])),
    );
    let sql = exchange(
        Map::from([
            ("sql", Value::from("INSERT INTO orders (sku)\n  VALUES ($1)\nRETURNING id")),
            ("params", Value::from(vec!["A1"])),
        ]),
        Some(Map::from([("rows", Value::from(vec![vec![17]])), ("tag", "INSERT 0 1".into())])),
    );
    let charge = exchange(
        Map::from([("http", Value::from("POST /charges")), ("body", "a: b".into())]),
        Some(Map::from([("status", 200)])),
    );
    let refused = Exchange { failure: Some(Failure::Refused), ..Exchange::default() };
    let call = |edge: &str, exchange: Exchange, parallel| Call {
        edge: EdgeName::new(edge),
        exchange,
        parallel,
    };
    let case = TestCase {
        id: TestId(1),
        name: "POST /orders".to_owned(),
        at: Timestamp(1_795_255_200_123),
        edge: EdgeName::new("inbound"),
        exchange: inbound,
        calls: vec![
            call("shop-db", Exchange { connection: 2, ..sql.clone() }, false),
            call("payments", charge, true),
            call("payments", refused, false),
        ],
        noise: vec!["response.body.created_at".to_owned()],
    };
    let mock = |exchange, after, shared_by: &[u32]| Mock {
        edge: EdgeName::new("shop-db"),
        exchange,
        after: TestId(after),
        shared_by: shared_by.iter().copied().map(TestId).collect(),
    };
    Recording {
        name: "checkout".to_owned(),
        manifest: Manifest {
            tool: "0.1.0".to_owned(),
            command: ["sh", "-c", "./shop --port 8080"].map(str::to_owned).into(),
            edges: vec![
                edge("inbound", Role::Inbound, "web", "127.0.0.1:8080"),
                edge("shop-db", Role::Outbound, "sql", "127.0.0.1:5432"),
                edge("payments", Role::Outbound, "web", "payments.example:443"),
            ],
        },
        tests: vec![case],
        mocks: vec![
            mock(exchange(Map::from([("sql", "SELECT 1")]), Some(Map::new())), 0, &[]),
            mock(Exchange { connection: 2, ..sql }, 1, &[1, 2]),
        ],
    }
}

#[track_caller]
fn write(folder: &Path, recording: &Recording) {
    write_with(folder, recording, &shapes).unwrap();
}

#[test]
fn files_look_as_people_expect() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let text = |name| fs::read_to_string(folder.join(name)).unwrap();
    insta::assert_snapshot!(text("tests/0001-post-orders.yaml"), @r#"
    test: POST /orders
    at: 2026-11-21T10:00:00.123Z
    request:
      http: POST /orders
      headers: {content-type: application/json}
      body: {sku: A1, quantity: 2}
    calls:
      - edge: shop-db
        connection: 2
        sql: |-
          INSERT INTO orders (sku)
            VALUES ($1)
          RETURNING id
        params: [A1]
        result:
          rows: [[17]]
          tag: INSERT 0 1
      - edge: payments
        parallel: true
        http: POST /charges
        body: "a: b"
        response: {status: 200}
      - edge: payments
        failure: refused
    response:
      status: 201
      headers: {content-type: application/json}
      body: {id: 17}
    noise: [response.body.created_at]
    "#);
    insta::assert_snapshot!(text("ambient.yaml"), @"
    mocks:
      - edge: shop-db
        sql: SELECT 1
        result: {}
      - edge: shop-db
        after: 1
        shared-by: [1, 2]
        connection: 2
        sql: |-
          INSERT INTO orders (sku)
            VALUES ($1)
          RETURNING id
        params: [A1]
        result:
          rows: [[17]]
          tag: INSERT 0 1
    ");
    insta::assert_snapshot!(text("recording.yaml"), @"
    format: 1
    written-by: 0.1.0
    command: [sh, -c, ./shop --port 8080]
    edges:
      inbound:
        protocol: web
        role: inbound
        addresses: [127.0.0.1:8080]
      shop-db:
        protocol: sql
        role: outbound
        addresses: [127.0.0.1:5432]
      payments:
        protocol: web
        role: outbound
        addresses: [payments.example:443]
    ");
    assert_eq!(read_with(&folder, &shapes).unwrap(), sample());
}

#[track_caller]
fn refuses(file: &str, from: &str, to: &str, message: &str) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let error = read_with(&folder, &shapes).unwrap_err().to_string();
    assert_eq!(error.replace(&format!("{}/", folder.display()), ""), message);
}

#[test]
fn mistakes_in_a_test_are_named_with_their_place() {
    let refuses = |from, to, message: &str| {
        let message = format!("read tests/0001-post-orders.yaml, line {message}");
        refuses("tests/0001-post-orders.yaml", from, to, &message);
    };
    refuses(
        "status: 201",
        "sttaus: 201",
        "26, column 3: unknown key `sttaus`; did you mean `status`?",
    );
    refuses(
        "status: 201",
        "code: 201",
        "26, column 3: unknown key `code`; it can be `status`, `headers` or `body`",
    );
    refuses("status: 201", "status: ok", "26, column 11: expected a whole number, found text");
    refuses("\n  status: 201", "", "26, column 3: the key `status` is missing: The status code");
    refuses(
        "test: POST /orders",
        "test: 1",
        "1, column 7: expected text, found an integer; put it in quotes",
    );
    refuses(
        "at: 2026-11-21T",
        "at: 2026-11-41T",
        "2, column 5: expected an instant such as `2026-01-31T10:00:00.000Z`, found text",
    );
    refuses(
        "  - edge: payments",
        "  - edge: payment",
        "18, column 11: the edge `payment` is not in recording.yaml; did you mean `payments`?",
    );
    refuses("  - edge: shop-db", "  - edg: shop-db", "8, column 5: the key `edge` is missing");
    refuses(
        "failure: refused",
        "failure: refuse",
        "24, column 14: `refuse` is not known here; did you mean `refused`?",
    );
    refuses("params: [A1]", "params: A1", "14, column 13: expected a list, found text");
    refuses(
        "parallel: true",
        "parallel: yes",
        "19, column 15: expected `true` or `false`, found text",
    );
    refuses(
        "connection: 2",
        "connection: -2",
        "9, column 17: expected a whole number from 0 to 4294967295",
    );
    refuses(
        "parallel: true",
        "paralel: true",
        "19, column 5: unknown key `paralel`; did you mean `parallel`?",
    );
    refuses(
        "  - edge: payments\n    failure: refused",
        "  - edge: payments",
        "23, column 5: the key `http` is missing: Method and target",
    );
    refuses("noise:", "noise: [a]\nnoise:", "30, column 1: the key `noise` is there twice");
    refuses(
        "calls:",
        "calls: &x",
        "7, column 8: anchors (`&name`) are not used here; put the text in quotes",
    );
    refuses(
        "body: {id: 17}",
        "body: !blob ../../x",
        "28, column 9: `!blob` needs the name of a blob: 64 digits from 0 to f",
    );
}
