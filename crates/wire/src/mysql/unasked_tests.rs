//! When a server is said to open transactions unasked: by its own settings, and anew with the session.

use super::tests::{CAN, Line, command, packets, plain_ok, query, started_with};
use super::{Mysql, command as code, status};
use crate::{Answer, Command, Event, Limits, Peer, Protocol};
use rehearsal_model::{Exchange, Moment};

use Peer::{Client, Server};

/// What an observer says of it, between the exchanges before and after (`.`); and the exchanges.
fn observed(lines: &[Line], size: usize) -> (String, Vec<Exchange>) {
    let mut session = Mysql.observer(Limits::default());
    let mut out = Vec::new();
    session.handle(Event::Opened { at: Moment(0) }, &mut out).unwrap();
    for (from, bytes) in lines {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(1) };
            session.handle(event, &mut out).unwrap();
        }
    }
    let (mut said, mut seen) = (String::new(), Vec::new());
    for command in out {
        match command {
            Command::Unasked(is_so) => said.push(if is_so { 'y' } else { 'n' }),
            Command::Emit { exchange, .. } => {
                said.push('.');
                seen.push(*exchange);
            }
            _ => {}
        }
    }
    (said, seen)
}

/// What a responder says of it that knows these exchanges, between its questions.
fn played(lines: &[Line], size: usize, known: &[Exchange]) -> String {
    let mut session = Mysql.responder(Limits::default());
    let (mut out, mut said, mut known) = (Vec::new(), String::new(), known.iter());
    let pieces = lines.iter().filter(|line| line.0 == Client).flat_map(|line| line.1.chunks(size));
    let data = pieces.map(|bytes| Event::Data { from: Client, bytes, at: Moment(1) });
    for event in std::iter::once(Event::Opened { at: Moment(0) }).chain(data) {
        session.handle(event, &mut out).unwrap();
        while !out.is_empty() {
            for command in std::mem::take(&mut out) {
                match command {
                    Command::Unasked(is_so) => said.push(if is_so { 'y' } else { 'n' }),
                    Command::Ask { id, .. } => {
                        said.push('.');
                        let answer = known.next().and_then(|one| one.response.clone()).unwrap();
                        let answer = Answer::Response(answer);
                        let event = Event::Answer { id, answer, at: Moment(2) };
                        session.handle(event, &mut out).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }
    said
}

#[track_caller]
fn check(flags: u16, conversation: &[Line], expected: &str) {
    let lines = [started_with(CAN, flags), conversation.to_vec()].concat();
    for size in [1, 2, 7, usize::MAX] {
        let (said, seen) = observed(&lines, size);
        assert_eq!(said, expected, "observed in pieces of {size}");
        assert_eq!(played(&lines, size, &seen), expected, "played in pieces of {size}");
    }
}

fn asked(sql: &str, flags: u16) -> [Line; 2] {
    [(Client, query(sql)), (Server, packets(1, &[plain_ok(flags)]))]
}

fn reset(flags: u16) -> [Line; 2] {
    [(Client, command(code::RESET_CONNECTION, b"")), (Server, packets(1, &[plain_ok(flags)]))]
}

const ON: u16 = status::AUTOCOMMIT;
const OFF: u16 = 0;
const INSERT: &str = "INSERT INTO orders VALUES (1)";

#[test]
fn a_server_that_commits_each_statement_says_nothing() {
    check(ON, &asked(INSERT, ON), "...");
}

#[test]
fn a_server_that_commits_none_says_so_when_the_client_is_in() {
    check(OFF, &asked(INSERT, status::IN_TRANSACTION), "..y.");
}

#[test]
fn what_is_run_for_each_connection_is_seen_by_the_first_answer() {
    check(ON, &asked(INSERT, status::IN_TRANSACTION), "...y");
}

#[test]
fn statements_that_say_it_themselves_say_no_more() {
    let set = [asked("SET autocommit = 0", OFF), asked("SET autocommit = 1", ON)].concat();
    check(ON, &set, "...y.n");
}

#[test]
fn whoever_begins_anew_has_nothing_open_and_what_the_server_does_at_first() {
    let begun = [&asked("BEGIN", ON | status::IN_TRANSACTION)[..], &reset(ON)].concat();
    check(ON, &begun, "...n");
    let off = [&reset(OFF)[..], &asked(INSERT, status::IN_TRANSACTION)].concat();
    check(OFF, &off, "..yny.");
    let set = [&asked("SET autocommit = 0", OFF)[..], &reset(ON)].concat();
    check(ON, &set, "...yn");
    let change = command(code::CHANGE_USER, b"ann\0\x06s3crets\0\x2d\0mysql_native_password\0");
    let changed = [(Client, change), (Server, packets(1, &[plain_ok(OFF)]))];
    check(OFF, &changed, "..yn.y");
}
