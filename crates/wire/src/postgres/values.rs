//! Values in both formats: what was read can be written, and means the same in either.

use super::made::Parts;
use super::{binary, text, types};
use proptest::prelude::*;
use rehearsal_model::{Number, Value};

fn number(text: String) -> Value {
    Value::Number(Number::parse(&text).unwrap())
}

/// Values of the kinds that have a readable form, with the object id of their type.
fn scalar() -> impl Strategy<Value = (u32, Value)> {
    let decimal = ("-?(0|[1-9][0-9]{0,30})", "(\\.[0-9]{1,20})?");
    prop_oneof![
        any::<bool>().prop_map(|value| (16, Value::Bool(value))),
        any::<i16>().prop_map(|value| (21, i32::from(value).into())),
        any::<i32>().prop_map(|value| (23, value.into())),
        any::<i64>().prop_map(|value| (20, value.into())),
        any::<u32>().prop_map(|value| (26, value.into())),
        decimal
            .prop_map(|(whole, fraction)| format!("{whole}{fraction}"))
            .prop_filter("a server has no negative zero", |text| {
                !text.starts_with('-') || text.contains(|char| matches!(char, '1'..='9'))
            })
            .prop_map(|text| (1700, number(text))),
        "[^\\x00-\\x1f\\x7f-\\u{9f}]*".prop_map(|text| (25, text.into())),
        any::<Vec<u8>>().prop_map(|bytes| (17, Value::Bytes(bytes))),
        (0i64..86_400_000_000).prop_map(|micros| (1083, super::moment::spell_time(micros).into())),
        any::<[u8; 16]>().prop_map(|bytes| (2950, binary::decode(2950, &bytes))),
        any::<[u8; 6]>().prop_map(|bytes| (829, binary::decode(829, &bytes))),
        "[01]{0,40}".prop_map(|text| (1562, text.into())),
        any::<std::net::IpAddr>().prop_map(|address| (869, address.to_string().into())),
        (-700_000i32..2_000_000).prop_map(|days| (1082, binary::decode(1082, &days.to_be_bytes()))),
        (-200_000_000_000_000_000i64..9_000_000_000_000_000_000)
            .prop_flat_map(|micros| prop_oneof![Just((1114, micros)), Just((1184, micros))])
            .prop_map(|(oid, micros)| (oid, binary::decode(oid, &micros.to_be_bytes()))),
        any::<f64>().prop_map(|value| (701, binary::decode(701, &value.to_be_bytes()))),
        any::<f32>().prop_map(|value| (700, binary::decode(700, &value.to_be_bytes()))),
        (-1_000_000_000_000i64..1_000_000_000_000, -1000i32..1000, -1000i32..1000).prop_map(
            |(micros, days, months)| {
                let bytes = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()];
                (1186, binary::decode(1186, &bytes.concat()))
            }
        ),
    ]
}

fn array_of(element: u32) -> u32 {
    types::oid(&format!("{}[]", types::name(element))).unwrap()
}

/// Lists of one type, some with holes, some of two dimensions.
fn list() -> impl Strategy<Value = (u32, Value)> {
    let row = (scalar(), 0usize..4, any::<[bool; 4]>());
    (row, 0usize..3).prop_map(|(((element, value), length, holes), height)| {
        let item = |hole: &bool| if *hole { Value::Null } else { value.clone() };
        let row: Vec<Value> = holes.iter().take(length).map(item).collect();
        let value = match (height, length) {
            (0, _) | (_, 0) => Value::List(row),
            _ => Value::List(vec![Value::List(row); height]),
        };
        (array_of(element), value)
    })
}

/// Ranges and several of them, in a form that a server has.
fn range() -> impl Strategy<Value = (u32, Value)> {
    let bound = || prop::option::of(any::<i16>());
    let one = (bound(), bound(), any::<(bool, bool)>()).prop_map(|(lower, upper, included)| {
        let [lower, upper] =
            [lower, upper].map(|bound| bound.map_or_else(String::new, |bound| bound.to_string()));
        let open = if included.0 && !lower.is_empty() { '[' } else { '(' };
        let close = if included.1 && !upper.is_empty() { ']' } else { ')' };
        format!("{open}{lower},{upper}{close}")
    });
    let one = prop_oneof![one, Just("empty".to_owned())];
    prop::collection::vec(one, 0..4).prop_flat_map(|ranges| {
        let many = (4451, Value::from(format!("{{{}}}", ranges.join(","))));
        let first = ranges.into_iter().next().unwrap_or_else(|| "empty".to_owned());
        prop_oneof![
            Just(many),
            Just((3904, Value::from(first.as_str()))),
            Just((3926, first.into()))
        ]
    })
}

/// Ranges whose bounds need not be numbers: what is in them is quoted where it must be.
fn range_of_others() -> impl Strategy<Value = (u32, Value)> {
    let moment = -200_000_000_000_000_000i64..9_000_000_000_000_000_000;
    let bound = prop_oneof![
        "-?[1-9][0-9]{0,20}(\\.[0-9]{1,10})?".prop_map(|text| (3906, 1700, number(text))),
        (-700_000i32..2_000_000).prop_map(|days| (
            3912,
            1082,
            binary::decode(1082, &days.to_be_bytes())
        )),
        moment
            .prop_flat_map(|micros| {
                prop_oneof![Just((3908, 1114, micros)), Just((3910, 1184, micros))]
            })
            .prop_map(|(range, oid, micros)| (
                range,
                oid,
                binary::decode(oid, &micros.to_be_bytes())
            )),
    ];
    let ends = (any::<(bool, bool)>(), any::<(bool, bool)>());
    (bound, ends, any::<bool>()).prop_map(|((range, oid, value), (has, included), listed)| {
        let text = String::from_utf8(text::encode(oid, &value).expect("it has a text form"));
        let text = text.expect("it is text");
        let text = if text.contains(' ') { format!("\"{text}\"") } else { text };
        let side = |has: bool| if has { text.as_str() } else { "" };
        let open = if has.0 && included.0 { '[' } else { '(' };
        let close = if has.1 && included.1 { ']' } else { ')' };
        let value = Value::from(format!("{open}{},{}{close}", side(has.0), side(has.1)));
        match listed {
            true => (array_of(range), Value::List(vec![value, Value::Null])),
            false => (range, value),
        }
    })
}

/// The kinds that are rarer: parts of networks, times with a zone, fixed bits, documents.
fn rare() -> impl Strategy<Value = (u32, Value)> {
    let part = (any::<std::net::Ipv4Addr>(), 0u8..32);
    let one = prop_oneof![
        part.clone().prop_map(|(address, bits)| (869, format!("{address}/{bits}").into())),
        part.prop_map(|(address, bits)| {
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - u32::from(bits)) };
            let network = std::net::Ipv4Addr::from(u32::from(address) & mask);
            (650, format!("{network}/{bits}").into())
        }),
        "[01]{1,70}".prop_map(|text| (1560, text.into())),
        (0i64..86_400_000_000, -57_599i32..57_600).prop_map(|(micros, zone)| {
            let bytes = [&micros.to_be_bytes()[..], &zone.to_be_bytes()].concat();
            (1266, binary::decode(1266, &bytes))
        }),
        any::<[u8; 8]>().prop_map(|bytes| (774, binary::decode(774, &bytes))),
        prop_oneof![Just(114u32), Just(3802)].prop_map(|oid| (oid, binary_document(oid))),
    ];
    (one, any::<bool>()).prop_map(|((oid, value), listed)| match listed {
        true => (array_of(oid), Value::List(vec![value.clone(), Value::Null, value])),
        false => (oid, value),
    })
}

fn binary_document(oid: u32) -> Value {
    let text = r#"{"a": [1, 2.50, null], "ü": "x\"y"}"#;
    let version: &[u8] = if oid == 3802 { &[1] } else { &[] };
    binary::decode(oid, &[version, text.as_bytes()].concat())
}

/// Not a number has many spellings in binary, and one in text.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::List(list) => list.iter().all(is_plain),
        value => value.as_text() != Some("NaN"),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again((oid, value) in prop_oneof![scalar(), list(), range(), range_of_others(), rare()]) {
        prop_assume!(is_plain(&value));
        let bytes = binary::encode(oid, &value).expect("it has a binary form");
        prop_assert_eq!(&binary::decode(oid, &bytes), &value, "{} in binary", types::name(oid));
        let bytes = text::encode(oid, &value).expect("it has a text form");
        let again = text::decode(oid, &bytes);
        prop_assert_eq!(&again, &value, "{} in text", types::name(oid));
    }

    /// Whatever comes from a server goes to a client as it came, in the same format.
    #[test]
    fn any_bytes_survive(oid in any_type(), bytes in any::<Vec<u8>>()) {
        prop_assert_eq!(binary::encode(oid, &binary::decode(oid, &bytes)), Some(bytes.clone()));
        // No server prints bytes that are not printable; such a text counts as the bytes themselves.
        let printed = types::kind(oid) != types::Kind::Bytea || !bytes.iter().any(u8::is_ascii_control);
        if std::str::from_utf8(&bytes).is_ok() && printed {
            let value = text::decode(oid, &bytes);
            let out = match (&value, text::encode(oid, &value)) {
                (Value::Bytes(raw), None) => raw.clone(),
                (_, out) => out.unwrap_or_default(),
            };
            prop_assert_eq!(out, bytes);
        }
    }

    /// What a value says that it is made of is only believed when the same bytes come out again.
    #[test]
    fn bytes_that_say_what_they_are_made_of_survive(
        numbers in prop::collection::vec(prop_oneof![0u32..8, any::<u32>()], 0..12),
        tail in any::<Vec<u8>>(),
    ) {
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
        let bytes: Vec<u8> = numbers.chain(tail).collect();
        if let Some(parts) = Parts::of(&bytes) {
            let value = parts.read(&bytes).expect("it was read to find that");
            prop_assert_eq!(parts.write(&value), Some(bytes));
            prop_assert_eq!(Parts::parse(&parts.spell()), Some(parts));
        }
    }

    #[test]
    fn lists_in_text_survive(string in "[{}\",\\\\a1 NUL]{0,20}", oid in any_type()) {
        let value = text::decode(oid, string.as_bytes());
        let out = text::encode(oid, &value);
        prop_assert!(out.is_none_or(|out| out == string.as_bytes()));
    }
}

fn any_type() -> impl Strategy<Value = u32> {
    prop_oneof![
        prop::sample::select(vec![
            16u32, 17, 18, 20, 21, 23, 25, 26, 114, 600, 650, 700, 701, 829, 869, 1082, 1083, 1114,
            1184, 1186, 1266, 1560, 1562, 1700, 2950, 3802, 3904, 3906, 3908, 4451, 1007, 1009,
            1001, 1231, 1182, 99_999
        ]),
        any::<u32>(),
    ]
}

#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &str) {
    let oid = types::oid(name).unwrap();
    let shown = text::encode(oid, &binary::decode(oid, bytes)).unwrap();
    assert_eq!(String::from_utf8(shown).unwrap(), expected);
}

/// The edges of the spelling; `tests/databases/postgres` compares both formats of a real server.
#[test]
fn binary_reads_as_the_server_prints() {
    check("float8", &1e15f64.to_be_bytes(), "1e+15");
    check("float8", &1e14f64.to_be_bytes(), "100000000000000");
    check("float8", &(-1.25e-5f64).to_be_bytes(), "-1.25e-05");
    check("float8", &0.0001f64.to_be_bytes(), "0.0001");
    check("float4", &1e6f32.to_be_bytes(), "1e+06");
    check("float4", &123_456.7f32.to_be_bytes(), "123456.7");
    check("float8", &(-0.0f64).to_be_bytes(), "-0");
    check("timestamp", &(-1i64).to_be_bytes(), "1999-12-31 23:59:59.999999");
    check("date", &(-730_120i32).to_be_bytes(), "0001-12-31 BC");
    check("numeric", &[0, 2, 0, 0, 0, 0, 0, 4, 0, 1, 0x09, 0xc4], "1.2500");
    let bounds = [0i64, 90_061_000_000]
        .map(|micros| [&8u32.to_be_bytes()[..], &micros.to_be_bytes()].concat());
    let range = [&[2][..], &bounds.concat()].concat();
    check("tsrange", &range, r#"["2000-01-01 00:00:00","2000-01-02 01:01:01")"#);
    check("numrange", &[0x18], "(,)");
    check("int4multirange", &[0, 0, 0, 1, 0, 0, 0, 1, 1], "{empty}");
    let interval = [&(-1i64).to_be_bytes()[..], &1i32.to_be_bytes(), &(-14i32).to_be_bytes()];
    check("interval", &interval.concat(), "-1 years -2 mons +1 day -00:00:00.000001");
}
