//! The one tree type in the middle.
//!
//! It has no opinion on formats: JSON is in [`crate::json`], YAML in `store`.

use crate::{Map, Number};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// The kinds of values, as [`Value::kind`] names them.
pub const KINDS: &[&str] =
    &["null", "boolean", "integer", "number", "text", "bytes", "list", "map"];

/// Whatever a message can hold, without loss.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing, said explicitly.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number in its own spelling.
    Number(Number),
    /// Unicode text.
    Text(String),
    /// Bytes that are not, or need not be, text.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name, in order.
    Map(Map),
}

impl Value {
    /// The text, when it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The map, when it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, when it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The integer, when it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// What kind of value it is, in a word for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_integer() => "integer",
            Value::Number(_) => "number",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }

    /// Bytes as text when they are UTF-8 that a text file can hold, else as bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if is_textual(text) => Value::Text(text.to_owned()),
            _ => Value::Bytes(bytes.to_vec()),
        }
    }

    /// As [`Value::from_bytes`], of bytes that nobody else needs.
    #[must_use]
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if is_textual(&text) => Value::Text(text),
            Ok(text) => Value::Bytes(text.into_bytes()),
            Err(error) => Value::Bytes(error.into_bytes()),
        }
    }

    /// The bytes of text or bytes; `None` for anything else.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Control characters other than tab, line feed and carriage return make a message binary.
fn is_textual(text: &str) -> bool {
    // Most text is ASCII, of which many bytes are looked at in one step when none ends the search.
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let is_textual = |char: char| !char.is_control() || matches!(char, '\t' | '\n' | '\r');
    text.as_bytes().iter().fold(true, |all, byte| all & plain(byte)) || text.chars().all(is_textual)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Value::Number(value)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Value::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Value::Number(value.into())
            }
        }
    )*};
}
from_integers!(u16, u32, u64, usize, i32, i64);

/// The name under which a [`Number`] passes through serde with its spelling; [`crate::to_value`]
/// knows it, any other serializer sees text.
pub(crate) const NUMBER: &str = "$rehearsal::Number";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => serializer.serialize_newtype_struct(NUMBER, number.as_str()),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Value::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            out.serialize_entry(key, value)?;
        }
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_only_when_a_text_file_can_hold_them() {
        assert_eq!(Value::from_bytes(b"a\r\n\tb"), Value::from("a\r\n\tb"));
        assert_eq!(Value::from_bytes(b"a\0b"), Value::Bytes(b"a\0b".to_vec()));
        assert_eq!(Value::from_bytes(b"\x1b[31m"), Value::Bytes(b"\x1b[31m".to_vec()));
        assert_eq!(Value::from_bytes(b"\xff"), Value::Bytes(vec![0xff]));
    }
}
