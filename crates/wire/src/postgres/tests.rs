//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

use super::Postgres;
use super::frames::{Frames, zero_ended};
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value};

use Peer::{Client, Server};

pub(super) use crate::damage::Line;

fn frames(write: impl FnOnce(&mut Frames)) -> Vec<u8> {
    let mut frames = Frames::default();
    write(&mut frames);
    frames.take().to_vec()
}

pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    frames(|frames| frames.add(kind, |out| out.extend_from_slice(body)))
}

pub(super) fn startup() -> Vec<u8> {
    message(b'x', b"\0\x03\0\0user\0shop\0database\0shop\0\0")[1..].to_vec()
}

pub(super) fn welcome() -> Vec<u8> {
    [
        message(b'R', &[0; 4]),
        message(b'S', b"TimeZone\0UTC\0"),
        message(b'K', &[0, 0, 0, 1, 0, 0, 0, 0]),
        message(b'Z', b"I"),
    ]
    .concat()
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    frames(|frames| frames.add(b'Q', |out| zero_ended(out, sql.as_bytes())))
}

pub(super) fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{sql}\0\0\0").as_bytes())
}

/// Binds parameters in text and asks for all columns in one format.
pub(super) fn bind(portal: &str, name: &str, params: &[&str], format: u8) -> Vec<u8> {
    frames(|frames| {
        frames.add(b'B', |out| {
            zero_ended(out, portal.as_bytes());
            zero_ended(out, name.as_bytes());
            super::frames::count(out, 0);
            super::frames::count(out, params.len());
            for param in params {
                out.extend_from_slice(&u32::try_from(param.len()).unwrap().to_be_bytes());
                out.extend_from_slice(param.as_bytes());
            }
            out.extend_from_slice(&[0, 1, 0, format]);
        });
    })
}

pub(super) fn execute(portal: &str, most: u8) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), &[0, 0, 0, 0, most]].concat())
}

pub(super) fn describe(kind: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[kind], name.as_bytes(), b"\0"].concat())
}

pub(super) fn sync() -> Vec<u8> {
    message(b'S', b"")
}

/// A RowDescription of one column.
fn column(name: &str, oid: u32, size: i16, format: u8) -> Vec<u8> {
    let mut body = [&[0, 1], name.as_bytes(), &[0; 7]].concat();
    body.extend_from_slice(&oid.to_be_bytes());
    body.extend_from_slice(&size.to_be_bytes());
    body.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0, format]);
    message(b'T', &body)
}

fn row(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_be_bytes();
    message(b'D', &[&[0, 1], &length[..], value].concat())
}

pub(super) fn done(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

pub(super) fn error(code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SERROR\0VERROR\0C{code}\0M{text}\0\0").as_bytes())
}

pub(super) fn ready(status: &str) -> Vec<u8> {
    message(b'Z', status.as_bytes())
}

/// What an observer emits when each line comes in pieces of `size` bytes.
pub(super) fn observe(lines: &[Line], size: usize, end: Option<(Peer, Ending)>) -> Vec<Exchange> {
    let mut session = Postgres.observer(Limits::default());
    let (mut out, mut clock) = (Vec::new(), 0);
    for (from, bytes) in lines {
        clock += 1000;
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(clock) };
            session.handle(event, &mut out).unwrap();
        }
    }
    if let Some((from, how)) = end {
        session.handle(Event::Closed { from, how, at: Moment(clock) }, &mut out).unwrap();
    }
    let (mut open, mut emitted) = (Vec::new(), Vec::new());
    for command in out {
        match command {
            Command::Begin { id, .. } => open.push(id),
            Command::Emit { id, exchange } => {
                let place = open.iter().position(|open| *open == id);
                open.remove(place.expect("only what has begun is emitted"));
                emitted.push(*exchange);
            }
            Command::Hold { .. }
            | Command::Forward { .. }
            | Command::Send { .. }
            | Command::Teach(_)
            | Command::Unread(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(open.is_empty(), "nothing stays open");
    emitted
}

/// What a responder that knows these exchanges says to the client of a transcript.
pub(super) fn respond(lines: &[Line], size: usize, known: &[Exchange]) -> (Vec<u8>, Vec<Map>) {
    let facets = Postgres.facets();
    let mut unused: Vec<&Exchange> = known.iter().collect();
    let mut session = Postgres.responder(Limits::default());
    let (mut out, mut sent, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for (_, bytes) in lines.iter().filter(|line| line.0 == Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Client, bytes, at: Moment(1) };
            session.handle(event, &mut out).unwrap();
            loop {
                let mut question = None;
                for command in out.drain(..) {
                    match command {
                        Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
                        Command::Ask { id, request, .. } => question = Some((id, request)),
                        Command::Close { .. } => {}
                        other => panic!("unexpected {other:?}"),
                    }
                }
                let Some((id, request)) = question else { break };
                if facets.is_so_far(&request) {
                    let answer = begun(&request, &unused);
                    session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
                    continue;
                }
                let form = facets.request(&request);
                let place = unused.iter().position(|one| facets.request(&one.request) == form);
                asked.push(request);
                let answer = match place {
                    Some(place) => match unused.remove(place) {
                        Exchange { response: Some(response), .. } => {
                            Answer::Response(response.clone())
                        }
                        Exchange { failure, .. } => Answer::Failure(failure.unwrap()),
                    },
                    None => Answer::Miss(Miss { message: "no mock".into(), details: Value::Null }),
                };
                session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
            }
        }
    }
    (sent, asked)
}

/// The answer to what came so far of a request.
fn begun(request: &Map, unused: &[&Exchange]) -> Answer {
    let facets = Postgres.facets();
    let form = facets.request(request);
    let agrees = |one: &&&Exchange| {
        facets.cut(request, &one.request).is_some_and(|cut| facets.request(&cut) == form)
    };
    let found = unused.iter().find(agrees);
    found.map_or(Answer::Incomplete, |one| {
        let mut response = one.response.clone().unwrap();
        response.insert("asked", one.request.clone());
        Answer::Response(response)
    })
}

/// Records and answers a conversation behind start-up, in pieces of many sizes; gives the exchanges
/// but for the connecting.
#[track_caller]
pub(super) fn check(conversation: &[Line]) -> Vec<(Map, Map)> {
    let mut lines = vec![(Client, startup()), (Server, welcome())];
    lines.extend_from_slice(conversation);
    let seen = observe(&lines, usize::MAX, None);
    let from_server = lines.iter().filter(|line| line.0 == Server);
    let expected: Vec<u8> = from_server.flat_map(|line| line.1.clone()).collect();
    for size in (1..=40).chain([usize::MAX]) {
        let again = observe(&lines, size, None);
        let pairs = |list: &[Exchange]| {
            list.iter().map(|one| (one.request.clone(), one.response.clone())).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&again), pairs(&seen), "in pieces of {size}");
        let (sent, _) = respond(&lines, size, &seen);
        assert_eq!(
            String::from_utf8_lossy(&sent),
            String::from_utf8_lossy(&expected),
            "answered in pieces of {size}"
        );
        assert_eq!(sent, expected);
    }
    let pairs = seen.into_iter().skip(1);
    pairs.map(|one| (one.request, one.response.unwrap())).collect()
}

fn result(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Map {
    pairs.into_iter().collect()
}

/// Something of everything.
pub(super) fn conversation() -> Vec<Line> {
    let taken = [message(b'1', b""), message(b'2', b"")].concat();
    vec![
        (Client, vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
        (Server, b"N".to_vec()),
        (Client, startup()),
        (Server, welcome()),
        (Client, query("BEGIN; SELECT 17 AS a")),
        (
            Server,
            [done("BEGIN"), column("a", 23, 4, 0), row(b"17"), done("SELECT 1"), ready("T")]
                .concat(),
        ),
        (Client, [parse("s", "SELECT $1::int4"), describe(b'S', "s"), sync()].concat()),
        (
            Server,
            [
                message(b'1', b""),
                message(b't', &[0, 1, 0, 0, 0, 23]),
                column("a", 23, 4, 0),
                ready("T"),
            ]
            .concat(),
        ),
        (
            Client,
            [bind("p", "s", &["5"], 1), describe(b'P', "p"), execute("p", 1), sync()].concat(),
        ),
        (
            Server,
            [
                message(b'2', b""),
                column("a", 23, 4, 1),
                row(&[0, 0, 0, 5]),
                message(b's', b""),
                ready("T"),
            ]
            .concat(),
        ),
        (Client, [execute("p", 1), message(b'C', b"Pp\0"), sync()].concat()),
        (Server, [done("SELECT 0"), message(b'3', b""), ready("T")].concat()),
        (Client, [parse("", "bad"), bind("", "", &[], 0), execute("", 0), sync()].concat()),
        (Server, [&taken[..], &error("42601", "syntax"), &ready("E")].concat()),
        (Client, query("COPY t (a) FROM STDIN")),
        (Server, message(b'G', &[0, 0, 1, 0, 0])),
        (Client, [message(b'd', b"1\n"), message(b'c', b"")].concat()),
        (Server, [done("COPY 1"), message(b'A', b"\0\0\0\x01c\0\0"), ready("T")].concat()),
        (Client, query("COPY t TO STDOUT")),
        (
            Server,
            [
                message(b'H', &[0, 0, 1, 0, 0]),
                message(b'd', b"1\n"),
                message(b'c', b""),
                done("COPY 1"),
                ready("T"),
            ]
            .concat(),
        ),
        (Client, [query("COMMIT"), message(b'X', b"")].concat()),
        (Server, [done("COMMIT"), ready("I")].concat()),
    ]
}

#[test]
fn a_simple_query_is_one_exchange() {
    let seen = check(&[
        (Client, query("SELECT 17 AS a")),
        (Server, [column("a", 23, 4, 0), row(b"17"), done("SELECT 1"), ready("I")].concat()),
    ]);
    let expected = result([
        ("columns", vec!["a int4"].into()),
        ("rows", Value::List(vec![vec![17].into()])),
        ("tag", "SELECT 1".into()),
    ]);
    assert_eq!(seen, [(Map::from([("sql", "SELECT 17 AS a")]), expected)]);
}

#[test]
fn several_statements_have_several_results() {
    let seen = check(&[
        (Client, query("BEGIN; INSERT INTO t VALUES (1); bad")),
        (
            Server,
            [done("BEGIN"), done("INSERT 0 1"), error("42601", "syntax"), ready("E")].concat(),
        ),
        (Client, query("ROLLBACK")),
        (Server, [done("ROLLBACK"), ready("I")].concat()),
        (Client, query(";")),
        (Server, [message(b'I', b""), ready("I")].concat()),
    ]);
    let results = seen[0].1.get("results").and_then(Value::as_list).unwrap();
    assert_eq!(results.len(), 3);
    let error = results[2].as_map().and_then(|map| map.get("error")?.as_map()).unwrap();
    let expected = Map::from([("severity", "ERROR"), ("code", "42601"), ("message", "syntax")]);
    assert_eq!(error, &expected);
    assert_eq!(seen[1].1, Map::from([("tag", "ROLLBACK")]));
    assert_eq!(seen[2].1, Map::new());
}

#[test]
fn an_extended_query_looks_like_a_simple_one() {
    let seen = check(&[
        (
            Client,
            [
                parse("", "SELECT $1 AS a"),
                bind("", "", &["17"], 0),
                describe(b'P', ""),
                execute("", 0),
                sync(),
            ]
            .concat(),
        ),
        (
            Server,
            [
                message(b'1', b""),
                message(b'2', b""),
                column("a", 23, 4, 0),
                row(b"17"),
                done("SELECT 1"),
                ready("I"),
            ]
            .concat(),
        ),
    ]);
    let expected = result([
        ("columns", vec!["a int4"].into()),
        ("rows", Value::List(vec![vec![17].into()])),
        ("tag", "SELECT 1".into()),
    ]);
    let request = result([("sql", "SELECT $1 AS a".into()), ("params", vec!["17"].into())]);
    assert_eq!(seen, [(request, expected)]);
}

#[test]
fn a_described_statement_is_executed_again_and_again() {
    let one = |value: &[u8], param: &str| {
        [
            (Client, [bind("", "s1", &[param], 1), execute("", 0), sync()].concat()),
            (Server, [message(b'2', b""), row(value), done("SELECT 1"), ready("I")].concat()),
        ]
    };
    let mut lines = vec![
        (Client, [parse("s1", "SELECT $1::int4 AS a"), describe(b'S', "s1"), sync()].concat()),
        (
            Server,
            [
                message(b'1', b""),
                message(b't', &[0, 1, 0, 0, 0, 23]),
                column("a", 23, 4, 0),
                ready("I"),
            ]
            .concat(),
        ),
    ];
    lines.extend(one(&[0, 0, 0, 5], "5"));
    lines.extend(one(&[0xff, 0xff, 0xff, 0xff], "-1"));
    let seen = check(&lines);
    let expected = result([("params", vec!["int4"].into()), ("columns", vec!["a int4"].into())]);
    assert_eq!(seen[0], (Map::from([("describe", "SELECT $1::int4 AS a")]), expected));
    assert_eq!(seen[2].0.get("params"), Some(&vec![-1].into()));
    assert_eq!(seen[2].1.get("rows"), Some(&Value::List(vec![vec![-1].into()])));
    assert!(Postgres.facets().sets_up(&seen[0].0));
    assert!(!Postgres.facets().sets_up(&seen[1].0));
}

#[test]
fn rows_may_be_fetched_in_parts() {
    let seen = check(&[
        (
            Client,
            [
                query("BEGIN"),
                parse("", "SELECT n FROM t"),
                bind("c", "", &[], 0),
                describe(b'P', "c"),
                execute("c", 2),
                sync(),
            ]
            .concat(),
        ),
        (
            Server,
            [
                done("BEGIN"),
                ready("T"),
                message(b'1', b""),
                message(b'2', b""),
                column("n", 23, 4, 0),
                row(b"1"),
                row(b"2"),
                message(b's', b""),
                ready("T"),
            ]
            .concat(),
        ),
        (Client, [execute("c", 2), sync()].concat()),
        (Server, [row(b"3"), done("SELECT 1"), ready("T")].concat()),
        (Client, query("COMMIT")),
        (Server, [done("COMMIT"), ready("I")].concat()),
    ]);
    let sql = |index: usize| seen[index].0.text("sql").unwrap();
    assert_eq!([sql(0), sql(1), sql(2)], ["BEGIN", "SELECT n FROM t", "COMMIT"]);
    assert_eq!(seen[1].1.get("rows").and_then(Value::as_list).unwrap().len(), 3);
    assert_eq!(seen[1].1.text("tag"), Some("SELECT 3"), "of all rows, not of the last part");
}

#[test]
fn a_pipeline_is_passed_over_behind_an_error() {
    let insert = |value| {
        [parse("", "INSERT INTO t VALUES ($1)"), bind("", "", &[value], 0), execute("", 0)].concat()
    };
    let taken = [message(b'1', b""), message(b'2', b"")].concat();
    let seen = check(&[
        (Client, [insert("1"), insert("1"), insert("2"), sync(), insert("3"), sync()].concat()),
        (
            Server,
            [
                &taken[..],
                &done("INSERT 0 1"),
                &taken,
                &error("23505", "duplicate key"),
                &ready("I"),
                &taken,
                &done("INSERT 0 1"),
                &ready("I"),
            ]
            .concat(),
        ),
    ]);
    assert_eq!(seen.len(), 3, "what was passed over is no exchange");
    assert!(seen[1].1.get("error").is_some());
}

#[test]
fn an_error_of_a_description_belongs_to_it() {
    let seen = check(&[
        (Client, [parse("s", "SELECT x"), describe(b'S', "s"), sync()].concat()),
        // At replay the text is taken at once; the error comes with the description.
        (Server, [message(b'1', b""), error("42703", "no column"), ready("I")].concat()),
    ]);
    assert_eq!(seen[0].0.text("describe"), Some("SELECT x"));
}

#[test]
fn a_text_that_is_refused_when_it_is_prepared_is_refused_then() {
    let refused = [error("42703", "no column"), ready("I")].concat();
    let described = [parse("", "SELECT 'x'::int"), describe(b'S', ""), sync()].concat();
    let seen = check(&[
        (Client, [parse("s", "SELECT x"), sync()].concat()),
        (Server, refused.clone()),
        (Client, described),
        (Server, refused),
    ]);
    let texts: Vec<_> = seen.iter().map(|(request, _)| request.text("prepare").unwrap()).collect();
    assert_eq!(
        texts,
        ["SELECT x", "SELECT 'x'::int"],
        "with its literal, which may be what is wrong"
    );
}

#[test]
fn data_is_copied_in_and_out() {
    let copy_in = message(b'G', &[0, 0, 2, 0, 0, 0, 0]);
    let copy_out = message(b'H', &[0, 0, 2, 0, 0, 0, 0]);
    let data = |text: &str| message(b'd', text.as_bytes());
    let seen = check(&[
        (Client, query("COPY t (a, b) FROM STDIN")),
        (Server, copy_in),
        (Client, [data("1\tx\n"), data("2\ty\n"), message(b'c', b"")].concat()),
        (Server, [done("COPY 2"), ready("I")].concat()),
        (Client, query("COPY t TO STDOUT")),
        (
            Server,
            [
                copy_out,
                data("1\tx\n"),
                data("2\ty\n"),
                message(b'c', b""),
                done("COPY 2"),
                ready("I"),
            ]
            .concat(),
        ),
    ]);
    assert_eq!(seen[0].0.text("copy"), Some("1\tx\n2\ty\n"));
    assert_eq!(seen[1].1.text("copy"), Some("1\tx\n2\ty\n"));
}

#[test]
fn data_may_come_before_the_server_wants_it_and_be_too_much() {
    let copy = [query("COPY t FROM STDIN"), message(b'd', b"1\n"), message(b'c', b"")].concat();
    let wants = message(b'G', &[0, 0, 1, 0, 0]);
    let lines = [
        (Client, startup()),
        (Server, welcome()),
        (Client, copy.clone()),
        (Server, [&wants[..], &error("22P02", "bad"), &ready("I")].concat()),
        (Client, copy),
        (Server, [&wants[..], &done("COPY 1"), &ready("I")].concat()),
    ];
    for size in 1..30 {
        let seen = observe(&lines, size, None);
        assert_eq!(seen[1].request.text("copy"), Some("1\n"));
        assert_eq!(seen[2].request.text("copy"), Some("1\n"), "and no more than that");
    }
    let mut data = super::copy::Data::default();
    data.push(b"12", 3);
    data.push(b"34", 3);
    let mut map = Map::new();
    data.into_map("copy", &mut map);
    let omitted = map.get("copy_omitted").and_then(Value::as_map).unwrap();
    assert_eq!(omitted.get("length"), Some(&Value::from(4)));
}

#[test]
fn what_is_said_by_the_way_goes_with_the_next_result() {
    let seen = check(&[
        (Client, query("NOTIFY c, 'p'")),
        (Server, [message(b'A', b"\0\0\0\x01c\0p\0"), done("NOTIFY"), ready("I")].concat()),
        (Client, query("SET TimeZone = 'UTC'")),
        (Server, [message(b'S', b"TimeZone\0UTC\0"), done("SET"), ready("I")].concat()),
    ]);
    let notify = Map::from([("notify", "c"), ("payload", "p")]);
    assert_eq!(seen[0].1.get("notices"), Some(&vec![Value::Map(notify)].into()));
    assert_eq!(seen[1].1.get("parameters"), Some(&Map::from([("TimeZone", "UTC")]).into()));
}

#[test]
fn a_password_is_never_recorded() {
    let lines = [
        (Client, startup()),
        (Server, message(b'R', &[0, 0, 0, 3])),
        (Client, message(b'p', b"s3cret\0")),
        (Server, welcome()),
    ];
    for size in 1..20 {
        let seen = observe(&lines, size, None);
        assert!(!format!("{seen:?}").contains("s3cret"));
        assert_eq!(seen[0].response.as_ref().unwrap().text("auth"), Some("password"));
    }
}

#[test]
fn encryption_is_declined_and_cancelling_is_let_go() {
    let ssl = vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
    let known = observe(&[(Client, startup()), (Server, welcome())], 9, None);
    let lines = [(Client, ssl.clone()), (Client, startup())];
    let (sent, _) = respond(&lines, 1, &known);
    assert_eq!(sent, [b"N", &welcome()[..]].concat());
    let lines = [(Client, ssl), (Server, b"N".to_vec()), (Client, startup()), (Server, welcome())];
    assert_eq!(observe(&lines, 1, None), observe(&lines, 100, None));
    let cancel = vec![0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(respond(&[(Client, cancel.clone())], 3, &[]), (Vec::new(), Vec::new()));
    assert!(observe(&[(Client, cancel)], 3, None).is_empty());
}

/// What an observer wants done of what was said, in order.
fn commands(said: &[(Peer, &[u8])]) -> Vec<Command> {
    let mut session = Postgres.observer(Limits::default());
    let mut out = Vec::new();
    session.handle(Event::Opened { at: Moment(1) }, &mut out).unwrap();
    for (from, bytes) in said {
        for byte in bytes.chunks(1) {
            session
                .handle(Event::Data { from: *from, bytes: byte, at: Moment(1) }, &mut out)
                .unwrap();
        }
    }
    out
}

const SSL: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];

#[test]
fn encryption_that_is_granted_is_laid_over_both_sides() {
    let out = commands(&[(Client, &SSL), (Server, b"S")]);
    let laid = |command: &Command| match command {
        Command::StartTls { with, unread } => Some((*with, unread.len())),
        _ => None,
    };
    let laid: Vec<_> = out.iter().filter_map(laid).collect();
    assert_eq!(laid, [(Client, 0), (Server, 0)]);
    let told = out.iter().any(|command| matches!(command, Command::Emit { .. }));
    assert!(told, "a played server has to know");
}

#[test]
fn a_login_bound_to_the_certificate_becomes_ours() {
    let offer = message(b'R', b"\0\0\0\nSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    let said = [(Client, &startup()[..]), (Server, &offer), (Client, &message(b'p', b"word\0"))];
    let out = commands(&said);
    let sent = |peer: Peer| -> Vec<u8> {
        let to = |command: &Command| match command {
            Command::Send { to, bytes } if *to == peer => Some(bytes.to_vec()),
            _ => None,
        };
        out.iter().filter_map(to).flatten().collect()
    };
    assert_eq!(sent(Client), message(b'R', &[0, 0, 0, 3]), "it is asked for its password");
    let begun = String::from_utf8_lossy(&sent(Server)).into_owned();
    assert!(begun.starts_with('p') && begun.contains("SCRAM-SHA-256\0"), "{begun:?}");
    assert!(!begun.contains("word"), "the password goes nowhere");
}

#[test]
fn a_server_that_goes_away_leaves_a_failure() {
    let lines = [(Client, startup()), (Server, welcome()), (Client, query("SELECT 1"))];
    let seen = observe(&lines, 7, Some((Server, Ending::Reset)));
    assert_eq!(seen[1].failure, Some(Failure::Reset));
    let mut lines = lines.to_vec();
    lines.push((Server, message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mshut down\0\0")));
    let seen = observe(&lines, 7, Some((Server, Ending::Finished)));
    assert!(seen[1].response.as_ref().unwrap().get("error").is_some(), "it said why");
}

#[test]
fn a_statement_without_a_mock_is_an_error_of_the_statement() {
    let lines = [(Client, startup()), (Client, [query("SELECT 1"), query("SELECT 2")].concat())];
    let known = observe(&[(Client, startup()), (Server, welcome())], 9, None);
    let (sent, asked) = respond(&lines, 5, &known);
    assert_eq!(asked.len(), 3);
    let miss = message(b'E', b"SERROR\0VERROR\0CXX000\0Mno mock\0\0");
    let refused = [miss, ready("I")].concat();
    assert!(sent.ends_with(&[refused.clone(), refused].concat()));
}

#[test]
fn a_notification_behind_the_result_is_not_lost() {
    let lines = [
        (Client, startup()),
        (Server, welcome()),
        (Client, query("NOTIFY c")),
        (Server, [done("NOTIFY"), message(b'A', b"\0\0\0\x01c\0\0"), ready("I")].concat()),
    ];
    let seen = observe(&lines, 3, None);
    let result = seen[1].response.as_ref().unwrap();
    assert_eq!(result.get("notices").and_then(Value::as_list).unwrap().len(), 1);
}

/// Errors, but never a panic and never more memory than what came.
#[test]
fn lies_about_lengths_are_errors() {
    for bad in [
        message(b'D', &[0, 9, 0]),
        message(b'D', &[0, 1, 0x7f, 0xff, 0xff, 0xff]),
        vec![b'D', 0, 0, 0, 1],
        vec![b'D', 0xff, 0xff, 0xff, 0xff],
        message(b'T', &[0xff, 0xff, b'a']),
        message(b'?', b""),
        message(b'1', b""),
    ] {
        let mut session = Postgres.observer(Limits::default());
        let mut out = Vec::new();
        let mut say = |from, bytes: &[u8]| {
            session.handle(Event::Data { from, bytes, at: Moment(0) }, &mut out)
        };
        say(Client, &startup()).unwrap();
        say(Server, &welcome()).unwrap();
        say(Client, &query("SELECT 1")).unwrap();
        let error = say(Server, &bad).unwrap_err();
        assert!(
            matches!(error, WireError::Malformed { .. } | WireError::TooLarge { .. }),
            "{bad:?}"
        );
    }
}
