//! What a responder says.

use super::*;
use crate::{Answer, Miss};
use rehearsal_model::{ExchangeId, Failure, Map};

const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

fn data(bytes: &[u8]) -> Event<'_> {
    Event::Data { from: Peer::Client, bytes, at: NOW }
}

fn answer(id: u64, answer: Answer) -> Event<'static> {
    Event::Answer { id: ExchangeId(id), answer, at: NOW }
}

fn text(body: &str) -> Answer {
    Answer::Response(Map::from([("status", Value::from(200)), ("body", body.into())]))
}

fn asked(commands: &[Command]) -> Vec<(u64, String)> {
    let ask = |command: &Command| match command {
        Command::Ask { id, request, at: NOW } => {
            Some((id.0, json::to_string(&Value::Map(request.clone()))))
        }
        _ => None,
    };
    commands.iter().filter_map(ask).collect()
}

#[test]
fn answers_in_the_order_of_the_requests() {
    let mut session = Http.responder(Limits::default());
    let out = give(&mut session, data(&GET.repeat(2)));
    let get = r#"{"http":"GET /"}"#.to_owned();
    assert_eq!(asked(&out), [(1, get.clone()), (2, get)]);
    assert_eq!(sent(&give(&mut session, answer(2, text("two")))), "");
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none\
                HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
    assert_eq!(sent(&give(&mut session, answer(1, text("one")))), both);
}

#[test]
fn asks_the_same_at_every_split() {
    let bytes = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: u\r\n\r\n";
    let whole = asked(&give(&mut Http.responder(SMALL), data(bytes)));
    for at in 1..bytes.len() {
        let mut session = Http.responder(SMALL);
        let mut out = give(&mut session, data(&bytes[..at]));
        out.extend(give(&mut session, data(&bytes[at..])));
        assert_eq!(asked(&out), whole);
    }
}

#[test]
fn tells_a_waiting_client_to_go_on() {
    let mut session = Http.responder(Limits::default());
    let head = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(sent(&give(&mut session, data(head))), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(sent(&give(&mut session, data(b"h"))), "");
    assert_eq!(asked(&give(&mut session, data(b"i"))).len(), 1);
    give(&mut session, answer(1, text("")));
    let out = give(&mut session, data(&[head.as_slice(), b"hi"].concat()));
    assert_eq!((sent(&out).as_str(), asked(&out).len()), ("", 1));
}

#[test]
fn a_client_waits_its_turn_to_go_on() {
    let mut session = Http.responder(Limits::default());
    let head = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(sent(&give(&mut session, data(&[GET, head].concat()))), "");
    let said = sent(&give(&mut session, answer(1, text(""))));
    assert!(said.ends_with("\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"), "{said}");
}

#[test]
fn a_miss_is_a_bad_gateway_that_says_why() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let details = Value::Map(Map::from([("edge", "payments")]));
    let miss = Miss { message: "no mock answers GET /".into(), details };
    let expected = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n\
                    Content-Length: 51\r\n\r\n\
                    {\"error\":\"no mock answers GET /\",\"edge\":\"payments\"}";
    let said = sent(&give(&mut session, answer(1, Answer::Miss(miss))));
    assert_eq!(said, expected);
}

#[test]
fn breaks_off_as_recorded_and_in_turn() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(&GET.repeat(2)));
    assert_eq!(sent(&give(&mut session, answer(2, Answer::Failure(Failure::Reset)))), "");
    let said = sent(&give(&mut session, answer(1, text("x"))));
    assert!(said.ends_with("\r\n\r\nx[Reset]"), "{said}");
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let closed = answer(1, Answer::Failure(Failure::Closed));
    assert_eq!(sent(&give(&mut session, closed)), "[Finished]");
}

#[test]
fn says_nothing_where_the_client_waited_in_vain() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let silence = answer(1, Answer::Failure(Failure::TimedOut));
    assert_eq!(sent(&give(&mut session, silence)), "");
    assert_eq!(sent(&give(&mut session, event(&ClientCloses(Ending::Finished)))), "[Finished]");
}

#[test]
fn breaks_off_in_the_middle_of_an_answer_as_recorded() {
    let length = Map::from([("Content-Length", "100")]);
    let chunked = Map::from([("Transfer-Encoding", "chunked")]);
    let until_end = Map::new();
    for (headers, failure, expected) in [
        (length, Failure::Closed, "Content-Length: 100\r\n\r\nhalf[Finished]"),
        (chunked, Failure::Reset, "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf[Reset]"),
        (until_end, Failure::Reset, "HTTP/1.1 200 OK\r\n\r\nhalf[Reset]"),
    ] {
        let mut session = Http.responder(Limits::default());
        give(&mut session, data(GET));
        let Answer::Response(mut response) = text("half") else { return };
        response.insert("headers", headers);
        let said = sent(&give(&mut session, answer(1, Answer::Broken(response, failure))));
        assert!(said.ends_with(expected), "{said}");
    }
}

#[test]
fn closes_when_either_side_says_so() {
    let closing = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n".as_slice();
    let keeping = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".as_slice();
    for (request, closes) in [(closing, true), (keeping, false), (b"GET / HTTP/1.0\r\n\r\n", true)]
    {
        let mut session = Http.responder(Limits::default());
        give(&mut session, data(request));
        let said = sent(&give(&mut session, answer(1, text("x"))));
        assert_eq!(said.ends_with("[Finished]"), closes, "{said}");
    }
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let Answer::Response(mut response) = text("until the end") else { return };
    response.insert("framing", "close");
    let said = sent(&give(&mut session, answer(1, Answer::Response(response))));
    assert_eq!(said, "HTTP/1.1 200 OK\r\n\r\nuntil the end[Finished]");
}

#[test]
fn a_client_that_finishes_gets_its_answers_first() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    assert_eq!(sent(&give(&mut session, event(&ClientCloses(Ending::Finished)))), "");
    let said = sent(&give(&mut session, answer(1, text("x"))));
    assert!(said.ends_with("x[Finished]"), "{said}");
}

#[test]
fn switches_protocols_with_the_bytes_that_waited() {
    let mut session = Http.responder(Limits::default());
    let request = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly";
    assert_eq!(asked(&give(&mut session, data(request))).len(), 1);
    let response = Map::from([("status", Value::from(101))]);
    let out = give(&mut session, answer(1, Answer::Response(response)));
    assert_eq!(sent(&out), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    let handed = matches!(out.last(), Some(Command::Become { client, .. }) if client == "early");
    assert!(handed, "{out:?}");
}

#[test]
fn a_tunnel_is_played_on_by_whoever_knows_its_party() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(b"CONNECT shop:443 HTTP/1.1\r\n\r\n"));
    let response = Map::from([("status", Value::from(200))]);
    let out = give(&mut session, answer(1, Answer::Response(response)));
    assert_eq!(sent(&out), "HTTP/1.1 200 OK\r\n\r\n");
    let reached = matches!(out.last(), Some(Command::Reach { party, .. }) if party == "shop:443");
    assert!(reached, "{out:?}");
}

#[test]
fn what_was_omitted_is_as_long_as_it_was() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let omitted = Map::from([("length", Value::from(200_000)), ("sha256", "00".into())]);
    let response = Map::from([("status", Value::from(200)), ("omitted", omitted.into())]);
    let said = sent(&give(&mut session, answer(1, Answer::Response(response))));
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_default();
    assert_eq!(head, "HTTP/1.1 200 OK\r\nContent-Length: 200000");
    assert_eq!(body.len(), 200_000);
    assert!(body.starts_with("....") && body.as_bytes()[63] == b'\n');
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(b"GET / HTTP/1.0\r\n\r\n"));
    let headers = Map::from([("transfer-encoding", "chunked"), ("A", "b")]);
    let Answer::Response(mut response) = text("x") else { return };
    response.insert("headers", headers);
    response.insert("trailers", Map::from([("T", "u")]));
    let said = sent(&give(&mut session, answer(1, Answer::Response(response))));
    assert_eq!(said, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1\r\n\r\nx[Finished]");
}

#[test]
fn a_client_that_is_not_understood_is_told() {
    let mut session = Http.responder(Limits::default());
    let mut out = Vec::new();
    assert!(session.handle(data(b"GET / HTTP/1.1\nA: b\r\n\r\n"), &mut out).is_err());
    let said = sent(&out);
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");
    assert!(said.contains("carriage return"), "{said}");
}

#[test]
fn a_mock_that_cannot_be_written_is_told() {
    let mut session = Http.responder(Limits::default());
    give(&mut session, data(GET));
    let mut out = Vec::new();
    let wrong = Answer::Response(Map::from([("status", "many")]));
    assert!(session.handle(answer(1, wrong), &mut out).is_err());
    assert!(sent(&out).starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
}
