//! What a comparison says of two values: each case is two documents, rules and the wanted
//! differences in a short notation.

use rehearsal_compare::{MAX_DIFFERENCES, Rules, compare, is_truncated};
use rehearsal_model::{Change, Difference, Map, Value, json, secret};

fn said(differences: &[Difference]) -> Vec<String> {
    let text = |value: &Value| json::to_string(value);
    let line = |difference: &Difference| {
        let path = &difference.path;
        match &difference.change {
            Change::Missing { expected } => format!("- {path} {}", text(expected)),
            Change::Added { actual } => format!("+ {path} {}", text(actual)),
            Change::Changed { expected, actual } => {
                format!("~ {path} {} {}", text(expected), text(actual))
            }
            Change::Retyped { expected, actual } => {
                format!("! {path} {} {}", text(expected), text(actual))
            }
        }
    };
    differences.iter().map(line).collect()
}

#[track_caller]
fn check_values(expected: &Value, actual: &Value, noise: &[&str], wanted: &[&str]) {
    let rules = Rules::noise(noise).unwrap();
    assert_eq!(said(&compare(expected, actual, "r", &rules)), wanted);
}

#[track_caller]
fn check(expected: &str, actual: &str, noise: &[&str], wanted: &[&str]) {
    let (expected, actual) = (json::parse(expected).unwrap(), json::parse(actual).unwrap());
    check_values(&expected, &actual, noise, wanted);
}

/// Two texts.
#[track_caller]
fn check_texts(expected: &str, actual: &str, noise: &[&str], wanted: &[&str]) {
    check_values(&Value::from(expected), &Value::from(actual), noise, wanted);
}

#[test]
fn maps_have_no_order() {
    check(r#"{"a":1,"b":{"c":2}}"#, r#"{"b":{"c":2},"a":1}"#, &[], &[]);
    check(
        r#"{"a":1,"b":2,"c d":3}"#,
        r#"{"b":5,"c d":null,"e":[]}"#,
        &[],
        &["- r.a 1", "~ r.b 2 5", r#"! r["c d"] 3 null"#, "+ r.e []"],
    );
}

#[test]
fn large_maps_and_repeated_keys_are_compared_in_full() {
    let large = |from: i32, to: i32| -> Value {
        Value::Map((from..to).rev().map(|key| (format!("k{key}"), key)).collect())
    };
    check_values(&large(0, 1000), &large(1, 1001), &[], &["- r.k0 0", "+ r.k1000 1000"]);
    let pairs = |values: &[i32]| {
        let mut map = Map::new();
        values.iter().for_each(|value| map.push_new("k", *value));
        Value::Map(map)
    };
    check_values(&pairs(&[1, 2]), &pairs(&[1, 2]), &[], &[]);
    check_values(&pairs(&[1, 2]), &pairs(&[1, 3]), &[], &["~ r.k 2 3"]);
    check_values(&pairs(&[1, 2]), &pairs(&[1]), &[], &["- r.k 2"]);
    check_values(&pairs(&[1]), &pairs(&[1, 1]), &[], &["+ r.k 1"]);
}

#[test]
fn one_more_item_is_one_difference() {
    check("[1,2,3]", "[1,9,2,3]", &[], &["+ r[1] 9"]);
    check("[1,2,3]", "[2,3]", &[], &["- r[0] 1"]);
    check("[1,2,3]", "[1,3,2]", &[], &["- r[1] 2", "+ r[2] 2"]);
    check(
        r#"[{"id":1,"n":"a"},{"id":2,"n":"b"}]"#,
        r#"[{"id":7,"n":"x"},{"id":1,"n":"a"},{"id":2,"n":"c"}]"#,
        &[],
        &[r#"+ r[0] {"id":7,"n":"x"}"#, r#"~ r[1].n "b" "c""#],
    );
}

#[test]
fn an_item_whose_noise_differs_is_the_same_item() {
    check(
        r#"[{"at":1,"n":"a"},{"at":2,"n":"b"}]"#,
        r#"[{"at":8,"n":"x"},{"at":9,"n":"a"},{"at":7,"n":"b"}]"#,
        &["r[*].at"],
        &[r#"+ r[0] {"at":8,"n":"x"}"#],
    );
    check(r#"{"a":{"id":1},"b":[{"id":2}]}"#, r#"{"a":{},"b":[{"id":3}]}"#, &["**.id"], &[]);
}

#[test]
fn a_list_may_be_without_an_order() {
    let rules = &["r.items[unordered]"];
    check(r#"{"items":[1,2,3]}"#, r#"{"items":[3,1,2]}"#, rules, &[]);
    check(r#"{"items":[1,1,2]}"#, r#"{"items":[2,2,1]}"#, rules, &["~ r.items[1] 1 2"]);
    check(r#"{"items":[1,2]}"#, r#"{"items":[2,3,1]}"#, rules, &["+ r.items[1] 3"]);
    check(
        r#"{"items":[{"id":1,"n":"a"},{"id":2,"n":"b"}]}"#,
        r#"{"items":[{"id":2,"n":"x"},{"id":1,"n":"a"}]}"#,
        rules,
        &[r#"~ r.items[1].n "b" "x""#],
    );
    check("[[1,2],[3,4]]", "[[4,3],[2,1]]", &["r[unordered]", "r[*][unordered]"], &[]);
}

#[test]
fn numbers_are_exact() {
    check("[1.10, 1e3]", "[1.1, 1000.0]", &[], &[]);
    check("7", "7.0", &[], &["! r 7 7.0"]);
    check(
        "18446744073709551616",
        "18446744073709551617",
        &[],
        &["~ r 18446744073709551616 18446744073709551617"],
    );
    check("7", "\"7\"", &[], &["! r 7 \"7\""]);
}

#[test]
fn secrets_are_equal_but_only_where_both_are_secrets() {
    let secret = |hash| format!("Bearer {}", secret::placeholder("bearer", hash));
    check_texts(&secret(1), &secret(2), &[], &[]);
    let named = format!("~ r {:?} \"Bearer x\"", secret(1));
    check_texts(&secret(1), "Bearer x", &[], &[&named]);
}

#[test]
fn bytes_and_long_texts_are_exact() {
    let bytes = |last| Value::Bytes(vec![0, 255, last]);
    check_values(&bytes(1), &bytes(1), &[], &[]);
    check_values(&bytes(1), &bytes(2), &[], &[r#"~ r {"$base64":"AP8B"} {"$base64":"AP8C"}"#]);
    check_values(
        &Value::from("a"),
        &Value::Bytes(b"a".to_vec()),
        &[],
        &[r#"! r "a" {"$base64":"YQ=="}"#],
    );
    let long = "x".repeat(8 << 20);
    let rules = Rules::default();
    let differences = compare(&long.clone().into(), &(long + "y").into(), "r", &rules);
    assert_eq!(differences.len(), 1);
}

#[test]
fn json_in_a_text_is_compared_as_what_it_says() {
    let wanted = &[r#"~ r.b "x" "y""#];
    check_texts(r#"{"a":1,"b":"x"}"#, "{\n \"b\": \"y\", \"a\": 1}", &[], wanted);
    check_texts(r#"{"a":1,"b":"x"}"#, "{\n \"b\": \"y\", \"a\": 1}", &["r.b"], &[]);
    check_texts(
        r#"{"a":1,"a":2}"#,
        r#"{"a":1, "a":2}"#,
        &[],
        &[r#"~ r "{\"a\":1,\"a\":2}" "{\"a\":1, \"a\":2}""#],
    );
    let inside = r#"{"p":"{\"x\":1}"}"#;
    check(inside, r#"{"p":"{ \"x\": 2 }"}"#, &[], &["~ r.p.x 1 2"]);
}

#[test]
fn xml_is_compared_as_a_tree() {
    let one = r#"<?xml version="1.0"?><o xmlns="u:x" b="1" a="2"><i>x</i><i>y</i></o>"#;
    let other = "<p:o xmlns:p='u:x' a='2' b='1'>\n  <p:i><![CDATA[x]]></p:i>\n  <p:i>y</p:i><!-- --><?pi?></p:o>";
    check_texts(one, other, &[], &[]);
    let other = r#"<o xmlns="u:x" b="1"><i>x</i><i>z</i><i>n</i></o>"#;
    check_texts(
        one,
        other,
        &[],
        &[r#"- r/o/@a "2""#, r#"~ r/o/i[2] "y" "z""#, r#"+ r/o/i[3] "<i>n</i>""#],
    );
    check_texts(one, other, &["r/o/@a", "r/o/i"], &[]);
    check_texts("<a>x<b/></a>", "<a>y<b/></a>", &[], &[r#"~ r/a/text() "x" "y""#]);
    check_texts("<a/>", "<b/>", &[], &[r#"~ r/a "<a/>" "<b/>""#]);
}

#[test]
fn what_is_no_plain_xml_is_text() {
    let bomb = |x: &str| format!("<!DOCTYPE a [<!ENTITY x \"{x}\">]><a>&x;</a>");
    let no_name = |x: &str| format!("<a @b=\"{x}\"/>");
    for (one, other) in
        [(bomb("1"), bomb("2")), ("<a>".into(), "<a >".into()), (no_name("1"), no_name("2"))]
    {
        let differences = compare(&one.into(), &other.into(), "r", &Rules::default());
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].path, "r");
    }
}

#[test]
fn the_cost_and_the_number_of_differences_are_bounded() {
    let list = |from: i32| Value::from((from..from + 50_000).collect::<Vec<_>>());
    let differences = compare(&list(0), &list(100_000), "r", &Rules::default());
    assert_eq!(differences.len(), MAX_DIFFERENCES + 1);
    assert!(is_truncated(&differences));
    let deep = |leaf: i32| (0..500).fold(Value::from(leaf), |inner, _| Value::List(vec![inner]));
    let (one, other) = (deep(1), deep(2));
    assert_eq!(compare(&one, &other, "r", &Rules::default()).len(), 1);
    let wide = |leaf: &str| format!("<a>{}{leaf}</a>", "<b/>".repeat(60_000));
    let differences = compare(&wide("<c/>").into(), &wide("").into(), "r", &Rules::default());
    assert_eq!(said(&differences), [r#"- r/a/c "<c/>""#]);
    let xml = |leaf: &str| format!("{}{leaf}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    assert_eq!(compare(&xml("1").into(), &xml("2").into(), "r", &Rules::default()).len(), 1);
}

#[test]
fn noise_above_the_root_covers_everything() {
    check("1", "2", &["r"], &[]);
    let rules = Rules::noise(["calls[*].body.id"]).unwrap();
    let value = |id: i32| Value::Map([("body", Value::Map([("id", id)].into()))].into());
    assert_eq!(compare(&value(1), &value(2), "calls[3]", &rules), []);
    assert_eq!(compare(&value(1), &value(2), "mocks[3]", &rules).len(), 1);
}
