//! How places, operations and values are called when many tests are spoken of at once.

use crate::path::{self, Step as Way};
use crate::words::words;
use rehearsal_model::{Step, Value, json};

/// How much of a value is shown.
const LONGEST: usize = 40;

/// A path without what differs from test to test: which item of a list, which call.
pub(super) fn general(path: &str, edge: Option<&String>) -> String {
    let Ok(steps) = path::parse(path) else { return path.to_owned() };
    let skipped = if edge.is_some() { 2 } else { 0 };
    let mut out = String::new();
    for step in steps.into_iter().skip(skipped) {
        match step {
            Way::Index(_) => Way::AnyIndex.write(&mut out),
            Way::Nth(_) => {}
            step => step.write(&mut out),
        }
    }
    match edge {
        Some(edge) => format!("{edge}: {out}"),
        None => out,
    }
}

/// A path with every item of its lists, as noise names it.
pub(super) fn as_noise(path: &str) -> String {
    let Ok(steps) = path::parse(path) else { return path.to_owned() };
    let mut out = String::new();
    for (place, step) in steps.into_iter().enumerate() {
        match step {
            // That of the call stays.
            Way::Index(_) if place > 1 => Way::AnyIndex.write(&mut out),
            step => step.write(&mut out),
        }
    }
    out
}

/// The way to a value; none to the texts between the elements of XML.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut out = Vec::new();
    let mut xml = String::new();
    for step in path::parse(path).ok()? {
        match step {
            Way::Key(key) if xml.is_empty() => out.push(Step::Key(key.into_owned())),
            Way::Index(place) if xml.is_empty() => out.push(Step::Index(place)),
            Way::Element(_) | Way::Nth(_) | Way::Attribute(_) => step.write(&mut xml),
            _ => return None,
        }
    }
    if !xml.is_empty() {
        out.push(Step::Xml(xml));
    }
    Some(out)
}

/// What a path is in.
pub(super) fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).map_or("", |end| &path[..end])
}

/// The last key of a path.
pub(super) fn last_key(path: &str) -> &str {
    path.rfind(['.', '[']).map_or(path, |end| path[end..].trim_start_matches('.'))
}

/// Whether two keys may be spellings of one name: `userId` and `user_id`, `price` and `unit_price`.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    let plain = |key: &str| -> String {
        key.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (one, other) = (plain(one), plain(other));
    let inside = |long: &str, short: &str| short.len() > 2 && long.contains(short);
    one == other || inside(&one, &other) || inside(&other, &one)
}

/// The name of an operation without what looks like an identifier: `GET /items/*`.
#[must_use]
pub fn general_operation(operation: &str) -> String {
    let part = |part: &str| {
        let number = part.bytes().any(|byte| byte.is_ascii_digit());
        let version = part.len() <= 3 && part.starts_with('v');
        let named = number
            && !version
            && (part.bytes().all(|byte| byte.is_ascii_digit()) || part.len() > 1);
        if named || !words(part).is_empty() { "*".to_owned() } else { part.to_owned() }
    };
    match operation.split_once('/') {
        Some((head, path)) => {
            let parts: Vec<String> = path.split('/').map(part).collect();
            format!("{head}/{}", parts.join("/"))
        }
        None => operation.to_owned(),
    }
}

/// What of a path became what: `/` and `/v2/` for `GET /items/A1` that became `GET /v2/items/A1`.
pub(super) fn path_change(from: &str, to: &str) -> Option<(String, String)> {
    let (one, other): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    if one.len() < 2 || other.len() < 2 || one[0].contains(['(', '\'']) {
        return None;
    }
    let front = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let most = one.len().min(other.len()) - front;
    let back = one.iter().rev().zip(other.iter().rev()).take(most);
    let back = back.take_while(|(one, other)| one == other).count();
    let middle = |parts: &[&str]| {
        let inside = parts[front..parts.len() - back].join("/");
        match (front, inside.is_empty()) {
            (0, _) => inside,
            (_, true) => "/".to_owned(),
            (_, false) => format!("/{inside}{}", if back > 0 { "/" } else { "" }),
        }
    };
    Some((middle(&one), middle(&other)))
}

/// A value in few characters.
pub(super) fn short(value: &Value) -> String {
    let text = json::to_string(value);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
