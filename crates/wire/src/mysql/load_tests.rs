//! Texts of SQL whose statements load files of the client's: recorded, and answered in the same order.

use super::tests::{CAN, Line, check, error, observe, packets, plain_ok, query, respond, started};
use crate::Peer;
use rehearsal_model::{Map, Value};

use Peer::{Client, Server};

/// An OK behind which more results come.
const MORE: u16 = 2 | 8;

fn wants(number: u8, name: &str) -> Line {
    (Server, packets(number, &[[b"\xfb", name.as_bytes()].concat()]))
}

fn sends(number: u8, data: &str) -> Line {
    match data {
        "" => (Client, packets(number, &[Vec::new()])),
        data => (Client, packets(number, &[data.as_bytes().to_vec(), Vec::new()])),
    }
}

const LOAD: &str = "LOAD DATA LOCAL INFILE 'a' INTO TABLE t";

#[test]
fn a_text_loads_several_files_between_others() {
    let seen = check(
        CAN,
        &[
            (Client, query(&format!("SET @a = 1; {LOAD}; SET @a = 2; {LOAD}"))),
            (Server, packets(1, &[plain_ok(MORE), b"\xfba".to_vec()])),
            sends(3, "1\n"),
            (Server, packets(5, &[plain_ok(MORE), plain_ok(MORE), b"\xfba".to_vec()])),
            sends(8, ""),
            (Server, packets(9, &[plain_ok(2)])),
        ],
    );
    let files = seen[0].0.get("files").and_then(Value::as_list).unwrap();
    let expected = ["1\n", ""].map(|file| Value::Map(Map::from([("file", file)])));
    assert_eq!(files, expected);
    assert_eq!(seen[0].1.get("results").and_then(Value::as_list).map(<[Value]>::len), Some(4));
}

#[test]
fn a_server_refuses_before_it_wants_a_file_or_behind_it() {
    let refused = (Server, packets(1, &[error()]));
    let seen = check(
        CAN,
        &[
            (Client, query(LOAD)),
            refused,
            (Client, query(LOAD)),
            wants(1, "a"),
            sends(2, "x\n"),
            (Server, packets(4, &[error()])),
        ],
    );
    assert!(seen[0].0.get("file").is_none());
    assert_eq!(seen[1].0.text("file"), Some("x\n"));
}

#[test]
fn another_file_than_recorded_is_a_miss_that_shows_it() {
    let lines = |data| {
        let answered = (Server, packets(4, &[plain_ok(2)]));
        [started(CAN), vec![(Client, query(LOAD)), wants(1, "a"), sends(2, data), answered]]
            .concat()
    };
    let (known, _) = observe(&lines("1\n"), usize::MAX, None);
    for known in [&known[..], &known[..2]] {
        let (sent, asked) = respond(&lines("9\n"), usize::MAX, known);
        let said = String::from_utf8_lossy(&sent);
        assert!(said.contains("\u{fffd}a") && said.contains("no mock"), "{said}");
        assert_eq!(asked.last().unwrap().text("file"), Some("9\n"));
    }
}
