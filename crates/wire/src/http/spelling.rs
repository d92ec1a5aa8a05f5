//! The words of `body-format`: what a body needs, beside its value, to come back byte for byte.
//!
//! A body in the commonest spelling has no words.

use super::unwritable;
use crate::WireError;
use rehearsal_model::json::{self, Escape, Space, Style};
use rehearsal_model::{Map, Value};

/// The content coding could not be undone: the body is shown and served as it was sent.
pub(super) const ENCODED: &str = "encoded";
/// A form in which a space is `%20`, not `+`.
pub(super) const PERCENT_SPACE: &str = "percent-space";
/// A multipart body whose last boundary has no line end.
pub(super) const NO_NEWLINE: &str = "no-newline";

/// How a body is spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) json: Style,
    pub(super) encoded: bool,
    pub(super) percent_space: bool,
    pub(super) no_newline: bool,
}

impl Spelling {
    /// Notes it under `body-format`, when there is something to say.
    pub(super) fn record(self, map: &mut Map) {
        let words = self.words();
        if !words.is_empty() {
            map.push_new("body-format", words);
        }
    }

    fn words(self) -> String {
        let mut words: Vec<String> = Vec::new();
        match self.json.space {
            Space::Compact => {}
            Space::Spaced => words.push("spaced".into()),
            Space::Indented(width) => words.push(format!("indented-{width}")),
        }
        match self.json.escape {
            Escape::Needed => {}
            Escape::Ascii => words.push("ascii".into()),
            Escape::Html => words.push("html".into()),
        }
        let flags = [
            (self.json.slashes, "slashes"),
            (self.json.newline, "newline"),
            (self.percent_space, PERCENT_SPACE),
            (self.no_newline, NO_NEWLINE),
            (self.encoded, ENCODED),
        ];
        words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
        words.join(" ")
    }

    /// Reads it back.
    pub(super) fn of(map: &Map) -> Result<Self, WireError> {
        Self::named("body-format", map.get("body-format"))
    }

    fn named(key: &str, words: Option<&Value>) -> Result<Self, WireError> {
        let mut spelling = Spelling::default();
        let words = match words {
            None => return Ok(spelling),
            Some(value) => value.as_text().unwrap_or("?"),
        };
        for word in words.split_whitespace() {
            match word {
                "spaced" => spelling.json.space = Space::Spaced,
                "ascii" => spelling.json.escape = Escape::Ascii,
                "html" => spelling.json.escape = Escape::Html,
                "slashes" => spelling.json.slashes = true,
                "newline" => spelling.json.newline = true,
                PERCENT_SPACE => spelling.percent_space = true,
                NO_NEWLINE => spelling.no_newline = true,
                ENCODED => spelling.encoded = true,
                other => match other.strip_prefix("indented-").and_then(|n| n.parse().ok()) {
                    Some(width) => spelling.json.space = Space::Indented(width),
                    None => return Err(unwritable(format!("{key} has no word {other:?}"))),
                },
            }
        }
        Ok(spelling)
    }
}

/// An object or a list as a tree, with the words that give back the text; none for the commonest
/// spelling.
pub(crate) fn shown(text: &str) -> Option<(Value, Option<String>)> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let (tree, json) = json(text)?;
    let words = Spelling { json, ..Spelling::default() }.words();
    Some((tree, Some(words).filter(|words| !words.is_empty())))
}

/// The text of a tree, spelled as the words under a key say.
pub(crate) fn spelled(tree: &Value, key: &str, words: Option<&Value>) -> Result<String, WireError> {
    Ok(json::to_string_styled(tree, Spelling::named(key, words)?.json))
}

/// The document as a tree with the style that gives back the text, when there is one.
pub(super) fn json(text: &str) -> Option<(Value, Style)> {
    let value = json::parse(text).ok()?;
    if matches!(value, Value::Text(_)) {
        return None;
    }
    let same = |style: &Style| json::is_spelled(&value, *style, text);
    // Without these there is one style that it can have.
    let is_dense = !text.bytes().fold(false, |any, it| any | matches!(it, b' ' | b'\n' | b'\\'));
    let style = match is_dense {
        true => Some(Style::default()).filter(same)?,
        false => candidates(text).into_iter().find(same)?,
    };
    Some((value, style))
}

/// The styles that the text may have, by what it holds, most likely first.
fn candidates(text: &str) -> Vec<Style> {
    let newline = text.ends_with('\n');
    let (mut spaced, mut slashes, mut escaped) = (false, false, false);
    for pair in text.as_bytes().windows(2) {
        match pair {
            b": " | b", " => spaced = true,
            b"\\/" => slashes = true,
            b"\\u" => escaped = true,
            _ => {}
        }
    }
    let indent = text.find('\n').filter(|place| place + 1 < text.len()).map(|place| {
        let spaces = text.as_bytes()[place + 1..].iter().take_while(|byte| **byte == b' ').count();
        u8::try_from(spaces).unwrap_or(0)
    });
    let spaces: &[Space] = match indent {
        Some(width) => &[Space::Indented(width)],
        None if spaced => &[Space::Spaced, Space::Compact],
        None => &[Space::Compact],
    };
    let escapes: &[Escape] = match escaped {
        true => &[Escape::Ascii, Escape::Html, Escape::Needed],
        false => &[Escape::Needed],
    };
    let style =
        |space: &Space, escape: &Escape| Style { space: *space, escape: *escape, slashes, newline };
    spaces.iter().flat_map(|space| escapes.iter().map(move |escape| style(space, escape))).collect()
}
