//! The verdict on a run: failures are run again when that is asked for, which tells flaky tests from
//! broken ones, and those in quarantine are counted apart. Nothing is hidden: each failure was told
//! before, and what became of it is told too.

use crate::triage::Desk;
use rehearsal_model::{Outcome, RunEvent, Summary, TestId};

/// Stands between a run and its reports, and keeps the end of the run back until all is known.
pub(crate) struct Verdicts {
    desk: Desk,
    failed: Vec<Failed>,
    flaky: usize,
    end: Option<Summary>,
}

/// A test that failed and has not passed since.
pub(crate) struct Failed {
    pub(crate) recording: String,
    pub(crate) number: TestId,
    pub(crate) file: String,
    excused: bool,
}

impl Verdicts {
    pub(crate) fn new(desk: Desk) -> Self {
        Verdicts { desk, failed: Vec::new(), flaky: 0, end: None }
    }

    /// Takes an event of the run, and gives what is to be told of it.
    pub(crate) fn event(&mut self, mut event: RunEvent) -> Option<RunEvent> {
        self.desk.add(&mut event);
        match &event {
            RunEvent::TestFinished {
                recording,
                number,
                file,
                outcome: Outcome::Failed,
                triage,
                ..
            } => {
                self.failed.push(Failed {
                    recording: recording.clone(),
                    number: *number,
                    file: file.clone(),
                    excused: triage.as_ref().is_some_and(|triage| triage.is_excused()),
                });
            }
            RunEvent::RunFinished { summary } => {
                self.end = Some(summary.clone());
                return None;
            }
            _ => {}
        }
        Some(event)
    }

    /// Takes an event of a rerun, and gives what is to be told of it.
    pub(crate) fn again(&mut self, attempt: usize, event: RunEvent) -> Option<RunEvent> {
        let RunEvent::TestFinished { recording, number, name, outcome, took_ms, findings, .. } =
            event
        else {
            return None;
        };
        if outcome == Outcome::NotRun {
            return None;
        }
        if outcome == Outcome::Passed {
            let before = self.failed.len();
            self.failed.retain(|one| (&one.recording, one.number) != (&recording, number));
            self.flaky += before - self.failed.len();
        }
        Some(RunEvent::TestRerun { recording, number, name, attempt, outcome, took_ms, findings })
    }

    /// The tests that have only failed so far.
    pub(crate) fn failed(&self) -> &[Failed] {
        &self.failed
    }

    /// The end of the run with all counts; none when it did not come to its end.
    pub(crate) fn end(self) -> Option<Summary> {
        let quarantined = self.failed.iter().filter(|one| one.excused).count();
        let failed = self.failed.len() - quarantined;
        self.end.map(|end| Summary { failed, flaky: self.flaky, quarantined, ..end })
    }
}
