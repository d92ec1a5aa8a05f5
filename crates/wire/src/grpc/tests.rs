//! Calls as HTTP has them and as people read them.

use super::message::{Part, Reading};
use super::{Schemas, base64, frames};
use proptest::prelude::*;
use rehearsal_model::{Map, Value, json};

const LIMIT: usize = 1 << 20;

fn map(text: &str) -> Map {
    json::parse(text).unwrap().as_map().unwrap().clone()
}

fn reading(part: Part) -> Reading<'static> {
    Reading { schemas: Schemas::builtin(), path: "/shop.Pay/Charge", part }
}

fn frame(flag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frames::write(flag, content, &mut out).unwrap();
    out
}

/// What is shown of a message with this body; it comes back as it was.
#[track_caller]
fn check(part: Part, rest: &str, body: Option<&[u8]>, shown: &str) {
    let mut recorded = map(rest);
    if let Some(body) = body {
        recorded.push_new("body", Value::from_bytes(body));
    }
    let before = recorded.clone();
    reading(part).show(&mut recorded, LIMIT);
    assert_eq!(json::to_string(&Value::Map(recorded.clone())), shown);
    let hidden = reading(part).hide(&recorded).unwrap().unwrap_or(recorded);
    let sorted = |map: &Map| {
        let mut pairs: Vec<_> = map
            .iter()
            .map(|(key, value)| {
                (key.to_owned(), value.as_bytes().map(<[u8]>::to_vec), value.clone())
            })
            .map(|(key, bytes, value)| {
                (
                    key,
                    bytes.unwrap_or_default(),
                    if value.as_bytes().is_some() { Value::Null } else { value },
                )
            })
            .collect();
        pairs.sort_by(|one, other| one.0.cmp(&other.0));
        pairs
    };
    assert_eq!(sorted(&hidden), sorted(&before));
}

#[test]
fn messages_are_shown_one_by_one() {
    let body = [frame(0, b"\x08\x05"), frame(0, b"")].concat();
    check(
        Part::Request,
        r#"{"headers":{"content-type":"application/grpc+proto"}}"#,
        Some(&body),
        r#"{"headers":{"content-type":"application/grpc+proto"},"messages":[{"1":5},{}]}"#,
    );
}

#[test]
fn a_status_is_shown_by_its_name_wherever_it_stands() {
    check(
        Part::Response,
        r#"{"headers":{"content-type":"application/grpc"},"trailers":{"grpc-status":"0","grpc-message":"","x":"y"}}"#,
        Some(&frame(0, b"")),
        concat!(
            r#"{"headers":{"content-type":"application/grpc"},"messages":[{}],"#,
            r#""trailers":{"x":"y"},"grpc":{"status":"OK","message":""}}"#
        ),
    );
    check(
        Part::Response,
        r#"{"headers":{"content-type":"application/grpc","grpc-status":"5","grpc-message":"caf%C3%A9 100%25"}}"#,
        None,
        concat!(
            r#"{"headers":{"content-type":"application/grpc","grpc-status":"auto","grpc-message":"auto"},"#,
            r#""grpc":{"status":"NOT_FOUND","message":"café 100%"}}"#
        ),
    );
    // A message that is spelled in another way stays where it is.
    check(
        Part::Response,
        r#"{"headers":{"content-type":"application/grpc"},"trailers":{"a":"b","grpc-message":"%41","grpc-status":"99"}}"#,
        None,
        concat!(
            r#"{"headers":{"content-type":"application/grpc"},"#,
            r#""trailers":{"a":"b","grpc-message":"%41","grpc-status":"auto"},"grpc":{"status":99}}"#
        ),
    );
}

#[test]
fn details_are_shown_decoded() {
    let info = b"\x0a\x03WHY\x12\x04shop";
    let mut any = b"\x0a\x28type.googleapis.com/google.rpc.ErrorInfo\x12".to_vec();
    any.push(info.len() as u8);
    any.extend_from_slice(info);
    let mut status = b"\x08\x05\x12\x04gone\x1a".to_vec();
    status.push(any.len() as u8);
    status.extend_from_slice(&any);
    let trailers = format!(
        r#"{{"headers":{{"content-type":"application/grpc"}},"trailers":{{"grpc-status":"5","grpc-message":"gone","grpc-status-details-bin":"{}"}}}}"#,
        base64::encode(&status)
    );
    check(
        Part::Response,
        &trailers,
        None,
        concat!(
            r#"{"headers":{"content-type":"application/grpc"},"grpc":{"status":"NOT_FOUND","message":"gone","#,
            r#""details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"WHY","domain":"shop"}]}}"#
        ),
    );
}

#[test]
fn the_trailers_of_the_web_are_in_the_content() {
    for (text, encode) in [("", false), ("-text", true)] {
        let body = [frame(0, b"\x08\x05"), frame(0x80, b"grpc-status:0\r\nx:y\r\n")].concat();
        let body = if encode { base64::encode_padded(&body).into_bytes() } else { body };
        check(
            Part::Response,
            &format!(r#"{{"headers":{{"content-type":"application/grpc-web{text}"}}}}"#),
            Some(&body),
            &format!(
                concat!(
                    r#"{{"headers":{{"content-type":"application/grpc-web{}"}},"messages":[{{"1":5}}],"#,
                    r#""web-trailers":"plain","trailers":{{"x":"y"}},"grpc":{{"status":"OK"}}}}"#
                ),
                text
            ),
        );
    }
}

#[test]
fn compressed_messages_are_shown_plain_and_bombs_as_they_came() {
    let coding = super::coding::Coding::Gzip;
    let headers = r#"{"headers":{"content-type":"application/grpc","grpc-encoding":"gzip"}}"#;
    let body = [frame(1, &coding.encode(b"\x08\x05").unwrap()), frame(0, b"\x08\x06")].concat();
    check(
        Part::Request,
        headers,
        Some(&body),
        concat!(
            r#"{"headers":{"content-type":"application/grpc","grpc-encoding":"gzip"},"#,
            r#""messages":[{"1":5},{"1":6}],"compressed":[0]}"#
        ),
    );
    let bomb = frame(1, &coding.encode(&vec![0; LIMIT + 1]).unwrap());
    let mut recorded = map(headers);
    recorded.push_new("body", Value::Bytes(bomb.clone()));
    reading(Part::Request).show(&mut recorded, LIMIT);
    assert_eq!(recorded.get("body"), Some(&Value::Bytes(bomb)));
}

#[test]
fn what_an_edit_breaks_is_refused_by_its_place() {
    let fails = |text: &str| reading(Part::Response).hide(&map(text)).unwrap_err();
    assert_eq!(
        fails(r#"{"headers":{"content-type":"application/grpc"},"messages":[{},{"amount":1}]}"#),
        "messages[1].amount: it is no field number, and no schema tells what it is"
    );
    assert!(
        fails(r#"{"headers":{"content-type":"application/grpc"},"grpc":{"status":"NOTFOUND"}}"#)
            .starts_with(r#"grpc.status is "NOTFOUND"; the codes are OK, CANCELLED"#)
    );
    assert_eq!(
        fails(r#"{"messages":[]}"#),
        "messages and grpc need a content-type such as application/grpc"
    );
}

proptest! {
    #[test]
    fn any_content_comes_back_or_stays(
        body in prop::collection::vec(any::<u8>(), 0..60),
        lengths in prop::collection::vec(0usize..8, 0..5),
        web in any::<bool>(),
        pieces in 1usize..7,
    ) {
        let mut rest = body.as_slice();
        let mut framed = Vec::new();
        for length in &lengths {
            let (message, others) = rest.split_at(rest.len().min(*length));
            framed.extend(frame(0, message));
            rest = others;
        }
        let mut counter = frames::Counter::default();
        framed.chunks(pieces).for_each(|piece| _ = counter.push(piece));
        prop_assert_eq!(counter.complete(), lengths.len());
        for body in [body, framed] {
            let kind = if web { "application/grpc-web" } else { "application/grpc" };
            let mut recorded = Map::from([
                ("headers", Value::from(Map::from([("content-type", kind)]))),
                ("body", Value::Bytes(body.clone())),
            ]);
            reading(Part::Response).show(&mut recorded, LIMIT);
            let hidden = reading(Part::Response).hide(&recorded).unwrap().unwrap_or(recorded);
            prop_assert_eq!(hidden.get("body"), Some(&Value::Bytes(body)));
        }
    }
}
