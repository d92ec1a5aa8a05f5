//! A small recording over two invented protocols, for tests.

use super::save::write_with;
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{
    Call, Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Failure, Manifest, Map, Mock, Recording,
    Role, Tables, TestCase, TestId, Timestamp, Value,
};
use std::path::Path;

pub(crate) static WEB: ExchangeShape = ExchangeShape {
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

pub(crate) static SQL: ExchangeShape = ExchangeShape {
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

pub(crate) fn shapes(name: &str) -> Option<&'static ExchangeShape> {
    match name {
        "web" => Some(&WEB),
        "sql" => Some(&SQL),
        _ => None,
    }
}

fn edge(name: &str, role: Role, protocol: &str, address: &str) -> Edge {
    let addresses = vec![address.to_owned()];
    Edge {
        name: EdgeName::new(name),
        role,
        protocol: protocol.to_owned(),
        addresses,
        tls: EdgeTls::default(),
        tables: Tables::new(),
        latency: EdgeLatency::default(),
    }
}

pub(crate) fn exchange(request: Map, response: Option<Map>) -> Exchange {
    Exchange { request, response, ..Exchange::default() }
}

pub(crate) fn sample() -> Recording {
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
        noise: vec!["response.body.created_at".into()],
        during: Vec::new(),
    };
    let columns = [("id", "int4 | int8"), ("on", "text")];
    let columns = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into();
    Recording {
        name: "checkout".to_owned(),
        manifest: Manifest {
            tool: "0.1.0".to_owned(),
            command: ["sh", "-c", "./shop --port 8080"].map(str::to_owned).into(),
            edges: vec![
                edge("inbound", Role::Inbound, "web", "127.0.0.1:8080"),
                Edge {
                    tables: Tables::from([("orders".to_owned(), columns)]),
                    ..edge("shop-db", Role::Outbound, "sql", "127.0.0.1:5432")
                },
                edge("payments", Role::Outbound, "web", "payments.example:443"),
            ],
            listens: ["127.0.0.1:8080", "127.0.0.1:9100"].map(str::to_owned).into(),
            ..Manifest::default()
        },
        tests: vec![case],
        mocks: mocks(sql),
    }
}

fn mocks(sql: Exchange) -> Vec<Mock> {
    let mock = |exchange, after, shared_by: &[u32]| Mock {
        edge: EdgeName::new("shop-db"),
        exchange,
        after: TestId(after),
        calls: 0,
        shared_by: shared_by.iter().copied().map(TestId).collect(),
        of_test: None,
    };
    let select = |text| exchange(Map::from([("sql", text)]), Some(Map::new()));
    let of_test = Some("tests/test_orders.py::test_paid".to_owned());
    vec![
        mock(select("SELECT 1"), 0, &[]),
        mock(Exchange { connection: 2, ..sql.clone() }, 1, &[1, 2]),
        Mock { calls: 2, ..mock(sql, 1, &[]) },
        Mock { of_test, ..mock(select("SELECT 2"), 0, &[]) },
    ]
}

#[track_caller]
pub(crate) fn write(folder: &Path, recording: &Recording) {
    write_with(folder, recording, &shapes).unwrap();
}
