//! Whether what was read has the shape it must have.
//!
//! The message names the place and what was expected. It does not turn nodes into other types.

use super::nearest;
use crate::settings::{parse_duration, parse_size};
use crate::yaml::{Content, Key, Node, Spot, YamlError};
use rehearsal_model::Value;
use rehearsal_model::shape::{Field, Shape};
use std::collections::HashSet;

/// Checks a node and all that is in it.
///
/// # Errors
/// The first place where it differs from the shape.
pub(crate) fn check(node: &Node, shape: &Shape) -> Result<(), YamlError> {
    match (shape, &node.content) {
        (Shape::Any, _) => Ok(()),
        (Shape::List(item), Content::List(nodes)) => {
            nodes.iter().try_for_each(|node| check(node, item))
        }
        (Shape::Named(item), Content::Map(pairs)) => {
            refuse_duplicates(pairs)?;
            pairs.iter().try_for_each(|(_, node)| check(node, item))
        }
        (Shape::Map(fields), Content::Map(pairs)) => check_pairs(node.at, pairs, &[fields]),
        (Shape::Either(shapes), _) => check_either(node, shapes),
        (_, Content::Scalar(value)) => check_scalar(node.at, value, shape),
        _ => unexpected(node, shape),
    }
}

/// Checks the pairs of a map whose keys are in several tables.
pub(super) fn check_pairs(
    at: Spot,
    pairs: &[(Key, Node)],
    known: &[&[Field]],
) -> Result<(), YamlError> {
    refuse_duplicates(pairs)?;
    let fields = || known.iter().flat_map(|fields| fields.iter());
    for (key, node) in pairs {
        match fields().find(|field| field.name == key.text) {
            Some(field) => check(node, &field.shape)?,
            None => return Err(unknown_key(key, fields())),
        }
    }
    let has = |name: &str| pairs.iter().any(|(key, _)| key.text == name);
    match fields().find(|field| field.required && !has(field.name)) {
        Some(field) => wrong(at, format!("the key `{}` is missing: {}", field.name, field.doc)),
        None => Ok(()),
    }
}

fn unknown_key<'f>(key: &Key, fields: impl Iterator<Item = &'f Field>) -> YamlError {
    let names: Vec<&str> = fields.map(|field| field.name).collect();
    let hint = match nearest(&key.text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it can be {}", listed(&names)),
    };
    YamlError { at: key.at, problem: format!("unknown key `{}`; {hint}", key.text) }
}

fn refuse_duplicates(pairs: &[(Key, Node)]) -> Result<(), YamlError> {
    if pairs.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(pairs.len());
    match pairs.iter().find(|(key, _)| !seen.insert(key.text.as_str())) {
        Some((key, _)) => wrong(key.at, format!("the key `{}` is there twice", key.text)),
        None => Ok(()),
    }
}

/// The first shape of the same kind decides, so that its own message is shown.
fn check_either(node: &Node, shapes: &'static [Shape]) -> Result<(), YamlError> {
    if shapes.iter().any(|shape| check(node, shape).is_ok()) {
        return Ok(());
    }
    let same_kind = shapes.iter().find(|shape| match node.content {
        Content::List(_) => matches!(shape, Shape::List(_)),
        Content::Map(_) => matches!(shape, Shape::Map(_) | Shape::Named(_)),
        Content::Scalar(_) => false,
    });
    match same_kind {
        Some(shape) => check(node, shape),
        None => unexpected(node, &Shape::Either(shapes)),
    }
}

fn check_scalar(at: Spot, value: &Value, shape: &Shape) -> Result<(), YamlError> {
    let fits = match (shape, value) {
        (Shape::Text | Shape::Data, Value::Text(_)) => true,
        (Shape::Data, Value::Bytes(_)) => true,
        (Shape::Bool, Value::Bool(_)) => true,
        (Shape::Integer, Value::Number(number)) => number.is_integer(),
        (Shape::Duration, Value::Text(text)) => {
            return parse_duration(text).map(drop).or_else(|error| wrong(at, error.to_string()));
        }
        (Shape::Size, Value::Text(text)) => {
            return parse_size(text).map(drop).or_else(|error| wrong(at, error.to_string()));
        }
        (Shape::Timestamp, Value::Text(text)) => text.parse::<jiff::Timestamp>().is_ok(),
        (Shape::Choice(words), Value::Text(text)) if words.contains(&text.as_str()) => true,
        (Shape::Choice(words), Value::Text(text)) => {
            let hint = match nearest(text, words.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("it can be {}", listed(words)),
            };
            return wrong(at, format!("`{text}` is not known here; {hint}"));
        }
        _ => false,
    };
    match fits {
        true => Ok(()),
        false => unexpected(
            &Node { at, end: at, block: false, content: Content::Scalar(value.clone()) },
            shape,
        ),
    }
}

fn unexpected(node: &Node, shape: &Shape) -> Result<(), YamlError> {
    let quotable = matches!(node.scalar(), Some(Value::Number(_) | Value::Bool(_)));
    let hint = match shape {
        Shape::Text | Shape::Data if quotable => "; put it in quotes",
        _ => "",
    };
    wrong(node.at, format!("expected {}, found {}{hint}", describe(shape), article(node.kind())))
}

fn wrong<T>(at: Spot, problem: String) -> Result<T, YamlError> {
    Err(YamlError { at, problem })
}

/// What a shape asks for, in words.
pub(super) fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Any => "any value".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Data => "text or bytes".to_owned(),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Integer => "a whole number".to_owned(),
        Shape::Duration => "a duration such as `10s`".to_owned(),
        Shape::Size => "a size such as `64MiB`".to_owned(),
        Shape::Timestamp => "an instant such as `2026-01-31T10:00:00.000Z`".to_owned(),
        Shape::Choice(words) => listed(words),
        Shape::List(_) => "a list".to_owned(),
        Shape::Named(_) | Shape::Map(_) => "a map".to_owned(),
        Shape::Either(shapes) => {
            let parts: Vec<String> = shapes.iter().map(describe).collect();
            parts.join(" or ")
        }
    }
}

fn article(kind: &str) -> String {
    match kind {
        "null" => "nothing".to_owned(),
        "text" | "bytes" => kind.to_owned(),
        "integer" => "an integer".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// Words as they stand in a sentence: `` `a`, `b` or `c` ``.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
