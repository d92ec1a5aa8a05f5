//! Reads schemas from descriptors (`google/protobuf/descriptor.proto`), as compilers of .proto files
//! write them.
//!
//! Only what the encoding and the names need is read.

use super::elements::{self, Element, MAX_DEPTH, Wire};
use super::schema::{Enum, Field, Kind, Label, Message, Schemas};
use std::collections::HashMap;

/// What a descriptor says that takes effect on everything inside of it.
#[derive(Clone, Copy)]
struct Features {
    packed: bool,
    delimited: bool,
}

impl Schemas {
    /// Reads a `FileDescriptorSet` in its binary form, with all files that are imported.
    ///
    /// # Errors
    /// When it is not one, or does not hold a type that it mentions; a fragment that says why.
    pub fn read(descriptor_set: &[u8]) -> Result<Self, String> {
        let mut types = Types::default();
        let set = Parsed::of(descriptor_set).ok_or("it is no FileDescriptorSet")?;
        for file in set.all(1) {
            types.file(file).ok_or("it is no FileDescriptorSet")?;
        }
        types.resolve()
    }
}

/// A message of a descriptor.
pub(super) struct Parsed<'a>(Vec<Element<'a>>);

impl<'a> Parsed<'a> {
    pub(super) fn of(mut bytes: &'a [u8]) -> Option<Self> {
        let mut list = Vec::new();
        while !bytes.is_empty() {
            list.push(elements::next(&mut bytes)?);
        }
        Some(Parsed(list))
    }

    pub(super) fn all(&self, number: u32) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.0.iter().filter(move |element| element.number == number).filter_map(|element| {
            match element.wire {
                Wire::Length(bytes) => Some(bytes),
                _ => None,
            }
        })
    }

    pub(super) fn text(&self, number: u32) -> Option<&'a str> {
        self.all(number).last().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    fn number(&self, number: u32) -> Option<u64> {
        self.0.iter().rev().find(|element| element.number == number).and_then(|element| {
            match element.wire {
                Wire::Varint(value) => Some(value),
                _ => None,
            }
        })
    }

    /// The features that options change; `at` is their number among the options.
    fn features(&self, options: u32, at: u32, outer: Features) -> Features {
        let options = self.all(options).last().and_then(Parsed::of);
        let own = options.and_then(|options| options.all(at).last().and_then(Parsed::of));
        let Some(own) = own else { return outer };
        Features {
            packed: own.number(3).map_or(outer.packed, |value| value == 1),
            delimited: own.number(5).map_or(outer.delimited, |value| value == 2),
        }
    }
}

/// Types as they are collected, before the names in them are looked up.
#[derive(Default)]
struct Types {
    messages: Vec<(String, bool, Vec<RawField>)>,
    enums: Vec<Enum>,
    extensions: Vec<(String, RawField)>,
    methods: Vec<(String, String, String)>,
}

struct RawField {
    name: String,
    json_name: String,
    number: u32,
    repeated: bool,
    /// What `packed` among its own options says.
    packed: Option<bool>,
    features: Features,
    kind: u64,
    type_name: String,
}

impl Types {
    fn file(&mut self, bytes: &[u8]) -> Option<()> {
        let file = Parsed::of(bytes)?;
        let scope = file.text(2).unwrap_or_default();
        // Syntax "proto3" and all editions pack by themselves.
        let packed = file.text(12).is_some_and(|syntax| syntax != "proto2");
        let features = file.features(8, 50, Features { packed, delimited: false });
        self.inside(&file, [4, 5, 7], scope, features, 0)?;
        for bytes in file.all(6) {
            let service = Parsed::of(bytes)?;
            let name = join(scope, service.text(1)?);
            for bytes in service.all(2) {
                let method = Parsed::of(bytes)?;
                let path = format!("/{name}/{}", method.text(1)?);
                let type_of = |at| method.text(at).map(|name| without_dot(name).to_owned());
                self.methods.push((path, type_of(2)?, type_of(3)?));
            }
        }
        Some(())
    }

    /// Messages, enumerations and extensions in a file or a message, by their numbers there.
    fn inside(
        &mut self,
        outer: &Parsed<'_>,
        [messages, enums, extensions]: [u32; 3],
        scope: &str,
        features: Features,
        depth: usize,
    ) -> Option<()> {
        for bytes in outer.all(messages) {
            self.message(bytes, scope, features, depth)?;
        }
        for bytes in outer.all(enums) {
            let parsed = Parsed::of(bytes)?;
            let mut values = Vec::new();
            for bytes in parsed.all(2) {
                let value = Parsed::of(bytes)?;
                let number = i32::try_from(value.number(2).unwrap_or(0).cast_signed()).ok()?;
                values.push((value.text(1)?.to_owned(), number));
            }
            self.enums.push(Enum { name: join(scope, parsed.text(1)?), values });
        }
        for bytes in outer.all(extensions) {
            let parsed = Parsed::of(bytes)?;
            let mut field = RawField::of(&parsed, features)?;
            field.name = format!("[{}]", join(scope, &field.name));
            field.json_name.clone_from(&field.name);
            self.extensions.push((without_dot(parsed.text(2)?).to_owned(), field));
        }
        Some(())
    }

    fn message(
        &mut self,
        bytes: &[u8],
        scope: &str,
        features: Features,
        depth: usize,
    ) -> Option<()> {
        let parsed = Parsed::of(bytes).filter(|_| depth < MAX_DEPTH)?;
        let name = join(scope, parsed.text(1)?);
        let features = parsed.features(7, 12, features);
        let options = parsed.all(7).last().and_then(Parsed::of);
        let is_entry = options.is_some_and(|options| options.number(7) == Some(1));
        let fields: Option<Vec<_>> =
            parsed.all(2).map(|bytes| RawField::of(&Parsed::of(bytes)?, features)).collect();
        self.inside(&parsed, [3, 4, 6], &name, features, depth + 1)?;
        self.messages.push((name, is_entry, fields?));
        Some(())
    }

    fn resolve(self) -> Result<Schemas, String> {
        let mut schemas = Schemas::default();
        let mut raw: Vec<Vec<RawField>> = Vec::new();
        for (name, is_entry, fields) in self.messages {
            // The same file may have been given twice, or in two states of a project: the first
            // counts, with what the later ones have besides.
            match schemas.by_name.get(&name) {
                Some(place) => raw[*place].extend(fields),
                None => {
                    schemas.by_name.insert(name.clone(), raw.len());
                    raw.push(fields);
                    schemas.messages.push(Message { name, fields: Vec::new(), is_entry });
                }
            }
        }
        let enums = self.enums.iter().enumerate();
        let enums = enums.map(|(place, it)| (it.name.clone(), place)).collect();
        for (extended, field) in self.extensions {
            if let Some(place) = schemas.by_name.get(&extended) {
                raw[*place].push(field);
            }
        }
        for (place, fields) in raw.into_iter().enumerate() {
            let mut known: Vec<Field> = Vec::with_capacity(fields.len());
            for field in fields {
                if known.iter().all(|it| it.number != field.number && it.name != field.name) {
                    known.push(field.resolve(&schemas, &enums)?);
                }
            }
            schemas.messages[place].fields = known;
        }
        for (path, request, response) in self.methods {
            let find = |name: &str| {
                let place = schemas.by_name.get(name).copied();
                place.ok_or_else(|| format!("it has no type {name}, which {path} mentions"))
            };
            let types = (find(&request)?, find(&response)?);
            schemas.methods.entry(path).or_insert(types);
        }
        schemas.enums = self.enums;
        schemas.add_builtin();
        Ok(schemas)
    }
}

impl RawField {
    fn of(parsed: &Parsed<'_>, features: Features) -> Option<Self> {
        let name = parsed.text(1)?.to_owned();
        let options = parsed.all(8).last().and_then(Parsed::of);
        Some(RawField {
            json_name: parsed.text(10).unwrap_or(&name).to_owned(),
            name,
            number: u32::try_from(parsed.number(3)?).ok()?,
            repeated: parsed.number(4) == Some(3),
            packed: options.and_then(|options| options.number(2)).map(|packed| packed == 1),
            features: parsed.features(8, 21, features),
            kind: parsed.number(5)?,
            type_name: without_dot(parsed.text(6).unwrap_or_default()).to_owned(),
        })
    }

    fn resolve(self, known: &Schemas, enums: &HashMap<String, usize>) -> Result<Field, String> {
        let messages = &known.by_name;
        let find = |types: &HashMap<String, usize>| {
            let RawField { name, type_name, .. } = &self;
            let place = types.get(type_name).copied();
            place.ok_or_else(|| format!("it has no type {type_name}, which field {name} mentions"))
        };
        let kind = match self.kind {
            1 => Kind::Double,
            2 => Kind::Float,
            3 => Kind::Int64,
            4 => Kind::Uint64,
            5 => Kind::Int32,
            6 => Kind::Fixed64,
            7 => Kind::Fixed32,
            8 => Kind::Bool,
            9 => Kind::String,
            10 => Kind::Group(find(messages)?),
            11 => match find(messages)? {
                place if self.features.delimited && !known.messages[place].is_entry => {
                    Kind::Group(place)
                }
                place => Kind::Message(place),
            },
            12 => Kind::Bytes,
            13 => Kind::Uint32,
            14 => Kind::Enum(find(enums)?),
            15 => Kind::Sfixed32,
            16 => Kind::Sfixed64,
            17 => Kind::Sint32,
            18 => Kind::Sint64,
            other => return Err(format!("field {} has the unknown type {other}", self.name)),
        };
        let label = match self.repeated {
            false => Label::Singular,
            true if kind.is_long() => Label::Repeated,
            true if self.packed.unwrap_or(self.features.packed) => Label::Packed,
            true => Label::Repeated,
        };
        let RawField { number, name, json_name, .. } = self;
        Ok(Field { number, name, json_name, kind, label })
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// Full names have a dot before them.
fn without_dot(name: &str) -> &str {
    name.strip_prefix('.').unwrap_or(name)
}
