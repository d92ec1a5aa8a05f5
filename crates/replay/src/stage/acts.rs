//! The tests that are under way, and which of them is the current one.
//!
//! Mostly it is one. Of several beside one another each keeps what is its own; what a connection asks is
//! looked at from the point of view of one of them, which is made the current one first.

use super::beyond::Beyond;
use super::{FINDINGS, Seen, Stage, State};
use crate::own_calls::OwnCalls;
use crate::shelf::Shelf;
use rehearsal_compare::Rules;
use rehearsal_matching::Turn;
use rehearsal_model::{Finding, TestCase, TestId};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

/// What belongs to one test that is under way.
pub(super) struct Act {
    /// None during start-up.
    pub(super) test: Option<Arc<TestCase>>,
    /// The identifiers by which the app carries the cause of a call along.
    pub(super) trace: Vec<String>,
    pub(super) rules: Rules,
    /// When the test began.
    pub(super) began: Instant,
    pub(super) findings: Vec<Finding>,
    pub(super) own: OwnCalls,
    pub(super) seen: Seen,
    pub(super) beyond: Beyond,
    /// Whether it was judged: what comes is none of its calls any more.
    pub(super) is_over: bool,
    /// What it may use and has used, while it is not the current one.
    pub(super) turn: Turn,
}

impl Act {
    /// What the app does before the first test.
    pub(super) fn start_up(rules: Rules) -> Self {
        Act {
            test: None,
            trace: Vec::new(),
            rules,
            began: Instant::now(),
            findings: Vec::new(),
            own: OwnCalls::default(),
            seen: Seen::default(),
            beyond: Beyond::default(),
            is_over: false,
            turn: Turn::default(),
        }
    }

    fn of(shelf: &Shelf, test: Arc<TestCase>, rules: Rules) -> Self {
        let own = OwnCalls::of(
            &test,
            |edge| shelf.is_real(edge) || shelf.is_aside(edge),
            |place| shelf.library.is_polled(test.id, place),
            |edge, request| shelf.facets(edge).is_some_and(|it| it.waits(request).is_some()),
        );
        let facets = shelf.facets(&test.edge);
        let trace = facets.map(|it| it.trace(&test.exchange.request)).unwrap_or_default();
        Act { own, trace, test: Some(test), ..Act::start_up(rules) }
    }

    pub(super) fn number(&self) -> TestId {
        self.test.as_ref().map_or(TestId(0), |test| test.id)
    }
}

impl State {
    /// The tests that are under way, in the order in which they were recorded; when all are over, the last.
    pub(super) fn under_way(&self) -> Vec<TestId> {
        let acts = self.others.iter().chain([&self.act]);
        let mut all: Vec<TestId> = acts.filter(|act| !act.is_over).map(Act::number).collect();
        if all.is_empty() {
            all.push(self.act.number());
        }
        all.sort_unstable();
        all
    }

    /// Makes a test the current one, if it is under way.
    pub(super) fn turn_to(&mut self, test: TestId) {
        if self.act.number() == test {
            return;
        }
        if let Some(other) = self.others.iter_mut().find(|act| act.number() == test) {
            self.desk.exchange(&mut self.act.turn);
            std::mem::swap(&mut self.act, other);
            self.desk.exchange(&mut self.act.turn);
            let taken = i128::try_from(self.act.began.elapsed().as_nanos()).unwrap_or(i128::MAX);
            self.act.rules.has_taken(taken);
        }
    }

    /// Keeps what was found of one of several tests, and cannot be told of which.
    pub(super) fn strays(&mut self, suspects: Vec<TestId>, finding: Finding) {
        let is_known = self.strays.iter().any(|(known, _)| *known == finding);
        if self.strays.len() < FINDINGS && !is_known {
            self.strays.push((finding, suspects));
        }
    }
}

impl Stage {
    /// What has happened, from the point of view of a test.
    pub(super) fn of(&self, test: TestId) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.turn_to(test);
        state
    }

    /// Begins a test, with none beside it. What was found since the last one ended is found of this one.
    pub(crate) fn begin(&self, test: Arc<TestCase>, rules: Rules) {
        let act = Act::of(&self.shelf, test, rules);
        let mut state = self.state();
        state.others.clear();
        state.desk.begin(&self.shelf.library, act.number());
        let before = std::mem::replace(&mut state.act, act);
        state.act.findings = before.findings;
        state.act.beyond = before.beyond;
        state.act.beyond.begin();
        state.known = Default::default();
        drop(state);
        self.called.notify_waiters();
    }

    /// Begins a test while others are under way, unless all of them are over by now.
    pub(crate) fn begin_beside(&self, test: Arc<TestCase>, rules: Rules) {
        if self.are_over() {
            return self.begin(test, rules);
        }
        let act = Act::of(&self.shelf, test, rules);
        let mut guard = self.state();
        let state = &mut *guard;
        state.desk.exchange(&mut state.act.turn);
        state.desk.begin(&self.shelf.library, act.number());
        let other = std::mem::replace(&mut state.act, act);
        state.others.push(other);
        drop(guard);
        self.called.notify_waiters();
    }

    /// Whether every test that began is over.
    fn are_over(&self) -> bool {
        let state = self.state();
        state.others.iter().chain([&state.act]).all(|act| act.is_over)
    }

    /// Forgets a test that is over, while others are under way. The last one stays until another begins.
    pub(crate) fn leave(&self, test: TestId) {
        let mut guard = self.state();
        let state = &mut *guard;
        let others = || state.others.iter().filter(|act| !act.is_over);
        if state.act.number() == test
            && let Some(other) = others().chain(&state.others).next().map(Act::number)
        {
            state.turn_to(other);
        }
        state.others.retain(|act| act.number() != test);
        state.act.is_over |= state.act.number() == test;
        drop(guard);
        self.called.notify_waiters();
    }

    /// What was found of several tests without being told of which, with those that it may be of.
    pub(crate) fn take_strays(&self) -> Vec<(Finding, Vec<TestId>)> {
        std::mem::take(&mut self.state().strays)
    }
}
