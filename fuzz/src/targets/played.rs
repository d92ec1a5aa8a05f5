//! Responders and requesters: the bytes of an app, and of a server that is not there.
//!
//! An input is what the other side sends, in parts; a responder's questions are answered at once.

use crate::cut::{Dice, parts};
use crate::memory::within;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, ResetCode, Value, json};
use rehearsal_wire::{
    Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Session, protocol,
};

const LIMITS: Limits = Limits { head: 4096, body: 1024, in_flight: 8, schemas: None };
/// How a recorded exchange may have failed, in turn.
const FAILURES: [Failure; 8] = [
    Failure::Closed,
    Failure::TimedOut,
    Failure::Reset,
    Failure::Refused,
    Failure::ResetBy(ResetCode(8)),
    Failure::ClosedBy(ResetCode(11)),
    Failure::UnheardBy(ResetCode::NO_ERROR),
    Failure::UnheardBy(ResetCode(11)),
];
/// What a session may hold at once for an input of 64 KiB.
const MEMORY: usize = 64 << 20;
const AT: Moment = Moment(7);

pub(crate) fn http_responder(data: &[u8]) {
    let http = protocol("http").expect("there is HTTP");
    let answers = ["{\"status\": 200, \"body\": \"hello\"}", "{\"status\": 304}", "{}"];
    responder(http, data, &answers, true);
}

/// What an app sends behind the opening of a WebSocket.
pub(crate) fn websocket_responder(data: &[u8]) {
    const OPENING: &[u8] = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let answer = r#"{"status": 101, "headers": {"Upgrade": "websocket", "Sec-WebSocket-Accept": "auto",
        "Sec-WebSocket-Extensions": "permessage-deflate"}, "conversation": [{"received": "hi"},
        {"sent": {"a": 1}}, {"received": {"b": 2}}, {"closed": {"by": "server", "code": 1000}}]}"#;
    let http = protocol("http").expect("there is HTTP");
    responder(http, &[OPENING, data].concat(), &[answer], true);
}

pub(crate) fn dns_responder(data: &[u8]) {
    let dns = protocol("dns").expect("there is DNS");
    let answers = [
        r#"{"rcode": "NOERROR", "records": [{"name": "a.example", "type": "A", "ttl": 60, "data": "192.0.2.1"}]}"#,
        r#"{"rcode": "NXDOMAIN"}"#,
    ];
    responder(dns, data, &answers, false);
}

pub(crate) fn opaque_responder(data: &[u8]) {
    let opaque = protocol("opaque").expect("there is the fallback");
    let answers = [
        r#"{"receive": "hello"}"#,
        r#"{"ends": "closed"}"#,
        "{}",
        r#"{"receive": "220 ready\r\n"}"#,
        r#"{"receive": "220 go\r\n", "starttls": true}"#,
        r#"{"receive": "334 \r\n"}"#,
    ];
    responder(opaque, data, &answers, false);
}

pub(crate) fn postgres_responder(data: &[u8]) {
    let postgres = protocol("postgres").expect("there is PostgreSQL");
    let answers = [
        r#"{"columns": ["id int4", "name text"], "rows": [[1, "a"], [2, null]], "tag": "SELECT 2"}"#,
        r#"{"parameters": {"server_version": "15.0"}}"#,
        r#"{"params": ["int4"], "columns": ["id int4"]}"#,
        r#"{"error": {"severity": "ERROR", "code": "42601", "message": "no"}}"#,
    ];
    responder(postgres, data, &answers, false);
}

pub(crate) fn redis_responder(data: &[u8]) {
    let redis = protocol("redis").expect("there is Redis");
    let answers = [
        r#"{"status": "OK"}"#,
        r#"{"array": ["a", 1, null, {"map": {"k": {"double": 1.5}}}]}"#,
        r#"{"map": {"proto": 3}, "refused": {"1": "ERR no"}}"#,
        r#"{"error": "ERR no"}"#,
        r#"{"confirmed": [["subscribe", "a", 1]]}"#,
        r#"{"integer": "five"}"#,
    ];
    responder(redis, data, &answers, false);
}

pub(crate) fn mongodb_responder(data: &[u8]) {
    let mongodb = protocol("mongodb").expect("there is MongoDB");
    let answers = [
        r#"{"documents": [{"_id": {"$oid": "656565656565656565656565"}}], "cursor": 7}"#,
        r#"{"fields": {"isWritablePrimary": true, "maxWireVersion": 21}}"#,
        r#"{"n": 1, "value": {"$numberDecimal": "1.50"}}"#,
        r#"{"error": {"errmsg": "no", "code": 1}}"#,
        "{}",
    ];
    responder(mongodb, data, &answers, true);
}

/// The second answer is what the server greets with.
pub(crate) fn mysql_responder(data: &[u8]) {
    let mysql = protocol("mysql").expect("there is MySQL");
    let answers = [
        r#"{"columns": ["id int", "name varchar(9)"], "rows": [[1, "a"], [2, null]], "from": "a.b"}"#,
        r#"{"version": "8.0.36", "auth": "caching_sha2_password", "capabilities": ["protocol 4.1",
            "secure connection", "plugin auth", "sized auth", "connect with database", "deprecate eof"]}"#,
        r#"{"affected": 1, "last_id": 7, "session": [{"schema": "a"}], "status": ["autocommit"]}"#,
        r#"{"error": {"code": 1064, "state": "42000", "message": "no"}}"#,
        r#"{"results": [{"columns": ["id int"], "rows": [[1]]}, {"affected": 0}]}"#,
    ];
    responder(mysql, data, &answers, true);
}

pub(crate) fn memcached_responder(data: &[u8]) {
    let memcached = protocol("memcached").expect("there is memcached");
    let answers = [
        r#"{"status": "STORED"}"#,
        r#"{"values": [{"key": "a", "flags": "7", "cas": "9", "value": "x"}]}"#,
        r#"{"status": "VA t60 O1", "value": "hello"}"#,
        r#"{"stats": {"pid": "1"}}"#,
        r#"{"number": "five"}"#,
        "{}",
    ];
    responder(memcached, data, &answers, false);
}

pub(crate) fn socks_responder(data: &[u8]) {
    let socks = protocol("socks").expect("there is socks");
    let answers = [
        r#"{"method": "password"}"#,
        r#"{"method": "none"}"#,
        r#"{"status": "accepted"}"#,
        r#"{"status": "succeeded"}"#,
        r#"{"status": "connection refused"}"#,
        "{}",
    ];
    responder(socks, data, &answers, false);
}

pub(crate) fn http_requester(data: &[u8]) {
    let http = protocol("http").expect("there is HTTP");
    let requests = [
        r#"{"http": "GET /", "headers": {"host": "a"}}"#,
        r#"{"http": "HEAD /a"}"#,
        r#"{"http": "POST /b", "body": "hello"}"#,
        r#"{"http": "CONNECT a:1"}"#,
    ];
    requester(http, data, &requests, true);
}

pub(crate) fn dns_requester(data: &[u8]) {
    let dns = protocol("dns").expect("there is DNS");
    requester(dns, data, &[r#"{"query": "a.example A"}"#], false);
}

pub(crate) fn opaque_requester(data: &[u8]) {
    let opaque = protocol("opaque").expect("there is the fallback");
    requester(opaque, data, &[r#"{"send": "hello"}"#], false);
}

/// What a session did.
#[derive(Debug, Default, PartialEq)]
struct Did {
    asked: Vec<Map>,
    emitted: Vec<Exchange>,
    sent: Vec<u8>,
    handed: bool,
    closed: bool,
}

impl Did {
    /// Notes a command and returns the number of a question.
    fn note(&mut self, command: Command) -> Option<ExchangeId> {
        match command {
            Command::Ask { id, request, .. } => {
                self.asked.push(request);
                return Some(id);
            }
            Command::Emit { exchange, .. } => self.emitted.push(*exchange),
            // Whether a body must be asked for depends on the pieces in which it comes.
            Command::Send { bytes, .. } if bytes.starts_with(b"HTTP/1.1 100 ") => {}
            Command::Send { bytes, .. } => self.sent.extend(bytes),
            Command::Become { .. } | Command::Reach { .. } => self.handed = true,
            Command::Close { .. } => self.closed = true,
            _ => {}
        }
        None
    }

    fn over(&self) -> bool {
        self.handed || self.closed
    }
}

fn map(text: &str) -> Map {
    match json::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{text} is a map, not {other:?}"),
    }
}

fn responder(protocol: &dyn Protocol, data: &[u8], answers: &[&str], splits: bool) {
    let answers: Vec<Map> = answers.iter().map(|text| map(text)).collect();
    let parts = parts(data);
    let whole = within(MEMORY, || respond(protocol, &parts, &answers));
    if splits {
        let pieces = Dice::of(data).split(&parts, 40);
        let split = respond(protocol, &pieces, &answers);
        assert_eq!(split.ok(), whole.ok());
        // Answers that come between the bytes can end the connection before the last of them.
        let _ = respond_at_once(protocol, &pieces, &answers);
    }
}

/// Answers when all bytes have come, so that it does not matter in what pieces they do.
fn respond(protocol: &dyn Protocol, pieces: &[&[u8]], answers: &[Map]) -> Result<Did, String> {
    let mut session = protocol.responder(LIMITS);
    let (mut did, mut out) = (Did::default(), Vec::new());
    let mut handle = |event, out: &mut Vec<Command>| {
        session.handle(event, out).map_err(|error| error.to_string())
    };
    handle(Event::Opened { at: AT }, &mut out)?;
    for &bytes in pieces {
        handle(Event::Data { from: Peer::Client, bytes, at: AT }, &mut out)?;
    }
    while !out.is_empty() {
        for command in std::mem::take(&mut out) {
            let Some(id) = did.note(command) else { continue };
            let answer = answer(did.asked.len(), answers);
            handle(Event::Answer { id, answer, at: AT }, &mut out)?;
        }
    }
    Ok(did)
}

fn respond_at_once(
    protocol: &dyn Protocol,
    pieces: &[&[u8]],
    answers: &[Map],
) -> Result<(), String> {
    let mut session = protocol.responder(LIMITS);
    let mut did = Did::default();
    give(&mut *session, Event::Opened { at: AT }, &mut did, answers)?;
    for &bytes in pieces {
        if did.over() {
            return Ok(());
        }
        let event = Event::Data { from: Peer::Client, bytes, at: AT };
        give(&mut *session, event, &mut did, answers)?;
    }
    let event = Event::Closed { from: Peer::Client, how: Ending::Finished, at: AT };
    give(&mut *session, event, &mut did, answers)
}

/// Gives a responder an event, and the answers to what it asks.
fn give(
    session: &mut dyn Session,
    event: Event<'_>,
    did: &mut Did,
    answers: &[Map],
) -> Result<(), String> {
    let mut out = Vec::new();
    session.handle(event, &mut out).map_err(|error| error.to_string())?;
    while !out.is_empty() {
        for command in std::mem::take(&mut out) {
            let Some(id) = did.note(command) else { continue };
            let answer = answer(did.asked.len(), answers);
            let event = Event::Answer { id, answer, at: AT };
            session.handle(event, &mut out).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn answer(number: usize, answers: &[Map]) -> Answer {
    match number % (answers.len() + 2) {
        0 => Answer::Miss(Miss { message: "no mock".to_owned(), details: Value::Null }),
        1 if number > 3 => {
            let failure = FAILURES[number / (answers.len() + 2) % FAILURES.len()];
            match number % 2 {
                0 => Answer::Failure(failure),
                _ => Answer::Broken(answers[number % answers.len()].clone(), failure),
            }
        }
        place => Answer::Response(answers[place % answers.len()].clone()),
    }
}

fn requester(protocol: &dyn Protocol, data: &[u8], requests: &[&str], splits: bool) {
    let requests: Vec<Map> = requests.iter().map(|text| map(text)).collect();
    let parts = parts(data);
    let whole = within(MEMORY, || request(protocol, &parts, &requests));
    if splits {
        let mut dice = Dice::of(data);
        let split = request(protocol, &dice.split(&parts, 40), &requests);
        assert_eq!(split.ok(), whole.ok());
    }
}

fn request(protocol: &dyn Protocol, pieces: &[&[u8]], requests: &[Map]) -> Result<Did, String> {
    let mut session = protocol.requester(LIMITS);
    let mut did = Did::default();
    give(&mut *session, Event::Opened { at: AT }, &mut did, &[])?;
    for (id, request) in (1..).map(ExchangeId).zip(requests) {
        give(&mut *session, Event::Request { id, request, recorded: None, at: AT }, &mut did, &[])?;
    }
    for &bytes in pieces {
        if did.over() {
            return Ok(did);
        }
        let event = Event::Data { from: Peer::Server, bytes, at: AT };
        give(&mut *session, event, &mut did, &[])?;
    }
    if !did.over() {
        give(&mut *session, Event::Tick { at: Moment(u64::MAX) }, &mut did, &[])?;
        let event = Event::Closed { from: Peer::Server, how: Ending::Finished, at: AT };
        give(&mut *session, event, &mut did, &[])?;
    }
    assert!(did.emitted.len() <= requests.len(), "more answers than requests");
    Ok(did)
}
