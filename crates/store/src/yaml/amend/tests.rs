//! A changed document says what it should, and keeps the rest of its text.

use super::{alike, amend};
use crate::yaml::{parse, to_string};
use proptest::prelude::*;
use rehearsal_model::{Map, Number, Value};

#[track_caller]
fn amended(text: &str, new: &Value) -> String {
    let node = parse(text).unwrap();
    let out = amend(text, &node, new, &mut ()).unwrap();
    let read = parse(&out).unwrap_or_else(|error| panic!("{error}\n{text}---\n{out}"));
    assert!(alike(&read.into_value(), new), "{new:?}\n{text}---\n{out}");
    out
}

/// Changes the value of a text by that of another text.
#[track_caller]
fn check(text: &str, new: &str, expected: &str) {
    let new = parse(new).unwrap().into_value();
    assert_eq!(amended(text, &new), expected);
    let same = parse(text).unwrap().into_value();
    assert_eq!(amended(text, &same), text, "what stays is not touched");
}

const TEST: &str = r#"# Mine.
test:   POST /x      # the name
request:
  http: POST /x
  headers: {host: a,  accept: "*/*"} # short
calls:
  # The first.
  - edge: pay   # why
    http: POST /charges
    body: {order: 1,   amount: "39.80"}
    response: {status: 201}

  # The second.
  - edge: mail
    http: POST /send
    text: |
      Dear # no comment

      you
    # Its answer.
    response: {status: 202}
response:
  status: 201
  body:
    id: 1   # id
    # Money.
    total: "39.80"
  # tail
noise: [response.body.id]
"#;

#[test]
fn values_change_where_they_stand() {
    let replace = |from: &str, to: &str| TEST.replacen(from, to, 1);
    for (from, to) in [
        ("order: 1,", "order: two,"),
        ("\"39.80\"}", "39.80}"),
        ("status: 201\n", "status: 200\n"),
        ("id: 1 ", "id: \"x: y\" "),
        ("total:", "sum:"),
        ("{order: 1,", "{number: 1,"),
        ("      Dear # no comment\n\n      you\n", "      Dear # no comment\n      me\n"),
    ] {
        assert!(TEST.contains(from), "{from}");
        check(TEST, &replace(from, to), &replace(from, to));
    }
}

#[test]
fn pairs_and_items_come_and_go() {
    let removed = TEST.replace("order: 1,   ", "");
    check(TEST, &removed, &removed);
    let removed = TEST.replace(",   amount: \"39.80\"", "");
    check(TEST, &removed, &removed);
    let removed = TEST.replace("    # Money.\n    total: \"39.80\"\n", "");
    check(TEST, &removed, &removed);
    let added = TEST.replace("\"39.80\"}", "\"39.80\", paid: true}");
    check(TEST, &added, &added);
    let added = TEST.replace("total: \"39.80\"\n", "total: \"39.80\"\n    lines: [1, 2]\n");
    check(TEST, &added, &added);
    let first = TEST.find("  # The first.").unwrap();
    let second = TEST.find("  # The second.").unwrap();
    let end = TEST.find("response:\n  status").unwrap();
    let only_first = [&TEST[..second - 1], &TEST[end..]].concat();
    check(TEST, &only_first, &only_first);
    let none = [&TEST[..first - "calls:\n".len()], &TEST[end..]].concat();
    check(TEST, &none, &none);
    let (one, two) = (&TEST[first..second - 1], &TEST[second..end]);
    let swapped = [&TEST[..first], two, one, &TEST[end..]].concat();
    let swapped = parse(&swapped).unwrap().into_value();
    let out = amended(TEST, &swapped);
    assert!(out.find("edge: mail").unwrap() < out.find("edge: pay   # why").unwrap(), "{out}");
    for kept in ["# The second.", "# Its answer.", "# tail\n", "{order: 1,   amount: \"39.80\"}"] {
        assert!(out.contains(kept), "{kept}\n{out}");
    }
}

#[test]
fn a_file_without_a_last_line_feed_is_extended() {
    let text = "a: 1\nb:\nc: x";
    check(text, "a: 1\nb: 2\nc: x\nd: [1]", "a: 1\nb: 2\nc: x\nd: [1]");
    check(text, "a: 1\nb:\nc: |-\n  x\n  y", "a: 1\nb:\nc: |-\n  x\n  y");
    check("- 1\n- - a\n  - b\n", "- 1\n- - a\n", "- 1\n- - a\n");
    check("{}\n", "{}\n", "{}\n");
}

#[test]
fn a_block_of_text_ends_where_it_ends() {
    check("a:\n  a: |-\n    z\n    c\nz: 1\n", "a:\n  a: null\nz: 1\n", "a:\n  a: null\nz: 1\n");
    check("a:\n  - |-\n    z\n    c\nz: 1\n", "a:\n  - null\nz: 1\n", "a:\n  - null\nz: 1\n");
}

fn value() -> impl Strategy<Value = Value> {
    let number = Value::Number(Number::parse("1.50").unwrap());
    let text = prop_oneof!["[a-z: #\\-]{0,6}", "[a-z]{1,3}\n[a-z ]{1,4}\n?", "\\PC{0,4}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::Bool(true)),
        Just(number),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof!["[a-d]", "[a-d]", "\\PC{1,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|pairs| Value::Map(pairs.into_iter().collect::<Map>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_becomes_any_other(one in value(), other in value()) {
        let root = |value: Value| Value::from(Map::from([("a", value), ("z", Value::from(1))]));
        let text = to_string(&root(one)).unwrap();
        amended(&text, &root(other));
    }
}
