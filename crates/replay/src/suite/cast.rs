//! The mocks of a suite by the test that made them: a stage for each test, one for those of none.

use super::onward::Onward;
use super::{Missed, News, OnMiss};
use crate::shelf::{EdgeNumber, Shelf};
use crate::stage::{On, Stage};
use rehearsal_capture::Caller;
use rehearsal_compare::Rules;
use rehearsal_matching::Place;
use rehearsal_model::{Exchange, Finding, Map, TestId};
use rehearsal_proxy::Reply;
use rehearsal_store::scrub::Scrubber;
use rehearsal_wire::Answer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Missed calls that are kept; an app that asks again and again says nothing new.
const MOST_MISSED: usize = 1000;

/// See the module.
pub(crate) struct Cast {
    /// Of the mocks of no test.
    common: Arc<Stage>,
    rules: Rules,
    /// The mocks of each test by their places, until the test is first met.
    entries: HashMap<String, Vec<rehearsal_matching::Entry>>,
    stages: Mutex<HashMap<String, Arc<Stage>>>,
    missed: Mutex<Vec<Missed>>,
    pub(super) news: Arc<Mutex<News>>,
    pub(super) on_miss: OnMiss,
    onward: Onward,
}

/// Who makes the calls of a connection.
#[derive(Clone)]
pub(crate) struct Voice {
    pub(crate) cast: Arc<Cast>,
    pub(crate) caller: Option<Caller>,
}

impl Cast {
    /// `common` has the mocks of no test.
    pub(super) fn new(common: Arc<Stage>, rules: Rules, on_miss: OnMiss, onward: Onward) -> Self {
        let mut entries: HashMap<String, Vec<_>> = HashMap::new();
        let mocks = common.shelf.heads();
        for entry in common.shelf.all_prints() {
            if let Place::Ambient { index, .. } | Place::Shared { index } = entry.place
                && let Some(test) = &mocks[index as usize].of_test
            {
                entries.entry(test.clone()).or_default().push(*entry);
            }
        }
        let (stages, missed, news) = Default::default();
        Cast { common, rules, entries, stages, missed, news, on_miss, onward }
    }

    /// The stage of a test, if it has mocks of its own.
    fn stage(&self, test: &str) -> Option<Arc<Stage>> {
        let entries = self.entries.get(test)?;
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.get(test) {
            return Some(Arc::clone(stage));
        }
        let shelf = Arc::new(Shelf::part(&self.common.shelf, entries.clone()).ok()?);
        let stage = Arc::new(Stage::new(shelf, self.rules.clone()));
        stages.insert(test.to_owned(), Arc::clone(&stage));
        Some(stage)
    }

    /// Notes what is missed and is no call, such as an unknown party.
    pub(super) fn note(&self, test: Option<String>, finding: Finding, answered: bool) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = missed.iter().any(|it| it.finding == finding && it.test == test);
        if missed.len() < MOST_MISSED && !known {
            missed.push(Missed { test, finding, answered });
        }
    }

    /// What was missed in the whole run.
    pub(super) fn take_missed(&self) -> Vec<Missed> {
        let mut left = vec![(None, Arc::clone(&self.common))];
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        left.extend(stages.iter().map(|(test, stage)| (Some(test.clone()), Arc::clone(stage))));
        drop(stages);
        left[1..].sort_by(|(one, _), (other, _)| one.cmp(other));
        for (test, stage) in left {
            for finding in stage.end(TestId(0)).into_iter().filter(is_miss) {
                self.note(test.clone(), finding, false);
            }
        }
        std::mem::take(&mut *self.missed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Voice {
    /// Which test is making calls.
    pub(super) fn test(&self) -> Option<String> {
        self.caller.as_ref().and_then(Caller::test)
    }

    /// The answer to a call.
    pub(crate) fn answer(
        &self,
        edge: EdgeNumber,
        on: On,
        request: Map,
        scrubber: &Arc<Scrubber>,
    ) -> Reply {
        let cast = &self.cast;
        let facets = cast.common.shelf.edges[edge as usize].protocol().facets();
        let test = facets.named_test(&request).or_else(|| self.test());
        let own = test.as_deref().and_then(|test| cast.stage(test));
        let mut finding = None;
        if let Some(stage) = own.filter(|stage| stage.shelf.has_mocks(edge)) {
            match stage.answer(edge, on, request.clone(), scrubber) {
                Reply::Now(Answer::Miss(_)) => finding = last_miss(&stage),
                answered => return answered,
            }
        }
        let answer = match cast.common.answer(edge, on, request.clone(), scrubber) {
            Reply::Now(answer @ Answer::Miss(_)) => answer,
            answered => return answered,
        };
        // A miss that says nothing is one that protocols provide for.
        let Some(found) = last_miss(&cast.common) else { return Reply::Now(answer) };
        let finding = match finding {
            Some(own) if nearest(&own) && !nearest(&found) => own,
            _ => found,
        };
        match cast.onward.send(edge, &request) {
            Some(sending) => {
                let (voice, scrubber) = (self.clone(), Arc::clone(scrubber));
                Reply::Later(Box::pin(async move {
                    let sent = sending.await;
                    voice.cast.note(test.clone(), finding, sent.is_some());
                    match sent {
                        Some(exchange) => {
                            voice.keep(edge, test, exchange.clone(), &scrubber);
                            crate::stage::answer_of(&exchange)
                        }
                        None => answer,
                    }
                }))
            }
            None => {
                cast.note(test, finding, false);
                Reply::Now(answer)
            }
        }
    }

    /// How a conversation has gone so far. The stage that began it knows it.
    pub(crate) fn went(&self, on: On, exchange: &Exchange) {
        self.cast.common.went(on, exchange);
        let stages = self.cast.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.values().for_each(|stage| stage.went(on, exchange));
    }

    /// Keeps what a dependency of the recording answered, if that is wanted.
    fn keep(
        &self,
        edge: EdgeNumber,
        of_test: Option<String>,
        mut exchange: Exchange,
        scrubber: &Scrubber,
    ) {
        if self.cast.on_miss != OnMiss::Record {
            return;
        }
        scrubber.scrub(&mut exchange);
        let edge = self.cast.common.shelf.edges[edge as usize].name.clone();
        let mut news = self.cast.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.mocks.push(super::overheard::mock(edge, exchange, of_test));
    }
}

fn is_miss(finding: &Finding) -> bool {
    let kinds = [
        matches!(finding, Finding::CallUnexpected { .. }),
        matches!(finding, Finding::UnknownEdge { .. }),
        matches!(finding, Finding::NotReplayable { .. }),
    ];
    kinds.contains(&true)
}

/// What a stage has found of the call that it has just missed.
fn last_miss(stage: &Stage) -> Option<Finding> {
    stage.end(TestId(0)).into_iter().rfind(is_miss)
}

fn nearest(finding: &Finding) -> bool {
    matches!(finding, Finding::CallUnexpected { nearest: Some(_), .. })
}
