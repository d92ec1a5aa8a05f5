//! Texts of SQL of which a part copies data in or out: recorded, and answered in the same order.

use super::tests::{check, done, error, message, observe, query, ready, respond, startup, welcome};
use crate::{Ending, Peer};
use rehearsal_model::{Map, Value};

use Peer::{Client, Server};

fn wants() -> Vec<u8> {
    message(b'G', &[0, 0, 1, 0, 0])
}

fn copies(rows: &[u8]) -> Vec<u8> {
    [message(b'd', rows), message(b'c', b"")].concat()
}

fn gives(rows: &[&str]) -> Vec<u8> {
    let rows = rows.iter().flat_map(|row| message(b'd', row.as_bytes()));
    [message(b'H', &[0, 0, 1, 0, 0]), rows.collect()].concat()
}

#[test]
fn a_text_copies_in_several_times_between_others() {
    let text = "BEGIN; COPY t FROM STDIN; SELECT; COPY t FROM STDIN; COPY t TO STDOUT; COMMIT";
    let all = [message(b'c', b""), done("COPY 2"), done("COMMIT"), ready("I")].concat();
    let seen = check(&[
        (Client, query(text)),
        (Server, [done("BEGIN"), wants()].concat()),
        (Client, copies(b"1\n")),
        (Server, [done("COPY 1"), done("SELECT 0"), wants()].concat()),
        (Client, copies(b"2\n")),
        (Server, [done("COPY 1"), gives(&["1\n", "2\n"]), all].concat()),
    ]);
    let copied = |data: &str| {
        Value::Map(Map::from([("copy", Value::from(data)), ("copy_columns", 1.into())]))
    };
    assert_eq!(seen[0].0.get("copies"), Some(&Value::List(vec![copied("1\n"), copied("2\n")])));
    let results = seen[0].1.get("results").and_then(Value::as_list).unwrap();
    assert_eq!((results.len(), results[4].as_map().unwrap().text("copy")), (6, Some("1\n2\n")));
}

#[test]
fn one_of_several_copies_in() {
    let seen = check(&[
        (Client, query("SELECT; COPY t FROM STDIN")),
        (Server, [done("SELECT 0"), wants()].concat()),
        (Client, copies(b"")),
        (Server, [done("COPY 0"), ready("I")].concat()),
    ]);
    assert_eq!(seen[0].0.text("copy"), Some(""), "that nothing was copied is said too");
}

#[test]
fn a_server_refuses_before_it_wants_data_or_behind_them() {
    let refused = error("42P01", "no such table");
    let seen = check(&[
        (Client, query("COPY missing FROM STDIN")),
        (Server, [&refused[..], &ready("I")].concat()),
        (Client, query("BEGIN; COPY t FROM STDIN; COPY missing FROM STDIN; COMMIT")),
        (Server, [done("BEGIN"), wants()].concat()),
        (Client, copies(b"1\n")),
        (Server, [done("COPY 1"), refused.clone(), ready("E")].concat()),
        (Client, query("COPY t FROM STDIN; SELECT")),
        (Server, wants()),
        (Client, copies(b"x\n")),
        (Server, [&refused[..], &ready("E")].concat()),
        (Client, query("COPY (SELECT 1/0) TO STDOUT; SELECT")),
        (Server, [&gives(&["1\n"])[..], &refused, &ready("E")].concat()),
    ]);
    assert!(seen[0].0.get("copy").is_none());
    assert_eq!(seen[1].0.get("copies").and_then(Value::as_list).map(<[Value]>::len), Some(1));
    assert_eq!(seen[2].0.text("copy"), Some("x\n"));
}

#[test]
fn a_client_gives_up() {
    let seen = check(&[
        (Client, query("SELECT; COPY t FROM STDIN; COPY t FROM STDIN")),
        (Server, [done("SELECT 0"), wants()].concat()),
        (Client, [message(b'd', b"1\n"), message(b'f', b"enough\0")].concat()),
        (Server, [error("57014", "enough"), ready("I")].concat()),
    ]);
    let [given_up] = seen[0].0.get("copies").and_then(Value::as_list).unwrap() else { panic!() };
    assert_eq!(given_up.as_map().unwrap().text("copy_failed"), Some("enough"));
}

#[test]
fn data_that_a_server_refuses_while_they_come_are_all_recorded() {
    let refuses = [error("22P02", "bad"), ready("I")].concat();
    let lines = |end: Vec<u8>| {
        vec![
            (Client, startup()),
            (Server, welcome()),
            (Client, query("COPY t FROM STDIN")),
            (Server, wants()),
            (Client, message(b'd', b"x\n")),
            (Server, refuses.clone()),
            (Client, end),
            (Client, query("SELECT")),
            (Server, [done("SELECT 0"), ready("I")].concat()),
        ]
    };
    for (end, data) in [(copies(b"1\n"), "x\n1\n"), (Vec::new(), "x\n")] {
        for size in [1, 7, usize::MAX] {
            let seen = observe(&lines(end.clone()), size, None);
            assert_eq!(seen[1].request.text("copy"), Some(data));
            assert_eq!(seen[2].request.text("sql"), Some("SELECT"));
        }
    }
    let cut = &lines(Vec::new())[..6];
    let seen = observe(cut, 7, Some((Server, Ending::Finished)));
    assert_eq!(seen[1].request.text("copy"), Some("x\n"));
}

#[test]
fn other_data_than_recorded_are_a_miss_that_shows_them() {
    let lines = |first: &[u8]| {
        vec![
            (Client, startup()),
            (Server, welcome()),
            (Client, query("SELECT; COPY t FROM STDIN; COPY t FROM STDIN")),
            (Server, [done("SELECT 0"), wants()].concat()),
            (Client, copies(first)),
            (Server, [done("COPY 1"), wants()].concat()),
            (Client, copies(b"2\n")),
            (Server, [done("COPY 1"), ready("I")].concat()),
        ]
    };
    let known = observe(&lines(b"1\n"), usize::MAX, None);
    let (sent, asked) = respond(&lines(b"9\n")[..5], usize::MAX, &known);
    let expected = [welcome(), done("SELECT 0"), wants()].concat();
    assert_eq!(sent[..expected.len()], expected, "what came before is answered");
    assert!(String::from_utf8_lossy(&sent[expected.len()..]).contains("no mock"));
    let [copied] = asked[1].get("copies").and_then(Value::as_list).unwrap() else { panic!() };
    assert_eq!(copied.as_map().unwrap().text("copy"), Some("9\n"));
    let (sent, asked) = respond(&lines(b"1\n")[..3], usize::MAX, &known[..1]);
    assert!(String::from_utf8_lossy(&sent).contains("no mock"), "nothing is known of the text");
    assert!(asked[1].get("copies").is_none());
}
