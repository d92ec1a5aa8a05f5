//! What an observer records.

use super::*;
use rehearsal_model::Failure;

const GET: &[u8] = b"GET /a?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn a_plain_exchange() {
    check(
        &[Client(GET), Server(OK)],
        &[r#"{"http":"GET /a?x=1","headers":{"Host":"shop"}} -> {"status":200,"body":"hi"}"#],
    );
}

#[test]
fn json_and_the_place_of_the_length() {
    check(
        &[
            Client(
                b"POST /orders HTTP/1.1\r\ncontent-length: 28\r\nContent-Type: application/json\r\n\
                  \r\n{\"sku\":\"A1\",\"price\":\"19.90\"}",
            ),
            Server(
                b"HTTP/1.1 201 Fine\r\nContent-Type: application/json\r\n\
                  Content-Length: 12\r\n\r\n{\"id\": 1.0}\n",
            ),
        ],
        &[concat!(
            r#"{"http":"POST /orders","headers":{"content-length":"auto","#,
            r#""Content-Type":"application/json"},"body":{"sku":"A1","price":"19.90"}} -> "#,
            r#"{"status":201,"reason":"Fine","headers":{"Content-Type":"application/json"},"#,
            r#""body":{"id":1.0},"body-format":"spaced newline"}"#
        )],
    );
}

#[test]
fn pipelined_requests_and_a_late_answer() {
    let three = [GET, b"\r\nHEAD /b HTTP/1.1\r\n\r\n", GET].concat();
    check(
        &[
            Client(&three),
            Server(OK),
            Server(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
            Server(OK),
        ],
        &[
            r#"{"http":"GET /a?x=1","headers":{"Host":"shop"}} -> {"status":200,"body":"hi"}"#,
            r#"{"http":"HEAD /b"} -> {"status":200,"headers":{"Content-Length":"99"}}"#,
            r#"{"http":"GET /a?x=1","headers":{"Host":"shop"}} -> {"status":200,"body":"hi"}"#,
        ],
    );
}

#[test]
fn chunks_with_extensions_and_trailers() {
    check(
        &[
            Client(
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3;a=b\r\nabc\r\n0A ; c=\"d\"\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n",
            ),
            Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ],
        &[concat!(
            r#"{"http":"POST /","headers":{"Transfer-Encoding":"chunked"},"#,
            r#""body":"abc0123456789","trailers":{"Digest":"x"}} -> "#,
            r#"{"status":200,"headers":{"Transfer-Encoding":"chunked"},"body":""}"#
        )],
    );
}

#[test]
fn headers_keep_case_order_and_repetition() {
    let exchange = one(&[
        Client(b"GET / HTTP/1.0\r\nX-B: 1\r\nX-A:2 \r\nX-A: \xff\r\nFold: a\r\n \t b\r\nEmpty:\r\n\r\n"),
        Server(b"HTTP/1.0 404 Not Found\r\nSet-Cookie: a\r\nVia: x\r\nSet-Cookie: b\r\n\r\ngone"),
        ServerCloses(Ending::Finished),
    ]);
    assert_eq!(
        line(&exchange),
        concat!(
            r#"{"http":"GET /","version":"1.0","headers":{"X-B":"1","#,
            r#""X-A":["2",{"$base64":"/w=="}],"Fold":"a b","Empty":""}} -> "#,
            r#"{"status":404,"version":"1.0","headers":[{"Set-Cookie":"a"},{"Via":"x"},"#,
            r#"{"Set-Cookie":"b"}],"body":"gone","framing":"close"}"#
        )
    );
}

#[test]
fn informational_responses_and_no_content() {
    check(
        &[
            Client(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
            Server(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                  HTTP/1.1 204 No Content\r\n\r\n",
            ),
        ],
        &[concat!(
            r#"{"http":"PUT /","headers":{"Expect":"100-continue"},"body":""} -> {"status":204,"#,
            r#""informational":[{"status":100},{"status":103,"headers":{"Link":"</a>"}}]}"#
        )],
    );
}

#[test]
fn an_upgrade_hands_the_rest_over() {
    let seen = observe(&[
        Client(b"GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nearly"),
        Server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\n\r\n\x81\x02"),
        Client(b" bird"),
    ]);
    assert_eq!(seen.handed, Some((b"early bird".to_vec(), b"\x81\x02".to_vec())));
    assert_eq!(seen.exchanges.len(), 1);
    assert_eq!(seen.reached, None);
}

#[test]
fn a_tunnel_names_whom_the_rest_is_with() {
    let connect = b"CONNECT Shop:443 HTTP/1.1\r\n\r\n";
    let seen = observe(&[Client(connect), Server(b"HTTP/1.1 200 OK\r\n\r\n\x16")]);
    assert_eq!(seen.handed, Some((Vec::new(), b"\x16".to_vec())));
    assert_eq!(seen.reached.as_deref(), Some("shop:443"));
    let no = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    let yes = b"HTTP/1.1 200 OK\r\n\r\n";
    let seen = observe(&[Client(connect), Server(no), Client(connect), Server(yes)]);
    assert_eq!((seen.exchanges.len(), seen.reached.as_deref()), (2, Some("shop:443")));
    let seen = observe(&[Client(b"CONNECT shop HTTP/1.1\r\n\r\n"), Server(yes)]);
    assert_eq!((seen.reached, seen.handed), (None, Some((Vec::new(), Vec::new()))));
}

#[test]
fn a_refused_upgrade_stays_http() {
    let upgrade = b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let seen = observe(&[Client(&[upgrade, GET].concat()), Server(OK), Server(OK)]);
    assert_eq!((seen.exchanges.len(), seen.begun, seen.handed), (2, 2, None));
}

#[test]
fn what_breaks_off_is_recorded_as_far_as_it_came() {
    let early = one(&[Client(GET), ServerCloses(Ending::Finished)]);
    assert_eq!((early.failure, early.response), (Some(Failure::Closed), None));
    let reset = one(&[
        Client(b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxy"),
        ServerCloses(Ending::Reset),
    ]);
    assert_eq!(reset.failure, Some(Failure::Reset));
    assert_eq!(reset.request.text("body"), Some("abc"));
    assert_eq!(reset.response.as_ref().and_then(|response| response.text("body")), Some("xy"));
    let gone = one(&[Client(GET), ClientCloses(Ending::Reset)]);
    assert_eq!(gone.failure, Some(Failure::Reset));
}

#[test]
fn an_answer_before_the_end_of_the_request_is_an_answer() {
    let exchange = one(&[
        Client(b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"),
        Server(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"),
        ServerCloses(Ending::Finished),
    ]);
    assert_eq!(exchange.failure, None);
    assert_eq!(exchange.response.and_then(|it| it.get("status")?.as_i64()), Some(413));
}

#[test]
fn a_client_that_has_finished_may_wait_for_its_answer_or_not() {
    let exchange = one(&[Client(GET), ClientCloses(Ending::Finished), Server(OK)]);
    assert_eq!(exchange.failure, Some(Failure::TimedOut));
    assert_eq!(exchange.response.and_then(|it| it.get("status")?.as_i64()), Some(200));
    let (head, rest) = OK.split_at(9);
    let begun = [Client(GET), Server(head), ClientCloses(Ending::Finished), Server(rest)];
    assert_eq!(one(&begun).failure, None);
}

#[test]
fn a_client_that_leaves_before_the_server_gave_up() {
    let (left, gone) = (ClientCloses(Ending::Finished), ServerCloses(Ending::Finished));
    let exchange = one(&[Client(GET), left, gone]);
    assert_eq!((exchange.failure, exchange.response), (Some(Failure::TimedOut), None));
}

#[test]
fn half_a_head_is_no_exchange() {
    let seen = observe(&[Client(b"GET / HT"), ClientCloses(Ending::Reset)]);
    assert_eq!((seen.begun, seen.exchanges.len()), (1, 0));
}

#[test]
fn a_large_body_is_counted_and_hashed() {
    let body = vec![b'x'; 100];
    let request = [b"PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\n".as_slice(), &body].concat();
    let seen = observe_within(&[Client(&request), Server(OK)], SMALL);
    let line = line(&seen.exchanges[0]);
    let hash = "09ecb6ebc8bcefc733f6f2ec44f791abeed6a99edf0cc31519637898aebd52d8";
    let expected = format!(
        r#"{{"http":"PUT /","omitted":{{"length":100,"sha256":"{hash}"}}}} -> {{"status":200,"body":"hi"}}"#
    );
    assert_eq!(line, expected);
}

#[test]
fn detection_waits_for_the_version() {
    use crate::Verdict::{self, NeedMore, No, Yes};
    let detect = |client: &[u8], server: &[u8]| -> Verdict { Http.detect(client, server) };
    for end in 0..GET.iter().position(|byte| *byte == b'\r').unwrap_or(0) {
        assert_eq!(detect(&GET[..end], b""), NeedMore);
    }
    assert_eq!(detect(GET, b""), Yes);
    assert_eq!(detect(b"\r\nGET / HTTP/1.0\r\n", b""), Yes);
    assert_eq!(detect(b"", b"220 mail ready\r\n"), No);
    assert_eq!(detect(b"EHLO me", b"220 mail ready\r\n"), No);
    for other in [
        b"PRI * HTTP/2.0\r\n\r\nGET".as_slice(),
        b"\x16\x03\x01\x02\x00",
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"GET /\r\n",
        b"GET HTTP/1.1\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"AMQP\0\0\x09\x01",
    ] {
        assert_eq!(detect(other, b""), No, "{:?}", String::from_utf8_lossy(other));
    }
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x10\0\0";
    for end in 0..preface.len() {
        assert_eq!(detect(&preface[..end], b""), NeedMore);
        assert_eq!(detect(&preface[..end], &settings[..end.min(8)]), NeedMore);
    }
    // Somebody may look whether a server is there, and leave without a word.
    assert_eq!(detect(b"", settings), Yes);
    assert_eq!(detect(b"", b"\0\0\x05\x04\0\0\0\0\0"), No);
    assert_eq!(detect(preface, settings), Yes);
}
