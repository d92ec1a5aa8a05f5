//! Measures a recording of many tests: `cargo run --release -p rehearsal-store --example scale TESTS
//! CALLS [FOLDER]`. It is written, cached, loaded, and a few of its tests are read.

use rehearsal_matching::Library;
use rehearsal_model::{
    Call, Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Manifest, Map, Role, Tables, TestCase,
    TestId, Timestamp, Value,
};
use rehearsal_store::{cache, writer::Writer};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Files are trusted by their age only when they are older than the clock's steps.
const AGED: Duration = Duration::from_millis(2500);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let mut number = |usual: u32| words.next().map_or(Ok(usual), |word| word.parse());
    let (tests, calls) = (number(1000)?, number(20)?);
    let temporary = tempfile::tempdir()?;
    let root = words.next().map_or(temporary.path().to_owned(), PathBuf::from);
    let mut out = std::io::stdout().lock();
    let mut say = |what: &str, began: Instant| {
        writeln!(out, "{what}: {:.3} s, peak {} MiB", began.elapsed().as_secs_f64(), peak())
    };

    let began = Instant::now();
    let mut writer = Writer::create(&root, root.join("rehearsal/scale"), manifest(), false)?;
    for id in 1..=tests {
        writer.test(test(id, calls))?;
        writer.flush()?;
    }
    say(&format!("record {tests} tests of {calls} calls"), began)?;
    let began = Instant::now();
    writer.finish(manifest())?;
    say("write the files", began)?;
    let began = Instant::now();
    cache::load(&root, "scale")?;
    say("make the cache", began)?;
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv_timeout(AGED);
    drop(sender);
    let began = Instant::now();
    cache::load(&root, "scale")?;
    say("load, and settle that the files are what they were", began)?;
    for _ in 0..3 {
        let began = Instant::now();
        let mut loaded = cache::load(&root, "scale")?;
        say("load from the cache", began)?;
        let began = Instant::now();
        let count = loaded.prints.len();
        let library = Library::new(std::mem::take(&mut loaded.prints), |_| Vec::new());
        say(&format!("index {count} mocks"), began)?;
        let began = Instant::now();
        for id in (1..=tests).step_by((tests as usize / 10).max(1)) {
            loaded.test(TestId(id))?;
        }
        say("read ten tests", began)?;
        drop(library);
    }
    Ok(())
}

/// The most memory that this process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn test(id: u32, calls: u32) -> TestCase {
    let call = |index: u32| Call {
        edge: EdgeName::new("payments"),
        exchange: exchange(&format!("GET /rates/{id}/{index}"), Value::from(index)),
        parallel: false,
    };
    TestCase {
        id: TestId(id),
        name: format!("POST /orders/{id}"),
        at: Timestamp(1_763_000_000_000 + i64::from(id)),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange(&format!("POST /orders/{id}"), Value::from(id)),
        calls: (0..calls).map(call).collect(),
        noise: Vec::new(),
        during: Vec::new(),
    }
}

fn exchange(line: &str, value: Value) -> Exchange {
    let body = Map::from([("id", value), ("state", "paid".into())]);
    let response = Map::from([("status", Value::from(200)), ("body", body.into())]);
    Exchange {
        request: Map::from([("http", line)]),
        response: Some(response),
        ..Exchange::default()
    }
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
    Manifest { tool: "scale".into(), command: vec!["./shop".into()], edges, ..Manifest::default() }
}
