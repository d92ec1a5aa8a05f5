//! The columns of a result: names, types and formats.
//!
//! A column is written `name type`, with the modifier of the type behind it in parentheses when it
//! has one. What tables the columns came from is kept with what a statement was described as, and not
//! with results.

use super::fields::Fields;
use super::frames::{self, Frames};
use super::made::{self, Parts};
use super::{binary, malformed, text, types};
use crate::WireError;
use rehearsal_model::Value;

/// Marks a column whose values were received in the binary format and are not understood.
const BINARY: &str = " binary";

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The number of the table that it is a column of; 0 for none, or when nobody said.
    pub(super) table: u32,
    /// The number that it has there.
    pub(super) place: i16,
    pub(super) oid: u32,
    /// What the server calls the type modifier; -1 when there is none.
    pub(super) modifier: i32,
    /// 0 for text and 1 for binary. When it was read from a recording: 1 if the values can only be
    /// served so.
    pub(super) format: i16,
    /// What its values say that they are made of, once one has.
    pub(super) parts: Option<Parts>,
}

impl Column {
    /// Whether its values are carried as they came.
    fn is_carried(&self) -> bool {
        types::kind(self.oid) == types::Kind::Other
    }
}

/// The format of the column of a number, by a list of format codes as messages have it: none for
/// text, one for all, or one for each.
pub(super) fn format_of(formats: &[i16], column: usize) -> i16 {
    match formats {
        [] => 0,
        [all] => *all,
        each => each.get(column).copied().unwrap_or(0),
    }
}

/// Reads a RowDescription.
pub(super) fn read(body: &[u8]) -> Result<Vec<Column>, WireError> {
    let mut fields = Fields::new(body);
    let count = fields.count()?;
    let mut columns = Vec::new();
    for _ in 0..count {
        let name = String::from_utf8_lossy(fields.zero_ended()?).into_owned();
        let table = fields.u32()?;
        let place = fields.i16()?;
        let oid = fields.u32()?;
        fields.take(2)?;
        let (modifier, format) = (fields.i32()?, fields.i16()?);
        columns.push(Column { name, table, place, oid, modifier, format, parts: None });
    }
    Ok(columns)
}

/// Reads a ParameterDescription.
pub(super) fn read_types(body: &[u8]) -> Result<Vec<u32>, WireError> {
    let mut fields = Fields::new(body);
    let count = fields.count()?;
    (0..count).map(|_| fields.u32()).collect()
}

/// Writes a RowDescription with the formats that were asked for.
pub(super) fn write(columns: &[Column], formats: &[i16], frames: &mut Frames) {
    frames.add(b'T', |out| {
        frames::count(out, columns.len());
        for (index, column) in columns.iter().enumerate() {
            frames::zero_ended(out, column.name.as_bytes());
            out.extend_from_slice(&column.table.to_be_bytes());
            out.extend_from_slice(&column.place.to_be_bytes());
            out.extend_from_slice(&column.oid.to_be_bytes());
            out.extend_from_slice(&types::size(column.oid).to_be_bytes());
            out.extend_from_slice(&column.modifier.to_be_bytes());
            out.extend_from_slice(&format_of(formats, index).to_be_bytes());
        }
    });
}

/// Columns as recordings have them.
pub(super) fn to_value(columns: &[Column]) -> Value {
    let each = columns.iter().map(|column| {
        let kind = kind(column);
        let binary = if column.is_carried() && column.format == 1 { BINARY } else { "" };
        let parts = column.parts.as_ref().map(|parts| format!("={}", parts.spell()));
        let parts = parts.unwrap_or_default();
        format!("{} {kind}{parts}{binary}", column.name)
    });
    Value::from(each.collect::<Vec<_>>())
}

/// The type of a column with its modifier: `numeric(10,2)`.
pub(super) fn kind(column: &Column) -> String {
    let modifier = match column.modifier {
        -1 => String::new(),
        modifier => format!("({})", spoken(column.oid, modifier)),
    };
    format!("{}{modifier}", types::name(column.oid))
}

/// Columns from a recording.
pub(super) fn from_value(value: &Value) -> Result<Vec<Column>, WireError> {
    let list = value.as_list().ok_or_else(|| super::unwritable("`columns` must be a list"))?;
    list.iter().map(|column| {
        column.as_text().and_then(from_text).ok_or_else(|| {
            let shown = column.as_text().unwrap_or(column.kind());
            super::unwritable(&format!(
                "the column {shown:?} must be a name, a space, and a type such as int4, text[] or #16385"
            ))
        })
    }).collect()
}

fn from_text(text: &str) -> Option<Column> {
    let (text, format) = text.strip_suffix(BINARY).map_or((text, 0), |text| (text, 1));
    let (name, spelled) = text.rsplit_once(' ')?;
    let (spelled, parts) = match spelled.split_once('=') {
        Some((spelled, parts)) => (spelled, Some(Parts::parse(parts)?)),
        None => (spelled, None),
    };
    let (kind, said) = match spelled.split_once('(') {
        Some((kind, said)) => (kind, Some(said.strip_suffix(')')?)),
        None => (spelled, None),
    };
    let oid = types::oid(kind)?;
    let modifier = match said {
        Some(said) => meant(oid, said)?,
        None => -1,
    };
    Some(Column { name: name.to_owned(), table: 0, place: 0, oid, modifier, format, parts })
}

/// The tables and the places there that columns came from, each as `16398/2`; none if no column did.
pub(super) fn sources(columns: &[Column]) -> Option<Value> {
    let each = columns.iter().map(|column| match column.table {
        0 => String::new(),
        table => format!("{table}/{}", column.place),
    });
    columns.iter().any(|column| column.table != 0).then(|| Value::from(each.collect::<Vec<_>>()))
}

/// Adds to columns what [`sources`] told of them.
pub(super) fn put_sources(sources: &[Value], columns: &mut [Column]) -> Result<(), WireError> {
    for (source, column) in sources.iter().zip(columns) {
        let Some(source) = source.as_text().filter(|source| !source.is_empty()) else { continue };
        let numbers = source.split_once('/');
        let numbers =
            numbers.and_then(|(table, place)| Some((table.parse().ok()?, place.parse().ok()?)));
        let wrong =
            || super::unwritable("each of `sources` must be a table and a place, such as 16398/2");
        (column.table, column.place) = numbers.ok_or_else(wrong)?;
    }
    Ok(())
}

const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const NUMERIC: u32 = 1700;

/// A modifier as SQL writes it, as far as that is known.
fn spoken(oid: u32, modifier: i32) -> String {
    match (oid, modifier.checked_sub(4)) {
        (BPCHAR | VARCHAR, Some(length)) => length.to_string(),
        (NUMERIC, Some(packed)) => format!("{},{}", packed >> 16, packed & 0xffff),
        _ => modifier.to_string(),
    }
}

fn meant(oid: u32, said: &str) -> Option<i32> {
    let modifier = match (oid, said.split_once(',')) {
        (NUMERIC, Some((precision, scale))) => {
            let scale = scale.parse::<u16>().ok()?;
            let precision = precision.parse::<i16>().ok()?;
            i32::from(precision) << 16 | i32::from(scale)
        }
        (BPCHAR | VARCHAR, None) => said.parse().ok()?,
        _ => return said.parse().ok(),
    };
    modifier.checked_add(4)
}

/// Reads one value of a row or of parameters.
pub(super) fn decode(oid: u32, format: i16, bytes: Option<&[u8]>) -> Result<Value, WireError> {
    match (bytes, format) {
        (None, _) => Ok(Value::Null),
        (Some(bytes), 0) => Ok(text::decode(oid, bytes)),
        (Some(bytes), 1) => {
            Ok(made::decode(oid, bytes).unwrap_or_else(|| binary::decode(oid, bytes)))
        }
        _ => Err(malformed("a format other than text and binary")),
    }
}

/// Notes what the values of a row say that they are made of.
pub(super) fn learn(body: &[u8], columns: &mut [Column]) -> Result<(), WireError> {
    let silent =
        |column: &Column| column.format == 1 && column.parts.is_none() && made::may_say(column.oid);
    if !columns.iter().any(silent) {
        return Ok(());
    }
    let mut fields = Fields::new(body);
    let count = fields.count()?;
    for column in columns.iter_mut().take(count) {
        let value = fields.sized()?;
        if silent(column) {
            column.parts = value.and_then(Parts::of);
        }
    }
    Ok(())
}

/// Reads a DataRow.
pub(super) fn read_row(
    body: &[u8],
    columns: &[Column],
    formats: &[i16],
) -> Result<Value, WireError> {
    let mut fields = Fields::new(body);
    let count = fields.count()?;
    let mut row = Vec::new();
    for index in 0..count {
        let value = fields.sized()?;
        row.push(match (columns.get(index), value) {
            // Others could not be written again: the column says of all what they are made of.
            (Some(Column { format: 1, oid, parts, .. }), Some(value)) => {
                let list = parts.as_ref().and_then(|parts| parts.read(value));
                list.unwrap_or_else(|| binary::decode(*oid, value))
            }
            (Some(column), value) => decode(column.oid, column.format, value)?,
            (None, None) => Value::Null,
            (None, Some(value)) => match format_of(formats, index) {
                1 => binary::decode(0, value),
                format => decode(0, format, Some(value))?,
            },
        });
    }
    Ok(Value::List(row))
}

/// Writes a DataRow in the formats that were asked for.
pub(super) fn write_row(
    row: &[Value],
    columns: &[Column],
    formats: &[i16],
    frames: &mut Frames,
) -> Result<(), WireError> {
    frames.try_add(b'D', |out| {
        frames::count(out, row.len());
        for (index, value) in row.iter().enumerate() {
            if *value == Value::Null {
                out.extend_from_slice(&frames::NULL);
                continue;
            }
            let column = columns.get(index);
            let bytes = encode(column, format_of(formats, index), value);
            let bytes = bytes.ok_or_else(|| refused(column, value))?;
            frames::sized(out, |out| {
                out.extend_from_slice(&bytes);
                Ok::<_, WireError>(())
            })?;
        }
        Ok(())
    })
}

fn encode(column: Option<&Column>, format: i16, value: &Value) -> Option<Vec<u8>> {
    let oid = column.map_or(0, |column| column.oid);
    if let (Some(parts), Value::List(_)) = (column.and_then(|column| column.parts.as_ref()), value)
    {
        return match format {
            0 => parts.write_text(value),
            _ => parts.write(value),
        };
    }
    if let Some(column) = column.filter(|column| column.is_carried()) {
        // Printable bytes are most likely the label of an enumeration, which is the same in both.
        let same = column.format == format || value.as_text().is_some();
        return value.as_bytes().filter(|_| same).map(<[u8]>::to_vec);
    }
    match format {
        0 => text::encode(oid, value),
        _ => binary::encode(oid, value),
    }
}

fn refused(column: Option<&Column>, value: &Value) -> WireError {
    let (name, kind) = match column {
        Some(column) => (column.name.as_str(), types::name(column.oid)),
        None => ("?", "unknown".into()),
    };
    super::unwritable(&format!(
        "the {} in column `{name}` is no {kind} that can be sent as the driver asks; correct it",
        value.kind()
    ))
}
