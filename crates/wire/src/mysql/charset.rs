//! Collations by number (`information_schema.collations`), as far as drivers ask for them.
//!
//! Bytes are never converted.

use super::unwritable;
use crate::WireError;
use rehearsal_model::Value;

/// What numbers and bytes have.
pub(super) const BINARY: u16 = 63;

/// What results have when they do not say.
pub(super) const USUAL: u16 = 45;

const NAMES: &[(u16, &str)] = &[
    (1, "big5_chinese_ci"),
    (8, "latin1_swedish_ci"),
    (11, "ascii_general_ci"),
    (13, "sjis_japanese_ci"),
    (24, "gb2312_chinese_ci"),
    (28, "gbk_chinese_ci"),
    (33, "utf8mb3_general_ci"),
    (45, "utf8mb4_general_ci"),
    (46, "utf8mb4_bin"),
    (47, "latin1_bin"),
    (48, "latin1_general_ci"),
    (63, "binary"),
    (83, "utf8mb3_bin"),
    (192, "utf8mb3_unicode_ci"),
    (224, "utf8mb4_unicode_ci"),
    (246, "utf8mb4_unicode_520_ci"),
    (248, "gb18030_chinese_ci"),
    (255, "utf8mb4_0900_ai_ci"),
];

/// A collation as recordings have it: its name, or its number where the name is not known.
pub(super) fn to_value(id: u16) -> Value {
    match NAMES.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => Value::from(*name),
        None => Value::from(i32::from(id)),
    }
}

/// A collation of a recording.
pub(super) fn from_value(value: &Value) -> Result<u16, WireError> {
    let by_number = value.as_i64().and_then(|id| u16::try_from(id).ok());
    let by_name = || NAMES.iter().find(|(_, name)| value.as_text() == Some(name));
    by_number.or_else(|| by_name().map(|(id, _)| *id)).ok_or_else(|| {
        unwritable("`charset` must be a collation such as utf8mb4_general_ci, or its number")
    })
}

/// The most bytes that a character takes, by which servers multiply the length of columns.
pub(super) fn widest(id: u16) -> u32 {
    match id {
        33 | 83 | 192..=215 | 223 => 3,
        45 | 46 | 224..=247 | 255..=323 | 608..=640 | 2304..=2400 => 4,
        _ => 1,
    }
}
