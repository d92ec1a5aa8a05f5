//! Frames that are wrong: a clear error, what was understood before it, and no memory on their word.

use super::*;
use Peer::{Client, Server};

const SMALL: Limits = Limits { head: 4096, body: 1000, in_flight: 4, schemas: None };

/// What a conversation fails with that goes wrong behind one good message.
#[track_caller]
fn fails(extensions: &str, from: Peer, bytes: &[u8], wanted: &str) {
    let lines = [
        (Client, request(extensions)),
        (Server, response(extensions)),
        (Client, text(Client, "good")),
        (from, bytes.to_vec()),
    ];
    for size in [usize::MAX, 1, 3] {
        let (exchanges, _, failed) = observe(&lines, size, SMALL);
        let failed = failed.map(|error| error.to_string()).unwrap_or_default();
        assert!(failed.starts_with("read websocket: ") && failed.contains(wanted), "{failed:?}");
        assert_eq!(exchanges.iter().map(messages).collect::<Vec<_>>(), [r#"[{"sent":"good"}]"#]);
    }
}

#[test]
fn frames_that_break_a_rule_are_errors() {
    let longest = [&[0x82, 0x7f][..], &[0xff; 8]].concat();
    let lying = [&[0x82, 0x7f][..], &(1u64 << 40).to_be_bytes()].concat();
    let cases: &[(Peer, Vec<u8>, &str)] = &[
        (Client, vec![0x81, 0x02, b'h', b'i'], "without a mask"),
        (Server, frame(Client, 0x81, b"hi"), "with a mask"),
        (Server, frame(Server, 0x83, b""), "reserved opcode 3"),
        (Server, frame(Server, 0xa1, b""), "reserved bit"),
        (Server, frame(Server, 0x09, b""), "control frame"),
        (Server, frame(Server, 0x89, &[0; 126]), "control frame"),
        (Server, frame(Server, 0x80, b""), "continuation of no message"),
        (Server, [frame(Server, 0x01, b"a"), text(Server, "b")].concat(), "within another one"),
        (Server, frame(Server, 0xc1, b"\x00"), "not agreed to"),
        (Server, frame(Server, 0x81, b"\xff\xfe"), "not UTF-8"),
        (Server, frame(Server, 0x88, b"\x03"), "close frame of one byte"),
        (Server, close(Server, 1005, ""), "the code 1005"),
        (Server, close(Server, 99, ""), "the code 99"),
        (Server, frame(Server, 0x88, b"\x03\xe8\xff"), "reason is not UTF-8"),
        (Server, longest, "highest bit"),
        (Server, lying, "larger than 1000 bytes"),
        (Server, frame(Server, 0x81, &[b'x'; 1001]), "larger than 1000 bytes"),
        (
            Server,
            [frame(Server, 0x01, &[b'x'; 900]), frame(Server, 0x80, &[b'x'; 900])].concat(),
            "larger than 1000 bytes",
        ),
    ];
    for (from, bytes, wanted) in cases {
        fails("", *from, bytes, wanted);
    }
}

#[test]
fn compressed_messages_that_lie_are_errors() {
    let terms = "permessage-deflate";
    let bomb = deflated(&mut compressor(), &vec![0; 900_000]);
    assert!(bomb.len() < 1000, "{} bytes", bomb.len());
    fails(terms, Server, &frame(Server, 0xc1, &bomb), "decompressed, is larger than 1000 bytes");
    fails(terms, Server, &frame(Server, 0xc1, b"\x07\xff\xff"), "not compressed as it says");
    let later = [frame(Server, 0x41, b"a"), frame(Server, 0xc0, b"b")].concat();
    fails(terms, Server, &later, "a later fragment");
}

#[test]
fn a_conversation_without_end_is_bounded() {
    let much = text(Server, &"x".repeat(990)).repeat(5);
    let lines = [(Client, request("")), (Server, response("")), (Server, much)];
    let (exchanges, _, failed) = observe(&lines, usize::MAX, SMALL);
    assert!(failed.unwrap().to_string().contains("a conversation is larger than 4000 bytes"));
    let kept = exchanges[0].response.as_ref().unwrap().get("conversation").unwrap();
    assert_eq!(kept.as_list().unwrap().len(), 4);
}

#[test]
fn a_connection_that_breaks_off_says_who_did() {
    use crate::Ending;
    let message = frame(Server, 0x01, b"half a");
    for (from, how, wanted) in [
        (Client, Ending::Finished, r#"[{"closed":{"by":"client","how":"ended"}}]"#),
        (Server, Ending::Reset, r#"[{"closed":{"by":"server","how":"reset"}}]"#),
    ] {
        let mut session = Http.observer(Limits::default());
        let mut out = Vec::new();
        for (from, bytes) in
            [(Client, request("")), (Server, response("")), (Server, message.clone())]
        {
            session.handle(Event::Data { from, bytes: &bytes, at: NOW }, &mut out).unwrap();
        }
        session.handle(Event::Closed { from, how, at: NOW }, &mut out).unwrap();
        let emitted = out.iter().filter_map(|command| match command {
            Command::Emit { exchange, .. } => Some((messages(exchange), exchange.failure)),
            _ => None,
        });
        assert_eq!(emitted.collect::<Vec<_>>(), [(wanted.to_owned(), None)]);
    }
}

#[test]
fn extensions_that_nobody_here_knows_leave_the_connection_unread() {
    let terms = "x-webkit-deflate-frame";
    let mut session = Http.observer(Limits::default());
    let mut out = Vec::new();
    for (from, bytes) in [(Client, request(terms)), (Server, response(terms))] {
        session.handle(Event::Data { from, bytes: &bytes, at: NOW }, &mut out).unwrap();
    }
    let becomes = |command: &Command| matches!(command, Command::Become { protocol: "opaque", .. });
    assert!(out.iter().any(becomes), "{out:?}");
}
