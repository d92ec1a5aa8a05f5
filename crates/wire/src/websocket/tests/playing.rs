//! Playing each side: who waits for whom, and what is told of it.

use super::*;
use crate::damage::{check_responder, damaged, damages};
use crate::{Answer, Ending, Session};
use Peer::{Client, Server};
use proptest::prelude::*;
use rehearsal_model::ExchangeId;
use std::time::Duration;

const TALK: &str = concat!(
    r#"[{"received":"hi"},{"sent":{"ask":1}},{"received":{"answer": 2}, "format":"spaced"},"#,
    r#"{"sent":{"$base64":"AP8="}},{"closed":{"by":"server","code":4001,"reason":"bye"}}]"#
);

/// What a session does: bytes, the conversation as told so far, its end.
#[derive(Debug, Default)]
struct Done {
    sent: Vec<u8>,
    told: Option<String>,
    closed: Option<Ending>,
    wakes: Option<Duration>,
}

fn give(session: &mut Box<dyn Session>, event: Event<'_>) -> Done {
    let (mut out, mut done) = (Vec::new(), Done::default());
    session.handle(event, &mut out).unwrap();
    for command in out {
        match command {
            Command::Send { bytes, .. } => done.sent.extend_from_slice(&bytes),
            Command::Emit { exchange, .. } => done.told = Some(messages(&exchange)),
            Command::Close { how, .. } => done.closed = Some(how),
            Command::Wake { after } => done.wakes = Some(after),
            Command::Ask { id, .. } => assert_eq!(id, ExchangeId(1)),
            other => panic!("a player does not say {other:?}"),
        }
    }
    done
}

fn hears(session: &mut Box<dyn Session>, from: Peer, bytes: &[u8]) -> Done {
    give(session, Event::Data { from, bytes, at: NOW })
}

fn responder(messages: &str) -> (Box<dyn Session>, Done) {
    let mut session = Http.responder(Limits::default());
    hears(&mut session, Client, &request(""));
    let answer = Answer::Response(recorded(messages));
    let done = give(&mut session, Event::Answer { id: ExchangeId(1), answer, at: NOW });
    (session, done)
}

fn requester(messages: &str) -> Box<dyn Session> {
    let mut session = Http.requester(Limits::default());
    let headers = Map::from([("Upgrade", "websocket"), ("Sec-WebSocket-Key", "auto")]);
    let mut asked = Map::from([("http", "GET /ws")]);
    asked.insert("headers", headers);
    let (recorded, id) = (recorded(messages), ExchangeId(1));
    let event = Event::Request { id, request: &asked, recorded: Some(&recorded), at: NOW };
    let sent = String::from_utf8(give(&mut session, event).sent).unwrap();
    assert!(sent.contains(&format!("Sec-WebSocket-Key: {}\r\n", super::super::KEY)), "{sent}");
    session
}

#[test]
fn a_played_server_says_what_is_due_and_tells_how_it_went() {
    let (mut session, done) = responder(TALK);
    let mut wanted = response("");
    wanted.extend(text(Server, "hi"));
    assert_eq!(String::from_utf8_lossy(&done.sent), String::from_utf8_lossy(&wanted));
    assert!(done.told.is_none() && done.wakes.is_some());
    let done = hears(&mut session, Client, &text(Client, r#"{"ask":1}"#));
    assert_eq!(done.sent, text(Server, r#"{"answer": 2}"#), "spelled as it was");
    let done = hears(&mut session, Client, &frame(Client, 0x82, &[0, 255]));
    assert_eq!(done.sent, close(Server, 4001, "bye"));
    let done = hears(&mut session, Client, &close(Client, 4001, ""));
    assert_eq!((done.told, done.closed), (Some(plain(TALK)), Some(Ending::Finished)));
}

/// Without white space.
fn plain(text: &str) -> String {
    json::to_string(&json::parse(text).unwrap())
}

#[test]
fn what_differs_is_told_and_stops_nothing() {
    let (mut session, _) = responder(TALK);
    let ping = [text(Client, r#"{"ask":7}"#), frame(Client, 0x89, b"?")].concat();
    let done = hears(&mut session, Client, &ping);
    assert_eq!(done.sent, [text(Server, r#"{"answer": 2}"#), frame(Server, 0x8a, b"?")].concat());
    assert!(done.wakes.is_none_or(|after| after < Duration::from_secs(1)));
    let done = give(&mut session, Event::Tick { at: Moment(1_000_000_000) });
    let told = done.told.unwrap();
    assert!(told.contains(r#"{"sent":{"ask":7}}"#) && !told.contains("base64"), "{told}");
    let how = Ending::Reset;
    let done = give(&mut session, Event::Closed { from: Client, how, at: NOW });
    assert!(done.told.unwrap().contains(r#"{"closed":{"by":"client","how":"reset"}}"#));
}

#[test]
fn a_played_client_waits_for_what_it_was_told_before_it_spoke() {
    let mut session = requester(TALK);
    assert!(hears(&mut session, Server, &response("")).sent.is_empty());
    let mut ours = Vec::new();
    super::super::frame::write(Client, Opcode::Text, br#"{"ask":1}"#, &mut ours);
    assert_eq!(hears(&mut session, Server, &text(Server, "hi")).sent, ours);
    assert!(!hears(&mut session, Server, &text(Server, r#"{"answer": 3}"#)).sent.is_empty());
    let done = hears(&mut session, Server, &close(Server, 4001, "bye"));
    let told = done.told.unwrap();
    assert_eq!(told, plain(&TALK.replace(r#""answer": 2"#, r#""answer": 3"#)));
    assert_eq!(done.closed, Some(Ending::Finished));
}

#[test]
fn what_the_server_does_not_say_is_missed_and_what_follows_is_seen() {
    let mut session = requester(TALK);
    hears(&mut session, Server, &[response(""), text(Server, "hi")].concat());
    let seconds = |seconds: u64| Event::Tick { at: Moment(seconds * 1_000_000_000) };
    assert!(give(&mut session, seconds(2)).sent.is_empty(), "it is patient");
    assert!(!give(&mut session, seconds(6)).sent.is_empty(), "and then goes on");
    let done = hears(&mut session, Server, &close(Server, 4001, "bye"));
    let missed = r#"{"received":{"answer": 2}, "format":"spaced"},"#;
    assert_eq!(done.told.unwrap(), plain(&TALK.replace(missed, "")));
}

#[test]
fn a_conversation_that_was_open_at_the_end_is_ended_by_us_after_a_moment() {
    let mut session = requester(r#"[{"received":"hi"}]"#);
    let done = hears(&mut session, Server, &[response(""), text(Server, "hi")].concat());
    assert!(done.told.is_none() && done.wakes.is_some());
    hears(&mut session, Server, &text(Server, "more"));
    let done = give(&mut session, Event::Tick { at: Moment(1_000_000_000) });
    assert_eq!(done.told.as_deref(), Some(r#"[{"received":"hi"},{"received":"more"}]"#));
    assert_eq!(done.closed, Some(Ending::Finished));
}

#[test]
fn a_message_edited_by_hand_is_said_as_edited_or_refused() {
    let (_, done) = responder(r#"[{"received":{"edited":[true,null]}}]"#);
    assert!(done.sent.ends_with(br#"{"edited":[true,null]}"#));
    for (messages, wanted) in [
        (r#"[{"received":{"a":1},"format":"baroque"}]"#, "format has no word \"baroque\""),
        (r#"[{"closed":{"by":"server","code":"x"}}]"#, "closed.code is not a number"),
        (r#"[{"closed":{"by":"server","how":"gently"}}]"#, "closed.how has no word"),
    ] {
        let mut session = Http.responder(Limits::default());
        hears(&mut session, Client, &request(""));
        let answer = Answer::Response(recorded(messages));
        let event = Event::Answer { id: ExchangeId(1), answer, at: NOW };
        let error = session.handle(event, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_client_of_today_gets_no_more_compression_than_it_offers() {
    let mut answer = recorded("[]");
    let headers = answer.get_mut("headers").unwrap();
    let Value::Map(headers) = headers else { panic!("no headers") };
    headers.insert("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=15");
    for (offered, agreed) in [
        ("", None),
        ("permessage-deflate", Some("Sec-WebSocket-Extensions: permessage-deflate\r\n")),
        ("permessage-deflate; client_max_window_bits", Some("client_max_window_bits=15\r\n")),
    ] {
        let mut session = Http.responder(Limits::default());
        hears(&mut session, Client, &request(offered));
        let answer = Answer::Response(answer.clone());
        let done = give(&mut session, Event::Answer { id: ExchangeId(1), answer, at: NOW });
        let said = String::from_utf8(done.sent).unwrap();
        assert_eq!(said.contains("deflate"), agreed.is_some(), "{said}");
        assert!(agreed.is_none_or(|agreed| said.contains(agreed)), "{said}");
    }
}

fn client_lines() -> Vec<(Peer, Vec<u8>)> {
    vec![
        (Client, request("")),
        (Client, text(Client, r#"{"ask":1}"#)),
        (Client, [frame(Client, 0x02, &[0]), frame(Client, 0x80, &[255])].concat()),
        (Client, close(Client, 4001, "")),
    ]
}

proptest! {
    #[test]
    fn a_played_server_survives_damage(damages in damages(), size in 1usize..9) {
        let lines = damaged(client_lines(), 1, &damages);
        check_responder(&Http, &lines, size, |_| Answer::Response(recorded(TALK)))?;
    }
}
