//! Units of work, such as transactions: what one call opens on a connection and a later one ends there.
//!
//! An app may answer first and end the unit then. That end is the test's that opened it, also where the next
//! request has come meanwhile; and a test is told only when its units are ended, or it is too late for that.

use super::{AFTERMATH, Attribution, Finished, Flow};
use crate::numbers::{ByNumber, Numbers};
use rehearsal_model::{Exchange, Moment, TestId};
use std::collections::{HashMap, HashSet};

/// Units that may be open at once; when there are more, all are given up.
const MOST: usize = 4096;

/// Where a unit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// On a connection.
    Connection(u64),
    /// On whichever connections of an edge, told from others by this.
    Named(u64),
}

/// Where an exchange works.
pub(super) fn place(flow: Flow, exchange: &Exchange) -> Place {
    exchange.unit.map_or(Place::Connection(flow.0), Place::Named)
}

/// See the module. Calls have the numbers that they have in [`Attribution`].
#[derive(Default)]
pub(super) struct Units {
    /// What is open where.
    open: HashMap<Place, Unit>,
    /// Where the server opens one unasked.
    unasked: HashSet<Place>,
    /// The calls that opened units whose ends are not decided yet.
    unended: Numbers<u64>,
    /// Tests that are over but for the end of a unit, by the call that opened it.
    held: ByNumber<u64, Vec<TestId>>,
}

struct Unit {
    opener: u64,
    /// When the last call in it began.
    latest: Moment,
}

/// The unit that a call ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) opener: u64,
    /// When the last call in it began, but for the one that ends it.
    latest: Moment,
}

impl Units {
    /// A call opens a unit on a connection. Gives the tests that waited for the end of another one there.
    pub(super) fn opens(&mut self, at: Place, opener: u64, latest: Moment) -> Vec<TestId> {
        // Those that have a number end with no connection: some may never be ended.
        let lost: Vec<Unit> = match self.open.len() < MOST {
            true => self.open.remove(&at).into_iter().collect(),
            false => self.open.drain().map(|(_, unit)| unit).collect(),
        };
        self.open.insert(at, Unit { opener, latest });
        self.unended.insert(opener);
        lost.into_iter().flat_map(|unit| self.free(unit.opener)).collect()
    }

    /// A call is made within whatever is open on a connection.
    pub(super) fn goes_on(&mut self, place: Place, at: Moment) {
        if let Some(unit) = self.open.get_mut(&place) {
            unit.latest = unit.latest.max(at);
        }
    }

    /// A call ends what is open on a connection.
    pub(super) fn ends(&mut self, at: Place) -> Option<Ended> {
        let Unit { opener, latest } = self.open.remove(&at)?;
        Some(Ended { opener, latest })
    }

    /// From now on the server opens one unasked, or no longer does, and has ended what was open. Gives the
    /// tests that waited for that.
    pub(super) fn opens_unasked(&mut self, at: Place, is_so: bool) -> Vec<TestId> {
        if is_so {
            self.unasked.insert(at);
            return Vec::new();
        }
        self.unasked.remove(&at);
        let open = self.open.remove(&at);
        open.map(|unit| self.free(unit.opener)).unwrap_or_default()
    }

    /// Whether a call opens one that only asks for something.
    pub(super) fn is_unasked(&self, at: Place) -> bool {
        self.unasked.contains(&at) && !self.open.contains_key(&at)
    }

    /// Nothing more comes on a connection. Gives the tests that waited for that.
    pub(super) fn closed(&mut self, connection: u64) -> Vec<TestId> {
        let connection = Place::Connection(connection);
        self.unasked.remove(&connection);
        let open = self.open.remove(&connection);
        open.map(|unit| self.free(unit.opener)).unwrap_or_default()
    }

    /// The end of a unit is decided, or will not come. Gives the tests that waited for that.
    pub(super) fn free(&mut self, opener: u64) -> Vec<TestId> {
        self.unended.remove(&opener);
        self.held.remove(&opener).unwrap_or_default()
    }
}

impl Attribution {
    /// Nothing more comes on a connection.
    pub(crate) fn closed(&mut self, connection: u64, out: &mut Vec<Finished>) {
        let freed = self.units.closed(connection);
        if !freed.is_empty() {
            self.settle(freed, out);
        }
    }

    /// From here on the server opens units on a connection unasked, or no longer.
    pub(crate) fn opens_unasked(&mut self, connection: u64, is_so: bool, out: &mut Vec<Finished>) {
        let freed = self.units.opens_unasked(Place::Connection(connection), is_so);
        if !freed.is_empty() {
            self.settle(freed, out);
        }
    }

    /// The test that opened the unit that a call ends, when nobody else used that connection since.
    pub(super) fn owner_of_unit(&self, number: u64) -> Option<TestId> {
        let call = self.calls.get(&number)?;
        let ended = call.ends.as_ref()?;
        let [one] = self.calls.get(&ended.opener)?.owners[..] else { return None };
        let over = match &self.tests.get(&one)?.seen {
            Some(seen) => seen.exchange.finished,
            None => return Some(one),
        };
        let is_in_time = call.started.0 <= over.0.saturating_add(AFTERMATH);
        (ended.latest <= over && is_in_time).then_some(one)
    }

    /// Whether a test waits for the end of a unit; it is noted as such.
    pub(super) fn waits_for_unit(&mut self, id: TestId) -> bool {
        let Some(test) = self.tests.get(&id) else { return false };
        let opener = test.calls.iter().find(|number| self.units.unended.contains(number));
        let Some(opener) = opener.copied() else { return false };
        self.units.held.entry(opener).or_default().push(id);
        true
    }

    /// Gives the tests that have waited for long enough; all of them at the end of time.
    pub(super) fn overdue(&mut self, now: Moment) -> Vec<TestId> {
        let over = |id: &TestId| {
            let seen = self.tests.get(id).and_then(|test| test.seen.as_ref());
            seen.is_none_or(|seen| seen.exchange.finished.0.saturating_add(AFTERMATH) < now.0)
        };
        let late =
            |(opener, tests): (&u64, &Vec<TestId>)| tests.iter().all(over).then_some(*opener);
        let late: Vec<u64> = self.units.held.iter().filter_map(late).collect();
        late.into_iter().flat_map(|opener| self.units.free(opener)).collect()
    }
}
