//! Whether a file says what a run compared with, and afterwards what was accepted.

use rehearsal_model::{Edit, Exchange, Manifest, Map, Step, TestCase, Value, json};

/// How much of a value is shown.
const LONGEST: usize = 60;

/// A test in comparison form: `calls` and `response`.
pub(super) fn form(case: &TestCase, manifest: &Manifest) -> Value {
    let facets = |edge: &str| {
        let protocol = manifest.edge(edge).and_then(|it| rehearsal_wire::protocol(&it.protocol));
        protocol.unwrap_or_else(rehearsal_wire::fallback).facets()
    };
    let asked =
        |call: &rehearsal_model::Call| facets(call.edge.as_str()).request(&call.exchange.request);
    let calls: Vec<Value> = case.calls.iter().map(asked).collect();
    let Exchange { request, response, .. } = &case.exchange;
    let nothing = Map::new();
    let response = response.as_ref().unwrap_or(&nothing);
    let response = facets(case.edge.as_str()).response(request, response);
    Value::from(Map::from([("calls", Value::List(calls)), ("response", response)]))
}

/// What stands at the end of a way, within texts that hold JSON or XML too. An element of XML is told as
/// `like` is, if it is the same.
fn look_up(value: &Value, way: &[Step], like: Option<&Value>) -> Option<Value> {
    let Some((first, rest)) = way.split_first() else { return Some(value.clone()) };
    match (value, first) {
        (Value::Map(map), Step::Key(key)) => look_up(map.get(key)?, rest, like),
        (Value::List(list), Step::Index(place)) => look_up(list.get(*place)?, rest, like),
        (Value::Text(text), Step::Xml(path)) => {
            rehearsal_compare::xml_at(text, path, like.and_then(Value::as_text)).map(Value::from)
        }
        (Value::Text(text), _) => look_up(&json::parse(text).ok()?, way, like),
        _ => None,
    }
}

/// Whether what stands there is one of several, which others follow.
fn is_among_others(at: &[Step]) -> bool {
    matches!(at.last(), Some(Step::Index(_) | Step::Xml(_)))
}

/// Those edits that the file does not show yet.
pub(super) fn still_to_do<'e>(
    form: &Value,
    case: &TestCase,
    edits: &'e [Edit],
) -> Result<Vec<&'e Edit>, String> {
    let mut left = Vec::with_capacity(edits.len());
    for edit in edits {
        match edit {
            Edit::Value { at, expected, actual } => {
                let found = look_up(form, at, expected.as_ref().or(actual.as_ref()));
                // What came stands at its place in the list that came.
                let in_list = expected.is_none() && is_among_others(at);
                if found == *expected || in_list {
                    left.push(edit);
                } else if found != *actual {
                    return Err(changed(&shown(at), found.as_ref(), expected.as_ref()));
                }
            }
            Edit::Drop { call, request } => {
                let known = case.calls.get(*call).map(|call| &call.exchange.request);
                let same = known.is_some_and(|known| {
                    crate::yaml::alike(&known.clone().into(), &request.clone().into())
                });
                if !same {
                    return Err(changed(&format!("calls[{call}]"), None, None));
                }
                left.push(edit);
            }
            Edit::Before { call, other } => {
                if *call.max(other) >= case.calls.len() {
                    return Err(changed(&format!("calls[{}]", call.max(other)), None, None));
                }
                left.push(edit);
            }
            Edit::Repeat { .. } => left.push(edit),
        }
    }
    Ok(left)
}

/// Whether a file shows what was accepted. `order` says where each call has come to.
pub(super) fn is_done(form: &Value, edits: &[&Edit], order: &[Option<usize>]) -> bool {
    edits.iter().all(|edit| match edit {
        Edit::Value { at, expected, actual } => {
            let mut at = at.clone();
            if let Some(Step::Index(call)) =
                at.get_mut(1).filter(|_| expected.is_some() || actual.is_some())
            {
                match order.get(*call).copied().flatten() {
                    Some(now) => *call = now,
                    None => return true,
                }
            }
            let in_list = is_among_others(&at);
            match actual {
                Some(_) if in_list && expected.is_none() => true,
                Some(_) => look_up(form, &at, actual.as_ref()) == *actual,
                // The next one has come up.
                None => in_list || look_up(form, &at, None).is_none(),
            }
        }
        Edit::Drop { .. } | Edit::Repeat { .. } | Edit::Before { .. } => true,
    })
}

fn changed(at: &str, found: Option<&Value>, expected: Option<&Value>) -> String {
    let told = |value: Option<&Value>| match value {
        None => "absent".to_owned(),
        Some(value) => {
            let text = json::to_string(value);
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    };
    let values = match (found, expected) {
        (None, None) => String::new(),
        (found, expected) => {
            format!(" ({} there, {} when it ran)", told(found), told(expected))
        }
    };
    format!("{at} was changed since the run{values}; run `rehearsal test` again")
}

fn shown(way: &[Step]) -> String {
    let mut out = String::new();
    for step in way {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => out.extend([".", key]),
            Step::Index(place) => out.push_str(&format!("[{place}]")),
            Step::Xml(path) => out.push_str(path),
        }
    }
    out
}
