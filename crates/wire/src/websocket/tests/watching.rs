//! What is recorded of conversations.

use super::*;
use crate::damage::{check_observer, damaged, damages};
use Peer::{Client, Server};
use proptest::prelude::*;

#[track_caller]
fn shows(lines: &[(Peer, Vec<u8>)], wanted: &str) -> Exchange {
    let (exchanges, _, failed) = observe(lines, usize::MAX, Limits::default());
    assert_eq!(failed, None);
    let [exchange] = &exchanges[..] else { panic!("{} exchanges", exchanges.len()) };
    assert_eq!(messages(exchange), wanted);
    for size in 1..24 {
        assert_eq!(observe(lines, size, Limits::default()).0, exchanges, "in pieces of {size}");
    }
    exchange.clone()
}

#[test]
fn one_connection_is_one_exchange_in_the_order_of_its_messages() {
    let lines = [
        (Client, request("")),
        (Server, [response(""), text(Server, "hi")].concat()),
        (Client, text(Client, r#"{"a": [1, 2.50]}"#)),
        (Server, text(Server, r#"{"b":"é"}"#)),
        (Client, frame(Client, 0x82, &[0, 255])),
        (Server, text(Server, "{not json")),
        (Client, text(Client, "")),
        (Client, close(Client, 1000, "done")),
        (Server, text(Server, "late")),
        (Server, close(Server, 1000, "")),
    ];
    let exchange = shows(
        &lines,
        concat!(
            r#"[{"received":"hi"},{"sent":{"a":[1,2.50]},"format":"spaced"},{"received":{"b":"é"}},"#,
            r#"{"sent":{"$base64":"AP8="}},{"received":"{not json"},{"sent":""},"#,
            r#"{"closed":{"by":"client","code":1000,"reason":"done"}},{"received":"late"}]"#
        ),
    );
    let headers = exchange.request.get("headers").unwrap().as_map().unwrap();
    assert_eq!(headers.text("Sec-WebSocket-Key"), Some("auto"));
    let headers = exchange.response.unwrap();
    let headers = headers.get("headers").unwrap().as_map().unwrap();
    assert_eq!(headers.text("Sec-WebSocket-Accept"), Some("auto"));
    let (_, stirs, _) = observe(&lines, usize::MAX, Limits::default());
    assert_eq!(stirs, 5, "one for the opening and one for each message of the client");
}

#[test]
fn fragments_are_one_message_and_pings_between_them_are_none() {
    let lines = [
        (Client, request("")),
        (Server, response("")),
        (Client, [frame(Client, 0x01, b"o\xc3"), frame(Client, 0x89, b"ping")].concat()),
        (Server, frame(Server, 0x8a, b"ping")),
        (Client, [frame(Client, 0x00, b"\xa9"), frame(Client, 0x80, b"!")].concat()),
        (Client, frame(Client, 0x88, b"")),
        (Server, frame(Server, 0x88, b"")),
    ];
    shows(&lines, r#"[{"sent":"oé!"},{"closed":{"by":"client"}}]"#);
}

#[test]
fn compressed_messages_are_read_with_what_came_before_in_mind() {
    let (mut ours, mut theirs) = (compressor(), compressor());
    let (offer, long) = ("permessage-deflate; client_max_window_bits", "price ".repeat(40));
    let asked = format!(r#"{{"ask":"{long}"}}"#);
    let first = deflated(&mut ours, asked.as_bytes());
    let second = deflated(&mut ours, asked.as_bytes());
    assert!(second.len() < first.len(), "the second refers to the first");
    let halves = second.split_at(second.len() / 2);
    let answer = deflated(&mut theirs, asked.as_bytes());
    let lines = [
        (Client, request(offer)),
        (Server, response("permessage-deflate; client_max_window_bits=12")),
        (Client, frame(Client, 0xc1, &first)),
        (Client, [frame(Client, 0x41, halves.0), frame(Client, 0x80, halves.1)].concat()),
        (Server, [frame(Server, 0xc1, &answer), text(Server, "plain")].concat()),
        (Client, frame(Client, 0xc1, &[0])),
        (Server, close(Server, 4001, "")),
        (Client, close(Client, 4001, "")),
    ];
    let said = format!(r#"{{"ask":"{long}"}}"#);
    shows(
        &lines,
        &format!(
            "[{{\"sent\":{said}}},{{\"sent\":{said}}},{{\"received\":{said}}},{{\"received\":\"plain\"}},\
             {{\"sent\":\"\"}},{{\"closed\":{{\"by\":\"server\",\"code\":4001}}}}]"
        ),
    );
}

#[test]
fn where_each_message_stands_alone_the_one_before_is_forgotten() {
    let terms = "permessage-deflate; server_no_context_takeover";
    let alone = || deflated(&mut compressor(), b"again and again");
    let lines = [
        (Client, request(terms)),
        (Server, response(terms)),
        (Server, [frame(Server, 0xc1, &alone()), frame(Server, 0xc1, &alone())].concat()),
        (Server, close(Server, 1001, "")),
        (Client, close(Client, 1001, "")),
    ];
    shows(
        &lines,
        concat!(
            r#"[{"received":"again and again"},{"received":"again and again"},"#,
            r#"{"closed":{"by":"server","code":1001}}]"#
        ),
    );
}

fn talk() -> Vec<(Peer, Vec<u8>)> {
    let mut state = compressor();
    let terms = "permessage-deflate";
    vec![
        (Client, request(terms)),
        (Server, [response(terms), text(Server, "hello")].concat()),
        (Client, frame(Client, 0xc1, &deflated(&mut state, b"{\"a\":1}"))),
        (Server, [frame(Server, 0x02, b"\x00"), frame(Server, 0x80, b"\x01")].concat()),
        (Client, frame(Client, 0xc1, &deflated(&mut state, b"{\"a\":1}"))),
        (Client, [frame(Client, 0x89, b"x"), close(Client, 1000, "bye")].concat()),
        (Server, close(Server, 1000, "bye")),
    ]
}

proptest! {
    #[test]
    fn damaged_conversations_end_the_same_in_whatever_pieces(damages in damages(), size in 1usize..9) {
        check_observer(&Http, &damaged(talk(), 2, &damages), size)?;
    }
}
