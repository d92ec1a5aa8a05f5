//! Where secrets are in a text that is not itself one: beside their names in JSON, forms, XML,
//! multipart bodies and assignments, and anywhere by their shape.

use super::edits::{Edit, Edits, Put};
use super::names::Rule;
use super::{Run, SHORTEST, is_scrubbed};
use regex::{Captures, Regex};
use rehearsal_model::{Number, Value, json};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// One way to write a name and its value. The first group is the name, the second the value.
struct Way {
    /// Without this byte in the text there is nothing to find.
    mark: u8,
    pattern: &'static str,
    /// How the value is read and written.
    spelling: Spelling,
}

#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    Plain,
    /// Percent-encoded.
    Form,
    /// Inside the quotes of a JSON string.
    Json,
    /// A JSON number.
    Number,
}

const WAYS: [Way; 6] = [
    // A member of an object.
    Way {
        mark: b'"',
        pattern: r#""([A-Za-z][A-Za-z0-9_.-]{1,63})"\s*:\s*"((?:[^"\\]|\\.)*)""#,
        spelling: Spelling::Json,
    },
    Way {
        mark: b'"',
        pattern: r#""([A-Za-z][A-Za-z0-9_.-]{1,63})"\s*:\s*(-?[0-9][0-9.eE+-]*)"#,
        spelling: Spelling::Number,
    },
    // A parameter of a form or a query.
    Way {
        mark: b'=',
        pattern: r"(?:^|[?&])([A-Za-z][A-Za-z0-9_.%-]{1,63})=([A-Za-z0-9._~%+*!:@/,=-]+)",
        spelling: Spelling::Form,
    },
    // An element.
    Way {
        mark: b'<',
        pattern: r"<(?:[A-Za-z][A-Za-z0-9]*:)?([A-Za-z][A-Za-z0-9_.-]{1,63})(?:\s[^<>]*)?>([^<>]+)</",
        spelling: Spelling::Plain,
    },
    // A part of a multipart body (RFC 7578, section 4.2).
    Way {
        mark: b'\n',
        pattern: r#"(?i)\bform-data; *name="([^"\r\n]{1,64})"[^\r\n]*\r?\n\r?\n([^\r\n]+)"#,
        spelling: Spelling::Plain,
    },
    // An assignment as in SQL: `password = 'x'`, `PASSWORD 'x'`.
    Way {
        mark: b'\'',
        pattern: r"([A-Za-z][A-Za-z0-9_]{1,63})\s*(?:=|:|\s)\s*'([^']+)'",
        spelling: Spelling::Plain,
    },
];

static WAYS_READY: LazyLock<Vec<(&'static Way, Regex)>> = LazyLock::new(|| {
    let ready = |way: &'static Way| Regex::new(way.pattern).ok().map(|regex| (way, regex));
    WAYS.iter().filter_map(ready).collect()
});

impl Run<'_> {
    /// The text without its secrets; `None` when there is nothing to replace.
    pub(super) fn text(&mut self, text: &str) -> Option<String> {
        let scrubber = self.scrubber;
        let named = text.len() >= SHORTEST && scrubber.patterns.hint(text);
        if !named && !scrubber.patterns.has_extra() {
            return None;
        }
        let mut edits = Edits::default();
        if named {
            let marked = WAYS_READY.iter().filter(|(way, _)| text.as_bytes().contains(&way.mark));
            for (way, regex) in marked {
                for captures in regex.captures_iter(text) {
                    if let Some((range, changed)) = self.way(way.spelling, &captures) {
                        edits.named(range, changed);
                    }
                }
            }
        }
        let mut shaped = |kind, range: Range<usize>| {
            let found = &text[range.clone()];
            if !found.trim_ascii().is_empty() && !is_scrubbed(found) {
                edits.shaped(range, kind);
            }
        };
        if named {
            scrubber.patterns.shapes(text, &mut shaped);
        }
        scrubber.patterns.extra(text, |range| {
            shaped(scrubber.patterns.kind(&text[range.clone()]), range);
        });
        self.apply(text, edits)
    }

    /// Where the value of a name is and what it becomes, when the name is that of a secret.
    fn way(
        &mut self,
        spelling: Spelling,
        captures: &Captures<'_>,
    ) -> Option<(Range<usize>, String)> {
        let (name, value) = (captures.get(1)?, captures.get(2)?);
        let raw = value.as_str();
        let named = match self.scrubber.names.rule(name.as_str()) {
            Rule::Secret(named) => Some(named),
            // A document inside a string of another.
            Rule::None if spelling == Spelling::Json && raw.contains("\\\"") => None,
            _ => return None,
        };
        let mut change = |text: &str| match named {
            Some(named) => self.named_text(named, text),
            None => self.text(text),
        };
        let changed = match spelling {
            Spelling::Plain => change(raw)?,
            Spelling::Form => percent_encoded(&change(&percent_decoded(raw))?),
            Spelling::Json => {
                let plain = json::parse(&format!("\"{raw}\""));
                let plain = plain.as_ref().ok().and_then(Value::as_text).unwrap_or(raw);
                let quoted = json::to_string(&change(plain)?.into());
                quoted[1..quoted.len() - 1].to_owned()
            }
            Spelling::Number => {
                let mut number = Value::Number(Number::parse(raw)?);
                self.named(named?, &mut number);
                json::to_string(&Value::Text(number.as_text()?.to_owned()))
            }
        };
        Some((value.range(), changed))
    }

    /// The text after edits.
    fn apply(&mut self, text: &str, edits: Edits) -> Option<String> {
        let edits = edits.settled();
        if edits.is_empty() {
            return None;
        }
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for Edit { range, put } in edits {
            out.push_str(&text[at..range.start]);
            out.push_str(&match put {
                Put::Text(text) => text,
                Put::Placeholder(kind) => self.placeholder(kind, &text[range.clone()]),
            });
            at = range.end;
        }
        out.push_str(&text[at..]);
        Some(out)
    }
}

/// A value of a form (WHATWG URL, section 5.1); as it stands when it decodes to no text.
fn percent_decoded(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return raw.into();
    }
    let (mut out, mut rest) = (Vec::with_capacity(raw.len()), raw.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let hex = |place: usize| after.get(place).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    String::from_utf8(out).map_or(raw.into(), Cow::Owned)
}

/// A text as a value of a form or a query, which ends at none of its characters.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(byte.into()),
            b'.' | b'_' | b'~' | b'-' | b'*' | b'!' | b':' | b'@' | b'/' | b',' | b'=' => {
                out.push(byte.into());
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_a_regular_expression() {
        assert_eq!(WAYS_READY.len(), WAYS.len());
    }

    #[test]
    fn forms_are_decoded() {
        assert_eq!(percent_decoded("a%20b+c%2"), "a b c%2");
        assert_eq!(percent_decoded("%ff"), "%ff");
        assert_eq!(percent_decoded("100%"), "100%");
    }
}
