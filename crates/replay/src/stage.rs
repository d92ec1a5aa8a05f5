//! What has happened while tests run: which mocks were used, which calls found none.
//!
//! One owner of all that changes during a run; connections ask it under a lock, and whoever waits
//! for a call is woken by it.

mod acts;
mod beginning;
mod beyond;
mod forms;
mod going_on;
mod live;
mod meaning;
mod names;
mod patience;
mod seen;
mod settling;
mod talks;
mod units;
mod waiting;
mod whose;

use acts::Act;
use forms::Forms;
use live::live_answer;
use meaning::{Meaning, Remembered, Understood};
use talks::Talks;
use units::Units;
use whose::{Makers, Whose};

pub(crate) use live::answer_of;
pub(crate) use seen::{Seen, Time};
pub(crate) use talks::On;

use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_compare::{Renaming, Rules, compare, renamed};
use rehearsal_matching::{Asked, Desk, Pick, Place, Verdict, fingerprint};
use rehearsal_model::{Binding, Exchange, Failure, Finding, Map, TestId, Value, stream};
use rehearsal_proxy::Reply;
use rehearsal_store::scrub::{Known, Scrubber};
use rehearsal_supervise::Pulse;
use rehearsal_wire::{Answer, Miss};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Findings kept of one test: an app that calls again and again says nothing new.
const FINDINGS: usize = 100;

/// How long a call that came early waits for those above it, while the app rests.
const ORDER_PATIENCE: Duration = Duration::from_millis(300);

/// See the module.
pub(crate) struct Stage {
    pub(crate) shelf: Arc<Shelf>,
    state: Mutex<State>,
    called: Notify,
    pulse: OnceLock<Pulse>,
    /// Whether a call that differs is answered all the same.
    goes_on: bool,
}

struct State {
    /// The current test, and those that are under way beside it.
    act: Act,
    others: Vec<Act>,
    desk: Desk,
    /// Recorded failures to connect that have happened.
    failed: HashSet<u32>,
    /// The secrets that the tests were sent and that their calls held.
    known: Known,
    renaming: Renaming,
    talks: Talks,
    units: Units,
    remembered: Remembered,
    /// Of whom a call may be that is looked at, when that is not known.
    suspects: Option<Vec<TestId>>,
    /// What was found of one of several tests.
    strays: Vec<(Finding, Vec<TestId>)>,
}

impl State {
    fn number(&self) -> TestId {
        self.act.number()
    }

    /// Binds what stands for what in a call that a mock answers.
    fn bind(&mut self, shelf: &Shelf, mock: u32, (request, form): (&Map, &Value)) {
        let again = shelf.answers_again(mock);
        let (root, test) = (shelf.root(mock), self.name());
        let pairs = self.renaming.pairs(shelf.form(mock), form, &root, again);
        self.renaming.bind(pairs, &test);
        // A key or a table may be invented that is no part of the form.
        let facets = shelf.edge_of(mock).protocol().facets();
        let identity = facets.identity(request);
        if self.renaming.invents(&identity) {
            let recorded = facets.identity(&shelf.exchange(mock).request);
            let pairs = self.renaming.pairs(&recorded, &identity, &root, again);
            self.renaming.bind(pairs, &test);
        }
    }

    /// What the current test is called where something was bound.
    fn name(&self) -> String {
        match self.number() {
            TestId(0) => "start-up".to_owned(),
            TestId(number) => format!("test {number}"),
        }
    }

    /// Keeps a finding, and says its place, unless there are too many.
    fn found(&mut self, finding: Finding) -> Option<usize> {
        let place = self.act.findings.len();
        (place < FINDINGS).then(|| {
            self.act.findings.push(finding);
            place
        })
    }
}

impl Stage {
    pub(crate) fn new(shelf: Arc<Shelf>, rules: Rules) -> Self {
        let mut desk = Desk::default();
        desk.begin(&shelf.library, TestId(0));
        let state = State {
            act: Act::start_up(rules),
            others: Vec::new(),
            desk,
            failed: HashSet::new(),
            known: Known::default(),
            renaming: Renaming::default(),
            talks: Talks::default(),
            units: Units::default(),
            remembered: Remembered::default(),
            suspects: None,
            strays: Vec::new(),
        };
        let (state, called, pulse) = (Mutex::new(state), Notify::new(), OnceLock::new());
        Stage { shelf, state, called, pulse, goes_on: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = i128::try_from(state.act.began.elapsed().as_nanos()).unwrap_or(i128::MAX);
        state.act.rules.has_taken(taken);
        state
    }

    /// Replaces the secrets of what crosses an edge during the test.
    pub(crate) fn scrub(&self, scrubber: &Scrubber, exchange: &mut Exchange) {
        scrubber.scrub_knowing(exchange, &mut self.state().known);
    }

    /// A request as it is to be sent in this run: it carries the identifiers that the app invented.
    pub(crate) fn live_request(&self, request: &Map) -> Map {
        let renaming = &mut self.state().renaming;
        let request = renaming.to_live(request).into_owned();
        renaming.tell(&request);
        request
    }

    /// A recorded conversation as it is to be played in this run.
    pub(crate) fn live_conversation(&self, response: &Map) -> Map {
        let renaming = &mut self.state().renaming;
        let response = renaming.to_live(response).into_owned();
        let said = stream::conversation(&response).unwrap_or_default().iter();
        said.filter_map(Value::as_map)
            .filter(|it| it.get(stream::SENT).is_some())
            .for_each(|message| renaming.tell(message));
        response
    }

    /// What is wrong with the app's answer, in comparison form. What it invents there is bound.
    pub(crate) fn judge_answer(
        &self,
        test: TestId,
        expected: &Value,
        actual: &Value,
    ) -> Vec<Finding> {
        let mut state = self.of(test);
        let pairs = state.renaming.pairs(expected, actual, "response", false);
        let actual = renamed(actual, &pairs);
        let test = state.name();
        state.renaming.bind(pairs, &test);
        let differences = compare(expected, &actual, "response", &state.act.rules);
        if differences.is_empty() {
            return Vec::new();
        }
        let contradictions = state.renaming.contradictions(&differences);
        [Finding::Response { differences }].into_iter().chain(contradictions).collect()
    }

    /// What was bound since this was last asked.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        self.state().renaming.take_new()
    }

    /// An answer of the app as it would have been recorded.
    pub(crate) fn recorded_answer(&self, answer: &mut Exchange) {
        if let Some(response) = &mut answer.response {
            *response = self.state().renaming.to_recorded(response).into_owned();
        }
    }

    /// The answer to a call of the app.
    ///
    /// A call that comes before one that the recording has above it is answered when that one has
    /// come too: then the app did not wait for the answer, and their order was chance. If it does
    /// not come while the app waits, the order has changed.
    pub(crate) fn answer(
        self: &Arc<Self>,
        edge: EdgeNumber,
        on: On,
        request: Map,
        scrubber: &Scrubber,
    ) -> Reply {
        let meaning = match self.understand(edge, request, scrubber) {
            Understood::Whole(meaning) => meaning,
            Understood::SoFar(request) => return Reply::Now(self.begun(edge, &request)),
            Understood::Waits(request, patience) => {
                return self.answer_when_due(edge, &request, patience);
            }
        };
        let whose = self.whose(on, &meaning);
        if !matches!(whose, Whose::InDoubt(_)) {
            return self.answer_whole(on, &meaning, whose);
        }
        let stage = Arc::clone(self);
        Reply::Later(Box::pin(async move {
            let _ = stage.patiently(ORDER_PATIENCE, stage.no_doubt(on, &meaning)).await;
            match stage.answer_whole(on, &meaning, stage.whose(on, &meaning)) {
                Reply::Now(answer) => answer,
                Reply::Later(answer) => answer.await,
            }
        }))
    }

    /// The answer to a call of which it is known whose it is, as far as it can be.
    fn answer_whole(self: &Arc<Self>, on: On, meaning: &Meaning, whose: Whose) -> Reply {
        let makers = self.makers(whose);
        let test = makers.first;
        if let Some(answer) = self.ends_late(on, meaning, &makers) {
            return Reply::Now(answer);
        }
        let (answer, early) = self.pick(on, meaning, makers);
        let Some(early) = early else { return Reply::Now(answer) };
        let stage = Arc::clone(self);
        Reply::Later(Box::pin(async move {
            if stage.patiently(ORDER_PATIENCE, stage.came_above(test, early)).await.is_none() {
                stage.of(test).act.own.answered_early(early);
                stage.called.notify_waiters();
            }
            stage.of(test).answered(early);
            answer
        }))
    }

    /// Waits until every call that the recording has above one has come.
    async fn came_above(&self, test: TestId, index: u32) {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            if !self.of(test).act.own.is_early(index) {
                return;
            }
            called.await;
        }
    }

    /// The answer, and the place of the call in its test when it came early.
    fn pick(&self, on: On, meaning: &Meaning, makers: Makers) -> (Answer, Option<u32>) {
        let Meaning { request, form, asked, renamed } = meaning;
        let (edge, asked) = (asked.edge, *asked);
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        let mut guard = self.of(makers.first);
        let state = &mut *guard;
        state.suspects = makers.suspects;
        let State { desk, act: Act { rules, own, .. }, renaming, .. } = &mut *state;
        let judge = Forms::new(&self.shelf, (request, form), rules, renaming);
        let judge = if makers.all.len() > 1 { judge.beside(own) } else { judge };
        let Pick { verdict, extra } = desk.pick(&self.shelf.library, asked, &judge, &makers.all);
        let mut early = None;
        let answer = match verdict {
            Verdict::Mock(mock) => {
                if extra {
                    self.repeated(state, edge, request);
                }
                if let Place::Call { test, index } = self.shelf.library.entry(mock).place
                    && test == state.number()
                {
                    if !state.others.is_empty() {
                        state.settle(&self.shelf, index);
                    }
                    state.came(index);
                    early = Some(index).filter(|index| state.act.own.is_early(*index));
                } else if !extra {
                    state.act.beyond.borrows(mock);
                }
                state.talks.begin(&self.shelf, on, mock);
                if *renamed || self.shelf.form(mock) != form {
                    state.bind(&self.shelf, mock, (request, form));
                }
                live_answer(&self.shelf, mock, &mut state.renaming)
            }
            Verdict::Miss(_) if self.shelf.begins_any(edge, request) => {
                return (Answer::Incomplete, None);
            }
            Verdict::Miss(_) if asked.optional => {
                return (Answer::Miss(Miss { message: String::new(), details: Value::Null }), None);
            }
            Verdict::Miss(nearest) => match self.beginning(state, edge, request) {
                Some(mock) => {
                    let asked = self.shelf.exchange(mock).request.clone();
                    drop(guard);
                    let makers = Makers { suspects: None, ..makers };
                    return self.pick_beginning(edge, on, asked, makers);
                }
                None => match (facets.obstacle(request), facets.usual(request)) {
                    (Some(obstacle), _) => self.not_replayable(state, edge, obstacle),
                    (None, Some(usual)) if facets.sets_up(request) => Answer::Response(usual),
                    (None, _) => match self.go_on(state, meaning, nearest) {
                        Ok((answer, index)) => {
                            early = index.filter(|index| state.act.own.is_early(*index));
                            answer
                        }
                        Err(nearest) => self.miss(state, asked, request, nearest),
                    },
                },
            },
        };
        self.called.notify_waiters();
        (answer, early)
    }

    /// The mock that is due and with which a request begins: the app no longer waited for the answer
    /// to it before it sent more.
    fn beginning(&self, state: &State, edge: EdgeNumber, request: &Map) -> Option<u32> {
        let library = &self.shelf.library;
        let used = state.desk.used_calls(library);
        self.shelf.beginnings(edge, request).find(|mock| match library.entry(*mock).place {
            Place::Call { test, index } => test == state.number() && !used.contains(&index),
            Place::Ambient { .. } | Place::Shared { .. } => !state.desk.is_spent(*mock),
        })
    }

    /// The answer to the beginning of a request, saying what it answers.
    fn pick_beginning(
        &self,
        edge: EdgeNumber,
        on: On,
        asked: Map,
        makers: Makers,
    ) -> (Answer, Option<u32>) {
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        let request = self.state().renaming.to_recorded(&asked).into_owned();
        let (mut answer, early) = self.pick(on, &Meaning::of(facets, edge, request), makers);
        if let Answer::Response(response) = &mut answer {
            response.insert("asked", asked);
        }
        (answer, early)
    }

    /// Says once in a test that an edge cannot be replayed; its other calls cannot come then.
    fn not_replayable(&self, state: &mut State, edge: EdgeNumber, obstacle: &str) -> Answer {
        let edge = &self.shelf.edges[edge as usize];
        if let Some(test) = &state.act.test {
            let theirs = |index: &usize| test.calls[*index].edge == edge.name;
            let missing: Vec<usize> = state.act.own.missing().filter(theirs).collect();
            missing.into_iter().filter_map(|index| u32::try_from(index).ok()).for_each(|index| {
                state.came(index);
            });
        }
        let finding = Finding::NotReplayable {
            edge: edge.name.to_string(),
            owner: edge.owner.clone(),
            obstacle: obstacle.to_owned(),
        };
        if !state.act.findings.contains(&finding) {
            state.found(finding);
        }
        let message = format!("rehearsal: edge {} is {obstacle} and cannot be replayed", edge.name);
        Answer::Miss(Miss { message, details: Value::Null })
    }

    /// The recorded outcome of connecting to an edge, when that was a failure. An edge that failed
    /// whenever it was tried fails whenever it is tried; on another one, each recorded failure
    /// happens once.
    pub(crate) fn connect(&self, edge: EdgeNumber) -> Option<Failure> {
        let nothing = Value::Map(Map::new());
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        let identity = fingerprint(&facets.identity(&Map::new()));
        let values = fingerprint(&facets.request(&Map::new()));
        let mut state = self.state();
        let state = &mut *state;
        let asked =
            Asked { edge, identity, values, repeatable: false, optional: false, stands: false };
        let empty = Map::new();
        self.turn_to_claimant(state, asked, (&empty, &nothing));
        let makers = state.under_way();
        let State { desk, act: Act { rules, .. }, renaming, .. } = &mut *state;
        let judge = Forms::new(&self.shelf, (&empty, &nothing), rules, renaming);
        let pick = desk.pick(&self.shelf.library, asked, &judge, &makers);
        let always = self.shelf.edges[edge as usize].always_fails;
        let failure = match pick.verdict {
            Verdict::Mock(mock) if always.is_some() || state.failed.insert(mock) => {
                self.shelf.exchange(mock).failure
            }
            Verdict::Mock(_) | Verdict::Miss(_) => always,
        };
        if let Verdict::Mock(mock) = pick.verdict
            && failure.is_some()
            && let Place::Call { test, index } = self.shelf.library.entry(mock).place
            && test == state.number()
        {
            state.came(index);
        }
        self.called.notify_waiters();
        failure
    }

    /// Notes what concerns the tests under way and is no call.
    pub(crate) fn note(&self, finding: Finding) {
        let mut state = self.state();
        match state.others.is_empty() {
            true => _ = state.found(finding),
            false => {
                let all = state.under_way();
                state.strays(all, finding);
            }
        }
        drop(state);
        self.called.notify_waiters();
    }

    /// Whether a test has made no call and nothing was found.
    pub(crate) fn is_untouched(&self, test: TestId) -> bool {
        let state = self.of(test);
        state.act.findings.is_empty() && state.act.own.none_came()
    }

    /// Waits until a test has made all its calls, or a finding says that it will not.
    pub(crate) async fn all_called(&self, test: TestId) {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            {
                let state = self.of(test);
                let done = state.act.own.all_came() && state.talks.all_agree(state.number());
                if !state.act.findings.is_empty() || done {
                    return;
                }
            }
            called.await;
        }
    }

    /// What is wrong with the calls of a test, now that it is over.
    pub(crate) fn end(&self, test: TestId) -> Vec<Finding> {
        let mut state = self.of(test);
        state.act.is_over = !state.others.is_empty();
        let findings = std::mem::take(&mut state.act.findings);
        let beyond = state.act.beyond.take();
        let Some(test) = state.act.test.clone() else { return findings };
        let mut findings = self.told_as_one(&state, &test, beyond, findings);
        findings.extend(self.end_talks(&mut state, &test));
        let contradictions = findings.iter().filter_map(|finding| match finding {
            Finding::CallDiffers { differences, .. } => Some(differences),
            _ => None,
        });
        let contradictions: Vec<_> =
            contradictions.flat_map(|it| state.renaming.contradictions(it)).collect();
        findings.extend(contradictions);
        for index in state.act.own.missing() {
            let call = &test.calls[index];
            let operation = self.shelf.operation(&call.edge, &call.exchange.request);
            findings.push(Finding::CallMissing {
                call: index + 1,
                of: test.calls.len(),
                edge: call.edge.to_string(),
                owner: self.owner(&call.edge),
                operation,
                request: call.exchange.request.clone(),
            });
        }
        if let Some((early, before)) = state.act.own.overtaken() {
            let call = &test.calls[early];
            findings.push(Finding::CallOrder {
                call: early + 1,
                before: before + 1,
                of: test.calls.len(),
                edge: call.edge.to_string(),
                owner: self.owner(&call.edge),
                operation: self.shelf.operation(&call.edge, &call.exchange.request),
            });
        }
        findings
    }

    fn owner(&self, edge: &rehearsal_model::EdgeName) -> Option<String> {
        let edge = self.shelf.edges.iter().find(|known| known.name == *edge);
        edge.and_then(|edge| edge.owner.clone())
    }
}
