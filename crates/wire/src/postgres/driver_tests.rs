//! What some drivers do and most do not: they listen, run a portal again that has given all, and ask where columns come from.

use super::Postgres;
use super::tests::{
    bind, check, describe, done, error, execute, message, observe, parse, query, ready, startup,
    sync, welcome,
};
use crate::{Peer, Protocol};
use rehearsal_model::{Map, Value};
use std::time::Duration;

use Peer::{Client, Server};

fn notification(channel: &str, payload: &str) -> Vec<u8> {
    message(b'A', format!("\0\0\0\x01{channel}\0{payload}\0").as_bytes())
}

/// A column of a table, with the number that it has there.
fn column(name: &str, table: u32, place: i16) -> Vec<u8> {
    let end = [0, 0, 0, 23, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0];
    [name.as_bytes(), b"\0", &table.to_be_bytes(), &place.to_be_bytes(), &end].concat()
}

fn columns(columns: &[Vec<u8>]) -> Vec<u8> {
    let count = i16::try_from(columns.len()).unwrap().to_be_bytes();
    message(b'T', &[&count[..], &columns.concat()].concat())
}

#[test]
fn a_notification_is_heard_while_nothing_is_asked() {
    let seen = check(&[
        (Client, query("LISTEN \"News\"")),
        (Server, [done("LISTEN"), ready("I")].concat()),
        (Server, [notification("News", "one"), notification("News", "")].concat()),
    ]);
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[1], (Map::from([("receive", "News")]), Map::from([("payload", "one")])));
    assert_eq!(seen[2].1, Map::from([("payload", "")]));
    let facets = Postgres.facets();
    assert_eq!(facets.operation(&seen[1].0), "receive News");
    assert_eq!(facets.waits(&seen[1].0), Some(Duration::MAX));
    assert_eq!(facets.waits(&seen[0].0), None);
}

#[test]
fn a_portal_that_has_given_all_is_no_exchange_when_it_is_run_again() {
    let seen = check(&[
        (Client, [query("BEGIN"), parse("", "SELECT a FROM t"), bind("p", "", &[], 0)].concat()),
        (Server, [done("BEGIN"), ready("T"), message(b'1', b""), message(b'2', b"")].concat()),
        (Client, [describe(b'P', "p"), execute("p", 0), sync()].concat()),
        (
            Server,
            [
                columns(&[column("a", 0, 0)]),
                message(b'D', b"\0\x01\0\0\0\x015"),
                done("SELECT 1"),
                ready("T"),
            ]
            .concat(),
        ),
        (Client, [execute("p", 3), sync()].concat()),
        (Server, [done("SELECT 0"), ready("T")].concat()),
        (Client, query("COMMIT")),
        (Server, [done("COMMIT"), ready("I")].concat()),
    ]);
    assert_eq!(seen.len(), 3, "and not four");
    assert_eq!(seen[1].1.text("tag"), Some("SELECT 1"));
}

/// As the cursors of node-postgres do.
#[test]
fn a_portal_may_be_described_before_it_is_run() {
    let seen = check(&[
        (
            Client,
            [
                parse("", "SELECT a FROM t"),
                bind("", "", &[], 0),
                describe(b'P', ""),
                message(b'H', b""),
                execute("", 1),
                message(b'H', b""),
            ]
            .concat(),
        ),
        (
            Server,
            [
                message(b'1', b""),
                message(b'2', b""),
                columns(&[column("a", 0, 0)]),
                message(b'D', b"\0\x01\0\0\0\x015"),
                message(b's', b""),
            ]
            .concat(),
        ),
        (Client, [message(b'C', b"P\0"), sync()].concat()),
        (Server, [message(b'3', b""), ready("I")].concat()),
    ]);
    assert_eq!(seen[0].0.get("portal"), Some(&Value::Bool(true)));
    assert_eq!(seen[1].0, Map::from([("sql", "SELECT a FROM t")]));
}

#[test]
fn a_portal_that_breaks_off_when_it_is_run_again_leaves_nothing() {
    let lines = [
        (Client, startup()),
        (Server, welcome()),
        (Client, [parse("", "DELETE FROM t"), bind("p", "", &[], 0), execute("p", 0)].concat()),
        (Server, [message(b'1', b""), message(b'2', b""), done("DELETE 1")].concat()),
        (Client, [execute("p", 0), sync()].concat()),
        (Server, [error("55000", "portal cannot be run"), ready("I")].concat()),
    ];
    assert_eq!(observe(&lines, usize::MAX, None).len(), 2);
}

#[test]
fn a_described_statement_says_where_its_columns_come_from() {
    let seen = check(&[
        (Client, [parse("s", "SELECT a, 1 AS b FROM t"), describe(b'S', "s"), sync()].concat()),
        (
            Server,
            [
                message(b'1', b""),
                message(b't', &[0, 0]),
                columns(&[column("a", 16398, 2), column("b", 0, 0)]),
                ready("I"),
            ]
            .concat(),
        ),
    ]);
    let sources = Value::from(vec!["16398/2", ""]);
    assert_eq!(seen[0].1.get("sources"), Some(&sources));
}

/// What is recorded behind start-up, in whatever pieces it comes.
#[track_caller]
fn recorded(conversation: &[(Peer, Vec<u8>)]) -> Vec<(Map, Option<Map>)> {
    let mut lines = vec![(Client, startup()), (Server, welcome())];
    lines.extend_from_slice(conversation);
    let seen = |size| {
        let all = observe(&lines, size, None).into_iter().skip(1);
        all.map(|one| (one.request, one.response)).collect::<Vec<_>>()
    };
    for size in 1..40 {
        assert_eq!(seen(size), seen(usize::MAX), "in pieces of {size}");
    }
    seen(usize::MAX)
}

/// A server refuses at once; what the client says of the statement may come later.
#[test]
fn an_error_is_about_the_same_statement_whenever_it_comes() {
    let begins = [parse("", "SELECT $1::int"), bind("", "", &["x"], 0)].concat();
    let goes_on = [describe(b'P', ""), execute("", 0), sync()].concat();
    let refuses = [message(b'1', b""), error("22P02", "bad")].concat();
    let at_once = recorded(&[
        (Client, [begins.clone(), goes_on.clone()].concat()),
        (Server, [refuses.clone(), ready("I")].concat()),
    ]);
    assert_eq!(at_once.len(), 1);
    assert_eq!(at_once[0].0.text("sql"), Some("SELECT $1::int"));
    let late =
        recorded(&[(Client, begins), (Server, refuses), (Client, goes_on), (Server, ready("I"))]);
    assert_eq!(at_once, late);
}

#[test]
fn a_text_that_is_refused_is_recorded_with_its_parameters_whenever_they_come() {
    let goes_on = [bind("", "", &["x"], 0), execute("", 0), sync()].concat();
    let at_once = recorded(&[
        (Client, [parse("", "SELEC $1"), goes_on.clone()].concat()),
        (Server, [error("42601", "bad"), ready("I")].concat()),
    ]);
    let late = recorded(&[
        (Client, parse("", "SELEC $1")),
        (Server, error("42601", "bad")),
        (Client, goes_on),
        (Server, ready("I")),
    ]);
    assert_eq!(at_once, late);
    assert_eq!(at_once.len(), 1);
    assert!(at_once[0].0.get("params").is_some());
}

/// A FunctionCall in which all is binary.
fn call(function: u32, params: &[&[u8]]) -> Vec<u8> {
    let mut body = [&function.to_be_bytes()[..], &[0, 1, 0, 1, 0]].concat();
    body.push(u8::try_from(params.len()).unwrap());
    for param in params {
        body.extend_from_slice(&u32::try_from(param.len()).unwrap().to_be_bytes());
        body.extend_from_slice(param);
    }
    message(b'F', &[&body[..], &[0, 1]].concat())
}

fn value(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    message(b'V', &[&length[..], bytes].concat())
}

#[test]
fn functions_are_called_by_name_and_read_by_their_types() {
    let seen = check(&[
        (Client, query("BEGIN")),
        (Server, [done("BEGIN"), ready("T")].concat()),
        (Client, call(952, &[&16403_u32.to_be_bytes(), &0x4_0000_i32.to_be_bytes()])),
        (Server, [value(&[0; 4]), ready("T")].concat()),
        (Client, call(955, &[&[0; 4], b"\xff\0warm"])),
        (Server, [value(&6_i32.to_be_bytes()), ready("T")].concat()),
        (Client, call(77_777, &[b"as it is"])),
        (Server, [message(b'V', &[0xff; 4]), ready("T")].concat()),
        (Client, call(953, &[&9_i32.to_be_bytes()])),
        (Server, [error("42704", "invalid descriptor"), ready("E")].concat()),
    ]);
    let open =
        Map::from([("call", Value::from("lo_open")), ("params", vec![16403, 262_144].into())]);
    assert_eq!(seen[1], (open, Map::from([("value", 0)])));
    let bytes = Value::Bytes(b"\xff\0warm".to_vec());
    assert_eq!(seen[2].0.get("params"), Some(&vec![0.into(), bytes].into()));
    assert_eq!(seen[3].0.text("call"), Some("77777"));
    assert_eq!(seen[3].1, Map::from([("value", Value::Null)]));
    assert!(seen[4].1.get("error").is_some());
    let facets = Postgres.facets();
    assert_eq!(facets.operation(&seen[1].0), "call lo_open");
    assert_eq!(facets.flaw(&seen[1].0, &seen[1].1), None);
    let flaw = facets.flaw(&seen[1].0, &Map::from([("value", "first")])).unwrap();
    assert_eq!(flaw.problem, "the text \"first\" is no int4; correct it");
}
