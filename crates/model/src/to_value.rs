//! Any serializable type as a [`Value`], so that there is one writer of JSON and of YAML.

use crate::{Map, Number, Value, value::NUMBER};
use serde::ser::{self, Serialize, Serializer};
use std::fmt;

/// Turns a serializable type into a value. Numbers inside it keep their spelling.
///
/// # Errors
/// When a type says it cannot be serialized, or a map has a key that is not text.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ToValueError> {
    value.serialize(ToValue)
}

/// Why a type has no value.
#[derive(Debug, thiserror::Error)]
#[error("turn a type into a value: {0}")]
pub struct ToValueError(String);

impl ser::Error for ToValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ToValueError(message.to_string())
    }
}

struct ToValue;

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, value: $type) -> Result<Value, ToValueError> {
            Ok(Value::Number(value.into()))
        }
    )*};
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = ToValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    integers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i32: i32, serialize_i64: i64, serialize_i128: i128);

    fn serialize_i8(self, value: i8) -> Result<Value, ToValueError> {
        self.serialize_i32(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, ToValueError> {
        self.serialize_i32(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<Value, ToValueError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, ToValueError> {
        Ok(Number::parse(&value.to_string()).map_or(Value::Null, Value::Number))
    }

    fn serialize_bool(self, value: bool) -> Result<Value, ToValueError> {
        Ok(Value::Bool(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, ToValueError> {
        Ok(Value::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, ToValueError> {
        Ok(Value::from(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, ToValueError> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, ToValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ToValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ToValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, ToValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, ToValueError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, ToValueError> {
        let value = value.serialize(self)?;
        match &value {
            Value::Text(text) if name == NUMBER => Number::parse(text)
                .map(Value::Number)
                .ok_or_else(|| ser::Error::custom(format!("{text:?} is not a number"))),
            _ => Ok(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ToValueError> {
        Ok(Value::Map(Map::from([(variant, value.serialize(self)?)])))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, ToValueError> {
        Ok(Items { variant: None, list: Vec::with_capacity(len.unwrap_or(0).min(1024)) })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, ToValueError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, ToValueError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, ToValueError> {
        Ok(Items { variant: Some(variant), list: Vec::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, ToValueError> {
        Ok(Entries { variant: None, key: None, map: Map::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, ToValueError> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, ToValueError> {
        Ok(Entries { variant: Some(variant), key: None, map: Map::new() })
    }
}

fn tagged(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Map(Map::from([(variant, value)])),
        None => value,
    }
}

/// A list under construction.
struct Items {
    variant: Option<&'static str>,
    list: Vec<Value>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        self.list.push(to_value(value)?);
        Ok(())
    }

    fn finish(self) -> Value {
        tagged(self.variant, Value::List(self.list))
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = ToValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
                self.push(value)
            }

            fn end(self) -> Result<Value, ToValueError> {
                Ok(self.finish())
            }
        }
    )*};
}
items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// A map under construction.
struct Entries {
    variant: Option<&'static str>,
    key: Option<String>,
    map: Map,
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ToValueError> {
        match to_value(key)? {
            Value::Text(key) => self.key = Some(key),
            Value::Number(key) => self.key = Some(key.to_string()),
            other => return Err(ser::Error::custom(format!("a key is {}", other.kind()))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        let key = self.key.take().ok_or_else(|| ser::Error::custom("a value has no key"))?;
        self.map.insert(key, to_value(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(tagged(self.variant, Value::Map(self.map)))
    }
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Entries {
            type Ok = Value;
            type Error = ToValueError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), ToValueError> {
                self.map.insert(key, to_value(value)?);
                Ok(())
            }

            fn end(self) -> Result<Value, ToValueError> {
                Ok(tagged(self.variant, Value::Map(self.map)))
            }
        }
    )*};
}
structs!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Difference, Outcome, RunEvent, TestId};

    #[test]
    fn numbers_keep_their_spelling() {
        let difference = Difference {
            path: "response.body.total".into(),
            change: Change::Changed {
                expected: Number::parse("19.90").unwrap().into(),
                actual: Value::Bytes(b"\xff".to_vec()),
            },
        };
        let value = to_value(&difference).unwrap();
        assert_eq!(
            crate::json::to_string(&value),
            r#"{"path":"response.body.total","change":{"kind":"changed","expected":19.90,"actual":{"$base64":"/w=="}}}"#
        );
    }

    #[test]
    fn events_are_flat_objects() {
        let event = RunEvent::TestFinished {
            recording: "checkout".into(),
            number: TestId(3),
            name: "GET /".into(),
            file: "rehearsal/checkout/tests/0003-get.yaml".into(),
            outcome: Outcome::NotRun,
            took_ms: 1.5,
            calls: Vec::new(),
            findings: vec![],
            triage: None,
            evidence: None,
        };
        assert_eq!(
            event.to_json(),
            r#"{"event":"test-finished","recording":"checkout","number":3,"name":"GET /","file":"rehearsal/checkout/tests/0003-get.yaml","outcome":"not-run","took_ms":1.5,"calls":[],"findings":[],"triage":null,"evidence":null}"#
        );
    }
}
