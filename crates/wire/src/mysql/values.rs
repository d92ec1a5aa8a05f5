//! Values of rows and parameters, in the text and in the binary protocol (MySQL source documentation,
//! "Text Resultset Row" and "Binary Protocol Value").
//!
//! Both look the same in recordings. What would not come out the same again is kept as bytes.

use super::columns::{Column, UNSIGNED};
use super::fields::{Fields, put_sized};
use super::types::{self, Kind};
use super::{malformed, moment, unwritable};
use crate::WireError;
use rehearsal_model::{Number, Value};

/// Reads a row of text.
pub(super) fn read_text_row(body: &[u8], columns: &[Column]) -> Result<Value, WireError> {
    let mut fields = Fields::new(body);
    let mut row = Vec::with_capacity(columns.len());
    for column in columns {
        row.push(match fields.nullable()? {
            Some(text) => from_text(column, text),
            None => Value::Null,
        });
    }
    if !fields.is_empty() {
        return Err(malformed("a row that has more values than columns"));
    }
    Ok(Value::List(row))
}

/// Writes a row of text.
pub(super) fn write_text_row(
    row: &[Value],
    columns: &[Column],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    check_width(row, columns)?;
    for (value, column) in row.iter().zip(columns) {
        match value {
            Value::Null => out.push(0xfb),
            value => put_sized(out, &to_text(column, value).ok_or_else(|| refused(column, value))?),
        }
    }
    Ok(())
}

/// Reads a binary row.
pub(super) fn read_binary_row(body: &[u8], columns: &[Column]) -> Result<Value, WireError> {
    let mut fields = Fields::new(body);
    fields.byte()?;
    let nulls = fields.take((columns.len() + 9) / 8)?;
    let mut row = Vec::with_capacity(columns.len());
    for (place, column) in columns.iter().enumerate() {
        let place = place + 2;
        row.push(match nulls[place / 8] >> (place % 8) & 1 {
            1 => Value::Null,
            _ => read_binary(column, &mut fields)?,
        });
    }
    if !fields.is_empty() {
        return Err(malformed("a row that has more values than columns"));
    }
    Ok(Value::List(row))
}

/// Writes a binary row.
pub(super) fn write_binary_row(
    row: &[Value],
    columns: &[Column],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    check_width(row, columns)?;
    out.push(0);
    let nulls = out.len();
    out.resize(nulls + (columns.len() + 9) / 8, 0);
    for (place, (value, column)) in row.iter().zip(columns).enumerate() {
        let place = place + 2;
        match value {
            Value::Null => out[nulls + place / 8] |= 1 << (place % 8),
            value => write_binary(column, value, out).ok_or_else(|| refused(column, value))?,
        }
    }
    Ok(())
}

fn check_width(row: &[Value], columns: &[Column]) -> Result<(), WireError> {
    if row.len() == columns.len() {
        return Ok(());
    }
    let (has, wants) = (row.len(), columns.len());
    Err(unwritable(&format!("a row has {has} values where there are {wants} columns; correct it")))
}

/// What is wrong with a value in a column, and what to do.
pub(super) fn problem(column: &Column, value: &Value) -> Option<String> {
    if *value == Value::Null || to_text(column, value).is_some() {
        return None;
    }
    let quote = match (column.kind(), value) {
        (Kind::Text, Value::Number(_) | Value::Bool(_)) => ", or write it in quotes",
        _ => "",
    };
    let (kind, name) = (super::shown::kind(column), &column.name);
    Some(format!("the {} in column `{name}` is no {kind}; correct it{quote}", value.kind()))
}

fn refused(column: &Column, value: &Value) -> WireError {
    unwritable(&format!(
        "the {} in column `{}` is no value of its type; correct it",
        value.kind(),
        column.name
    ))
}

/// The value that a text stands for. Text that is none of its type is kept as bytes, so that it is told
/// from what people write.
pub(super) fn from_text(column: &Column, text: &[u8]) -> Value {
    let kind = column.kind();
    let read = match kind {
        Kind::Integer(_) | Kind::Float(_) | Kind::Decimal => number(text),
        Kind::Bits => bits(text, column.length),
        Kind::Text | Kind::Null => return Value::from_bytes(text),
        Kind::Date | Kind::DateTime | Kind::Time => None,
    };
    read.unwrap_or_else(|| match std::str::from_utf8(text) {
        Ok(string) if is_spelled(kind, string) => Value::from(string),
        _ => Value::Bytes(text.to_vec()),
    })
}

/// The text of a value; `None` when the type has no such value.
fn to_text(column: &Column, value: &Value) -> Option<Vec<u8>> {
    let kind = column.kind();
    match (kind, value) {
        (_, Value::Bytes(bytes)) => Some(bytes.clone()),
        (Kind::Bits, Value::Text(text)) => unbits(text),
        (_, Value::Text(text)) if is_spelled(kind, text) => Some(text.clone().into_bytes()),
        (Kind::Integer(_), Value::Number(number)) if !number.is_integer() => None,
        (Kind::Integer(_) | Kind::Float(_) | Kind::Decimal, Value::Number(number)) => {
            Some(number.as_str().as_bytes().to_vec())
        }
        _ => None,
    }
}

/// Whether a text is a value of a kind.
fn is_spelled(kind: Kind, text: &str) -> bool {
    match kind {
        // With leading zeros it is no number to YAML.
        Kind::Integer(_) | Kind::Float(_) | Kind::Decimal => text.parse::<f64>().is_ok(),
        Kind::Date | Kind::DateTime => moment::write_date(text).is_some(),
        Kind::Time => moment::write_time(text).is_some(),
        Kind::Bits => false,
        Kind::Text | Kind::Null => true,
    }
}

fn number(text: &[u8]) -> Option<Value> {
    Number::parse(std::str::from_utf8(text).ok()?).map(Value::Number)
}

/// Bits as `b'0101'`; `None` when there are more than the column has.
fn bits(bytes: &[u8], length: u32) -> Option<Value> {
    let all: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
    if length.div_ceil(8) != bytes.len() {
        return None;
    }
    let (before, kept) = all.split_at(all.len() - length);
    (!before.contains('1')).then(|| Value::from(format!("b'{kept}'")))
}

fn unbits(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("b'")?.strip_suffix('\'')?;
    let mut out = Vec::new();
    for eight in digits.as_bytes().rchunks(8) {
        let mut byte = 0u8;
        for digit in eight {
            byte = byte << 1 | digit.checked_sub(b'0').filter(|bit| *bit < 2)?;
        }
        out.push(byte);
    }
    out.reverse();
    Some(out)
}

/// Reads the value of a parameter, for which the column stands. Drivers send a moment with a fraction of
/// zero, or without; nobody writes it again.
pub(super) fn read_parameter(column: &Column, fields: &mut Fields<'_>) -> Result<Value, WireError> {
    let is_moment = matches!(column.kind(), Kind::Date | Kind::DateTime | Kind::Time);
    let value = read(column, fields, !is_moment)?;
    let whole = value.as_text().filter(|_| is_moment).and_then(|text| text.strip_suffix(".000000"));
    Ok(whole.map(Value::from).unwrap_or(value))
}

/// Reads a value of a binary row.
fn read_binary(column: &Column, fields: &mut Fields<'_>) -> Result<Value, WireError> {
    read(column, fields, true)
}

fn read(column: &Column, fields: &mut Fields<'_>, exact: bool) -> Result<Value, WireError> {
    let kind = column.kind();
    let raw = match kind {
        Kind::Integer(size) | Kind::Float(size) => fields.take(size)?,
        Kind::Date | Kind::DateTime | Kind::Time => {
            let length = usize::from(fields.byte()?);
            fields.take(length)?
        }
        Kind::Null => return Ok(Value::Null),
        _ => fields.sized()?,
    };
    let shown = match kind {
        Kind::Integer(_) => return Ok(integer(raw, column)),
        Kind::Float(_) => float(raw, column.decimals),
        Kind::Decimal => number(raw),
        Kind::Bits => bits(raw, column.length),
        Kind::Date => moment::read_date(raw, false, 0).map(Value::from),
        Kind::DateTime => moment::read_date(raw, true, column.decimals).map(Value::from),
        Kind::Time => moment::read_time(raw, column.decimals).map(Value::from),
        Kind::Text | Kind::Null => return Ok(Value::from_bytes(raw)),
    };
    // Whatever is not written as it was read stays what it is.
    let mut again = Vec::new();
    let same = shown.as_ref().is_some_and(|shown| {
        !exact || (write_binary(column, shown, &mut again).is_some() && again.ends_with(raw))
    });
    Ok(shown.filter(|_| same).unwrap_or_else(|| Value::Bytes(raw.to_vec())))
}

/// Writes a value of a binary row; `None` when the type has no such value.
fn write_binary(column: &Column, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match column.kind() {
        Kind::Integer(size) => out.extend_from_slice(&to_integer(column, size, value)?),
        Kind::Float(size) => match value {
            Value::Bytes(raw) if raw.len() == size => out.extend_from_slice(raw),
            value if size == 4 => {
                let number = spelled(value)?.parse().ok().filter(|number: &f32| number.is_finite());
                out.extend_from_slice(&number?.to_le_bytes());
            }
            value => {
                let number = spelled(value)?.parse().ok().filter(|number: &f64| number.is_finite());
                out.extend_from_slice(&number?.to_le_bytes());
            }
        },
        kind @ (Kind::Date | Kind::DateTime | Kind::Time) => {
            let bytes = match (kind, value) {
                (_, Value::Bytes(raw)) => raw.clone(),
                (Kind::Time, value) => moment::write_time(value.as_text()?)?,
                (_, value) => moment::write_date(value.as_text()?)?,
            };
            out.push(u8::try_from(bytes.len()).ok()?);
            out.extend_from_slice(&bytes);
        }
        _ => put_sized(out, &to_text(column, value)?),
    }
    Some(())
}

fn to_integer(column: &Column, size: usize, value: &Value) -> Option<Vec<u8>> {
    let number = spelled(value)?.parse::<i128>().ok()?;
    let bits = 8 * u32::try_from(size).ok()?;
    let range = match column.is_unsigned() {
        false => -(1i128 << (bits - 1))..1i128 << (bits - 1),
        true => 0..1i128 << bits,
    };
    range.contains(&number).then(|| number.to_le_bytes()[..size].to_vec())
}

fn spelled(value: &Value) -> Option<&str> {
    match value {
        Value::Number(number) => Some(number.as_str()),
        value => value.as_text(),
    }
}

/// An integer, with leading zeros where the server prints them.
fn integer(raw: &[u8], column: &Column) -> Value {
    let negative = !column.is_unsigned() && raw.last().is_some_and(|byte| *byte >= 0x80);
    let mut bytes = [if negative { 0xff } else { 0 }; 16];
    bytes[..raw.len()].copy_from_slice(raw);
    let number = i128::from_le_bytes(bytes);
    // A number is never wider than this.
    let width = if column.flags & ZEROFILL == 0 { 0 } else { column.length.min(20) as usize };
    let text = format!("{number:0width$}");
    Number::parse(&text).map_or_else(|| Value::from(text), Value::Number)
}

const ZEROFILL: u16 = 64;

/// A floating point number in the fewest digits that mean it, or as many as the column has, spelled as
/// the server does.
fn float(raw: &[u8], decimals: u8) -> Option<Value> {
    let narrow: Option<f32> = raw.try_into().ok().map(f32::from_le_bytes);
    let number = match narrow {
        Some(narrow) => f64::from(narrow),
        None => f64::from_le_bytes(raw.try_into().ok()?),
    };
    if !number.is_finite() {
        return None;
    }
    let scientific = match narrow {
        Some(narrow) => format!("{narrow:e}"),
        None => format!("{number:e}"),
    };
    let exponent: i32 = scientific.split_once('e')?.1.parse().ok()?;
    let text = match (exponent, narrow) {
        (-15..=14, Some(narrow)) => narrow.to_string(),
        (-15..=14, None) => number.to_string(),
        _ => scientific,
    };
    if decimals < FLOATING {
        let fixed = format!("{number:.*}", usize::from(decimals));
        let same = match narrow {
            Some(narrow) => fixed.parse() == Ok(narrow),
            None => fixed.parse() == Ok(number),
        };
        if same {
            return Number::parse(&fixed).map(Value::Number);
        }
    }
    Number::parse(&text).map(Value::Number)
}

/// The number of decimals of a column whose decimals are not fixed.
pub(super) const FLOATING: u8 = 31;

/// The column that stands for a parameter of a type.
pub(super) fn parameter(code: u8, is_unsigned: bool) -> Column {
    let flags = if is_unsigned { UNSIGNED } else { 0 };
    // A fraction is shown as far as there is one.
    let length = if code == types::BIT { 64 } else { 0 };
    Column { code, flags, length, decimals: FLOATING, ..Column::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_parameter_with_and_without_a_fraction_of_zero() {
        let read = |bytes: &[u8]| {
            let column = parameter(12, false);
            read_parameter(&column, &mut Fields::new(bytes)).unwrap()
        };
        let long = [11, 0xe8, 7, 5, 6, 10, 0, 0, 0, 0, 0, 0];
        let short = [7, 0xe8, 7, 5, 6, 10, 0, 0];
        assert_eq!(read(&long), Value::from("2024-05-06 10:00:00"));
        assert_eq!(read(&short), read(&long));
        let odd = [3, 1, 2, 3];
        assert_eq!(read(&odd), Value::Bytes(vec![1, 2, 3]));
    }
}
