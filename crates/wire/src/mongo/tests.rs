//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

use super::checksum::crc32c;
use super::{Mongo, bson};
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Verdict, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value, json};

use Peer::{Client, Server};

/// Bytes of one side.
pub(super) type Line = (Peer, Vec<u8>);

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

#[test]
fn a_conversation_is_read_as_people_would_tell_it() {
    let lines = conversation();
    let expected = [
        r#"{"mongodb":"hello admin"}"#,
        r#"{"mongodb":"insert shop.orders","documents":[{"_id":1},{"_id":2}],"options":{"ordered":true}}"#,
        r#"{"mongodb":"find shop.orders","filter":{"a":{"$gt":1}}}"#,
        r#"{"mongodb":"update shop.orders","updates":[{"q":{"a":1},"u":{"$set":{"b":2}}}],"transaction":"begins"}"#,
        r#"{"mongodb":"commitTransaction admin"}"#,
    ];
    assert_eq!(requests(&lines), expected);
    let expected = [
        r#"{"fields":{"maxWireVersion":21,"readOnly":false,"isWritablePrimary":true}}"#,
        r#"{"n":2}"#,
        r#"{"documents":[{"_id":1,"a":{"$numberLong":"5"}}]}"#,
        r#"{"n":1,"nModified":1}"#,
        "{}",
    ];
    assert_eq!(responses(&lines), expected);
}

#[test]
fn a_responder_says_what_the_server_said() {
    let expected = [
        r#"{"maxWireVersion":21,"readOnly":false,"isWritablePrimary":true,"ismaster":true,"helloOk":true,"connectionId":1,"ok":1.0}"#,
        r#"{"n":2,"ok":1.0}"#,
        r#"{"cursor":{"firstBatch":[{"_id":1,"a":{"$numberLong":"5"}}],"id":{"$numberLong":"0"},"ns":"shop.orders"},"ok":1.0}"#,
        r#"{"n":1,"nModified":1,"ok":1.0}"#,
        r#"{"ok":1.0}"#,
        r#"{"ok":1.0}"#,
    ];
    assert_eq!(replayed(&conversation()), expected);
}

#[test]
fn replies_name_the_command_and_come_in_its_form() {
    let mut answers = vec![Answer::Response(Map::new()); 2];
    let lines = [legacy_hello(7), (Client, with_checksum(flagged(8, 0, 0, FIND)))];
    let sent = respond(&lines, usize::MAX, &mut answers);
    let heads: Vec<&[u8]> = sent.iter().map(|message| &message[4..16]).collect();
    assert_eq!(heads[0], [1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(heads[1], [2, 0, 0, 0, 8, 0, 0, 0, 0xdd, 7, 0, 0]);
    let (covered, sum) = sent[1].split_last_chunk::<4>().unwrap();
    assert_eq!(crc32c(&[covered]), u32::from_le_bytes(*sum));
    assert_eq!(u32::try_from(sent[1].len()).unwrap().to_le_bytes(), sent[1][..4]);
}

#[test]
fn checksums_are_checked() {
    // The value that RFC 3720 gives for 32 zero bytes.
    assert_eq!(crc32c(&[&[0; 16], &[0; 16]]), 0x8a91_36aa);
    let good = with_checksum(flagged(1, 0, 0, FIND));
    assert_eq!(
        requests(&[(Client, good.clone()), says(2, 1, FOUND)])[0],
        r#"{"mongodb":"find shop.orders","filter":{"a":{"$gt":1}}}"#
    );
    let mut bad = good;
    *bad.last_mut().unwrap() ^= 1;
    assert!(refused(&[(Client, bad)]).contains("checksum"));
}

/// Why an observer gives up.
#[track_caller]
fn refused(lines: &[Line]) -> String {
    let mut session = Mongo.observer(Limits { head: 100, body: 1000, in_flight: 2 });
    let mut errors = lines.iter().filter_map(|(from, bytes)| {
        let event = Event::Data { from: *from, bytes, at: Moment(1) };
        session.handle(event, &mut Vec::new()).err()
    });
    let error: WireError = errors.next().expect("an error");
    error.to_string()
}

#[test]
fn what_is_no_command_is_refused() {
    let cases: [(Vec<u8>, &str); 9] = [
        (packed(1, 0, 2013, &[0; 4]), "without a body"),
        (packed(1, 0, 2013, &[0, 0, 0, 0, 7]), "unknown kind"),
        (packed(1, 0, 2013, &[4, 0, 0, 0, 0]), "unknown flag"),
        (packed(1, 0, 2002, &[0; 30]), "MongoDB 5.1"),
        (packed(1, 0, 2004, b"\0\0\0\0shop.orders\0\0\0\0\0\0\0\0\0\x05\0\0\0\0"), "MongoDB 5.1"),
        (flagged(1, 0, 0, "{}"), "without a name"),
        ([15, 0, 0, 0].iter().chain(&[0; 12]).copied().collect(), "less than"),
        ([0, 0, 0, 1].iter().chain(&[0; 12]).copied().collect(), "larger than 3000 bytes"),
        (packed(1, 0, 2012, &[0; 9]), "only servers before"),
    ];
    for (bytes, why) in cases {
        let error = refused(&[(Client, bytes)]);
        assert!(error.contains(why), "{error}");
    }
    assert!(refused(&[says(1, 9, r#"{"ok":1.0}"#)]).contains("nobody sent"));
    assert!(refused(&[asks(1, FIND), asks(2, FIND), asks(3, FIND)]).contains("without a reply"));
}

#[test]
fn an_unacknowledged_write_has_no_reply() {
    let write =
        r#"{"delete":"log","deletes":[{"q":{},"limit":0}],"writeConcern":{"w":0},"$db":"shop"}"#;
    let lines = [(Client, flagged(1, 0, 2, write)), asks(2, FIND), says(3, 2, FOUND)];
    assert_eq!(responses(&lines)[0], "{}");
    assert_eq!(replayed(&lines).len(), 1);
}

#[test]
fn a_stream_of_replies_is_as_if_each_was_asked_for() {
    let more = r#"{"getMore":{"$numberLong":"77"},"collection":"orders","$db":"shop"}"#;
    let batch = |id: i64, value: i32| {
        format!(
            r#"{{"cursor":{{"nextBatch":[{{"v":{value}}}],"id":{{"$numberLong":"{id}"}},"ns":"shop.orders"}},"ok":1.0}}"#
        )
    };
    // MongoDB names the reply before, others the command.
    for second in [10, 1] {
        let lines = [
            (Client, flagged(1, 0, 1 << 16, more)),
            (Server, flagged(10, 1, 2, &batch(77, 1))),
            (Server, flagged(11, second, 0, &batch(0, 2))),
        ];
        let request = r#"{"mongodb":"getMore shop.orders","cursor":77}"#;
        assert_eq!(requests(&lines), [request, request]);
        let expected = [r#"{"documents":[{"v":1}],"cursor":77}"#, r#"{"documents":[{"v":2}]}"#];
        assert_eq!(responses(&lines), expected);
    }
}

#[test]
fn news_of_the_server_are_greetings_once() {
    let hello =
        r#"{"hello":1,"topologyVersion":{"counter":0},"maxAwaitTimeMS":10000,"$db":"admin"}"#;
    let lines = [
        (Client, flagged(1, 0, 1 << 16, hello)),
        (Server, flagged(10, 1, 2, GREETED)),
        (Server, flagged(11, 10, 2, GREETED)),
    ];
    assert_eq!(requests(&lines), [r#"{"mongodb":"hello admin"}"#]);
    assert_eq!(observe(&lines, 9, Some((Server, Ending::Finished))).len(), 1);
}

#[test]
fn cursors_change_streams_and_errors_survive() {
    let watch =
        r#"{"aggregate":"orders","pipeline":[{"$changeStream":{}}],"cursor":{},"$db":"shop"}"#;
    let opened = r#"{"cursor":{"firstBatch":[],"id":{"$numberLong":"7"},"ns":"shop.orders","postBatchResumeToken":{"_data":"82"},"partialResultsReturned":true},"ok":1.0}"#;
    let listed = r#"{"cursor":{"firstBatch":[],"id":{"$numberLong":"0"},"ns":"shop.$cmd.listCollections"},"ok":1.0}"#;
    let failed = r#"{"ok":0.0,"errmsg":"no such command","code":59,"codeName":"CommandNotFound"}"#;
    let lines = [
        asks(1, watch),
        says(11, 1, opened),
        asks(2, r#"{"listCollections":1,"$db":"shop"}"#),
        says(12, 2, listed),
        asks(3, r#"{"nope":1,"$db":"shop"}"#),
        says(13, 3, failed),
    ];
    let expected = [
        r#"{"documents":[],"cursor":7,"resume_token":{"_data":"82"},"fields":{"cursor":{"partialResultsReturned":true}}}"#,
        r#"{"documents":[],"cursor_of":"shop.$cmd.listCollections"}"#,
        r#"{"error":{"errmsg":"no such command","code":59,"codeName":"CommandNotFound"}}"#,
    ];
    assert_eq!(responses(&lines), expected);
    assert_eq!(
        requests(&lines)[0],
        r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$changeStream":{}}]}"#
    );
    // A cursor that waits for news is known again by its sign.
    let opened = opened.replace("\"7\"", "\"-7\"");
    assert_eq!(replayed(&lines), [opened.as_str(), listed, failed]);
}

#[test]
fn news_are_recorded_and_waiting_for_them_is_not() {
    let batch = |documents: &str| {
        format!(
            r#"{{"cursor":{{"nextBatch":{documents},"id":{{"$numberLong":"7"}},"ns":"shop.orders"}},"ok":1.0}}"#
        )
    };
    let opened = batch("[]").replace("nextBatch", "firstBatch");
    let watch = r#"{"aggregate":"orders","pipeline":[{"$changeStream":{}}],"$db":"shop"}"#;
    let more =
        r#"{"getMore":{"$numberLong":"7"},"collection":"orders","maxTimeMS":500,"$db":"shop"}"#;
    let lines = [
        asks(1, watch),
        says(11, 1, &opened),
        asks(2, more),
        says(12, 2, &batch("[]")),
        asks(3, more),
        says(13, 3, &batch(r#"[{"a":1}]"#)),
    ];
    let seen = observed(&lines);
    assert_eq!(seen.len(), 2);
    let expected =
        r#"{"mongodb":"getMore shop.orders","cursor":7,"options":{"maxTimeMS":500},"awaits":true}"#;
    assert_eq!(json::to_string(&seen[1].request.clone().into()), expected);
    assert_eq!(seen[1].started, Moment(6000), "it begins when there are news");
    let facets = Mongo.facets();
    assert_eq!(facets.waits(&seen[1].request), Some(std::time::Duration::from_millis(500)));
    let usual = facets.usual(&seen[1].request).unwrap();
    let replayed_more = more.replace("\"7\"", "\"-7\"");
    let asked = [asks(1, &replayed_more)];
    let sent = documents(&respond(&asked, usize::MAX, &mut vec![Answer::Response(usual)]));
    assert_eq!(sent, [batch("[]").replace("\"7\"", "\"-7\"")]);
    let plain = map(r#"{"mongodb":"getMore shop.orders","cursor":7}"#);
    assert_eq!((facets.waits(&plain), facets.usual(&plain)), (None, None));
    assert_eq!(facets.identity(&plain), facets.identity(&seen[1].request));
}

#[test]
fn what_identifies_a_command_is_its_keys_and_not_its_values() {
    let facets = Mongo.facets();
    let of = |text: &str| facets.identity(&map(text));
    let find = |filter: &str| of(&format!(r#"{{"mongodb":"find shop.orders","filter":{filter}}}"#));
    assert_eq!(find(r#"{"a":1}"#), find(r#"{"a":"x"}"#));
    assert_eq!(find(r#"{"_id":{"$oid":"a"}}"#), find(r#"{"_id":7}"#));
    assert_eq!(find(r#"{"a":{"$in":[1,2,3]}}"#), find(r#"{"a":{"$in":[9]}}"#));
    assert_ne!(find(r#"{"a":1}"#), find(r#"{"b":1}"#));
    assert_ne!(find(r#"{"a":{"$gt":1}}"#), find(r#"{"a":{"$lt":1}}"#));
    let insert = |documents: &str| {
        of(&format!(r#"{{"mongodb":"insert shop.orders","documents":{documents}}}"#))
    };
    assert_eq!(insert(r#"[{"a":1}]"#), insert(r#"[{"b":1}]"#), "named by the difference");
    let timed = map(r#"{"mongodb":"ping admin","options":{"maxTimeMS":7,"comment":"x"}}"#);
    assert_eq!(facets.request(&timed), value(r#"{"mongodb":"ping admin"}"#));
    let reads = |text: &str| facets.repeatable(&map(text));
    assert!(reads(r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$match":{}}]}"#));
    assert!(!reads(r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$out":"x"}]}"#));
    assert!(!reads(r#"{"mongodb":"getMore shop.orders","cursor":7}"#));
    assert!(!reads(r#"{"mongodb":"insert shop.orders"}"#));
    for (comment, id) in [
        (r#""traceparent='00-abc-def-01'""#, &["abc"][..]),
        (r#"{"traceparent":"00-abc-def-01"}"#, &["abc"]),
        (r#""by name""#, &[]),
    ] {
        let text = format!(r#"{{"mongodb":"ping admin","options":{{"comment":{comment}}}}}"#);
        assert_eq!(facets.trace(&map(&text)), id);
    }
}

#[test]
fn compressed_messages_are_read() {
    let plain = body(0, FIND);
    let length = u32::try_from(plain.len()).unwrap();
    let packed_by = |kind: u8, packed_body: &[u8]| {
        let head = [&2013u32.to_le_bytes()[..], &length.to_le_bytes(), &[kind]].concat();
        packed(1, 0, 2012, &[&head, packed_body].concat())
    };
    let mut zlib = flate2::read::ZlibEncoder::new(&plain[..], flate2::Compression::fast());
    let mut deflated = Vec::new();
    std::io::Read::read_to_end(&mut zlib, &mut deflated).unwrap();
    let frame =
        ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    // The length, four zero bytes as a literal and a copy, and the rest as a literal of two bytes' length.
    let rest = u8::try_from(plain.len() - 5).unwrap();
    assert_eq!(plain[..5], [0; 5]);
    let varint = [length as u8 | 0x80, (length >> 7) as u8];
    let snappy = [&varint[..], &[0, 0, 1, 1, 60 << 2, rest - 1], &plain[5..]].concat();
    for (kind, packed_body) in [(0, &plain), (1, &snappy), (2, &deflated), (3, &frame)] {
        let message = packed_by(kind, packed_body);
        let lines = [(Client, message.clone()), says(2, 1, FOUND)];
        assert_eq!(
            requests(&lines),
            [r#"{"mongodb":"find shop.orders","filter":{"a":{"$gt":1}}}"#]
        );
        let mut short = message;
        short[20] ^= 3;
        assert!(refused(&[(Client, short)]).contains("compressed"), "kind {kind}");
    }
    assert!(refused(&[(Client, packed_by(9, &plain))]).contains("unknown compression"));
}

#[test]
fn proofs_and_passwords_are_not_recorded() {
    let start = r#"{"saslStart":1,"mechanism":"SCRAM-SHA-256","payload":{"$binary":{"base64":"bixv","subType":"00"}},"$db":"admin"}"#;
    let last = r#"{"saslContinue":1,"conversationId":1,"payload":{"$binary":{"base64":"cHJvb2Y=","subType":"00"}},"$db":"admin"}"#;
    let user = r#"{"createUser":"bob","pwd":"hunter2","roles":["read"],"$db":"shop"}"#;
    let lines = [
        asks(1, start),
        says(11, 1, r#"{"conversationId":1,"done":false,"payload":"c2FsdA==","ok":1.0}"#),
        asks(2, last),
        says(12, 2, r#"{"conversationId":1,"done":true,"payload":"dj1z","ok":1.0}"#),
        asks(3, user),
        says(13, 3, r#"{"ok":1.0}"#),
        asks(4, start),
        says(14, 4, r#"{"ok":0.0,"errmsg":"no","code":18,"codeName":"AuthenticationFailed"}"#),
    ];
    let expected = [
        r#"{"mongodb":"authenticate admin"}"#,
        r#"{"mongodb":"createUser shop.bob","options":{"roles":["read"]}}"#,
        r#"{"mongodb":"authenticate admin"}"#,
    ];
    assert_eq!(requests(&lines), expected);
    assert_eq!(responses(&lines)[0], "{}");
    assert!(responses(&lines)[2].contains("AuthenticationFailed"));
}

#[test]
fn a_connection_that_breaks_off_breaks_what_was_asked() {
    let lines = [asks(1, FIND), asks(2, r#"{"hello":1,"$db":"admin"}"#)];
    let mut session = Mongo.observer(Limits::default());
    let mut out = Vec::new();
    for (from, bytes) in &lines {
        session.handle(Event::Data { from: *from, bytes, at: Moment(1) }, &mut out).unwrap();
    }
    let event = Event::Closed { from: Server, how: Ending::Reset, at: Moment(2) };
    session.handle(event, &mut out).unwrap();
    let emitted: Vec<_> = out
        .iter()
        .filter_map(|command| match command {
            Command::Emit { exchange, .. } => Some(exchange.failure),
            _ => None,
        })
        .collect();
    assert_eq!(emitted, [Some(Failure::Reset)]);
    let ends = |answer| respond(&[asks(1, FIND)], usize::MAX, &mut vec![answer]);
    assert_eq!(ends(Answer::Failure(Failure::Reset)), [b"Reset"]);
    assert_eq!(ends(Answer::Failure(Failure::Closed)), [b"Finished"]);
}

#[test]
fn a_miss_is_an_error_of_the_server_and_does_not_hide_another() {
    let miss = || {
        let details = Map::from([("edge", "mongo")]).into();
        Answer::Miss(Miss { message: "no mock answers".to_owned(), details })
    };
    let abort = r#"{"abortTransaction":1,"autocommit":false,"$db":"admin"}"#;
    let lines = [asks(1, FIND), asks(2, abort)];
    let sent = documents(&respond(&lines, usize::MAX, &mut vec![miss(), miss()]));
    let expected = r#"{"ok":0.0,"errmsg":"no mock answers: {\"edge\":\"mongo\"}","code":8,"codeName":"UnknownError"}"#;
    assert_eq!(sent, [expected, r#"{"ok":1.0}"#]);
}

#[test]
fn cursors_are_closed_by_the_responder_alone() {
    let kill = r#"{"killCursors":"orders","cursors":[{"$numberLong":"7"}],"$db":"shop"}"#;
    let sent = documents(&respond(&[asks(1, kill)], usize::MAX, &mut Vec::new()));
    let expected = r#"{"cursorsKilled":[{"$numberLong":"7"}],"cursorsNotFound":[],"cursorsAlive":[],"cursorsUnknown":[],"ok":1.0}"#;
    assert_eq!(sent, [expected]);
    assert_eq!(requests(&[asks(1, kill), says(2, 1, expected)]), [""; 0]);
}

#[test]
fn edited_replies_are_served_or_refused() {
    let serve = |answer: &str| {
        let mut session = Mongo.responder(Limits::default());
        let mut out = Vec::new();
        let (from, bytes) = asks(1, FIND);
        session.handle(Event::Data { from, bytes: &bytes, at: Moment(1) }, &mut out).unwrap();
        let Some(Command::Ask { id, .. }) = out.pop() else { panic!("no question") };
        let event = Event::Answer { id, answer: Answer::Response(map(answer)), at: Moment(2) };
        session.handle(event, &mut out).map_err(|error| error.to_string())
    };
    assert_eq!(serve(r#"{"documents":[{"a":1}],"cursor":5,"n":3}"#), Ok(()));
    for (wrong, why) in [
        (r#"{"documents":{}}"#, "`documents` must be a list"),
        (r#"{"documents":[],"cursor":"x"}"#, "`cursor` must be a whole number"),
        (r#"{"fields":[]}"#, "`fields` must be a map"),
        (r#"{"error":"x"}"#, "`error` must be a map"),
        (r#"{"value":{"$oid":"x"}}"#, "`$oid` must be 24"),
    ] {
        let error = serve(wrong).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn it_is_recognised_by_its_first_bytes() {
    let (_, hello) = legacy_hello(1);
    assert_eq!(Mongo.detect(&hello, b""), Verdict::Yes);
    assert_eq!(Mongo.detect(&asks(1, FIND).1, b""), Verdict::Yes);
    for length in 0..16 {
        assert_eq!(Mongo.detect(&hello[..length], b""), Verdict::NeedMore);
    }
    for other in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"*1\r\n$4\r\nPING\r\n",
        &[0; 16],
    ] {
        assert_eq!(Mongo.detect(other, b""), Verdict::No);
    }
}
