//! tmp
use rehearsal_model::*;
use std::io::Write;
use std::time::Instant;
fn main() {
    let mut out = std::io::stdout().lock();
    let edge = |name: &str, role| Edge {
        name: EdgeName::new(name),
        role,
        protocol: "http".into(),
        addresses: vec![format!("{name}.example:80")],
    };
    let body = json::parse(r#"{"sku":"A1","quantity":2,"note":"gift","tags":["a","b"],"customer":{"id":"5f0c","email":"a@b.example"}}"#).unwrap();
    let ex = |line: &str| Exchange {
        request: Map::from([
            ("http", Value::from(line)),
            (
                "headers",
                Map::from([
                    ("host", "payments.example"),
                    ("user-agent", "shop/1.0 (linux; x86_64) http-client/2.3"),
                    ("accept", "application/json"),
                    ("content-type", "application/json"),
                ])
                .into(),
            ),
            ("body", body.clone()),
        ]),
        response: Some(Map::from([
            ("status", Value::from(200)),
            ("headers", Map::from([("content-type", "application/json"), ("server", "x")]).into()),
            ("body", body.clone()),
        ])),
        ..Exchange::default()
    };
    let tests: Vec<TestCase> = (1..=15000)
        .map(|n| TestCase {
            id: TestId(n),
            name: format!("POST /orders/{n}"),
            at: Timestamp(1_795_255_200_123 + i64::from(n)),
            edge: EdgeName::new("inbound"),
            exchange: ex(&format!("POST /orders/{n}")),
            calls: vec![Call {
                edge: EdgeName::new("payments"),
                exchange: ex("POST /charges"),
                parallel: false,
            }],
            noise: vec![],
        })
        .collect();
    let rec = Recording {
        name: "speed".into(),
        manifest: Manifest {
            tool: "0.1.0".into(),
            command: vec!["x".into()],
            edges: vec![edge("inbound", Role::Inbound), edge("payments", Role::Outbound)],
        },
        tests,
        mocks: vec![],
    };
    let root = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let folder = root.join("speed");
    for _ in 0..3 {
        let t = Instant::now();
        rehearsal_store::write_recording(&folder, &rec).unwrap();
        let w = t.elapsed();
        let t = Instant::now();
        let back = rehearsal_store::read_recording(&folder).unwrap();
        let r = t.elapsed();
        writeln!(out, "write {w:?} read {r:?}").unwrap();
        let t = Instant::now();
        assert!(back == rec);
        writeln!(out, "equal {:?}", t.elapsed()).unwrap();
    }
}
