//! Which of a test's own calls have come, and in what order.

use rehearsal_model::{Call, EdgeName, Map, TestCase};

/// The calls of the current test, by their place in it from 0.
#[derive(Debug, Default)]
pub(crate) struct OwnCalls {
    /// Of each call, the first of the parallel group that it is in.
    groups: Vec<usize>,
    has_come: Vec<bool>,
    /// Those that come by themselves, when something happens.
    awaited: Vec<bool>,
    /// Every call above this one has come.
    first_missing: usize,
    /// Every call above this one has come, or was waited for in vain.
    first_awaited: usize,
    /// In the order in which they came.
    came: Vec<usize>,
    /// Those that were answered though one above their group had not come.
    early: Vec<usize>,
}

impl OwnCalls {
    /// Those for which `unseen` holds are not waited for: they go to where nobody of ours sees them, or to
    /// where nobody listens.
    /// Nor are those for which `polled` holds, by their place: the app makes them all the while, and it
    /// was chance that one fell into the test.
    /// `awaited` holds for those that the app does not cause at that moment: it waits for them.
    pub(crate) fn of(
        test: &TestCase,
        unseen: impl Fn(&EdgeName) -> bool,
        polled: impl Fn(usize) -> bool,
        awaited: impl Fn(&EdgeName, &Map) -> bool,
    ) -> Self {
        let mut calls = Self::new(test.calls.iter().map(|call| call.parallel));
        let each = test.calls.iter();
        calls.awaited = each.map(|call| awaited(&call.edge, &call.exchange.request)).collect();
        let needless = |(place, call): (usize, &Call)| {
            unseen(&call.edge) || polled(place) || is_spare(test, call)
        };
        calls.without(test.calls.iter().enumerate().map(needless))
    }

    fn new(parallel: impl Iterator<Item = bool>) -> Self {
        let mut groups: Vec<usize> = Vec::new();
        for (index, parallel) in parallel.enumerate() {
            let with_the_one_above = groups.last().copied().filter(|_| parallel);
            groups.push(with_the_one_above.unwrap_or(index));
        }
        OwnCalls { has_come: vec![false; groups.len()], groups, ..OwnCalls::default() }
    }

    /// Takes those as come, in no order, that are not to be waited for.
    fn without(mut self, unseen: impl Iterator<Item = bool>) -> Self {
        self.has_come = unseen.collect();
        self.advance();
        self
    }

    /// How many calls the test has.
    pub(crate) fn count(&self) -> usize {
        self.groups.len()
    }

    /// Notes that a call came.
    pub(crate) fn came(&mut self, index: u32) {
        let index = index as usize;
        if let Some(has_come @ false) = self.has_come.get_mut(index) {
            *has_come = true;
            self.came.push(index);
        }
        self.advance();
    }

    fn advance(&mut self) {
        for first in [&mut self.first_missing, &mut self.first_awaited] {
            while self.has_come.get(*first) == Some(&true) {
                *first += 1;
            }
        }
    }

    /// Notes that a call was answered though one above it had not come. What was waited for in vain is
    /// not waited for again: the calls behind a missing one would each take that long.
    pub(crate) fn answered_early(&mut self, index: u32) {
        self.early.push(index as usize);
        let group = self.groups.get(index as usize).copied();
        self.first_awaited = self.first_awaited.max(group.unwrap_or_default());
        self.advance();
    }

    /// Whether a call has one above it, outside of its own parallel group, that may yet come.
    pub(crate) fn is_early(&self, index: u32) -> bool {
        self.groups.get(index as usize).is_some_and(|group| self.first_awaited < *group)
    }

    /// The calls above one, outside of its own parallel group, that have not come.
    pub(crate) fn missing_above(&self, index: u32) -> Vec<u32> {
        let group = self.groups.get(index as usize).copied().unwrap_or_default();
        let missing = self.missing().take_while(|place| *place < group);
        missing.filter_map(|place| u32::try_from(place).ok()).collect()
    }

    /// Notes that a call which came was none of this test.
    pub(crate) fn did_not_come(&mut self, index: u32) {
        let index = index as usize;
        // What is not waited for stays as it is.
        if self.came.contains(&index) {
            self.has_come[index] = false;
            self.came.retain(|other| *other != index);
            self.early.retain(|other| *other != index);
            self.first_missing = self.first_missing.min(index);
            self.first_awaited = self.first_awaited.min(index);
        }
    }

    /// Whether a call beside this one, which may be the cause of it, has not come.
    pub(crate) fn has_cause_to_come(&self, index: u32) -> bool {
        let Some(group) = self.groups.get(index as usize) else { return false };
        let beside =
            (*group..).zip(&self.groups[*group..]).take_while(|(_, other)| *other == group);
        let awaited = |place| self.awaited.get(place) == Some(&true);
        beside.into_iter().any(|(place, _)| !self.has_come[place] && !awaited(place))
    }

    pub(crate) fn is_missing(&self, index: u32) -> bool {
        self.has_come.get(index as usize) == Some(&false)
    }

    pub(crate) fn none_came(&self) -> bool {
        self.came.is_empty()
    }

    pub(crate) fn all_came(&self) -> bool {
        self.first_missing == self.has_come.len()
    }

    /// Those that have come, by their places.
    pub(crate) fn all_that_came(&self) -> &[usize] {
        &self.came
    }

    /// Those that have not come.
    pub(crate) fn missing(&self) -> impl Iterator<Item = usize> {
        self.has_come.iter().enumerate().filter(|(_, has_come)| !**has_come).map(|(index, _)| index)
    }

    /// The first of the early calls after whose answer a call came that the recording has above it,
    /// with that one.
    pub(crate) fn overtaken(&self) -> Option<(usize, usize)> {
        self.early.iter().find_map(|early| {
            let after = self.came.iter().skip_while(|index| *index != early);
            let above = after.copied().find(|index| *index < self.groups[*early])?;
            Some((*early, above))
        })
    }
}

/// Whether a call is an attempt to connect that failed, to a party that was reached in the same test all
/// the same: by another of its addresses, or the next time. An app whose connections still stand when
/// it is tested need not make it.
fn is_spare(test: &TestCase, call: &Call) -> bool {
    let reached = |other: &Call| other.edge == call.edge && !other.exchange.request.is_empty();
    call.exchange.request.is_empty() && test.calls.iter().any(reached)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Exchange, TestId, Timestamp};

    fn calls(parallel: &[bool], came: &[u32], early: &[u32]) -> OwnCalls {
        let mut calls = OwnCalls::new(parallel.iter().copied());
        came.iter().for_each(|index| calls.came(*index));
        early.iter().for_each(|index| calls.answered_early(*index));
        calls
    }

    #[test]
    fn a_call_that_turns_out_to_be_of_another_test_is_to_come_again() {
        let mut calls = calls(&[false, false, true, false], &[0, 1], &[]);
        assert_eq!(calls.missing_above(3), [2]);
        assert!(calls.missing_above(2).is_empty(), "it is in the same parallel group");
        calls.did_not_come(0);
        assert_eq!(calls.missing_above(3), [0, 2]);
        assert!(calls.is_missing(0) && calls.is_early(1) && !calls.is_early(0));
        assert_eq!(calls.all_that_came(), [1]);
        calls.came(0);
        calls.came(2);
        assert!(!calls.is_early(3));
    }

    #[test]
    fn an_early_call_is_wrong_when_one_above_it_came_after_its_answer() {
        let sequential = [false; 3];
        assert_eq!(calls(&sequential, &[0, 2, 1], &[]).overtaken(), None);
        assert_eq!(calls(&sequential, &[0, 2, 1], &[2]).overtaken(), Some((2, 1)));
        // The one above it never came: that is another finding.
        assert_eq!(calls(&sequential, &[0, 2], &[2]).overtaken(), None);
        let last_two_parallel = [false, false, true];
        assert_eq!(calls(&last_two_parallel, &[0, 2, 1], &[2]).overtaken(), None);
        assert_eq!(calls(&last_two_parallel, &[2, 0, 1], &[2]).overtaken(), Some((2, 0)));
    }

    #[test]
    fn a_missing_call_is_waited_for_once() {
        let calls = calls(&[false; 5], &[0, 2], &[2]);
        assert!(!calls.is_early(2) && !calls.is_early(3), "the second one was waited for");
        assert!(calls.is_early(4), "the fourth one was not");
        assert!(!calls.all_came() && calls.is_missing(1));
    }

    #[test]
    fn calls_that_nobody_sees_are_not_waited_for() {
        let seen = || OwnCalls::new([false; 3].into_iter());
        let mut calls = seen().without([true, false, true].into_iter());
        assert!(!calls.is_early(1) && !calls.all_came());
        assert_eq!(calls.missing().collect::<Vec<_>>(), [1]);
        calls.came(1);
        assert!(calls.all_came());
        assert_eq!(calls.overtaken(), None);
        assert!(seen().without([true; 3].into_iter()).all_came());
    }

    #[test]
    fn a_connect_that_failed_is_not_waited_for_where_its_party_was_reached() {
        let call = |edge: &str, asked: &str| {
            let request = Map::from([("http", asked)]);
            let request = if asked.is_empty() { Map::new() } else { request };
            let exchange = Exchange { request, ..Exchange::default() };
            Call { edge: EdgeName::new(edge), exchange, parallel: false }
        };
        let test = TestCase {
            id: TestId(1),
            name: "GET /".to_owned(),
            at: Timestamp(0),
            edge: EdgeName::new("inbound"),
            exchange: Exchange::default(),
            calls: vec![call("db", ""), call("db", "GET /a"), call("mail", "")],
            noise: Vec::new(),
            during: Vec::new(),
        };
        let calls = OwnCalls::of(&test, |_| false, |_| false, |_, _| false);
        assert_eq!(calls.missing().collect::<Vec<_>>(), [1, 2]);
        let calls = OwnCalls::of(&test, |_| false, |place| place == 1, |_, _| false);
        assert_eq!(calls.missing().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_comes_by_itself_follows_what_may_have_caused_it() {
        let mut calls = OwnCalls::new([false, false, true, true].into_iter());
        calls.awaited = vec![false, false, true, true];
        assert!(calls.has_cause_to_come(2));
        calls.came(1);
        assert!(!calls.has_cause_to_come(2) && !calls.has_cause_to_come(9));
    }

    #[test]
    fn a_call_is_early_while_one_above_its_group_is_missing() {
        let parallel = [false, false, true];
        assert!(calls(&parallel, &[], &[]).is_early(1));
        assert!(!calls(&parallel, &[], &[]).is_early(0));
        assert!(!calls(&parallel, &[0], &[]).is_early(2));
        assert!(calls(&parallel, &[1, 2], &[]).is_early(2));
        let calls = calls(&parallel, &[2, 0], &[]);
        assert_eq!(calls.missing().collect::<Vec<_>>(), [1]);
        assert!(!calls.all_came() && calls.is_missing(1) && !calls.is_missing(7));
    }
}
