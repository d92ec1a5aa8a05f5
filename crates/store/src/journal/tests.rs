//! What was flushed comes back; a torn end is dropped and nothing else.

use super::*;
use rehearsal_model::{EdgeName, Exchange, Map, TestId, Timestamp};

fn test(number: u32) -> TestCase {
    TestCase {
        id: TestId(number),
        name: format!("GET /items/{number}"),
        at: Timestamp(1_763_000_000_000),
        edge: EdgeName::new(EdgeName::INBOUND),
        exchange: exchange(number),
        calls: Vec::new(),
        noise: vec!["response.body.at".into()],
        during: Vec::new(),
    }
}

fn exchange(number: u32) -> Exchange {
    let request = Map::from([("http", format!("GET /items/{number}"))]);
    let response = Some(Map::from([("status", 200)]));
    Exchange { request, response, ..Exchange::default() }
}

fn mock(number: u32) -> Mock {
    let edge = EdgeName::new("shop-db");
    Mock {
        edge,
        exchange: exchange(number),
        after: TestId(number),
        calls: 0,
        shared_by: vec![TestId(1)],
        of_test: None,
    }
}

fn manifest(tool: &str) -> Manifest {
    Manifest {
        tool: tool.into(),
        command: vec!["./shop".into()],
        edges: Vec::new(),
        ..Manifest::default()
    }
}

/// All that a journal has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Journaled {
    manifest: Manifest,
    known_mocks: u64,
    tests: Vec<TestCase>,
    mocks: Vec<Mock>,
    torn: u64,
}

fn recover(folder: &Path) -> Result<Option<Journaled>, StoreError> {
    let Some(survey) = survey(folder)? else { return Ok(None) };
    let mut reader = Reader::open(folder)?.unwrap();
    let mut all = Journaled { torn: survey.torn, ..Journaled::default() };
    all.known_mocks = reader.known_mocks();
    while let Some(length) = reader.next_length()? {
        let at = reader.at();
        let Some(frame) = reader.frame()? else { break };
        assert_eq!(reader.at(), at + length);
        match frame.decode().unwrap() {
            Entry::Manifest(manifest) => all.manifest = manifest,
            Entry::Test(test) => all.tests.push(*test),
            Entry::Mock(mock) => all.mocks.push(*mock),
        }
    }
    assert_eq!((reader.at(), &all.manifest), (survey.end, &survey.manifest));
    assert_eq!((all.tests.len(), all.mocks.len()), (survey.tests, survey.mocks));
    Ok(Some(all))
}

/// A journal of two batches: three tests, then a mock and a manifest.
fn written(folder: &Path) -> (Vec<u8>, Journaled) {
    let mut journal = Journal::create(folder, &manifest("1"), 7).unwrap();
    (1..=3).for_each(|number| journal.test(&test(number)).unwrap());
    journal.flush().unwrap();
    journal.mock(&mock(3)).unwrap();
    journal.manifest(&manifest("2")).unwrap();
    journal.flush().unwrap();
    let journaled = Journaled {
        manifest: manifest("2"),
        known_mocks: 7,
        tests: (1..=3).map(test).collect(),
        mocks: vec![mock(3)],
        torn: 0,
    };
    (fs::read(folder.join(FILE)).unwrap(), journaled)
}

#[test]
fn comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(recover(folder.path()).unwrap(), None);
    let (_, expected) = written(folder.path());
    assert_eq!(recover(folder.path()).unwrap(), Some(expected));
    let again = Journal::create(folder.path(), &manifest("3"), 0).unwrap_err();
    assert!(again.to_string().contains(FILE), "{again}");
    remove(folder.path()).unwrap();
    remove(folder.path()).unwrap();
    assert_eq!(recover(folder.path()).unwrap(), None);
}

#[test]
fn a_cut_anywhere_keeps_the_frames_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, whole) = written(folder.path());
    let mut last = Journaled::default();
    for end in 0..bytes.len() {
        fs::write(folder.path().join(FILE), &bytes[..end]).unwrap();
        let found = recover(folder.path()).unwrap().unwrap();
        assert!(found.tests.len() >= last.tests.len() && found.mocks.len() >= last.mocks.len());
        assert!(whole.tests.starts_with(&found.tests) && whole.mocks.starts_with(&found.mocks));
        assert!(found.torn < 200, "cut at {end}: {}", found.torn);
        last = found;
    }
    assert_eq!((last.tests, last.mocks), (whole.tests, whole.mocks));
    assert!(last.torn > 0);
}

#[test]
fn a_changed_byte_ends_it_there() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, whole) = written(folder.path());
    for place in frame::HEADER..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        fs::write(folder.path().join(FILE), &changed).unwrap();
        let found = recover(folder.path()).unwrap().unwrap();
        assert!(found.torn >= (bytes.len() - place) as u64, "changed at {place}");
        assert!(whole.tests.starts_with(&found.tests), "changed at {place}");
    }
}

#[test]
fn another_version_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut bytes, _) = written(folder.path());
    bytes[frame::MAGIC.len()] += 1;
    fs::write(folder.path().join(FILE), &bytes).unwrap();
    let error = recover(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::JournalVersion { .. }), "{error}");
    assert!(folder.path().join(FILE).exists());
}

#[test]
fn what_cannot_be_encoded_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), &manifest("1"), 0).unwrap();
    let mut deep = test(1);
    let nested = (0..500).fold(rehearsal_model::Value::Null, |value, _| vec![value].into());
    deep.exchange.request.insert("body", nested);
    assert!(matches!(journal.test(&deep), Err(StoreError::Binary { .. })));
    journal.test(&test(2)).unwrap();
    journal.flush().unwrap();
    assert_eq!(recover(folder.path()).unwrap().unwrap().tests, [test(2)]);
}
