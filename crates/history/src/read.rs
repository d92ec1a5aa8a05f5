//! What is read from a history: runs for people, samples for the analyses.

use crate::store::{Cell, Fault, Purpose, Row};
use crate::{History, HistoryError, RunRow, Sample, Scene, TestRow};
use rehearsal_model::{Cause, Outcome, Past, Summary};

const RUNS: &str = "SELECT id, run, started_ms, took_ms, commit_id, branch, dirty, code, host, tool, jobs, \
     passed, failed, flaky, quarantined, not_run, aborted \
     FROM runs ORDER BY id DESC LIMIT $1";
const SAMPLES: &str = "SELECT t.run, r.started_ms, r.code, r.commit_id, r.host, r.jobs, \
     t.recording, t.number, t.name, t.file, t.digest, t.attempt, t.outcome, t.took_ms, \
     t.before, t.edges, t.times, \
     c.fingerprint, c.edge, c.operation, c.finding, c.changes, c.reason \
     FROM tests t JOIN runs r ON r.id = t.run \
     LEFT JOIN causes c ON c.fingerprint = t.fingerprint \
     WHERE t.outcome != 'not-run' AND t.run = $1 \
     ORDER BY t.recording, t.number, t.attempt";

const PAST: &str = "SELECT count(*), count(DISTINCT run), min(run) FROM tests \
     WHERE fingerprint = $1 AND outcome = 'failed'";
const FIRST: &str = "SELECT started_ms, commit_id FROM runs WHERE id = $1";

impl History {
    /// What was seen of failures with a fingerprint.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn past(&mut self, fingerprint: &str) -> Result<Past, HistoryError> {
        let found = self.store.within(Purpose::Read, |store| {
            let asked = [Cell::from(fingerprint)];
            let counted = store.ask(PAST, &asked, |row| {
                Ok((row.count(0)?, row.count(1)?, row.get::<Option<i64>>(2)?))
            })?;
            let Some((failures, runs, Some(first))) = counted.into_iter().next() else {
                return Ok(Past::default());
            };
            let first = store.ask(FIRST, &[Cell::Number(first)], |row| {
                Ok((row.get::<i64>(0)?, row.get::<Option<String>>(1)?))
            })?;
            let (first_ms, first_commit) = first.into_iter().next().unzip();
            Ok(Past { failures, runs, first_ms, first_commit: first_commit.flatten() })
        });
        found.map_err(|fault| fault.tell("read", &self.place))
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn runs(&mut self, most: usize) -> Result<Vec<RunRow>, HistoryError> {
        let most = [Cell::from(most)];
        let found = self.store.within(Purpose::Read, |store| store.ask(RUNS, &most, run));
        found.map_err(|fault| fault.tell("read", &self.place))
    }

    /// Every test that ran in the latest runs, in the order of the runs.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn samples(&mut self, most_runs: usize) -> Result<Vec<Sample>, HistoryError> {
        let most = [Cell::from(most_runs)];
        let found = self.store.within(Purpose::Read, |store| {
            let latest = "SELECT id FROM runs ORDER BY id DESC LIMIT $1";
            let runs = store.ask(latest, &most, |row| row.get::<i64>(0))?;
            let mut samples = Vec::new();
            // One run after the other: a server's answer is kept as it came until it is read.
            for run in runs.into_iter().rev() {
                samples.extend(store.ask(SAMPLES, &[Cell::Number(run)], sample)?);
            }
            Ok(samples)
        });
        found.map_err(|fault| fault.tell("read", &self.place))
    }
}

fn run(row: &Row<'_>) -> Result<RunRow, Fault> {
    Ok(RunRow {
        id: row.get(0)?,
        scene: Scene {
            run: row.get(1)?,
            started_ms: row.get(2)?,
            commit: row.get(4)?,
            branch: row.get(5)?,
            dirty: row.get(6)?,
            code: row.get(7)?,
            host: row.get(8)?,
            tool: row.get(9)?,
            jobs: row.count(10)?,
        },
        summary: Summary {
            took_ms: row.get(3)?,
            passed: row.count(11)?,
            failed: row.count(12)?,
            flaky: row.count(13)?,
            quarantined: row.count(14)?,
            not_run: row.count(15)?,
            aborted: row.get(16)?,
        },
    })
}

fn sample(row: &Row<'_>) -> Result<Sample, Fault> {
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<String>>();
    let cause = match row.get::<Option<String>>(17)? {
        None => None,
        Some(fingerprint) => Some(Cause {
            fingerprint,
            edge: row.get(18)?,
            operation: row.get(19)?,
            finding: row.get(20)?,
            changes: lines(row.get(21)?),
            reason: row.get(22)?,
        }),
    };
    Ok(Sample {
        run: row.get(0)?,
        at_ms: row.get(1)?,
        code: row.get(2)?,
        commit: row.get(3)?,
        host: row.get(4)?,
        jobs: row.count(5)?,
        test: TestRow {
            recording: row.get(6)?,
            number: u32::try_from(row.get::<i64>(7)?)
                .map_err(|_| Fault::Shape("a test has a number that none has".to_owned()))?,
            name: row.get(8)?,
            file: row.get(9)?,
            digest: row.get(10)?,
            attempt: row.count(11)?,
            outcome: outcome(&row.get::<String>(12)?),
            took_ms: row.get(13)?,
            before: row.get(14)?,
            edges: lines(row.get(15)?),
            cause,
            times: row.get(16)?,
        },
    })
}

/// The outcome of a word.
fn outcome(word: &str) -> Outcome {
    match word {
        "passed" => Outcome::Passed,
        "failed" => Outcome::Failed,
        _ => Outcome::NotRun,
    }
}
