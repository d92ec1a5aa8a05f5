//! Transcripts, each with every split of its bytes: what an observer makes of them, what detection says,
//! and whether a responder that knows only that says the same to the same client.

use super::Socks;
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Verdict};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value, json};

use Peer::{Client, Server};

type Line = (Peer, &'static [u8]);

const NAMED: &[Line] = &[
    (Client, b"\x05\x03\x00\x01\x02"),
    (Server, b"\x05\x02"),
    (Client, b"\x01\x05clerk\x06hunter"),
    (Server, b"\x01\x00"),
    (Client, b"\x05\x01\x00\x03\x0cShop.example\x01\xbb"),
    (Server, b"\x05\x00\x00\x01\x0a\x00\x00\x07\x1f\x90"),
];
const NAMED_SAYS: &str = r#"
{"socks":"greeting","methods":["none","gssapi","password"]} {"method":"password"}
{"socks":"login","user":"clerk","password":"hunter"} {"status":"accepted"}
{"socks":"CONNECT shop.example:443"} {"status":"succeeded"}
reach shop.example:443"#;

/// What came of a session: lines of exchanges and hand-overs, and the bytes it sent.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    exchanges: Vec<Exchange>,
    end: Option<String>,
    sent: Vec<u8>,
}

impl Seen {
    fn text(&self) -> String {
        let said = |map: &Map| json::to_string(&Value::Map(map.clone()));
        let each = self.exchanges.iter().map(|exchange| match &exchange.response {
            Some(response) => format!("\n{} {}", said(&exchange.request), said(response)),
            None => format!("\n{} {:?}", said(&exchange.request), exchange.failure),
        });
        each.chain(self.end.iter().map(|end| format!("\n{end}"))).collect()
    }
}

/// What an observer makes of lines whose bytes come in pieces of `size`, and of the server's end.
fn observe(lines: &[Line], size: usize, end: Option<Ending>) -> Seen {
    let (mut session, mut out) = (Socks.observer(Limits::default()), Vec::new());
    for (clock, (from, bytes)) in (1u64..).zip(lines) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(clock) };
            if let Err(error) = session.handle(event, &mut out) {
                let end = Some(format!("unread: {error}"));
                return Seen { end, ..seen(out) };
            }
        }
    }
    if let Some(how) = end {
        session.handle(Event::Closed { from: Server, how, at: Moment(99) }, &mut out).unwrap();
    }
    seen(out)
}

fn seen(out: Vec<Command>) -> Seen {
    let mut seen = Seen::default();
    for command in out {
        match command {
            Command::Emit { exchange, .. } => seen.exchanges.push(*exchange),
            Command::Reach { party, client, server } => {
                seen.end = Some(format!("reach {party}"));
                seen.sent.extend([client, server].concat());
            }
            Command::Become { protocol, client, server } => {
                seen.end = Some(format!("become {protocol}"));
                seen.sent.extend([client, server].concat());
            }
            Command::Begin { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    seen
}

#[track_caller]
fn check(lines: &[Line], end: Option<Ending>, expected: &str) -> Seen {
    let whole = observe(lines, usize::MAX, end);
    assert_eq!(whole.text(), expected);
    for size in 1..8 {
        let pieces = observe(lines, size, end);
        assert_eq!(pieces.text(), expected, "in pieces of {size}");
    }
    whole
}

/// What a responder that knows these exchanges says to the client of a transcript, and where it ends.
fn respond(lines: &[Line], size: usize, known: &[Exchange]) -> (Vec<u8>, Option<String>) {
    let facets = Socks.facets();
    let mut session = Socks.responder(Limits::default());
    let (mut out, mut sent, mut end) = (Vec::new(), Vec::new(), None);
    for (_, bytes) in lines.iter().filter(|line| line.0 == Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Client, bytes, at: Moment(1) };
            session.handle(event, &mut out).unwrap();
            while !out.is_empty() {
                for command in std::mem::take(&mut out) {
                    match command {
                        Command::Ask { id, request, .. } => {
                            let form = facets.request(&request);
                            let same = |one: &&Exchange| facets.request(&one.request) == form;
                            let found =
                                known.iter().find(same).and_then(|one| one.response.clone());
                            let miss = Miss { message: "no mock".into(), details: Value::Null };
                            let answer = found
                                .or_else(|| facets.usual(&request))
                                .map_or(Answer::Miss(miss), Answer::Response);
                            session
                                .handle(Event::Answer { id, answer, at: Moment(2) }, &mut out)
                                .unwrap();
                        }
                        Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
                        Command::Reach { party, client, .. } => {
                            end = Some(format!("reach {party} {client:?}"))
                        }
                        Command::Become { protocol, .. } => {
                            end = Some(format!("become {protocol}"))
                        }
                        Command::Close { how, .. } => end = Some(format!("close {how:?}")),
                        other => panic!("unexpected {other:?}"),
                    }
                }
            }
        }
    }
    (sent, end)
}

#[test]
fn a_client_that_logs_in_is_connected() {
    let whole = check(NAMED, None, NAMED_SAYS);
    assert_eq!(whole.exchanges[2].started, Moment(5));
    assert_eq!(whole.exchanges[2].finished, Moment(6));
    for size in [1, 2, 3, 7, 100] {
        let (sent, end) = respond(NAMED, size, &whole.exchanges);
        assert_eq!(sent, b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0", "in pieces of {size}");
        assert_eq!(end.as_deref(), Some("reach shop.example:443 b\"\""));
    }
}

#[test]
fn whoever_does_not_wait_is_read_too_and_the_rest_is_handed_over() {
    let lines: &[Line] = &[
        (Client, b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x07\x00\x50GET / HTTP/1.1\r\n"),
        (Server, b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00HTTP/1.1 "),
    ];
    let whole = observe(lines, usize::MAX, None);
    assert!(whole.text().ends_with("{\"status\":\"succeeded\"}\nreach 10.0.0.7:80"));
    assert_eq!(whole.sent, b"GET / HTTP/1.1\r\nHTTP/1.1 ");
    let (sent, end) = respond(lines, usize::MAX, &whole.exchanges);
    assert_eq!(sent, b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0");
    assert_eq!(end.as_deref(), Some("reach 10.0.0.7:80 b\"GET / HTTP/1.1\\r\\n\""));
}

#[test]
fn refusals_are_said_again() {
    const GREETED: [Line; 2] = [(Client, b"\x05\x01\x02"), (Server, b"\x05\x02")];
    let greeting =
        "\n{\"socks\":\"greeting\",\"methods\":[\"password\"]} {\"method\":\"password\"}";
    for (more, expected, says) in [
        (
            vec![(Client, &b"\x01\x01a\x01b"[..]), (Server, b"\x01\x01")],
            format!(
                "{greeting}\n{{\"socks\":\"login\",\"user\":\"a\",\"password\":\"b\"}} {{\"status\":\"refused\"}}"
            ),
            &b"\x05\x02\x01\x01"[..],
        ),
        (
            vec![
                (Client, &b"\x01\x01a\x01b"[..]),
                (Server, b"\x01\x00"),
                (Client, b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x51"),
                (Server, b"\x05\x05\x00\x01\0\0\0\0\0\0"),
            ],
            format!(
                "{greeting}\n{{\"socks\":\"login\",\"user\":\"a\",\"password\":\"b\"}} {{\"status\":\"accepted\"}}\n{{\"socks\":\"CONNECT [::1]:81\"}} {{\"status\":\"connection refused\"}}"
            ),
            b"\x05\x02\x01\x00\x05\x05\x00\x01\0\0\0\0\0\0",
        ),
    ] {
        let lines: Vec<Line> = GREETED.into_iter().chain(more).collect();
        let whole = check(&lines, Some(Ending::Finished), &expected);
        assert_eq!(
            respond(&lines, 3, &whole.exchanges),
            (says.to_vec(), Some("close Finished".to_owned()))
        );
    }
    let refused: &[Line] = &[(Client, b"\x05\x01\x00"), (Server, b"\x05\xff")];
    let whole = check(
        refused,
        None,
        "\n{\"socks\":\"greeting\",\"methods\":[\"none\"]} {\"method\":\"refused\"}",
    );
    assert_eq!(respond(refused, 1, &whole.exchanges).0, b"\x05\xff");
}

#[test]
fn nobody_is_connected_whom_no_mock_names() {
    assert_eq!(
        respond(NAMED, 100, &[]),
        (
            b"\x05\x02\x01\x00\x05\x02\x00\x01\0\0\0\0\0\0".to_vec(),
            Some("close Finished".to_owned())
        )
    );
}

#[test]
fn what_breaks_off_is_kept_and_what_cannot_be_read_is_given_up() {
    let greeting = r#"{"socks":"greeting","methods":["none"]}"#;
    check(
        &[(Client, b"\x05\x01\x00")],
        Some(Ending::Reset),
        &format!("\n{greeting} {:?}", Some(Failure::Reset)),
    );
    let gssapi = observe(&[(Client, b"\x05\x01\x01"), (Server, b"\x05\x01")], 1, None);
    assert!(gssapi.end.unwrap().contains("gssapi"));
    assert_eq!(gssapi.exchanges.len(), 1);
    let datagrams: &[Line] = &[
        (Client, b"\x05\x01\x00"),
        (Server, b"\x05\x00"),
        (Client, b"\x05\x03\x00\x01\0\0\0\0\0\0"),
        (Server, b"\x05\x00\x00\x01\x7f\0\0\x01\x10\x00"),
    ];
    assert_eq!(observe(datagrams, 1, None).end.as_deref(), Some("become opaque"));
    let (mut session, mut out) = (Socks.observer(Limits::default()), Vec::new());
    session
        .handle(Event::Data { from: Client, bytes: b"\x05\x01\x00", at: Moment(1) }, &mut out)
        .unwrap();
    let flood = vec![5; 65 << 10];
    assert!(
        session
            .handle(Event::Data { from: Client, bytes: &flood, at: Moment(2) }, &mut out)
            .is_err()
    );
}

#[test]
fn both_sides_are_asked_what_it_is() {
    for (client, server, expected) in [
        (&b""[..], &b""[..], Verdict::NeedMore),
        (b"\x05", b"", Verdict::NeedMore),
        (b"\x05\x01\x00", b"", Verdict::NeedMore),
        (b"\x05\x01\x00", b"\x05", Verdict::NeedMore),
        (b"\x05\x01\x00", b"\x05\x00", Verdict::Yes),
        (b"\x05\x01\x00", b"\x05\xff", Verdict::Yes),
        (b"\x05\x01\x00\x05\x01", b"\x05\x00", Verdict::Yes),
        (b"\x05\x01\x00", b"\x05\x02", Verdict::No),
        (b"\x05\x01\x00", b"HTTP", Verdict::No),
        (b"\x05\x01\x00\x00", b"", Verdict::No),
        (b"\x05\x02\x00\x00", b"", Verdict::No),
        (b"\x05\x00", b"", Verdict::No),
        (b"\x04\x01", b"", Verdict::No),
        (b"GET ", b"", Verdict::No),
        (b"", b"\x05\x00", Verdict::No),
    ] {
        assert_eq!(Socks.detect(client, server), expected, "{client:?} {server:?}");
    }
}

#[test]
fn a_password_is_nobodys_business_but_the_proxys() {
    let facets = Socks.facets();
    let form =
        |text: &str| json::to_string(&facets.request(json::parse(text).unwrap().as_map().unwrap()));
    assert_eq!(
        form(r#"{"socks":"login","user":"a","password":"b"}"#),
        r#"{"socks":"login","user":"a"}"#
    );
    assert_eq!(
        form(r#"{"socks":"greeting","methods":["none","password"]}"#),
        r#"{"socks":"greeting","credentials":true}"#
    );
    let edited = Map::from([("status", "conection refused")]);
    let asked = Map::from([("socks", "CONNECT a:1")]);
    assert!(facets.flaw(&asked, &edited).is_some());
    assert!(facets.flaw(&asked, &Map::from([("status", "status 91")])).is_none());
}

mod damaged {
    use super::super::Socks;
    use super::NAMED;
    use crate::damage::{Line, check_observer, check_responder, damaged, damages};
    use crate::{Answer, Protocol};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_do_no_harm(damages in damages(), size in 1usize..9) {
            // What is handed over with the tunnel is a matter of the pieces.
            let lines: Vec<Line> = NAMED[..4].iter().map(|(from, bytes)| (*from, bytes.to_vec())).collect();
            let lines = damaged(lines, 0, &damages);
            check_observer(&Socks, &lines, size)?;
            check_responder(&Socks, &lines, size, |request| {
                Socks.facets().usual(request).map_or(Answer::Incomplete, Answer::Response)
            })?;
        }
    }
}
