//! The index over the mocks of a recording.

use crate::groups::Groups;
use crate::spread::SpreadMap;
use rehearsal_model::TestId;
use std::sync::OnceLock;

/// Where a mock is in its recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A call of a test, by its place in the test's list, from 0.
    Call {
        /// The test.
        test: TestId,
        /// The place.
        index: u32,
    },
    /// A mock of the ambient file, by its place there, from 0.
    Ambient {
        /// The last test that had begun before it.
        after: TestId,
        /// How many calls of that test came before it.
        calls: u32,
        /// The place.
        index: u32,
    },
    /// A mock of the ambient file that one of several tests made.
    Shared {
        /// The place.
        index: u32,
    },
}

/// A mock, reduced to what finding it takes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The edge, as a number that the caller gives.
    pub edge: u32,
    /// The fingerprint of the parts that make the operation.
    pub identity: u64,
    /// The fingerprint of the whole request in comparison form.
    pub values: u64,
    /// Whether it is a read, which may be answered again.
    pub repeatable: bool,
    /// Where it is.
    pub place: Place,
}

impl Entry {
    fn is_ambient(&self) -> bool {
        matches!(self.place, Place::Ambient { .. })
    }
}

/// The mocks of a recording, found by hash. Built once, shared by all workers; each way to find them is made
/// when it is first wanted: a run of one test out of thousands needs few of them.
#[derive(Debug, Default)]
pub struct Library {
    pub(crate) entries: Vec<Entry>,
    /// For each test, the mocks that it shares with others.
    pub(crate) shared: SpreadMap<TestId, Vec<u32>>,
    /// By test: its calls.
    calls: OnceLock<Groups>,
    /// By edge and fingerprint of the whole request: equal reads.
    equal: OnceLock<Groups>,
    /// By edge and identity: ambient mocks.
    ambient: OnceLock<Groups>,
    /// By edge and fingerprint of the whole request: ambient mocks.
    equal_ambient: OnceLock<Groups>,
}

impl Library {
    /// An index over entries, which come in the order of the timeline. `shared_by` says of a place
    /// in the ambient file which tests share it.
    pub fn new(entries: Vec<Entry>, shared_by: impl Fn(u32) -> Vec<TestId>) -> Self {
        let mut library = Library::default();
        for (number, entry) in (0u32..).zip(&entries) {
            if let Place::Shared { index } = entry.place {
                for test in shared_by(index) {
                    library.shared.entry(test).or_default().push(number);
                }
            }
        }
        library.entries = entries;
        library
    }

    /// The calls of a test, in order.
    pub(crate) fn calls(&self, test: TestId) -> &[u32] {
        let key = |entry: &Entry| match entry.place {
            Place::Call { test, .. } => Some((0, u64::from(test.0))),
            Place::Ambient { .. } | Place::Shared { .. } => None,
        };
        let all = self.calls.get_or_init(|| Groups::new(&self.entries, key));
        all.of((0, u64::from(test.0)))
    }

    /// Where requests are that are equal to a read, in the order of the timeline.
    pub(crate) fn equal(&self, edge: u32, values: u64) -> &[u32] {
        let key = |entry: &Entry| entry.repeatable.then_some((entry.edge, entry.values));
        let all = self.equal.get_or_init(|| Groups::new(&self.entries, key));
        all.of((edge, values))
    }

    /// Ambient mocks of an operation, in the order of the timeline.
    pub(crate) fn ambient(&self, edge: u32, identity: u64) -> &[u32] {
        let key = |entry: &Entry| entry.is_ambient().then_some((entry.edge, entry.identity));
        let all = self.ambient.get_or_init(|| Groups::new(&self.entries, key));
        all.of((edge, identity))
    }

    /// Ambient mocks with an equal request, in the order of the timeline.
    pub(crate) fn equal_ambient(&self, edge: u32, values: u64) -> &[u32] {
        let key = |entry: &Entry| entry.is_ambient().then_some((entry.edge, entry.values));
        let all = self.equal_ambient.get_or_init(|| Groups::new(&self.entries, key));
        all.of((edge, values))
    }

    /// All entries, in the order of the timeline.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The calls of a test on an edge that are one operation, by the fingerprint of its identity, in order.
    pub fn calls_of(&self, test: TestId, edge: u32, identity: u64) -> impl Iterator<Item = u32> {
        let own = self.calls(test).iter().copied();
        own.filter(move |mock| self.is_operation(*mock, (edge, identity)))
    }

    /// Whether an entry is this operation, by its edge and the fingerprint of its identity.
    pub(crate) fn is_operation(&self, number: u32, operation: (u32, u64)) -> bool {
        let entry = self.entry(number);
        (entry.edge, entry.identity) == operation
    }

    /// The entry of a number.
    #[must_use]
    pub fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    /// Whether a call of a test, by its place there, is one that the app makes all the while: a read that
    /// is outside of tests too, again and again. Whether it falls into a test is chance.
    #[must_use]
    pub fn is_polled(&self, test: TestId, index: usize) -> bool {
        let own = self.calls(test).get(index);
        let Some(entry) = own.map(|number| self.entry(*number)) else { return false };
        if !entry.repeatable {
            return false;
        }
        let outside = self.equal_ambient(entry.edge, entry.values);
        // What an app asks while it starts it may ask twice.
        let last = outside.last().filter(|_| outside.len() > 1);
        last.and_then(|last| self.time(*last)).is_some_and(|after| after != TestId(0))
    }

    /// The test on whose stretch of the timeline an entry lies.
    pub(crate) fn time(&self, number: u32) -> Option<TestId> {
        match self.entry(number).place {
            Place::Call { test, .. } => Some(test),
            Place::Ambient { after, .. } => Some(after),
            Place::Shared { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(values: u64, repeatable: bool, place: Place) -> Entry {
        Entry { edge: 0, identity: values, values, repeatable, place }
    }

    fn ambient(values: u64, repeatable: bool, after: u32) -> Entry {
        entry(values, repeatable, Place::Ambient { after: TestId(after), calls: 0, index: 0 })
    }

    #[test]
    fn a_read_that_comes_again_and_again_outside_of_tests_is_polled() {
        let call = |index, values, repeatable| {
            entry(values, repeatable, Place::Call { test: TestId(1), index })
        };
        let (news, begin, config, once) = (1, 2, 3, 4);
        let entries = vec![
            ambient(news, true, 0),
            ambient(begin, false, 0),
            ambient(config, true, 0),
            ambient(config, true, 0),
            call(0, news, true),
            call(1, begin, false),
            call(2, config, true),
            call(3, once, true),
            ambient(news, true, 1),
            ambient(begin, false, 1),
            ambient(once, true, 1),
        ];
        let library = Library::new(entries, |_| Vec::new());
        let polled = |index| library.is_polled(TestId(1), index);
        assert_eq!([0, 1, 2, 3, 4].map(polled), [true, false, false, false, false]);
        assert!(!library.is_polled(TestId(2), 0));
    }
}
