//! Values to YAML text: the same value gives the same bytes.
//!
//! Block style, with flow style for what is small. It knows nothing of files; what stands in the
//! place of a large value is decided by the [`Substitute`] it is given.

use super::MAX_DEPTH;
use super::scalar::{self, Place};
use rehearsal_model::{Map, Value, json};

/// The column up to which lists and maps of scalars stay on one line.
const WIDTH: usize = 100;
/// How many levels of lists and maps one line may show.
const FLOW_LEVELS: usize = 2;
/// The longest key that may stand before a colon. YAML allows 1,024 characters, quotes and escapes
/// included; a longer one needs a question mark.
const LONGEST_KEY: usize = 1000;

/// Why a value has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("a value is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Puts something else in the place of a text or of bytes: a tag and one word, such as a blob's.
pub(crate) trait Substitute {
    /// The tag with its exclamation mark, and the word.
    fn substitute(&mut self, value: &Value) -> Option<(&'static str, String)>;

    /// The same for a list or map, where it may be written so.
    fn document(&mut self, _: &Value) -> Option<(&'static str, String)> {
        None
    }
}

impl<S: Substitute + ?Sized> Substitute for &mut S {
    fn substitute(&mut self, value: &Value) -> Option<(&'static str, String)> {
        (**self).substitute(value)
    }

    fn document(&mut self, value: &Value) -> Option<(&'static str, String)> {
        (**self).document(value)
    }
}

/// Everything stands in its own place.
impl Substitute for () {
    fn substitute(&mut self, _: &Value) -> Option<(&'static str, String)> {
        None
    }
}

/// The text of a value on its own.
///
/// # Errors
/// When it is nested too deeply to be read again.
pub fn to_string(value: &Value) -> Result<String, EmitError> {
    let mut emitter = Emitter::new(());
    match value {
        Value::Map(map) if !map.is_empty() => emitter.pairs(map, 0)?,
        Value::Text(text) => {
            scalar::inline(&mut emitter.out, text, Place::Tight);
            emitter.out.push('\n');
        }
        value => emitter.value(value, 0)?,
    }
    Ok(emitter.out)
}

/// Writes one document. After each call the text ends with a line feed, or with the `-` or `:` that
/// waits for its value.
pub(crate) struct Emitter<S> {
    out: String,
    /// What stands in the place of large values.
    pub(crate) large: S,
}

impl<S: Substitute> Emitter<S> {
    /// An empty document.
    pub(crate) fn new(large: S) -> Self {
        Emitter { out: String::with_capacity(1024), large }
    }

    /// The text, and what took the large values.
    pub(crate) fn finish(self) -> (String, S) {
        (self.out, self.large)
    }

    /// Begins an item of a block list in the column `indent`; a value or a key must follow.
    pub(crate) fn item(&mut self, indent: usize) {
        self.begin(indent);
        self.out.push('-');
    }

    /// Begins a pair of a block map in the column `indent`; a value must follow, or
    /// [`Emitter::nest`].
    pub(crate) fn key(&mut self, key: &str, indent: usize) {
        self.begin(indent);
        let start = self.out.len();
        scalar::inline(&mut self.out, key, Place::Tight);
        if self.out.len() - start > LONGEST_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            self.begin(indent);
        }
        self.out.push(':');
    }

    /// Ends the line of a key whose value is a block that the caller writes.
    pub(crate) fn nest(&mut self) {
        self.out.push('\n');
    }

    /// A whole pair of a block map whose value is text on one line.
    pub(crate) fn word(&mut self, key: &str, text: &str, indent: usize) {
        self.key(key, indent);
        self.out.push(' ');
        scalar::inline(&mut self.out, text, Place::Block);
        self.out.push('\n');
    }

    /// A whole pair of a block map whose value is true.
    pub(crate) fn yes(&mut self, key: &str, indent: usize) {
        self.key(key, indent);
        self.flow_line(&Value::Bool(true));
    }

    /// A whole pair of a block map.
    pub(crate) fn pair(
        &mut self,
        key: &str,
        value: &Value,
        indent: usize,
    ) -> Result<(), EmitError> {
        self.key(key, indent);
        self.value(value, indent + 2)
    }

    /// The value that the last key or item waits for. `indent` is the column of what is inside it.
    pub(crate) fn value(&mut self, value: &Value, indent: usize) -> Result<(), EmitError> {
        match value {
            Value::Text(text) => self.text(value, text, indent),
            Value::Bytes(_) => match self.substituted(value) {
                true => {}
                false => self.flow_line(value),
            },
            Value::List(list) if !list.is_empty() => {
                if !self.on_line(value) {
                    self.open_block(indent)?;
                    for item in list {
                        self.item(indent);
                        self.value(item, indent + 2)?;
                    }
                }
            }
            Value::Map(map) if !map.is_empty() => {
                if !self.on_line(value) {
                    self.open_block(indent)?;
                    self.pairs(map, indent)?;
                }
            }
            small => self.flow_line(small),
        }
        Ok(())
    }

    /// A tagged word as the value that the last key or item waits for.
    pub(crate) fn tagged(&mut self, tag: &str, word: &str) {
        self.space();
        self.out.push_str(tag);
        self.out.push(' ');
        self.out.push_str(word);
        self.out.push('\n');
    }

    fn pairs(&mut self, map: &Map, indent: usize) -> Result<(), EmitError> {
        map.iter().try_for_each(|(key, value)| self.pair(key, value, indent))
    }

    fn text(&mut self, value: &Value, text: &str, indent: usize) {
        if self.substituted(value) {
            return;
        }
        self.space();
        if scalar::is_block(text) {
            scalar::block(&mut self.out, text, indent);
        } else {
            scalar::inline(&mut self.out, text, Place::Block);
            self.out.push('\n');
        }
    }

    fn substituted(&mut self, value: &Value) -> bool {
        let found = self.large.substitute(value);
        if let Some((tag, word)) = &found {
            self.tagged(tag, word);
        }
        found.is_some()
    }

    /// Goes to where the next item or key begins: behind a waiting `-`, else into its column.
    fn begin(&mut self, indent: usize) {
        match self.out.as_bytes().last() {
            None | Some(b'\n') => self.out.extend(std::iter::repeat_n(' ', indent)),
            Some(_) => self.out.push(' '),
        }
    }

    /// Parts a value from the `-` or `:` before it.
    fn space(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'\n')) {
            self.out.push(' ');
        }
    }

    /// A block begins on the line of a waiting `-`, but on a line of its own after a `:`.
    fn open_block(&mut self, indent: usize) -> Result<(), EmitError> {
        if indent / 2 >= MAX_DEPTH {
            return Err(EmitError::TooDeep);
        }
        if self.out.ends_with(':') {
            self.out.push('\n');
        }
        Ok(())
    }

    fn flow_line(&mut self, value: &Value) {
        self.space();
        flow(&mut self.out, value, FLOW_LEVELS, usize::MAX);
        self.out.push('\n');
    }

    /// Writes a list or map on the rest of the line, if that is good to read; else nothing.
    fn on_line(&mut self, value: &Value) -> bool {
        self.line_of(|out, end| flow(out, value, FLOW_LEVELS, end))
    }

    /// Writes pairs as the value of the last key, if they fit on the rest of the line; else nothing.
    pub(crate) fn pairs_on_line(&mut self, pairs: &[(&str, &Value)]) -> bool {
        let pairs = || pairs.iter().map(|(key, value)| (Some(*key), *value));
        self.line_of(|out, end| flow_group(out, ["{", "}"], pairs(), FLOW_LEVELS, end))
    }

    fn line_of(&mut self, write: impl FnOnce(&mut String, usize) -> bool) -> bool {
        let start = self.out.len();
        let line = self.out.rfind('\n').map_or(0, |feed| feed + 1);
        self.space();
        let fits = write(&mut self.out, line + WIDTH);
        if fits {
            self.out.push('\n');
        } else {
            self.out.truncate(start);
        }
        fits
    }
}

/// A value on one line, however long that gets, as it may stand between brackets too.
pub(super) fn in_line<S: Substitute>(value: &Value, large: &mut S) -> String {
    let mut out = String::new();
    write_in_line(&mut out, value, large);
    out
}

fn write_in_line<S: Substitute>(out: &mut String, value: &Value, large: &mut S) {
    match value {
        Value::List(list) => {
            out.push('[');
            for (place, item) in list.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                write_in_line(out, item, large);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (place, (key, value)) in map.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                scalar::inline(out, key, Place::Tight);
                out.push_str(": ");
                write_in_line(out, value, large);
            }
            out.push('}');
        }
        value => match (large.substitute(value), value) {
            (Some((tag, word)), _) => out.extend([tag, " ", &word]),
            (None, Value::Text(text)) => scalar::inline(out, text, Place::Tight),
            (None, value) => {
                flow(out, value, FLOW_LEVELS, usize::MAX);
            }
        },
    }
}

/// Writes a value in flow style. Gives up, having written a part, when the text would grow longer
/// than `end`, nest more than `levels`, or hide lines that a block would show.
fn flow(out: &mut String, value: &Value, levels: usize, end: usize) -> bool {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.as_str()),
        Value::Text(text) => {
            if text.len() > end.saturating_sub(out.len()) || scalar::is_block(text) {
                return false;
            }
            scalar::inline(out, text, Place::Tight);
        }
        Value::Bytes(bytes) => {
            if bytes.len() > end.saturating_sub(out.len()) {
                return false;
            }
            out.push_str("!!binary ");
            let word = json::base64(bytes);
            out.push_str(if word.is_empty() { "\"\"" } else { &word });
        }
        Value::List(list) => {
            let items = list.iter().map(|item| (None, item));
            return flow_group(out, ["[", "]"], items, levels, end);
        }
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, value)| (Some(key), value));
            return flow_group(out, ["{", "}"], pairs, levels, end);
        }
    }
    out.len() <= end
}

fn flow_group<'v>(
    out: &mut String,
    brackets: [&str; 2],
    items: impl ExactSizeIterator<Item = (Option<&'v str>, &'v Value)>,
    levels: usize,
    end: usize,
) -> bool {
    if items.len() > 0 && levels == 0 {
        return false;
    }
    out.push_str(brackets[0]);
    for (place, (key, value)) in items.enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        if let Some(key) = key {
            if key.len() > end.saturating_sub(out.len()) {
                return false;
            }
            scalar::inline(out, key, Place::Tight);
            out.push_str(": ");
        }
        if !flow(out, value, levels - 1, end) {
            return false;
        }
    }
    out.push_str(brackets[1]);
    out.len() <= end
}
