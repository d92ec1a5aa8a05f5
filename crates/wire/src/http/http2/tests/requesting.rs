//! What a played client says, and what it makes of the answers.

use super::*;

fn give(session: &mut dyn Session, event: Event<'_>) -> Vec<Command> {
    let mut out = Vec::new();
    session.handle(event, &mut out).unwrap();
    out
}

pub(super) fn ask(session: &mut dyn Session, id: u64, request: &str) -> Vec<Command> {
    give(
        session,
        Event::Request { id: ExchangeId(id), request: &map(request), recorded: None, at: NOW },
    )
}

pub(super) fn hear(session: &mut dyn Session, frames: &[Vec<u8>]) -> Vec<Command> {
    give(session, Event::Data { from: Peer::Server, bytes: &frames.concat(), at: NOW })
}

pub(super) fn emitted(commands: &[Command]) -> Vec<String> {
    let lines = commands.iter().filter_map(|command| match command {
        Command::Emit { id, exchange } => {
            let answer = Exchange { request: Map::new(), ..(**exchange).clone() };
            Some(line(id.0, &answer))
        }
        _ => None,
    });
    lines.collect()
}

const REQUEST: &str = r#"{"http":"POST /a?b=c","version":"2","headers":{"Host":"shop","Connection":"close","Content-Length":"auto","X-A":"b"},"body":"hi"}"#;

#[test]
fn a_request_is_sent_with_the_first_words() {
    let mut session = Http.requester(SMALL);
    let bytes = sent(&ask(&mut *session, 9, REQUEST));
    assert!(bytes.starts_with(PREFACE));
    let frames = frames_of(&bytes);
    let fields = hpack::Decoder::default().decode(&frames[2].3, 4096, 4096).unwrap();
    let names: Vec<_> =
        fields.iter().map(|(name, value)| [&name[..], b"=", value].concat()).collect();
    let wanted: [&[u8]; 6] = [
        b":method=POST",
        b":scheme=http",
        b":authority=shop",
        b":path=/a?b=c",
        b"content-length=2",
        b"x-a=b",
    ];
    assert_eq!(names, wanted);
    assert_eq!(frames[3], (DATA, END_STREAM, 1, b"hi".to_vec()));
}

#[test]
fn answers_are_emitted_under_the_number_of_their_request() {
    let mut session = Http.requester(SMALL);
    let request = r#"{"http":"GET /rates","version":2}"#;
    ask(&mut *session, 9, request);
    let out = hear(&mut *session, &[frame(SETTINGS, 0, 0, &[]), head(1, OK), end(1, b"[1]")]);
    assert_eq!(frames_of(&sent(&out)), [(SETTINGS, ACK, 0, Vec::new())]);
    let body = r#"9 {} -> {"status":200,"headers":{"content-type":"application/json"},"body":[1]}"#;
    assert_eq!(emitted(&out), [body]);
    ask(&mut *session, 10, request);
    let out = hear(&mut *session, &[head(3, OK), reset(3)]);
    let failed = r#"10 {} reset (INTERNAL_ERROR) {"status":200,"headers":{"content-type":"application/json"}}"#;
    assert_eq!(emitted(&out), [failed]);
}

#[test]
fn a_farewell_ends_the_connection_when_all_is_answered() {
    let mut session = Http.requester(SMALL);
    let request = r#"{"http":"GET /rates","version":"2"}"#;
    ask(&mut *session, 1, request);
    ask(&mut *session, 2, request);
    let goaway = frame(frames::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(emitted(&hear(&mut *session, &[goaway])), ["2 {} unheard (NO_ERROR) nothing"]);
    let out = hear(&mut *session, &[last(1, &[(":status", "204")])]);
    assert_eq!(emitted(&out), [r#"1 {} -> {"status":204}"#]);
    assert!(matches!(out.last(), Some(Command::Close { how: Ending::Finished, .. })));
}

#[test]
fn an_early_answer_stops_the_request() {
    let mut session = Http.requester(SMALL);
    let large = r#"{"http":"POST /","version":"2","omitted":{"length":100000,"sha256":"0"}}"#;
    ask(&mut *session, 1, large);
    let out = hear(&mut *session, &[last(1, &[(":status", "413")])]);
    assert_eq!(emitted(&out), [r#"1 {} -> {"status":413}"#]);
    assert_eq!(frames_of(&sent(&out)), [(RST_STREAM, 0, 1, vec![0, 0, 0, 8])]);
}

#[test]
fn a_request_of_the_other_version_wants_another_connection() {
    let mut session = Http.requester(SMALL);
    assert!(sent(&ask(&mut *session, 1, r#"{"http":"GET /"}"#)).starts_with(b"GET / HTTP/1.1\r\n"));
    let out = ask(&mut *session, 2, r#"{"http":"GET /","version":"2"}"#);
    assert_eq!((emitted(&out), sent(&out)), (vec!["2 {} closed nothing".to_owned()], Vec::new()));
    assert!(matches!(out.last(), Some(Command::Close { .. })));
}

#[test]
fn wrong_requests_are_refused() {
    for wrong in [
        r#"{"http":"GET","version":"2"}"#,
        r#"{"http":"GET /a b","version":"2"}"#,
        r#"{"http":"GET /","version":"2","headers":{"Host":"a\r\nb"}}"#,
        r#"{"http":"GET /","version":"2","headers":{"a b":"c"}}"#,
        r#"{"http":"GET /","version":"2","trailers":{"a":"\u0000"}}"#,
    ] {
        let mut out = Vec::new();
        let event =
            Event::Request { id: ExchangeId(1), request: &map(wrong), recorded: None, at: NOW };
        let outcome = Http.requester(SMALL).handle(event, &mut out);
        assert!(matches!(outcome, Err(WireError::Unwritable { .. })), "{wrong}");
    }
}
