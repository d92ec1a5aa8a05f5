//! Which mock is left for a call after calls of other tests have taken what it was recorded to get.
//!
//! A call that carries no identifier may be of any test under way, and takes what one of them has to come.
//! So the calls of an overlap take one another's mocks: another one is left then, though of tests that may
//! be over or not have begun. It is found as in a bipartite matching, by an augmenting path (Berge, 1957):
//! whoever took the mock might have taken another one.

use super::{Asked, Desk, Judge, RANKED, Turn};
use crate::spread::{SpreadMap, SpreadSet};
use crate::{Library, Place};
use rehearsal_model::TestId;
use std::collections::VecDeque;
use std::sync::Arc;

/// Of mocks that were taken, the tests whose call may have taken them. Those that only their own test can
/// have taken are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Takers {
    of: SpreadMap<u32, Arc<[TestId]>>,
    /// Those of the last one: mostly it is the same tests again.
    last: Arc<[TestId]>,
}

impl Takers {
    pub(super) fn note(&mut self, mock: u32, by: &[TestId]) {
        if *self.last != *by {
            self.last = by.into();
        }
        self.of.insert(mock, Arc::clone(&self.last));
    }
}

impl Desk {
    /// Lets the current test have used a call of its own, and another test not the equal one, its own or
    /// shared, that it has used, if that was by a call which may be the current test's. Gives that one.
    pub fn trade(&mut self, library: &Library, other: &mut Turn, own: u32) -> Option<u32> {
        let wanted = library.entry(own);
        let theirs = other.used.iter().position(|mock| {
            let entry = library.entry(*mock);
            (entry.edge, entry.values) == (wanted.edge, wanted.values)
                && self.takers.of.get(mock).is_some_and(|by| by.contains(&self.turn.test))
        })?;
        let theirs = other.used.remove(theirs);
        let entry = library.entry(theirs);
        other.open.equal.entry((entry.edge, entry.values)).or_default().push_front(theirs);
        other.open.same.entry((entry.edge, entry.identity)).or_default().push_front(theirs);
        self.spent.remove(&theirs);
        let by = self.takers.of.remove(&theirs).unwrap_or_default();
        self.take(library, own, &by);
        Some(theirs)
    }

    /// A shared mock that is left for a call that one of these tests made, and that test, once all calls
    /// that were made so far are thought of as having taken what was to come for them.
    pub fn spare(
        &self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        by: &[TestId],
    ) -> Option<(TestId, u32)> {
        let mut known: SpreadSet<TestId> = by.iter().copied().collect();
        let mut tests: VecDeque<(TestId, TestId)> = by.iter().map(|test| (*test, *test)).collect();
        let mut looked_at = SpreadSet::default();
        while let Some((maker, test)) = tests.pop_front() {
            let shared = library.shared.get(&test).into_iter().flatten().copied();
            let shared =
                shared.filter(|mock| library.is_operation(*mock, (asked.edge, asked.identity)));
            let own = library.calls_of(test, asked.edge, asked.identity);
            for mock in shared.chain(own) {
                if looked_at.len() >= RANKED || !looked_at.insert(mock) {
                    continue;
                }
                let takers = self.takers.of.get(&mock);
                let is_left = matches!(library.entry(mock).place, Place::Shared { .. })
                    && !self.spent.contains(&mock);
                if !is_left && takers.is_none() || !judge.differences(mock).is_empty() {
                    continue;
                }
                if is_left {
                    return Some((maker, mock));
                }
                let takers = takers.into_iter().flat_map(|takers| takers.iter());
                let new = takers.filter(|test| known.insert(**test));
                tests.extend(new.map(|test| (maker, *test)));
            }
        }
        None
    }
}
