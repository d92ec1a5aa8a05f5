//! From an encoded message to the value that shows it.
//!
//! A field of a known message is shown by its name, every other one by its number, with the wire
//! type behind it where the value does not tell. What would not come back byte for byte by its name
//! is shown by its number, and what would not come back at all as the bytes that it is. The way
//! back is in [`super::encode`].

use super::elements::{self, Element, MAX_DEPTH, Wire};
use super::schema::{Field, Kind, Label, Message, Schemas};
use super::{scalar, well_known};
use rehearsal_model::{Map, Value};
use std::collections::HashSet;

/// How many values a message may show; one that holds more is shown as bytes. They take many times
/// the memory of their encoding.
const MAX_VALUES: usize = 1 << 18;

/// The value that shows an encoded message.
pub(crate) fn decode(bytes: &[u8], of: Option<&Message>, schemas: &Schemas) -> Value {
    let mut decoder = Decoder { schemas, left: Some(MAX_VALUES) };
    let value = match of {
        Some(message) => Some(decoder.known(bytes, message, 0)),
        None => decoder.message(bytes, None, 0),
    };
    match (value, decoder.left) {
        (Some(value), Some(_)) => value,
        _ => Value::Bytes(bytes.to_vec()),
    }
}

pub(super) struct Decoder<'s> {
    pub(super) schemas: &'s Schemas,
    /// How many more values may be shown; `None` once there were too many.
    left: Option<usize>,
}

/// How a field is shown when it comes again right after itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Each time anew.
    Single,
    /// All in one list.
    Items,
    /// In a list from the second time on.
    Numbered,
    /// In a map, if these are entries of one.
    Entries,
}

/// A key, and what came under it one after the other.
struct Shown {
    key: String,
    form: Form,
    values: Vec<Value>,
}

impl Decoder<'_> {
    fn spend(&mut self, count: usize) -> Option<()> {
        self.left = self.left.and_then(|left| left.checked_sub(count));
        self.left.map(drop)
    }

    /// A message whose kind is known, or its bytes.
    pub(super) fn known(&mut self, bytes: &[u8], message: &Message, depth: usize) -> Value {
        let fields = self.message(bytes, Some(message), depth);
        fields
            .and_then(|fields| well_known::show(self, message, fields, bytes, depth))
            .unwrap_or_else(|| Value::Bytes(bytes.to_vec()))
    }

    /// The fields of a message; `None` when these bytes are no message, or one that is spelled in
    /// another way than the shortest.
    pub(super) fn message(
        &mut self,
        mut bytes: &[u8],
        of: Option<&Message>,
        depth: usize,
    ) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut list: Vec<Shown> = Vec::new();
        while !bytes.is_empty() {
            let element = elements::next(&mut bytes)?;
            self.spend(1)?;
            let field = of.and_then(|message| message.numbered(element.number));
            let named = field.and_then(|field| {
                let (form, value) = self.field(field, element.wire, depth)?;
                Some((field.name.clone(), form, value))
            });
            let (key, form, value) = match named {
                Some(named) => named,
                None => self.numbered(element, depth),
            };
            self.left?;
            match list.last_mut() {
                Some(last) if last.key == key && form != Form::Single && last.form == form => {
                    last.values.push(value);
                }
                _ => list.push(Shown { key, form, values: vec![value] }),
            }
        }
        Some(together(list))
    }

    /// A field by what is known of it.
    fn field(&mut self, field: &Field, wire: Wire<'_>, depth: usize) -> Option<(Form, Value)> {
        let schemas = self.schemas;
        let form = match field.label {
            Label::Singular => Form::Single,
            Label::Repeated => Form::Items,
            Label::Packed => return Some((Form::Single, self.packed(field.kind, wire)?)),
        };
        let (message, bytes) = match (field.kind, wire) {
            (Kind::Message(place), Wire::Length(bytes))
            | (Kind::Group(place), Wire::Group(bytes)) => (&schemas.messages[place], bytes),
            (kind, wire) => return Some((form, scalar::read(kind, wire, schemas)?)),
        };
        let form = if message.is_entry { Form::Entries } else { form };
        Some((form, self.known(bytes, message, depth + 1)))
    }

    /// The values of a field that are together in one element.
    fn packed(&mut self, kind: Kind, wire: Wire<'_>) -> Option<Value> {
        let Wire::Length(mut bytes) = wire else { return None };
        let mut list = Vec::new();
        while !bytes.is_empty() {
            let wire = match kind {
                Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => {
                    let bytes = elements::take(&mut bytes, 8)?;
                    Wire::Fixed64(u64::from_le_bytes(bytes.try_into().ok()?))
                }
                Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => {
                    let bytes = elements::take(&mut bytes, 4)?;
                    Wire::Fixed32(u32::from_le_bytes(bytes.try_into().ok()?))
                }
                _ => Wire::Varint(elements::varint(&mut bytes)?),
            };
            self.spend(1)?;
            list.push(scalar::read(kind, wire, self.schemas)?);
        }
        Some(Value::List(list))
    }

    /// A field of which only the number is known.
    fn numbered(&mut self, element: Element<'_>, depth: usize) -> (String, Form, Value) {
        let (kind, value) = match element.wire {
            Wire::Varint(value) => ("", value.cast_signed().into()),
            Wire::Fixed64(bits) => match double_of(bits) {
                Some(value) => (" double", value),
                None => (" fixed64", bits.into()),
            },
            Wire::Fixed32(bits) => match float_of(bits) {
                Some(value) => (" float", value),
                None => (" fixed32", bits.into()),
            },
            Wire::Length(bytes) => ("", self.guess(bytes, depth)),
            Wire::Group(bytes) => {
                let message = self.message(bytes, None, depth + 1);
                (" group", message.unwrap_or_else(|| Value::Bytes(bytes.to_vec())))
            }
        };
        (format!("{}{kind}", element.number), Form::Numbered, value)
    }

    /// Text, a message or bytes. A text that begins with a control character and is a message as
    /// well is the message: the tag of a message's first field is such a character most often.
    fn guess(&mut self, bytes: &[u8], depth: usize) -> Value {
        let plain = Value::from_bytes(bytes);
        if matches!(plain, Value::Text(_)) && bytes.first().is_none_or(|byte| *byte >= b' ') {
            return plain;
        }
        self.message(bytes, None, depth + 1).unwrap_or(plain)
    }
}

/// The fields as a map, or as a list of maps of one field each when one comes again later.
fn together(list: Vec<Shown>) -> Value {
    let mut seen = HashSet::with_capacity(list.len());
    let again = !list.iter().all(|shown| seen.insert(shown.key.as_str()));
    drop(seen);
    let pairs = list.into_iter().map(|Shown { key, form, values }| (key, value_of(form, values)));
    if again {
        return Value::List(pairs.map(|pair| Value::Map(Map::from([pair]))).collect());
    }
    let mut map = Map::new();
    pairs.for_each(|(key, value)| map.push_new(key, value));
    Value::Map(map)
}

fn value_of(form: Form, mut values: Vec<Value>) -> Value {
    match form {
        Form::Single => values.swap_remove(0),
        Form::Items => Value::List(values),
        Form::Numbered => match values.as_slice() {
            [value] if value.as_list().is_none() => values.swap_remove(0),
            _ => Value::List(values),
        },
        Form::Entries => match entries(&values) {
            Some(map) => Value::Map(map),
            None => Value::List(values),
        },
    }
}

/// Entries as a map: each has a key and a value, in this order, and no key comes twice.
fn entries(list: &[Value]) -> Option<Map> {
    let mut seen = HashSet::with_capacity(list.len());
    let mut map = Map::new();
    for entry in list {
        let mut pairs = entry.as_map()?.iter();
        let (Some(("key", key)), Some(("value", value)), None) =
            (pairs.next(), pairs.next(), pairs.next())
        else {
            return None;
        };
        let key = match key {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return None,
        };
        if !seen.insert(key.clone()) {
            return None;
        }
        map.push_new(key, value.clone());
    }
    Some(map)
}

/// The floating point number that these bits most likely are.
fn double_of(bits: u64) -> Option<Value> {
    let value = f64::from_bits(bits);
    let likely = bits == 0 || (1e-6..1e15).contains(&value.abs());
    likely.then(|| scalar::from_double(value)).flatten()
}

fn float_of(bits: u32) -> Option<Value> {
    let value = f32::from_bits(bits);
    let likely = bits == 0 || (1e-6..1e9).contains(&value.abs());
    likely.then(|| scalar::from_float(value)).flatten()
}
