//! Values and columns: what was read can be written, and means the same in text and in binary.

use super::columns::{Column, NOT_NULL, Source, UNSIGNED};
use super::{shown, values};
use proptest::prelude::*;
use rehearsal_model::{Map, Number, Value};

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).expect("it is a number"))
}

fn typed(code: u8, is_unsigned: bool) -> Column {
    let flags = if is_unsigned { UNSIGNED } else { 0 };
    Column { code, flags, decimals: 31, ..Column::default() }
}

/// Values of the kinds that have a readable form, with the column of their type.
fn value() -> impl Strategy<Value = (Column, Value)> {
    let moment = (0u16..10_000, 0u8..13, 0u8..32, 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000);
    prop_oneof![
        any::<i8>().prop_map(|it| (typed(1, false), number(&it.to_string()))),
        any::<u16>().prop_map(|it| (typed(2, true), number(&it.to_string()))),
        any::<i32>().prop_map(|it| (typed(3, false), number(&it.to_string()))),
        any::<u64>().prop_map(|it| (typed(8, true), number(&it.to_string()))),
        any::<i64>().prop_map(|it| (typed(8, false), number(&it.to_string()))),
        (-1e300f64..1e300).prop_map(|it| {
            let column = typed(5, false);
            let bytes = it.to_le_bytes();
            (column.clone(), read(&column, &bytes))
        }),
        any::<f32>().prop_filter("a server has none", |it| it.is_finite()).prop_map(|it| {
            let column = typed(4, false);
            (column.clone(), read(&column, &it.to_le_bytes()))
        }),
        "-?(0|[1-9][0-9]{0,30})\\.[0-9]{1,20}".prop_map(|it| (typed(246, false), number(&it))),
        "[^\\x00-\\x1f\\x7f-\\u{9f}]*".prop_map(|it| (typed(253, false), it.into())),
        any::<Vec<u8>>().prop_map(|it| (typed(252, false), Value::from_bytes(&it))),
        moment.prop_map(|(year, month, day, hour, minute, second, micros)| {
            let text = format!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}"
            );
            (Column { decimals: 6, ..typed(12, false) }, text.into())
        }),
        (0u16..10_000, 0u8..13, 0u8..32).prop_map(|(year, month, day)| (
            typed(10, false),
            format!("{year:04}-{month:02}-{day:02}").into()
        )),
        (any::<bool>(), 0u32..839, 0u8..60, 0u8..60).prop_map(
            |(negative, hours, minutes, seconds)| {
                let sign =
                    if negative && (hours, minutes, seconds) != (0, 0, 0) { "-" } else { "" };
                let text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}");
                (Column { decimals: 0, ..typed(11, false) }, text.into())
            }
        ),
        "[01]{1,64}".prop_map(|it| {
            let length = u32::try_from(it.len()).expect("it is short");
            (Column { length, ..typed(16, true) }, format!("b'{it}'").into())
        }),
    ]
}

/// Values of the kinds that are rarer.
fn rare() -> impl Strategy<Value = (Column, Value)> {
    let enumerated = prop::sample::select(vec![(0x100u16, "busy"), (0x800, "x,z"), (0x800, "")]);
    prop_oneof![
        "-?(0|[1-9][0-9]{0,34})\\.[0-9]{30}".prop_map(|it| (typed(246, false), number(&it))),
        (1901u16..2156).prop_map(|it| (typed(13, true), number(&it.to_string()))),
        (any::<bool>(), 0u32..839, 0u8..60, 0u8..60, 0u32..1_000_000, 1u8..7).prop_map(
            |(negative, hours, minutes, seconds, micros, digits)| {
                let micros = format!("{micros:06}")[..usize::from(digits)].to_owned();
                let text = format!("{hours:02}:{minutes:02}:{seconds:02}.{micros}");
                let zero = !text.contains(|it| matches!(it, '1'..='9'));
                let sign = if negative && !zero { "-" } else { "" };
                let column = Column { decimals: digits, ..typed(11, false) };
                (column, format!("{sign}{text}").into())
            }
        ),
        (1970u16..2038, 1u8..13, 1u8..29, 0u32..1000).prop_map(|(year, month, day, millis)| {
            let text = format!("{year:04}-{month:02}-{day:02} 00:00:00.{millis:03}");
            (Column { decimals: 3, ..typed(7, false) }, text.into())
        }),
        enumerated.prop_map(|(flag, text)| {
            let column = Column { flags: flag, charset: 45, ..typed(254, false) };
            (column, text.into())
        }),
        "[^\\x00-\\x1f\\x7f-\\u{9f}]*".prop_map(|it| (typed(245, false), it.into())),
        prop::collection::vec(any::<u8>(), 25..60)
            .prop_map(|it| (Column { charset: 63, ..typed(255, false) }, Value::from_bytes(&it))),
    ]
}

fn read(column: &Column, bytes: &[u8]) -> Value {
    let row = [&[0, 0][..], bytes].concat();
    first(values::read_binary_row(&row, std::slice::from_ref(column)).expect("it is a row"))
}

fn first(row: Value) -> Value {
    row.as_list().expect("it is a row")[0].clone()
}

fn any_column() -> impl Strategy<Value = Column> {
    let names = ("[a-z =()`.]{0,12}", "[a-z.` ]{0,6}", "[a-z]{0,6}", "[a-z ]{0,6}", "[a-z=]{0,6}");
    let codes = prop_oneof![0u8..20, 242u8..=255];
    let charsets = prop::sample::select(vec![63u16, 45, 33, 8, 255, 700]);
    let lengths = prop_oneof![any::<u32>(), Just(u32::MAX), Just(262_140u32), Just(11), 0u32..300];
    let extra = prop::collection::vec((0u8..3, "[a-z0-9]{1,5}"), 0..3);
    let rest = (codes, charsets, lengths, any::<u16>(), 0u8..40, extra);
    (names, rest).prop_map(|((name, schema, table, real_table, real_name), rest)| {
        let (code, charset, length, flags, decimals, extra) = rest;
        let source = Source { schema, table, real_table, real_name };
        Column { source, name, charset, length, code, flags, decimals, extra }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again((column, value) in prop_oneof![value(), rare()]) {
        let columns = std::slice::from_ref(&column);
        let row = [value.clone()];
        let mut bytes = Vec::new();
        values::write_binary_row(&row, columns, &mut bytes).expect("it has a binary form");
        prop_assert_eq!(&first(values::read_binary_row(&bytes, columns).expect("it is a row")), &value);
        let mut bytes = Vec::new();
        values::write_text_row(&row, columns, &mut bytes).expect("it has a text form");
        prop_assert_eq!(&first(values::read_text_row(&bytes, columns).expect("it is a row")), &value);
    }

    /// Whatever comes from a server goes to a client as it came.
    #[test]
    fn any_bytes_survive(column in any_column(), bytes in any::<Vec<u8>>()) {
        let columns = std::slice::from_ref(&column);
        let mut row = Vec::new();
        super::fields::put_sized(&mut row, &bytes);
        let value = values::read_text_row(&row, columns).expect("it is a row");
        let mut again = Vec::new();
        values::write_text_row(&[first(value)], columns, &mut again).expect("it has a form");
        prop_assert_eq!(&again, &row);
        let row = [&[0, 0][..], &bytes].concat();
        if let Ok(value) = values::read_binary_row(&row, columns) {
            let mut again = Vec::new();
            let value = first(value);
            if value != Value::Null {
                values::write_binary_row(&[value], columns, &mut again).expect("it has a form");
                prop_assert_eq!(again, row);
            }
        }
    }

    #[test]
    fn columns_are_shown_without_loss(columns in prop::collection::vec(any_column(), 1..4)) {
        let mut map = Map::new();
        shown::put(&columns, &mut map);
        let again = shown::take(&map).expect("they can be read").expect("there are some");
        prop_assert_eq!(again, columns, "{:?}", map);
    }

    #[test]
    fn definitions_survive(column in any_column(), extended in any::<bool>()) {
        let column = if extended { column } else { Column { extra: Vec::new(), ..column } };
        let mut body = Vec::new();
        column.write(extended, &mut body);
        prop_assert_eq!(Column::read(&body, extended).expect("it is one"), column);
    }
}

#[track_caller]
fn check(column: &Column, expected: &str) {
    let mut map = Map::new();
    shown::put(std::slice::from_ref(column), &mut map);
    assert_eq!(map.get("columns"), Some(&Value::from(vec![expected])));
}

#[test]
fn columns_read_like_sql() {
    let source = Source {
        schema: "shop".to_owned(),
        table: "o".to_owned(),
        real_table: "orders".to_owned(),
        real_name: "id".to_owned(),
    };
    let name = "id".to_owned();
    let id =
        Column { source, name, charset: 63, length: 10, code: 3, flags: 0x4223, ..typed(3, true) };
    let id = Column { decimals: 0, ..id };
    check(&id, "id int unsigned not null primary key auto_increment");
    let amount =
        Column { length: 12, code: 246, flags: NOT_NULL | 4096, decimals: 2, ..id.clone() };
    check(&amount, "id decimal(10,2) not null");
    let text = Column { charset: 45, length: 400, code: 253, flags: NOT_NULL, ..id.clone() };
    check(&text, "id varchar(100) not null default");
    let odd = Column { length: 7, flags: 1 << 13, decimals: 3, ..id };
    check(&odd, "id int(7) flags=8192 decimals=3");
}

#[test]
fn a_wrong_value_is_refused_by_name() {
    let integer = [Value::Bool(true), number("1.5"), number("3000000000"), "ten".into()];
    let moment = ["tomorrow".into(), number("2024"), "2024-01-01 10 o'clock".into()];
    let cases = [
        (3, &integer[..]),
        (12, &moment[..]),
        (16, &["101".into()][..]),
        (253, &[number("1")][..]),
    ];
    for (code, values) in cases {
        let column = Column { name: "price".to_owned(), ..typed(code, false) };
        let columns = std::slice::from_ref(&column);
        for value in values {
            let row = [value.clone()];
            let binary = values::write_binary_row(&row, columns, &mut Vec::new());
            // No text is too large a number.
            let is_large = *value == number("3000000000");
            let text = values::write_text_row(&row, columns, &mut Vec::new());
            let errors = [binary.err(), text.err()].into_iter().flatten().collect::<Vec<_>>();
            assert_eq!(errors.len(), if is_large { 1 } else { 2 }, "{value:?}");
            assert!(errors.iter().all(|error| error.to_string().contains("`price`")));
        }
    }
}
