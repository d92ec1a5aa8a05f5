//! One run written to a history, whole or not at all, and the oldest ones forgotten.

use crate::store::{Cell, Fault, Purpose, Store};
use crate::{History, HistoryError, Scene, TestRow};
use rehearsal_model::{Cause, Outcome, Summary};
use std::collections::BTreeMap;
use std::iter::repeat_n;

/// Runs that are kept, and tests in them; the oldest runs beyond are removed.
const KEPT: (i64, i64) = (5_000, 2_000_000);
/// How many rows are added at once: a server that is far away is asked less often.
const AT_ONCE: usize = 200;

const RUN: [&str; 16] = [
    "run",
    "started_ms",
    "took_ms",
    "commit_id",
    "branch",
    "dirty",
    "code",
    "host",
    "tool",
    "jobs",
    "passed",
    "failed",
    "flaky",
    "quarantined",
    "not_run",
    "aborted",
];
const TEST: [&str; 13] = [
    "run",
    "recording",
    "number",
    "attempt",
    "name",
    "file",
    "digest",
    "outcome",
    "took_ms",
    "before",
    "edges",
    "fingerprint",
    "times",
];
const CAUSE: [&str; 6] = ["fingerprint", "edge", "operation", "finding", "changes", "reason"];

impl History {
    /// Adds a run with its tests, whole or not at all. Its number comes back.
    ///
    /// # Errors
    /// When the history cannot be written.
    pub fn add(
        &mut self,
        scene: &Scene,
        summary: &Summary,
        tests: &[TestRow],
    ) -> Result<i64, HistoryError> {
        let added = self.store.within(Purpose::Write, |store| {
            let run = add_run(store, scene, summary)?;
            add_causes(store, tests)?;
            add_tests(store, run, tests)?;
            forget(store)?;
            Ok(run)
        });
        added.map_err(|fault| fault.tell("write", &self.place))
    }
}

fn add_run(store: &mut Store, scene: &Scene, summary: &Summary) -> Result<i64, Fault> {
    let cells = [
        Cell::from(scene.run.as_str()),
        Cell::Number(scene.started_ms),
        Cell::Real(summary.took_ms),
        Cell::from(&scene.commit),
        Cell::from(&scene.branch),
        Cell::Flag(scene.dirty),
        Cell::from(scene.code.as_str()),
        Cell::from(scene.host.as_str()),
        Cell::from(scene.tool.as_str()),
        Cell::from(scene.jobs),
        Cell::from(summary.passed),
        Cell::from(summary.failed),
        Cell::from(summary.flaky),
        Cell::from(summary.quarantined),
        Cell::from(summary.not_run),
        Cell::from(&summary.aborted),
    ];
    store.number(&format!("{} RETURNING id", insert("runs", &RUN, 1)), &cells)
}

/// What failures come from, once for each fingerprint: what was said of it last counts.
fn add_causes(store: &mut Store, tests: &[TestRow]) -> Result<(), Fault> {
    let causes: BTreeMap<&str, &Cause> = tests
        .iter()
        .filter_map(|test| test.cause.as_ref())
        .map(|cause| (cause.fingerprint.as_str(), cause))
        .collect();
    let new: Vec<String> =
        CAUSE[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let otherwise = format!(" ON CONFLICT (fingerprint) DO UPDATE SET {}", new.join(", "));
    let rows = causes.into_values().map(|cause| {
        [
            Cell::from(cause.fingerprint.as_str()),
            Cell::from(cause.edge.as_str()),
            Cell::from(cause.operation.as_str()),
            Cell::from(cause.finding.as_str()),
            Cell::Text(cause.changes.join("\n").into()),
            Cell::from(cause.reason.as_str()),
        ]
    });
    add_rows(store, "causes", &CAUSE, rows, &otherwise)
}

fn add_tests(store: &mut Store, run: i64, tests: &[TestRow]) -> Result<(), Fault> {
    // Of two of one attempt the last counts.
    let tests: BTreeMap<(&str, u32, usize), &TestRow> = tests
        .iter()
        .map(|test| ((test.recording.as_str(), test.number, test.attempt), test))
        .collect();
    let rows = tests.into_values().map(|test| {
        let fingerprint = test.cause.as_ref().map(|cause| cause.fingerprint.as_str());
        [
            Cell::Number(run),
            Cell::from(test.recording.as_str()),
            Cell::Number(test.number.into()),
            Cell::from(test.attempt),
            Cell::from(test.name.as_str()),
            Cell::from(test.file.as_str()),
            Cell::from(test.digest.as_str()),
            Cell::from(word(test.outcome)),
            Cell::Real(test.took_ms),
            Cell::from(&test.before),
            Cell::Text(test.edges.join("\n").into()),
            fingerprint.map_or(Cell::Nothing, Cell::from),
            Cell::Flag(test.times),
        ]
    });
    add_rows(store, "tests", &TEST, rows, "")
}

fn add_rows<'a, const N: usize>(
    store: &mut Store,
    table: &str,
    names: &[&str; N],
    mut rows: impl ExactSizeIterator<Item = [Cell<'a>; N]>,
    otherwise: &str,
) -> Result<(), Fault> {
    while rows.len() > 0 {
        let count = rows.len().min(AT_ONCE);
        let cells: Vec<Cell<'a>> = rows.by_ref().take(count).flatten().collect();
        let sql = |rows| format!("{}{otherwise}", insert(table, names, rows));
        store.add(sql, &cells, N)?;
    }
    Ok(())
}

/// A statement that adds so many rows: `INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)`.
fn insert(table: &str, names: &[&str], rows: usize) -> String {
    let mut places = 1..;
    let rows: Vec<String> = repeat_n(names.len(), rows)
        .map(|width| {
            let row: Vec<String> =
                places.by_ref().take(width).map(|place| format!("${place}")).collect();
            format!("({})", row.join(", "))
        })
        .collect();
    format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), rows.join(", "))
}

/// Removes the oldest runs beyond what is kept.
fn forget(store: &mut Store) -> Result<(), Fault> {
    store.run(
        "DELETE FROM runs WHERE id NOT IN (SELECT id FROM runs ORDER BY id DESC LIMIT $1)",
        &[Cell::Number(KEPT.0)],
    )?;
    let all = "SELECT CAST(coalesce(sum(passed + failed + flaky + quarantined + not_run), 0) \
               AS BIGINT) FROM runs";
    while store.number(all, &[])? > KEPT.1 {
        let oldest = "DELETE FROM runs WHERE id = (SELECT min(id) FROM runs) \
                      AND id < (SELECT max(id) FROM runs)";
        if store.run(oldest, &[])? == 0 {
            break;
        }
    }
    Ok(())
}

/// The word for an outcome.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotRun => "not-run",
    }
}
