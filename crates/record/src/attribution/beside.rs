//! Which earlier tests were under way when a test began.
//!
//! Those that are open when it is told to have begun, and, since what is told may come in another order than
//! it happened, those that were told to be over a moment before. With many connections a test begins
//! beside as many others: so no test is touched when another one begins or ends, but for what came late.

use rehearsal_model::{Moment, TestId};
use std::collections::VecDeque;

/// Tests under way that are named of one that began beside them: the latest.
pub(super) const MOST: usize = 64;
/// Tests of which it is remembered when they were over: the latest.
const REMEMBERED: usize = 64;

/// See the module.
#[derive(Default)]
pub(super) struct Beside {
    /// The tests that are not over, in order.
    open: Vec<TestId>,
    over: VecDeque<(TestId, Moment)>,
    /// When the latest of all tests began.
    latest: Moment,
}

impl Beside {
    /// A test begins, after all others that were told. Gives those beside which it does, in order.
    pub(super) fn began(&mut self, id: TestId, started: Moment) -> Vec<TestId> {
        self.latest = self.latest.max(started);
        let mut beside = Vec::new();
        let late = self.over.iter().rev().filter(|(_, finished)| started < *finished);
        let mut late: Vec<TestId> = late.map(|(id, _)| *id).collect();
        match late.is_empty() {
            true => beside.extend_from_slice(&self.open[self.open.len().saturating_sub(MOST)..]),
            false => {
                late.extend_from_slice(&self.open);
                late.sort_unstable();
                beside.extend_from_slice(&late[late.len().saturating_sub(MOST)..]);
            }
        }
        self.open.push(id);
        beside
    }

    /// A test is over. Whether tests that were told before may have begun only afterwards.
    pub(super) fn over(&mut self, id: TestId, finished: Moment) -> bool {
        self.lost(id);
        if self.over.len() == REMEMBERED {
            self.over.pop_front();
        }
        self.over.push_back((id, finished));
        finished <= self.latest
    }

    /// A test will not be told.
    pub(super) fn lost(&mut self, id: TestId) {
        if let Ok(place) = self.open.binary_search(&id) {
            self.open.remove(place);
        }
    }
}
