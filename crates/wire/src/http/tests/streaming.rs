//! Events and JSON lines: shown as lists, ended by the client, played without an end.

use super::*;
use crate::Answer;
use rehearsal_model::{ExchangeId, Failure, Map};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const TWO: &str =
    ": hi\n\nid: 7\nevent: price\nretry: 10\ndata: {\"a\": 1}\n\ndata: one\ndata: two\n\n";
const SHOWN: &str = concat!(
    r#"[{"comment":"hi"},{"id":"7","event":"price","retry":"10","data":{"a":1},"format":"spaced"},"#,
    r#"{"data":"one\ntwo"}]"#
);

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn head(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The response to a request whose body is of that type, without status and headers, as JSON.
fn shown(content_type: &str, body: &str) -> String {
    let answer = head(content_type, body);
    let exchange = one(&[Client(b"GET / HTTP/1.1\r\n\r\n"), Server(answer.as_bytes())]);
    let mut response = exchange.response.unwrap();
    let mut responder = Http.responder(Limits::default());
    give(&mut responder, event(&Client(b"GET / HTTP/1.1\r\n\r\n")));
    let said = Answer::Response(response.clone());
    let done = give(&mut responder, Event::Answer { id: ExchangeId(1), answer: said, at: NOW });
    assert_eq!(sent(&done), answer, "what is shown gives the bytes back");
    response.remove("status");
    response.remove("headers");
    json::to_string(&Value::Map(response))
}

#[test]
fn content_that_grows_is_a_list_where_that_says_all() {
    for (content_type, body, wanted) in [
        ("text/event-stream", "data: a\n\n", r#"{"events":[{"data":"a"}]}"#),
        (
            "text/event-stream;charset=utf-8",
            "event: x\ndata: \n\n",
            r#"{"events":[{"event":"x","data":""}]}"#,
        ),
        ("text/event-stream", "data:a\n\n", r#"{"body":"data:a\n\n"}"#),
        ("text/event-stream", "data: a\r\n\r\n", r#"{"body":"data: a\r\n\r\n"}"#),
        ("text/event-stream", "data: a\n\n\n", r#"{"body":"data: a\n\n\n"}"#),
        ("text/event-stream", "data: a\n", r#"{"body":"data: a\n"}"#),
        (
            "text/event-stream",
            "data: a\nid: 1\ndata: b\n\n",
            r#"{"body":"data: a\nid: 1\ndata: b\n\n"}"#,
        ),
        ("text/event-stream", "other: a\n\n", r#"{"body":"other: a\n\n"}"#),
        ("application/x-ndjson", "{\"a\":1}\n[2]\n\"x\"\n", r#"{"values":[{"a":1},[2],"x"]}"#),
        (
            "application/jsonl",
            "{\"a\": 1}\n{}",
            r#"{"values":[{"a":1},{}],"body-format":"spaced no-newline"}"#,
        ),
        ("application/jsonl", "{\"a\": 1}\n{\"a\":1}\n", r#"{"body":"{\"a\": 1}\n{\"a\":1}\n"}"#),
        ("application/jsonl", "{\"a\":1}\nx\n", r#"{"body":"{\"a\":1}\nx\n"}"#),
        ("application/json-seq", "\u{1e}{\"a\":1}\n\u{1e}2\n", r#"{"values":[{"a":1},2]}"#),
    ] {
        assert_eq!(shown(content_type, body), wanted, "{body:?}");
    }
}

#[test]
fn a_stream_that_the_client_ends_is_complete_and_no_failure() {
    for how in [Ending::Finished, Ending::Reset] {
        let begun = [HEAD, &chunk(TWO), &chunk("data: half")].concat();
        let steps =
            [Client(b"GET /e HTTP/1.1\r\n\r\n"), Server(begun.as_bytes()), ClientCloses(how)];
        let mut observer = Http.observer(Limits::default());
        let mut seen = Vec::new();
        for step in &steps {
            seen.extend(give(&mut observer, event(step)));
        }
        assert!(seen.iter().any(|command| matches!(command, Command::Stir { .. })));
        let emitted = seen.into_iter().find_map(|command| match command {
            Command::Emit { exchange, .. } => Some(*exchange),
            _ => None,
        });
        let exchange = emitted.unwrap();
        let response = exchange.response.unwrap();
        assert_eq!(exchange.failure, None);
        assert_eq!(json::to_string(response.get("events").unwrap()), SHOWN);
        assert_eq!(response.text("ended-by"), Some("client"));
    }
}

fn recorded() -> Map {
    let headers =
        Map::from([("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]);
    let mut map = Map::from([("status", Value::from(200))]);
    map.insert("headers", headers);
    map.insert("events", json::parse(SHOWN).unwrap());
    map.insert("ended-by", "client");
    map
}

#[test]
fn a_played_server_leaves_the_end_to_the_client() {
    let mut responder = Http.responder(Limits::default());
    give(&mut responder, event(&Client(b"GET /e HTTP/1.1\r\n\r\n")));
    let answer = Answer::Response(recorded());
    let done = give(&mut responder, Event::Answer { id: ExchangeId(1), answer, at: NOW });
    let said = sent(&done);
    assert!(said.starts_with(HEAD) && said.ends_with("data: two\n\n\r\n"), "{said}");
    let done = give(&mut responder, event(&ClientCloses(Ending::Finished)));
    assert_eq!(sent(&done), "[Finished]");
}

#[test]
fn what_was_said_before_a_response_is_said_before_one_without_an_end_too() {
    let link = Map::from([("Link", "</a.css>; rel=preload")]);
    let mut hint = Map::from([("status", Value::from(103))]);
    hint.insert("headers", link);
    let mut hinted = recorded();
    hinted.insert("informational", vec![Value::Map(hint)]);
    for answer in [Answer::Response(hinted.clone()), Answer::Broken(hinted, Failure::Reset)] {
        let mut responder = Http.responder(Limits::default());
        give(&mut responder, event(&Client(b"GET /e HTTP/1.1\r\n\r\n")));
        let done = give(&mut responder, Event::Answer { id: ExchangeId(1), answer, at: NOW });
        let early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
        assert!(sent(&done).starts_with(&[early, HEAD].concat()), "{}", sent(&done));
    }
}

/// What a played client tells when it hears this and then nothing for so many milliseconds.
fn heard(body: &str, waited: u64) -> Option<String> {
    let mut requester = Http.requester(Limits::default());
    let request = Map::from([("http", "GET /e")]);
    let (recorded, id) = (recorded(), ExchangeId(1));
    let asked = Event::Request { id, request: &request, recorded: Some(&recorded), at: NOW };
    give(&mut requester, asked);
    let said = [HEAD, body].concat();
    let mut done = give(&mut requester, event(&Server(said.as_bytes())));
    done.extend(give(&mut requester, Event::Tick { at: Moment(NOW.0 + waited * 1_000_000) }));
    done.into_iter().find_map(|command| match command {
        Command::Emit { exchange, .. } => {
            let response = exchange.response.unwrap();
            assert_eq!(response.text("ended-by"), Some("client"));
            Some(json::to_string(response.get("events").unwrap()))
        }
        _ => None,
    })
}

#[test]
fn a_played_client_leaves_when_it_has_heard_what_was_recorded() {
    assert_eq!(heard(&chunk(TWO), 50), None);
    assert_eq!(heard(&chunk(TWO), 150).as_deref(), Some(SHOWN));
    let more = [chunk(TWO), chunk("data: three\n\ndata: ha")].concat();
    assert!(heard(&more, 150).unwrap().ends_with(r#",{"data":"three"}]"#));
    let one = chunk("data: a\n\n");
    assert_eq!(heard(&one, 1000), None);
    assert_eq!(heard(&one, 6000).as_deref(), Some(r#"[{"data":"a"}]"#));
}
