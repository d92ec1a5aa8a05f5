//! `rehearsal failures`: failures of past runs, by kind.

use crate::arguments::Failures;
use crate::error::{CliError, Outcome};
use crate::past;
use rehearsal_history::{Cluster, History};
use rehearsal_model::{Map, Value};
use rehearsal_report::visible;
use rehearsal_store::{Project, format_instant};
use std::path::Path;

pub(super) fn run(arguments: &Failures, folder: &Path) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let samples = History::read(&past::place(&project)?)?.samples(arguments.past.runs)?;
    let mut found = rehearsal_history::clusters(&samples);
    found.retain(|cluster| cluster.open || !arguments.open);
    if arguments.past.json {
        super::print(&past::json_lines(found.iter().map(object)))?;
        return Ok(Outcome::Good);
    }
    if found.is_empty() {
        super::print(&format!("No failures in the last {} runs.\n", past::runs_of(&samples)))?;
        return Ok(Outcome::Good);
    }
    super::print(&found.iter().map(block).collect::<Vec<_>>().join("\n"))?;
    Ok(Outcome::Good)
}

/// How many tests of a kind are named.
const MAX_TESTS: usize = 3;

/// A kind of failure in four lines.
fn block(cluster: &Cluster) -> String {
    let Cluster { cause, failures, tests, runs, seen_ms: (first, last), .. } = cluster;
    let state = if cluster.open { "open" } else { "gone" };
    let commit: String =
        cluster.first_commit.iter().flat_map(|commit| commit.chars().take(10)).collect();
    let commit = if commit.is_empty() { commit } else { format!(" at commit {commit}") };
    let named: Vec<String> =
        tests.iter().take(MAX_TESTS).map(|(key, name)| format!("{key} {name}")).collect();
    let more = match tests.len().saturating_sub(MAX_TESTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let lines = [
        format!(
            "{} · {state} · {}, {}, {}",
            cause.fingerprint,
            past::number(*failures, "failure"),
            past::number(tests.len(), "test"),
            past::number(*runs, "run"),
        ),
        format!("  {} · {} · {}", cause.edge, cause.operation, what(cluster)),
        format!("  first {}{commit}, last {} (UTC)", format_instant(*first), format_instant(*last)),
        format!("  {}{more}", named.join(", ")),
    ];
    lines.iter().map(|line| visible(line).into_owned() + "\n").collect()
}

/// What happened, in few words.
fn what(cluster: &Cluster) -> String {
    match cluster.cause.changes.as_slice() {
        [] => cluster.cause.finding.clone(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

fn object(cluster: &Cluster) -> Map {
    let tests: Vec<String> = cluster.tests.keys().cloned().collect();
    Map::from([
        ("cause", rehearsal_model::to_value(&cluster.cause).unwrap_or(Value::Null)),
        ("open", Value::Bool(cluster.open)),
        ("failures", past::count(cluster.failures)),
        ("tests", past::texts(&tests)),
        ("runs", past::count(cluster.runs)),
        ("first_ms", Value::from(cluster.seen_ms.0)),
        ("first_commit", past::text_or_null(cluster.first_commit.as_deref())),
        ("last_ms", Value::from(cluster.seen_ms.1)),
    ])
}
