//! Units of work, such as transactions: what ends one belongs to the test that opened it.
//!
//! An app may answer first and end the unit then. What comes so late that the next test has begun is none of
//! that one's calls: it neither uses them up nor is it unexpected. That it was missing is found of the test
//! that opened the unit.

use super::meaning::Meaning;
use super::whose::Makers;
use super::{On, Stage, live_answer};
use crate::shelf::EdgeNumber;
use rehearsal_model::{TestId, Value};
use rehearsal_proxy::ConnectionId;
use rehearsal_wire::{Answer, Bracket, Miss};
use std::collections::{HashMap, HashSet};

/// Units that may be open at once; when there are more, all are forgotten.
const MOST: usize = 4096;

/// Where a unit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Connection(ConnectionId),
    /// On an edge, on whichever connections, told from others by this.
    Named(EdgeNumber, u64),
}

/// Who opened a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opener {
    pub(super) test: TestId,
    /// Whether it is known. Else what opened the unit may as well have been another's: what comes next in
    /// it tells.
    pub(super) is_sure: bool,
}

/// What is open where, and since which test.
#[derive(Default)]
pub(super) struct Units {
    open: HashMap<Key, Opener>,
    /// Where the server opens one unasked.
    unasked: HashSet<Key>,
    /// Within which unit a question is asked that is to come next.
    next: Option<(On, Key)>,
}

impl Units {
    /// The test that opened the unit within which a question is asked.
    pub(super) fn opener(&self, on: On) -> Option<Opener> {
        self.open.get(&self.place(on)).copied()
    }

    /// Notes that the unit within which a question is asked was rather opened by this test.
    pub(super) fn correct(&mut self, on: On, test: TestId) {
        let key = self.place(on);
        self.open.entry(key).and_modify(|opener| opener.test = test);
    }

    /// Where a question works.
    fn place(&self, on: On) -> Key {
        match &self.next {
            Some((asked, key)) if *asked == on => *key,
            _ => Key::Connection(on.0),
        }
    }

    /// The same, when it is looked at for the last time.
    fn key(&mut self, on: On) -> Key {
        let key = self.place(on);
        self.next = None;
        key
    }

    /// From here on the server opens units there unasked, or it no longer does and has ended what was open.
    fn opens_unasked(&mut self, on: Key, is_so: bool) {
        if is_so {
            self.unasked.insert(on);
        } else {
            self.unasked.remove(&on);
            self.open.remove(&on);
        }
    }

    /// The earlier test whose unit a call ends, if it does; `by` is the test that is going on, and
    /// `sets_up` says of a call that does nothing else whether it is a part of no unit.
    fn ended(
        &mut self,
        on: Key,
        (bracket, sets_up): (Option<Bracket>, bool),
        by: Opener,
    ) -> Option<TestId> {
        let current = by.test;
        match bracket {
            Some(Bracket::Opens) => {
                if self.open.len() >= MOST {
                    self.open.clear();
                }
                self.open.insert(on, by);
            }
            Some(Bracket::Ends) => {
                let opened = self.open.remove(&on).map(|opener| opener.test);
                return opened.filter(|opened| *opened != current);
            }
            Some(Bracket::Unasked(is_so)) => self.opens_unasked(on, is_so),
            None if sets_up => {}
            // Another test goes on with it, and is to end it.
            None if self.unasked.contains(&on) => _ = self.open.insert(on, by),
            None if self.open.get(&on).is_some_and(|opener| opener.test != current) => {
                self.open.remove(&on);
            }
            None => {}
        }
        None
    }
}

impl Stage {
    /// Notes within which unit of an edge a question is asked that comes next.
    pub(crate) fn works_within(&self, on: On, edge: EdgeNumber, unit: u64) {
        self.state().units.next = Some((on, Key::Named(edge, unit)));
    }

    /// Notes that the server opens units on a connection unasked from here on, or no longer.
    pub(crate) fn opens_unasked(&self, connection: ConnectionId, is_so: bool) {
        self.state().units.opens_unasked(Key::Connection(connection), is_so);
    }

    /// The answer to a call that ends what an earlier test had opened, where that one's end is recorded.
    pub(super) fn ends_late(&self, on: On, meaning: &Meaning, makers: &Makers) -> Option<Answer> {
        let by = Opener { test: makers.first, is_sure: makers.all.len() == 1 };
        let asked = &meaning.asked;
        let facets = self.shelf.edges[asked.edge as usize].protocol().facets();
        let bracket = facets.bracket(&meaning.request);
        let mut state = self.of(by.test);
        let key = state.units.key(on);
        let sets_up = bracket.is_none() && facets.sets_up(&meaning.request);
        let opened = state.units.ended(key, (bracket, sets_up), by)?;
        let library = &self.shelf.library;
        let mut ends = library.calls_of(opened, asked.edge, asked.identity).peekable();
        ends.peek()?;
        let equal = ends.find(|mock| library.entry(*mock).values == asked.values);
        let missed = || Answer::Miss(Miss { message: String::new(), details: Value::Null });
        Some(equal.map_or_else(missed, |mock| live_answer(&self.shelf, mock, &mut state.renaming)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::ExchangeId;

    const HERE: Key = Key::Connection(ConnectionId(1));
    const THERE: Key = Key::Connection(ConnectionId(2));

    fn sure(test: u32) -> Opener {
        Opener { test: TestId(test), is_sure: true }
    }

    #[test]
    fn only_what_an_earlier_test_opened_and_left_open_is_ended_late() {
        let (one, two) = (sure(1), sure(2));
        let (opens, ends) = ((Some(Bracket::Opens), false), (Some(Bracket::Ends), false));
        let (plain, sets_up) = ((None, false), (None, true));
        let mut units = Units::default();
        assert_eq!(units.ended(HERE, opens, one), None);
        assert_eq!(units.ended(HERE, ends, one), None);
        assert_eq!(units.ended(HERE, opens, one), None);
        assert_eq!(units.ended(HERE, plain, one), None);
        assert_eq!(units.ended(THERE, ends, two), None);
        assert_eq!(units.ended(HERE, sets_up, two), None);
        assert_eq!(units.ended(HERE, ends, two), Some(one.test));
        assert_eq!(units.ended(HERE, ends, two), None);
        assert_eq!(units.ended(HERE, opens, one), None);
        assert_eq!(units.ended(HERE, plain, two), None);
        assert_eq!(units.ended(HERE, ends, two), None);
    }

    #[test]
    fn where_units_are_opened_unasked_whoever_asks_for_something_opens_one() {
        let (one, two, three) = (sure(1), sure(2), sure(3));
        let (plain, ends) = ((None, false), (Some(Bracket::Ends), false));
        let unasked = |is| (Some(Bracket::Unasked(is)), true);
        let mut units = Units::default();
        assert_eq!(units.ended(HERE, plain, one), None);
        assert_eq!(units.ended(HERE, ends, two), None);
        assert_eq!(units.ended(HERE, unasked(true), one), None);
        assert_eq!(units.ended(HERE, (None, true), one), None);
        assert_eq!(units.ended(HERE, ends, two), None);
        assert_eq!(units.ended(HERE, plain, one), None);
        assert_eq!(units.ended(HERE, ends, two), Some(one.test));
        assert_eq!(units.ended(HERE, plain, one), None);
        assert_eq!(units.ended(HERE, plain, two), None);
        assert_eq!(units.ended(HERE, ends, three), Some(two.test));
        assert_eq!(units.ended(HERE, plain, one), None);
        assert_eq!(units.ended(HERE, unasked(false), one), None);
        assert_eq!(units.ended(HERE, ends, two), None);
    }
    #[test]
    fn a_unit_is_anothers_once_a_call_within_it_says_so() {
        let on = (ConnectionId(1), ExchangeId(0));
        let (supposed, two) = (Opener { is_sure: false, ..sure(1) }, TestId(2));
        let mut units = Units::default();
        assert_eq!(units.ended(HERE, (Some(Bracket::Opens), false), supposed), None);
        assert_eq!(units.opener(on), Some(supposed));
        units.correct(on, two);
        assert_eq!(units.opener(on), Some(Opener { test: two, ..supposed }));
        // Whoever ends it ends that test's.
        assert_eq!(units.ended(HERE, (Some(Bracket::Ends), false), sure(1)), Some(two));
        assert_eq!(units.opener(on), None);
        units.correct(on, two);
        assert_eq!(units.opener(on), None, "nothing is open there");
    }
}
