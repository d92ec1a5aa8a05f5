//! Which calls belong to which test.
//!
//! A call belongs to the inbound exchange within whose time window it began. Where windows overlap,
//! an identifier that the app carries along (a trace or request id) decides; where none does, the
//! call is shared by the overlapping tests. A call outside every window is ambient.
//!
//! Bytes are forwarded before they are understood, so what is told may come in another order than it
//! happened: the app may call a dependency before we are told of the request that made it do so. What
//! decides are therefore the moments at which bytes were seen, not the order of the telling.
//!
//! Pure: what was seen goes in, finished test cases and mocks come out.

use crate::order;
use rehearsal_model::{EdgeName, Exchange, Mock, Moment, TestCase, TestId, Timestamp};
use rehearsal_wire::Facets;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// How long after a call without a test is over its request may yet be told of, in nanoseconds.
const PATIENCE: u64 = 100_000_000;

/// Tells one exchange from all others of the recording: the connection's number and the exchange's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flow(pub(crate) u64, pub(crate) u64);

/// Something finished, ready to be written.
#[derive(Debug, PartialEq)]
pub(crate) enum Finished {
    /// A test with its own calls.
    Test(Box<TestCase>),
    /// A mock that is no single test's.
    Mock(Box<Mock>),
}

/// A finished exchange with what is needed to place it.
pub(crate) struct Seen {
    pub(crate) edge: EdgeName,
    pub(crate) exchange: Exchange,
    pub(crate) facets: &'static dyn Facets,
}

/// The exchanges under way and the tests that wait for them.
#[derive(Default)]
pub(crate) struct Attribution {
    last: TestId,
    tests: BTreeMap<TestId, PendingTest>,
    inbound: HashMap<Flow, TestId>,
    calls: BTreeMap<u64, PendingCall>,
    outbound: HashMap<Flow, u64>,
    next_call: u64,
    /// Calls that are over and in nobody's window so far, in the order in which they ended.
    orphans: VecDeque<u64>,
}

struct PendingTest {
    at: Timestamp,
    seen: Option<Seen>,
    /// Numbers of the calls that may be its own, in the order in which they began.
    calls: BTreeSet<u64>,
}

struct PendingCall {
    started: Moment,
    after: TestId,
    /// Tests that were open, or may have been, when it began.
    candidates: Vec<TestId>,
    seen: Option<Seen>,
}

impl Attribution {
    /// Begins with the number after `last`.
    pub(crate) fn after(last: TestId) -> Self {
        Attribution { last, ..Attribution::default() }
    }

    /// The last test that has begun.
    pub(crate) fn last(&self) -> TestId {
        self.last
    }

    /// Somebody begins to ask the app; `started` is when that was seen, `at` is the time of day.
    pub(crate) fn inbound_began(&mut self, flow: Flow, started: Moment, at: Timestamp) {
        self.last = TestId(self.last.0 + 1);
        let mut calls = BTreeSet::new();
        for (number, call) in self.calls.iter_mut().filter(|(_, call)| call.started >= started) {
            call.candidates.push(self.last);
            calls.insert(*number);
        }
        self.orphans.retain(|orphan| !calls.contains(orphan));
        self.tests.insert(self.last, PendingTest { at, seen: None, calls });
        self.inbound.insert(flow, self.last);
    }

    /// The app begins to ask a dependency.
    pub(crate) fn outbound_began(&mut self, flow: Flow, started: Moment) {
        let open = self.tests.iter_mut().filter(|(_, test)| match &test.seen {
            Some(seen) => seen.exchange.finished >= started,
            None => true,
        });
        let mut candidates = Vec::new();
        for (id, test) in open {
            candidates.push(*id);
            test.calls.insert(self.next_call);
        }
        let call = PendingCall { started, after: self.last, candidates, seen: None };
        self.calls.insert(self.next_call, call);
        self.outbound.insert(flow, self.next_call);
        self.next_call += 1;
    }

    /// An inbound exchange is complete.
    pub(crate) fn inbound_done(&mut self, flow: Flow, seen: Seen, out: &mut Vec<Finished>) {
        let Some(id) = self.inbound.remove(&flow) else { return };
        if let Some(test) = self.tests.get_mut(&id) {
            test.seen = Some(seen);
        }
        self.settle_calls_of(id, out);
        self.settle_tests(out);
    }

    /// An outbound exchange is complete.
    pub(crate) fn outbound_done(&mut self, flow: Flow, seen: Seen, out: &mut Vec<Finished>) {
        let Some(number) = self.outbound.remove(&flow) else { return };
        self.settle_orphans(seen.exchange.finished, out);
        if let Some(call) = self.calls.get_mut(&number) {
            call.seen = Some(seen);
        }
        self.settle_call(number, out);
        self.settle_tests(out);
    }

    /// An exchange that began will not be told: its connection broke off or could not be read.
    pub(crate) fn lost(&mut self, flow: Flow, out: &mut Vec<Finished>) {
        if let Some(number) = self.outbound.remove(&flow) {
            self.forget_call(number);
        }
        if let Some(id) = self.inbound.remove(&flow) {
            self.tests.remove(&id);
            for call in self.calls.values_mut() {
                call.candidates.retain(|candidate| *candidate != id);
            }
            let waiting: Vec<u64> = self.calls.keys().copied().collect();
            for number in waiting {
                self.settle_call(number, out);
            }
        }
        self.settle_tests(out);
    }

    /// Everything that can still be told when the recording ends: what has not finished is lost.
    pub(crate) fn finish(&mut self, out: &mut Vec<Finished>) -> usize {
        let unfinished: Vec<Flow> =
            self.inbound.keys().chain(self.outbound.keys()).copied().collect();
        for flow in &unfinished {
            self.lost(*flow, out);
        }
        self.settle_orphans(Moment(u64::MAX), out);
        unfinished.len()
    }

    /// How many exchanges are under way, inbound and outbound.
    pub(crate) fn under_way(&self) -> usize {
        self.inbound.len() + self.outbound.len()
    }

    fn settle_calls_of(&mut self, id: TestId, out: &mut Vec<Finished>) {
        let calls = self.tests.get(&id).map(|test| test.calls.clone()).unwrap_or_default();
        for number in calls {
            self.settle_call(number, out);
        }
    }

    /// Decides whose a call is once it and all that might have made it are complete. A call that is
    /// one test's stays with it until the test is told.
    fn settle_call(&mut self, number: u64, out: &mut Vec<Finished>) {
        let Some(call) = self.calls.get(&number) else { return };
        let Some(seen) = &call.seen else { return };
        let mut within = Vec::new();
        for id in &call.candidates {
            let Some(test) = self.tests.get(id).and_then(|test| test.seen.as_ref()) else { return };
            let window = test.exchange.started..=test.exchange.finished;
            if window.contains(&call.started) {
                within.push((*id, test));
            }
        }
        let trace = seen.facets.trace(&seen.exchange.request);
        let carried = |(_, test): &&(TestId, &Seen)| {
            let theirs = test.facets.trace(&test.exchange.request);
            theirs.iter().any(|id| trace.contains(id))
        };
        let mut owners: Vec<TestId> = within.iter().map(|(id, _)| *id).collect();
        if owners.len() > 1 {
            let named: Vec<TestId> = within.iter().filter(carried).map(|(id, _)| *id).collect();
            if named.len() == 1 {
                owners = named;
            }
        }
        self.give(number, owners);
        match self.calls.get(&number).map(|call| call.candidates.len()) {
            Some(0) => self.orphans.push_back(number),
            Some(1) | None => {}
            Some(_) => out.extend(self.forget_call(number).and_then(PendingCall::into_mock)),
        }
    }

    /// Makes these tests, out of its candidates, the only ones that may have made a call.
    fn give(&mut self, number: u64, owners: Vec<TestId>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        for id in call.candidates.iter().filter(|id| !owners.contains(id)) {
            if let Some(test) = self.tests.get_mut(id) {
                test.calls.remove(&number);
            }
        }
        call.candidates = owners;
    }

    /// Tells the calls that are in nobody's window and have been over for long enough.
    fn settle_orphans(&mut self, now: Moment, out: &mut Vec<Finished>) {
        while let Some(number) = self.orphans.front().copied() {
            let seen = self.calls.get(&number).and_then(|call| call.seen.as_ref());
            let finished = seen.map_or(Moment(0), |seen| seen.exchange.finished);
            if now.0.saturating_sub(finished.0) < PATIENCE {
                return;
            }
            self.orphans.pop_front();
            out.extend(self.forget_call(number).and_then(PendingCall::into_mock));
        }
    }

    fn forget_call(&mut self, number: u64) -> Option<PendingCall> {
        let call = self.calls.remove(&number)?;
        for id in &call.candidates {
            if let Some(test) = self.tests.get_mut(id) {
                test.calls.remove(&number);
            }
        }
        Some(call)
    }

    /// Tells every test that is complete with all its calls.
    fn settle_tests(&mut self, out: &mut Vec<Finished>) {
        let complete = |test: &PendingTest| {
            let settled = |number: &u64| {
                let call = self.calls.get(number);
                call.is_some_and(|call| call.seen.is_some() && call.candidates.len() == 1)
            };
            test.seen.is_some() && test.calls.iter().all(settled)
        };
        let ready: Vec<TestId> =
            self.tests.iter().filter(|(_, test)| complete(test)).map(|(id, _)| *id).collect();
        for id in ready {
            let Some(test) = self.tests.remove(&id) else { continue };
            let calls = test.calls.iter().filter_map(|number| self.calls.remove(number));
            let calls = calls.filter_map(|call| call.seen).collect();
            let Some(seen) = test.seen else { continue };
            out.push(Finished::Test(Box::new(TestCase {
                id,
                name: seen.facets.operation(&seen.exchange.request),
                at: test.at,
                edge: seen.edge,
                exchange: seen.exchange,
                calls: order::calls(calls),
                noise: Vec::new(),
            })));
        }
    }
}

impl PendingCall {
    fn into_mock(self) -> Option<Finished> {
        let Seen { edge, exchange, .. } = self.seen?;
        let mock = Mock { edge, exchange, after: self.after, shared_by: self.candidates };
        Some(Finished::Mock(Box::new(mock)))
    }
}

#[cfg(test)]
mod tests;
