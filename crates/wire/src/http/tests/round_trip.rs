//! Bytes to recorded form and back to the same bytes, for messages in their usual spelling.

use super::super::head::Method;
use super::super::write;
use super::*;
use crate::Answer;
use proptest::prelude::*;
use rehearsal_model::ExchangeId;

fn bytes_of(commands: Vec<Command>) -> Vec<u8> {
    let sent = commands.into_iter().map(|command| match command {
        Command::Send { bytes, .. } => bytes,
        other => panic!("a writer does not say {other:?}"),
    });
    sent.collect::<Vec<_>>().concat()
}

/// Observes the exchange and writes both its messages again.
fn again(request: &[u8], response: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let steps = [Client(request), Server(response), ServerCloses(Ending::Finished)];
    let seen = run(&steps, Limits::default()).expect("the exchange is HTTP");
    let exchange = &seen.exchanges[0];
    assert_eq!(exchange.failure, None);
    if seen.handed.is_none() {
        replays(exchange);
    }
    let method = Method::of(write::request_line(&exchange.request).0);
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let written = write::request(&exchange.request).expect("the request can be written");
    written.send(Peer::Server, &mut client);
    let recorded = exchange.response.as_ref().expect("there is a response");
    let written = write::response(recorded, method).expect("the response can be written");
    written.send(Peer::Client, &mut server);
    (bytes_of(client), bytes_of(server))
}

#[track_caller]
fn comes_back(request: &[u8], response: &[u8]) {
    let (client, server) = again(request, response);
    assert_eq!(String::from_utf8_lossy(&client), String::from_utf8_lossy(request));
    assert_eq!(String::from_utf8_lossy(&server), String::from_utf8_lossy(response));
}

/// Replays a recorded exchange from a requester to a responder: each must read from the other what
/// was recorded.
fn replays(exchange: &Exchange) {
    let id = ExchangeId(1);
    let mut requester = Http.requester(Limits::default());
    let mut responder = Http.responder(Limits::default());
    let request = Event::Request { id, request: &exchange.request, recorded: None, at: NOW };
    let bytes = bytes_of(give(&mut requester, request));
    let asked = give(&mut responder, event(&Client(&bytes)));
    let [Command::Ask { request, .. }] = asked.as_slice() else { panic!("no request: {asked:?}") };
    assert_eq!(request, &exchange.request);
    let response = exchange.response.clone().expect("there is a response");
    let answer = Event::Answer { id, answer: Answer::Response(response), at: NOW };
    let mut said = give(&mut responder, answer);
    let ends = said.pop_if(|last| matches!(last, Command::Close { .. })).is_some();
    let mut emitted = give(&mut requester, event(&Server(&bytes_of(said))));
    if ends {
        emitted.extend(give(&mut requester, event(&ServerCloses(Ending::Finished))));
    }
    let [Command::Emit { exchange: again, .. }, ..] = emitted.as_slice() else {
        panic!("no response: {emitted:?}")
    };
    assert_eq!(&**again, exchange);
}

#[test]
fn messages_of_every_framing() {
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for response in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nA: b\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\nT: u\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
        b"HTTP/1.1 200 \r\n\r\n",
        b"HTTP/1.0 299 Odd\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\nETag: \"a\"\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: 1\r\nB: \xe9\r\nA: 2\r\nA: 3\r\nContent-Length: 0\r\n\r\n",
    ] {
        comes_back(get, response);
    }
    let head = b"HEAD / HTTP/1.1\r\n\r\n";
    comes_back(head, b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nA: b\r\n\r\n");
    comes_back(head, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    comes_back(b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n");
    comes_back(
        b"PATCH /a%20b?c HTTP/1.1\r\nContent-Length: 0\r\nA: b\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    );
    comes_back(
        b"POST / HTTP/1.0\r\nA: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    );
}

/// Names from a small set, so that repetition is common.
fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![Just("A".to_owned()), Just("a".to_owned()), "X-[A-Za-z]{1,3}"];
    let value = prop_oneof![
        "([!-~]([ -~]{0,8}[!-~])?)?".prop_map(String::into_bytes),
        proptest::collection::vec(0x80u8..=0xff, 1..4),
        "[é漢]{1,3}".prop_map(String::into_bytes),
    ];
    (name, value)
}

fn headers() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(header(), 0..6).prop_map(|list| {
        let lines = list
            .into_iter()
            .map(|(name, value)| [name.as_bytes(), b": ", value.as_slice(), b"\r\n"].concat());
        lines.collect::<Vec<_>>().concat()
    })
}

/// Content types with content that is often, but not always, of that type.
fn content() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let kind = prop_oneof![
        Just(""),
        Just("Content-Type: application/json\r\n"),
        Just("Content-Type: application/x-www-form-urlencoded\r\n"),
        Just("Content-Type: multipart/mixed; boundary=b\r\n"),
        Just("Content-Type: text/plain\r\n"),
    ];
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        r#"[\[{]["a-c0-9:, \n\\u/\]}]{0,12}[\]}]\n?"#.prop_map(String::into_bytes),
        r#"\{("a": ?[0-9],){0,1}"b": ?\[1, ?2\]\}\n?"#.prop_map(String::into_bytes),
        "([a-c%20+é]{0,3}=[a-c%20+]{0,4}&?){0,4}".prop_map(String::into_bytes),
        "(--b\r\n(A: b\r\n)?\r\n[a-c\r\n-]{0,6}\r\n){0,3}--b--(\r\n)?".prop_map(String::into_bytes),
    ];
    (kind, body)
}

/// A body in one of the framings, after its header lines.
fn framed(headers: &[u8], kind: &str, body: &[u8], chunked: bool) -> Vec<u8> {
    let mut out = [headers, kind.as_bytes()].concat();
    if chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        if !body.is_empty() {
            out.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            out.extend_from_slice(body);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
    } else {
        out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(body);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_message_comes_back(
        target in "/[!-~]{0,12}",
        fields in (headers(), headers()),
        contents in (content(), content()),
        chunked in any::<(bool, bool)>(),
        status in 200u16..=599,
    ) {
        prop_assume!(status != 204 && status != 304);
        let request = framed(&fields.0, contents.0.0, &contents.0.1, chunked.0);
        let request = [format!("POST {target} HTTP/1.1\r\n").as_bytes(), &request].concat();
        let response = framed(&fields.1, contents.1.0, &contents.1.1, chunked.1);
        let response = [format!("HTTP/1.1 {status} R\r\n").as_bytes(), &response].concat();
        let (client, server) = again(&request, &response);
        prop_assert_eq!(client, request);
        prop_assert_eq!(server, response);
    }

    #[test]
    fn no_input_panics_and_facets_take_all(
        client in proptest::collection::vec(any::<u8>(), 0..200),
        server in proptest::collection::vec(any::<u8>(), 0..200),
        good in any::<bool>(),
    ) {
        let start: &[u8] = if good { b"POST /?a HTTP/1.1\r\nContent-Length: 3\r\n\r\n" } else { b"" };
        let client = [start, &client].concat();
        let answer: &[u8] = if good { b"HTTP/1.1 200 OK\r\nContent-Type: " } else { b"" };
        let server = [answer, &server].concat();
        let steps = [Client(&client), Server(&server), ServerCloses(Ending::Reset)];
        if let Ok(seen) = run(&steps, SMALL) {
            for exchange in seen.exchanges {
                Http.facets().request(&exchange.request);
                Http.facets().response(&exchange.request, &exchange.response.unwrap_or_default());
            }
        }
        let _ = Http.responder(SMALL).handle(event(&Client(&client)), &mut Vec::new());
    }
}
