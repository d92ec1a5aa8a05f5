//! The file under bad luck: two writers at once, damage, other formats; and what the analyses make of
//! runs that went through it.

use crate::{History, HistoryError, Place, Scene, TestRow, clusters, flaky, slow};
use rehearsal_model::{Cause, Outcome, Past, Summary};
use std::fs;
use std::path::Path;

fn scene(run: usize) -> Scene {
    Scene {
        run: format!("{run:013}"),
        started_ms: run as i64 * 1000,
        commit: Some("c0ffee".into()),
        code: "code".into(),
        host: "host".into(),
        jobs: 1,
        ..Scene::default()
    }
}

fn test(number: u32, fingerprint: Option<&str>) -> TestRow {
    TestRow {
        recording: "shop".into(),
        number,
        name: format!("GET /{number}\u{1b}[2J"),
        file: format!("rehearsal/shop/tests/{number:04}.yaml"),
        digest: "d".into(),
        attempt: 0,
        outcome: if fingerprint.is_some() { Outcome::Failed } else { Outcome::Passed },
        took_ms: 10.0,
        before: None,
        edges: vec!["payments".into()],
        cause: fingerprint.map(|print| Cause {
            fingerprint: print.into(),
            edge: "payments".into(),
            operation: "POST /charges".into(),
            finding: "call-differs".into(),
            changes: vec!["body.amount changed".into(), "body.fee missing".into()],
            reason: "it differs".into(),
        }),
        times: false,
    }
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let place = Place::File(file.clone());
    assert!(matches!(History::read(&place), Err(HistoryError::Absent { .. })));
    let summary = Summary { passed: 1, failed: 1, took_ms: 20.5, ..Summary::default() };
    let rows = [test(1, None), test(2, Some("f1"))];
    let id = History::open(&place).unwrap().add(&scene(1), &summary, &rows).unwrap();
    let mut history = History::read(&place).unwrap();
    let runs = history.runs(10).unwrap();
    assert_eq!(
        (runs.len(), runs[0].id, &runs[0].scene, &runs[0].summary),
        (1, id, &scene(1), &summary)
    );
    let read: Vec<TestRow> =
        history.samples(10).unwrap().into_iter().map(|sample| sample.test).collect();
    assert_eq!(read, rows);
    assert_eq!(history.samples(0).unwrap(), []);
}

#[test]
fn a_kind_of_failure_is_known_since_its_first_run() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("history.db"));
    let mut history = History::open(&place).unwrap();
    for (run, rows) in [
        (1, vec![test(1, Some("f1"))]),
        (2, vec![test(1, Some("f2")), test(2, Some("f2"))]),
        (3, vec![test(1, Some("f2")), test(2, Some("f1")), test(3, None)]),
    ] {
        history.add(&scene(run), &Summary::default(), &rows).unwrap();
    }
    let past = |failures, first_ms| Past {
        failures,
        runs: 2,
        first_ms: Some(first_ms),
        first_commit: Some("c0ffee".into()),
    };
    assert_eq!(history.past("f1").unwrap(), past(2, 1000));
    assert_eq!(history.past("f2").unwrap(), past(3, 2000));
    assert_eq!(history.past("f3").unwrap(), Past::default());
}

#[test]
fn two_that_write_at_once_both_land() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let place = Place::File(file.clone());
    let write = |from: usize| {
        for run in from..from + 20 {
            let rows: Vec<TestRow> = (1..100).map(|number| test(number, None)).collect();
            History::open(&place).unwrap().add(&scene(run), &Summary::default(), &rows).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for from in [0, 100, 200, 300] {
            scope.spawn(move || write(from));
        }
    });
    let mut history = History::read(&place).unwrap();
    assert_eq!(history.runs(1000).unwrap().len(), 80);
    assert_eq!(history.samples(1000).unwrap().len(), 80 * 99);
}

#[track_caller]
fn refused(file: &Path, message: &str) {
    let place = Place::File(file.to_owned());
    let before = fs::read(file).unwrap();
    for problem in [History::open(&place).err().unwrap(), History::read(&place).err().unwrap()] {
        assert!(problem.to_string().contains(message), "{problem}");
        assert!(problem.to_string().contains("left as it is"), "{problem}");
    }
    assert_eq!(fs::read(file).unwrap(), before, "it is left as it is");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let place = Place::File(file.clone());
    fs::write(&file, b"<html>not a database</html>".repeat(100)).unwrap();
    refused(&file, "it is no database");
    fs::remove_file(&file).unwrap();

    let rows: Vec<TestRow> = (1..500).map(|number| test(number, None)).collect();
    History::open(&place).unwrap().add(&scene(1), &Summary::default(), &rows).unwrap();
    let whole = fs::read(&file).unwrap();
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    drop(newer);
    refused(&file, "a newer release wrote it");
    fs::remove_file(&file).unwrap();

    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(foreign);
    refused(&file, "another program");

    let mut torn = whole.clone();
    torn[4096..].fill(0xa5);
    fs::write(&file, &torn).unwrap();
    let problem = match History::open(&place) {
        Ok(mut history) => history.add(&scene(2), &Summary::default(), &rows).unwrap_err(),
        Err(problem) => problem,
    };
    assert!(matches!(problem, HistoryError::Damaged { .. }), "{problem}");
    let cut = &whole[..whole.len() / 2];
    fs::write(&file, cut).unwrap();
    let read = History::read(&place).and_then(|mut history| history.samples(10));
    assert!(matches!(read, Err(HistoryError::Damaged { .. })), "{read:?}");
}

#[test]
fn an_older_history_is_brought_to_the_next_format_and_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let place = Place::File(file.clone());
    let rows = [test(1, None), test(2, Some("f1"))];
    History::open(&place).unwrap().add(&scene(1), &Summary::default(), &rows).unwrap();
    let steps = [crate::store::STEPS, &["ALTER TABLE runs ADD COLUMN mood TEXT"]].concat();
    // The next release opens it, of which this one says so.
    let problem = History::open_by(&place, &steps).err().unwrap();
    assert!(matches!(problem, HistoryError::Newer { found: 2, known: 1, .. }), "{problem}");
    let there = rusqlite::Connection::open(&file).unwrap();
    let moods: i64 = there
        .query_row("SELECT count(*) FROM runs WHERE mood IS NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(moods, 1);
    // A step that fails leaves all as it was.
    drop(there);
    let before = fs::read(&file).unwrap();
    let steps = [steps.as_slice(), &["CREATE TABLE more (x {number}); CREATE TABLE runs (x TEXT)"]]
        .concat();
    assert!(matches!(
        History::open_by(&place, &steps).err().unwrap(),
        HistoryError::Refused { .. }
    ));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn five_hundred_failures_of_seven_causes_are_seven_clusters() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let place = Place::File(file.clone());
    let mut history = History::open(&place).unwrap();
    for run in 0..10 {
        let cause = |number: u32| (number <= 50).then(|| format!("cause {}", number % 7));
        let rows: Vec<TestRow> =
            (1..=60).map(|number| test(number, cause(number).as_deref())).collect();
        history.add(&scene(run), &Summary::default(), &rows).unwrap();
    }
    let rows: Vec<TestRow> = (1..=60).map(|number| test(number, None)).collect();
    history.add(&scene(10), &Summary::default(), &rows).unwrap();
    let samples = history.samples(100).unwrap();
    let found = clusters(&samples);
    assert_eq!(found.len(), 7);
    assert_eq!(found.iter().map(|cluster| cluster.failures).sum::<usize>(), 500);
    assert!(found.iter().all(|one| one.seen_ms == (0, 9000) && one.runs == 10 && !one.open));
    assert_eq!(flaky(&samples).len(), 50, "on the same code they passed once");
}

#[test]
fn what_became_slow_is_told_from_what_is_noisy() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&Place::File(folder.path().join("history.db"))).unwrap();
    for run in 0..12_u32 {
        let noisy = 10.0 + f64::from(run * 7 % 5) * 4.0;
        let rows = [(1, if run > 8 { 30.0 } else { 10.0 }), (2, noisy), (3, 10.0)];
        let rows = rows.map(|(number, took_ms)| TestRow { took_ms, ..test(number, None) });
        history.add(&scene(run as usize), &Summary::default(), &rows).unwrap();
    }
    let (paces, edges) = slow(&history.samples(100).unwrap());
    let slower: Vec<u32> =
        paces.iter().filter(|pace| pace.is_slower()).map(|pace| pace.test.number).collect();
    assert_eq!((paces.len(), slower), (3, vec![1]));
    assert_eq!((edges.len(), edges[0].tests), (1, (3, 1)));
    let (few, _) = slow(&history.samples(7).unwrap());
    assert_eq!(few, [], "there is no past to compare with");
}
