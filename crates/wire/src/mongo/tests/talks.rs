//! What is told of commands and replies, and what of a command identifies it.

use super::super::Mongo;
use super::super::checksum::crc32c;
use super::*;

#[test]
fn a_conversation_is_read_as_people_would_tell_it() {
    let lines = conversation();
    let expected = [
        r#"{"mongodb":"hello admin"}"#,
        r#"{"mongodb":"insert shop.orders","documents":[{"_id":1},{"_id":2}],"options":{"ordered":true}}"#,
        r#"{"mongodb":"find shop.orders","filter":{"a":{"$gt":1}}}"#,
        r#"{"mongodb":"update shop.orders","updates":[{"q":{"a":1},"u":{"$set":{"b":2}}}],"transaction":"begins"}"#,
        r#"{"mongodb":"commitTransaction admin"}"#,
    ];
    assert_eq!(requests(&lines), expected);
    let expected = [
        r#"{"fields":{"maxWireVersion":21,"readOnly":false,"isWritablePrimary":true}}"#,
        r#"{"n":2}"#,
        r#"{"documents":[{"_id":1,"a":{"$numberLong":"5"}}]}"#,
        r#"{"n":1,"nModified":1}"#,
        "{}",
    ];
    assert_eq!(responses(&lines), expected);
}

#[test]
fn a_responder_says_what_the_server_said() {
    let expected = [
        r#"{"maxWireVersion":21,"readOnly":false,"isWritablePrimary":true,"ismaster":true,"helloOk":true,"connectionId":1,"ok":1.0}"#,
        r#"{"n":2,"ok":1.0}"#,
        r#"{"cursor":{"firstBatch":[{"_id":1,"a":{"$numberLong":"5"}}],"id":{"$numberLong":"0"},"ns":"shop.orders"},"ok":1.0}"#,
        r#"{"n":1,"nModified":1,"ok":1.0}"#,
        r#"{"ok":1.0}"#,
        r#"{"ok":1.0}"#,
    ];
    assert_eq!(replayed(&conversation()), expected);
}

#[test]
fn replies_name_the_command_and_come_in_its_form() {
    let mut answers = vec![Answer::Response(Map::new()); 2];
    let lines = [legacy_hello(7), (Client, with_checksum(flagged(8, 0, 0, FIND)))];
    let sent = respond(&lines, usize::MAX, &mut answers);
    let heads: Vec<&[u8]> = sent.iter().map(|message| &message[4..16]).collect();
    assert_eq!(heads[0], [1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(heads[1], [2, 0, 0, 0, 8, 0, 0, 0, 0xdd, 7, 0, 0]);
    let (covered, sum) = sent[1].split_last_chunk::<4>().unwrap();
    assert_eq!(crc32c(&[covered]), u32::from_le_bytes(*sum));
    assert_eq!(u32::try_from(sent[1].len()).unwrap().to_le_bytes(), sent[1][..4]);
}

#[test]
fn a_server_of_a_cluster_tells_the_time_and_recordings_do_not() {
    let hello = asks(1, r#"{"hello":1,"$db":"admin"}"#);
    let ping = asks(2, r#"{"ping":1,"$db":"admin"}"#);
    let greeted = |fields| Answer::Response(Map::from([("fields", Value::Map(map(fields)))]));
    let told = |fields| {
        let mut answers = vec![greeted(fields), Answer::Response(Map::new())];
        documents(&respond(&[hello.clone(), ping.clone()], usize::MAX, &mut answers))
    };
    for said in told(r#"{"setName":"rs","isWritablePrimary":true}"#) {
        let said = map(&said);
        assert!(said.get("operationTime").is_some() && said.get("$clusterTime").is_some());
        assert!(
            responses(&[ping.clone(), says(3, 2, &json::to_string(&said.into()))])[0]
                .find("Time")
                .is_none()
        );
    }
    assert!(told(r#"{"isWritablePrimary":true}"#).iter().all(|said| !said.contains("Time")));
}

#[test]
fn an_unacknowledged_write_has_no_reply() {
    let write =
        r#"{"delete":"log","deletes":[{"q":{},"limit":0}],"writeConcern":{"w":0},"$db":"shop"}"#;
    let lines = [(Client, flagged(1, 0, 2, write)), asks(2, FIND), says(3, 2, FOUND)];
    assert_eq!(responses(&lines)[0], "{}");
    assert_eq!(replayed(&lines).len(), 1);
}

#[test]
fn what_identifies_a_command_is_its_keys_and_not_its_values() {
    let facets = Mongo.facets();
    let of = |text: &str| facets.identity(&map(text));
    let find = |filter: &str| of(&format!(r#"{{"mongodb":"find shop.orders","filter":{filter}}}"#));
    assert_eq!(find(r#"{"a":1}"#), find(r#"{"a":"x"}"#));
    assert_eq!(find(r#"{"_id":{"$oid":"a"}}"#), find(r#"{"_id":7}"#));
    assert_eq!(find(r#"{"a":{"$in":[1,2,3]}}"#), find(r#"{"a":{"$in":[9]}}"#));
    assert_ne!(find(r#"{"a":1}"#), find(r#"{"b":1}"#));
    assert_ne!(find(r#"{"a":{"$gt":1}}"#), find(r#"{"a":{"$lt":1}}"#));
    let insert = |documents: &str| {
        of(&format!(r#"{{"mongodb":"insert shop.orders","documents":{documents}}}"#))
    };
    assert_eq!(insert(r#"[{"a":1}]"#), insert(r#"[{"b":1}]"#), "named by the difference");
    let timed = map(r#"{"mongodb":"ping admin","options":{"maxTimeMS":7,"comment":"x"}}"#);
    assert_eq!(facets.request(&timed), value(r#"{"mongodb":"ping admin"}"#));
    let reads = |text: &str| facets.repeatable(&map(text));
    assert!(reads(r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$match":{}}]}"#));
    assert!(!reads(r#"{"mongodb":"aggregate shop.orders","pipeline":[{"$out":"x"}]}"#));
    assert!(!reads(r#"{"mongodb":"getMore shop.orders","cursor":7}"#));
    assert!(!reads(r#"{"mongodb":"insert shop.orders"}"#));
    for (comment, id) in [
        (r#""traceparent='00-abc-def-01'""#, &["abc"][..]),
        (r#"{"traceparent":"00-abc-def-01"}"#, &["abc"]),
        (r#""by name""#, &[]),
    ] {
        let text = format!(r#"{{"mongodb":"ping admin","options":{{"comment":{comment}}}}}"#);
        assert_eq!(facets.trace(&map(&text)), id);
    }
}

#[test]
fn what_is_of_another_kind_than_usual_stands_where_anything_may() {
    let odd = r#"{"insert":"orders","documents":7,"upsert":1,"sort":"x","$db":"shop"}"#;
    let more = r#"{"getMore":1.5,"collection":"orders","$db":"shop"}"#;
    let told = r#"{"upserted":7,"n":"x","cursor":{"firstBatch":{},"ns":5},"ok":1.0}"#;
    let lines = [asks(1, odd), says(2, 1, told), asks(3, more), says(4, 3, r#"{"ok":1.0}"#)];
    let expected = [
        r#"{"mongodb":"insert shop.orders","options":{"documents":7,"upsert":1,"sort":"x"}}"#,
        r#"{"mongodb":"getMore shop.orders","options":{"getMore":1.5}}"#,
    ];
    assert_eq!(requests(&lines), expected);
    let expected = r#"{"n":"x","fields":{"upserted":7,"cursor":{"firstBatch":{},"ns":5}}}"#;
    assert_eq!(responses(&lines)[0], expected);
}

#[test]
fn proofs_and_passwords_are_not_recorded() {
    let start = r#"{"saslStart":1,"mechanism":"SCRAM-SHA-256","payload":{"$binary":{"base64":"bixv","subType":"00"}},"$db":"admin"}"#;
    let last = r#"{"saslContinue":1,"conversationId":1,"payload":{"$binary":{"base64":"cHJvb2Y=","subType":"00"}},"$db":"admin"}"#;
    let user = r#"{"createUser":"bob","pwd":"hunter2","roles":["read"],"$db":"shop"}"#;
    let lines = [
        asks(1, start),
        says(11, 1, r#"{"conversationId":1,"done":false,"payload":"c2FsdA==","ok":1.0}"#),
        asks(2, last),
        says(12, 2, r#"{"conversationId":1,"done":true,"payload":"dj1z","ok":1.0}"#),
        asks(3, user),
        says(13, 3, r#"{"ok":1.0}"#),
        asks(4, start),
        says(14, 4, r#"{"ok":0.0,"errmsg":"no","code":18,"codeName":"AuthenticationFailed"}"#),
    ];
    let expected = [
        r#"{"mongodb":"authenticate admin"}"#,
        r#"{"mongodb":"createUser shop.bob","options":{"roles":["read"]}}"#,
        r#"{"mongodb":"authenticate admin"}"#,
    ];
    assert_eq!(requests(&lines), expected);
    assert_eq!(responses(&lines)[0], "{}");
    assert!(responses(&lines)[2].contains("AuthenticationFailed"));
}

#[test]
fn it_is_recognised_by_its_first_bytes() {
    let (_, hello) = legacy_hello(1);
    assert_eq!(Mongo.detect(&hello, b""), Verdict::Yes);
    assert_eq!(Mongo.detect(&asks(1, FIND).1, b""), Verdict::Yes);
    for length in 0..16 {
        assert_eq!(Mongo.detect(&hello[..length], b""), Verdict::NeedMore);
    }
    for other in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"*1\r\n$4\r\nPING\r\n",
        &[0; 16],
    ] {
        assert_eq!(Mongo.detect(other, b""), Verdict::No);
    }
}
