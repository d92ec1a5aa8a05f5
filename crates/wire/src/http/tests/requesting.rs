//! What a requester sends and emits.

use super::*;
use rehearsal_model::{ExchangeId, Map};

fn request(id: u64, request: &Map) -> Event<'_> {
    Event::Request { id: ExchangeId(id), request, recorded: None, at: NOW }
}

fn emitted(commands: &[Command]) -> Vec<(u64, String)> {
    let emit = |command: &Command| match command {
        Command::Emit { id, exchange } => Some((id.0, line(exchange))),
        _ => None,
    };
    commands.iter().filter_map(emit).collect()
}

#[test]
fn sends_and_collects_in_order() {
    let mut session = Http.requester(Limits::default());
    let post = Map::from([("http", Value::from("POST /a")), ("body", Value::from(vec![1, 2]))]);
    let head = Map::from([("http", "HEAD /b")]);
    let out = give(&mut session, request(5, &post));
    assert_eq!(sent(&out), "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n[1,2]");
    assert_eq!(sent(&give(&mut session, request(6, &head))), "HEAD /b HTTP/1.1\r\n\r\n");
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx\
                  HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
    let out = give(&mut session, event(&Server(bytes)));
    let first = r#"{"http":"POST /a","body":[1,2]} -> {"status":200,"body":"x"}"#;
    let second = r#"{"http":"HEAD /b"} -> {"status":200,"headers":{"Content-Length":"7"}}"#;
    assert_eq!(emitted(&out), [(5, first.to_owned()), (6, second.to_owned())]);
}

#[test]
fn sends_the_body_without_waiting() {
    let mut session = Http.requester(Limits::default());
    let headers = Map::from([("Expect", "100-continue")]);
    let put = [("http", Value::from("PUT /")), ("headers", headers.into()), ("body", "hi".into())];
    let out = give(&mut session, request(1, &Map::from(put)));
    assert!(sent(&out).ends_with("\r\n\r\nhi"));
    assert_eq!(give(&mut session, event(&Server(b"HTTP/1.1 100 Continue\r\n\r\n"))), []);
    let out = give(&mut session, event(&Server(b"HTTP/1.1 204 No Content\r\n\r\n")));
    assert!(emitted(&out)[0].1.ends_with(r#"{"status":204,"informational":[{"status":100}]}"#));
}

#[test]
fn a_connection_that_ends_fails_what_waits() {
    let get = Map::from([("http", "GET /")]);
    let mut session = Http.requester(Limits::default());
    give(&mut session, request(1, &get));
    give(&mut session, request(2, &get));
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx";
    assert_eq!(give(&mut session, event(&Server(part))), []);
    let out = give(&mut session, event(&ServerCloses(Ending::Finished)));
    let lines = emitted(&out);
    assert!(lines[0].1.ends_with(r#""body":"x"}closed"#), "{lines:?}");
    assert!(lines[1].1.ends_with("nullclosed"), "{lines:?}");
    assert!(session.handle(request(3, &get), &mut Vec::new()).is_err());
}

#[test]
fn a_body_may_end_with_the_connection() {
    let get = Map::from([("http", "GET /")]);
    let mut session = Http.requester(Limits::default());
    give(&mut session, request(1, &get));
    give(&mut session, event(&Server(b"HTTP/1.1 200 OK\r\n\r\nall")));
    let out = give(&mut session, event(&ServerCloses(Ending::Finished)));
    let expected = r#"{"http":"GET /"} -> {"status":200,"body":"all","framing":"close"}"#;
    assert_eq!(emitted(&out), [(1, expected.to_owned())]);
}

#[test]
fn closes_when_the_request_said_so() {
    let headers = Map::from([("Connection", "close")]);
    let get = Map::from([("http", Value::from("GET /")), ("headers", headers.into())]);
    let mut session = Http.requester(Limits::default());
    give(&mut session, request(1, &get));
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(sent(&give(&mut session, event(&Server(bytes)))), "[Finished]");
}

#[test]
fn closes_when_the_server_says_so() {
    let get = Map::from([("http", "GET /")]);
    let mut session = Http.requester(Limits::default());
    give(&mut session, request(1, &get));
    let bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(sent(&give(&mut session, event(&Server(bytes)))), "[Finished]");
}
