//! What is seen of a connection.

use super::*;
use Ending::{Finished, Reset};
use Peer::{Client, Server};

const RATES: &str = r#"{"http":"GET /rates","version":"2","headers":{"host":"shop"}}"#;

#[test]
fn streams_are_exchanges_that_look_like_those_of_http_1() {
    let lines = [
        client(&[opening(), head(1, POST), last(3, GET)]),
        server(&[frame(SETTINGS, 0, 0, &[]), head(3, OK)]),
        client(&[part(1, b"{\"cents\""), end(1, b":7}")]),
        server(&[head(1, OK), part(1, b"{\"paid\":"), part(3, b"[1.10")]),
        server(&[end(3, b"]"), part(1, b"true}"), end(1, b"")]),
    ];
    let kind = r#""content-type":"application/json""#;
    check(
        &lines,
        &[],
        &[
            &format!(r#"3 {RATES} -> {{"status":200,"headers":{{{kind}}},"body":[1.10]}}"#),
            &format!(
                r#"1 {{"http":"POST /charges","version":"2","headers":{{"host":"shop",{kind}}},"body":{{"cents":7}}}} -> {{"status":200,"headers":{{{kind}}},"body":{{"paid":true}}}}"#
            ),
        ],
    );
}

#[test]
fn hints_and_trailers_belong_to_an_exchange() {
    let lines = [
        client(&[opening(), head(1, POST), part(1, b"7"), last(1, &[("x-sum", "1")])]),
        server(&[head(1, &[(":status", "100")]), head(1, &[(":status", "103"), ("link", "a")])]),
        server(&[head(1, &[(":status", "200")]), part(1, b"hi"), last(1, &[("x-sum", "2")])]),
    ];
    let [(_, exchange)] = &observe(&lines, &[])[..] else { panic!("one exchange") };
    assert_eq!(exchange.request.get("trailers"), Some(&map(r#"{"x-sum":"1"}"#).into()));
    let response = r#"{"status":200,"informational":[{"status":100},{"status":103,"headers":{"link":"a"}}],"body":"hi","trailers":{"x-sum":"2"}}"#;
    assert_eq!(exchange.response, Some(map(response)));
}

#[test]
fn content_is_there_when_there_is_some_or_its_length_is_said() {
    let answer = |frames: &[Vec<u8>]| {
        let lines = [client(&[opening(), last(1, GET)]), server(frames)];
        let (_, exchange) = observe(&lines, &[]).remove(0);
        json::to_string(&exchange.response.unwrap().into())
    };
    let (ok, zero) =
        (&[(":status", "200")][..], &[(":status", "200"), ("content-length", "0")][..]);
    assert_eq!(answer(&[last(1, ok)]), r#"{"status":200}"#);
    assert_eq!(answer(&[head(1, ok), end(1, b"")]), r#"{"status":200}"#);
    let empty = r#"{"status":200,"headers":{"content-length":"auto"},"body":""}"#;
    assert_eq!(answer(&[last(1, zero)]), empty);
    assert_eq!(answer(&[head(1, zero), end(1, b"")]), empty);
    let none = &[(":status", "304"), ("content-length", "9")][..];
    assert_eq!(answer(&[last(1, none)]), r#"{"status":304,"headers":{"content-length":"9"}}"#);
}

#[test]
fn cookies_are_one_field_and_authorities_are_hosts() {
    let fields =
        [GET, &[("cookie", "a=1"), ("accept", "*/*"), ("host", "shop"), ("cookie", "b=2")]];
    let lines = [
        client(&[opening(), last(1, &fields.concat())]),
        server(&[last(1, &[(":status", "204")])]),
    ];
    let wanted = r#"1 {"http":"GET /rates","version":"2","headers":{"host":"shop","cookie":"a=1; b=2","accept":"*/*"}} -> {"status":204}"#;
    check(&lines, &[], &[wanted]);
}

#[test]
fn streams_that_break_off_fail_alone() {
    let begun = client(&[opening(), last(1, GET), last(3, GET), last(5, GET), last(7, GET)]);
    let lines = [
        begun,
        server(&[reset(1), head(3, &[(":status", "200")]), part(3, b"ha"), reset(3)]),
        client(&[reset(5)]),
        server(&[end(5, b"late"), last(7, &[(":status", "204")])]),
    ];
    check(
        &lines,
        &[],
        &[
            &format!("1 {RATES} reset (INTERNAL_ERROR) nothing"),
            &format!(r#"3 {RATES} reset (INTERNAL_ERROR) {{"status":200,"body":"ha"}}"#),
            &format!("5 {RATES} timed out nothing"),
            &format!(r#"7 {RATES} -> {{"status":204}}"#),
        ],
    );
}

#[test]
fn an_answer_before_the_end_of_the_request_is_one() {
    let lines = [
        client(&[opening(), head(1, POST), part(1, b"7")]),
        server(&[last(1, &[(":status", "413")]), reset(1)]),
    ];
    let wanted = r#"1 {"http":"POST /charges","version":"2","headers":{"host":"shop","content-type":"application/json"},"body":7} -> {"status":413}"#;
    check(&lines, &[], &[wanted]);
}

#[test]
fn open_streams_end_with_the_connection() {
    let lines = [
        client(&[opening(), last(1, GET), last(3, GET)]),
        server(&[head(1, &[(":status", "200")]), part(1, b"ha")]),
    ];
    let answered = format!(r#"1 {RATES} closed {{"status":200,"body":"ha"}}"#);
    check(&lines, &[(Server, Finished)], &[&answered, &format!("3 {RATES} closed nothing")]);
    let answered = format!(r#"1 {RATES} reset {{"status":200,"body":"ha"}}"#);
    check(&lines, &[(Client, Reset)], &[&answered, &format!("3 {RATES} reset nothing")]);
    let answered = format!(r#"1 {RATES} closed {{"status":200,"body":"ha"}}"#);
    let left = format!("3 {RATES} timed out nothing");
    check(&lines, &[(Client, Finished), (Server, Finished)], &[&answered, &left]);
}

#[test]
fn streams_above_the_last_of_a_farewell_are_not_answered() {
    let lines = [
        client(&[opening(), last(1, GET), last(3, GET)]),
        server(&[frame(frames::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])]),
        server(&[last(1, &[(":status", "204")])]),
    ];
    let answered = format!(r#"1 {RATES} -> {{"status":204}}"#);
    check(&lines, &[], &[&format!("3 {RATES} unheard (NO_ERROR) nothing"), &answered]);
}

#[test]
fn what_concerns_nobody_is_passed_over() {
    let priority = frame(HEADERS, END_HEADERS | END_STREAM | 0x28, 1, &{
        let mut payload = vec![3, 0, 0, 0, 0, 16];
        payload.extend(section(GET));
        payload.extend([0; 3]);
        payload
    });
    let promise = [&2u32.to_be_bytes()[..], &section(GET)].concat();
    let lines = [
        client(&[opening(), frame(2, 0, 1, &[0, 0, 0, 0, 9]), priority]),
        server(&[frame(frames::PUSH_PROMISE, END_HEADERS, 1, &promise), head(2, OK), end(2, b"x")]),
        server(&[frame(0xfa, 0xff, 9, b"grease"), frame(frames::PING, 0, 0, &[1; 8])]),
        client(&[frame(frames::PING, ACK, 0, &[1; 8]), frame(SETTINGS, ACK, 0, &[])]),
        server(&[head(1, &[(":status", "200")]), frame(DATA, END_STREAM | 8, 1, b"\x02hi\0\0")]),
    ];
    check(&lines, &[], &[&format!(r#"1 {RATES} -> {{"status":200,"body":"hi"}}"#)]);
}

#[test]
fn a_section_may_be_spread_over_frames() {
    let block = section(GET);
    let lines = [
        client(&[
            opening(),
            frame(HEADERS, END_STREAM, 1, &block[..3]),
            frame(frames::CONTINUATION, 0, 1, &block[3..9]),
            frame(frames::CONTINUATION, END_HEADERS, 1, &block[9..]),
        ]),
        server(&[last(1, &[(":status", "204")])]),
    ];
    check(&lines, &[], &[&format!(r#"1 {RATES} -> {{"status":204}}"#)]);
}

#[test]
fn tunnels_are_exchanges_too() {
    let connect = &[(":method", "CONNECT"), (":authority", "db:5432")][..];
    let extended = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/chat"),
        (":authority", "shop"),
    ];
    let lines = [
        client(&[opening(), head(1, connect), head(3, &extended)]),
        server(&[head(1, &[(":status", "200")]), head(3, &[(":status", "200")]), part(1, b"b")]),
        client(&[end(1, b"a"), end(3, b"")]),
        server(&[end(1, b""), end(3, b"")]),
    ];
    let plain = r#"1 {"http":"CONNECT db:5432","version":"2","body":"a"} -> {"status":200}"#;
    let other = r#"3 {"http":"CONNECT /chat","version":"2","headers":{":protocol":"websocket","host":"shop"}} -> {"status":200,"conversation":[{"closed":{"by":"client","how":"ended"}}]}"#;
    check(&lines, &[], &[other, plain]);
}

#[test]
fn whoever_only_looks_in_is_nobodys_exchange() {
    let settings = server(&[frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 9])]);
    let looked = [(Client, Finished), (Server, Finished)];
    check(std::slice::from_ref(&settings), &looked, &[]);
    check(&[settings, client(&[opening()])], &looked, &[]);
}

#[test]
fn a_connection_may_become_http_2_with_its_first_answer() {
    let asks = b"GET /rates HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let agrees = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let lines = [
        (Client, asks.to_vec()),
        (Server, [&agrees[..], &frame(SETTINGS, 0, 0, &[]), &head(1, OK)].concat()),
        client(&[opening(), last(3, GET)]),
        server(&[end(1, b"[1.10]"), last(3, &[(":status", "204")])]),
    ];
    let kind = r#""content-type":"application/json""#;
    let asked = r#"{"http":"GET /rates","headers":{"Host":"shop","Connection":"close"}}"#;
    check(
        &lines,
        &[],
        &[
            &format!(r#"1 {asked} -> {{"status":200,"headers":{{{kind}}},"body":[1.10]}}"#),
            &format!(r#"3 {RATES} -> {{"status":204}}"#),
        ],
    );
}

#[test]
fn what_asks_for_http_2_stays_in_a_request_that_is_answered_without() {
    let asks = b"GET /rates HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let lines = [
        (Client, asks.to_vec()),
        (Server, b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        (Client, b"GET /rates HTTP/1.1\r\nHost: shop\r\n\r\n".to_vec()),
        (Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    let seen = observe(&lines, &[]);
    assert_eq!(seen.len(), 2);
    let headers = seen[0].1.request.get("headers").and_then(Value::as_map);
    assert_eq!(headers.and_then(|headers| headers.text("Upgrade")), Some("h2c"));
}
