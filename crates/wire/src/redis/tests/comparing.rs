//! What two commands must agree in.

use super::super::Redis;
use crate::{Facets, Protocol};
use rehearsal_model::{Map, Value, json};

fn facets() -> &'static dyn Facets {
    Redis.facets()
}

fn request(command: &str) -> Map {
    Map::from([("redis", command)])
}

#[track_caller]
fn check(command: &str, form: &str) {
    assert_eq!(json::to_string(&facets().request(&request(command))), form);
}

#[test]
fn arguments_are_named_by_what_they_mean() {
    check("get cart:7", r#"{"command":"GET","key":"cart:7"}"#);
    check("MGET a b", r#"{"command":"MGET","keys":["a","b"]}"#);
    check(
        "set a 1 nx EX 60",
        r#"{"command":"SET","key":"a","value":"1","options":{"EX":"60","NX":true}}"#,
    );
    check("HSET h a 1 b 2", r#"{"command":"HSET","key":"h","fields":{"a":"1","b":"2"}}"#);
    check("HSET h a 1 a 2", r#"{"command":"HSET","key":"h","fields":["a","1","a","2"]}"#);
    check(r#"SET a '{"total": 1.50}'"#, r#"{"command":"SET","key":"a","value":{"total":1.50}}"#);
    check("BLPOP a b 5", r#"{"command":"BLPOP","keys":["a","b"],"timeout":"5"}"#);
    check(
        "EVALSHA abc 2 a b c",
        r#"{"command":"EVALSHA","sha":"abc","keys":["a","b"],"args":["c"]}"#,
    );
    check("EVALSHA abc x", r#"{"command":"EVALSHA","sha":"abc","args":["x"]}"#);
    check("GET", r#"{"command":"GET"}"#);
    check("GET a b", r#"{"command":"GET","key":"a","args":["b"]}"#);
    check("JSON.SET k $ 1", r#"{"command":"JSON.SET","key":"k","args":["$","1"]}"#);
}

#[test]
fn whatever_version_and_credentials_greet_the_same_server() {
    let form = |command| facets().request(&request(command));
    assert_eq!(form("HELLO 2"), form("HELLO 3 SETNAME x"));
    assert_ne!(form("HELLO 3"), form("HELLO 3 AUTH (redacted) (redacted)"));
    assert_ne!(form("HELLO 3"), form("HELLO 9"));
}

#[test]
fn a_command_is_what_it_is_and_the_database_it_is_for() {
    let identity = |request: &Map| json::to_string(&facets().identity(request));
    assert_eq!(identity(&request("get a")), identity(&request("GET b")));
    let mut elsewhere = request("GET a");
    elsewhere.insert("db", 2);
    assert_eq!(identity(&elsewhere), r#"{"command":"GET","db":2}"#);
    let receive = Map::from([("receive", "message news")]);
    assert_eq!(identity(&receive), r#"{"receive":"message"}"#);
    assert_ne!(facets().request(&Map::new()), facets().request(&request("GET a")));
}

#[test]
fn operations_name_the_key() {
    let name = |command: &str| facets().operation(&request(command));
    assert_eq!(name("get cart:7"), "GET cart:7");
    assert_eq!(name("client setname x"), "CLIENT SETNAME x");
    assert_eq!(name(r#"EVAL "return 1" 0"#), "EVAL");
    assert_eq!(name("PING"), "PING");
    let commands = vec![Value::from("INCR a"), Value::from("DEL b")];
    let mut transaction = request("MULTI");
    transaction.insert("commands", commands);
    assert_eq!(facets().operation(&transaction), "MULTI INCR a, DEL b");
    let receive = Map::from([("receive", "message news")]);
    assert_eq!(facets().operation(&receive), "receive message news");
}

#[test]
fn reads_repeat_and_set_up_is_known() {
    let all = |command: &str| {
        let request = request(command);
        (facets().repeatable(&request), facets().sets_up(&request))
    };
    assert_eq!(all("GET a"), (true, false));
    assert_eq!(all("SET a 1"), (false, false));
    assert_eq!(all("NOBODY.KNOWS a"), (false, false));
    assert_eq!(all("XREAD BLOCK 0 STREAMS a 0"), (false, false));
    for command in ["PING", "HELLO 3", "CLIENT SETINFO LIB-NAME x", "SELECT 1", "script load x"] {
        assert_eq!(all(command), (true, true), "{command}");
    }
}

#[test]
fn what_waits_says_for_how_long_and_what_is_usual_is_known() {
    let waits = |command: &str| facets().waits(&request(command)).map(|limit| limit.as_millis());
    assert_eq!(waits("BLPOP a 0.5"), Some(500));
    assert_eq!(waits("BLPOP a 100"), Some(1000));
    assert_eq!(waits("XREAD BLOCK 20 STREAMS a 0"), Some(20));
    assert_eq!(waits("XREAD STREAMS block 0"), None);
    assert_eq!(waits("BLPOP a nonsense"), None);
    assert_eq!(waits("GET a"), None);
    assert!(waits("BLPOP a 0").is_some_and(|limit| limit > 1 << 60));
    let usual =
        |command: &str| facets().usual(&request(command)).map(|it| json::to_string(&it.into()));
    assert_eq!(usual("PING hi").as_deref(), Some(r#"{"bulk":"hi"}"#));
    assert_eq!(usual("BLPOP a 1").as_deref(), Some(r#"{"nil":"array"}"#));
    assert_eq!(usual("GET a"), None);
}
