//! `rehearsal show`: recordings as tables, one test as a story.

use crate::arguments::{Color, Show};
use crate::error::{CliError, Outcome};
use crate::{look, selection};
use rehearsal_model::{
    EdgeLatency, EdgeName, Exchange, Latency, Map, Milliseconds, Recording, TestCase, TestId,
};
use rehearsal_report::{Align, Column, Look, Words, story, table};
use rehearsal_store::Project;
use rehearsal_wire::Protocol;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(arguments: &Show, folder: &Path, color: Color) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let look = look::stdout(color, false);
    let known = project.recordings()?;
    let page = match (&arguments.recording, arguments.test) {
        (None, _) => overview(&project, &known, look)?,
        (Some(name), _) if !known.contains(name) => return Err(selection::unknown(name, &known)),
        (Some(name), None) => contents(&project.read(name)?, look),
        (Some(name), Some(number)) => one(&project.read(name)?, TestId(number), look)?,
    };
    super::print(&page)?;
    Ok(Outcome::Good)
}

fn overview(project: &Project, names: &[String], look: Look) -> Result<String, CliError> {
    if names.is_empty() {
        return Ok("No recordings yet. Make one: rehearsal record -- <command>\n".to_owned());
    }
    let columns = [
        Column { name: "recording", align: Align::Left },
        Column { name: "tests", align: Align::Right },
        Column { name: "calls", align: Align::Right },
        Column { name: "mocks", align: Align::Right },
        Column { name: "edges", align: Align::Left },
        Column { name: "command", align: Align::Left },
    ];
    let mut rows = Vec::new();
    for name in names {
        let recording = project.read(name)?;
        let calls: usize = recording.tests.iter().map(|test| test.calls.len()).sum();
        let edges: Vec<&str> =
            recording.manifest.edges.iter().map(|edge| edge.name.as_str()).collect();
        rows.push(vec![
            name.clone(),
            recording.tests.len().to_string(),
            calls.to_string(),
            recording.mocks.len().to_string(),
            edges.join(", "),
            recording.manifest.command.join(" "),
        ]);
    }
    Ok(table(&columns, &rows, look))
}

fn contents(recording: &Recording, look: Look) -> String {
    let columns = [
        Column { name: "#", align: Align::Right },
        Column { name: "test", align: Align::Left },
        Column { name: "answer", align: Align::Left },
        Column { name: "calls", align: Align::Left },
    ];
    let row = |test: &TestCase| {
        vec![test.id.0.to_string(), test.name.clone(), headline(recording, test), calls(test)]
    };
    let rows: Vec<Vec<String>> = recording.tests.iter().map(row).collect();
    let mut page = table(&columns, &rows, look);
    let shared = recording.mocks.iter().filter(|mock| !mock.shared_by.is_empty()).count();
    let ambient = recording.mocks.len() - shared;
    if !recording.mocks.is_empty() {
        let _ = writeln!(page, "\nand {ambient} ambient, {shared} shared mocks in ambient.yaml");
    }
    page.push_str(&times(recording, look));
    page.push_str(&tables(recording, look));
    if let Some(first) = recording.tests.first() {
        let name = &recording.name;
        let _ = writeln!(page, "\nrehearsal show {name} {}    reads a test as a story", first.id.0);
    }
    page
}

/// Whom a test calls, and how often.
pub(super) fn calls(test: &TestCase) -> String {
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &test.calls {
        *calls.entry(call.edge.as_str()).or_default() += 1;
    }
    let called = calls.iter().map(|(edge, count)| match count {
        1 => (*edge).to_owned(),
        count => format!("{edge} ×{count}"),
    });
    called.collect::<Vec<_>>().join(", ")
}

/// How long answers took when they were recorded.
fn times(recording: &Recording, look: Look) -> String {
    let columns = [
        Column::left("edge"),
        Column::left("recorded times of"),
        Column::right("number"),
        Column::right("p50"),
        Column::right("p95"),
    ];
    let mut rows = Vec::new();
    for edge in &recording.manifest.edges {
        let EdgeLatency { answers, own } = edge.latency;
        for (what, latency) in [("answers", answers), ("the app without waiting", own)] {
            let Some(Latency { calls, p50_us, p95_us }) = latency else { continue };
            let time = |micros| Milliseconds(micros).to_string();
            let name = edge.name.to_string();
            rows.push(vec![name, what.to_owned(), calls.to_string(), time(p50_us), time(p95_us)]);
        }
    }
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&columns, &rows, look)) }
}

/// What was used of the schemas of databases.
fn tables(recording: &Recording, look: Look) -> String {
    let columns = ["edge", "table", "columns"].map(|name| Column { name, align: Align::Left });
    let rows: Vec<Vec<String>> = table_rows(recording).into_iter().map(Vec::from).collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&columns, &rows, look)) }
}

/// Of each table that was used: its edge, its name and its columns.
pub(super) fn table_rows(recording: &Recording) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for edge in &recording.manifest.edges {
        for (table, columns) in &edge.tables {
            let columns: Vec<_> =
                columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
            rows.push([edge.name.to_string(), table.clone(), columns.join(", ")]);
        }
    }
    rows
}

fn protocol_of(recording: &Recording, edge: &EdgeName) -> &'static dyn Protocol {
    let edge = recording.manifest.edge(edge.as_str());
    edge.and_then(|edge| rehearsal_wire::protocol(&edge.protocol))
        .unwrap_or_else(rehearsal_wire::fallback)
}

/// What went wrong according to an answer, where its headline does not say so.
fn failure(protocol: &dyn Protocol, exchange: &Exchange) -> Option<String> {
    protocol.facets().failure(&exchange.request, exchange.response.as_ref()?)
}

/// The headline of a test's answer: its first value, such as a status, and what went wrong.
pub(super) fn headline(recording: &Recording, test: &TestCase) -> String {
    let answer = answer(&test.exchange);
    match failure(protocol_of(recording, &test.edge), &test.exchange) {
        Some(failure) => format!("{answer} · {failure}").chars().take(60).collect(),
        None => answer,
    }
}

/// The first value of an answer.
fn answer(exchange: &Exchange) -> String {
    let first = exchange.response.as_ref().and_then(|response| response.iter().next());
    match (first, exchange.failure) {
        (_, Some(failure)) => failure.to_string(),
        (Some((_, value)), None) => match value.as_text() {
            Some(text) => text.chars().take(30).collect(),
            None => rehearsal_model::json::to_string(value).chars().take(30).collect(),
        },
        (None, None) => "–".to_owned(),
    }
}

fn one(recording: &Recording, id: TestId, look: Look) -> Result<String, CliError> {
    let test = recording.tests.iter().find(|test| test.id == id).ok_or_else(|| {
        let last = recording.tests.last().map_or(0, |test| test.id.0);
        let name = &recording.name;
        CliError::Wrong(format!("find test {} of {name}: its tests go up to {last}", id.0))
    })?;
    let mut page = Vec::new();
    with_words(recording, |words| story(test, &recording.name, words, &mut page, look))
        .map_err(CliError::io("write the story"))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Tells something with what the protocols of a recording say about its exchanges.
pub(super) fn with_words<T>(recording: &Recording, tell: impl FnOnce(&Words<'_>) -> T) -> T {
    let protocol = |edge: &EdgeName| protocol_of(recording, edge);
    let operation = |edge: &EdgeName, request: &Map| match request.is_empty() {
        true => "connect".to_owned(),
        false => protocol(edge).facets().operation(request),
    };
    let answer_key = |edge: &EdgeName| protocol(edge).shape().answer;
    let failure = |edge: &EdgeName, exchange: &Exchange| failure(protocol(edge), exchange);
    tell(&Words { operation: &operation, answer: &answer_key, failure: &failure })
}
