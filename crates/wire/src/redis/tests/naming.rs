//! Values beside their names.

use super::*;
use crate::Protocol;

fn map(text: &str) -> Map {
    json::parse(text).unwrap().as_map().unwrap().clone()
}

#[track_caller]
fn check(asked: &str, answered: &str, expected: &str) {
    let (mut request, mut response) = (map(asked), map(answered));
    let facets = crate::redis::Redis.facets();
    facets.beside(&mut request, Some(&mut response), &mut |name, text| {
        name.ends_with("password").then(|| format!("<{text}>"))
    });
    let shown = |map: Map| json::to_string(&Value::Map(map));
    assert_eq!(format!("{} {}", shown(request), shown(response)), expected);
}

#[test]
fn fields_and_keys_are_names() {
    check(
        r#"{"redis":"HSET user:1 name bob password x"}"#,
        r#"{"integer":2}"#,
        r#"{"redis":"HSET user:1 name bob password <x>"} {"integer":2}"#,
    );
    check(
        r#"{"redis":["hmset","u","password","a \"b\"","odd"]}"#,
        "{}",
        r#"{"redis":["hmset","u","password","<a \"b\">","odd"]} {}"#,
    );
    check(
        r#"{"redis":"SET bob:password x EX 60"}"#,
        "{}",
        r#"{"redis":"SET bob:password <x> EX 60"} {}"#,
    );
    check(r#"{"redis":"SETEX password 60 x"}"#, "{}", r#"{"redis":"SETEX password 60 <x>"} {}"#);
    check(
        r#"{"redis":"XADD log MAXLEN 5 * password x"}"#,
        r#"{"bulk":"1-0"}"#,
        r#"{"redis":"XADD log MAXLEN 5 * password <x>"} {"bulk":"1-0"}"#,
    );
    check(r#"{"redis":"HDEL u password name"}"#, "{}", r#"{"redis":"HDEL u password name"} {}"#);
}

#[test]
fn replies_have_values_by_the_names_that_were_asked_for() {
    check(
        r#"{"redis":"HGET u password"}"#,
        r#"{"bulk":"x"}"#,
        r#"{"redis":"HGET u password"} {"bulk":"<x>"}"#,
    );
    check(
        r#"{"redis":"HMGET u name password"}"#,
        r#"{"array":["bob","x"]}"#,
        r#"{"redis":"HMGET u name password"} {"array":["bob","<x>"]}"#,
    );
    for (answered, expected) in [
        (
            r#"{"array":["name","bob","password","x"]}"#,
            r#"{"array":["name","bob","password","<x>"]}"#,
        ),
        (r#"{"map":{"password":"x"}}"#, r#"{"map":{"password":"<x>"}}"#),
        (r#"{"map":[["password","x"]]}"#, r#"{"map":[["password","<x>"]]}"#),
    ] {
        let asked = r#"{"redis":"HGETALL u"}"#;
        check(asked, answered, &format!("{asked} {expected}"));
    }
    let asked = r#"{"redis":"CONFIG GET requirepass"}"#;
    let expected = format!(r#"{asked} {{"array":["requirepass","<x>"]}}"#);
    check(asked, r#"{"array":["requirepass","x"]}"#, &expected);
    let asked = r#"{"redis":"XREAD STREAMS log 0"}"#;
    let expected = format!(r#"{asked} {{"array":[["log",[["1-0",["password","<x>"]]]]]}}"#);
    check(asked, r#"{"array":[["log",[["1-0",["password","x"]]]]]}"#, &expected);
}

#[test]
fn transactions_are_looked_into() {
    check(
        r#"{"redis":"MULTI","commands":["HSET u password x","GET n"]}"#,
        r#"{"array":[1,"y"]}"#,
        r#"{"redis":"MULTI","commands":["HSET u password <x>","GET n"]} {"array":[1,"y"]}"#,
    );
    let asked = r#"{"redis":"MULTI","commands":["GET n","HGETALL u"]}"#;
    let expected = format!(r#"{asked} {{"array":["y",["password","<x>"]]}}"#);
    check(asked, r#"{"array":["y",["password","x"]]}"#, &expected);
}
