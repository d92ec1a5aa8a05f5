//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

use super::checksum::crc32c;
use super::{Mongo, bson};
use crate::damage::Line;
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Verdict, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value, json};

mod cursors;
mod logins;
mod refusals;
mod talks;

use Peer::{Client, Server};

pub(super) fn value(text: &str) -> Value {
    json::parse(text).unwrap()
}

pub(super) fn map(text: &str) -> Map {
    match value(text) {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}

fn document(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    bson::write(&value(text), &mut out).unwrap();
    out
}

/// A message of any kind.
fn packed(id: u32, answers: u32, code: u32, body: &[u8]) -> Vec<u8> {
    let words = [u32::try_from(16 + body.len()).unwrap(), id, answers, code];
    let mut out: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    out.extend_from_slice(body);
    out
}

fn body(flags: u32, text: &str) -> Vec<u8> {
    [&flags.to_le_bytes()[..], &[0], &document(text)].concat()
}

fn flagged(id: u32, answers: u32, flags: u32, text: &str) -> Vec<u8> {
    packed(id, answers, 2013, &body(flags, text))
}

pub(super) fn asks(id: u32, text: &str) -> Line {
    (Client, flagged(id, 0, 0, text))
}

pub(super) fn says(id: u32, answers: u32, text: &str) -> Line {
    (Server, flagged(id, answers, 0, text))
}

/// A message with documents in a sequence of their own.
fn with_sequence(id: u32, text: &str, name: &str, documents: &[&str]) -> Vec<u8> {
    let documents: Vec<u8> = documents.iter().flat_map(|text| document(text)).collect();
    let inside = [name.as_bytes(), &[0], &documents].concat();
    let length = u32::try_from(inside.len() + 4).unwrap().to_le_bytes();
    packed(id, 0, 2013, &[&body(0, text)[..], &[1], &length, &inside].concat())
}

fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(message.len() + 4).unwrap().to_le_bytes();
    message[..4].copy_from_slice(&length);
    message[16] |= 1;
    let sum = crc32c(&[&message]).to_le_bytes();
    message.extend_from_slice(&sum);
    message
}

fn legacy_hello(id: u32) -> Line {
    let head = [&[0; 4][..], b"admin.$cmd\0", &[0; 4], &[0xff; 4]].concat();
    let asked = r#"{"isMaster":1,"helloOk":true,"client":{"driver":{"name":"x","version":"1"}}}"#;
    (Client, packed(id, 0, 2004, &[head, document(asked)].concat()))
}

fn legacy_reply(id: u32, answers: u32, text: &str) -> Line {
    let head = [&[8, 0, 0, 0][..], &[0; 12], &[1, 0, 0, 0]].concat();
    (Server, packed(id, answers, 1, &[head, document(text)].concat()))
}

const GREETED: &str = r#"{"ismaster":true,"topologyVersion":{"counter":0},"maxWireVersion":21,"localTime":{"$date":"2024-01-01T00:00:00Z"},"connectionId":7,"readOnly":false,"compression":["zlib"],"ok":1.0}"#;
const FOUND: &str = r#"{"cursor":{"firstBatch":[{"_id":1,"a":{"$numberLong":"5"}}],"id":{"$numberLong":"0"},"ns":"shop.orders"},"ok":1.0,"operationTime":{"$timestamp":{"t":1,"i":1}}}"#;
const FIND: &str = r#"{"find":"orders","filter":{"a":{"$gt":1}},"lsid":{"id":{"$uuid":"abababab-abab-abab-abab-abababababab"}},"$db":"shop","$readPreference":{"mode":"primary"}}"#;

/// A greeting, a write, a read and a transaction.
pub(super) fn conversation() -> Vec<Line> {
    let insert =
        r#"{"insert":"orders","ordered":true,"txnNumber":{"$numberLong":"1"},"$db":"shop"}"#;
    let first = r#"{"update":"orders","updates":[{"q":{"a":1},"u":{"$set":{"b":2}}}],"startTransaction":true,"autocommit":false,"$db":"shop"}"#;
    let commit = r#"{"commitTransaction":1,"autocommit":false,"$db":"admin"}"#;
    vec![
        legacy_hello(1),
        legacy_reply(101, 1, GREETED),
        (Client, with_sequence(2, insert, "documents", &[r#"{"_id":1}"#, r#"{"_id":2}"#])),
        says(102, 2, r#"{"n":2,"ok":1.0,"$clusterTime":{"x":1}}"#),
        asks(3, FIND),
        says(103, 3, FOUND),
        asks(4, first),
        says(104, 4, r#"{"n":1,"nModified":1,"ok":1.0}"#),
        asks(5, commit),
        says(105, 5, r#"{"ok":1.0}"#),
        asks(6, r#"{"endSessions":[],"$db":"admin"}"#),
        says(106, 6, r#"{"ok":1.0}"#),
    ]
}

/// What an observer emits when each line comes in pieces of `size` bytes.
fn observe(lines: &[Line], size: usize, end: Option<(Peer, Ending)>) -> Vec<Exchange> {
    let mut session = Mongo.observer(Limits::default());
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
                open.swap_remove(place.expect("what ends has begun"));
                emitted.push(*exchange);
            }
            Command::Teach(_) => {}
            other => panic!("an observer does not say {other:?}"),
        }
    }
    assert_eq!(open, [], "what begins ends");
    emitted
}

/// What is observed, which is the same for every split.
#[track_caller]
pub(super) fn observed(lines: &[Line]) -> Vec<Exchange> {
    let whole = observe(lines, usize::MAX, None);
    for size in 1..40 {
        assert_eq!(observe(lines, size, None), whole, "in pieces of {size} bytes");
    }
    whole
}

/// What a responder with these answers says to the client of a transcript.
pub(super) fn respond(lines: &[Line], size: usize, answers: &mut Vec<Answer>) -> Vec<Vec<u8>> {
    let mut session = Mongo.responder(Limits::default());
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    for (_, bytes) in lines.iter().filter(|line| line.0 == Client) {
        for bytes in bytes.chunks(size) {
            session.handle(Event::Data { from: Client, bytes, at: Moment(1) }, &mut out).unwrap();
            while !out.is_empty() {
                for command in std::mem::take(&mut out) {
                    match command {
                        Command::Send { bytes, .. } => sent.push(bytes.to_vec()),
                        Command::Ask { id, .. } => {
                            let answer = answers.remove(0);
                            let event = Event::Answer { id, answer, at: Moment(2) };
                            session.handle(event, &mut out).unwrap();
                        }
                        Command::Close { how, .. } => sent.push(format!("{how:?}").into_bytes()),
                        Command::Within(_) | Command::Unasked(_) => {}
                        other => panic!("a responder does not say {other:?}"),
                    }
                }
            }
        }
    }
    sent
}

/// What a server said, one document for each message.
pub(super) fn documents(messages: &[Vec<u8>]) -> Vec<String> {
    let one = |message: &Vec<u8>| {
        let start = if message[12] == 1 { 36 } else { 21 };
        let mut budget = bson::Budget::of(1 << 16);
        json::to_string(&bson::document(&message[start..], &mut budget).unwrap().0)
    };
    messages.iter().map(one).collect()
}

/// A responder that has what was observed gives that.
#[track_caller]
fn replayed(lines: &[Line]) -> Vec<String> {
    let answers: Vec<Answer> = observed(lines)
        .into_iter()
        .map(|exchange| Answer::Response(exchange.response.unwrap()))
        .collect();
    let whole = respond(lines, usize::MAX, &mut answers.clone());
    assert_eq!(respond(lines, 1, &mut answers.clone()), whole);
    documents(&whole)
}

fn requests(lines: &[Line]) -> Vec<String> {
    let exchanges = observed(lines);
    exchanges.iter().map(|one| json::to_string(&Value::Map(one.request.clone()))).collect()
}

fn responses(lines: &[Line]) -> Vec<String> {
    let responses = observed(lines).into_iter().map(|one| one.response.unwrap());
    responses.map(|response| json::to_string(&Value::Map(response))).collect()
}
