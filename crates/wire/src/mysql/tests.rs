//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

use super::columns::{Column, Source};
use super::fields::{put_number, put_sized};
use super::greeting::{CHALLENGE, Greeting, NATIVE};
use super::packets::Outbox;
use super::replies::{Done, write_error};
use super::{Mysql, capabilities, command, replies, status, types};
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value};

use Peer::{Client, Server};

pub(super) use crate::damage::Line;

/// What both sides can do in these conversations.
pub(super) const CAN: u64 = capabilities::PROTOCOL_41
    | capabilities::SECURE_CONNECTION
    | capabilities::CONNECT_WITH_DB
    | capabilities::PLUGIN_AUTH
    | capabilities::LOCAL_FILES
    | capabilities::SESSION_TRACK
    | 3 << 16;

const MODERN: u64 = CAN | capabilities::DEPRECATE_EOF | capabilities::CACHE_METADATA;

/// Packets from this number on.
pub(super) fn packets(number: u8, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut outbox = Outbox::default();
    outbox.number = number;
    bodies.iter().for_each(|body| outbox.add(|out| out.extend_from_slice(body)));
    outbox.take().to_vec()
}

fn greeting(capabilities: u64) -> Vec<u8> {
    greeting_of(capabilities, status::AUTOCOMMIT)
}

fn greeting_of(capabilities: u64, status: u16) -> Vec<u8> {
    let greeting = Greeting {
        version: "10.11.6-MariaDB".to_owned(),
        connection: 1,
        challenge: CHALLENGE.to_vec(),
        capabilities,
        charset: 45,
        status,
        plugin: NATIVE.to_owned(),
    };
    let mut body = Vec::new();
    greeting.write(&mut body);
    packets(0, &[body])
}

fn login(capabilities: u64) -> Vec<u8> {
    let bits = capabilities.to_le_bytes();
    let mut body = bits[..4].to_vec();
    body.extend_from_slice(&[0, 0, 0, 1, 45]);
    body.extend_from_slice(&[0; 19]);
    body.extend_from_slice(&bits[4..]);
    body.extend_from_slice(b"shop\0\x14s3cret-s3cret-s3cret-shop\0mysql_native_password\0");
    packets(1, &[body])
}

pub(super) fn command(code: u8, body: &[u8]) -> Vec<u8> {
    packets(0, &[[&[code], body].concat()])
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    command(command::QUERY, sql.as_bytes())
}

fn ok(done: &Done, capabilities: u64) -> Vec<u8> {
    let mut body = Vec::new();
    done.write(0, capabilities, &mut body);
    body
}

pub(super) fn plain_ok(flags: u16) -> Vec<u8> {
    ok(&Done { status: flags, ..Done::default() }, CAN)
}

fn end(flags: u16, capabilities: u64) -> Vec<u8> {
    let mut body = Vec::new();
    Done { status: flags, ..Done::default() }.write_end(capabilities, &mut body);
    body
}

pub(super) fn error() -> Vec<u8> {
    let mut body = Vec::new();
    write_error(&replies::error(1064, "42000", "syntax"), &mut body).unwrap();
    body
}

/// A column `id int` of a table.
fn column() -> Vec<u8> {
    let source = Source {
        schema: "shop".to_owned(),
        table: "orders".to_owned(),
        real_table: "orders".to_owned(),
        real_name: "id".to_owned(),
    };
    let name = "id".to_owned();
    let column = Column { source, name, charset: 63, length: 11, code: 3, ..Column::default() };
    let mut body = Vec::new();
    column.write(false, &mut body);
    body
}

fn text_row(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    put_sized(&mut body, text.as_bytes());
    body
}

fn binary_row(value: i32) -> Vec<u8> {
    [&[0, 0][..], &value.to_le_bytes()].concat()
}

fn prepared(id: u32, columns: u8, params: u8) -> Vec<u8> {
    [&[0][..], &id.to_le_bytes(), &[columns, 0, params, 0, 0, 0, 0]].concat()
}

fn parameter() -> Vec<u8> {
    let mut body = Vec::new();
    Column::parameter().write(false, &mut body);
    body
}

/// Executes a statement with one integer.
fn execute(id: u32, flags: u8, value: i32) -> Vec<u8> {
    let mut body = id.to_le_bytes().to_vec();
    body.extend_from_slice(&[flags, 1, 0, 0, 0, 0, 1, 3, 0]);
    body.extend_from_slice(&value.to_le_bytes());
    command(command::STMT_EXECUTE, &body)
}

/// What an observer emits when each line comes in pieces of `size` bytes, and what it lets through of
/// the server's greeting.
pub(super) fn observe(
    lines: &[Line],
    size: usize,
    end: Option<(Peer, Ending)>,
) -> (Vec<Exchange>, Vec<u8>) {
    let mut session = Mysql.observer(Limits::default());
    let (mut out, mut clock) = (Vec::new(), 0);
    session.handle(Event::Opened { at: Moment(0) }, &mut out).unwrap();
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
    let (mut open, mut emitted, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for command in out {
        match command {
            Command::Begin { id, .. } => open.push(id),
            Command::Emit { id, exchange } => {
                let place = open.iter().position(|open| *open == id);
                open.remove(place.expect("only what has begun is emitted"));
                emitted.push(*exchange);
            }
            Command::Send { bytes, to: Client } => sent.extend_from_slice(&bytes),
            Command::Send { .. }
            | Command::Hold { .. }
            | Command::Forward { .. }
            | Command::Teach(_)
            | Command::Unasked(_)
            | Command::Unread(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(open.is_empty(), "nothing stays open");
    (emitted, sent)
}

/// What a responder that knows these exchanges says to the client of a transcript.
pub(super) fn respond(lines: &[Line], size: usize, known: &[Exchange]) -> (Vec<u8>, Vec<Map>) {
    let facets = Mysql.facets();
    let mut unused: Vec<&Exchange> = known.iter().collect();
    let mut session = Mysql.responder(Limits::default());
    let (mut out, mut sent, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    let pieces = lines.iter().filter(|line| line.0 == Client).flat_map(|line| line.1.chunks(size));
    let opened = std::iter::once(Event::Opened { at: Moment(0) });
    let data = pieces.map(|bytes| Event::Data { from: Client, bytes, at: Moment(1) });
    let closed = Event::Closed { from: Client, how: Ending::Finished, at: Moment(3) };
    for event in opened.chain(data).chain(std::iter::once(closed)) {
        session.handle(event, &mut out).unwrap();
        loop {
            let mut question = None;
            for command in out.drain(..) {
                match command {
                    Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
                    Command::Ask { id, request, .. } => question = Some((id, request)),
                    Command::Close { .. } | Command::Unasked(_) => {}
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
                    Exchange { response: Some(response), .. } => Answer::Response(response.clone()),
                    Exchange { failure, .. } => Answer::Failure(failure.unwrap()),
                },
                None => Answer::Miss(Miss { message: "no mock".into(), details: Value::Null }),
            };
            session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
        }
    }
    (sent, asked)
}

/// The answer to what came so far of a request.
fn begun(request: &Map, unused: &[&Exchange]) -> Answer {
    let facets = Mysql.facets();
    let form = facets.request(request);
    let agrees = |one: &&&Exchange| {
        facets.cut(request, &one.request).is_some_and(|cut| facets.request(&cut) == form)
    };
    let found = unused.iter().find(agrees);
    let Some(one) = found else { return Answer::Incomplete };
    let Some(mut response) = one.response.clone() else {
        return Answer::Failure(one.failure.unwrap());
    };
    response.insert("asked", one.request.clone());
    Answer::Response(response)
}

pub(super) fn started(capabilities: u64) -> Vec<Line> {
    started_with(capabilities, status::AUTOCOMMIT)
}

/// A server that says so of its connections at first.
pub(super) fn started_with(capabilities: u64, flags: u16) -> Vec<Line> {
    vec![
        (Server, greeting_of(capabilities, flags)),
        (Client, login(capabilities)),
        (Server, packets(2, &[plain_ok(flags)])),
    ]
}

/// Records and answers a conversation behind the login, in pieces of many sizes; gives the exchanges
/// behind it.
#[track_caller]
pub(super) fn check(capabilities: u64, conversation: &[Line]) -> Vec<(Map, Map)> {
    let mut lines = started(capabilities);
    lines.extend_from_slice(conversation);
    let (seen, _) = observe(&lines, usize::MAX, None);
    let from_server = lines.iter().filter(|line| line.0 == Server);
    let expected: Vec<u8> = from_server.flat_map(|line| line.1.clone()).collect();
    for size in (1..=40).chain([usize::MAX]) {
        let (again, sent) = observe(&lines, size, None);
        assert_eq!(sent, lines[0].1, "the greeting is let through");
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
    let pairs = seen.into_iter().skip(2);
    pairs.map(|one| (one.request, one.response.unwrap())).collect()
}

fn result(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Map {
    pairs.into_iter().collect()
}

/// A statement that changes something.
pub(super) fn written(sql: &str) -> Vec<Line> {
    vec![(Client, query(sql)), (Server, packets(1, &[plain_ok(2)]))]
}

/// Something of everything.
pub(super) fn conversation() -> Vec<Line> {
    let mut lines = started(CAN);
    lines.extend([
        (Client, query("SELECT id FROM orders; BEGIN")),
        (
            Server,
            packets(
                1,
                &[vec![1], column(), end(10, CAN), text_row("17"), end(10, CAN), plain_ok(3)],
            ),
        ),
        (Client, command(command::STMT_PREPARE, b"SELECT id FROM orders WHERE id = ?")),
        (Server, packets(1, &[prepared(1, 1, 1), parameter(), end(3, CAN), column(), end(3, CAN)])),
        (Client, execute(1, 0, 17)),
        (Server, packets(1, &[vec![1], column(), end(3, CAN), binary_row(17), end(3, CAN)])),
        (Client, execute(1, 1, 18)),
        (Server, packets(1, &[vec![1], column(), end(67, CAN)])),
        (Client, command(command::STMT_FETCH, &[1, 0, 0, 0, 2, 0, 0, 0])),
        (Server, packets(1, &[binary_row(18), end(131, CAN)])),
        (Client, command(command::STMT_CLOSE, &[1, 0, 0, 0])),
        (Client, query("LOAD DATA LOCAL INFILE 'a' INTO TABLE t")),
        (Server, packets(1, &[b"\xfba".to_vec()])),
        (Client, packets(2, &[b"1\n".to_vec(), Vec::new()])),
        (Server, packets(4, &[plain_ok(3)])),
        (Client, query("bad")),
        (Server, packets(1, &[error()])),
        (Client, command(command::PING, b"")),
        (Server, packets(1, &[plain_ok(3)])),
        (Client, command(command::QUIT, b"")),
    ]);
    lines
}

/// Packets in a frame of the compressed protocol that is not packed.
fn framed(number: u8, packets: &[u8]) -> Vec<u8> {
    let [a, b, c, ..] = packets.len().to_le_bytes();
    [&[a, b, c, number, 0, 0, 0], packets].concat()
}

#[test]
fn compressed_packets_are_those_in_their_frames() {
    let answer = [vec![1], column(), end(2, CAN), text_row("17"), end(2, CAN)];
    let plain = [
        (Client, query("SELECT id FROM orders")),
        (Server, packets(1, &answer)),
        (Client, query("bad")),
        (Server, packets(1, &[error()])),
    ];
    let seen = check(CAN, &plain);
    for kind in [capabilities::COMPRESS, capabilities::ZSTD] {
        let number = |from: &Peer| u8::from(*from == Server);
        let frames = plain.iter().map(|(from, bytes)| (*from, framed(number(from), bytes)));
        assert_eq!(check(CAN | kind, &frames.collect::<Vec<_>>()), seen);
    }
}

#[test]
fn a_query_is_one_exchange() {
    for capabilities in [CAN, MODERN] {
        let mut answer = vec![vec![1], column()];
        if capabilities == MODERN {
            // The definitions follow.
            answer[0].push(1);
        } else {
            answer.push(end(2, CAN));
        }
        answer.extend([text_row("17"), vec![0xfb], end(2, capabilities)]);
        let lines = [(Client, query("SELECT id FROM orders")), (Server, packets(1, &answer))];
        let seen = check(capabilities, &lines);
        let expected = result([
            ("columns", vec!["id int"].into()),
            ("from", "shop.orders".into()),
            ("rows", Value::List(vec![vec![17].into(), Value::List(vec![Value::Null])])),
        ]);
        assert_eq!(seen, [(Map::from([("sql", "SELECT id FROM orders")]), expected)]);
    }
}

#[test]
fn statements_are_prepared_and_executed() {
    let conversation = &conversation()[3..];
    let seen = check(CAN, conversation);
    assert_eq!(seen.len(), 6);
    let results = seen[0].1.get("results").and_then(Value::as_list).unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(seen[1].1.get("takes"), Some(&Value::from(1)));
    assert!(Mysql.facets().sets_up(&seen[1].0));
    for (exchange, value) in [(&seen[2], 17), (&seen[3], 18)] {
        assert_eq!(exchange.0.text("sql"), Some("SELECT id FROM orders WHERE id = ?"));
        assert_eq!(exchange.0.get("params"), Some(&vec![value].into()));
        assert_eq!(exchange.1.get("rows"), Some(&Value::List(vec![vec![value].into()])));
        assert_eq!(exchange.1.get("status"), None, "it follows from the statements");
    }
    assert_eq!(seen[4].0.text("file"), Some("1\n"));
    let expected = Value::Map(replies::error(1064, "42000", "syntax"));
    assert_eq!(seen[5].1.get("error"), Some(&expected));
}

#[test]
fn a_pipeline_may_use_a_statement_before_it_has_its_number() {
    let bulk =
        [&u32::MAX.to_le_bytes()[..], &[128, 0, 3, 0, 0], &5i32.to_le_bytes(), &[1]].concat();
    let prepare = command(command::STMT_PREPARE, b"INSERT INTO t VALUES (?)");
    let ask = [prepare, execute(u32::MAX, 0, 17), command(command::STMT_BULK_EXECUTE, &bulk)];
    let description = packets(1, &[prepared(1, 0, 1), parameter()]);
    let done = Done { affected: 1, last_id: 300, status: 2, warnings: 1, ..Done::default() };
    let answer = [description, packets(1, &[ok(&done, CAN)]), packets(1, &[ok(&done, CAN)])];
    let seen = check(MODERN, &[(Client, ask.concat()), (Server, answer.concat())]);
    let expected =
        result([("affected", 1.into()), ("last_id", 300.into()), ("warnings", 1.into())]);
    assert_eq!((&seen[1].1, &seen[2].1), (&expected, &expected));
    let rows = Value::List(vec![vec![5].into(), Value::List(vec![Value::Null])]);
    assert_eq!(seen[2].0.get("bulk"), Some(&rows));
}

#[test]
fn changes_of_the_session_are_told_again() {
    let mut changes = vec![1, 5];
    put_sized(&mut changes, b"shop");
    let mut variable = Vec::new();
    put_sized(&mut variable, b"autocommit");
    put_sized(&mut variable, b"OFF");
    changes.push(0);
    put_sized(&mut changes, &variable);
    let session = super::session::read(&changes).unwrap();
    let done = Done { status: 0, info: Some("x".into()), session, ..Done::default() };
    let mut written = Vec::new();
    super::session::write(&done.session, &mut written);
    assert_eq!(written, changes);
    let seen =
        check(CAN, &[(Client, query("SET autocommit=0")), (Server, packets(1, &[ok(&done, CAN)]))]);
    assert_eq!(seen[0].1.get("session"), Some(&Value::List(done.session)));
    assert_eq!(seen[0].1.get("status"), None);
}

#[test]
fn credentials_are_never_recorded_and_never_needed() {
    let caching = "caching_sha2_password";
    let switch = [&[0xfe][..], caching.as_bytes(), b"\0", CHALLENGE, b"\0"].concat();
    let mut lines = vec![
        (Server, greeting(CAN)),
        (Client, login(CAN)),
        (Server, packets(2, &[switch])),
        (Client, packets(3, &[b"s3cret".to_vec()])),
        (Server, packets(4, &[vec![1, 4]])),
        (Client, packets(5, &[vec![2]])),
        (Server, packets(6, &[[&[1][..], b"-----BEGIN PUBLIC KEY-----"].concat()])),
        (Client, packets(7, &[b"s3cret encrypted".to_vec()])),
        (Server, packets(8, &[plain_ok(2)])),
        (Client, command(command::CHANGE_USER, b"ann\0\x06s3crets\0\x2d\0ed25519\0")),
        (Server, packets(1, &[b"\xfeed25519\0abc\0".to_vec()])),
        (Client, packets(2, &[b"s3cret".to_vec()])),
        (Server, packets(3, &[error()])),
    ];
    for size in [1, 7, 1000] {
        let (seen, _) = observe(&lines, size, None);
        assert!(!format!("{seen:?}").contains("s3cret"));
        let auth = |place: usize| seen[place].response.as_ref().unwrap().text("auth");
        assert_eq!((auth(1), auth(2)), (Some(caching), Some("ed25519")));
    }
    // A played server asks for nothing but the first answer, and for another way where it must.
    let (seen, _) = observe(&lines, 9, None);
    lines.drain(2..8);
    let (sent, asked) = respond(&lines, 3, &seen);
    assert_eq!(asked.len(), 3);
    let switch = [&b"\xfemysql_native_password\0"[..], CHALLENGE, b"\0"].concat();
    let refused = packets(3, &[error()]);
    let expected =
        [greeting(CAN), packets(2, &[plain_ok(2)]), packets(1, &[switch]), refused].concat();
    assert_eq!(String::from_utf8_lossy(&sent), String::from_utf8_lossy(&expected));
}

#[test]
fn a_client_that_is_turned_away_is_turned_away_again() {
    let body = [&[0xff, 0x10, 4][..], b"Too many connections"].concat();
    let lines = [(Server, packets(0, &[body]))];
    let (seen, sent) = observe(&lines, 5, Some((Server, Ending::Finished)));
    assert_eq!(sent, lines[0].1);
    assert_eq!(respond(&lines, 5, &seen).0, lines[0].1);
}

#[test]
fn a_greeting_that_is_none_is_let_through_all_the_same() {
    let bytes = b"\x10\0\0\0\x09old\0 and the rest";
    for size in [1, 4, 30] {
        let mut session = Mysql.observer(Limits::default());
        let mut out = Vec::new();
        let failed = bytes.chunks(size).any(|bytes| {
            session.handle(Event::Data { from: Server, bytes, at: Moment(1) }, &mut out).is_err()
        });
        assert!(failed);
        let sent: Vec<u8> = out
            .into_iter()
            .flat_map(|command| match command {
                Command::Send { bytes, .. } => bytes.to_vec(),
                _ => Vec::new(),
            })
            .collect();
        assert!(bytes.starts_with(&sent) && sent.len() >= 20, "in pieces of {size}: {sent:?}");
    }
}

#[test]
fn a_server_that_goes_away_leaves_a_failure() {
    let mut lines = started(CAN);
    lines.push((Client, query("SELECT 1")));
    let (seen, _) = observe(&lines, 7, Some((Server, Ending::Reset)));
    assert_eq!(seen[2].failure, Some(Failure::Reset));
}

#[test]
fn a_client_that_leaves_instead_of_sending_a_file_has_asked_all_the_same() {
    let mut lines = started(CAN);
    let sql = "LOAD DATA LOCAL INFILE 'a' INTO TABLE t";
    lines.extend([(Client, query(sql)), (Server, packets(1, &[b"\xfba".to_vec()]))]);
    let (seen, _) = observe(&lines, usize::MAX, Some((Server, Ending::Finished)));
    assert_eq!(seen.last().unwrap().failure, Some(Failure::Closed));
    let (_, asked) = respond(&lines, usize::MAX, &seen);
    assert_eq!(*asked.last().unwrap(), Map::from([("sql", sql)]));
}

#[test]
fn a_statement_without_a_mock_is_an_error_and_what_undoes_it_is_not() {
    let mut lines = started(CAN);
    let (known, _) = observe(&lines, 9, None);
    let ask = [query("SELECT 1"), query("ROLLBACK"), query("ROLLBACK")].concat();
    lines.push((Client, ask));
    let (sent, asked) = respond(&lines, 5, &known);
    assert_eq!(asked.len(), 5);
    let mut miss = Vec::new();
    write_error(&replies::error(1105, "HY000", "no mock"), &mut miss).unwrap();
    let expected = [packets(1, &[miss.clone()]), packets(1, &[plain_ok(2)]), packets(1, &[miss])];
    assert!(sent.ends_with(&expected.concat()));
}

#[test]
fn a_client_is_told_why_an_edited_answer_cannot_be_served() {
    let lines = started(CAN);
    let (known, _) = observe(&lines, 99, None);
    let mut session = Mysql.responder(Limits::default());
    let mut out = Vec::new();
    let rows = Value::List(vec![vec![1].into(), vec!["many"].into()]);
    let edited = result([("columns", vec!["price int"].into()), ("rows", rows)]);
    let answers = [known[0].response.clone().unwrap(), known[1].response.clone().unwrap(), edited];
    let client = [Vec::new(), lines[1].1.clone(), query("SELECT price FROM t")];
    let mut results = Vec::new();
    for (bytes, answer) in client.iter().zip(answers) {
        let event = match &bytes[..] {
            [] => Event::Opened { at: Moment(0) },
            bytes => Event::Data { from: Client, bytes, at: Moment(1) },
        };
        session.handle(event, &mut out).unwrap();
        let Some(Command::Ask { id, .. }) = out.pop() else { panic!("no question") };
        let event = Event::Answer { id, answer: Answer::Response(answer), at: Moment(2) };
        results.push(session.handle(event, &mut out));
    }
    let error = results.pop().unwrap().unwrap_err().to_string();
    assert!(error.contains("`price`"), "{error}");
    let Some(Command::Send { bytes, .. }) = out.pop() else { panic!("no reply") };
    let body = &bytes[4..];
    assert_eq!((bytes[3], body[0]), (1, 0xff), "an error, and nothing of the rows before it");
    assert!(String::from_utf8_lossy(body).contains(&error));
}

/// Errors, but never a panic and never more memory than what came.
#[test]
fn lies_about_lengths_are_errors() {
    let mut many = Vec::new();
    put_number(&mut many, u64::MAX >> 1);
    for bad in [
        vec![many],
        vec![vec![0xfc, 0xff, 0xff]],
        vec![vec![1], vec![3, b'd', b'e', b'f', 200]],
        vec![vec![1], column(), end(2, CAN), vec![0xfe; 9]],
        vec![vec![1], column(), end(2, CAN), [text_row("1"), vec![0]].concat()],
        vec![vec![0, 0xff]],
        vec![Vec::new()],
        vec![plain_ok(2), plain_ok(2)],
    ] {
        let mut session = Mysql.observer(Limits::default());
        let mut out = Vec::new();
        let mut say = |from, bytes: &[u8]| {
            session.handle(Event::Data { from, bytes, at: Moment(0) }, &mut out)
        };
        for (from, bytes) in started(CAN) {
            say(from, &bytes).unwrap();
        }
        say(Client, &query("SELECT 1")).unwrap();
        let error = say(Server, &packets(1, &bad)).unwrap_err();
        assert!(matches!(error, WireError::Malformed { .. }), "{bad:?}");
    }
    assert_eq!(types::name(types::named("longblob").unwrap().0, u32::MAX).0, "longblob");
}
