//! What one run of the app has used of a library, and the choice of the next mock.

mod spare;

use crate::spread::{SpreadMap, SpreadSet};
use crate::{Library, Place};
use rehearsal_model::{Difference, TestId};
use spare::Takers;
use std::collections::VecDeque;

/// How many candidates are compared field by field when no equal one is found. It bounds the cost
/// of a miss; equal ones are found by hash whatever their number.
const COMPARED: usize = 64;

/// How many calls of a test are looked at for those that are most akin to one that found no mock.
const RANKED: usize = 1024;

/// A call that wants an answer, in the same terms as [`crate::Entry`].
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The edge.
    pub edge: u32,
    /// The fingerprint of its identity.
    pub identity: u64,
    /// The fingerprint of the whole request in comparison form.
    pub values: u64,
    /// Whether it is a read.
    pub repeatable: bool,
    /// Whether a miss says nothing, so that no nearest mock is looked for.
    pub optional: bool,
    /// Whether its answer stands until another one is recorded, see [`Place::Ambient`]: that of this
    /// point of the timeline is given, any number of times.
    pub stands: bool,
}

/// Compares the call with mocks; the caller has the values and the rules of noise.
pub trait Judge {
    /// Where the call differs from a mock, noise left out.
    fn differences(&self, mock: u32) -> Vec<Difference>;

    /// Whether a mock is a call that was never answered.
    fn is_silent(&self, _mock: u32) -> bool {
        false
    }

    /// Whether a mock is a call of the current test that has another above it which has not come. Where
    /// tests overlap, the call is rather that of a test whose turn it is.
    fn is_early(&self, _mock: u32) -> bool {
        false
    }

    /// Whether the call is what a mock of another identity answers, but for names that the app invents:
    /// a path or a key that holds one. Only asked when nothing else answers.
    fn is_renamed(&self, _mock: u32) -> bool {
        false
    }

    /// How much the call and a mock have to do with each other. Only asked after a miss.
    fn kinship(&self, _mock: u32) -> Kinship {
        Kinship::Edge
    }
}

/// How much two requests have to do with each other, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kinship {
    /// They go to the same edge.
    Edge,
    /// They are about the same: a table, a key, a path.
    Subject,
    /// They are the same operation on the same.
    Operation,
}

/// Which mock answers, or why none does.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// What was decided.
    pub verdict: Verdict,
    /// Whether the call was beyond what the test recorded: it asked again what it had asked as
    /// often as recorded.
    pub extra: bool,
}

/// The decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// This mock answers.
    Mock(u32),
    /// None does. The nearest candidate with its differences: one of the same identity, else a call of
    /// the test on the same edge, by [`Kinship`].
    Miss(Option<(u32, Vec<Difference>)>),
}

/// What one run of the app has used.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    turn: Turn,
    /// Shared and ambient mocks that were used in the whole run.
    spent: SpreadSet<u32>,
    /// Of equal ambient mocks, by edge and values, how many of the first were used.
    used_up: SpreadMap<(u32, u64), usize>,
    takers: Takers,
}

/// What one test may use and has used. That of the current one is on the desk; those of others that are
/// under way beside it are kept by the caller, see [`Desk::exchange`].
#[derive(Clone, Debug, Default)]
pub struct Turn {
    test: TestId,
    /// What the test may use once: its own calls, then those it shares.
    open: Open,
    /// Mocks of the test in the order in which they were used.
    used: Vec<u32>,
    /// Edge and values of what the test has asked, and of what answered.
    asked: SpreadSet<(u32, u64)>,
}

/// What the current test has to do with a call, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It makes no such calls.
    Nothing,
    /// It has asked the same already, or shares calls of the same operation that were not made yet.
    Kin,
    /// It has a call of the same operation that was not made yet, which differs in so many places, told as
    /// the distance from a great number.
    Near(usize),
    /// It has one that is the same, or but for what the app invents, and others to make before it.
    Early,
    /// It has one that is the same but for what the app invents.
    Renamed,
    /// It has one that is the same, or shares one.
    Open,
}

/// Mocks that may be used once, by hash.
#[derive(Clone, Debug, Default)]
struct Open {
    /// By edge and fingerprint of the whole request.
    equal: SpreadMap<(u32, u64), VecDeque<u32>>,
    /// By edge and identity.
    same: SpreadMap<(u32, u64), VecDeque<u32>>,
}

impl Desk {
    /// Begins a test. Before the first one, the current test is 0: start-up.
    pub fn begin(&mut self, library: &Library, test: TestId) {
        let shared = library.shared.get(&test).into_iter().flatten();
        let unspent = shared.filter(|mock| !self.spent.contains(mock));
        let mut open = Open::default();
        for mock in library.calls(test).iter().chain(unspent).copied() {
            let entry = library.entry(mock);
            open.equal.entry((entry.edge, entry.values)).or_default().push_back(mock);
            open.same.entry((entry.edge, entry.identity)).or_default().push_back(mock);
        }
        self.turn = Turn { test, open, ..Turn::default() };
    }

    /// Puts the turn of another test on the desk, and gives that which was there.
    pub fn exchange(&mut self, turn: &mut Turn) {
        std::mem::swap(&mut self.turn, turn);
    }

    /// What the current test has to do with a call. Nothing is used up. `is_left` says of its own calls, by
    /// their places, whether they have not come, not even as one that differs.
    pub fn claim(
        &self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        is_left: impl Fn(u32) -> bool,
    ) -> Claim {
        let mut nearest = Nearest::default();
        if let Some(mock) = self.unused(asked, judge, &mut nearest) {
            return if judge.is_early(mock) { Claim::Early } else { Claim::Open };
        }
        if let Some(mock) = self.renamed(library, asked, judge) {
            return if judge.is_early(mock) { Claim::Early } else { Claim::Renamed };
        }
        let own = library.calls_of(self.turn.test, asked.edge, asked.identity);
        let left = own.filter(|mock| match library.entry(*mock).place {
            Place::Call { index, .. } => !self.turn.used.contains(mock) && is_left(index),
            Place::Ambient { .. } | Place::Shared { .. } => false,
        });
        let left = left.take(COMPARED);
        if let Some(least) = left.map(|mock| judge.differences(mock).len()).min() {
            return Claim::Near(usize::MAX - least);
        }
        let same = self.turn.open.same.get(&(asked.edge, asked.identity));
        let shared = |mock: &u32| matches!(library.entry(*mock).place, Place::Shared { .. });
        let mut shared = same.into_iter().flatten().filter(|mock| shared(mock));
        let shares = shared.any(|mock| !self.spent.contains(mock));
        let is_kin = shares || self.turn.asked.contains(&(asked.edge, asked.values));
        if is_kin { Claim::Kin } else { Claim::Nothing }
    }

    /// Whether a call is one that the app also makes outside of tests.
    pub fn is_ambient(&self, library: &Library, asked: Asked, judge: &dyn Judge) -> bool {
        let list = library.ambient(asked.edge, asked.identity).iter().take(COMPARED);
        list.copied().any(|mock| judge.differences(mock).is_empty())
    }

    /// The places of the current test's own calls that were used, in the order of their use.
    pub fn used_calls(&self, library: &Library) -> Vec<u32> {
        let index = |mock: &u32| match library.entry(*mock).place {
            Place::Call { index, .. } => Some(index),
            _ => None,
        };
        self.turn.used.iter().filter_map(index).collect()
    }

    /// The current test's own calls on an edge that were not used, in order.
    #[must_use]
    pub fn unused_calls(&self, library: &Library, edge: u32) -> Vec<u32> {
        let own = library.calls(self.turn.test).iter().copied();
        own.filter(|mock| library.entry(*mock).edge == edge && !self.turn.used.contains(mock))
            .collect()
    }

    /// The current test's own call at a place.
    #[must_use]
    pub fn call_at(&self, library: &Library, place: u32) -> Option<u32> {
        let is_it = |mock: &u32| match library.entry(*mock).place {
            Place::Call { index, .. } => index == place,
            Place::Ambient { .. } | Place::Shared { .. } => false,
        };
        library.calls(self.turn.test).iter().copied().find(is_it)
    }

    /// How many of the current test's own calls were used.
    fn calls(&self, library: &Library) -> u32 {
        let own = |mock: &&u32| matches!(library.entry(**mock).place, Place::Call { .. });
        u32::try_from(self.turn.used.iter().filter(own).count()).unwrap_or(u32::MAX)
    }

    /// Whether a shared mock was used in this run.
    #[must_use]
    pub fn is_spent(&self, mock: u32) -> bool {
        self.spent.contains(&mock)
    }

    /// Picks the mock for a call that one of these tests made, of which the current one is the likeliest,
    /// and marks it as used.
    ///
    /// In this order: an unused call of the current test with equal values, then one that is equal
    /// but for noise; a mock that the test shares with others, then one that is left over, see
    /// [`Desk::spare`]; an ambient mock; for a read, the latest answer before this point of the
    /// timeline; else a miss.
    pub fn pick(
        &mut self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        by: &[TestId],
    ) -> Pick {
        let asked_before = !self.turn.asked.insert((asked.edge, asked.values));
        let mut nearest = Nearest::default();
        let spare = || self.spare(library, asked, judge, by).map(|(_, mock)| mock);
        let unused = self.unused(asked, judge, &mut nearest);
        let due = unused.filter(|mock| !judge.is_early(*mock));
        if let Some(mock) = due.or_else(spare).or(unused) {
            self.take(library, mock, by);
            return Pick { verdict: Verdict::Mock(mock), extra: false };
        }
        if let Some(mock) = self.ambient(library, asked, judge, &mut nearest) {
            self.spent.insert(mock);
            return Pick { verdict: Verdict::Mock(mock), extra: false };
        }
        if asked.repeatable
            && let Some(mock) = self.latest(library, asked, judge)
        {
            return Pick { verdict: Verdict::Mock(mock), extra: asked_before };
        }
        if !asked.optional
            && let Some(mock) = self.renamed(library, asked, judge)
        {
            self.take(library, mock, by);
            return Pick { verdict: Verdict::Mock(mock), extra: false };
        }
        if nearest.0.is_none() && !asked.optional {
            self.compare_with_others(library, asked, judge, &mut nearest);
        }
        Pick { verdict: Verdict::Miss(nearest.0), extra: asked_before }
    }

    /// Finds the mock for a call that waits until there is one: an open one of the current test that
    /// is due, or an ambient one that was not used and whose time has come. Answers of the past are
    /// not given again.
    pub fn find_due(
        &self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        is_due: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let equal = self.turn.open.equal.get(&(asked.edge, asked.values));
        let same = self.turn.open.same.get(&(asked.edge, asked.identity));
        let ambient = library.ambient(asked.edge, asked.identity);
        let is_due = |mock: &u32| match library.entry(*mock).place {
            Place::Call { index, .. } => is_due(index),
            Place::Shared { .. } => !self.spent.contains(mock),
            Place::Ambient { after, .. } => {
                !self.spent.contains(mock) && (after < self.turn.test || after == TestId(0))
            }
        };
        let open = equal.into_iter().flatten().chain(same.into_iter().flatten()).copied();
        let mut due = open.chain(ambient.iter().copied()).filter(is_due);
        due.by_ref().take(COMPARED).find(|mock| judge.differences(*mock).is_empty())
    }

    /// The ambient mock for a call of which only the beginning has come, where none is due: as of calls
    /// that are whole, unused ones answer in recorded order, then the last again and again.
    pub fn find_again(&self, library: &Library, asked: Asked, judge: &dyn Judge) -> Option<u32> {
        let list = library.ambient(asked.edge, asked.identity);
        let (used, unused): (Vec<u32>, Vec<u32>) =
            list.iter().copied().partition(|mock| self.spent.contains(mock));
        let mut candidates = unused.into_iter().chain(used.into_iter().rev()).take(COMPARED);
        candidates.find(|mock| judge.differences(*mock).is_empty())
    }

    /// The first unused call of the test on the same edge whose identity is the same but for what the
    /// app invents.
    fn renamed(&self, library: &Library, asked: Asked, judge: &dyn Judge) -> Option<u32> {
        let own = library.calls(self.turn.test).iter().copied();
        let on_edge = own.filter(|mock| {
            let entry = library.entry(*mock);
            entry.edge == asked.edge && entry.identity != asked.identity
        });
        let mut left = on_edge.filter(|mock| !self.turn.used.contains(mock)).take(COMPARED);
        left.find(|mock| judge.is_renamed(*mock))
    }

    /// Marks what [`Desk::find_due`] found as used by a call of one of these tests.
    pub fn use_due(&mut self, library: &Library, mock: u32, by: &[TestId]) {
        match library.entry(mock).place {
            Place::Ambient { .. } => _ = self.spent.insert(mock),
            Place::Call { .. } | Place::Shared { .. } => self.take(library, mock, by),
        }
    }

    /// Looks for the nearest among the test's calls on the same edge, whatever their identity: only to
    /// say what was expected, never to serve it.
    ///
    /// What does the same on the same table comes before what only is left, even if it was used: a
    /// statement that was changed is to be shown beside what it was, not beside another table's.
    fn compare_with_others(
        &self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        nearest: &mut Nearest,
    ) {
        let used: SpreadSet<u32> = self.turn.used.iter().copied().collect();
        let own = library.calls(self.turn.test).iter().copied();
        let own = own.filter(|mock| library.entry(*mock).edge == asked.edge).take(RANKED);
        let ranked = own.filter_map(|mock| {
            let (kinship, is_left) = (judge.kinship(mock), !used.contains(&mock));
            let counts = is_left || kinship == Kinship::Operation;
            counts.then_some(((kinship, is_left), mock))
        });
        let ranked: Vec<_> = ranked.collect();
        let Some(best) = ranked.iter().map(|(rank, _)| *rank).max() else { return };
        let best = ranked.into_iter().filter(|(rank, _)| *rank == best).map(|(_, mock)| mock);
        best.take(COMPARED).for_each(|mock| nearest.consider(mock, judge.differences(mock)));
    }

    /// The first open mock that is equal, else the first that is equal but for noise. One that is early
    /// is taken only if there is no other.
    fn unused(&self, asked: Asked, judge: &dyn Judge, nearest: &mut Nearest) -> Option<u32> {
        let equal = self.turn.open.equal.get(&(asked.edge, asked.values));
        let same = self.turn.open.same.get(&(asked.edge, asked.identity));
        // Of what it shares, tests beside it may have used some.
        let is_left = |mock: &u32| !self.spent.contains(mock);
        let equal = equal.into_iter().flatten().copied().filter(is_left).take(COMPARED);
        let same = same.into_iter().flatten().copied().filter(is_left);
        let is_equal = |mock: &u32| judge.differences(*mock).is_empty();
        let first = equal.clone().find(is_equal);
        let first = first.or_else(|| nearest.first_without_difference(same.clone(), judge));
        if !first.is_some_and(|mock| judge.is_early(mock)) {
            return first;
        }
        let mut others = equal.chain(same.take(COMPARED));
        others.find(|mock| !judge.is_early(*mock) && is_equal(mock)).or(first)
    }

    /// Marks a mock as used by the current test, or by another of these.
    fn take(&mut self, library: &Library, mock: u32, by: &[TestId]) {
        let entry = library.entry(mock);
        if let Some(equal) = self.turn.open.equal.get_mut(&(entry.edge, entry.values))
            && let Some(place) = equal.iter().position(|other| *other == mock)
        {
            equal.remove(place);
        }
        if let Some(same) = self.turn.open.same.get_mut(&(entry.edge, entry.identity))
            && let Some(place) = same.iter().position(|other| *other == mock)
        {
            same.remove(place);
        }
        self.turn.used.push(mock);
        self.turn.asked.insert((entry.edge, entry.values));
        let is_shared = matches!(entry.place, Place::Shared { .. });
        if is_shared {
            self.spent.insert(mock);
        }
        if is_shared || by.len() > 1 {
            self.takers.note(mock, by);
        }
    }

    /// Ambient mocks answer in recorded order, and the last one again and again: how often a
    /// heartbeat beats says nothing about a test.
    fn ambient(
        &mut self,
        library: &Library,
        asked: Asked,
        judge: &dyn Judge,
        nearest: &mut Nearest,
    ) -> Option<u32> {
        let equal = match asked.stands {
            true => self.standing(library, asked, judge),
            false => self.next_equal(library, asked, judge),
        };
        if equal.is_some() {
            return equal;
        }
        // Unused ones first: those that were used may be more than are compared.
        let list = library.ambient(asked.edge, asked.identity);
        let (used, unused): (Vec<u32>, Vec<u32>) =
            list.iter().copied().partition(|mock| self.spent.contains(mock));
        nearest.first_without_difference(unused.into_iter().chain(used.into_iter().rev()), judge)
    }

    /// Of equal ambient mocks whose answer stands, the one that holds at this point of the timeline.
    fn standing(&self, library: &Library, asked: Asked, judge: &dyn Judge) -> Option<u32> {
        let equal = library.equal_ambient(asked.edge, asked.values).iter().copied();
        let mut equal = equal.filter(|mock| judge.differences(*mock).is_empty());
        let first = equal.next()?;
        let now = (self.turn.test, self.calls(library));
        let holds = |mock: &u32| match library.entry(*mock).place {
            Place::Ambient { after, calls, .. } => (after, calls) <= now,
            Place::Call { .. } | Place::Shared { .. } => false,
        };
        Some(equal.take(COMPARED).take_while(holds).last().unwrap_or(first))
    }

    /// Of equal ambient mocks, the first that was not used, else the last that was answered. What is asked
    /// again and again costs the same each time.
    fn next_equal(&mut self, library: &Library, asked: Asked, judge: &dyn Judge) -> Option<u32> {
        let key = (asked.edge, asked.values);
        let list = library.equal_ambient(key.0, key.1);
        if list.is_empty() {
            return None;
        }
        let list = &list[..list.len().min(COMPARED)];
        // One that was under way when the recording ended says nothing about those that came after it.
        let list = match list {
            [others @ .., last] if !others.is_empty() && judge.is_silent(*last) => others,
            list => list,
        };
        // Of most there is one only, which needs no memory of its own.
        let mut none = 0;
        let used = if list.len() > 1 { self.used_up.entry(key).or_default() } else { &mut none };
        while list.get(*used).is_some_and(|mock| self.spent.contains(mock)) {
            *used += 1;
        }
        let is_equal = |mock: &u32| judge.differences(*mock).is_empty();
        let mut unused = list[*used..].iter().filter(|mock| !self.spent.contains(mock));
        let unused = unused.find(|mock| is_equal(mock));
        let last = |mock: &&u32| is_equal(mock) && !judge.is_silent(**mock);
        let last = || list.iter().rfind(last).or_else(|| list.iter().rfind(|mock| is_equal(mock)));
        unused.or_else(last).copied()
    }

    /// The latest recorded answer to an equal read that lies before this point of the timeline.
    fn latest(&self, library: &Library, asked: Asked, judge: &dyn Judge) -> Option<u32> {
        let list = library.equal(asked.edge, asked.values);
        let before = list
            .iter()
            .rev()
            .filter(|mock| library.time(**mock).is_none_or(|time| time <= self.turn.test))
            .take(COMPARED);
        before.copied().find(|mock| judge.differences(*mock).is_empty())
    }
}

/// The candidate with the fewest differences so far.
#[derive(Default)]
struct Nearest(Option<(u32, Vec<Difference>)>);

impl Nearest {
    fn first_without_difference(
        &mut self,
        candidates: impl Iterator<Item = u32>,
        judge: &dyn Judge,
    ) -> Option<u32> {
        for mock in candidates.take(COMPARED) {
            let differences = judge.differences(mock);
            if differences.is_empty() {
                return Some(mock);
            }
            self.consider(mock, differences);
        }
        None
    }

    fn consider(&mut self, mock: u32, differences: Vec<Difference>) {
        if self.0.as_ref().is_none_or(|(_, best)| differences.len() < best.len()) {
            self.0 = Some((mock, differences));
        }
    }
}

#[cfg(test)]
mod tests;
