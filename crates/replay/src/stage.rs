//! What has happened while one test runs: which mocks were used, which calls found none.
//!
//! One owner of all that changes during a run; connections ask it under a lock, and whoever waits
//! for a call is woken by it.

use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_compare::Rules;
use rehearsal_matching::{Asked, Desk, Judge, Pick, Place, Verdict, fingerprint};
use rehearsal_model::{Difference, Failure, Finding, Map, NearestMock, TestId, Value};
use rehearsal_proxy::Reply;
use rehearsal_wire::{Answer, Miss};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a call that came early waits for those above it.
const ORDER_PATIENCE: Duration = Duration::from_millis(300);

/// See the module.
pub(crate) struct Stage {
    pub(crate) shelf: Arc<Shelf>,
    state: Mutex<State>,
    called: Notify,
}

struct State {
    test: TestId,
    desk: Desk,
    rules: Rules,
    findings: Vec<Finding>,
    /// Places of own calls that a finding speaks of already.
    explained: Vec<u32>,
    /// Places of own calls that were answered though one above them had not come.
    early: Vec<u32>,
    /// Recorded failures to connect that have happened.
    failed: HashSet<u32>,
}

impl Stage {
    pub(crate) fn new(shelf: Arc<Shelf>, rules: Rules) -> Self {
        let mut desk = Desk::default();
        desk.begin(&shelf.library, TestId(0));
        let state = State {
            test: TestId(0),
            desk,
            rules,
            findings: Vec::new(),
            explained: Vec::new(),
            early: Vec::new(),
            failed: HashSet::new(),
        };
        Stage { shelf, state: Mutex::new(state), called: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a test. What was found since the last one ended is found of this one.
    pub(crate) fn begin(&self, test: TestId, rules: Rules) {
        let mut state = self.state();
        state.test = test;
        state.desk.begin(&self.shelf.library, test);
        state.rules = rules;
        state.explained.clear();
        state.early.clear();
    }

    /// The answer to a call of the app.
    ///
    /// A call that comes before one that the recording has above it is answered when that one has
    /// come too: then the app did not wait for the answer, and their order was chance. If it does
    /// not come while the app waits, the order has changed.
    pub(crate) fn answer(self: &Arc<Self>, edge: EdgeNumber, request: &Map) -> Reply {
        let (answer, early) = self.pick(edge, request);
        let Some(early) = early else { return Reply::Now(answer) };
        let stage = Arc::clone(self);
        Reply::Later(Box::pin(async move {
            if timeout(ORDER_PATIENCE, stage.came_above(early)).await.is_err() {
                stage.state().early.push(early);
            }
            answer
        }))
    }

    /// Waits until every call that the recording has above one has come.
    async fn came_above(&self, index: u32) {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            if !self.is_early(&self.state(), index) {
                return;
            }
            called.await;
        }
    }

    /// Whether a call of the current test has one above it, outside of its own parallel group, that
    /// has not come.
    fn is_early(&self, state: &State, index: u32) -> bool {
        let Some(test) = self.shelf.test(state.test) else { return false };
        let group = group_of(index as usize, |at| test.calls[at].parallel);
        self.missing(state).any(|missing| missing < group)
    }

    /// The answer, and the place of the call in its test when it came early.
    fn pick(&self, edge: EdgeNumber, request: &Map) -> (Answer, Option<u32>) {
        let facets = self.shelf.edges[edge as usize].protocol.facets();
        let form = facets.request(request);
        let asked = Asked {
            edge,
            identity: fingerprint(&facets.identity(request)),
            values: fingerprint(&form),
            repeatable: facets.repeatable(request),
        };
        let mut state = self.state();
        let state = &mut *state;
        let judge = Forms { shelf: &self.shelf, form: &form, rules: &state.rules };
        let Pick { verdict, extra } = state.desk.pick(&self.shelf.library, asked, &judge);
        let mut early = None;
        let answer = match verdict {
            Verdict::Mock(mock) => {
                if extra {
                    state.findings.push(self.unexpected(state.test, edge, request, None));
                }
                if let Place::Call { test, index } = self.shelf.library.entry(mock).place
                    && test == state.test
                    && self.is_early(state, index)
                {
                    early = Some(index);
                }
                answer_of(self.shelf.exchange(mock))
            }
            Verdict::Miss(_) if self.shelf.begins_any(edge, request) => {
                return (Answer::Incomplete, None);
            }
            Verdict::Miss(nearest) => self.miss(state, edge, request, nearest),
        };
        self.called.notify_waiters();
        (answer, early)
    }

    fn unexpected(
        &self,
        test: TestId,
        edge: EdgeNumber,
        request: &Map,
        nearest: Option<(u32, Vec<Difference>)>,
    ) -> Finding {
        let edge = &self.shelf.edges[edge as usize];
        let nearest = nearest.map(|(mock, differences)| NearestMock {
            place: self.shelf.place(mock, test),
            operation: edge.protocol.facets().operation(&self.shelf.exchange(mock).request),
            differences,
        });
        Finding::CallUnexpected {
            edge: edge.name.to_string(),
            operation: edge.protocol.facets().operation(request),
            request: request.clone(),
            nearest,
        }
    }

    fn miss(
        &self,
        state: &mut State,
        edge: EdgeNumber,
        request: &Map,
        nearest: Option<(u32, Vec<Difference>)>,
    ) -> Answer {
        let name = self.shelf.edges[edge as usize].name.to_string();
        let operation = self.shelf.edges[edge as usize].protocol.facets().operation(request);
        let own =
            nearest.as_ref().and_then(|(mock, _)| match self.shelf.library.entry(*mock).place {
                Place::Call { test, index } if test == state.test => Some(index),
                _ => None,
            });
        let mut details = Map::from([("edge", name.as_str()), ("operation", operation.as_str())]);
        if let Some((mock, differences)) = &nearest {
            details.insert("nearest", self.shelf.place(*mock, state.test));
            let paths =
                differences.iter().map(|difference| difference.path.clone()).collect::<Vec<_>>();
            details.insert("differs_in", paths);
        }
        let finding = match (own, nearest) {
            (Some(index), Some((_, differences))) if !state.explained.contains(&index) => {
                state.explained.push(index);
                let (call, edge) = (index as usize + 1, name.clone());
                Finding::CallDiffers { call, edge, operation: operation.clone(), differences }
            }
            (_, nearest) => self.unexpected(state.test, edge, request, nearest),
        };
        state.findings.push(finding);
        let message = format!("rehearsal: no mock answers {operation} on {name}");
        Answer::Miss(Miss { message, details: Value::Map(details) })
    }

    /// The recorded outcome of connecting to an edge, when that was a failure. An edge that failed
    /// whenever it was tried fails whenever it is tried; on another one, each recorded failure
    /// happens once.
    pub(crate) fn connect(&self, edge: EdgeNumber) -> Option<Failure> {
        let nothing = Value::Map(Map::new());
        let facets = self.shelf.edges[edge as usize].protocol.facets();
        let identity = fingerprint(&facets.identity(&Map::new()));
        let values = fingerprint(&facets.request(&Map::new()));
        let mut state = self.state();
        let state = &mut *state;
        let asked = Asked { edge, identity, values, repeatable: false };
        let judge = Forms { shelf: &self.shelf, form: &nothing, rules: &state.rules };
        let pick = state.desk.pick(&self.shelf.library, asked, &judge);
        let always = self.shelf.edges[edge as usize].always_fails;
        let failure = match pick.verdict {
            Verdict::Mock(mock) if always.is_some() || state.failed.insert(mock) => {
                self.shelf.exchange(mock).failure
            }
            Verdict::Mock(_) | Verdict::Miss(_) => always,
        };
        if failure.is_some() {
            self.called.notify_waiters();
        }
        failure
    }

    /// The answer to a question for a name. One that was never asked has none; that is no failure
    /// of a test, since resolvers ask in their own ways.
    pub(crate) fn look_up(&self, request: &Map) -> Answer {
        let edge = self.shelf.edges.iter().position(|edge| edge.protocol.name() == "dns");
        let miss = || Answer::Miss(Miss { message: String::new(), details: Value::Null });
        let Some(edge) = edge else { return miss() };
        let facets = self.shelf.edges[edge].protocol.facets();
        let form = facets.request(request);
        let asked = Asked {
            edge: u32::try_from(edge).unwrap_or(u32::MAX),
            identity: fingerprint(&facets.identity(request)),
            values: fingerprint(&form),
            repeatable: true,
        };
        let mut state = self.state();
        let state = &mut *state;
        let judge = Forms { shelf: &self.shelf, form: &form, rules: &state.rules };
        match state.desk.pick(&self.shelf.library, asked, &judge).verdict {
            Verdict::Mock(mock) => answer_of(self.shelf.exchange(mock)),
            Verdict::Miss(_) => miss(),
        }
    }

    /// Notes what concerns the current test and is no call.
    pub(crate) fn note(&self, finding: Finding) {
        self.state().findings.push(finding);
        self.called.notify_waiters();
    }

    /// Whether the current test has made no call and nothing was found.
    pub(crate) fn is_untouched(&self) -> bool {
        let state = self.state();
        state.findings.is_empty() && state.desk.used_calls(&self.shelf.library).is_empty()
    }

    /// Waits until the current test has made all its calls, or a finding says that it will not.
    pub(crate) async fn all_called(&self) {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            {
                let state = self.state();
                if !state.findings.is_empty() || self.missing(&state).next().is_none() {
                    return;
                }
            }
            called.await;
        }
    }

    /// Places of own calls that were neither made nor explained.
    fn missing<'a>(&'a self, state: &'a State) -> impl Iterator<Item = usize> + 'a {
        let used = state.desk.used_calls(&self.shelf.library);
        let count = self.shelf.test(state.test).map_or(0, |test| test.calls.len());
        let open = move |index: &usize| {
            let index = u32::try_from(*index).unwrap_or(u32::MAX);
            !used.contains(&index) && !state.explained.contains(&index)
        };
        (0..count).filter(open)
    }

    /// What is wrong with the calls of the current test, now that it is over.
    pub(crate) fn end(&self) -> Vec<Finding> {
        let mut state = self.state();
        let mut findings = std::mem::take(&mut state.findings);
        let Some(test) = self.shelf.test(state.test) else { return findings };
        for index in self.missing(&state) {
            let call = &test.calls[index];
            let operation = self.operation(&call.edge, &call.exchange.request);
            findings.push(Finding::CallMissing {
                call: index + 1,
                edge: call.edge.to_string(),
                operation,
                request: call.exchange.request.clone(),
            });
        }
        let used = state.desk.used_calls(&self.shelf.library);
        if let Some((early, before)) = overtaken(&state.early, &used, |at| test.calls[at].parallel)
        {
            let call = &test.calls[early];
            findings.push(Finding::CallOrder {
                call: early + 1,
                before: before + 1,
                edge: call.edge.to_string(),
                operation: self.operation(&call.edge, &call.exchange.request),
            });
        }
        findings
    }

    fn operation(&self, edge: &rehearsal_model::EdgeName, request: &Map) -> String {
        let edge = self.shelf.edges.iter().find(|known| known.name == *edge);
        edge.map_or_else(String::new, |edge| edge.protocol.facets().operation(request))
    }
}

/// The first call of the parallel group that a call is in.
fn group_of(index: usize, parallel: impl Fn(usize) -> bool) -> usize {
    (0..=index).rev().find(|at| !parallel(*at)).unwrap_or(0)
}

/// The first of the early calls after whose answer a call came that the recording has above it, with
/// that one. `used` are the calls in the order in which they came.
fn overtaken(
    early: &[u32],
    used: &[u32],
    parallel: impl Fn(usize) -> bool,
) -> Option<(usize, usize)> {
    early.iter().find_map(|early| {
        let group = group_of(*early as usize, &parallel);
        let after = used.iter().skip_while(|index| *index != early);
        let above = after.map(|index| *index as usize).find(|index| *index < group)?;
        Some((*early as usize, above))
    })
}

fn answer_of(exchange: &rehearsal_model::Exchange) -> Answer {
    match (&exchange.response, exchange.failure) {
        (Some(response), _) => Answer::Response(response.clone()),
        (None, failure) => Answer::Failure(failure.unwrap_or(Failure::Closed)),
    }
}

/// Compares a call in comparison form with mocks.
struct Forms<'a> {
    shelf: &'a Shelf,
    form: &'a Value,
    rules: &'a Rules,
}

impl Judge for Forms<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        let expected = self.shelf.form(mock);
        if expected == self.form {
            return Vec::new();
        }
        rehearsal_compare::compare(expected, self.form, &self.shelf.root(mock), self.rules)
    }
}

#[cfg(test)]
mod tests {
    use super::overtaken;

    #[test]
    fn an_early_call_is_wrong_when_one_above_it_came_after_its_answer() {
        let sequential = |_| false;
        assert_eq!(overtaken(&[], &[0, 2, 1], sequential), None);
        assert_eq!(overtaken(&[2], &[0, 2, 1], sequential), Some((2, 1)));
        // The one above it never came: that is another finding.
        assert_eq!(overtaken(&[2], &[0, 2], sequential), None);
        let last_two_parallel = |index| index == 2;
        assert_eq!(overtaken(&[2], &[0, 2, 1], last_two_parallel), None);
        assert_eq!(overtaken(&[2], &[2, 0, 1], last_two_parallel), Some((2, 0)));
    }
}
