//! Documents of every type, as bytes and as people read them, and what is refused.

use super::{Budget, date, decimal, document, write};
use proptest::prelude::*;
use rehearsal_model::{Map, Value, json};

/// An element: its type, its name, its bytes.
fn element(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[kind], name, &[0], value].concat()
}

fn whole(elements: &[u8]) -> Vec<u8> {
    let length = i32::try_from(elements.len() + 5).unwrap().to_le_bytes();
    [&length[..], elements, &[0]].concat()
}

fn string(text: &[u8]) -> Vec<u8> {
    let length = i32::try_from(text.len() + 1).unwrap().to_le_bytes();
    [&length[..], text, &[0]].concat()
}

fn read(bytes: &[u8]) -> Value {
    let (value, length) = document(bytes, &mut Budget::of(bytes.len())).unwrap();
    assert_eq!(length, bytes.len());
    value
}

fn written(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    write(&json::parse(text).unwrap(), &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

/// A value of a type looks like that, and gives the same bytes again.
#[track_caller]
fn check(kind: u8, bytes: &[u8], expected: &str) {
    let bytes = whole(&element(kind, b"a", bytes));
    let value = read(&bytes);
    assert_eq!(json::to_string(&value), format!("{{\"a\":{expected}}}"));
    let mut again = Vec::new();
    write(&value, &mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn what_yaml_has_a_form_for() {
    check(0x01, &1.5_f64.to_le_bytes(), "1.5");
    check(0x01, &3.0_f64.to_le_bytes(), "3.0");
    check(0x01, &(-0.0_f64).to_le_bytes(), "-0.0");
    check(0x01, &1e300_f64.to_le_bytes(), "1e300");
    check(0x02, &string("é\n".as_bytes()), "\"é\\n\"");
    check(0x03, &whole(b""), "{}");
    check(0x04, &whole(&element(0x0a, b"0", b"")), "[null]");
    check(0x08, &[1], "true");
    check(0x10, &(-7_i32).to_le_bytes(), "-7");
    check(0x12, &i64::MAX.to_le_bytes(), "9223372036854775807");
}

#[test]
fn what_it_has_none_for_says_what_it_is() {
    check(0x01, &f64::NAN.to_le_bytes(), r#"{"$numberDouble":"NaN"}"#);
    check(0x01, &f64::NEG_INFINITY.to_le_bytes(), r#"{"$numberDouble":"-Infinity"}"#);
    let odd = 0x7ff8_0000_0000_0001_u64.to_le_bytes();
    check(0x01, &odd, r#"{"$numberDouble":{"bits":"7ff8000000000001"}}"#);
    check(0x05, &[3, 0, 0, 0, 0, 1, 2, 3], r#"{"$binary":{"base64":"AQID","subType":"00"}}"#);
    let uuid = [&[16, 0, 0, 0, 4][..], &[0xab; 16]].concat();
    check(0x05, &uuid, r#"{"$uuid":"abababab-abab-abab-abab-abababababab"}"#);
    check(0x06, b"", r#"{"$undefined":true}"#);
    check(0x07, &[0x65; 12], r#"{"$oid":"656565656565656565656565"}"#);
    check(0x09, &0_i64.to_le_bytes(), r#"{"$date":"1970-01-01T00:00:00Z"}"#);
    check(0x09, &(-1_i64).to_le_bytes(), r#"{"$date":{"$numberLong":"-1"}}"#);
    let regex = r#"{"$regularExpression":{"pattern":"^a","options":"i"}}"#;
    check(0x0b, b"^a\0i\0", regex);
    let pointer = [string(b"db.c"), vec![1; 12]].concat();
    let shown = r#"{"$dbPointer":{"$ref":"db.c","$id":{"$oid":"010101010101010101010101"}}}"#;
    check(0x0c, &pointer, shown);
    check(0x0d, &string(b"f()"), r#"{"$code":"f()"}"#);
    check(0x0e, &string(b"s"), r#"{"$symbol":"s"}"#);
    let scoped = [&[17, 0, 0, 0][..], &string(b"f()"), &whole(b"")].concat();
    check(0x0f, &scoped, r#"{"$code":"f()","$scope":{}}"#);
    check(0x11, &[2, 0, 0, 0, 1, 0, 0, 0], r#"{"$timestamp":{"t":1,"i":2}}"#);
    check(0x12, &5_i64.to_le_bytes(), r#"{"$numberLong":"5"}"#);
    let price = decimal::from_text("12.30").unwrap();
    check(0x13, &price.to_le_bytes(), r#"{"$numberDecimal":"12.30"}"#);
    let odd = r#"{"$numberDecimal":{"bits":"ffffffffffffffffffffffffffffffff"}}"#;
    check(0x13, &u128::MAX.to_le_bytes(), odd);
    check(0xff, b"", r#"{"$minKey":1}"#);
    check(0x7f, b"", r#"{"$maxKey":1}"#);
}

#[test]
fn documents_that_maps_and_lists_cannot_say_are_pairs() {
    let twice = [element(0x0a, b"x", b""), element(0x0a, b"x", b"")].concat();
    check(0x03, &whole(&twice), r#"{"$document":[["x",null],["x",null]]}"#);
    check(0x04, &whole(&twice), r#"{"$array":[["x",null],["x",null]]}"#);
    let mark = element(0x0a, b"$oid", b"");
    check(0x03, &whole(&mark), r#"{"$document":[["$oid",null]]}"#);
    let text = read(&whole(&element(0x02, b"a", &string(&[0xff]))));
    assert_eq!(text, Map::from([("a", Value::Bytes(vec![0xff]))]).into());
}

#[test]
fn wrong_bytes_are_refused() {
    let none = |bytes: &[u8]| document(bytes, &mut Budget::of(bytes.len())).unwrap_err();
    for bytes in [&b""[..], &[5, 0, 0], &[4, 0, 0, 0], &[9, 0, 0, 0, 0], &[255, 255, 255, 255, 0]] {
        none(bytes);
    }
    none(&[5, 0, 0, 0, 1]);
    none(&whole(&element(0x08, b"a", &[2])));
    none(&whole(&element(0x02, b"a", &[9, 0, 0, 0, b'x', 0])));
    none(&whole(&element(0x02, b"a", &[1, 0, 0, 0, b'x'])));
    none(&whole(&element(0x05, b"a", &[0xff, 0xff, 0xff, 0x7f, 0])));
    none(&whole(&element(0x42, b"a", b"")));
    none(&whole(&element(0x0f, b"a", &[&[9, 0, 0, 0][..], &string(b""), &whole(b"")].concat())));
    let deep = (0..300).fold(whole(b""), |inner, _| whole(&element(0x03, b"a", &inner)));
    assert!(none(&deep).to_string().contains("too deep"));
    let many = whole(&b"\x0a\0".repeat(10_000));
    assert!(none(&many).to_string().contains("too many elements"));
}

#[test]
fn edited_values_are_written_as_they_were_meant() {
    let same = |one: &str, other: &str| assert_eq!(written(one), written(other), "{one}");
    same(r#"{"a": {"$numberInt": "7"}}"#, r#"{"a": 7}"#);
    same(r#"{"a": {"$numberLong": 5}}"#, r#"{"a": {"$numberLong": "5"}}"#);
    same(r#"{"a": {"$numberDouble": "1.5"}}"#, r#"{"a": 1.5}"#);
    let utc = r#"{"a": {"$date": "2024-05-06T08:00:00Z"}}"#;
    same(r#"{"a": {"$date": "2024-05-06T10:00:00.000+02:00"}}"#, utc);
    same(r#"{"a": {"$numberDecimal": "1E1"}}"#, r#"{"a": {"$numberDecimal": "1E+1"}}"#);
    for wrong in [
        r#"{"a": {"$oid": "65"}}"#,
        r#"{"a": {"$oid": 7}}"#,
        r#"{"a": {"$date": "2024-02-30T00:00:00Z"}}"#,
        r#"{"a": {"$date": "yesterday"}}"#,
        r#"{"a": {"$numberLong": "9223372036854775808"}}"#,
        r#"{"a": {"$numberDecimal": "x"}}"#,
        r#"{"a": {"$binary": {"base64": "A", "subType": "00"}}}"#,
        r#"{"a": {"$oid": "656565656565656565656565", "b": 1}}"#,
        r#"{"a": {"$code": "f()", "$scope": 1}}"#,
        r#"{"a": {"$document": [["x"]]}}"#,
        r#"{"a": 18446744073709551616}"#,
        r#"{"a": 1e999}"#,
        r#"{"a\u0000b": 1}"#,
        "[]",
    ] {
        written(wrong).unwrap_err();
    }
    assert!(written(r#"{"a": {"$oid": 7}}"#).unwrap_err().contains("24 hexadecimal digits"));
}

#[test]
fn decimals_are_spelled_as_the_specification_spells_them() {
    for text in
        ["0", "-0", "0.1", "0.000001", "1E-7", "1.234E+10", "NaN", "-Infinity", "0E+3", "0.00"]
    {
        let bits = decimal::from_text(text).unwrap();
        assert_eq!(decimal::to_text(bits).as_deref(), Some(text));
    }
    let nines = "9".repeat(34);
    assert!(decimal::from_text(&nines).is_some());
    assert!(decimal::from_text(&format!("{nines}9")).is_none());
    assert_eq!(
        decimal::from_text("1E6144"),
        decimal::from_text(&format!("1{}E6111", "0".repeat(33)))
    );
    assert!(decimal::from_text("1E6145").is_none());
    assert!(decimal::from_text("1E-6177").is_none());
    assert_eq!(decimal::from_text("10E-6177"), decimal::from_text("1E-6176"));
    assert_eq!(decimal::from_text("1"), Some(0x3040_u128 << 112 | 1));
}

/// Values of every type, as bytes.
fn value() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let fixed = |kind, length: usize| {
        prop::collection::vec(any::<u8>(), length).prop_map(move |bytes| (kind, bytes))
    };
    let text =
        |kind| prop::collection::vec(any::<u8>(), 0..6).prop_map(move |text| (kind, string(&text)));
    let near = prop_oneof![-9i64..9, any::<i64>(), 0i64..300_000_000_000_000];
    let leaf = prop_oneof![
        prop_oneof![
            fixed(0x01, 8),
            fixed(0x07, 12),
            fixed(0x10, 4),
            fixed(0x11, 8),
            fixed(0x13, 16)
        ],
        prop_oneof![text(0x02), text(0x0d), text(0x0e)],
        prop_oneof![fixed(0x06, 0), fixed(0x0a, 0), fixed(0x7f, 0), fixed(0xff, 0)],
        any::<bool>().prop_map(|value| (0x08, vec![u8::from(value)])),
        (any::<bool>(), near).prop_map(|(date, number)| {
            (if date { 0x09 } else { 0x12 }, number.to_le_bytes().to_vec())
        }),
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(kind, bytes)| {
            let length = i32::try_from(bytes.len()).unwrap().to_le_bytes();
            (0x05, [&length[..], &[kind], &bytes].concat())
        }),
        (any::<f64>(), any::<bool>()).prop_map(|(number, _)| (0x01, number.to_le_bytes().to_vec())),
        Just((0x0b, b"a\xffb\0im\0".to_vec())),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![
            Just(b"a".to_vec()),
            Just(b"$oid".to_vec()),
            Just(b"$set".to_vec()),
            Just(b"0".to_vec()),
            prop::collection::vec(1u8.., 0..4),
        ];
        let list = prop::collection::vec(inner.clone(), 0..5).prop_map(|values| {
            let each = values.iter().enumerate();
            let each = each
                .map(|(place, (kind, bytes))| element(*kind, place.to_string().as_bytes(), bytes));
            (0x04, whole(&each.collect::<Vec<_>>().concat()))
        });
        let pairs = prop::collection::vec((name, inner), 0..5);
        let document = (pairs, any::<bool>()).prop_map(|(pairs, array)| {
            let each = pairs.iter().map(|(name, (kind, bytes))| element(*kind, name, bytes));
            let kind = if array { 0x04 } else { 0x03 };
            (kind, whole(&each.collect::<Vec<_>>().concat()))
        });
        prop_oneof![list, document]
    })
}

proptest! {
    #[test]
    fn every_document_gives_its_bytes_again((kind, bytes) in value()) {
        let bytes = whole(&element(kind, b"x", &bytes));
        let value = document(&bytes, &mut Budget::of(1 << 16)).unwrap().0;
        let mut again = Vec::new();
        write(&value, &mut again).unwrap();
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn damage_is_no_disaster((kind, bytes) in value(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = whole(&element(kind, b"x", &bytes));
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok((value, length)) = document(&bytes, &mut Budget::of(1 << 16)) {
            let mut again = Vec::new();
            write(&value, &mut again).unwrap();
            prop_assert_eq!(&again[..], &bytes[..length]);
        }
    }

    #[test]
    fn dates_are_what_they_say(time in 0i64..253_402_300_800_000) {
        let text = date::to_text(time).unwrap();
        prop_assert_eq!(date::from_text(&text), Some(time));
    }
}
