//! Paths: how a place in a value is written, and how such a text is read.
//!
//! One syntax serves differences and rules, so that the path of a difference can be pasted into a
//! list of noise. What a path selects is the work of [`crate::Rules`].

use rehearsal_model::{Value, json};
use std::borrow::Cow;

/// The longest path that is read, in bytes.
const MAX_LENGTH: usize = 4096;

/// One level of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step<'a> {
    /// `.key` or `["key"]`.
    Key(Cow<'a, str>),
    /// `.*`: any key.
    AnyKey,
    /// `.**`: any number of levels, none included.
    Deep,
    /// `[2]`, from 0.
    Index(usize),
    /// `[*]`: any index.
    AnyIndex,
    /// `/item`: the child elements of a local name.
    Element(Cow<'a, str>),
    /// `/*`: the child elements of any name.
    AnyElement,
    /// `[2]` after an element: its place among those of its name, from 1 as in XPath.
    Nth(usize),
    /// `/@sku`: an attribute by its local name.
    Attribute(Cow<'a, str>),
    /// `/@*`: any attribute.
    AnyAttribute,
    /// `/text()`: the text in an element that has other children too.
    Content,
}

impl Step<'_> {
    /// Appends the step as it is written after what is before it.
    pub(crate) fn write(&self, path: &mut String) {
        match self {
            Step::Key(key) if is_plain(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Step::Key(key) => {
                path.push('[');
                path.push_str(&json::to_string(&Value::from(key.as_ref())));
                path.push(']');
            }
            Step::AnyKey if path.is_empty() => path.push('*'),
            Step::AnyKey => path.push_str(".*"),
            Step::Deep if path.is_empty() => path.push_str("**"),
            Step::Deep => path.push_str(".**"),
            Step::Index(place) | Step::Nth(place) => path.push_str(&format!("[{place}]")),
            Step::AnyIndex => path.push_str("[*]"),
            Step::Element(name) => path.extend(["/", name]),
            Step::AnyElement => path.push_str("/*"),
            Step::Attribute(name) => path.extend(["/@", name]),
            Step::AnyAttribute => path.push_str("/@*"),
            Step::Content => path.push_str("/text()"),
        }
    }

    fn is_xml(&self) -> bool {
        match self {
            Step::Key(_) | Step::AnyKey | Step::Deep | Step::Index(_) | Step::AnyIndex => false,
            Step::Element(_)
            | Step::AnyElement
            | Step::Nth(_)
            | Step::Attribute(_)
            | Step::AnyAttribute
            | Step::Content => true,
        }
    }

    fn is_element(&self) -> bool {
        matches!(self, Step::Element(_) | Step::AnyElement)
    }
}

/// Whether a key is written without quotes.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(is_plain_char)
}

fn is_plain_char(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-' | '$' | '@' | ':')
}

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the path `{path}`: at character {at}, {problem}")]
pub struct PathError {
    /// The path as it was written; cut when it is too long.
    pub path: String,
    /// The character at which it goes wrong, from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: PathProblem,
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// Nothing is named.
    #[error("it is empty; name a value such as `response.body.id`")]
    Empty,
    /// It is longer than any path needs to be.
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// No key where one must be.
    #[error(
        "a key is expected; one with other than letters, digits, _ - $ @ : is quoted: `[\"a.b\"]`"
    )]
    Key,
    /// Between brackets is neither of what may be there.
    #[error("a number, `*` or a quoted key is expected between the brackets")]
    Index,
    /// A bracket is open at the end.
    #[error("`]` is expected")]
    Unclosed,
    /// The text between the quotes is not a JSON string.
    #[error("the quoted key is not a JSON string")]
    Quoted,
    /// No name where an XML one must be.
    #[error(
        "the name of an XML element, `@` and the name of an attribute, `*` or `text()` is expected"
    )]
    Element,
    /// An XML place that is not counted from 1, or that follows no element.
    #[error("`[n]` here counts XML elements from 1 and follows the name of one")]
    Nth,
    /// A step into a map or list after a step into XML.
    #[error("after a step into XML only `/` can follow")]
    AfterXml,
}

/// Reads a path.
pub(crate) fn parse(path: &str) -> Result<Vec<Step<'_>>, PathError> {
    let mut reader = Reader { path, at: 0, steps: Vec::new() };
    match reader.read() {
        Ok(()) => Ok(reader.steps),
        Err(problem) => Err(PathError {
            path: path.chars().take(200).collect(),
            at: path.char_indices().take_while(|(byte, _)| *byte < reader.at).count() + 1,
            problem,
        }),
    }
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
    steps: Vec<Step<'a>>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), PathProblem> {
        if self.path.len() > MAX_LENGTH {
            return Err(PathProblem::TooLong);
        }
        if self.path.is_empty() {
            return Err(PathProblem::Empty);
        }
        if !self.rest().starts_with(['[', '/']) {
            self.key()?;
        }
        while let Some(next) = self.rest().chars().next() {
            let in_xml = self.steps.last().is_some_and(Step::is_xml);
            match next {
                '/' => {
                    self.at += 1;
                    self.element()?;
                }
                '[' if in_xml => self.nth()?,
                _ if in_xml => return Err(PathProblem::AfterXml),
                '[' => self.bracket()?,
                '.' => {
                    self.at += 1;
                    self.key()?;
                }
                _ => return Err(PathProblem::Key),
            }
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.path[self.at..]
    }

    /// Takes what `accept` accepts from the front of the rest.
    fn take(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|char| !accept(char)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn key(&mut self) -> Result<(), PathProblem> {
        if self.skip("**") {
            self.steps.push(Step::Deep);
            return Ok(());
        }
        if self.skip("*") {
            self.steps.push(Step::AnyKey);
            return Ok(());
        }
        match self.take(is_plain_char) {
            "" => Err(PathProblem::Key),
            key => {
                self.steps.push(Step::Key(key.into()));
                Ok(())
            }
        }
    }

    fn bracket(&mut self) -> Result<(), PathProblem> {
        self.at += 1;
        let step = if self.skip("*") {
            Step::AnyIndex
        } else if self.rest().starts_with('"') {
            Step::Key(self.quoted()?.into())
        } else {
            let digits = self.take(|char| char.is_ascii_digit());
            Step::Index(digits.parse().map_err(|_| PathProblem::Index)?)
        };
        self.steps.push(step);
        self.close()
    }

    fn close(&mut self) -> Result<(), PathProblem> {
        if !self.rest().starts_with(']') {
            return Err(PathProblem::Unclosed);
        }
        self.at += 1;
        Ok(())
    }

    fn quoted(&mut self) -> Result<String, PathProblem> {
        let bytes = self.rest().as_bytes();
        let mut end = 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let literal = self.rest().get(..=end).ok_or(PathProblem::Quoted)?;
        let Ok(Value::Text(key)) = json::parse(literal) else { return Err(PathProblem::Quoted) };
        self.at += literal.len();
        Ok(key)
    }

    fn element(&mut self) -> Result<(), PathProblem> {
        if self.rest().starts_with("text()") {
            self.at += "text()".len();
            self.steps.push(Step::Content);
            return Ok(());
        }
        let attribute = self.rest().starts_with('@');
        self.at += usize::from(attribute);
        let step = if self.skip("*") {
            if attribute { Step::AnyAttribute } else { Step::AnyElement }
        } else {
            let name = self.take(|char| !matches!(char, '/' | '[' | ']' | '@' | '*' | '"'));
            match (name, attribute) {
                ("", _) => return Err(PathProblem::Element),
                (name, true) => Step::Attribute(name.into()),
                (name, false) => Step::Element(name.into()),
            }
        };
        self.steps.push(step);
        Ok(())
    }

    /// `[2]` or `[*]` after an element; the latter says nothing that the name alone does not.
    fn nth(&mut self) -> Result<(), PathProblem> {
        if !self.steps.last().is_some_and(Step::is_element) {
            return Err(PathProblem::Nth);
        }
        self.at += 1;
        if !self.skip("*") {
            match self.take(|char| char.is_ascii_digit()).parse() {
                Ok(place) if place > 0 => self.steps.push(Step::Nth(place)),
                _ => return Err(PathProblem::Nth),
            }
        }
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trips(path: &str) {
        let mut out = String::new();
        for step in parse(path).unwrap() {
            step.write(&mut out);
        }
        assert_eq!(out, path);
    }

    #[track_caller]
    fn refused(path: &str, at: usize, problem: PathProblem) {
        let error = parse(path).unwrap_err();
        assert_eq!((error.at, error.problem), (at, problem), "{path}");
    }

    #[test]
    fn what_is_written_is_read() {
        for path in [
            "response",
            "response.body.items[2].total",
            "response.headers.content-type",
            r#"body["a.b"]"#,
            r#"body["\"\\]"].x"#,
            r#"["a b"][0]"#,
            "calls[*].request.body.*.id",
            "*.x",
            "**.id",
            "response.**.items[2].**",
            "**/item/@sku",
            "response.body/order/item[2]/@sku",
            "response.body/order/*/text()",
            "response.body/a:b/@*",
            "körper.größe",
        ] {
            round_trips(path);
        }
        assert_eq!(parse("a/b[*]/c").unwrap(), parse("a/b/c").unwrap());
    }

    #[test]
    fn an_error_says_where() {
        refused("", 1, PathProblem::Empty);
        refused("response..id", 10, PathProblem::Key);
        refused("response.", 10, PathProblem::Key);
        refused("größe. x", 7, PathProblem::Key);
        refused("response.***.id", 12, PathProblem::Key);
        refused("a[**]", 4, PathProblem::Unclosed);
        refused("a[x]", 3, PathProblem::Index);
        refused("a[99999999999999999999999]", 26, PathProblem::Index);
        refused("a[1", 4, PathProblem::Unclosed);
        refused("a[1]b", 5, PathProblem::Key);
        refused(r#"a["x]"#, 3, PathProblem::Quoted);
        refused(r#"a["\"#, 3, PathProblem::Quoted);
        refused("a/", 3, PathProblem::Element);
        refused("a/b[0]", 6, PathProblem::Nth);
        refused("a/@b[1]", 5, PathProblem::Nth);
        refused("a/b[1].c", 7, PathProblem::AfterXml);
        refused(&"a".repeat(5000), 1, PathProblem::TooLong);
        assert_eq!(
            parse("a b").unwrap_err().to_string(),
            "read the path `a b`: at character 2, a key is expected; one with other than letters, \
             digits, _ - $ @ : is quoted: `[\"a.b\"]`"
        );
    }
}
