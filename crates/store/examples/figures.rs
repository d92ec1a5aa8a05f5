//! Measures what the store's promises are about: `cargo run --release -p rehearsal-store --example
//! figures [folder]`. It writes to a temporary folder, or below the one that is given.

use rehearsal_model::{
    Call, Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Manifest, Map, Mock, Moment, Role,
    SecretSettings, Tables, TestCase, TestId, Timestamp, Value, json,
};
use rehearsal_store::key::Key;
use rehearsal_store::scrub::Scrubber;
use rehearsal_store::writer::Writer;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const TESTS: u32 = 5000;
const CALLS: u32 = 2;
const MOCKS: u32 = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = tempfile::tempdir()?;
    let root = std::env::args().nth(1).map_or(root.path().to_owned(), PathBuf::from);
    let mut out = std::io::stdout().lock();

    let scrubber = Scrubber::new(&SecretSettings::default(), Key::new([1; 32]))?;
    let plain = exchange("POST /orders?page=2", r#"{"sku":"A1","quantity":2,"note":"gift"}"#);
    let mut login = exchange("POST /login", r#"{"user":"ann","password":"hunter2"}"#);
    login.request.insert("headers", Map::from([("authorization", "Bearer abcdefghijklmnop")]));
    for (name, exchange) in [("without secrets", &plain), ("with two secrets", &login)] {
        let mut copies = vec![exchange.clone(); 20_000];
        let start = Instant::now();
        copies.iter_mut().for_each(|copy| drop(scrubber.scrub(copy)));
        let each = start.elapsed() / copies.len() as u32;
        writeln!(out, "scrub an exchange {name}: {each:?}")?;
    }

    let folder = root.join("rehearsal/figures");
    let mut writer = Writer::create(&root, folder.clone(), manifest(), false)?;
    let (mut append, mut flush) = (Duration::ZERO, Duration::ZERO);
    for number in 1..=TESTS {
        let test = test(number);
        let start = Instant::now();
        writer.test(test)?;
        append += start.elapsed();
        if number % 20 == 0 {
            let start = Instant::now();
            writer.flush()?;
            flush += start.elapsed();
        }
    }
    let start = Instant::now();
    let finished = writer.finish(manifest())?;
    writeln!(
        out,
        "journal {} exchanges: {append:?}, flushed in {flush:?}; finish: {:?}, {} bytes",
        TESTS * (CALLS + 1),
        start.elapsed(),
        finished.bytes
    )?;
    let start = Instant::now();
    let recording = rehearsal_store::read_recording(&folder)?;
    writeln!(out, "read {} tests from YAML: {:?}", recording.tests.len(), start.elapsed())?;
    let start = Instant::now();
    let loaded = rehearsal_store::cache::load(&root, "figures")?;
    writeln!(out, "make the cache of {} calls: {:?}", loaded.prints.len(), start.elapsed())?;
    drop(recording);
    many_mocks(&root, &mut out)
}

/// A recording of few tests and 100,000 mocks.
fn many_mocks(root: &Path, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let mut writer = Writer::create(root, root.join("rehearsal/mocks"), manifest(), false)?;
    (1..=10).try_for_each(|number| writer.test(test(number)))?;
    for number in 0..MOCKS {
        let edge = EdgeName::new("payments");
        let exchange = exchange(&format!("GET /rates/{number}"), "null");
        writer.mock(Mock {
            edge,
            exchange,
            after: TestId(0),
            calls: 0,
            shared_by: Vec::new(),
            of_test: None,
        })?;
    }
    let start = Instant::now();
    let finished = writer.finish(manifest())?;
    writeln!(out, "finish {MOCKS} mocks: {:?}, {} bytes", start.elapsed(), finished.bytes)?;
    // The second time settles the stamp, which takes files that are two seconds old.
    for _ in 0..6 {
        let start = Instant::now();
        let loaded = rehearsal_store::cache::load(root, "mocks")?;
        let took = start.elapsed();
        let start = Instant::now();
        loaded.mock(MOCKS / 2)?;
        let first = start.elapsed();
        writeln!(out, "load {} mocks: {took:?}, decode one: {first:?}", loaded.mocks.len())?;
    }
    Ok(())
}

fn manifest() -> Manifest {
    let edge = |name: &str, role| Edge {
        name: EdgeName::new(name),
        role,
        protocol: "http".into(),
        addresses: vec![format!("{name}.example:80")],
        tls: EdgeTls::default(),
        tables: Tables::new(),
        latency: EdgeLatency::default(),
    };
    let edges = vec![edge(EdgeName::INBOUND, Role::Inbound), edge("payments", Role::Outbound)];
    Manifest {
        tool: "figures".into(),
        command: vec!["./shop".into()],
        edges,
        ..Manifest::default()
    }
}

fn exchange(line: &str, body: &str) -> Exchange {
    let headers: Map = [
        ("host", "payments.example"),
        ("user-agent", "shop/1.0 (linux; x86_64) http-client/2.3"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-request-id", "5f0c3a52-7a50-4d7b-9b64-5d3c4b1d2e6f"),
    ]
    .into();
    let body = json::parse(body).unwrap_or_default();
    let mut request = Map::from([("http", line)]);
    request.insert("headers", headers);
    request.insert("body", body);
    let mut response = Map::from([("status", 200)]);
    response.insert("headers", Map::from([("content-type", "application/json")]));
    response.insert("body", Map::from([("id", Value::from(17)), ("status", "paid".into())]));
    let (started, finished) = (Moment(1), Moment(2));
    Exchange {
        request,
        response: Some(response),
        failure: None,
        connection: 1,
        unit: None,
        started,
        finished,
    }
}

fn test(number: u32) -> TestCase {
    let call = |place: u32| Call {
        edge: EdgeName::new("payments"),
        exchange: exchange(
            &format!("POST /charges/{number}/{place}"),
            &format!(r#"{{"order":{number},"amount":"19.90"}}"#),
        ),
        parallel: false,
    };
    TestCase {
        id: TestId(number),
        name: "POST /orders".into(),
        at: Timestamp(1_763_000_000_000 + i64::from(number)),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange("POST /orders", &format!(r#"{{"sku":"A{number}","quantity":2}}"#)),
        calls: (0..CALLS).map(call).collect(),
        noise: Vec::new(),
        during: Vec::new(),
    }
}
