//! Recordings come back from their folders, and mistakes in files are named with their place.

use super::folder::read_with;
use super::sample::{sample, shapes, write};
use super::save::{append_with, replace_tests, write_with};
use super::test::Edges;
use rehearsal_model::{Failure, Map, Moment, Recording, ResetCode, TestCase, TestId, Value};
use std::fs;
use std::path::Path;

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
      - edge: shop-db
        after: 1
        calls: 2
        sql: |-
          INSERT INTO orders (sku)
            VALUES ($1)
          RETURNING id
        params: [A1]
        result:
          rows: [[17]]
          tag: INSERT 0 1
      - edge: shop-db
        of-test: tests/test_orders.py::test_paid
        sql: SELECT 2
        result: {}
    ");
    assert_eq!(read_with(&folder, &shapes).unwrap(), sample());
}

#[test]
fn the_recording_says_who_was_met_and_what_of_databases_was_used() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let text = fs::read_to_string(folder.join("recording.yaml")).unwrap();
    insta::assert_snapshot!(text, @r#"
    format: 1
    written-by: 0.1.0
    command: [sh, -c, ./shop --port 8080]
    listens: [127.0.0.1:8080, 127.0.0.1:9100]
    edges:
      inbound:
        protocol: web
        role: inbound
        addresses: [127.0.0.1:8080]
      shop-db:
        protocol: sql
        role: outbound
        addresses: [127.0.0.1:5432]
        tables:
          orders:
            id: int4 | int8
            "on": text
      payments:
        protocol: web
        role: outbound
        addresses: [payments.example:443]
    "#);
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

#[test]
fn a_newer_format_says_which_release_reads_it() {
    let refuses = |from, to, message: &str| {
        refuses("recording.yaml", from, to, &format!("read recording.yaml, line {message}"));
    };
    let newer = "1, column 9: the recording has format 2 and this release reads format 1; rehearsal 0.1.0, which wrote it, and later releases read it";
    refuses("format: 1", "format: 2\nunheard-of: 1", newer);
    refuses(
        "format: 1",
        "format: 0",
        "1, column 9: there is no format 0; this release reads format 1",
    );
    refuses("format: 1", "format: x", "1, column 9: expected a whole number, found text");
    refuses(
        "format: 1\n",
        "",
        "1, column 1: the key `format` is missing: The version of the format of these files",
    );
    refuses(
        "role: inbound",
        "role: inbuond",
        "8, column 11: `inbuond` is not known here; did you mean `inbound`?",
    );
}

#[test]
fn mistakes_in_the_mocks_are_named_with_their_place() {
    let refuses = |from, to, message: &str| {
        refuses("ambient.yaml", from, to, &format!("read ambient.yaml, line {message}"));
    };
    refuses("after: 1", "aftr: 1", "6, column 5: unknown key `aftr`; did you mean `after`?");
    refuses("after: 1", "after: -1", "6, column 12: expected a whole number from 0 to 4294967295");
    refuses("[1, 2]", "[1, x]", "7, column 20: expected a whole number, found text");
    refuses("mocks:", "mock:", "1, column 1: unknown key `mock`; did you mean `mocks`?");
}

/// A recording whose one test has this body in its answer.
fn with_body(body: Value) -> Recording {
    let mut recording = sample();
    recording.tests[0].exchange.response.as_mut().unwrap().insert("body", body);
    recording
}

#[track_caller]
fn blob_of(body: Value) -> (String, Vec<u8>) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    let recording = with_body(body);
    write(&folder, &recording);
    assert_eq!(read_with(&folder, &shapes).unwrap(), recording);
    let text = fs::read_to_string(folder.join("tests/0001-post-orders.yaml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("  body: !blob")).unwrap();
    let (tag, name) = line["  body: ".len()..].split_once(' ').unwrap();
    (tag.to_owned(), fs::read(folder.join("blobs").join(name)).unwrap())
}

#[test]
fn large_bodies_are_blobs() {
    let bytes: Vec<u8> = (0..=255).chain([0]).collect();
    assert_eq!(blob_of(Value::Bytes(bytes.clone())), ("!blob".to_owned(), bytes));
    let text = "x\r\n".repeat(6000);
    assert_eq!(blob_of(Value::from(text.as_str())), ("!blob/text".to_owned(), text.into_bytes()));
    let json = Map::from([("list", Value::from(vec!["1.10"; 3000])), ("empty", Map::new().into())]);
    let (tag, content) = blob_of(json.into());
    assert_eq!(tag, "!blob/json");
    assert!(content.starts_with(b"{\"list\":[\"1.10\",\"1.10\","));
}

#[test]
fn what_json_would_lose_and_what_is_small_stays_in_the_file() {
    let mut twice = Map::new();
    twice.push_new("a", "x".repeat(9000));
    twice.push_new("a", "y".repeat(9000));
    let odd = Value::from(vec![Value::Bytes(vec![7; 100]), Value::from("x".repeat(16_000))]);
    for body in [twice.into(), odd, Value::Bytes(vec![0; 256]), "é\n".repeat(5461).into()] {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("checkout");
        let recording = with_body(body);
        write(&folder, &recording);
        assert!(!folder.join("blobs").exists());
        assert_eq!(read_with(&folder, &shapes).unwrap(), recording);
    }
}

#[test]
fn a_blob_is_what_its_name_says_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &with_body(Value::Bytes(vec![1; 1000])));
    let blob = fs::read_dir(folder.join("blobs")).unwrap().next().unwrap().unwrap().path();
    fs::write(&blob, [2; 1000]).unwrap();
    let error = read_with(&folder, &shapes).unwrap_err().to_string();
    assert!(error.ends_with("was changed: its content has another SHA-256"), "{error}");
    fs::remove_file(&blob).unwrap();
    let error = read_with(&folder, &shapes).unwrap_err().to_string();
    assert!(error.contains("line 28, column 9: the blob cannot be read from blobs/"), "{error}");
}

#[test]
fn how_long_a_test_took_is_said_from_a_second_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    let mut recording = sample();
    for (nanoseconds, line, seconds) in [
        (999_999_999, None, 0),
        (1_000_000_000, Some("\ntook: 1s\n"), 1),
        (2_000_000_001, Some("\ntook: 3s\n"), 3),
    ] {
        recording.tests[0].exchange.finished = Moment(nanoseconds);
        write(&folder, &recording);
        let text = fs::read_to_string(folder.join("tests/0001-post-orders.yaml")).unwrap();
        assert_eq!(text.contains("took"), line.is_some(), "{text}");
        assert!(line.is_none_or(|line| text.contains(line)), "{text}");
        let read = read_with(&folder, &shapes).unwrap();
        assert_eq!(read.tests[0].exchange.finished, Moment(seconds * 1_000_000_000));
    }
}

#[test]
fn a_failure_says_its_code_by_name_or_by_number() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    let mut recording = sample();
    for (failure, lines) in [
        (Failure::Reset, "    failure: reset\nresponse:"),
        (Failure::ResetBy(ResetCode(7)), "    failure: reset\n    reset-code: REFUSED_STREAM\n"),
        (
            Failure::ClosedBy(ResetCode(11)),
            "    failure: closed\n    reset-code: ENHANCE_YOUR_CALM\n",
        ),
        (Failure::UnheardBy(ResetCode(0)), "    failure: unheard\n    reset-code: NO_ERROR\n"),
        (Failure::ResetBy(ResetCode(u32::MAX)), "    failure: reset\n    reset-code: 4294967295\n"),
    ] {
        recording.tests[0].calls.last_mut().unwrap().exchange.failure = Some(failure);
        write(&folder, &recording);
        let text = fs::read_to_string(folder.join("tests/0001-post-orders.yaml")).unwrap();
        assert!(text.contains(lines), "{text}");
        let read = read_with(&folder, &shapes).unwrap();
        assert_eq!(read.tests[0].calls.last().unwrap().exchange.failure, Some(failure));
    }
}

#[test]
fn a_code_that_fits_no_failure_is_refused() {
    let refuses = |to: &str, message: &str| {
        let message = format!("read tests/0001-post-orders.yaml, line {message}");
        refuses("tests/0001-post-orders.yaml", "failure: refused", to, &message);
    };
    refuses("failure: unheard", "24, column 14: failure unheard needs a reset-code");
    refuses(
        "failure: refused\n    reset-code: CANCEL",
        "25, column 17: reset-code needs the failure reset, closed or unheard",
    );
    refuses(
        "failure: reset\n    reset-code: -1",
        "25, column 17: expected a whole number from 0 to 4294967295",
    );
}

#[test]
fn beside_which_tests_one_began_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    let mut recording = sample();
    recording.tests[0].during = vec![TestId(4), TestId(7)];
    write(&folder, &recording);
    let text = fs::read_to_string(folder.join("tests/0001-post-orders.yaml")).unwrap();
    assert!(text.contains("\nduring: [4, 7]\n"), "{text}");
    assert_eq!(read_with(&folder, &shapes).unwrap().tests[0].during, recording.tests[0].during);
}

#[test]
fn the_same_recording_is_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let (one, other) = (place.path().join("one"), place.path().join("other"));
    let mut recording = sample();
    let case = recording.tests[0].clone();
    recording.tests = (1..=200).map(|id| TestCase { id: TestId(id), ..case.clone() }).collect();
    write(&one, &recording);
    // Keys in another order, as an edited file could have them.
    recording.tests[0].exchange.request = {
        let request = recording.tests[0].exchange.request.clone();
        request.into_iter().rev().collect()
    };
    write(&other, &recording);
    write(&other, &recording);
    let files = |folder: &Path| {
        let entries = fs::read_dir(folder.join("tests")).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    };
    assert_eq!(files(&one), files(&other));
    assert_eq!(files(&one).len(), 200);
    let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.count(), 2, "nothing is left beside the recordings");
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let deep = (0..200).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let error = write_with(&folder, &with_body(deep), &shapes).unwrap_err().to_string();
    assert!(
        error.ends_with("0001-post-orders.yaml: a value is nested deeper than 144 levels"),
        "{error}"
    );
    assert_eq!(read_with(&folder, &shapes).unwrap(), sample());
    let mut twice = sample();
    twice.tests.push(twice.tests[0].clone());
    assert!(write_with(&folder, &twice, &shapes).is_err());
    assert_eq!(read_with(&folder, &shapes).unwrap(), sample());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn a_writer_that_died_leaves_nothing_for_long() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    let dead = place.path().join(format!(".checkout.{}.new", i32::MAX));
    fs::create_dir_all(dead.join("tests")).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".lock"), "1").unwrap();
    write(&folder, &sample());
    assert!(!dead.exists());
    assert!(folder.join(".lock").exists(), "the lock stays with the folder");
}

#[test]
fn appending_keeps_what_people_edited() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    append_with(&folder, &sample(), &shapes).unwrap();
    let edited = folder.join("tests/0001-post-orders.yaml");
    let text = fs::read_to_string(&edited).unwrap() + "# ours\n";
    fs::write(&edited, &text).unwrap();
    let mut more = sample();
    more.tests[0].name = "another".to_owned();
    more.tests.push(TestCase {
        id: TestId(2),
        name: "GET /é?q=1".to_owned(),
        ..more.tests[0].clone()
    });
    more.mocks.pop();
    let large = Value::Bytes(vec![9; 999]);
    more.tests[1].exchange.request.insert("body", large);
    let dead = folder.join(format!("tests/.0002.yaml.{}.new", i32::MAX));
    fs::write(&dead, "half").unwrap();
    append_with(&folder, &more, &shapes).unwrap();
    assert!(!dead.exists());
    let read = read_with(&folder, &shapes).unwrap();
    assert_eq!(read.tests[0], sample().tests[0]);
    assert_eq!(read.tests[1], more.tests[1]);
    assert_eq!(read.mocks, more.mocks);
    assert_eq!(fs::read_to_string(&edited).unwrap(), text);
    assert!(folder.join("tests/0002-get-q-1.yaml").exists());
}

#[test]
fn writing_a_test_anew_replaces_its_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let renamed = TestCase { name: "order".to_owned(), ..sample().tests[0].clone() };
    let edges = Edges { manifest: &sample().manifest, shapes: &shapes };
    replace_tests(&folder, &[&renamed], &edges).unwrap();
    assert_eq!(read_with(&folder, &shapes).unwrap().tests, [renamed]);
    assert_eq!(fs::read_dir(folder.join("tests")).unwrap().count(), 1);
}

#[test]
fn files_that_are_no_tests_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let tests = folder.join("tests");
    fs::write(tests.join("notes.txt"), "").unwrap();
    fs::write(tests.join(".0001.yaml.swp"), "").unwrap();
    assert_eq!(read_with(&folder, &shapes).unwrap(), sample());
    fs::write(tests.join("mine.yaml"), "").unwrap();
    let error = read_with(&folder, &shapes).unwrap_err().to_string();
    assert!(error.ends_with("mine.yaml: the name of a test file begins with a number and ends with `.yaml`, such as `0001-get-orders.yaml`"), "{error}");
    fs::rename(tests.join("mine.yaml"), tests.join("1-mine.yaml")).unwrap();
    let error = read_with(&folder, &shapes).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "1-mine.yaml: 0001-post-orders.yaml has the same number; give one of them another"
        ),
        "{error}"
    );
}
