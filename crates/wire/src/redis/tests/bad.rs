//! Bytes that are not the protocol, or too many of them.

use super::super::Redis;
use super::lines;
use crate::{Command, Event, Limits, Peer, Protocol, Verdict, WireError};
use rehearsal_model::Moment;

/// The error of an observer after these lines.
#[track_caller]
fn error(text: &str) -> WireError {
    let mut session = Redis.observer(Limits { body: 1000, ..Limits::default() });
    let mut out = Vec::new();
    for (from, bytes) in &lines(text) {
        let event = Event::Data { from: *from, bytes, at: Moment(1) };
        if let Err(error) = session.handle(event, &mut out) {
            return error;
        }
    }
    panic!("nothing is wrong with it");
}

#[test]
fn what_is_no_resp_is_refused_without_allocating() {
    for (text, expected) in [
        ("> *1|+PING|", "no list of strings"),
        ("> *2|$-7|", "a length that is not a number"),
        ("> *1|$99999999999|", "larger than 1000"),
        ("> *999999999|", "larger than 1000"),
        ("> GET a\n< $3|abcd|", "longer than it says"),
        ("> GET a\n< ?|", "a line that is no value"),
        ("> GET a\n< :x|", "a line that is no value"),
        ("> GET a\n< #x|", "a line that is no value"),
        ("> GET a\n< =2|ab|", "without a format"),
        ("> GET a\n< +OK|+OK|", "a reply that nobody asked for"),
        ("> GET a\n> MONITOR", "behind commands without a reply"),
    ] {
        let error = error(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let deep = format!("> GET a\n< {}", "*1|".repeat(40));
    assert!(error(&deep).to_string().contains("nested"));
    let long = format!("> GET a\n< +{}", "x".repeat(70_000));
    assert!(matches!(error(&long), WireError::TooLarge { .. }));
    let many = format!("> GET a\n< *300|{}", "_|".repeat(299));
    assert!(matches!(error(&many), WireError::TooLarge { .. }));
}

#[test]
fn streams_are_handed_over_with_the_command_that_begins_them() {
    let bytes = b"*1\r\n$7\r\nMONITOR\r\nrest";
    for mut session in [Redis.observer(Limits::default()), Redis.responder(Limits::default())] {
        let mut out = Vec::new();
        let event = Event::Data { from: Peer::Client, bytes, at: Moment(1) };
        session.handle(event, &mut out).unwrap();
        let [Command::Become { protocol: "opaque", client, .. }] = &out[..] else {
            panic!("unexpected {out:?}")
        };
        assert_eq!(client, &bytes[..]);
    }
}

#[test]
fn drivers_are_known_by_their_first_bytes_and_people_by_the_reply() {
    let detect = |client: &[u8], server: &[u8]| Redis.detect(client, server);
    let driver = b"*1\r\n$4\r\nPING\r\n";
    for end in 0..8 {
        assert_eq!(detect(&driver[..end], b""), Verdict::NeedMore, "{end}");
    }
    assert_eq!(detect(&driver[..8], b""), Verdict::Yes);
    assert_eq!(detect(b"*x", b""), Verdict::No);
    assert_eq!(detect(b"*1\r\n+", b""), Verdict::No);
    assert_eq!(detect(b"PING\r\n", b""), Verdict::NeedMore);
    assert_eq!(detect(b"PING\r\n", b"+PO"), Verdict::NeedMore);
    assert_eq!(detect(b"PING\r\n", b"+PONG\r\n"), Verdict::Yes);
    assert_eq!(detect(b"get a\r\n", b"END\r\n"), Verdict::No);
    assert_eq!(detect(b"EHLO me\r\n", b""), Verdict::No);
    assert_eq!(detect(b"", b"220 mail\r\n"), Verdict::No);
    assert_eq!(detect(b"\x16\x03\x01", b""), Verdict::No);
}
