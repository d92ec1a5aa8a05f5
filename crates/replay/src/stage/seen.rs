//! What is seen of the current test for those who look into it: when its calls came, and what they said
//! where that differs. No verdict hangs on it.

use super::{Stage, State};
use rehearsal_model::{Exchange, Map, TestId, Value};
use rehearsal_store::scrub::Scrubber;
use std::time::Duration;

/// Calls of which the time is kept.
const MOST_CALLS: usize = 200;
/// Calls without a mock of which the time is kept.
const MOST_SURPLUS: usize = 50;
/// Calls whose request is kept because it differs.
const MOST_DIFFER: usize = 20;

/// When a call came, from the beginning of its test, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) came: Duration,
    pub(crate) took: Duration,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By the place of the call in its test, in the order in which they came.
    pub(crate) calls: Vec<(u32, Time)>,
    /// Calls that no mock answers: edge, operation and time.
    pub(crate) surplus: Vec<(String, String, Time)>,
    /// The requests of calls that differ, by the place of the call.
    pub(crate) differing: Vec<(u32, Map)>,
}

impl Seen {
    /// Keeps a request that was taken for a call and differs from it.
    pub(super) fn differs(&mut self, index: u32, request: &Map) {
        if self.differing.len() < MOST_DIFFER {
            self.differing.push((index, request.clone()));
        }
    }
}

impl State {
    /// Notes that a call of the test came, and that it is answered at once.
    pub(super) fn came(&mut self, index: u32) {
        self.act.own.came(index);
        // A call is one call however often it is asked about.
        let full = self.act.seen.calls.len() >= MOST_CALLS;
        if !full && !self.act.seen.calls.iter().rev().any(|(known, _)| *known == index) {
            self.act.seen.calls.push((index, self.now()));
        }
    }

    /// Notes that a call that had to wait has its answer.
    pub(super) fn answered(&mut self, index: u32) {
        let now = self.act.began.elapsed();
        let call = self.act.seen.calls.iter_mut().rev().find(|(known, _)| *known == index);
        if let Some((_, time)) = call {
            time.took = now.saturating_sub(time.came);
        }
    }

    /// Notes that a call came that no mock answers.
    pub(super) fn surplus(&mut self, edge: String, operation: String) {
        if self.act.seen.surplus.len() < MOST_SURPLUS {
            let now = self.now();
            self.act.seen.surplus.push((edge, operation, now));
        }
    }

    fn now(&self) -> Time {
        Time { came: self.act.began.elapsed(), took: Duration::ZERO }
    }
}

impl Stage {
    /// Lines that the app wrote, without secrets: those that are known by how they look, and those that
    /// the test was sent or its calls and its answer held.
    pub(crate) fn scrub_lines(&self, scrubber: &Scrubber, lines: Vec<String>) -> Vec<String> {
        let request = Map::from([("log", lines)]);
        let mut said = Exchange { request, ..Exchange::default() };
        self.scrub(scrubber, &mut said);
        let lines = said.request.get("log").and_then(Value::as_list).unwrap_or_default();
        let texts = lines.iter().filter_map(Value::as_text);
        texts.map(|line| scrubber.text(line).into_owned()).collect()
    }

    /// What was seen of a test that is over.
    pub(crate) fn seen(&self, test: TestId) -> Seen {
        std::mem::take(&mut self.of(test).act.seen)
    }
}
