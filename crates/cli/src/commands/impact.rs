//! `rehearsal impact`: what a change of one field of one edge touches.

use crate::arguments::{Color, Impact};
use crate::error::{CliError, Outcome};
use crate::graph::operation;
use crate::{look, past};
use rehearsal_model::{EdgeName, Exchange, Map, Recording, Value};
use rehearsal_report::{Column, table};
use rehearsal_store::Project;
use std::collections::BTreeSet;
use std::path::Path;

/// How many places are named of one exchange.
const MAX_PLACES: usize = 50;
/// How deep values are searched.
const MAX_DEPTH: usize = 128;

/// An exchange in which the field stands.
struct Touched {
    recording: String,
    test: String,
    name: String,
    operation: String,
    places: BTreeSet<String>,
}

pub(super) fn run(arguments: &Impact, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let recordings = super::graph::read(&project, &arguments.recordings)?;
    let known = |recording: &Recording| {
        recording.manifest.edges.iter().any(|edge| edge.name.is_with(&arguments.edge))
    };
    if !recordings.iter().any(known) {
        let names: BTreeSet<String> = recordings
            .iter()
            .flat_map(|recording| recording.manifest.edges.iter().map(|edge| edge.name.to_string()))
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        let text = format!("find the edge {:?}: there are {}", arguments.edge, names.join(", "));
        return Err(CliError::Wrong(text));
    }
    let touched: Vec<Touched> =
        recordings.iter().flat_map(|recording| of(recording, arguments)).collect();
    if arguments.json {
        super::print(&past::json_lines(touched.iter().map(object)))?;
        return Ok(Outcome::Good);
    }
    super::print(&page(&touched, arguments, color))?;
    Ok(Outcome::Good)
}

fn page(touched: &[Touched], arguments: &Impact, color: Color) -> String {
    let what = match &arguments.field {
        Some(field) => format!("{field} of {}", arguments.edge),
        None => arguments.edge.clone(),
    };
    let what = rehearsal_report::visible(&what).into_owned();
    if touched.is_empty() {
        return format!("Nothing that was recorded has {what}.\n");
    }
    let columns = [
        Column::left("recording"),
        Column::left("test"),
        Column::left("name"),
        Column::left("operation"),
        Column::left("where"),
    ];
    let row = |one: &Touched| {
        let places: Vec<&str> = one.places.iter().map(String::as_str).collect();
        let cells = [&one.recording, &one.test, &one.name, &one.operation];
        let mut row: Vec<String> = cells.into_iter().cloned().collect();
        row.push(places.join(", "));
        row
    };
    let rows: Vec<Vec<String>> = touched.iter().map(row).collect();
    let set = |of: fn(&Touched) -> String| touched.iter().map(of).collect::<BTreeSet<_>>().len();
    let tests = touched.iter().filter(|one| one.test.parse::<u32>().is_ok());
    let tests: BTreeSet<(&str, &str)> =
        tests.map(|one| (one.recording.as_str(), one.test.as_str())).collect();
    format!(
        "{}\nA change of {what} touches {}, {} and {}.\n",
        table(&columns, &rows, look::stdout(color, false)),
        past::number(tests.len(), "test"),
        past::number(set(|one| rehearsal_compare::template(&one.operation)), "operation"),
        past::number(set(|one| one.recording.clone()), "recording"),
    )
}

fn of(recording: &Recording, arguments: &Impact) -> Vec<Touched> {
    let mut all = Vec::new();
    let mut add = |test: String, name: String, at: &str, edge: &EdgeName, exchange: &Exchange| {
        let places = match edge.is_with(&arguments.edge) {
            true => places(exchange, at, arguments.field.as_deref()),
            false => None,
        };
        if let Some(places) = places {
            let operation = operation(recording, edge, &exchange.request);
            all.push(Touched { recording: recording.name.clone(), test, name, operation, places });
        }
    };
    for test in &recording.tests {
        let (id, name) = (|| test.id.0.to_string(), || test.name.clone());
        add(id(), name(), "", &test.edge, &test.exchange);
        for (place, call) in test.calls.iter().enumerate() {
            add(id(), name(), &format!("calls[{place}]."), &call.edge, &call.exchange);
        }
    }
    for (place, mock) in recording.mocks.iter().enumerate() {
        let shared: Vec<String> = mock.shared_by.iter().map(|id| id.0.to_string()).collect();
        let test = if shared.is_empty() { "ambient".to_owned() } else { shared.join("+") };
        let name = format!("mock {}", place + 1);
        add(test, name, "", &mock.edge, &mock.exchange);
    }
    all
}

/// Where a field stands in an exchange; none where it does not. Without a field every exchange counts.
fn places(exchange: &Exchange, at: &str, field: Option<&str>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let Some(field) = field else { return Some(found) };
    // A path may be given as it stands in differences, without the numbers of lists.
    let wanted = without_places(field);
    search_map(&exchange.request, &format!("{at}request"), &wanted, 0, &mut found);
    if let Some(response) = &exchange.response {
        search_map(response, &format!("{at}response"), &wanted, 0, &mut found);
    }
    (!found.is_empty()).then_some(found)
}

fn search_map(map: &Map, path: &str, wanted: &str, depth: usize, found: &mut BTreeSet<String>) {
    for (key, value) in map.iter() {
        let place = format!("{path}.{key}");
        let bare = without_places(&place);
        let fits =
            bare == wanted || bare.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.'));
        // In a statement, and in the names of its columns, a column is a word.
        let named = |value: &Value| value.as_text().is_some_and(|text| has_word(text, wanted));
        let in_sql = key == "sql" && named(value);
        let in_columns =
            key == "columns" && value.as_list().is_some_and(|list| list.iter().any(named));
        if (fits || in_sql || in_columns) && found.len() < MAX_PLACES {
            found.insert(place.clone());
        }
        search(value, &place, wanted, depth + 1, found);
    }
}

fn search(value: &Value, path: &str, wanted: &str, depth: usize, found: &mut BTreeSet<String>) {
    if depth > MAX_DEPTH || found.len() >= MAX_PLACES {
        return;
    }
    match value {
        Value::Map(map) => search_map(map, path, wanted, depth, found),
        // Of a list the first place says enough.
        Value::List(list) => {
            for item in list {
                let before = found.len();
                search(item, &format!("{path}[]"), wanted, depth + 1, found);
                if found.len() > before {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// A path without the places in lists.
fn without_places(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        let end =
            after.find(']').filter(|end| after[..*end].bytes().all(|byte| byte.is_ascii_digit()));
        match end {
            Some(end) => {
                out.push_str(before);
                rest = &after[end + 1..];
            }
            None => {
                out.push_str(before);
                out.push('[');
                rest = after;
            }
        }
    }
    out + rest
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
        .any(|one| one.eq_ignore_ascii_case(word))
}

fn object(one: &Touched) -> Map {
    let places: Vec<String> = one.places.iter().cloned().collect();
    Map::from([
        ("recording", Value::from(one.recording.as_str())),
        ("test", Value::from(one.test.as_str())),
        ("name", Value::from(one.name.as_str())),
        ("operation", Value::from(one.operation.as_str())),
        ("where", past::texts(&places)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let item = |price: i64| Value::Map(Map::from([("price", Value::from(price))]));
        let body = Map::from([
            ("amount", Value::from(1_i64)),
            ("items", Value::List(vec![item(1), item(2)])),
        ]);
        let exchange = Exchange {
            request: Map::from([("body", Value::Map(body))]),
            response: Some(Map::from([("sql", Value::from("SELECT amount FROM t"))])),
            ..Exchange::default()
        };
        let found = |field: &str| {
            let places = places(&exchange, "calls[0].", Some(field))?;
            Some(places.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(found("amount").unwrap(), "calls[0].request.body.amount calls[0].response.sql");
        assert_eq!(found("items[0].price").unwrap(), "calls[0].request.body.items[].price");
        assert_eq!(found("body.amount").unwrap(), "calls[0].request.body.amount");
        assert_eq!(found("mount"), None);
        assert_eq!(places(&exchange, "", None), Some(BTreeSet::new()));
    }
}
