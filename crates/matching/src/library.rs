//! The index over the mocks of a recording.

use rehearsal_model::TestId;
use std::collections::HashMap;

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

/// The mocks of a recording, found by hash. Built once, shared by all workers.
#[derive(Debug, Default)]
pub struct Library {
    pub(crate) entries: Vec<Entry>,
    /// For each test, its calls in order.
    pub(crate) calls: HashMap<TestId, Vec<u32>>,
    /// For each test, the mocks that it shares with others.
    pub(crate) shared: HashMap<TestId, Vec<u32>>,
    /// By edge and fingerprint of the whole request: where equal requests are, in the order of the
    /// timeline.
    pub(crate) equal: HashMap<(u32, u64), Vec<u32>>,
    /// By edge and identity: ambient mocks, in the order of the timeline.
    pub(crate) ambient: HashMap<(u32, u64), Vec<u32>>,
    /// By edge and fingerprint of the whole request: ambient mocks, in the order of the timeline.
    pub(crate) equal_ambient: HashMap<(u32, u64), Vec<u32>>,
}

impl Library {
    /// An index over entries, which come in the order of the timeline. `shared_by` says of a place
    /// in the ambient file which tests share it.
    pub fn new(entries: Vec<Entry>, shared_by: impl Fn(u32) -> Vec<TestId>) -> Self {
        let mut library = Library::default();
        for (number, entry) in (0u32..).zip(&entries) {
            library.equal.entry((entry.edge, entry.values)).or_default().push(number);
            match entry.place {
                Place::Call { test, .. } => library.calls.entry(test).or_default().push(number),
                Place::Ambient { .. } => {
                    let key = (entry.edge, entry.identity);
                    library.ambient.entry(key).or_default().push(number);
                    let key = (entry.edge, entry.values);
                    library.equal_ambient.entry(key).or_default().push(number);
                }
                Place::Shared { index } => {
                    for test in shared_by(index) {
                        library.shared.entry(test).or_default().push(number);
                    }
                }
            }
        }
        library.entries = entries;
        library
    }

    /// The entry of a number.
    #[must_use]
    pub fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
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
