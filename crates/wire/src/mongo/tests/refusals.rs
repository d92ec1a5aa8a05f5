//! What is damaged, packed, broken off or edited.

use super::super::Mongo;
use super::super::checksum::crc32c;
use super::*;
use crate::{Flaw, Step};

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
    let mut session = Mongo.observer(Limits { head: 100, body: 1000, in_flight: 2, schemas: None });
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
fn edited_replies_are_served_or_refused() {
    let serve = |answer: &str| {
        let mut session = Mongo.responder(Limits::default());
        let mut out = Vec::new();
        let (from, bytes) = asks(1, FIND);
        session.handle(Event::Data { from, bytes: &bytes, at: Moment(1) }, &mut out).unwrap();
        let Some(Command::Ask { id, .. }) = out.pop() else { panic!("no question") };
        let event = Event::Answer { id, answer: Answer::Response(map(answer)), at: Moment(2) };
        let result = session.handle(event, &mut out).map_err(|error| error.to_string());
        let [Command::Send { bytes, .. }] = &out[..] else { panic!("no reply: {out:?}") };
        let said = documents(&[bytes.to_vec()]).remove(0);
        assert!(result.as_ref().err().is_none_or(|why| said.contains(why)), "{said}");
        result
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
fn a_value_that_is_none_of_its_type_is_found_where_it_stands() {
    let flaw = |answer: &str| Mongo.facets().flaw(&map("{}"), &map(answer));
    assert_eq!(flaw(r#"{"documents":[{"a":{"$date":"2024-05-06T07:08:09Z"}}],"cursor":5}"#), None);
    let found = |answer: &str| {
        let Flaw { path, problem } = flaw(answer).unwrap();
        let steps = path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        });
        (steps.collect::<Vec<_>>().join("."), problem)
    };
    let (path, problem) = found(r#"{"documents":[{},{"a":{"due":{"$date":"soon"}}}]}"#);
    assert!(
        path == "documents.1.a.due" && problem.contains("must be a moment"),
        "{path} {problem}"
    );
    let (path, problem) = found(r#"{"n":1,"value":{"_id":{"$oid":"x"}}}"#);
    assert!(path == "value._id" && problem.contains("`$oid` must be 24"), "{path} {problem}");
}
