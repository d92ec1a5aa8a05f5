//! Streams that last: WebSocket by extended CONNECT, and events that the client leaves.

use super::*;
use std::time::Duration;

const OPENING: &[(&str, &str)] = &[
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "http"),
    (":path", "/chat"),
    (":authority", "shop"),
];
const ACCEPTED: &[(&str, &str)] = &[(":status", "200")];
const EVENTS: &[(&str, &str)] = &[(":status", "200"), ("content-type", "text/event-stream")];
const RECORDED: &str = r#"{"status":200,"conversation":[{"sent":"hi"},{"received":"ho"},{"closed":{"by":"client","code":1000}}]}"#;
/// Frames of WebSocket: masked by zero, and not.
const HI: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
const HO: &[u8] = &[0x81, 2, b'h', b'o'];
const CLIENT_CLOSES: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 3, 0xe8];
const SERVER_CLOSES: &[u8] = &[0x88, 2, 3, 0xe8];

fn give(session: &mut dyn Session, event: Event<'_>) -> Vec<Command> {
    let mut out = Vec::new();
    session.handle(event, &mut out).unwrap();
    out
}

fn told(session: &mut dyn Session, (from, bytes): Line) -> Vec<Command> {
    give(session, Event::Data { from, bytes: &bytes, at: NOW })
}

/// The answers of the exchanges that were emitted.
fn answers(commands: &[Command]) -> Vec<String> {
    let lines = commands.iter().filter_map(|command| match command {
        Command::Emit { exchange, .. } => exchange.response.clone(),
        _ => None,
    });
    lines.map(|response| json::to_string(&response.into())).collect()
}

#[test]
fn a_conversation_is_the_answer_to_its_opening() {
    let lines = [
        client(&[opening(), head(1, OPENING), part(1, &HI[..3]), last(3, GET)]),
        server(&[head(1, ACCEPTED), part(1, HO), last(3, OK)]),
        client(&[part(1, &HI[3..]), part(1, CLIENT_CLOSES)]),
        server(&[end(1, SERVER_CLOSES)]),
    ];
    let shown: Vec<_> = observe(&lines, &[]).iter().map(|(id, it)| line(*id, it)).collect();
    let asked = r#"{"http":"CONNECT /chat","version":"2","headers":{":protocol":"websocket","host":"shop"}}"#;
    let said = r#"[{"received":"ho"},{"sent":"hi"},{"closed":{"by":"client","code":1000}}]"#;
    assert_eq!(shown[1], format!(r#"1 {asked} -> {{"status":200,"conversation":{said}}}"#));
    assert!(shown[0].starts_with("3 "), "the other stream is not held up: {shown:?}");
}

#[test]
fn a_conversation_that_breaks_off_says_who_broke_it() {
    let opened = [client(&[opening(), head(1, OPENING)]), server(&[head(1, ACCEPTED)])];
    let ended = |line: Line| {
        let lines = [opened.to_vec(), vec![line]].concat();
        let (_, exchange) = observe(&lines, &[]).remove(0);
        json::to_string(exchange.response.unwrap().get("conversation").unwrap())
    };
    assert_eq!(ended(client(&[reset(1)])), r#"[{"closed":{"by":"client","how":"reset"}}]"#);
    assert_eq!(ended(server(&[end(1, b"")])), r#"[{"closed":{"by":"server","how":"ended"}}]"#);
}

#[test]
fn a_refused_opening_is_an_exchange_as_any_other() {
    let lines = [
        client(&[opening(), head(1, OPENING)]),
        server(&[last(1, &[(":status", "403")])]),
        client(&[end(1, b"")]),
    ];
    let (_, exchange) = observe(&lines, &[]).remove(0);
    assert_eq!(exchange.response, Some(map(r#"{"status":403}"#)));
}

#[test]
fn events_that_their_client_leaves_are_complete() {
    let lines = [
        client(&[opening(), last(1, GET)]),
        server(&[head(1, EVENTS), part(1, b"data: 1\n\ndata: 2\n\ndata: ha")]),
        client(&[reset(1)]),
    ];
    let (_, exchange) = observe(&lines, &[]).remove(0);
    assert_eq!(exchange.failure, None);
    let answer = r#"{"status":200,"headers":{"content-type":"text/event-stream"},"events":[{"data":"1"},{"data":"2"}],"ended-by":"client"}"#;
    assert_eq!(json::to_string(&exchange.response.unwrap().into()), answer);
}

#[test]
fn a_played_server_converses() {
    let mut session = Http.responder(Limits::default());
    give(&mut *session, Event::Opened { at: NOW });
    let out = told(&mut *session, client(&[opening(), head(1, OPENING), part(1, HI)]));
    assert!(out.iter().any(|command| matches!(command, Command::Ask { .. })));
    let answer = Answer::Response(map(RECORDED));
    let out = give(&mut *session, Event::Answer { id: ExchangeId(1), answer, at: NOW });
    let said = frames_of(&sent(&out));
    assert_eq!((said[0].0, said[0].1), (HEADERS, END_HEADERS));
    assert_eq!(said[1], (DATA, 0, 1, HO.to_vec()), "what was said early counts");
    let out = told(&mut *session, client(&[part(1, CLIENT_CLOSES)]));
    assert_eq!(frames_of(&sent(&out)), [(DATA, END_STREAM, 1, SERVER_CLOSES.to_vec())]);
    assert_eq!(answers(&out), [RECORDED]);
}

#[test]
fn a_played_client_asks_for_a_conversation_once_it_knows_the_server() {
    let mut session = Http.requester(Limits::default());
    let request = map(
        r#"{"http":"CONNECT /chat","version":"2","headers":{":protocol":"websocket","host":"shop"}}"#,
    );
    let recorded = map(RECORDED);
    let (id, recorded) = (ExchangeId(7), Some(&recorded));
    let out = give(&mut *session, Event::Request { id, request: &request, recorded, at: NOW });
    assert!(frames_of(&sent(&out)).iter().all(|(kind, ..)| *kind != HEADERS));
    let out = told(&mut *session, server(&[frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1])]));
    let said = frames_of(&sent(&out));
    assert_eq!((said[1].0, said[1].1), (HEADERS, END_HEADERS), "the stream stays open");
    let out = told(&mut *session, server(&[head(1, ACCEPTED)]));
    assert_eq!(frames_of(&sent(&out)), [(DATA, 0, 1, HI.to_vec())]);
    let out = told(&mut *session, server(&[part(1, HO)]));
    assert_eq!(frames_of(&sent(&out)), [(DATA, 0, 1, CLIENT_CLOSES.to_vec())]);
    let out = told(&mut *session, server(&[end(1, SERVER_CLOSES)]));
    assert_eq!(answers(&out), [RECORDED]);
}

#[test]
fn a_played_client_leaves_events_when_all_have_come() {
    let mut session = Http.requester(Limits::default());
    let request = map(r#"{"http":"GET /ticks","version":"2"}"#);
    let headers = r#""headers":{"content-type":"text/event-stream"}"#;
    let answer =
        format!(r#"{{"status":200,{headers},"events":[{{"data":"1"}}],"ended-by":"client"}}"#);
    let recorded = map(&answer);
    let (id, recorded) = (ExchangeId(7), Some(&recorded));
    give(&mut *session, Event::Request { id, request: &request, recorded, at: NOW });
    let said = [frame(SETTINGS, 0, 0, &[]), head(1, EVENTS), part(1, b"data: 1\n\n")];
    let out = told(&mut *session, server(&said));
    assert!(out.iter().any(|command| matches!(command, Command::Wake { .. })));
    let later = Moment(NOW.0 + Duration::from_secs(1).as_nanos() as u64);
    let out = give(&mut *session, Event::Tick { at: later });
    assert_eq!(frames_of(&sent(&out))[0].0, RST_STREAM);
    assert_eq!(answers(&out), [answer]);
}

#[test]
fn a_conversation_that_cannot_be_read_leaves_the_other_streams_alone() {
    // A text frame without its mask, as no client may send it.
    let lines = [
        client(&[opening(), head(1, OPENING), part(1, HI), last(3, GET)]),
        server(&[head(1, ACCEPTED)]),
        client(&[part(1, HO)]),
        server(&[part(1, SERVER_CLOSES), last(3, OK)]),
    ];
    let out = handle(Http.observer(Limits::default()), &lines, &[], usize::MAX).unwrap();
    let why = out.iter().filter_map(|command| match command {
        Command::Unread(why) => Some(why.as_str()),
        _ => None,
    });
    let [why] = why.collect::<Vec<_>>()[..] else { panic!("not one warning: {out:?}") };
    assert!(why.contains("mask"), "{why}");
    let kind = r#"{"status":200,"headers":{"content-type":"application/json"}}"#;
    assert_eq!(answers(&out), [r#"{"status":200,"conversation":[{"sent":"hi"}]}"#, kind]);
}
