//! Connections that turn to TLS, watched and played, in pieces of every size.

use super::{Client, Opaque, Server};
use crate::{ALL, Answer, Command, Event, Limits, Miss, Peer, Protocol, Session, Verdict};
use rehearsal_model::{Exchange, Map, Moment, Value};

const HELLO: &[u8] = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03 and so on";
const AT: Moment = Moment(1);

/// What an observer wants done when that is said, in pieces of so many bytes.
fn observe(session: &mut dyn Session, said: &[(Peer, &[u8])], size: usize) -> Vec<Command> {
    let mut out = Vec::new();
    for (from, bytes) in said {
        for bytes in bytes.chunks(size) {
            session.handle(Event::Data { from: *from, bytes, at: AT }, &mut out).unwrap();
        }
    }
    out
}

/// The exchanges among commands, as they are written.
fn emitted(commands: Vec<Command>) -> Vec<Exchange> {
    let exchanges = commands.into_iter().filter_map(|command| match command {
        Command::Emit { exchange, .. } => Some(*exchange),
        _ => None,
    });
    let written = exchanges.map(|mut exchange| {
        let change = &mut |name: &str, text: &str| Some(format!("{name} of {}", text.len()));
        Opaque.facets().beside(&mut exchange.request, exchange.response.as_mut(), change);
        exchange
    });
    written.collect()
}

fn texts(exchanges: &[Exchange]) -> Vec<(&str, &str, bool)> {
    let text = |map: &'_ Map, key: &str| map.get(key).and_then(Value::as_text).unwrap().to_owned();
    let turns = exchanges.iter().map(|exchange| {
        let reply = exchange.response.as_ref().unwrap();
        let send: &str = text(&exchange.request, "send").leak();
        let receive: &str = text(reply, "receive").leak();
        assert_eq!(exchange.request.get("hidden"), None);
        (send, receive, reply.get("starttls") == Some(&Value::Bool(true)))
    });
    turns.collect()
}

const BEFORE: &[(Peer, &[u8])] = &[
    (Server, b"220 ready\r\n"),
    (Client, b"EHLO a\r\n"),
    (Server, b"250-a\r\n250 STARTTLS\r\n"),
    (Client, b"STARTTLS\r\n"),
    (Server, b"220 go ahead\r\n"),
];

#[test]
fn what_is_said_within_tls_is_recorded_after_the_command_and_its_answer() {
    for size in 1..=30 {
        let mut session = Opaque.observer(Limits::default());
        let mut out = observe(&mut *session, BEFORE, size);
        assert_eq!(out.pop(), Some(Command::Hold { from: Client }), "pieces of {size}");
        let mut asked = observe(&mut *session, &[(Client, &HELLO[..6])], size);
        let all = asked.len();
        assert_eq!(all, 3, "{asked:?}");
        assert_eq!(asked.pop(), Some(Command::Forward { from: Client }));
        let unread = bytes::Bytes::new();
        assert_eq!(asked.pop(), Some(Command::StartTls { with: Server, unread }));
        let unread = bytes::Bytes::from_static(&HELLO[..6]);
        assert_eq!(asked.pop(), Some(Command::StartTls { with: Client, unread }));
        for with in [Server, Client] {
            session.handle(Event::TlsReady { with }, &mut out).unwrap();
        }
        let inside: &[(Peer, &[u8])] = &[
            (Client, b"AUTH PLAIN AGEAYg==\r\n"),
            (Server, b"235 welcome\r\n"),
            (Client, b"STARTTLS\r\n"),
            (Server, b"220 go ahead\r\n"),
            (Client, b"QUIT\r\n"),
        ];
        out.extend(observe(&mut *session, inside, size));
        let expected = [
            ("", "220 ready\r\n", false),
            ("EHLO a\r\n", "250-a\r\n250 STARTTLS\r\n", false),
            ("STARTTLS\r\n", "220 go ahead\r\n", true),
            ("AUTH PLAIN password of 8\r\n", "235 welcome\r\n", false),
            ("STARTTLS\r\n", "220 go ahead\r\n", false),
        ];
        assert!(!out.iter().any(|command| matches!(command, Command::Hold { .. })));
        assert_eq!(texts(&emitted(out)), expected, "pieces of {size}");
    }
}

#[test]
fn a_client_that_goes_on_in_the_clear_is_passed_on() {
    for (next, from) in [(&b"\x16no\r\n"[..], Client), (b"220 more\r\n", Server)] {
        for size in 1..=10 {
            let mut session = Opaque.observer(Limits::default());
            observe(&mut *session, BEFORE, size);
            let out = observe(&mut *session, &[(from, next)], size);
            let sent = out.iter().filter_map(|command| match command {
                Command::Send { to: Server, bytes } => Some(&bytes[..]),
                _ => None,
            });
            let sent: Vec<u8> = sent.flatten().copied().collect();
            assert!(next.starts_with(&sent), "once, and what the driver has not forwarded");
            assert_eq!(sent.is_empty(), from == Server);
            assert!(out.contains(&Command::Forward { from: Client }), "{out:?}");
            assert!(!out.iter().any(|command| matches!(command, Command::StartTls { .. })));
        }
    }
}

#[test]
fn tls_that_is_not_laid_is_recorded_as_bytes() {
    let mut session = Opaque.observer(Limits::default());
    let mut out = observe(&mut *session, BEFORE, 7);
    observe(&mut *session, &[(Client, HELLO)], HELLO.len());
    let more: &[(Peer, &[u8])] = &[(Client, b"more"), (Server, b"\x16\x03\x03"), (Client, b"x")];
    out.extend(observe(&mut *session, more, 9));
    let exchanges = emitted(out);
    let told: Vec<_> = exchanges.iter().map(|it| Opaque.facets().obstacle(&it.request)).collect();
    assert_eq!(told, [None, None, None, Some("encrypted (TLS)")]);
    let send = exchanges[3].request.get("send").and_then(Value::as_bytes);
    assert_eq!(send, Some(&[HELLO, b"more"].concat()[..]));
    let reply = exchanges[2].response.as_ref().unwrap();
    assert_eq!(reply.get("starttls"), None);
}

/// Else the client's bytes could have been passed on before it is known whether they are TLS.
#[test]
fn it_is_nobody_elses_before_the_command_is_answered() {
    for (greeting, command) in [
        ("220 a\r\n", "STARTTLS\n"),
        ("220-a\r\n", "STARTTLS\r\n"),
        ("* OK a\r\n", "a STARTTLS\r\n"),
        ("+OK a\r\n", "STLS\n"),
    ] {
        for protocol in ALL.iter().filter(|protocol| protocol.name() != Opaque.name()) {
            let verdict = protocol.detect(command.as_bytes(), greeting.as_bytes());
            assert_eq!(verdict, Verdict::No, "{} of {greeting:?}", protocol.name());
        }
    }
}

/// Plays a server: what it is asked about, sends and lays, when the client says that, in pieces.
fn play(
    said: &[&[u8]],
    mocks: &[(&str, &str, bool)],
    size: usize,
) -> (Vec<String>, Vec<u8>, Option<Vec<u8>>) {
    let mut session = Opaque.responder(Limits::default());
    let (mut asked, mut sent, mut laid) = (Vec::new(), Vec::new(), None);
    let mut give = |event: Event<'_>| {
        let mut out = Vec::new();
        session.handle(event, &mut out).unwrap();
        while !out.is_empty() {
            for command in std::mem::take(&mut out) {
                match command {
                    Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
                    Command::StartTls { with: Client, unread } => {
                        laid = Some(unread.to_vec());
                        session.handle(Event::TlsReady { with: Client }, &mut out).unwrap();
                    }
                    Command::Ask { id, mut request, .. } => {
                        let answer = answer(&mut request, mocks, &mut asked);
                        session.handle(Event::Answer { id, answer, at: AT }, &mut out).unwrap();
                    }
                    Command::Close { .. } => {}
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
    };
    give(Event::Opened { at: AT });
    for bytes in said.iter().flat_map(|bytes| bytes.chunks(size)) {
        give(Event::Data { from: Client, bytes, at: AT });
    }
    (asked, sent, laid)
}

fn answer(request: &mut Map, mocks: &[(&str, &str, bool)], asked: &mut Vec<String>) -> Answer {
    let placeholder = rehearsal_model::secret::placeholder("plain", 7);
    Opaque.facets().beside(request, None, &mut |_, _| Some(placeholder.clone()));
    let send = request.text("send").unwrap().to_owned();
    let recorded = |mock: &str| Map::from([("send", mock.replace('#', &placeholder))]);
    let facets = Opaque.facets();
    let equal = mocks.iter().find(|mock| recorded(mock.0) == *request);
    let beyond = || mocks.iter().find(|mock| facets.goes_beyond(request, &recorded(mock.0)));
    asked.push(send);
    if let Some((mock, receive, starttls)) = equal.or_else(beyond) {
        let mut reply = Map::from([("receive", *receive)]);
        if *starttls {
            reply.push_new("starttls", true);
        }
        if equal.is_none() {
            reply.push_new("asked", recorded(mock));
        }
        return Answer::Response(reply);
    }
    match mocks.iter().any(|mock| facets.begins(request, &recorded(mock.0))) {
        true => Answer::Incomplete,
        false => Answer::Miss(Miss { message: "none".to_owned(), details: Value::Null }),
    }
}

const MOCKS: &[(&str, &str, bool)] = &[
    ("", "220 ready\r\n", false),
    ("STARTTLS\r\n", "220 go\r\n", true),
    ("AUTH PLAIN #\r\n", "235 welcome\r\n", false),
    ("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", false),
    ("#\r\n", "235 welcome\r\n", false),
    ("QUIT\r\n", "221 bye\r\n", false),
];

#[test]
fn a_played_server_turns_to_tls_as_the_recorded_one_did() {
    for size in 1..=30 {
        let said: &[&[u8]] = &[
            b"STARTTLS\r\n",
            b"AUTH PLAIN AGEAYg==\r\n",
            b"AUTH LOGIN\r\n",
            b"YQ==\r\n",
            b"QUIT\r\n",
        ];
        let (asked, sent, laid) = play(said, MOCKS, size);
        assert_eq!(laid, Some(Vec::new()), "pieces of {size}");
        let replies: String = [0, 1, 2, 3, 4, 5].iter().map(|place| MOCKS[*place].1).collect();
        assert_eq!(String::from_utf8(sent).unwrap(), replies, "pieces of {size}: {asked:?}");
        assert!(!asked.iter().any(|asked| asked.contains("AGEA") || asked.contains("YQ")));
    }
}

#[test]
fn what_is_said_in_the_clear_behind_the_command_is_no_request() {
    let (asked, sent, laid) = play(&[b"STARTTLS\r\nQUIT\r\n"], MOCKS, 64);
    assert_eq!(laid, Some(b"QUIT\r\n".to_vec()), "which is no TLS, and fails");
    assert_eq!((asked.len(), sent), (2, b"220 ready\r\n220 go\r\n".to_vec()));
}

#[test]
fn a_client_that_does_not_wait_loses_nothing_behind_a_secret() {
    let said: &[&[u8]] = &[b"PASS x\r\nQUIT\r\nNOOP\r\n"];
    let mocks: &[(&str, &str, bool)] = &[
        ("", "+OK\r\n", false),
        ("PASS #\r\nQUIT\r\n", "+OK 1\r\n", false),
        ("NOOP\r\n", "+OK 2\r\n", false),
    ];
    for size in 1..=21 {
        let (asked, sent, _) = play(said, mocks, size);
        assert_eq!(sent, b"+OK\r\n+OK 1\r\n+OK 2\r\n", "{asked:?}");
    }
}
