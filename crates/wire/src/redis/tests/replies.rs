//! Replies of every type, in both versions.

use super::super::resp::{Reader, Resp};
use super::super::write::{Version, write};
use super::super::{reply, suit, words};
use super::check;
use bytes::Bytes;
use rehearsal_model::{Map, Value, json};

#[test]
fn version_2_has_five_types_and_two_nothings() {
    check(
        r#"
        > SET cart:1 "two words" EX 60
        < +OK|
        > GET cart:1
        < $9|two words|
        > GET nobody
        < $-1|
        > INCR n
        < :-7|
        > LRANGE l 0 -1
        < *4|$1|a|:1|$-1|*2|+x|-ERR y|
        > LRANGE none 0 -1
        < *0|
        > LMPOP 1 none LEFT
        < *-1|
        > INCR cart:1
        < -ERR value is not an integer|
        "#,
        r#"
        {"redis":"SET cart:1 \"two words\" EX 60"} {"status":"OK"}
        {"redis":"GET cart:1"} {"bulk":"two words"}
        {"redis":"GET nobody"} {"nil":true}
        {"redis":"INCR n"} {"integer":-7}
        {"redis":"LRANGE l 0 -1"} {"array":["a",1,null,[{"status":"x"},{"error":"ERR y"}]]}
        {"redis":"LRANGE none 0 -1"} {"array":[]}
        {"redis":"LMPOP 1 none LEFT"} {"nil":"array"}
        {"redis":"INCR cart:1"} {"error":"ERR value is not an integer"}
        "#,
    );
}

#[test]
fn version_3_has_many_more() {
    check(
        r#"
        > HELLO 3 AUTH default s3cret SETNAME shop
        < %2|$6|server|$5|redis|$5|proto|:3|
        > HGETALL h
        < %2|$1|a|$1|1|$1|b|_|
        > XREAD STREAMS x 0
        < %1|:1|*0|
        > SMEMBERS s
        < ~2|$1|a|$1|b|
        > ZSCORE z a
        < ,1.50|
        > ZSCORE z b
        < ,-inf|
        > DEBUG PROTOCOL true
        < #t|
        > DEBUG PROTOCOL big
        < (1234567999999999999999999999999999999|
        > DEBUG PROTOCOL verbatim
        < =8|txt:some|
        > LOLWUT
        < =6|mkd:_a|
        > GET nobody
        < _|
        > DEBUG PROTOCOL error
        < !7|ERR a b|
        > DEBUG PROTOCOL attrib
        < ~1|*1|~0|
        "#,
        r#"
        {"redis":"HELLO 3 AUTH (redacted) (redacted) SETNAME shop"} {"map":{"server":"redis","proto":3}}
        {"redis":"HGETALL h"} {"map":{"a":"1","b":null}}
        {"redis":"XREAD STREAMS x 0"} {"map":[[1,[]]]}
        {"redis":"SMEMBERS s"} {"set":["a","b"]}
        {"redis":"ZSCORE z a"} {"double":1.50}
        {"redis":"ZSCORE z b"} {"double":"-inf"}
        {"redis":"DEBUG PROTOCOL true"} {"bool":true}
        {"redis":"DEBUG PROTOCOL big"} {"big":1234567999999999999999999999999999999}
        {"redis":"DEBUG PROTOCOL verbatim"} {"verbatim":"some"}
        {"redis":"LOLWUT"} {"verbatim":"_a","format":"mkd"}
        {"redis":"GET nobody"} {"nil":true}
        {"redis":"DEBUG PROTOCOL error"} {"bulk_error":"ERR a b"}
        {"redis":"DEBUG PROTOCOL attrib"} {"set":[[{"set":[]}]]}
        "#,
    );
}

#[track_caller]
fn parsed(bytes: &[u8]) -> Resp {
    let mut reader = Reader::new(1 << 20);
    reader.push(bytes);
    reader.next().unwrap().expect("all of it is there")
}

#[test]
fn every_value_survives_a_recording() {
    let nested: &[u8] =
        b"*3\r\n%1\r\n$1\r\nk\r\n~1\r\n,0.1\r\n|1\r\n+ttl\r\n:9\r\n$2\r\n\xff\x00\r\n*-1\r\n";
    let value = parsed(nested);
    let shown = reply::show(value.clone());
    assert_eq!(reply::read(&shown).unwrap(), value);
    let mut again = Vec::new();
    write(
        &Resp::Array(match value {
            Resp::Array(mut items) => items.drain(..2).collect(),
            _ => Vec::new(),
        }),
        Version::Three,
        &mut again,
    );
    let end = nested.len() - b"*-1\r\n".len();
    assert_eq!(&again[4..], &nested[4..end]);
}

#[test]
fn what_version_2_lacks_is_written_as_servers_do() {
    let down = |three: &[u8], two: &[u8]| {
        let mut out = Vec::new();
        write(&parsed(three), Version::Two, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(two));
    };
    down(b"%1\r\n$1\r\na\r\n#t\r\n", b"*2\r\n$1\r\na\r\n:1\r\n");
    down(b"~1\r\n,1.5\r\n", b"*1\r\n$3\r\n1.5\r\n");
    down(b"_\r\n", b"$-1\r\n");
    down(b"=5\r\ntxt:x\r\n", b"$1\r\nx\r\n");
    down(b"(12\r\n", b"$2\r\n12\r\n");
    down(b"|1\r\n+a\r\n:1\r\n:2\r\n", b":2\r\n");
}

#[test]
fn replies_suit_the_version_that_is_asked_for() {
    let suited = |line: &str, recorded: &[u8], version: Version| {
        let words: Vec<Bytes> = words::read(&Value::from(line)).unwrap();
        let mut out = Vec::new();
        write(&suit::suit(&words, parsed(recorded), version), version, &mut out);
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    };
    let three = |line, recorded| suited(line, recorded, Version::Three);
    let two = |line, recorded| suited(line, recorded, Version::Two);
    assert_eq!(three("HGETALL h", b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"), "%1|$1|a|$1|1|");
    assert_eq!(three("smembers s", b"*1\r\n$1\r\na\r\n"), "~1|$1|a|");
    assert_eq!(three("ZSCORE z a", b"$3\r\n1.5\r\n"), ",1.5|");
    assert_eq!(
        three("ZRANGE z 0 -1 WITHSCORES", b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
        "*1|*2|$1|a|,1|"
    );
    assert_eq!(two("ZRANGE z 0 -1 withscores", b"*1\r\n*2\r\n$1\r\na\r\n,1\r\n"), "*2|$1|a|$1|1|");
    assert_eq!(two("XREAD STREAMS x 0", b"%1\r\n$1\r\nx\r\n*0\r\n"), "*1|*2|$1|x|*0|");
    assert_eq!(three("XREAD STREAMS x 0", b"*1\r\n*2\r\n$1\r\nx\r\n*0\r\n"), "%1|$1|x|*0|");
    assert_eq!(two("BLPOP q 1", b"_\r\n"), "*-1|");
    assert_eq!(two("GET q", b"_\r\n"), "$-1|");
}

#[track_caller]
fn refused(reply: &str, expected: &str) {
    let Value::Map(reply) = json::parse(reply).unwrap() else { panic!("a map") };
    let error = reply::read(&reply).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_no_reply_can_be_is_refused_with_its_key() {
    refused(r#"{"integer": "five"}"#, "`integer` must be an integer of 64 bits, not text");
    refused(r#"{"bulk": 5}"#, "`bulk` must be text, not integer");
    refused(r#"{"array": "a"}"#, "`array` must be a list, not text");
    refused(r#"{"array": [true]}"#, "write `bool: true`");
    refused(r#"{"array": [1.5]}"#, "write `double: 1.5`");
    refused(r#"{"status": "OK", "integer": 1}"#, "two types");
    refused(r#"{"nil": false}"#, "`nil` must be true or `array`");
    refused("{}", "without a type");
    refused(r#"{"sum": 1}"#, "`sum` is no type");
}

#[test]
fn edited_words_are_read_as_a_person_writes_them() {
    let read = |shown: Value| words::read(&shown).map(|words| words.join(&b'|'));
    assert!(read(Value::from(r#"SET k "open"#)).is_err());
    assert_eq!(read(Value::from(r#"SET k "a \"b\"\x00\n""#)).unwrap(), b"SET|k|a \"b\"\0\n");
    assert_eq!(read(Value::from("SET k 'a b'")).unwrap(), b"SET|k|a b");
    let list = Value::List(vec![Value::from("SET"), Value::from("k"), Value::from(60)]);
    assert_eq!(read(list).unwrap(), b"SET|k|60");
    assert!(read(Value::Map(Map::new())).is_err());
}
