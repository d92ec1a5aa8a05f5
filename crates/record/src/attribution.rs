//! Which calls belong to which test.
//!
//! A call belongs to the inbound exchange within whose time window it began. Where windows overlap,
//! an identifier that the app carries along (a trace or request id) decides; where none does, the
//! call is shared by the overlapping tests. A call outside every window is ambient.
//!
//! A test that lasts, since messages go to and fro in it, is known to while it goes on. It holds up no
//! other: a call that began after the request of another test, and after which nothing was said in it,
//! is that one's. A call that lasts and outlives its test by more than a moment is no part of it: the
//! app keeps that connection for others.
//!
//! What ends a unit of work, such as a transaction, belongs to the test that opened it ([`units`]).
//!
//! Bytes are forwarded before they are understood, so what is told may come in another order than it
//! happened: the app may call a dependency before we are told of the request that made it do so. What
//! decides are therefore the moments at which bytes were seen, not the order of the telling.
//!
//! Pure: what was seen goes in, finished test cases and mocks come out.

mod beside;
mod units;

use crate::in_order::InOrder;
use crate::numbers::ByNumber;
use crate::order;
use beside::Beside;
use rehearsal_model::{EdgeName, Exchange, Mock, Moment, TestCase, TestId, Timestamp, stream};
use rehearsal_wire::{Bracket, Facets};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use units::{Ended, Units};

/// How long after a call without a test is over its request may yet be told of, in nanoseconds.
const PATIENCE: u64 = 100_000_000;

/// How long a message may keep the app busy while others come, in nanoseconds.
const BUSY: u64 = 1_000_000_000;
/// How long after its test a call that lasts may end, or a unit of work be ended, in nanoseconds.
const AFTERMATH: u64 = 1_000_000_000;
/// Moments that are remembered of what was said in a test that lasts.
const STIRS: usize = 4096;

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

/// When a call began, and its number: calls in the order in which they began.
type Begun = (Moment, u64);

/// The exchanges under way and the tests that wait for them.
///
/// A call is decided once it is over and every test that began before it is, too. A test is told
/// once it is over and no call that began in its window is undecided.
#[derive(Default)]
pub(crate) struct Attribution {
    last: TestId,
    /// Boxed, as calls are: what a tree takes out or in moves its neighbours.
    tests: BTreeMap<TestId, Box<PendingTest>>,
    inbound: ByNumber<Flow, TestId>,
    /// When those of the tests began that are not over.
    open: BTreeSet<(Moment, TestId)>,
    beside: Beside,
    /// Boxed, since growing moves all that are here: a test may make many thousands.
    calls: ByNumber<u64, Box<PendingCall>>,
    outbound: ByNumber<Flow, u64>,
    next_call: u64,
    /// Calls that are undecided.
    waiting: InOrder<Begun>,
    /// Those of them that are over.
    ripe: InOrder<Begun>,
    /// Calls of a single test or of none, which may be decided anew while they are here.
    decided: InOrder<Begun>,
    /// Calls that are over and in nobody's window so far, in the order in which they ended.
    orphans: VecDeque<u64>,
    /// Tests that are over, by an undecided call of their window.
    held: ByNumber<u64, Vec<TestId>>,
    units: Units,
}

struct PendingTest {
    at: Timestamp,
    started: Moment,
    seen: Option<Seen>,
    trace: OnceCell<Vec<String>>,
    /// When the client said something, once it is known that the test lasts.
    stirs: VecDeque<Moment>,
    /// Numbers of the calls that are its alone.
    calls: InOrder<u64>,
    /// Earlier tests that were under way when it began, in order.
    beside: Vec<TestId>,
}

struct PendingCall {
    started: Moment,
    after: TestId,
    /// Whose it is, once that is decided.
    owners: Vec<TestId>,
    seen: Option<Seen>,
    /// The unit of work that it ends.
    ends: Option<Ended>,
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

    /// How many calls the last test has made before a moment, as far as that is known: when it is not
    /// the only one that is open, none.
    pub(crate) fn calls_before(&self, moment: Moment) -> u32 {
        let mut open = self.open.iter();
        let (Some((began, id)), None) = (open.next(), open.next()) else { return 0 };
        if *id != self.last {
            return 0;
        }
        let times = self.calls.values().map(|call| call.started);
        let count = times.filter(|time| (*began..moment).contains(time)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Somebody begins to ask the app; `started` is when that was seen, `at` is the time of day.
    pub(crate) fn inbound_began(&mut self, flow: Flow, started: Moment, at: Timestamp) {
        self.last = TestId(self.last.0 + 1);
        self.inbound.insert(flow, self.last);
        self.open.insert((started, self.last));
        let (trace, stirs, calls) = (OnceCell::new(), VecDeque::new(), InOrder::default());
        let beside = self.beside.began(self.last, started);
        let test = PendingTest { at, started, seen: None, trace, stirs, calls, beside };
        self.tests.insert(self.last, Box::new(test));
        let anew: Vec<Begun> = self.decided.since((started, 0)).copied().collect();
        for call in anew {
            self.undecide(call);
        }
    }

    /// The app begins to ask a dependency.
    pub(crate) fn outbound_began(&mut self, flow: Flow, started: Moment) {
        let (owners, seen, ends) = (Vec::new(), None, None);
        let call = PendingCall { started, after: self.last, owners, seen, ends };
        self.calls.insert(self.next_call, Box::new(call));
        self.outbound.insert(flow, self.next_call);
        self.waiting.insert((started, self.next_call));
        self.next_call += 1;
    }

    /// The client says more in an exchange that lasts.
    pub(crate) fn stirred(&mut self, flow: Flow, at: Moment, out: &mut Vec<Finished>) {
        let Some(id) = self.inbound.get(&flow).copied() else { return };
        let Some(test) = self.tests.get_mut(&id) else { return };
        let is_news = test.stirs.is_empty();
        if test.stirs.len() == STIRS {
            test.stirs.pop_front();
        }
        test.stirs.push_back(at);
        if is_news {
            self.open.remove(&(test.started, id));
            self.settle(Vec::new(), out);
        }
    }

    /// An inbound exchange is complete.
    pub(crate) fn inbound_done(&mut self, flow: Flow, seen: Seen, out: &mut Vec<Finished>) {
        let Some(id) = self.inbound.remove(&flow) else { return };
        let Some(test) = self.tests.get_mut(&id) else { return };
        self.open.remove(&(test.started, id));
        test.started = seen.exchange.started;
        let finished = seen.exchange.finished;
        test.seen = Some(seen);
        if self.beside.over(id, finished) {
            self.was_before(id, |test| test.started >= finished);
        }
        let mut over = self.overdue(finished);
        over.push(id);
        self.settle(over, out);
    }

    /// Notes of later tests that this one was not under way when they began.
    fn was_before(&mut self, id: TestId, those: impl Fn(&PendingTest) -> bool) {
        for (_, test) in self.tests.range_mut(TestId(id.0 + 1)..).filter(|(_, test)| those(test)) {
            test.beside.retain(|other| *other != id);
        }
    }

    /// An outbound exchange is complete.
    pub(crate) fn outbound_done(&mut self, flow: Flow, seen: Seen, out: &mut Vec<Finished>) {
        let Some(number) = self.outbound.remove(&flow) else { return };
        self.settle_orphans(seen.exchange.finished, out);
        let mut over = self.overdue(seen.exchange.finished);
        if let Some(call) = self.calls.get_mut(&number) {
            let at = units::place(flow, &seen.exchange);
            match seen.facets.bracket(&seen.exchange.request) {
                Some(Bracket::Opens) => {
                    over.extend(self.units.opens(at, number, call.started));
                }
                Some(Bracket::Ends) => call.ends = self.units.ends(at),
                Some(Bracket::Unasked(is_so)) => over.extend(self.units.opens_unasked(at, is_so)),
                None if self.units.is_unasked(at) => {
                    over.extend(self.units.opens(at, number, call.started));
                }
                None => self.units.goes_on(at, call.started),
            }
            self.ripe.insert((call.started, number));
            call.seen = Some(seen);
        }
        self.settle(over, out);
    }

    /// An exchange that began will not be told: its connection broke off or could not be read.
    pub(crate) fn lost(&mut self, flow: Flow, out: &mut Vec<Finished>) {
        let mut freed = Vec::new();
        if let Some(number) = self.outbound.remove(&flow)
            && let Some(call) = self.calls.remove(&number)
        {
            self.waiting.remove(&(call.started, number));
            freed.extend(self.held.remove(&number).unwrap_or_default());
        }
        if let Some(id) = self.inbound.remove(&flow)
            && let Some(test) = self.tests.remove(&id)
        {
            self.open.remove(&(test.started, id));
            self.beside.lost(id);
            self.was_before(id, |_| true);
            for number in test.calls.iter().copied() {
                let started = self.calls.get(&number).map(|call| call.started);
                started.into_iter().for_each(|started| self.undecide((started, number)));
            }
        }
        self.settle(freed, out);
    }

    /// Everything that can still be told when the recording ends: what has not finished is lost.
    pub(crate) fn finish(&mut self, out: &mut Vec<Finished>) -> usize {
        let unfinished = self.inbound.keys().chain(self.outbound.keys());
        let unfinished: BTreeSet<Flow> = unfinished.copied().collect();
        for flow in &unfinished {
            self.lost(*flow, out);
        }
        let waiting = self.overdue(Moment(u64::MAX));
        self.settle(waiting, out);
        self.settle_orphans(Moment(u64::MAX), out);
        unfinished.len()
    }

    /// How many exchanges are under way, inbound and outbound.
    pub(crate) fn under_way(&self) -> usize {
        self.inbound.len() + self.outbound.len()
    }

    /// Whether no test is open or waits to be told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.tests.is_empty()
    }

    /// Decides what can be decided, and tells the tests that waited for nothing else: of these, and
    /// of those that were held up.
    fn settle(&mut self, mut over: Vec<TestId>, out: &mut Vec<Finished>) {
        while let Some((started, number)) = self.ripe.first()
            && self.open.first().is_none_or(|(open, _)| *open > started)
        {
            self.ripe.remove(&(started, number));
            self.waiting.remove(&(started, number));
            over.extend(self.held.remove(&number).unwrap_or_default());
            let opener = self.calls.get(&number).and_then(|call| call.ends).map(|unit| unit.opener);
            self.decide(number, out);
            over.extend(opener.map(|opener| self.units.free(opener)).unwrap_or_default());
        }
        over.sort_unstable();
        for id in over {
            self.settle_test(id, out);
        }
    }

    /// Says whose a call is that is over, as is all that might have made it. A call that is one
    /// test's stays with it until the test is told.
    fn decide(&mut self, number: u64, out: &mut Vec<Finished>) {
        let opened = self.owner_of_unit(number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.owners.clear();
        if let Some(one) = opened {
            call.owners.push(one);
            self.decided.insert((call.started, number));
            self.tests.entry(one).and_modify(|test| test.calls.insert(number));
            return;
        }
        let within = self.tests.iter().filter(|(_, test)| test.holds(call.started));
        call.owners.extend(within.map(|(id, _)| *id));
        let asked = call.owners.iter().filter_map(|id| self.tests.get(id)).filter(|it| !it.lasts());
        let asked = asked.map(|test| test.started).max();
        let lasting = |id: &TestId| self.tests.get(id).filter(|test| test.lasts());
        if call.owners.len() > 1 {
            let stirred = call.owners.iter().filter_map(lasting);
            let stirred = stirred.map(|test| test.stirred_before(call.started)).max();
            let busy = Moment(call.started.0.saturating_sub(BUSY));
            let since = asked.or(stirred.map(|latest| latest.min(busy))).unwrap_or_default();
            let started = call.started;
            call.owners
                .retain(|id| lasting(id).is_none_or(|test| test.stirred_before(started) >= since));
        }
        if let Some(ended) = call.lasted_until() {
            call.owners.retain(|id| self.tests.get(id).is_some_and(|it| it.outlives(ended)));
        }
        if call.owners.len() > 1
            && let Some(seen) = &call.seen
        {
            let trace = seen.facets.trace(&seen.exchange.request);
            let carried = |id: &&TestId| self.tests.get(id).is_some_and(|it| it.carries(&trace));
            let mut named = call.owners.iter().filter(carried).copied();
            if let (Some(one), None) = (named.next(), named.next()) {
                call.owners = vec![one];
            }
        }
        match call.owners[..] {
            [] => {
                self.decided.insert((call.started, number));
                self.orphans.push_back(number);
            }
            [one] => {
                self.decided.insert((call.started, number));
                self.tests.entry(one).and_modify(|test| test.calls.insert(number));
            }
            [..] => out.extend(self.calls.remove(&number).and_then(|call| call.into_mock())),
        }
    }

    /// A test is told of late that may have made this call.
    fn undecide(&mut self, (started, number): Begun) {
        self.decided.remove(&(started, number));
        self.waiting.insert((started, number));
        self.ripe.insert((started, number));
        self.orphans.retain(|orphan| *orphan != number);
        let owners = self.calls.get_mut(&number).map(|call| std::mem::take(&mut call.owners));
        for id in owners.unwrap_or_default() {
            self.tests.entry(id).and_modify(|test| test.calls.remove(&number));
        }
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
            out.extend(self.take_decided(number).and_then(|call| call.into_mock()));
        }
    }

    fn take_decided(&mut self, number: u64) -> Option<Box<PendingCall>> {
        let call = self.calls.remove(&number)?;
        self.decided.remove(&(call.started, number));
        Some(call)
    }

    /// Tells a test that is over, with its calls, unless a call of its window is undecided.
    fn settle_test(&mut self, id: TestId, out: &mut Vec<Finished>) {
        let Some(test) = self.tests.get(&id) else { return };
        let Some(seen) = &test.seen else { return };
        let window = (test.started, 0)..=(seen.exchange.finished, u64::MAX);
        // The last, since it will be decided last.
        if let Some((_, call)) = self.waiting.last_within(&window) {
            self.held.entry(call).or_default().push(id);
            return;
        }
        if self.waits_for_unit(id) {
            return;
        }
        let Some(test) = self.tests.remove(&id) else { return };
        let calls = test.calls.iter().filter_map(|number| self.take_decided(*number)?.seen);
        let calls = order::calls(calls.collect());
        let Some(seen) = test.seen else { return };
        out.push(Finished::Test(Box::new(TestCase {
            id,
            name: seen.facets.operation(&seen.exchange.request),
            at: test.at,
            edge: seen.edge,
            exchange: seen.exchange,
            calls,
            noise: Vec::new(),
            during: test.beside,
        })));
    }
}

impl PendingTest {
    /// Whether a moment is in its window.
    fn holds(&self, moment: Moment) -> bool {
        let finished = self.seen.as_ref().map(|seen| seen.exchange.finished);
        let open = finished.map_or(self.lasts(), |finished| moment <= finished);
        self.started <= moment && open
    }

    /// Whether messages go to and fro in it.
    fn lasts(&self) -> bool {
        !self.stirs.is_empty()
    }

    /// When its client said something last, before a moment.
    fn stirred_before(&self, moment: Moment) -> Moment {
        let before = self.stirs.iter().rev().find(|stir| **stir <= moment);
        before.copied().unwrap_or(self.started)
    }

    /// Whether what ended then ended with it.
    fn outlives(&self, ended: Moment) -> bool {
        let finished = self.seen.as_ref().map(|seen| seen.exchange.finished);
        finished.is_none_or(|finished| ended.0 <= finished.0.saturating_add(AFTERMATH))
    }

    /// Whether its request has one of these identifiers.
    fn carries(&self, ids: &[String]) -> bool {
        let Some(seen) = self.seen.as_ref().filter(|_| !ids.is_empty()) else { return false };
        let own = self.trace.get_or_init(|| seen.facets.trace(&seen.exchange.request));
        own.iter().any(|id| ids.contains(id))
    }
}

impl PendingCall {
    /// When it ended, if it is one that is made of messages.
    fn lasted_until(&self) -> Option<Moment> {
        let exchange = &self.seen.as_ref()?.exchange;
        let messages = exchange.response.as_ref().and_then(stream::conversation);
        messages.map(|_| exchange.finished)
    }

    fn into_mock(self) -> Option<Finished> {
        let Seen { edge, exchange, .. } = self.seen?;
        let mock = Mock {
            edge,
            exchange,
            after: self.after,
            calls: 0,
            shared_by: self.owners,
            of_test: None,
        };
        Some(Finished::Mock(Box::new(mock)))
    }
}

#[cfg(test)]
mod tests;
