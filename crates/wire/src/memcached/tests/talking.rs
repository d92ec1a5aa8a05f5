//! Conversations, what is compared of them, and bytes that are none.

use super::super::Memcached;
use super::{check, lines, observe, respond};
use crate::{Ending, Event, Limits, Peer, Protocol, Verdict};
use rehearsal_model::{Failure, Map, Moment, Value, json};

#[test]
fn the_text_protocol() {
    check(
        "
        > set cart:7 0 60 5|a| b|
        < STORED|
        > get cart:7 nobody|
        < VALUE cart:7 0 5|a| b|END|
        > gets cart:7|
        < VALUE cart:7 16 2 99|{}|END|
        > cas cart:7 16 0 2 99|[]|
        < EXISTS|
        > gat 10 nobody|
        < END|
        > incr n 18446744073709551615|decr n 1|incr none 1|
        < 18446744073709551615|5|NOT_FOUND|
        > set quiet 0 0 1 noreply|x|delete quiet noreply|touch cart:7 9|
        < TOUCHED|
        > stats|
        < STAT pid 1|STAT version 1.6|END|
        > stats reset|
        < RESET|
        > incr cart:7 x|
        < CLIENT_ERROR invalid numeric delta argument|
        > nonsense|
        < ERROR|
        > version|flush_all|quit|
        < VERSION 1.6|OK|
        ",
        r#"
        {"memcached":"set cart:7 0 60","value":"a\r\n b"} {"status":"STORED"}
        {"memcached":"get cart:7 nobody"} {"values":[{"key":"cart:7","value":"a\r\n b"}]}
        {"memcached":"gets cart:7"} {"values":[{"key":"cart:7","flags":"16","cas":"99","value":"{}"}]}
        {"memcached":"cas cart:7 16 0 99","value":"[]"} {"status":"EXISTS"}
        {"memcached":"gat 10 nobody"} {"values":[]}
        {"memcached":"incr n 18446744073709551615"} {"number":18446744073709551615}
        {"memcached":"decr n 1"} {"number":5}
        {"memcached":"incr none 1"} {"status":"NOT_FOUND"}
        {"memcached":"set quiet 0 0 noreply","value":"x"} {}
        {"memcached":"delete quiet noreply"} {}
        {"memcached":"touch cart:7 9"} {"status":"TOUCHED"}
        {"memcached":"stats"} {"stats":{"pid":"1","version":"1.6"}}
        {"memcached":"stats reset"} {"status":"RESET"}
        {"memcached":"incr cart:7 x"} {"error":"CLIENT_ERROR invalid numeric delta argument"}
        {"memcached":"nonsense"} {"error":"ERROR"}
        {"memcached":"version"} {"status":"VERSION 1.6"}
        {"memcached":"flush_all"} {"status":"OK"}
        {"memcached":"quit"} {}
        "#,
    );
}

#[test]
fn meta_commands_and_their_silence() {
    check(
        "
        > ms a 2 T60 F5|hi|
        < HD|
        > mg a v f t k Oabc|
        < VA 2 f5 t60 ka Oabc|hi|
        > mg nobody v|
        < EN|
        > mg a v k q|mg x v k q|mg b v k q|mn|
        < VA 2 ka|hi|VA 1 kb|y|MN|
        > ms c 1 q|z|md nobody q|ma n q D2|mg a s O1 q|mn|
        < HD s2 O1|MN|
        > ms q 1 q|x|ms r 1|y|mg q v k q|
        < HD|VA 1 kq|x|
        > ma n v|
        < VA 1|7|
        > me a|
        < ME a exp=-1 la=0|
        ",
        r#"
        {"memcached":"ms a T60 F5","value":"hi"} {"status":"HD"}
        {"memcached":"mg a v f t k Oabc"} {"status":"VA f5 t60 ka Oabc","value":"hi"}
        {"memcached":"mg nobody v"} {"status":"EN"}
        {"memcached":"mg a v k q"} {"status":"VA ka","value":"hi"}
        {"memcached":"mg x v k q"} {}
        {"memcached":"mg b v k q"} {"status":"VA kb","value":"y"}
        {"memcached":"mn"} {"status":"MN"}
        {"memcached":"ms c q","value":"z"} {}
        {"memcached":"md nobody q"} {}
        {"memcached":"ma n q D2"} {}
        {"memcached":"mg a s O1 q"} {"status":"HD s2 O1"}
        {"memcached":"mn"} {"status":"MN"}
        {"memcached":"ms q q","value":"x"} {}
        {"memcached":"ms r","value":"y"} {"status":"HD"}
        {"memcached":"mg q v k q"} {"status":"VA kq","value":"x"}
        {"memcached":"ma n v"} {"status":"VA","value":"7"}
        {"memcached":"me a"} {"status":"ME a exp=-1 la=0"}
        "#,
    );
}

#[test]
fn a_mark_is_that_of_who_asks() {
    let recorded = lines("> mg a v O1|\n< VA 1 O1|x|");
    let seen = observe(&recorded, usize::MAX, None);
    let again = lines("> mg a v O77|");
    assert_eq!(respond(&again, usize::MAX, &seen), b"VA 1 O77\r\nx\r\n");
}

#[test]
fn what_broke_off_breaks_off_again() {
    let lines = lines("> get a|get b|\n< END|");
    let seen = observe(&lines, usize::MAX, Some((Peer::Server, Ending::Reset)));
    assert_eq!(seen[1].failure, Some(Failure::Reset));
    assert_eq!(respond(&lines, usize::MAX, &seen), b"END\r\n");
    assert_eq!(respond(&lines, 7, &[]), b"SERVER_ERROR no mock\r\nSERVER_ERROR no mock\r\n");
}

#[track_caller]
fn form(line: &str, value: Option<&str>, expected: &str) {
    let mut request = Map::from([("memcached", line)]);
    if let Some(value) = value {
        request.insert("value", value);
    }
    assert_eq!(json::to_string(&Memcached.facets().request(&request)), expected);
}

#[test]
fn arguments_are_named_by_what_they_mean() {
    form(
        "set a 0 60 noreply",
        Some(r#"{"total": 1.50}"#),
        r#"{"command":"set","noreply":true,"key":"a","flags":"0","expires":"60","value":{"total":1.50}}"#,
    );
    form("get a b", None, r#"{"command":"get","keys":["a","b"]}"#);
    form("gat 9 a", None, r#"{"command":"gat","expires":"9","keys":["a"]}"#);
    form("mg a v O12 k", None, r#"{"command":"mg","key":"a","flags":["v","k"]}"#);
    form("mn", None, r#"{"command":"mn"}"#);
    form("stats items", None, r#"{"command":"stats","arguments":["items"]}"#);
    let facets = Memcached.facets();
    let all = |line: &str| {
        let request = Map::from([("memcached", line)]);
        (facets.operation(&request), facets.repeatable(&request), facets.sets_up(&request))
    };
    assert_eq!(all("get cart:7 x"), ("get cart:7".to_owned(), true, false));
    assert_eq!(all("set cart:7 0 0"), ("set cart:7".to_owned(), false, false));
    assert_eq!(all("mg a T30"), ("mg a".to_owned(), false, false));
    assert_eq!(all("version"), ("version".to_owned(), true, true));
    assert_ne!(facets.request(&Map::new()), facets.request(&Map::from([("memcached", "mn")])));
}

#[test]
fn a_connection_is_known_by_its_first_line_or_the_reply() {
    let detect = |client: &[u8], server: &[u8]| Memcached.detect(client, server);
    assert_eq!(detect(b"set a 0 0 1 noreply\r\nx\r\n", b""), Verdict::Yes);
    assert_eq!(detect(b"set a 0 -1 1\r\n", b""), Verdict::Yes);
    assert_eq!(detect(b"set a b c d\r\n", b""), Verdict::No);
    assert_eq!(detect(b"mg a v\r\n", b""), Verdict::Yes);
    assert_eq!(detect(b"get a\r\n", b""), Verdict::NeedMore);
    assert_eq!(detect(b"get a\r\n", b"$-1\r\n"), Verdict::No);
    assert_eq!(detect(b"get a\r\n", b"END\r\n"), Verdict::Yes);
    assert_eq!(detect(b"version\r\n", b"VERS"), Verdict::NeedMore);
    assert_eq!(detect(b"incr a 1\r\n", b"7\r\n"), Verdict::Yes);
    assert_eq!(detect(b"\x80\x00", b""), Verdict::No);
    assert_eq!(detect(b"", b"220 mail\r\n"), Verdict::No);
}

#[test]
fn lies_are_errors() {
    let error = |text: &str| {
        let mut session = Memcached.observer(Limits { body: 100, ..Limits::default() });
        let mut result = Ok(());
        for (from, bytes) in &lines(text) {
            let event = Event::Data { from: *from, bytes, at: Moment(1) };
            result = result.and_then(|()| session.handle(event, &mut Vec::new()));
        }
        result.expect_err("something is wrong with it").to_string()
    };
    assert!(error("> set a 0 0 1|xyz|").contains("longer than it says"));
    assert!(error("> set a 0 0 999999999999|").contains("larger than 100"));
    assert!(error("> get a|\n< VALUE a 0 999|").contains("larger than 100"));
    assert!(error("> get a|\n< END|END|").contains("nobody asked for"));
    assert!(error("> get a|\n< VALUE a 0 60|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|VALUE a 0 60|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|").contains("larger than 100"));
    let long = format!("> get {}", "x".repeat(300_000));
    assert!(error(&long).contains("a line is larger"));
}

#[test]
fn what_no_reply_can_be_is_refused_with_its_key() {
    let refused = |reply: Value| {
        let Value::Map(reply) = reply else { panic!("a map") };
        super::super::reply::write(&reply, &mut Vec::new()).unwrap_err().to_string()
    };
    let parse = |text: &str| json::parse(text).unwrap();
    assert!(refused(parse(r#"{"number": "x"}"#)).contains("`number` must be an integer"));
    assert!(refused(parse(r#"{"values": "x"}"#)).contains("`values` must be a list"));
    assert!(refused(parse(r#"{"values": [{"key": "a"}]}"#)).contains("without `value`"));
    assert!(refused(parse(r#"{"status": 7}"#)).contains("`status` must be text"));
}
