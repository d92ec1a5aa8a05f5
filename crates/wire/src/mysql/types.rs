//! The types of columns and parameters (MySQL source documentation, "enum_field_types") and the names
//! that SQL has for them.

/// How values of a type are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer of so many bytes in the binary protocol.
    Integer(usize),
    /// A floating point number of so many bytes.
    Float(usize),
    Decimal,
    Date,
    /// A date with its time.
    DateTime,
    Time,
    Bits,
    Null,
    /// Text and bytes, and what is sent like them.
    Text,
}

pub(super) const TINY: u8 = 1;
pub(super) const FLOAT: u8 = 4;
pub(super) const DOUBLE: u8 = 5;
pub(super) const NULL: u8 = 6;
pub(super) const LONGLONG: u8 = 8;
pub(super) const YEAR: u8 = 13;
pub(super) const BIT: u8 = 16;
pub(super) const DECIMAL: u8 = 246;
pub(super) const BLOB: u8 = 252;
pub(super) const VAR_STRING: u8 = 253;
pub(super) const STRING: u8 = 254;

/// How values of a type are read and written.
pub(super) fn kind(code: u8) -> Kind {
    match code {
        TINY => Kind::Integer(1),
        2 | YEAR => Kind::Integer(2),
        3 | 9 => Kind::Integer(4),
        LONGLONG => Kind::Integer(8),
        FLOAT => Kind::Float(4),
        DOUBLE => Kind::Float(8),
        0 | DECIMAL => Kind::Decimal,
        10 | 14 => Kind::Date,
        7 | 12 | 17 | 18 => Kind::DateTime,
        11 | 19 => Kind::Time,
        BIT => Kind::Bits,
        NULL => Kind::Null,
        _ => Kind::Text,
    }
}

/// What a name stands for: the type, whether it is bytes rather than text, and flags that come with
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) code: u8,
    pub(super) is_binary: bool,
    pub(super) flags: u16,
}

pub(super) const ENUM_FLAG: u16 = 256;
pub(super) const SET_FLAG: u16 = 2048;
pub(super) const BLOB_FLAG: u16 = 16;
pub(super) const BINARY_FLAG: u16 = 128;

/// Name, type, whether it is bytes, flags, and the length that makes it this one of several: in
/// characters for text, in bytes for bytes; 0 where that says nothing.
const TYPES: &[(&str, u8, bool, u16, u32)] = &[
    ("tinyint", TINY, false, 0, 0),
    ("smallint", 2, false, 0, 0),
    ("int", 3, false, 0, 0),
    ("float", FLOAT, false, 0, 0),
    ("double", DOUBLE, false, 0, 0),
    ("null", NULL, false, 0, 0),
    ("timestamp", 7, false, 0, 0),
    ("bigint", LONGLONG, false, 0, 0),
    ("mediumint", 9, false, 0, 0),
    ("date", 10, false, 0, 0),
    ("time", 11, false, 0, 0),
    ("datetime", 12, false, 0, 0),
    ("year", YEAR, false, 0, 0),
    ("bit", BIT, false, 0, 0),
    ("vector", 242, true, 0, 0),
    ("json", 245, true, 0, 0),
    ("decimal", DECIMAL, false, 0, 0),
    ("enum", STRING, false, ENUM_FLAG, 0),
    ("set", STRING, false, SET_FLAG, 0),
    ("tinytext", BLOB, false, 0, 255),
    ("text", BLOB, false, 0, 65_535),
    ("mediumtext", BLOB, false, 0, 16_777_215),
    ("longtext", BLOB, false, 0, u32::MAX),
    ("tinyblob", BLOB, true, 0, 255),
    ("blob", BLOB, true, 0, 65_535),
    ("mediumblob", BLOB, true, 0, 16_777_215),
    ("longblob", BLOB, true, 0, u32::MAX),
    ("varbinary", VAR_STRING, true, 0, 0),
    ("varchar", VAR_STRING, false, 0, 0),
    ("binary", STRING, true, 0, 0),
    ("char", STRING, false, 0, 0),
    ("geometry", 255, true, 0, 0),
];

/// The name of a type, and the length that it implies, in characters.
pub(super) fn name(named: Named, length: u32) -> (String, Option<u32>) {
    let Named { code, is_binary, flags } = named;
    let is_text = kind(code) == Kind::Text;
    let is_alone = matches!(code, 242 | 245 | 255);
    let fits = |row: &&(&str, u8, bool, u16, u32)| {
        row.1 == code && (row.2 == is_binary || !is_text || is_alone) && flags & row.3 == row.3
    };
    if let Some(row) = TYPES.iter().filter(fits).find(|row| row.4 == length && row.4 != 0) {
        return (row.0.to_owned(), Some(row.4));
    }
    // One of several whose length is that of none.
    let plain = |row: &&(&str, u8, bool, u16, u32)| matches!(row.4, 0 | 65_535);
    match TYPES.iter().filter(fits).find(plain) {
        Some(row) => (row.0.to_owned(), None),
        None => (format!("type{code}{}", if is_binary { "b" } else { "" }), None),
    }
}

/// What a name that [`name`] gave stands for, with the length that it implies.
pub(super) fn named(name: &str) -> Option<(Named, Option<u32>)> {
    if let Some(row) = TYPES.iter().find(|row| row.0 == name) {
        let named = Named { code: row.1, is_binary: row.2, flags: row.3 };
        return Some((named, (row.4 != 0).then_some(row.4)));
    }
    let number = name.strip_prefix("type")?;
    let (number, is_binary) = number.strip_suffix('b').map_or((number, false), |n| (n, true));
    Some((Named { code: number.parse().ok()?, is_binary, flags: 0 }, None))
}

/// How many characters a server takes to print any value of a type; none when that depends on more.
pub(super) fn width(code: u8, is_unsigned: bool, decimals: u8) -> Option<u32> {
    let fraction = if decimals == 0 { 0 } else { u32::from(decimals) + 1 };
    Some(match (code, is_unsigned) {
        (TINY, unsigned) => 4 - u32::from(unsigned),
        (2, unsigned) => 6 - u32::from(unsigned),
        (9, unsigned) => 9 - u32::from(unsigned),
        (3, unsigned) => 11 - u32::from(unsigned),
        (LONGLONG, _) => 20,
        (FLOAT, _) => 12,
        (DOUBLE, _) => 22,
        (NULL, _) => 0,
        (YEAR, _) => 4,
        (10, _) => 10,
        (11, _) => 10 + fraction,
        (7 | 12, _) => 19 + fraction,
        _ => return None,
    })
}
