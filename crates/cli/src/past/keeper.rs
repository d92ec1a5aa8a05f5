//! Takes down what happens in a run, and adds it to the history when the run is over.
//!
//! A history that cannot be written is said once on standard error and changes nothing of the run.

use super::git::mark;
use super::scene::{self, Given};
use crate::error::{CliError, Outcome as Ended};
use rehearsal_history::{History, Place, Scene, TestRow};
use rehearsal_model::{Finding, Outcome, RetryCause, RunEvent, Summary, TestId};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread::JoinHandle;

/// A run that is taken down.
pub(crate) struct Keeper {
    place: Place,
    root: PathBuf,
    scene: Option<JoinHandle<Scene>>,
    rows: Vec<TestRow>,
    /// The last test of each recording, and of each time it was run again.
    last: HashMap<(String, usize), String>,
    summary: Option<Summary>,
}

impl Keeper {
    /// Begins; the run has this name in `rehearsal/runs`.
    pub(crate) fn begin(place: Place, run: String, given: Given) -> Self {
        let root = given.root.clone();
        let scene = std::thread::spawn(move || scene::look(&given, run));
        Keeper {
            place,
            root,
            scene: Some(scene),
            rows: Vec::new(),
            last: HashMap::new(),
            summary: None,
        }
    }

    /// Takes an event down.
    pub(crate) fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::TestFinished {
                recording,
                number,
                name,
                file,
                outcome,
                took_ms,
                calls,
                findings,
                triage,
                ..
            } if *outcome != Outcome::NotRun => {
                let edges: BTreeSet<&str> = calls.iter().map(|call| call.edge.as_str()).collect();
                let key = format!("{recording}/{}", number.0);
                self.rows.push(TestRow {
                    recording: recording.clone(),
                    number: number.0,
                    name: name.clone(),
                    file: file.clone(),
                    digest: String::new(),
                    attempt: 0,
                    outcome: *outcome,
                    took_ms: *took_ms,
                    before: self.last.insert((recording.clone(), 0), key),
                    edges: edges.into_iter().map(str::to_owned).collect(),
                    cause: triage.as_ref().map(|triage| triage.cause.clone()),
                    times: rehearsal_compare::only_times_differ(findings),
                });
            }
            RunEvent::TestRerun {
                recording, number, attempt, outcome, took_ms, findings, ..
            } => {
                self.again(recording, *number, (*attempt, *outcome, *took_ms), findings);
            }
            RunEvent::Retried { recording, number, cause, findings, .. } => {
                self.beside(recording, *number, *cause, findings);
            }
            RunEvent::RunFinished { summary } => self.summary = Some(summary.clone()),
            _ => {}
        }
    }

    fn again(
        &mut self,
        recording: &str,
        number: TestId,
        (attempt, outcome, took_ms): (usize, Outcome, f64),
        findings: &[Finding],
    ) {
        let same = |row: &&TestRow| row.recording == recording && row.number == number.0;
        let Some(first) = self.rows.iter().find(same).cloned() else { return };
        let failed = outcome == Outcome::Failed;
        let key = format!("{recording}/{}", number.0);
        self.rows.push(TestRow {
            attempt,
            outcome,
            took_ms,
            before: self.last.insert((recording.to_owned(), attempt), key),
            cause: failed.then(|| rehearsal_compare::cause(&first.name, findings)),
            times: rehearsal_compare::only_times_differ(findings),
            ..first
        });
    }

    /// A test that failed beside other copies of the app, and passed in recorded order: it has both
    /// outcomes on the same code.
    fn beside(&mut self, recording: &str, number: TestId, cause: RetryCause, findings: &[Finding]) {
        let same = |row: &&TestRow| row.recording == recording && row.number == number.0;
        let Some(first) = self.rows.iter().find(same).cloned() else { return };
        self.rows.push(TestRow {
            attempt: 1,
            outcome: Outcome::Failed,
            before: match cause {
                RetryCause::OrderDependent => Some("other tests than recorded".to_owned()),
                RetryCause::Flaky | RetryCause::Unexplained => first.before.clone(),
            },
            cause: Some(rehearsal_compare::cause(&first.name, findings)),
            times: rehearsal_compare::only_times_differ(findings),
            ..first
        });
    }

    /// Adds the run, which came to this, to the history.
    pub(crate) fn end(mut self, outcome: &Result<Ended, CliError>) {
        let Some(scene) = self.scene.take().and_then(|looking| looking.join().ok()) else { return };
        let mut summary = self.summary.take().unwrap_or_else(|| self.counted());
        if summary.aborted.is_none() {
            summary.aborted = match outcome {
                Ok(Ended::Interrupted) => Some("it was interrupted".to_owned()),
                Err(error) => Some(format!("failed to {error}")),
                Ok(_) => None,
            };
        }
        let mut digests: HashMap<String, String> = HashMap::new();
        for row in &mut self.rows {
            let read = || std::fs::read(self.root.join(&row.file)).map(|bytes| mark(&bytes));
            let digest =
                digests.entry(row.file.clone()).or_insert_with(|| read().unwrap_or_default());
            row.digest.clone_from(digest);
        }
        let added = History::open(&self.place)
            .and_then(|mut history| history.add(&scene, &summary, &self.rows));
        if let Err(error) = added {
            let _ = writeln!(
                io::stderr().lock(),
                "rehearsal: the run is not in the history: failed to {error}"
            );
        }
    }

    /// The counts of a run that did not come to its end.
    fn counted(&self) -> Summary {
        let of = |outcome| self.rows.iter().filter(|row| row.outcome == outcome).count();
        Summary { passed: of(Outcome::Passed), failed: of(Outcome::Failed), ..Summary::default() }
    }
}
