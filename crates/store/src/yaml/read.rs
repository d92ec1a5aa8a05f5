//! YAML text to a tree that knows the place of everything in it.
//!
//! It takes one document without anchors, aliases and foreign tags, within limits of size and
//! depth. What the document means is checked by its callers.

use super::{MAX_DEPTH, number};
use rehearsal_model::{Map, Number, Value, base64};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

/// The largest document, in bytes. Large bodies are in blobs, so a file near it is a mistake.
pub(crate) const MAX_SIZE: usize = 256 << 20;

/// A place in a file, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Why a text is not a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {problem}", at.line, at.column)]
pub struct YamlError {
    /// Where.
    pub at: Spot,
    /// What is wrong there.
    pub problem: String,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Spot,
    /// Where it ends: the place behind its last character. Of a list or map that is not between
    /// brackets, and of a block of text, a place behind that.
    pub end: Spot,
    /// Whether it is a block of text, of which the place is that of its first line.
    pub block: bool,
    /// What it is.
    pub content: Content,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Anything but a list or a map.
    Scalar(Value),
    /// Nodes in order.
    List(Vec<Node>),
    /// Nodes by key, in order; a key may occur twice.
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Where it begins.
    pub at: Spot,
}

impl Node {
    /// The value without its places. Of two pairs with the same key both are kept.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self.content {
            Content::Scalar(value) => value,
            Content::List(nodes) => Value::List(nodes.into_iter().map(Node::into_value).collect()),
            Content::Map(pairs) => {
                let mut map = Map::new();
                for (key, node) in pairs {
                    map.push_new(key.text, node.into_value());
                }
                Value::Map(map)
            }
        }
    }

    /// What kind of value it is, in a word for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(value) => value.kind(),
            Content::List(_) => "list",
            Content::Map(_) => "map",
        }
    }

    /// The value when it is neither a list nor a map.
    #[must_use]
    pub fn scalar(&self) -> Option<&Value> {
        match &self.content {
            Content::Scalar(value) => Some(value),
            _ => None,
        }
    }

    /// A value all of which is in one place, such as what a blob held.
    fn from_value(value: Value, at: Spot, end: Spot) -> Self {
        let content = match value {
            Value::List(list) => Content::List(
                list.into_iter().map(|item| Node::from_value(item, at, end)).collect(),
            ),
            Value::Map(map) => {
                let pairs = map.into_iter();
                let pair = |(text, value)| (Key { text, at }, Node::from_value(value, at, end));
                Content::Map(pairs.map(pair).collect())
            }
            value => Content::Scalar(value),
        };
        Node { at, end, block: false, content }
    }
}

/// Fetches what a tagged word (`!blob`, `!blob/text`, `!blob/json`) stands for, or says what is
/// wrong with it. The tag comes without its exclamation mark.
pub(crate) type Blobs<'a> = &'a dyn Fn(&str, &str) -> Result<Value, String>;

/// Reads a document; an empty one is null. Tags of blobs are refused.
///
/// # Errors
/// When it is not YAML, or uses what the files of a recording do not.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    parse_with(text, &|tag, _| Err(format!("the tag `!{tag}` means nothing here")))
}

/// Reads a document whose blobs are fetched by `blobs`.
pub(crate) fn parse_with(text: &str, blobs: Blobs<'_>) -> Result<Node, YamlError> {
    let start = Spot { line: 1, column: 1 };
    if text.len() > MAX_SIZE {
        let problem = format!("the file is larger than {} MiB", MAX_SIZE >> 20);
        return Err(YamlError { at: start, problem });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(place) = text.find('\0') {
        let line = text[..place].matches('\n').count() + 1;
        let column = text[..place].chars().rev().take_while(|char| *char != '\n').count() + 1;
        let at = Spot { line: narrow(line), column: narrow(column) };
        return Err(YamlError { at, problem: "a NUL character; write it as \"\\0\"".to_owned() });
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), blobs, depth: 0, end: start };
    let mut document = None;
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if document.is_some() => {
                return problem(at, "a second document in one file");
            }
            Event::DocumentStart(_) => {
                let (event, at) = reader.next()?;
                document = Some(reader.node(event, at)?);
            }
            _ => {}
        }
    }
    Ok(document.unwrap_or(Node::from_value(Value::Null, start, start)))
}

fn problem<T>(at: Spot, problem: impl Into<String>) -> Result<T, YamlError> {
    Err(YamlError { at, problem: problem.into() })
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

struct Reader<'t, 'b> {
    parser: Parser<'t, StrInput<'t>>,
    blobs: Blobs<'b>,
    depth: usize,
    /// Where the last event ended.
    end: Spot,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Spot), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                self.end = spot(Span::empty(span.end));
                Ok((event, spot(span)))
            }
            Some(Err(error)) => {
                let at = spot(Span::empty(*error.marker()));
                problem(at, format!("not YAML: {}", error.info()))
            }
            None => Ok((Event::StreamEnd, Spot::default())),
        }
    }

    /// The node that begins with an event.
    fn node(&mut self, event: Event<'t>, at: Spot) -> Result<Node, YamlError> {
        let content = match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_anchor(anchor, at)?;
                return self.scalar(&text, style, tag.as_deref(), at);
            }
            Event::SequenceStart(anchor, tag) => {
                self.enter(anchor, tag.as_deref(), at)?;
                Content::List(self.list()?)
            }
            Event::MappingStart(anchor, tag) => {
                self.enter(anchor, tag.as_deref(), at)?;
                Content::Map(self.map()?)
            }
            Event::Alias(_) => return problem(at, "aliases (`*name`) are not used here"),
            _ => return problem(at, "not YAML: a value is missing"),
        };
        Ok(Node { at, end: self.end, block: false, content })
    }

    fn enter(&mut self, anchor: usize, tag: Option<&Tag>, at: Spot) -> Result<(), YamlError> {
        refuse_anchor(anchor, at)?;
        if let Some(tag) = tag {
            return problem(at, format!("the tag `{tag}` cannot be on a list or a map here"));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return problem(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Vec<Node>, YamlError> {
        let mut nodes = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                self.depth -= 1;
                return Ok(nodes);
            }
            nodes.push(self.node(event, at)?);
        }
    }

    fn map(&mut self) -> Result<Vec<(Key, Node)>, YamlError> {
        let mut pairs = Vec::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => {
                    self.depth -= 1;
                    return Ok(pairs);
                }
                Event::Scalar(text, _, anchor, None) => {
                    refuse_anchor(anchor, at)?;
                    Key { text: text.into_owned(), at }
                }
                Event::Alias(_) => return problem(at, "aliases (`*name`) are not used here"),
                _ => return problem(at, "a key must be text without a tag"),
            };
            let (event, at) = self.next()?;
            pairs.push((key, self.node(event, at)?));
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: Spot,
    ) -> Result<Node, YamlError> {
        let value = match tag {
            None if style == ScalarStyle::Plain => plain(text, at)?,
            None => Value::from(text),
            Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
                "str" => Value::from(text),
                "binary" => match base64::decode(text) {
                    Some(bytes) => Value::Bytes(bytes),
                    None => return problem(at, "what follows `!!binary` is not Base64"),
                },
                other => return problem(at, format!("the tag `!!{other}` is not used here")),
            },
            Some(tag) if tag.handle == "!" => {
                (self.blobs)(&tag.suffix, text).or_else(|wrong| problem(at, wrong))?
            }
            Some(tag) => return problem(at, format!("the tag `{tag}` is not used here")),
        };
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        Ok(Node { block, ..Node::from_value(value, at, self.end) })
    }
}

fn spot(span: Span) -> Spot {
    Spot { line: narrow(span.start.line()), column: narrow(span.start.col() + 1) }
}

fn refuse_anchor(anchor: usize, at: Spot) -> Result<(), YamlError> {
    match anchor {
        0 => Ok(()),
        _ => problem(at, "anchors (`&name`) are not used here; put the text in quotes"),
    }
}

/// A plain scalar by the core schema (YAML 1.2, section 10.3.2).
fn plain(text: &str, at: Spot) -> Result<Value, YamlError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => match Number::parse(text) {
            Some(number) => Value::Number(number),
            None if number::looks_like_one(text) => {
                let hint = "write the number in decimals, or put the text in quotes";
                return problem(at, format!("`{text}` is read differently by others; {hint}"));
            }
            None => Value::from(text),
        },
    })
}
