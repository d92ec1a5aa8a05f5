//! What is known of messages beforehand: their fields by name and number.
//!
//! Options that do not change the encoding are not kept. How a schema is read from a descriptor set
//! is in [`super::descriptor`].

use std::collections::HashMap;

/// The messages, enumerations and methods of a project.
#[derive(Debug, Default)]
pub struct Schemas {
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
    /// The places in `messages` by full name.
    pub(super) by_name: HashMap<String, usize>,
    /// The places of a method's request and response by its path, such as `/shop.Pay/Charge`.
    pub(super) methods: HashMap<String, (usize, usize)>,
}

impl Schemas {
    /// A message by its full name.
    pub(crate) fn message(&self, name: &str) -> Option<&Message> {
        self.by_name.get(name).map(|place| &self.messages[*place])
    }

    /// The request and the response of a method.
    pub(crate) fn method(&self, path: &str) -> Option<(&Message, &Message)> {
        let (request, response) = self.methods.get(path)?;
        Some((&self.messages[*request], &self.messages[*response]))
    }
}

/// A kind of message.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// Its full name, without a dot before it.
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    /// It is the entry of a map field.
    pub(super) is_entry: bool,
}

impl Message {
    pub(super) fn numbered(&self, number: u32) -> Option<&Field> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// A field by its name, or by the name that JSON has for it.
    pub(super) fn named(&self, name: &str) -> Option<&Field> {
        let by_name = self.fields.iter().find(|field| field.name == name);
        by_name.or_else(|| self.fields.iter().find(|field| field.json_name == name))
    }
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) json_name: String,
    pub(super) kind: Kind,
    pub(super) label: Label,
}

/// How often a field comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Singular,
    Repeated,
    /// Repeated, all in one element.
    Packed,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Group(usize),
    Message(usize),
    Bytes,
    Uint32,
    Enum(usize),
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
}

impl Kind {
    /// Whether it is of a length of its own, so that it cannot be packed.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Kind::String | Kind::Bytes | Kind::Group(_) | Kind::Message(_))
    }
}

/// An enumeration.
#[derive(Debug, Default)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) values: Vec<(String, i32)>,
}

impl Enum {
    /// The first name of a number.
    pub(super) fn name_of(&self, number: i32) -> Option<&str> {
        self.values.iter().find(|(_, value)| *value == number).map(|(name, _)| name.as_str())
    }

    pub(super) fn number_of(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }
}
