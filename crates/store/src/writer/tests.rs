//! A recording from its first test to its files, with crashes in between.

use super::*;
use crate::{StoreError, read_recording};
use rehearsal_model::{
    Call, Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Map, Recording, Role, Tables, TestCase,
    Timestamp, Value,
};

struct Project {
    root: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Project { root: tempfile::tempdir().unwrap() }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("rehearsal/checkout")
    }

    fn start(&self, append: bool) -> Result<Writer, StoreError> {
        Writer::create(self.root.path(), self.folder(), manifest(&["payments"]), append)
    }

    fn read(&self) -> Recording {
        read_recording(&self.folder()).unwrap()
    }

    /// Names in the folder, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries.map(|it| name(it).into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn manifest(outbound: &[&str]) -> Manifest {
    let edge = |name: &str, role| Edge {
        name: EdgeName::new(name),
        role,
        protocol: "http".into(),
        addresses: vec![format!("{name}.example:80")],
        tls: EdgeTls::default(),
        tables: Tables::new(),
        latency: EdgeLatency::default(),
    };
    let mut edges = vec![edge(EdgeName::INBOUND, Role::Inbound)];
    edges.extend(outbound.iter().map(|name| edge(name, Role::Outbound)));
    Manifest { tool: "0.1.0".into(), command: vec!["./shop".into()], edges, ..Manifest::default() }
}

fn exchange(line: &str) -> Exchange {
    let body = Map::from([("sku", "A1")]);
    let request = Map::from([("http", Value::from(line)), ("body", body.into())]);
    let response = Some(Map::from([("status", 200)]));
    Exchange { request, response, ..Exchange::default() }
}

fn test(number: u32) -> TestCase {
    let edge = EdgeName::new("payments");
    let call = Call { edge, exchange: exchange("POST /charges"), parallel: false };
    TestCase {
        id: TestId(number),
        name: format!("POST /orders/{number}"),
        at: Timestamp(1_763_000_000_000),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange(&format!("POST /orders/{number}")),
        calls: vec![call],
        noise: Vec::new(),
        during: Vec::new(),
    }
}

fn mock(after: u32) -> Mock {
    Mock {
        edge: EdgeName::new("payments"),
        exchange: exchange("GET /health"),
        after: TestId(after),
        calls: 0,
        shared_by: Vec::new(),
        of_test: None,
    }
}

#[test]
fn a_recording_from_start_to_end() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    assert_eq!((writer.first_test(), writer.recovered()), (TestId(1), None));
    writer.mock(mock(0)).unwrap();
    for number in [2, 1] {
        writer.test(test(number)).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(project.names(), [".journal", ".lock"]);
    let finished = writer.finish(manifest(&["payments"])).unwrap();
    assert_eq!((finished.tests, finished.mocks), (2, 1));
    assert!(finished.bytes > 300, "{finished:?}");
    assert_eq!(project.names(), ["ambient.yaml", "recording.yaml", "tests"]);
    let recording = project.read();
    assert_eq!(recording.tests, [test(1), test(2)]);
    assert_eq!(recording.mocks, [mock(0)]);
    let ignored = fs::read_to_string(project.root.path().join("rehearsal/.gitignore")).unwrap();
    assert!(ignored.contains("cache/\nruns/\n"));
}

#[test]
fn a_second_recording_needs_leave_and_goes_on_counting() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    writer.test(test(1)).unwrap();
    writer.mock(mock(0)).unwrap();
    writer.finish(manifest(&["payments"])).unwrap();

    let refused = project.start(false).unwrap_err().to_string();
    assert!(refused.contains("--append") && refused.contains("--name"), "{refused}");
    assert_eq!(project.names(), ["ambient.yaml", "recording.yaml", "tests"]);

    let mut writer = project.start(true).unwrap();
    assert_eq!(writer.first_test(), TestId(2));
    writer.test(test(2)).unwrap();
    writer.mock(mock(2)).unwrap();
    let finished = writer.finish(manifest(&["mail"])).unwrap();
    assert_eq!((finished.tests, finished.mocks), (2, 2));
    let recording = project.read();
    assert_eq!(recording.tests, [test(1), test(2)]);
    assert_eq!(recording.mocks, [mock(0), mock(2)]);
    assert_eq!(recording.manifest, manifest(&["payments", "mail"]));
}

#[test]
fn what_a_crash_left_becomes_files() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    writer.test(test(1)).unwrap();
    writer.flush().unwrap();
    writer.test(test(2)).unwrap();
    assert_eq!(recover(&project.folder()).unwrap(), None, "it goes on");
    drop(writer);
    let recovered = Some(Recovered { tests: 1, mocks: 0, lost: 0 });
    assert_eq!(recover(&project.folder()).unwrap(), recovered);
    assert_eq!(recover(&project.folder()).unwrap(), None);
    assert_eq!(project.read().tests, [test(1)]);
    assert_eq!(project.names(), ["ambient.yaml", "recording.yaml", "tests"]);

    let mut writer = project.start(true).unwrap();
    writer.test(test(2)).unwrap();
    writer.mock(mock(1)).unwrap();
    writer.flush().unwrap();
    drop(writer);
    let journal = project.folder().join(journal::FILE);
    let mut bytes = fs::read(&journal).unwrap();
    bytes.extend([1, 2, 3]);
    fs::write(&journal, &bytes).unwrap();
    let recovered = Some(Recovered { tests: 1, mocks: 1, lost: 3 });
    match project.start(false).unwrap_err() {
        StoreError::Exists { recovered: found, .. } => assert_eq!(found, recovered),
        other => panic!("{other}"),
    }
    // The files were written, but the journal stayed: the same again.
    fs::write(&journal, &bytes).unwrap();
    let writer = project.start(true).unwrap();
    assert_eq!((writer.recovered(), writer.first_test()), (recovered, TestId(3)));
    writer.discard().unwrap();
    assert_eq!(project.read().tests, [test(1), test(2)]);
    assert_eq!(project.read().mocks, [mock(1)]);
}

#[test]
fn a_crash_before_anything_leaves_nothing() {
    let project = Project::new();
    drop(project.start(false).unwrap());
    assert_eq!(project.names(), [".journal"]);
    let writer = project.start(false).unwrap();
    assert_eq!(writer.recovered(), None);
    writer.discard().unwrap();
    assert!(!project.folder().exists());
}

#[test]
fn one_writer_at_a_time() {
    let project = Project::new();
    let writer = project.start(false).unwrap();
    assert!(matches!(project.start(false), Err(StoreError::Locked { .. })));
    let finished = writer.finish(manifest(&[])).unwrap();
    assert_eq!((finished.tests, finished.mocks), (0, 0));
    project.start(true).unwrap();
}

#[test]
fn an_edge_keeps_its_protocol() {
    let project = Project::new();
    project.start(false).unwrap().finish(manifest(&["payments"])).unwrap();
    let mut other = manifest(&["payments"]);
    other.edges[1].protocol = "opaque".into();
    let error = project.start(true).unwrap().finish(other).unwrap_err();
    assert!(error.to_string().contains("speaks http there and opaque"), "{error}");
    assert!(project.names().contains(&journal::FILE.to_owned()));
}

/// Every file of a recording with its content, in order.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            files.push((path.file_name().unwrap().into(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn what_several_threads_write_is_what_one_writes() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    let large = |number: u32| Value::Text(format!("{:01$}", number % 7, 20_000));
    let (mut tests, mut mocks) = (Vec::new(), Vec::new());
    for number in 1..=400 {
        let (mut test, mut mock) = (test(number), mock(number));
        test.exchange.request.insert("body", large(number));
        mock.exchange.request.insert("body", large(number));
        writer.test(test.clone()).unwrap();
        writer.mock(mock.clone()).unwrap();
        tests.push(test);
        mocks.push(mock);
    }
    let finished = writer.finish(manifest(&["payments"])).unwrap();
    assert_eq!((finished.tests, finished.mocks), (400, 400));
    let files = content(&project.folder());
    assert_eq!(files.len(), 400 + 2 + 7, "a body that comes again is one blob");
    assert_eq!(files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>(), finished.bytes);

    let other = project.root.path().join("other");
    let manifest = manifest(&["payments"]);
    let recording = Recording { name: "other".into(), manifest, tests, mocks };
    crate::write_recording(&other, &recording).unwrap();
    assert_eq!(content(&other), files);
}

#[test]
fn a_journal_that_was_damaged_is_kept_and_saved_as_far_as_it_is_whole() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    (1..=3).for_each(|number| writer.test(test(number)).unwrap());
    writer.flush().unwrap();
    let journal = project.folder().join(journal::FILE);
    let mut bytes = fs::read(&journal).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let error = writer.finish(manifest(&["payments"])).unwrap_err();
    assert!(matches!(error, StoreError::Binary { .. }), "{error}");
    assert_eq!(project.names(), [".journal"]);
    let recovered = recover(&project.folder()).unwrap().unwrap();
    assert_eq!((recovered.tests, recovered.mocks), (2, 0));
    assert!(recovered.lost > 0);
    assert_eq!(project.read().tests, [test(1), test(2)]);
}

#[test]
fn a_number_that_comes_twice_is_refused_and_nothing_is_lost() {
    let project = Project::new();
    let mut writer = project.start(false).unwrap();
    (0..100).for_each(|_| writer.test(test(1)).unwrap());
    let error = writer.finish(manifest(&["payments"])).unwrap_err().to_string();
    assert!(error.contains("two tests have the number 0001"), "{error}");
    assert_eq!(project.names(), [".journal"]);
    assert_eq!(fs::read_dir(project.root.path().join("rehearsal")).unwrap().count(), 2);
}
