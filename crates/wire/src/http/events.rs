//! Streams of events (`text/event-stream`, WHATWG HTML, section 9.2) and of JSON values (JSON lines, and
//! text sequences of RFC 7464): content that grows, shown as a list.
//!
//! What would not give back the very bytes is shown as text, as any content is.

use super::spelling::{self, Spelling};
use super::{fields, media, unwritable};
use crate::WireError;
use rehearsal_model::json::{self, Space};
use rehearsal_model::{Map, Value};

/// The words of an event's data when that is a tree.
const FORMAT: &str = "format";
const RECORD_SEPARATOR: char = '\u{1e}';
/// The fields of an event; the comment has no name on the wire.
const FIELDS: [&str; 5] = ["event", "data", "id", "retry", "comment"];

/// Kinds of content that may grow without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Events,
    Lines,
    Sequence,
}

impl Kind {
    pub(super) fn of(content_type: Option<&str>) -> Option<Self> {
        const KINDS: [(&str, Kind); 7] = [
            ("text/event-stream", Kind::Events),
            ("application/x-ndjson", Kind::Lines),
            ("application/ndjson", Kind::Lines),
            ("application/jsonl", Kind::Lines),
            ("application/x-jsonlines", Kind::Lines),
            ("application/jsonlines", Kind::Lines),
            ("application/json-seq", Kind::Sequence),
        ];
        let essence = media::essence(content_type?);
        let found = KINDS.iter().find(|(name, _)| essence.eq_ignore_ascii_case(name));
        found.map(|(_, kind)| *kind)
    }

    /// The key of the list.
    fn key(self) -> &'static str {
        match self {
            Kind::Events => "events",
            Kind::Lines | Kind::Sequence => "values",
        }
    }

    /// How many bytes are complete items, and how many items these are.
    pub(super) fn complete(self, bytes: &[u8]) -> (usize, usize) {
        let (mut length, mut count, mut from) = (0, 0, 0);
        while let Some(end) = bytes[from..].iter().position(|byte| *byte == b'\n') {
            let line = &bytes[from..from + end];
            from += end + 1;
            let ends = self != Kind::Events || matches!(line, [] | [b'\r']);
            if ends {
                (length, count) = (from, count + 1);
            }
        }
        (length, count)
    }
}

/// The key and list of content, when that says all.
pub(super) fn show(
    content: &[u8],
    content_type: Option<&str>,
    spelling: &mut Spelling,
) -> Option<(&'static str, Value)> {
    let kind = Kind::of(content_type)?;
    let text = std::str::from_utf8(content).ok()?;
    let (list, words) = match kind {
        Kind::Events => (events(text)?, Spelling::default()),
        Kind::Lines | Kind::Sequence => values(text, kind)?,
    };
    let same = write(kind, &list, words).is_ok_and(|again| again == text);
    *spelling = if same { words } else { *spelling };
    same.then(|| (kind.key(), Value::List(list)))
}

/// The text of a list under its key; none when the message has none.
pub(super) fn written(
    map: &Map,
    content_type: Option<&str>,
    spelling: Spelling,
) -> Result<Option<Vec<u8>>, WireError> {
    let Some((key, list)) = ["events", "values"].iter().find_map(|key| Some((key, map.get(key)?)))
    else {
        return Ok(None);
    };
    let kind = Kind::of(content_type).filter(|kind| kind.key() == *key);
    let kind =
        kind.ok_or_else(|| unwritable(format!("{key} needs a content-type of that kind")))?;
    let list = list.as_list().ok_or_else(|| unwritable(format!("{key} is not a list")))?;
    write(kind, list, spelling).map(|text| Some(text.into_bytes()))
}

fn write(kind: Kind, list: &[Value], spelling: Spelling) -> Result<String, WireError> {
    let mut out = String::new();
    for item in list {
        match kind {
            Kind::Events => write_event(item, &mut out)?,
            Kind::Lines | Kind::Sequence => {
                if kind == Kind::Sequence {
                    out.push(RECORD_SEPARATOR);
                }
                out.push_str(&json::to_string_styled(item, spelling.json));
                out.push('\n');
            }
        }
    }
    if spelling.no_newline {
        out.pop();
    }
    Ok(out)
}

/// The events of a text that ends behind the last of them.
fn events(text: &str) -> Option<Vec<Value>> {
    let (mut list, mut event) = (Vec::new(), Map::new());
    for line in text.strip_suffix('\n')?.split('\n') {
        if line.is_empty() {
            (!event.is_empty()).then_some(())?;
            spell_data(&mut event);
            list.push(Value::Map(std::mem::take(&mut event)));
            continue;
        }
        let (name, value) = line.split_once(':')?;
        let name = if name.is_empty() { "comment" } else { name };
        let value = value.strip_prefix(' ')?;
        FIELDS.contains(&name).then_some(())?;
        match event.get_mut(name) {
            Some(Value::Text(text)) => {
                text.push('\n');
                text.push_str(value);
            }
            _ => event.push_new(name, value),
        }
    }
    event.is_empty().then_some(list)
}

/// Shows data that is JSON as a tree.
fn spell_data(event: &mut Map) {
    let Some((tree, words)) = event.text("data").and_then(spelling::shown) else { return };
    event.insert("data", tree);
    if let Some(words) = words {
        event.push_new(FORMAT, words);
    }
}

fn write_event(event: &Value, out: &mut String) -> Result<(), WireError> {
    let event = event.as_map().ok_or_else(|| unwritable("an item of events is not a map"))?;
    for (name, value) in event.iter().filter(|(name, _)| *name != FORMAT) {
        if !FIELDS.contains(&name) {
            return Err(unwritable(format!("an event has no field {name:?}")));
        }
        let text = match value {
            Value::Map(_) | Value::List(_) if name == "data" => {
                spelling::spelled(value, FORMAT, event.get(FORMAT))?
            }
            value => String::from_utf8_lossy(&fields::bytes_of(name, value)?).into_owned(),
        };
        let name = if name == "comment" { "" } else { name };
        for line in text.split('\n') {
            *out += &format!("{name}: {line}\n");
        }
    }
    out.push('\n');
    Ok(())
}

/// The values of a text, and how they are spelled, all in the same way.
fn values(text: &str, kind: Kind) -> Option<(Vec<Value>, Spelling)> {
    let ends = text.ends_with('\n');
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| match kind {
        Kind::Sequence => line.strip_prefix(RECORD_SEPARATOR),
        Kind::Lines | Kind::Events => Some(line),
    });
    if text.is_empty() {
        return None;
    }
    let (mut list, mut words) = (Vec::new(), Spelling::default());
    for line in lines {
        let line = line?;
        list.push(json::parse(line).ok()?);
        if let Some((_, style)) = spelling::json(line)
            && style != json::Style::default()
        {
            words.json = style;
        }
    }
    if matches!(words.json.space, Space::Indented(_)) {
        return None;
    }
    words.no_newline = !ends;
    Some((list, words))
}

/// Events in comparison form: data that is JSON is a tree, however it is spelled.
pub(super) fn comparable(list: &Value) -> Value {
    let one = |event: &Value| {
        let Some(event) = event.as_map() else { return event.clone() };
        let fields = event.iter().filter(|(name, _)| *name != FORMAT).map(|(name, value)| {
            let tree =
                value.as_text().filter(|text| name == "data" && text.starts_with(['{', '[']));
            let tree = tree.and_then(|text| json::parse(text).ok());
            (name.to_owned(), tree.unwrap_or_else(|| value.clone()))
        });
        Value::Map(fields.collect())
    };
    Value::List(list.as_list().unwrap_or_default().iter().map(one).collect())
}
