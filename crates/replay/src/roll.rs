//! The tests of a recording with their verdicts, told in recorded order however they come in.
//!
//! What is told is what one copy of the app would show that plays the tests one after the other: after
//! a test during which the app ended, or after the first failure where that ends the run, no other
//! test counts, whatever came of it elsewhere.

use crate::pace;
use crate::theatre::Performed;
use crate::{ReplayOptions, Selected};
use rehearsal_model::{Latency, Outcome, RunEvent, Summary, TestId, Times};
use std::collections::{HashMap, HashSet, VecDeque};

/// Whoever is told what happens.
pub(crate) type Tell<'a> = dyn FnMut(RunEvent) + Send + 'a;

/// See the module.
pub(crate) struct Roll {
    recording: String,
    /// Those that nothing was told of, in recorded order.
    left: VecDeque<Entry>,
    /// Those that have no verdict.
    open: HashSet<TestId>,
    /// What came of some of them.
    settled: HashMap<TestId, Performed>,
    /// Whether it was told that the first of `left` began.
    begun: bool,
    /// What the app itself took for each of those that were told of.
    own: Times,
    /// Those that were told to have failed.
    failed: Vec<TestId>,
    fail_fast: bool,
    explain: bool,
}

/// What is told of a test whatever becomes of it.
#[derive(Clone)]
struct Entry {
    number: TestId,
    name: String,
    file: String,
}

impl Roll {
    /// Those tests of a recording that belong to this run.
    pub(crate) fn new(selected: &Selected, own: &[TestId], options: &ReplayOptions) -> Self {
        let entry = |(id, file): (&TestId, &String)| {
            let head = selected.recording.head(*id);
            let name = head.map_or_else(String::new, |head| head.name.clone());
            Entry { number: *id, name, file: file.clone() }
        };
        let open: HashSet<TestId> = own.iter().copied().collect();
        let all = selected.tests.iter().zip(&selected.files);
        Roll {
            recording: selected.name.clone(),
            left: all.filter(|(id, _)| open.contains(id)).map(entry).collect(),
            open,
            settled: HashMap::new(),
            begun: false,
            own: Times::default(),
            failed: Vec::new(),
            fail_fast: options.fail_fast,
            explain: options.explain,
        }
    }

    /// What the app itself took for a test, as far as they were told of.
    pub(crate) fn own(&self) -> Option<Latency> {
        self.own.latency()
    }

    /// The tests that were told to have failed.
    pub(crate) fn failed(&self) -> &[TestId] {
        &self.failed
    }

    /// Whether every test was told of.
    pub(crate) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether every test has a verdict.
    pub(crate) fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// Tells that a test began, when it is its turn to be told of.
    pub(crate) fn began(&mut self, id: TestId, tell: &mut Tell<'_>) {
        if let Some(entry) = self.left.front()
            && entry.number == id
            && !self.begun
        {
            self.begun = true;
            let (number, name) = (entry.number, entry.name.clone());
            tell(RunEvent::TestStarted { recording: self.recording.clone(), number, name });
        }
    }

    /// Notes a verdict, and tells all whose turn it is. A later one takes the place of one that was not
    /// told of. Says whether this one counts.
    pub(crate) fn settle(
        &mut self,
        id: TestId,
        performed: Performed,
        summary: &mut Summary,
        tell: &mut Tell<'_>,
    ) -> bool {
        if !self.open.remove(&id) && !self.settled.contains_key(&id) {
            return false;
        }
        self.settled.insert(id, performed);
        while let Some(entry) = self.left.front()
            && !self.is_over(summary)
            && let Some(performed) = self.settled.remove(&entry.number)
        {
            self.tell_first(performed, summary, tell);
        }
        true
    }

    /// Whether no further test counts.
    pub(crate) fn is_over(&self, summary: &Summary) -> bool {
        summary.aborted.is_some() || self.fail_fast && summary.failed > 0
    }

    fn tell_first(&mut self, mut performed: Performed, summary: &mut Summary, tell: &mut Tell<'_>) {
        let Some(number) = self.left.front().map(|entry| entry.number) else { return };
        self.began(number, tell);
        let Some(entry) = self.left.pop_front() else { return };
        self.begun = false;
        let recording = self.recording.clone();
        let outcome = performed.outcome();
        let (bindings, death) = (std::mem::take(&mut performed.bindings), performed.death.take());
        if self.explain {
            tell(RunEvent::Bindings { recording: recording.clone(), number, bindings });
        }
        if let Some(death) = death {
            let (how, output) = (death.how, death.output);
            summary.aborted = Some(format!("the app ended with {how}"));
            tell(RunEvent::AppExited { recording, how, during: Some(number), output });
        }
        match outcome {
            Outcome::Passed => summary.passed += 1,
            Outcome::Failed | Outcome::NotRun => {
                summary.failed += 1;
                self.failed.push(number);
            }
        }
        pace::own(&performed, &mut self.own);
        tell(self.finished(entry, Some(performed)));
    }

    /// Tells of all that are left that they were not run.
    pub(crate) fn skip(mut self, summary: &mut Summary, tell: &mut Tell<'_>) {
        for entry in std::mem::take(&mut self.left) {
            summary.not_run += 1;
            tell(self.finished(entry, None));
        }
    }

    /// The event of a test that has its verdict, or was not run.
    fn finished(&self, entry: Entry, performed: Option<Performed>) -> RunEvent {
        let Entry { number, name, file } = entry;
        let recording = self.recording.clone();
        let outcome = performed.as_ref().map_or(Outcome::NotRun, Performed::outcome);
        let (took_ms, calls, findings, evidence) = performed.map_or_else(
            || (0.0, Vec::new(), Vec::new(), None),
            |it| (it.took_ms, it.calls, it.findings, Some(Box::new(it.evidence))),
        );
        RunEvent::TestFinished {
            recording,
            number,
            name,
            file,
            outcome,
            took_ms,
            calls,
            findings,
            triage: None,
            evidence,
        }
    }
}
