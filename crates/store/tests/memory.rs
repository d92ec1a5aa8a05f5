//! A recording of large bodies takes memory for what is written at the moment, not for all of it:
//! neither while it goes on, nor when it ends, nor when it is saved after a crash.
//!
//! What is allocated in this process is counted, so there is one test only.

use rehearsal_model::{
    Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Manifest, Map, Mock, Role, Tables, TestCase,
    TestId, Timestamp, Value,
};
use rehearsal_store::writer::{Writer, recover};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is recorded: as many tests, each with two bodies of as many bytes.
const TESTS: u32 = 14;
const BODY: usize = 8 << 20;
/// The most that may ever have been allocated: twice what is at work, and something for the rest.
const LIMIT: usize = 2 * 2 * BODY + (8 << 20);

/// Counts what is allocated.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came; counting touches atomics
// only, and so allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(place, layout, size) }
    }
}

fn count(less: usize, more: usize) {
    let before = LIVE.fetch_add(more, Ordering::Relaxed);
    PEAK.fetch_max((before + more).saturating_sub(less), Ordering::Relaxed);
    LIVE.fetch_sub(less, Ordering::Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_recording_of_large_bodies_stays_small() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("rehearsal/large");
    let finished = record(root.path(), &folder).finish(manifest()).unwrap();
    let bodies = u64::from(2 * TESTS + 4) * BODY as u64;
    assert_eq!(bodies, 256 << 20);
    assert_eq!((finished.tests, finished.mocks), (TESTS as usize, 2));
    assert!(finished.bytes > bodies, "{finished:?}");
    assert_eq!(finished.bytes, size_of(&folder));
    assert_small("after it was finished");

    let other = root.path().join("rehearsal/broken-off");
    drop(record(root.path(), &other));
    let recovered = recover(&other).unwrap().unwrap();
    assert_eq!((recovered.tests, recovered.mocks, recovered.lost), (TESTS as usize, 2, 0));
    assert_eq!(size_of(&other), size_of(&folder));
    assert_small("after it was recovered");
}

/// A recording that was flushed and is not finished.
fn record(root: &Path, folder: &Path) -> Writer {
    let mut writer = Writer::create(root, folder.to_owned(), manifest(), false).unwrap();
    for number in 1..=TESTS {
        writer.test(test(number)).unwrap();
        writer.flush().unwrap();
    }
    for number in [TESTS + 1, TESTS + 2] {
        let edge = EdgeName::new("payments");
        let exchange = exchange(number);
        writer
            .mock(Mock {
                edge,
                exchange,
                after: TestId(1),
                calls: 0,
                shared_by: Vec::new(),
                of_test: None,
            })
            .unwrap();
    }
    writer.flush().unwrap();
    assert_small("while it was recorded");
    writer
}

fn assert_small(when: &str) {
    let peak = PEAK.load(Ordering::Relaxed);
    assert!(peak < LIMIT, "{when} the peak is {} MiB", peak >> 20);
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let sizes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => size_of(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    sizes.sum()
}

fn manifest() -> Manifest {
    let edge = |name: &str, role| Edge {
        name: EdgeName::new(name),
        role,
        protocol: "http".into(),
        addresses: Vec::new(),
        tls: EdgeTls::default(),
        tables: Tables::new(),
        latency: EdgeLatency::default(),
    };
    let edges = vec![edge(EdgeName::INBOUND, Role::Inbound), edge("payments", Role::Outbound)];
    Manifest { tool: "0.1.0".into(), command: vec!["./shop".into()], edges, ..Manifest::default() }
}

fn test(number: u32) -> TestCase {
    TestCase {
        id: TestId(number),
        name: format!("PUT /files/{number}"),
        at: Timestamp(1_763_000_000_000),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange(number),
        calls: Vec::new(),
        noise: Vec::new(),
        during: Vec::new(),
    }
}

/// Bytes up, text down, and none of them twice in the recording.
fn exchange(number: u32) -> Exchange {
    let bytes = [number.to_le_bytes(), [0xff; 4]].concat().repeat(BODY / 8);
    let text = format!("{number:07}\n").repeat(BODY / 8);
    let request =
        Map::from([("http", format!("PUT /files/{number}").into()), ("body", Value::Bytes(bytes))]);
    let response = Map::from([("status", Value::from(200)), ("body", Value::Text(text))]);
    Exchange { request, response: Some(response), ..Exchange::default() }
}
