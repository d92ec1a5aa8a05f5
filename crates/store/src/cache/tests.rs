//! A cache gives what the files give, or is made again.

use super::*;
use crate::{read_recording, write_recording};
use rehearsal_matching::{Place, fingerprint};
use rehearsal_model::{
    Edge, EdgeLatency, EdgeName, EdgeTls, Map, Recording, Role, Tables, Timestamp,
};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

struct Project {
    root: tempfile::TempDir,
}

impl Project {
    /// With a recording of three tests and two mocks.
    fn new() -> Self {
        let project = Project { root: tempfile::tempdir().unwrap() };
        write_recording(&project.folder(), &recording()).unwrap();
        project
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("rehearsal/checkout")
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("rehearsal/cache/checkout.bin")
    }

    fn load(&self) -> Loaded {
        load(self.root.path(), "checkout").unwrap()
    }

    /// Loads as if all files had been written long ago.
    fn load_later(&self) -> Loaded {
        let later = SystemTime::now() + Duration::from_secs(60);
        load_at(later, self.root.path(), "checkout").unwrap()
    }

    /// Changes whenever the cache is written.
    fn inode(&self) -> u64 {
        fs::metadata(self.cache()).unwrap().ino()
    }
}

fn recording() -> Recording {
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
    let mock = |after, shared_by: &[u32]| Mock {
        edge: EdgeName::new("payments"),
        exchange: exchange("GET /health"),
        after: TestId(after),
        calls: 0,
        shared_by: shared_by.iter().copied().map(TestId).collect(),
        of_test: None,
    };
    Recording {
        name: "checkout".into(),
        manifest: Manifest {
            tool: "0.1.0".into(),
            command: vec!["./shop".into()],
            edges,
            ..Manifest::default()
        },
        tests: (1..=3).map(test).collect(),
        mocks: vec![mock(0, &[]), mock(2, &[1, 2])],
    }
}

fn exchange(line: &str) -> Exchange {
    let response = Some(Map::from([("status", 200)]));
    Exchange { request: Map::from([("http", line)]), response, ..Exchange::default() }
}

fn test(number: u32) -> TestCase {
    let call = |place: u32| Call {
        edge: EdgeName::new("payments"),
        exchange: exchange(&format!("POST /charges/{number}/{place}")),
        parallel: place > 0,
    };
    TestCase {
        id: TestId(number),
        name: format!("POST /orders/{number}"),
        at: Timestamp(1_763_000_000_000),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange(&format!("POST /orders/{number}")),
        calls: (0..number).map(call).collect(),
        noise: vec!["response.body.at".into()],
        during: Vec::new(),
    }
}

#[track_caller]
fn check(loaded: &Loaded, folder: &Path) {
    let recording = read_recording(folder).unwrap();
    assert_eq!(loaded.manifest, recording.manifest);
    assert_eq!(loaded.tests.len(), recording.tests.len());
    for test in &recording.tests {
        assert_eq!(loaded.test(test.id).unwrap(), *test);
        let head = loaded.head(test.id).unwrap();
        assert_eq!((&head.name, head.at, &head.edge), (&test.name, test.at, &test.edge));
        assert!(folder.join(&head.file).is_file(), "{head:?}");
        for (index, call) in (0u32..).zip(&test.calls) {
            assert_eq!(loaded.call_exchange(test.id, index).unwrap(), call.exchange);
        }
        assert!(loaded.call_exchange(test.id, head.calls).is_err());
    }
    for (index, mock) in (0u32..).zip(&recording.mocks) {
        assert_eq!(loaded.mock(index).unwrap(), *mock);
        let head = &loaded.mocks[index as usize];
        assert_eq!((head.after, &head.shared_by, head.edge), (mock.after, &mock.shared_by, 1));
    }
    assert!(loaded.mock(loaded.mocks.len() as u32).is_err());
    assert!(loaded.test(TestId(99)).is_err());
}

#[test]
fn has_what_the_files_have() {
    let project = Project::new();
    check(&project.load(), &project.folder());
    check(&project.load(), &project.folder());
    check(&project.load_later(), &project.folder());
}

#[test]
fn entries_are_in_the_order_of_the_timeline_with_their_fingerprints() {
    let loaded = Project::new().load();
    let call = |test, index| Place::Call { test: TestId(test), index };
    let places: Vec<_> = loaded.prints.iter().map(|print| print.place).collect();
    assert_eq!(
        places,
        [
            Place::Ambient { after: TestId(0), calls: 0, index: 0 },
            call(1, 0),
            call(2, 0),
            call(2, 1),
            Place::Shared { index: 1 },
            call(3, 0),
            call(3, 1),
            call(3, 2),
        ]
    );
    let facets = rehearsal_wire::protocol("http").unwrap().facets();
    let request = loaded.call_exchange(TestId(1), 0).unwrap().request;
    let print = loaded.prints[1];
    assert_eq!(print.identity, fingerprint(&facets.identity(&request)));
    assert_eq!(print.values, fingerprint(&facets.request(&request)));
    assert_eq!((print.edge, print.repeatable), (1, facets.repeatable(&request)));
}

#[test]
fn is_used_while_the_files_are_what_they_were() {
    let project = Project::new();
    project.load_later();
    let made = project.inode();
    project.load_later();
    assert_eq!(project.inode(), made, "nothing changed");
    let file = project.folder().join("recording.yaml");
    let text = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, text).unwrap();
    check(&project.load_later(), &project.folder());
    let stamped = project.inode();
    assert_ne!(stamped, made, "the content is the same, the stamp is not");
    project.load_later();
    assert_eq!(project.inode(), stamped);
}

#[test]
fn sees_every_change() {
    let project = Project::new();
    assert_eq!(project.load().tests[0].name, "POST /orders/1");
    let tests = project.folder().join("tests");
    let file = tests.join(project.load().tests[0].file.file_name().unwrap());
    let text = fs::read_to_string(&file).unwrap();
    // Of the same length, and perhaps within one tick of the file system's clock.
    fs::write(&file, text.replace("test: POST /orders/1", "test: POST /orders/9")).unwrap();
    assert_eq!(project.load().tests[0].name, "POST /orders/9");
    fs::remove_file(&file).unwrap();
    assert_eq!(project.load_later().tests.len(), 2);
    fs::write(&file, "test: [").unwrap();
    assert!(load(project.root.path(), "checkout").is_err());
}

#[test]
fn a_damaged_one_is_made_again_or_says_so() {
    let project = Project::new();
    project.load_later();
    let whole = fs::read(project.cache()).unwrap();
    for end in (0..whole.len()).step_by(7) {
        fs::write(project.cache(), &whole[..end]).unwrap();
        assert_eq!(project.load_later().tests.len(), 3);
        assert_eq!(fs::read(project.cache()).unwrap(), whole, "cut at {end}");
    }
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(project.cache(), &bytes).unwrap();
        let loaded = project.load_later();
        let tests: Vec<_> = (1..=3).map(|number| loaded.test(TestId(number))).collect();
        let mocks = (0..2).map(|index| loaded.mock(index).map(|_| ()));
        let bad = tests.iter().filter(|test| test.is_err()).count()
            + mocks.filter(Result::is_err).count();
        let made_again = fs::read(project.cache()).unwrap() == whole;
        // The hash of the content is not looked at while the stamp is right.
        let unused = (layout::CONTENT..layout::HEADER).contains(&place);
        assert_eq!(bad, usize::from(!made_again && !unused), "changed at {place}");
        for (test, number) in tests.into_iter().zip(1..) {
            assert!(test.is_err() || test.is_ok_and(|it| it == self::test(number)));
        }
    }
}

#[test]
fn a_recording_without_a_folder_for_caches_is_loaded_all_the_same() {
    let project = Project::new();
    fs::write(project.root.path().join("rehearsal/cache"), "in the way").unwrap();
    check(&project.load(), &project.folder());
    assert!(load(project.root.path(), "other").is_err());
}
