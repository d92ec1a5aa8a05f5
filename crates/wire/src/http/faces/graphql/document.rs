//! A GraphQL document in normal form (GraphQL specification, September 2025, section 2).
//!
//! What the specification gives no order is sorted: definitions, variables, arguments, the fields of
//! an input object. The order of fields is that of the response, and that of directives counts, so
//! they stay. Literals are taken out: they are values as variables are.

use super::literal::{Literals, Printed};
use super::token::{Token, tokens};
use rehearsal_model::Map;

/// How deep selections, values and types may nest.
const MAX_DEPTH: usize = 100;
/// How many literals a document may have.
const MAX_LITERALS: usize = 10_000;
/// How long the path of a literal may be, in bytes.
const MAX_PATH: usize = 1024;
/// How many fields name an operation that has no name.
const SHOWN_FIELDS: usize = 3;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Does {
    Query,
    Mutation,
    Subscription,
}

impl Does {
    pub(super) fn word(self) -> &'static str {
        match self {
            Does::Query => "query",
            Does::Mutation => "mutation",
            Does::Subscription => "subscription",
        }
    }
}

/// An operation of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) does: Does,
    pub(super) name: Option<String>,
    /// Its first fields.
    fields: Vec<String>,
}

impl Operation {
    /// What people call it.
    pub(super) fn shown(&self) -> String {
        let word = self.does.word();
        match &self.name {
            Some(name) => format!("{word} {name}"),
            None => format!("{word} {{ {} }}", self.fields.join(" ")),
        }
    }
}

/// A document in normal form.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    /// Its text, with `?` for each literal.
    pub(super) text: String,
    /// Its literals, by where they stand: `orders.first`.
    pub(super) literals: Map,
    pub(super) operations: Vec<Operation>,
}

/// The normal form, or `None` when the text is not a document that can be executed.
pub(super) fn parse(text: &str) -> Option<Document> {
    let mut reader = Reader::new(tokens(text)?);
    let mut definitions: Vec<Printed> = Vec::new();
    let mut operations = Vec::new();
    while !reader.at_end() {
        definitions.push(reader.definition(&mut operations)?);
    }
    if operations.is_empty() {
        return None;
    }
    definitions.sort_by(|one, other| one.text.cmp(&other.text));
    let mut literals = Literals::default();
    let mut texts = Vec::with_capacity(definitions.len());
    for definition in definitions {
        texts.push(definition.text);
        literals.add(definition.literals);
    }
    Some(Document { text: texts.join(" "), literals: literals.into_map(), operations })
}

/// Reads tokens and prints them.
pub(super) struct Reader<'a> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token<'a>>>,
    depth: usize,
    literals: usize,
}

impl<'a> Reader<'a> {
    fn new(tokens: Vec<Token<'a>>) -> Self {
        Reader { tokens: tokens.into_iter().peekable(), depth: 0, literals: 0 }
    }

    fn at_end(&mut self) -> bool {
        self.tokens.peek().is_none()
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        self.tokens.next()
    }

    pub(super) fn sees(&mut self, mark: &str) -> bool {
        self.tokens.peek().is_some_and(|token| token.is(mark))
    }

    fn sees_name(&mut self) -> bool {
        matches!(self.tokens.peek(), Some(Token::Name(_)))
    }

    /// Takes the mark if it is next.
    pub(super) fn skip(&mut self, mark: &str) -> bool {
        let found = self.sees(mark);
        if found {
            self.tokens.next();
        }
        found
    }

    pub(super) fn expect(&mut self, mark: &str) -> Option<()> {
        self.skip(mark).then_some(())
    }

    pub(super) fn name(&mut self) -> Option<&'a str> {
        match self.tokens.next()? {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Counts a literal that stands at a path, unless there are too many or that is too long.
    pub(super) fn count(&mut self, path: &str) -> Option<()> {
        self.literals += 1;
        (self.literals <= MAX_LITERALS && path.len() <= MAX_PATH).then_some(())
    }

    /// One level further down, unless that is too deep.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Some(read)
    }

    /// Section 2.2.
    fn definition(&mut self, operations: &mut Vec<Operation>) -> Option<Printed> {
        if matches!(self.tokens.peek(), Some(Token::Text(_))) {
            // A description.
            self.tokens.next();
        }
        if self.sees("{") {
            return self.operation(Does::Query, false, operations);
        }
        match self.name()? {
            "query" => self.operation(Does::Query, true, operations),
            "mutation" => self.operation(Does::Mutation, true, operations),
            "subscription" => self.operation(Does::Subscription, true, operations),
            "fragment" => self.fragment(),
            _ => None,
        }
    }

    fn operation(
        &mut self,
        does: Does,
        head: bool,
        operations: &mut Vec<Operation>,
    ) -> Option<Printed> {
        let mut out = Printed::text(does.word());
        let name = if head && self.sees_name() { Some(self.name()?.to_owned()) } else { None };
        if let Some(name) = &name {
            out.push(" ");
            out.push(name);
        }
        if head {
            out.join(self.variables()?);
            out.join(self.directives("")?);
        }
        let mut fields = Vec::new();
        out.push(" ");
        out.join(self.selections("", &mut fields)?);
        operations.push(Operation { does, name, fields });
        Some(out)
    }

    /// Section 2.8.
    fn fragment(&mut self) -> Option<Printed> {
        let name = self.name().filter(|name| *name != "on")?;
        let mut out = Printed::text(&format!("fragment {name}"));
        (self.name()? == "on").then_some(())?;
        out.push(&format!(" on {}", self.name()?));
        out.join(self.directives(name)?);
        out.push(" ");
        out.join(self.selections(name, &mut Vec::new())?);
        Some(out)
    }

    /// Section 2.10.
    fn variables(&mut self) -> Option<Printed> {
        if !self.skip("(") {
            return Some(Printed::default());
        }
        let mut list = Vec::new();
        while !self.skip(")") {
            if matches!(self.tokens.peek(), Some(Token::Text(_))) {
                self.tokens.next();
            }
            self.expect("$")?;
            let path = format!("${}", self.name()?);
            self.expect(":")?;
            let mut out = Printed::text(&format!("{path}: {}", self.type_name()?));
            if self.skip("=") {
                out.push(" = ");
                out.join(self.value(&path)?);
            }
            out.join(self.directives(&path)?);
            list.push(out);
        }
        Printed::sorted("(", list, ")")
    }

    /// Section 2.11.
    fn type_name(&mut self) -> Option<String> {
        let mut name = if self.skip("[") {
            let inner = self.deeper(Self::type_name)?;
            self.expect("]")?;
            format!("[{inner}]")
        } else {
            self.name()?.to_owned()
        };
        if self.skip("!") {
            name.push('!');
        }
        Some(name)
    }

    /// Section 2.12.
    fn directives(&mut self, path: &str) -> Option<Printed> {
        let mut out = Printed::default();
        while self.skip("@") {
            let name = self.name()?;
            out.push(&format!(" @{name}"));
            out.join(self.arguments(&below(path, &format!("@{name}")))?);
        }
        Some(out)
    }

    /// Section 2.6.
    fn arguments(&mut self, path: &str) -> Option<Printed> {
        if !self.skip("(") {
            return Some(Printed::default());
        }
        let mut list = Vec::new();
        while !self.skip(")") {
            let name = self.name()?;
            self.expect(":")?;
            let mut out = Printed::text(&format!("{name}: "));
            out.join(self.value(&below(path, name))?);
            list.push(out);
        }
        Printed::sorted("(", list, ")")
    }

    /// Section 2.4; adds the first names that it selects.
    fn selections(&mut self, path: &str, names: &mut Vec<String>) -> Option<Printed> {
        self.expect("{")?;
        let mut out = Printed::text("{");
        let mut count = 0;
        while !self.skip("}") {
            out.push(" ");
            out.join(self.deeper(|reader| reader.selection(path, names))?);
            count += 1;
        }
        out.push(" }");
        (count > 0).then_some(out)
    }

    fn selection(&mut self, path: &str, names: &mut Vec<String>) -> Option<Printed> {
        if self.skip("...") {
            return self.spread(path, names);
        }
        let first = self.name()?;
        let mut out = Printed::text(first);
        let name = if self.skip(":") {
            let name = self.name()?;
            out.push(&format!(": {name}"));
            name
        } else {
            first
        };
        show(names, name);
        let path = below(path, first);
        // Every field makes a path; it is bounded where it grows.
        (path.len() <= MAX_PATH).then_some(())?;
        out.join(self.arguments(&path)?);
        out.join(self.directives(&path)?);
        if self.sees("{") {
            out.push(" ");
            out.join(self.selections(&path, &mut vec![String::new(); SHOWN_FIELDS])?);
        }
        Some(out)
    }

    /// The spread of a fragment, or a fragment in place (section 2.8.2).
    fn spread(&mut self, path: &str, names: &mut Vec<String>) -> Option<Printed> {
        let mut out = Printed::text("...");
        if self.sees_name() {
            let name = self.name()?;
            if name != "on" {
                out.push(name);
                show(names, &out.text);
                out.join(self.directives(&below(path, name))?);
                return Some(out);
            }
            out.push(&format!(" on {}", self.name()?));
        }
        out.join(self.directives(path)?);
        out.push(" ");
        out.join(self.selections(path, names)?);
        Some(out)
    }
}

/// Notes a name among those that are shown.
fn show(names: &mut Vec<String>, name: &str) {
    if names.len() < SHOWN_FIELDS {
        names.push(name.to_owned());
    }
}

/// A path one name further down.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
