//! An exchange in the words of its protocol, to and from text.

use super::blobs::BlobWriter;
use super::fields::answer;
use crate::schema::{Fields, number};
use crate::yaml::{EmitError, Emitter, Node, Substitute, YamlError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{Exchange, Failure, Map, ResetCode, Value};

/// Writes the pairs of a map in the order of a table of fields.
pub(super) fn write_map(
    out: &mut Emitter<BlobWriter<'_>>,
    map: &Map,
    fields: &[Field],
    indent: usize,
) -> Result<(), EmitError> {
    in_order(map, fields).into_iter().try_for_each(|(key, value)| {
        match fields.iter().find(|field| field.name == key) {
            Some(field) => write_field(out, field, value, indent),
            None => out.pair(key, value, indent),
        }
    })
}

/// The pairs of a map in the order of a table of fields. Keys that the table lacks follow; a reader
/// refuses them, but what was recorded is not thrown away.
fn in_order<'m>(map: &'m Map, fields: &[Field]) -> Vec<(&'m str, &'m Value)> {
    let place = |key: &str| fields.iter().position(|field| field.name == key);
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort_by_key(|(key, _)| place(key).unwrap_or(fields.len()));
    pairs
}

/// A document of any form that is large (a body) becomes a blob.
fn write_field(
    out: &mut Emitter<BlobWriter<'_>>,
    field: &Field,
    value: &Value,
    indent: usize,
) -> Result<(), EmitError> {
    let free = match field.shape {
        Shape::Any => true,
        Shape::Either(shapes) => shapes.iter().any(|shape| matches!(shape, Shape::Any)),
        _ => false,
    };
    match free.then(|| out.large.document(value)).flatten() {
        Some((tag, word)) => {
            out.key(field.name, indent);
            out.tagged(tag, &word);
            Ok(())
        }
        None => out.pair(field.name, value, indent),
    }
}

/// Writes the answer under its key, a small one on one line.
pub(super) fn write_answer(
    out: &mut Emitter<BlobWriter<'_>>,
    exchange: &Exchange,
    shape: &ExchangeShape,
    indent: usize,
) -> Result<(), EmitError> {
    let Some(answer) = &exchange.response else { return Ok(()) };
    out.key(shape.answer, indent);
    // The answer of a test is what people read: it gets lines of its own.
    if (indent > 0 || answer.is_empty()) && out.pairs_on_line(&in_order(answer, shape.response)) {
        return Ok(());
    }
    out.nest();
    write_map(out, answer, shape.response, indent + 2)
}

/// Writes how an exchange broke off, when it did.
pub(super) fn write_failure(
    out: &mut Emitter<BlobWriter<'_>>,
    exchange: &Exchange,
    indent: usize,
) -> Result<(), EmitError> {
    if let Some(failure) = exchange.failure {
        out.word("failure", failure.as_str(), indent);
        if let Some(code) = failure.code() {
            let said = code.name().map_or(Value::from(code.0), Value::from);
            out.pair("reset-code", &said, indent)?;
        }
    }
    Ok(())
}

/// Writes the ordinal of the connection where it is part of what was recorded.
pub(super) fn write_connection(
    out: &mut Emitter<BlobWriter<'_>>,
    exchange: &Exchange,
    shape: &ExchangeShape,
    indent: usize,
) -> Result<(), EmitError> {
    match shape.keeps_connection && exchange.connection > 0 {
        true => out.pair("connection", &Value::from(exchange.connection), indent),
        false => Ok(()),
    }
}

/// What a call or mock has beside its own keys: everything of its exchange.
pub(super) fn read_inline(
    mut fields: Fields,
    own: &[Field],
    shape: &'static ExchangeShape,
) -> Result<Exchange, YamlError> {
    // A connection that never came about has no request.
    let failed = fields.get("failure").is_some();
    let asked = shape.request.iter().any(|field| fields.get(field.name).is_some());
    let request: &[Field] = if failed && !asked { &[] } else { shape.request };
    fields.check(&[own, request, &[answer(shape)]])?;
    let mut exchange = read_rest(&mut fields, shape)?;
    exchange.request = fields.rest(shape.request);
    Ok(exchange)
}

/// Takes the parts of an exchange that do not belong to its request, from checked fields.
pub(super) fn read_rest(
    fields: &mut Fields,
    shape: &'static ExchangeShape,
) -> Result<Exchange, YamlError> {
    Ok(Exchange {
        connection: fields.number("connection")?,
        failure: read_failure(fields)?,
        response: match fields.take(shape.answer) {
            Some(node) => Some(ordered(node, shape.answer, shape.response)?),
            None => None,
        },
        ..Exchange::default()
    })
}

/// Takes how an exchange broke off. Its code has a name, or a number.
fn read_failure(fields: &mut Fields) -> Result<Option<Failure>, YamlError> {
    let at = fields.get("reset-code").or(fields.get("failure")).map_or(fields.at, |node| node.at);
    let word = fields.text("failure");
    let code = match fields.take("reset-code") {
        None => None,
        Some(node) => match node.scalar().and_then(Value::as_text).and_then(ResetCode::named) {
            Some(code) => Some(code),
            None => Some(ResetCode(number(&node)?)),
        },
    };
    let failure = word.as_deref().and_then(|word| Failure::parse(word, code));
    match (word, code) {
        (None, None) => Ok(None),
        _ if failure.is_some() => Ok(failure),
        (Some(word), None) => {
            Err(YamlError { at, problem: format!("failure {word} needs a reset-code") })
        }
        (_, Some(_)) => {
            let problem = "reset-code needs the failure reset, closed or unheard".to_owned();
            Err(YamlError { at, problem })
        }
    }
}

/// A checked map in the order of a table of fields.
pub(super) fn ordered(node: Node, what: &str, fields: &[Field]) -> Result<Map, YamlError> {
    Ok(Fields::unchecked(node, what)?.rest(fields))
}
