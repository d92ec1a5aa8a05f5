//! Accepted values, put where the file has them.
//!
//! A run speaks of messages in comparison form. What stands elsewhere in a file is found where the two
//! agree but for the case of a name, within a text that holds JSON or XML, or in the query of a URL; the rest
//! is refused.

use super::json_text::{self, Change};
use super::query_text;
use rehearsal_compare::{XmlChange, xml_with};
use rehearsal_model::{Edit, Map, Step, Value, json};

/// Applies what concerns values. `answer` is the key of a test's answer.
pub(super) fn apply(root: &mut Value, edits: &[&Edit], answer: &str) -> Result<(), String> {
    let values = |edit: &&Edit| match *edit {
        Edit::Value { at, expected, actual } => {
            Some((in_file(at, answer), expected.clone(), actual.clone()))
        }
        _ => None,
    };
    let values: Vec<_> = edits.iter().filter_map(values).collect();
    for (at, expected, actual) in &values {
        if let (Some(expected), Some(actual)) = (expected, actual) {
            within(root, at, &Doing { change: Change::Set(actual), expected: Some(expected) })?;
        }
    }
    // Places in lists are those of before, so the last one goes first.
    for (at, expected, actual) in values.iter().rev() {
        if expected.is_some() && actual.is_none() {
            within(root, at, &Doing { change: Change::Remove, expected: expected.as_ref() })?;
        }
    }
    for (at, expected, actual) in &values {
        if let (None, Some(actual)) = (expected, actual) {
            within(root, at, &Doing { change: Change::Add(actual), expected: None })?;
        }
    }
    Ok(())
}

fn in_file(at: &[Step], answer: &str) -> Vec<Step> {
    let mut at = at.to_vec();
    if let Some(Step::Key(first)) = at.first_mut().filter(|it| **it == Step::Key("response".into()))
    {
        answer.clone_into(first);
    }
    at
}

/// What is done at the end of a way.
struct Doing<'a> {
    change: Change<'a>,
    /// What was recorded there.
    expected: Option<&'a Value>,
}

/// Does something to what holds the last step of a way.
fn within(value: &mut Value, way: &[Step], doing: &Doing<'_>) -> Result<(), String> {
    if let Value::Text(text) = value {
        *text = in_text(text, way, doing.change)
            .ok_or("it is within a text in which it cannot be changed in place: edit it by hand")?;
        return Ok(());
    }
    match way {
        [] => Ok(()),
        [last] => match doing.change {
            Change::Set(actual) => set(value, last, doing.expected, actual),
            Change::Remove => remove(value, last),
            Change::Add(actual) => add(value, last, actual),
        },
        [first, rest @ ..] => match child(value, first) {
            Some(child) => within(child, rest, doing),
            None => in_query(value, way, doing.change).ok_or_else(|| not_there(first)),
        },
    }
}

/// A text that holds JSON or XML with a place in it changed.
fn in_text(text: &str, way: &[Step], change: Change<'_>) -> Option<String> {
    let [Step::Xml(path)] = way else {
        json::parse(text).ok()?;
        return json_text::with(text, way, change);
    };
    xml_with(
        text,
        path,
        match change {
            Change::Set(value) => XmlChange::Set(value.as_text()?),
            Change::Remove => XmlChange::Remove,
            Change::Add(value) => XmlChange::Add(value.as_text()?),
        },
    )
}

/// What is told as a map of names and values may be written as the query of a URL: of the one text beside it
/// that has a query with this value.
fn in_query(value: &mut Value, way: &[Step], change: Change<'_>) -> Option<()> {
    let (name, nth) = match way {
        [Step::Key(_), Step::Key(name)] => (name, 0),
        [Step::Key(_), Step::Key(name), Step::Index(nth)] => (name, *nth),
        _ => return None,
    };
    let Value::Map(map) = value else { return None };
    let mut found = map.iter().filter_map(|(key, value)| {
        let changed = query_text::with(value.as_text()?, name, nth, change)?;
        Some((key.to_owned(), changed))
    });
    let (key, changed) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    drop(found);
    map.insert(key, changed);
    Some(())
}

fn not_there(step: &Step) -> String {
    match step {
        Step::Key(key) => format!(
            "`{key}` is not written as a field of its own in the file: edit it by hand, or record again"
        ),
        Step::Index(place) => format!("there is no item {place} where the run saw one"),
        Step::Xml(path) => format!("there is no XML with {path} where the run saw it"),
    }
}

fn child<'v>(value: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    match (value, step) {
        (Value::Map(map), Step::Key(key)) => {
            let name = name_in(map, key)?.to_owned();
            map.get_mut(&name)
        }
        (Value::List(list), Step::Index(place)) => list.get_mut(*place),
        _ => None,
    }
}

/// The key as the file spells it.
fn name_in<'m>(map: &'m Map, key: &str) -> Option<&'m str> {
    let exact = map.keys().find(|name| *name == key);
    exact.or_else(|| map.keys().find(|name| name.eq_ignore_ascii_case(key)))
}

fn set(
    parent: &mut Value,
    step: &Step,
    expected: Option<&Value>,
    actual: &Value,
) -> Result<(), String> {
    let place = child(parent, step).ok_or_else(|| not_there(step))?;
    let replaced = match (&*place, expected, actual) {
        // The file may say more on the same line, such as the query behind a path.
        (Value::Text(text), Some(Value::Text(from)), Value::Text(to)) if text != from => {
            text.strip_prefix(from.as_str()).map(|rest| Value::from(format!("{to}{rest}")))
        }
        _ => None,
    };
    *place = replaced.unwrap_or_else(|| actual.clone());
    Ok(())
}

fn remove(parent: &mut Value, step: &Step) -> Result<(), String> {
    match (parent, step) {
        (Value::Map(map), Step::Key(key)) => {
            let name = name_in(map, key).map(str::to_owned).ok_or_else(|| not_there(step))?;
            map.remove(&name);
            Ok(())
        }
        (Value::List(list), Step::Index(place)) if *place < list.len() => {
            list.remove(*place);
            Ok(())
        }
        _ => Err(not_there(step)),
    }
}

fn add(parent: &mut Value, step: &Step, actual: &Value) -> Result<(), String> {
    match (parent, step) {
        (Value::Map(map), Step::Key(key)) => {
            map.insert(key.as_str(), actual.clone());
            Ok(())
        }
        (Value::List(list), Step::Index(place)) => {
            list.insert((*place).min(list.len()), actual.clone());
            Ok(())
        }
        _ => Err(not_there(step)),
    }
}
