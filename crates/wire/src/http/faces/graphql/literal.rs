//! Values in GraphQL documents (GraphQL specification, September 2025, section 2.9): what holds no
//! variable is a literal, and is taken out of the normal form.

use super::document::{Reader, below};
use super::token::Token;
use rehearsal_model::{Map, Number, Value};
use std::collections::HashMap;

/// A part of a document in normal form, with the literals in it by where they stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) literals: Vec<(String, Value)>,
}

impl Printed {
    pub(super) fn text(text: &str) -> Self {
        Printed { text: text.to_owned(), literals: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn join(&mut self, other: Printed) {
        self.text.push_str(&other.text);
        self.literals.extend(other.literals);
    }

    /// The parts in the order of their texts, between two marks; `None` when there are none.
    pub(super) fn sorted(open: &str, mut parts: Vec<Printed>, close: &str) -> Option<Self> {
        if parts.is_empty() {
            return None;
        }
        parts.sort_by(|one, other| one.text.cmp(&other.text));
        Some(Printed::listed(open, parts, close))
    }

    fn listed(open: &str, parts: Vec<Printed>, close: &str) -> Self {
        let mut out = Printed::text(open);
        for (place, part) in parts.into_iter().enumerate() {
            out.push(if place > 0 { ", " } else { "" });
            out.join(part);
        }
        out.push(close);
        out
    }
}

/// The literals of a document.
#[derive(Debug, Default)]
pub(super) struct Literals {
    map: Map,
    /// How often a path has come.
    seen: HashMap<String, usize>,
}

impl Literals {
    /// Adds literals; what stands where another stands gets a number.
    pub(super) fn add(&mut self, literals: Vec<(String, Value)>) {
        for (path, value) in literals {
            let seen = self.seen.entry(path.clone()).or_default();
            *seen += 1;
            match *seen {
                1 => self.map.push_new(path, value),
                nth => self.map.push_new(format!("{path} ({nth})"), value),
            }
        }
    }

    pub(super) fn into_map(self) -> Map {
        self.map
    }
}

/// What a value is.
enum Read {
    Literal(Value),
    /// It holds variables.
    Open(Printed),
}

impl Read {
    fn print(self, path: &str) -> Printed {
        match self {
            Read::Open(printed) => printed,
            Read::Literal(value) => {
                Printed { text: "?".to_owned(), literals: vec![(path.to_owned(), value)] }
            }
        }
    }
}

impl Reader<'_> {
    /// A value that stands at a path.
    pub(super) fn value(&mut self, path: &str) -> Option<Printed> {
        Some(self.read_value(path)?.print(path))
    }

    fn read_value(&mut self, path: &str) -> Option<Read> {
        self.count(path)?;
        Some(match self.next()? {
            Token::Number(number) => Read::Literal(Number::parse(number)?.into()),
            Token::Text(text) => Read::Literal(text.into()),
            Token::Name("true") => Read::Literal(true.into()),
            Token::Name("false") => Read::Literal(false.into()),
            Token::Name("null") => Read::Literal(Value::Null),
            Token::Name(name) => Read::Literal(name.into()),
            Token::Mark("$") => Read::Open(Printed::text(&format!("${}", self.name()?))),
            Token::Mark("[") => self.deeper(|reader| reader.list(path))?,
            Token::Mark("{") => self.deeper(|reader| reader.object(path))?,
            Token::Mark(_) => return None,
        })
    }

    fn list(&mut self, path: &str) -> Option<Read> {
        let mut items: Vec<(String, Read)> = Vec::new();
        while !self.skip("]") {
            let path = below(path, &items.len().to_string());
            let item = self.read_value(&path)?;
            items.push((path, item));
        }
        if items.iter().any(|(_, item)| matches!(item, Read::Open(_))) {
            let parts = items.into_iter().map(|(path, item)| item.print(&path)).collect();
            return Some(Read::Open(Printed::listed("[", parts, "]")));
        }
        let literal = |(_, item)| match item {
            Read::Literal(value) => Some(value),
            Read::Open(_) => None,
        };
        Some(Read::Literal(Value::List(items.into_iter().filter_map(literal).collect())))
    }

    fn object(&mut self, path: &str) -> Option<Read> {
        let mut fields: Vec<(&str, Read)> = Vec::new();
        while !self.skip("}") {
            let name = self.name()?;
            self.expect(":")?;
            let value = self.read_value(&below(path, name))?;
            fields.push((name, value));
        }
        fields.sort_by_key(|(name, _)| *name);
        if fields.iter().any(|(_, value)| matches!(value, Read::Open(_))) {
            let print = |(name, value): (&str, Read)| {
                let mut out = Printed::text(&format!("{name}: "));
                out.join(value.print(&below(path, name)));
                out
            };
            let parts = fields.into_iter().map(print).collect();
            return Some(Read::Open(Printed::listed("{", parts, "}")));
        }
        let mut out = Map::new();
        for (name, value) in fields {
            if let Read::Literal(value) = value {
                out.push_new(name, value);
            }
        }
        Some(Read::Literal(Value::Map(out)))
    }
}
