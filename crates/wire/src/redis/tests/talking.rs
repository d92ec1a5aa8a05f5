//! Connections that are more than questions and answers.

use super::{check, lines, observe, respond};
use crate::{Ending, Peer};
use rehearsal_model::{Failure, Map, json};

#[test]
fn a_pipeline_keeps_its_order() {
    check(
        "
        > *2|$3|DEL|$1|b|*2|$3|DEL|$1|a|*1|$4|PING|
        < :1|:0|+PONG|
        ",
        r#"
        {"redis":"DEL b"} {"integer":1}
        {"redis":"DEL a"} {"integer":0}
        {"redis":"PING"} {"status":"PONG"}
        "#,
    );
    let lines = lines("> *2|$3|DEL|$1|b|*2|$3|DEL|$1|a|\n< :1|\n< :0|");
    let seen = observe(&lines, usize::MAX, None);
    assert!(seen[1].started >= seen[0].finished, "the server takes one after the other");
}

#[test]
fn lines_of_words_are_commands_too() {
    check(
        r#"
        > *0|
        > |set a "b c"|
        < +OK|
        "#,
        r#"{"redis":"set a \"b c\""} {"status":"OK"}"#,
    );
}

#[test]
fn a_transaction_is_one_exchange() {
    check(
        "
        > SELECT 2
        < +OK|
        > WATCH a
        < +OK|
        > MULTI
        < +OK|
        > SET a 1
        < +QUEUED|
        > INCR b
        < +QUEUED|
        > EXEC
        < *2|+OK|:1|
        > MULTI
        < +OK|
        > DEL a
        < +QUEUED|
        > DISCARD
        < +OK|
        > EXEC
        < -ERR EXEC without MULTI|
        > RESET
        < +RESET|
        > MULTI
        < +OK|
        > EXEC
        < *-1|
        ",
        r#"
        {"redis":"SELECT 2"} {"status":"OK"}
        {"redis":"WATCH a","db":2} {"status":"OK"}
        {"redis":"MULTI","commands":["SET a 1","INCR b"],"db":2} {"array":[{"status":"OK"},1]}
        {"redis":"MULTI","commands":["DEL a"],"discarded":true,"db":2} {"status":"OK"}
        {"redis":"EXEC","db":2} {"error":"ERR EXEC without MULTI"}
        {"redis":"RESET"} {"status":"RESET"}
        {"redis":"MULTI","commands":[]} {"nil":"array"}
        "#,
    );
}

#[test]
fn what_a_queue_refuses_is_refused_again_when_the_transaction_comes_at_once() {
    let whole = lines(
        "
        > *1|$5|MULTI|*1|$3|BAD|*2|$3|DEL|$1|a|*1|$4|EXEC|
        < +OK|-ERR unknown command 'BAD'|+QUEUED|-EXECABORT Transaction discarded|
        ",
    );
    let seen = observe(&whole, usize::MAX, None);
    let response = json::to_string(&seen[0].response.clone().unwrap().into());
    assert_eq!(
        response,
        r#"{"error":"EXECABORT Transaction discarded","refused":{"1":"ERR unknown command 'BAD'"}}"#
    );
    assert_eq!(respond(&whole, usize::MAX, &seen).sent, whole[1].1);
}

#[test]
fn channels_are_confirmed_and_messages_come_by_themselves() {
    for push in ["*", ">"] {
        let hello = if push == ">" { "> HELLO 3\n< %1|$5|proto|:3|" } else { "" };
        let seen = if push == ">" { r#"{"redis":"HELLO 3"} {"map":{"proto":3}}"# } else { "" };
        let conversation = format!(
            "{hello}
            > SUBSCRIBE a b
            < *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|
            > PSUBSCRIBE n.*
            < *3|$10|psubscribe|$3|n.*|:3|
            < *3|$7|message|$1|a|$2|hi|
            < *4|$8|pmessage|$3|n.*|$3|n.x|$2|yo|
            < *3|$7|message|$1|a|$3|bye|
            > UNSUBSCRIBE
            < *3|$11|unsubscribe|$1|b|:2|*3|$11|unsubscribe|$1|a|:1|
            > PUNSUBSCRIBE n.* other
            < *3|$12|punsubscribe|$3|n.*|:0|*3|$12|punsubscribe|$5|other|:0|
            > UNSUBSCRIBE
            < *3|$11|unsubscribe|$-1|:0|
            > GET a
            < $1|1|"
        )
        .replace("< *", &format!("< {push}"))
        .replace("|*3", &format!("|{push}3"));
        let conversation = match push {
            ">" => conversation.replace("$-1|:0", "_|:0"),
            _ => conversation,
        };
        let expected = format!(
            r#"{seen}
            {{"redis":"SUBSCRIBE a b"}} {{"confirmed":[["subscribe","a",1],["subscribe","b",2]]}}
            {{"redis":"PSUBSCRIBE n.*"}} {{"confirmed":[["psubscribe","n.*",3]]}}
            {{"receive":"message a"}} {{"push":["message","a","hi"]}}
            {{"receive":"pmessage n.*"}} {{"push":["pmessage","n.*","n.x","yo"]}}
            {{"receive":"message a"}} {{"push":["message","a","bye"]}}
            {{"redis":"UNSUBSCRIBE"}} {{"confirmed":[["unsubscribe","b",2],["unsubscribe","a",1]]}}
            {{"redis":"PUNSUBSCRIBE n.* other"}} {{"confirmed":[["punsubscribe","n.*",0],["punsubscribe","other",0]]}}
            {{"redis":"UNSUBSCRIBE"}} {{"confirmed":[["unsubscribe",null,0]]}}
            {{"redis":"GET a"}} {{"bulk":"1"}}"#
        );
        check(&conversation, &expected);
    }
}

#[test]
fn keys_that_a_client_keeps_are_taken_back() {
    check(
        "
        > HELLO 3
        < %1|$5|proto|:3|
        > CLIENT TRACKING ON
        < +OK|
        > GET a
        < $1|1|
        < >2|$10|invalidate|*1|$1|a|
        > GET a
        < $1|2|
        ",
        r#"
        {"redis":"HELLO 3"} {"map":{"proto":3}}
        {"redis":"CLIENT TRACKING ON"} {"status":"OK"}
        {"redis":"GET a"} {"bulk":"1"}
        {"receive":"invalidate"} {"push":["invalidate",["a"]]}
        {"redis":"GET a"} {"bulk":"2"}
        "#,
    );
}

#[test]
fn ping_says_the_same_while_channels_are_listened_to() {
    check(
        "
        > PING
        < +PONG|
        > SUBSCRIBE a
        < *3|$9|subscribe|$1|a|:1|
        > PING
        < *2|$4|pong|$0||
        > PING hi
        < *2|$4|pong|$2|hi|
        ",
        r#"
        {"redis":"PING"} {"status":"PONG"}
        {"redis":"SUBSCRIBE a"} {"confirmed":[["subscribe","a",1]]}
        {"redis":"PING"} {"status":"PONG"}
        {"redis":"PING hi"} {"bulk":"hi"}
        "#,
    );
}

#[test]
fn clients_may_want_no_replies() {
    check(
        "
        > CLIENT REPLY SKIP
        > SET a 1
        > GET a
        < $1|1|
        > CLIENT REPLY OFF
        > SET a 2
        > CLIENT REPLY ON
        < +OK|
        > GET a
        < $1|2|
        ",
        r#"
        {"redis":"CLIENT REPLY SKIP"} {}
        {"redis":"SET a 1"} {}
        {"redis":"GET a"} {"bulk":"1"}
        {"redis":"CLIENT REPLY OFF"} {}
        {"redis":"SET a 2"} {}
        {"redis":"CLIENT REPLY ON"} {"status":"OK"}
        {"redis":"GET a"} {"bulk":"2"}
        "#,
    );
}

#[test]
fn a_queue_is_answered_when_something_is_in_it_and_waiting_in_vain_leaves_nothing() {
    let lines = lines(
        "
        > BLPOP jobs 1
        < *-1|
        > BLPOP jobs 1
        < *2|$4|jobs|$2|j1|
        ",
    );
    let seen = observe(&lines, usize::MAX, None);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].started, seen[0].finished, "it begins when something is there");
}

#[test]
fn what_broke_off_breaks_off_again() {
    let lines = lines("> GET a\n> GET b\n< $1|1|");
    let seen = observe(&lines, usize::MAX, Some((Peer::Server, Ending::Reset)));
    assert_eq!(seen[1].failure, Some(Failure::Reset));
    assert_eq!(seen[1].request, Map::from([("redis", "GET b")]));
    assert_eq!(respond(&lines, usize::MAX, &seen).sent, b"$1\r\n1\r\n");
    let gave_up = observe(&lines, usize::MAX, Some((Peer::Client, Ending::Reset)));
    assert_eq!(gave_up[1].failure, Some(Failure::TimedOut));
}

#[test]
fn redirects_are_carried_through() {
    check(
        "
        > GET a
        < -MOVED 15495 127.0.0.1:7002|
        > ASKING
        < +OK|
        > GET a
        < $1|1|
        ",
        r#"
        {"redis":"GET a"} {"error":"MOVED 15495 127.0.0.1:7002"}
        {"redis":"ASKING"} {"status":"OK"}
        {"redis":"GET a"} {"bulk":"1"}
        "#,
    );
}
