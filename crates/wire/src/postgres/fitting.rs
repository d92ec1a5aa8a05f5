//! Whether a value that stands in a recording is one of its column's type, whatever format a driver
//! asks for.
//!
//! It looks at the kind of value, and at what no setting of a server changes. How a server spells
//! dates depends on its settings, so that any text with a digit passes for one.

use super::columns::Column;
use super::types::{Kind, kind, name};
use super::{address, array};
use rehearsal_model::Value;

/// What is wrong with a value in a column, and what to do.
pub(super) fn problem(column: &Column, value: &Value) -> Option<String> {
    let fits = match (&column.parts, value) {
        (Some(_), Value::List(_)) => true,
        _ => fits(column.oid, value),
    };
    (!fits).then(|| complaint(column.oid, &format!(" in column `{}`", column.name), value))
}

/// What is wrong with a value that stands for itself.
pub(super) fn problem_alone(oid: u32, value: &Value) -> Option<String> {
    (!fits(oid, value)).then(|| complaint(oid, "", value))
}

fn complaint(oid: u32, place: &str, value: &Value) -> String {
    let (kind, told) = (name(oid), told(value));
    let quote = match value {
        Value::Number(_) | Value::Bool(_) => ", or write it in quotes",
        _ => "",
    };
    format!("{told}{place} is no {kind}; correct it{quote}")
}

/// A value for a message.
fn told(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Number(number) => format!("the number {number}"),
        value => format!("a {}", value.kind()),
    }
}

fn fits(oid: u32, value: &Value) -> bool {
    let kind = kind(oid);
    match (kind, value) {
        // What was received in binary and is not understood is kept as bytes.
        (_, Value::Null | Value::Bytes(_)) => true,
        (Kind::Bool, value) => matches!(value, Value::Bool(_)),
        (Kind::Integer(size), value) => {
            let most = i64::MAX >> (64 - 8 * u32::from(size));
            value.as_i64().is_some_and(|number| (-most - 1..=most).contains(&number))
        }
        (Kind::Oid, value) => value.as_i64().is_some_and(|number| u32::try_from(number).is_ok()),
        (Kind::Float(_) | Kind::Numeric, Value::Text(text)) => {
            matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity")
        }
        (Kind::Float(_) | Kind::Numeric | Kind::Other, Value::Number(_)) => true,
        (Kind::Array(element), Value::List(_)) => {
            array::encode_text(element, value).is_some() && items_fit(element, value)
        }
        (Kind::Uuid, Value::Text(text)) => address::write_uuid(text).is_some(),
        (Kind::Date | Kind::Time | Kind::TimeTz, Value::Text(text))
        | (Kind::Timestamp | Kind::TimestampTz | Kind::Interval, Value::Text(text)) => {
            text.ends_with("infinity") || text.contains(|char: char| char.is_ascii_digit())
        }
        (_, Value::Text(_)) => true,
        _ => false,
    }
}

fn items_fit(element: u32, value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().all(|item| items_fit(element, item)),
        item => fits(element, item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::columns;
    use rehearsal_model::Number;

    fn check(column: &str, value: impl Into<Value>) -> Option<String> {
        let columns = columns::from_value(&vec![column].into()).unwrap();
        problem(&columns[0], &value.into())
    }

    #[test]
    fn what_is_of_another_type_is_told() {
        let number = |text: &str| Value::Number(Number::parse(text).unwrap());
        for (column, value, expected) in [
            ("id int4", "abc".into(), "the text \"abc\" in column `id` is no int4; correct it"),
            ("id int4", number("1.5"), "the number 1.5 in column `id` is no int4; correct it"),
            ("id int2", number("32768"), "the number 32768 in column `id` is no int2"),
            ("id int4", number("-2147483649"), "is no int4"),
            ("name text", number("42"), "is no text; correct it, or write it in quotes"),
            ("paid bool", "yes".into(), "is no bool"),
            ("due date", "tomorrow".into(), "is no date"),
            ("key uuid", "17".into(), "is no uuid"),
            ("tags text[]", vec![1].into(), "is no text[]"),
            ("sizes int4[]", vec!["a"].into(), "is no int4[]"),
            ("amount numeric(10,2)", "1,50".into(), "is no numeric"),
        ] {
            let told = check(column, value).unwrap();
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_servers_say_passes() {
        let number = |text: &str| Value::Number(Number::parse(text).unwrap());
        for (column, value) in [
            ("id int2", number("-32768")),
            ("id int4", number("2147483647")),
            ("id int8", i64::MIN.into()),
            ("id int8", i64::MAX.into()),
            ("x float8", "NaN".into()),
            ("x numeric", number("123456789012345678901234567890.5")),
            ("due date", "01.03.2024".into()),
            ("due date", "-infinity".into()),
            ("at timestamptz", "Fri Mar 01 10:00:00 2024 CET".into()),
            ("m money", "$1.00".into()),
            ("o oid", u32::MAX.into()),
            ("mood #16385", "busy".into()),
            ("moods #16391=#16385[]", vec!["busy"].into()),
            ("raw bytea", Value::Bytes(vec![1])),
            ("tags text[]", "[0:1]={a,b}".into()),
            ("name text", Value::Null),
        ] {
            assert_eq!(check(column, value), None, "{column}");
        }
    }
}
