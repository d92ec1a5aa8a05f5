//! Values as text for people, in the manner of YAML.
//!
//! Good to read, not to be read back: the files of a recording are written by `store`.

use rehearsal_model::{Map, Value, json};

/// Collections of scalars that fit in so many characters stay on one line.
const FLOW: usize = 60;
/// How many bytes of binary data are shown.
const MAX_BYTES: usize = 16;

/// How collections are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Small ones on one line.
    Short,
    /// Every item on a line of its own, so that lines can be told apart one by one.
    Tall,
}

/// The lines of a value, at most `max` and one more that says that there are others.
pub(crate) fn lines(value: &Value, layout: Layout, max: usize) -> Vec<String> {
    let mut printer = Printer { out: Vec::new(), layout, max };
    printer.value(value, 0, String::new());
    printer.finish()
}

/// The lines of a map's entries.
pub(crate) fn map_lines(map: &Map, layout: Layout, max: usize) -> Vec<String> {
    let mut printer = Printer { out: Vec::new(), layout, max };
    printer.map(map, 0, String::new());
    printer.finish()
}

/// A value on one line, in the spelling of JSON; `None` when that would be longer than `width`
/// characters, or when its text has lines of its own.
pub(crate) fn inline(value: &Value, width: usize) -> Option<String> {
    if size_hint(value, width)? > width {
        return None;
    }
    let text = match value {
        Value::Bytes(bytes) => binary(bytes),
        Value::Text(text) if is_tall(text) => return None,
        value => json::to_string(value),
    };
    (text.chars().count() <= width).then_some(text)
}

/// A lower bound of the length of a value's text; `None` as soon as it exceeds the limit.
fn size_hint(value: &Value, limit: usize) -> Option<usize> {
    let mut sum = match value {
        Value::Text(text) => text.len() / 4,
        _ => 1,
    };
    let mut below = |value: &Value, limit: usize| {
        sum += size_hint(value, limit)?;
        (sum <= limit).then_some(())
    };
    match value {
        Value::List(list) => list.iter().try_for_each(|value| below(value, limit))?,
        Value::Map(map) => map.iter().try_for_each(|(_, value)| below(value, limit))?,
        _ => {}
    }
    (sum <= limit).then_some(sum)
}

/// Whether a text has several lines.
pub(crate) fn is_tall(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

fn binary(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(MAX_BYTES).map(|byte| format!("{byte:02x}"));
    let shown = shown.collect::<Vec<_>>().join(" ");
    let more = if bytes.len() > MAX_BYTES { " …" } else { "" };
    format!("<{}: {shown}{more}>", crate::words::count(bytes.len(), "byte"))
}

/// A text as a plain scalar where nobody could take it for anything else, else quoted.
fn scalar(text: &str) -> String {
    let first = text.chars().next();
    let plain = first.is_some_and(|char| char.is_alphabetic() || "/_<(".contains(char))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(char::is_control)
        && !["true", "false", "null", "yes", "no", "on", "off"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { json::to_string(&Value::from(text)) }
}

fn leaf(value: &Value) -> Option<String> {
    Some(match value {
        Value::List(list) if list.is_empty() => "[]".into(),
        Value::Map(map) if map.is_empty() => "{}".into(),
        Value::List(_) | Value::Map(_) => return None,
        Value::Text(text) => scalar(text),
        Value::Bytes(bytes) => binary(bytes),
        other => json::to_string(other),
    })
}

/// A collection of scalars on one line, when it is short.
fn flow(value: &Value) -> Option<String> {
    let safe = |value: &Value| leaf(value).filter(|text| !text.contains([',', '{', '}', '[', ']']));
    let joined = match value {
        Value::List(list) if list.len() <= FLOW => {
            let items: Option<Vec<_>> = list.iter().map(safe).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(map) if map.len() <= FLOW => {
            let pairs =
                map.iter().map(|(key, value)| Some(format!("{}: {}", scalar(key), safe(value)?)));
            format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(", "))
        }
        _ => return None,
    };
    (joined.chars().count() <= FLOW).then_some(joined)
}

struct Printer {
    out: Vec<String>,
    layout: Layout,
    max: usize,
}

impl Printer {
    fn line(&mut self, indent: usize, text: &str) {
        if self.out.len() <= self.max {
            self.out.push(format!("{:indent$}{text}", ""));
        }
    }

    fn is_full(&self) -> bool {
        self.out.len() > self.max
    }

    fn finish(mut self) -> Vec<String> {
        if self.is_full() {
            self.out.truncate(self.max);
            self.out.push("…".into());
        }
        self.out
    }

    /// Prints a value after what stands before it on its first line, which is a list's dashes.
    fn value(&mut self, value: &Value, indent: usize, before: String) {
        if self.is_full() {
            return;
        }
        let short = || flow(value).filter(|_| self.layout == Layout::Short);
        if let Value::Text(text) = value
            && is_tall(text)
        {
            self.line(indent, &format!("{before}|"));
            self.block(text, indent + 2);
        } else if let Some(text) = leaf(value).or_else(short) {
            self.line(indent, &(before + &text));
        } else {
            match value {
                Value::Map(map) => self.map(map, indent, before),
                Value::List(list) => self.list(list, indent, before),
                _ => {}
            }
        }
    }

    fn list(&mut self, list: &[Value], indent: usize, mut before: String) {
        for item in list.iter().take(self.max + 1) {
            let inner = before.chars().count();
            self.value(item, indent, format!("{before}- "));
            before = " ".repeat(inner);
        }
    }

    fn map(&mut self, map: &Map, indent: usize, mut before: String) {
        for (key, value) in map.iter().take(self.max + 1) {
            if self.is_full() {
                return;
            }
            let inner = before.chars().count();
            let key = scalar(key);
            let short = || flow(value).filter(|_| self.layout == Layout::Short);
            match value {
                Value::Text(text) if is_tall(text) => {
                    self.line(indent, &format!("{before}{key}: |"));
                    self.block(text, indent + inner + 2);
                }
                value => match leaf(value).or_else(short) {
                    Some(text) => self.line(indent, &format!("{before}{key}: {text}")),
                    None => {
                        self.line(indent, &format!("{before}{key}:"));
                        self.value(value, indent + inner + 2, String::new());
                    }
                },
            }
            before = " ".repeat(inner);
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        for line in text.trim_end_matches('\n').split('\n').take(self.max + 1) {
            self.line(indent, line.trim_end_matches('\r'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Value {
        json::parse(
            r#"{"status":201,"note":"two\nlines","odd":"12","empty":{},"items":[{"sku":"A1","n":[1,2]},{"sku":"B: 2","n":[]},[[1],"x"]]}"#,
        )
        .unwrap()
    }

    #[test]
    fn prints_a_tree() {
        insta::assert_snapshot!(lines(&tree(), Layout::Tall, 99).join("\n"), @r#"
        status: 201
        note: |
          two
          lines
        odd: "12"
        empty: {}
        items:
          - sku: A1
            n:
              - 1
              - 2
          - sku: "B: 2"
            n: []
          - - - 1
            - x
        "#);
        insta::assert_snapshot!(lines(&tree(), Layout::Short, 99).join("\n"), @r#"
        status: 201
        note: |
          two
          lines
        odd: "12"
        empty: {}
        items:
          - sku: A1
            n: [1, 2]
          - sku: "B: 2"
            n: []
          - - [1]
            - x
        "#);
        insta::assert_snapshot!(lines(&tree(), Layout::Short, 3).join("\n"), @r#"
        status: 201
        note: |
          two
        …
        "#);
    }

    #[test]
    fn a_short_value_fits_on_a_line() {
        assert_eq!(inline(&Value::from("a\tb"), 20).as_deref(), Some(r#""a\tb""#));
        assert_eq!(inline(&Value::from("a\nb"), 20), None);
        assert_eq!(inline(&Value::Bytes(vec![0; 20]), 80).unwrap().chars().count(), 61);
        assert_eq!(inline(&Value::from(vec![100; 1_000_000]), 20), None);
        assert_eq!(inline(&Value::from("x".repeat(100)), 99), None);
    }
}
