//! From the value that shows a message, edited or not, to its encoding.
//!
//! Fields are written in the order of the value. What does not fit its field is refused with the
//! field's name; nothing is guessed.

use super::elements::{self, Element, MAX_NUMBER, Wire};
use super::schema::{Field, Kind, Label, Message, Schemas};
use super::{scalar, well_known};
use rehearsal_model::{Map, Number, Value};

/// The encoding of a message; `Err` names the field that cannot be written, and why.
pub(crate) fn encode(
    value: &Value,
    of: Option<&Message>,
    schemas: &Schemas,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    Encoder { schemas }.message(value, of, &mut out)?;
    Ok(out)
}

#[derive(Clone, Copy)]
pub(super) struct Encoder<'s> {
    pub(super) schemas: &'s Schemas,
}

impl Encoder<'_> {
    pub(super) fn message(
        self,
        value: &Value,
        of: Option<&Message>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if let Value::Bytes(bytes) = value {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        if let Some(message) = of
            && well_known::write(self, message, value, out)?
        {
            return Ok(());
        }
        self.fields(value, of, out)
    }

    /// The fields in a map, or in the maps of a list.
    pub(super) fn fields(
        self,
        value: &Value,
        of: Option<&Message>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match value {
            Value::Map(map) => self.pairs(map, of, out),
            Value::List(list) => list.iter().try_for_each(|item| match item {
                Value::Map(map) => self.pairs(map, of, out),
                other => Err(scalar::expected("a map of fields", other)),
            }),
            other => Err(scalar::expected("a map of fields", other)),
        }
    }

    fn pairs(self, map: &Map, of: Option<&Message>, out: &mut Vec<u8>) -> Result<(), String> {
        map.iter().try_for_each(|(key, value)| {
            let written = match key.as_bytes().first() {
                Some(b'0'..=b'9') => self.numbered(key, value, out),
                _ => self.named(key, value, of, out),
            };
            written.map_err(|problem| match problem.split_once(": ") {
                Some((path, _)) if path.bytes().all(|byte| byte != b' ') => {
                    format!("{key}.{problem}")
                }
                _ => format!("{key}: {problem}"),
            })
        })
    }

    fn named(
        self,
        key: &str,
        value: &Value,
        of: Option<&Message>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let Some(message) = of else {
            return Err("it is no field number, and no schema tells what it is".to_owned());
        };
        let Some(field) = message.named(key) else {
            let names: Vec<_> =
                message.fields.iter().take(12).map(|field| field.name.as_str()).collect();
            let names = names.join(", ");
            return Err(format!("{} has no such field; it has {names}", message.name));
        };
        self.field(field, value, out)
    }

    fn field(self, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let entry = match field.kind {
            Kind::Message(place) => Some(&self.schemas.messages[place]),
            _ => None,
        };
        if let (Value::Map(map), Some(entry)) = (value, entry.filter(|entry| entry.is_entry)) {
            return map
                .iter()
                .try_for_each(|(key, value)| self.entry(field, entry, key, value, out));
        }
        match (field.label, value) {
            (Label::Singular, value) => self.one(field, value, out),
            (Label::Repeated, Value::List(list)) => {
                list.iter().try_for_each(|value| self.one(field, value, out))
            }
            (Label::Packed, Value::List(list)) => self.packed(field, list, out),
            (_, other) => Err(scalar::expected("a list", other)),
        }
    }

    fn entry(
        self,
        field: &Field,
        entry: &Message,
        key: &str,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let kind = entry.numbered(1).map(|field| field.kind);
        let shown = match (kind, key) {
            (Some(Kind::String), _) => Value::from(key),
            (Some(Kind::Bool), "true" | "false") => Value::Bool(key == "true"),
            _ => match Number::parse(key) {
                Some(number) => Value::Number(number),
                None => return Err(format!("{key:?} cannot be a key of this map")),
            },
        };
        let pair = Map::from([("key", shown), ("value", value.clone())]);
        self.one(field, &Value::Map(pair), out)
    }

    fn one(self, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let number = field.number;
        let mut inner = Vec::new();
        let wire = match field.kind {
            Kind::Message(place) => {
                self.message(value, Some(&self.schemas.messages[place]), &mut inner)?;
                Wire::Length(&inner)
            }
            Kind::Group(place) => {
                self.message(value, Some(&self.schemas.messages[place]), &mut inner)?;
                Wire::Group(&inner)
            }
            kind => scalar::write(kind, value, self.schemas)?,
        };
        elements::write(Element { number, wire }, out);
        Ok(())
    }

    fn packed(self, field: &Field, list: &[Value], out: &mut Vec<u8>) -> Result<(), String> {
        let mut inner = Vec::new();
        for value in list {
            match scalar::write(field.kind, value, self.schemas)? {
                Wire::Varint(value) => elements::write_varint(value, &mut inner),
                Wire::Fixed64(value) => inner.extend_from_slice(&value.to_le_bytes()),
                Wire::Fixed32(value) => inner.extend_from_slice(&value.to_le_bytes()),
                Wire::Length(_) | Wire::Group(_) => {
                    return Err(format!("{} cannot be packed", field.name));
                }
            }
        }
        elements::write(Element { number: field.number, wire: Wire::Length(&inner) }, out);
        Ok(())
    }

    /// A field by its number, with the wire type behind it.
    fn numbered(self, key: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let (number, kind) = key.split_once(' ').unwrap_or((key, ""));
        let number = number.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number));
        let Some(number) = number else {
            return Err(format!("field numbers go from 1 to {MAX_NUMBER}"));
        };
        let mut each = |value| self.number(number, kind, value, out);
        match value {
            Value::List(list) => list.iter().try_for_each(each),
            value => each(value),
        }
    }

    fn number(
        self,
        number: u32,
        kind: &str,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut inner = Vec::new();
        let wire = match (kind, value) {
            ("", Value::Number(_)) => {
                let value = scalar::integer(value, i64::MIN.into(), u64::MAX.into())?;
                Wire::Varint(scalar::low_bits(value))
            }
            ("", Value::Bool(truth)) => Wire::Varint(u64::from(*truth)),
            ("", Value::Text(text)) => Wire::Length(text.as_bytes()),
            ("", Value::Bytes(bytes)) => Wire::Length(bytes),
            ("", Value::Map(_) | Value::List(_)) => {
                self.fields(value, None, &mut inner)?;
                Wire::Length(&inner)
            }
            ("", Value::Null) => return Err("it is null; leave it out".to_owned()),
            ("double", value) => Wire::Fixed64(scalar::double(value)?.to_bits()),
            ("float", value) => Wire::Fixed32(scalar::float(value)?.to_bits()),
            ("fixed64", value) => {
                Wire::Fixed64(scalar::low_bits(scalar::integer(value, 0, u64::MAX.into())?))
            }
            ("fixed32", value) => {
                Wire::Fixed32(scalar::low_bits(scalar::integer(value, 0, u32::MAX.into())?) as u32)
            }
            ("group", value) => {
                self.message(value, None, &mut inner)?;
                Wire::Group(&inner)
            }
            (other, _) => {
                return Err(format!(
                    "{other:?} is no wire type; known are double, fixed64, float, fixed32 and group"
                ));
            }
        };
        elements::write(Element { number, wire }, out);
        Ok(())
    }
}
