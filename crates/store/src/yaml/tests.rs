//! Every value comes back from its text, and the text looks as people expect.

use super::{parse, to_string};
use proptest::prelude::*;
use rehearsal_model::{Map, Number, Value};

#[track_caller]
fn check(value: &Value, text: &str) {
    let written = to_string(value).unwrap();
    assert_eq!(written, text);
    assert_eq!(&parse(&written).unwrap().into_value(), value);
}

#[track_caller]
fn round_trips(value: &Value) {
    let text = to_string(value).unwrap();
    match parse(&text) {
        Ok(node) => assert_eq!(&node.into_value(), value, "{text}"),
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

#[test]
fn small_is_flow_and_large_is_block() {
    let rows = Value::from(vec![vec![Value::from(17), Value::from("a, b")]]);
    let body = Map::from([("order", Value::from(17)), ("amount", Value::from("19.90"))]);
    let long = Value::from(vec![Value::from("x".repeat(60)), Value::from("y".repeat(60))]);
    let deep = Value::from(vec![vec![Value::from(vec![Value::from(vec![1])])]]);
    let value = Map::from([
        ("sql", Value::from("INSERT INTO orders (sku) VALUES ($1) RETURNING id")),
        ("rows", rows),
        ("body", Value::from(body)),
        ("long", long),
        ("deep", deep),
        ("empty", Value::from(Map::new())),
        ("bytes", Value::Bytes(vec![0, 255])),
    ]);
    insta::assert_snapshot!(to_string(&Value::from(value.clone())).unwrap(), @r#"
    sql: INSERT INTO orders (sku) VALUES ($1) RETURNING id
    rows: [[17, "a, b"]]
    body: {order: 17, amount: "19.90"}
    long:
      - xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      - yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
    deep:
      - - [[1]]
    empty: {}
    bytes: !!binary AP8=
    "#);
    round_trips(&Value::from(value));
}

#[test]
fn text_is_quoted_exactly_when_it_must_be() {
    for plain in [
        "a",
        "a b",
        "GET /a?b=c&d",
        "http://a:80/",
        "-x",
        "a#b",
        "a:b",
        "é",
        "1.2.3",
        "2026-11-20T10:00:00Z",
    ] {
        check(&Value::from(plain), &format!("{plain}\n"));
    }
    for quoted in [
        "", " ", " a", "a ", "null", "~", "True", "yes", "NO", "off", "y", "1", "-0", "1e3",
        "0x1f", ".5", "+1", ".inf", "01", "a: b", "a #b", "a:", "-", "- a", "---", "...", "? a",
        "#a", "&a", "*a", "!a", "|", ">", "'", "%a", "@a", "`a", "[a", "a, b", "{a", "<<",
    ] {
        check(&Value::from(quoted), &format!("\"{quoted}\"\n"));
    }
    check(&vec![Value::from("a -")].into(), "[\"a -\"]\n");
    check(&Map::from([("a", "b -")]).into(), "a: b -\n");
    check(&Value::from("{\"a\": 1}"), "'{\"a\": 1}'\n");
    check(
        &Value::from("\0\r\u{1b}\u{85}\u{2028}\u{feff}"),
        "\"\\x00\\r\\x1b\\x85\\u2028\\ufeff\"\n",
    );
}

#[test]
fn lines_are_a_block() {
    let map = |text: &str| Value::from(Map::from([("a", text)]));
    check(&map("x\ny"), "a: |-\n  x\n  y\n");
    check(&map("x\ny\n"), "a: |\n  x\n  y\n");
    check(&map("x\n\ny\n\n"), "a: |+\n  x\n\n  y\n\n");
    check(&map("\n  x\n y"), "a: |2-\n\n    x\n   y\n");
    check(&map("x\r\ny"), "a: \"x\\r\\ny\"\n");
    check(&map("x\n "), "a: \"x\\n \"\n");
    check(&map("\n"), "a: \"\\n\"\n");
    let nested = Value::from(vec![Value::from(vec![map(" x\ny\n\n"), Value::from("z")])]);
    check(&nested, "- - a: |2+\n       x\n      y\n\n  - z\n");
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    let long = "k".repeat(2000);
    let map = Map::from([("1", 1), ("", 2), ("a: b", 3), ("x\ny", 4), ("no", 5), (&long, 6)]);
    let text = format!("\"1\": 1\n\"\": 2\n\"a: b\": 3\n\"x\\ny\": 4\n\"no\": 5\n? {long}\n: 6\n");
    check(&Value::from(map), &text);
    assert_eq!(parse("1: true\nyes: ~").unwrap().into_value(), {
        Value::from(Map::from([("1", Value::Bool(true)), ("yes", Value::Null)]))
    });
}

#[test]
fn both_pairs_with_the_same_key_survive() {
    let mut map = Map::new();
    map.push_new("a", 1);
    map.push_new("a", 2);
    check(&Value::from(map), "a: 1\na: 2\n");
}

#[test]
fn numbers_keep_their_spelling() {
    for text in ["0", "-0", "1", "1.0", "1.10", "1e3", "1E+3", "18446744073709551616", "-2.5e-10"] {
        check(&number(text), &format!("{text}\n"));
    }
    round_trips(&number(&"9".repeat(5000)));
}

#[test]
fn nests_as_deep_as_the_limit_and_no_deeper() {
    let nest = |levels: usize| {
        (0..levels).fold(Value::Null, |inner, level| match level % 2 {
            0 => Value::List(vec![inner]),
            _ => Value::from(Map::from([("k", inner)])),
        })
    };
    round_trips(&nest(super::MAX_DEPTH));
    assert!(to_string(&nest(super::MAX_DEPTH + 3)).is_err());
    let refused = |text: &str| parse(text).unwrap_err().problem;
    assert_eq!(refused(&"[".repeat(200)), "nested deeper than 144 levels");
    assert_eq!(refused(&"- ".repeat(100_000)), "nested deeper than 144 levels");
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), message);
}

#[test]
fn refuses_what_has_no_use_here() {
    refuses(
        "a: &x 1",
        "line 1, column 4: anchors (`&name`) are not used here; put the text in quotes",
    );
    refuses("a: *x", "line 1, column 4: not YAML: while parsing node, found unknown anchor");
    refuses("a: 1\n---\nb: 2", "line 2, column 1: a second document in one file");
    refuses("a: !x 1", "line 1, column 4: the tag `!x` means nothing here");
    refuses(
        "a: !!set {}",
        "line 1, column 4: the tag `tag:yaml.org,2002:!set` cannot be on a list or a map here",
    );
    refuses(
        "a:\n  b: 007",
        "line 2, column 6: `007` is read differently by others; write the number in decimals, or put the text in quotes",
    );
    refuses("[a]: 1", "line 1, column 1: a key must be text without a tag");
    refuses("a: \"é\0", "line 1, column 6: a NUL character; write it as \"\\0\"");
    refuses("a: !!binary '*'", "line 1, column 4: what follows `!!binary` is not Base64");
}

#[test]
fn takes_what_people_and_their_editors_write() {
    let text =
        "\u{feff}# a comment\r\na:   'it''s'   # why\r\nb:\r\n- 1\r\n- {c: , d: [x,\r\n   y]}\r\n";
    let expected = Map::from([
        ("a", Value::from("it's")),
        (
            "b",
            Value::from(vec![
                Value::from(1),
                Value::from(Map::from([("c", Value::Null), ("d", Value::from(vec!["x", "y"]))])),
            ]),
        ),
    ]);
    assert_eq!(parse(text).unwrap().into_value(), Value::from(expected));
    assert_eq!(parse("").unwrap().into_value(), Value::Null);
    assert_eq!(parse("# nothing\n").unwrap().into_value(), Value::Null);
}

fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "\0",
        "\r",
        "\n",
        "\t",
        " ",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "\u{fffd}",
        "\u{10ffff}",
        "😀",
        "é",
        ":",
        "#",
        "-",
        "?",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        "\"",
        "%",
        "@",
        "`",
        "\\",
        "a",
        "b",
        "1",
        "0",
        ".",
        "e",
        "+",
        "~",
        "null",
        "yes",
        ": ",
        " #",
        "\n\n",
        "\n ",
        "<<",
        "=",
        "---",
        "...",
        "/",
    ]);
    prop_oneof![
        prop::collection::vec(tricky, 0..12).prop_map(|parts| parts.concat()),
        any::<String>(),
        "[ -~\n]{0,40}",
        "(x{1,9}[ \n]){0,30}",
        "a{0,1500}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| number(&text)),
        text().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::vec((text(), inner), 0..6).prop_map(|pairs| {
                let mut map = Map::new();
                for (key, value) in pairs {
                    map.push_new(key, value);
                }
                Value::Map(map)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_back(value in value()) {
        round_trips(&value);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a:?\\[\\]{}&*!|>'\"%#, \n\t0]{0,60}") {
        let _ = parse(&text);
    }
}
