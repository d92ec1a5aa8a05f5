//! Requests that the server may leave unanswered until something happens: messages, queues.
//!
//! The recording says when it happens: once every call above the mock has come. What such a request
//! waits for in vain is never a miss.

use super::{Act, Forms, Stage, State, live_answer};
use crate::shelf::EdgeNumber;
use rehearsal_matching::{Asked, Place, fingerprint};
use rehearsal_model::{Map, Value};
use rehearsal_proxy::Reply;
use rehearsal_wire::{Answer, Miss};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a message that is due waits for the calls that were made at the same time, while the app rests:
/// one of them may be what caused it.
const CAUSE_PATIENCE: Duration = Duration::from_millis(100);

impl Stage {
    /// The answer once it is due, or what the protocol says when there is none in time.
    pub(super) fn answer_when_due(
        self: &Arc<Self>,
        edge: EdgeNumber,
        request: &Map,
        patience: Duration,
    ) -> Reply {
        if let Some(answer) = self.pick_due(edge, request, true) {
            return Reply::Now(answer);
        }
        let (stage, request) = (Arc::clone(self), request.clone());
        Reply::Later(Box::pin(async move {
            if let Ok(answer) = timeout(patience, stage.due(edge, &request)).await {
                return answer;
            }
            let facets = stage.shelf.edges[edge as usize].protocol().facets();
            let nothing = || Miss { message: String::new(), details: Value::Null };
            facets.usual(&request).map_or_else(|| Answer::Miss(nothing()), Answer::Response)
        }))
    }

    async fn due(&self, edge: EdgeNumber, request: &Map) -> Answer {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            if let Some(answer) = self.pick_due(edge, request, true) {
                return answer;
            }
            if !self.is_due(edge, request) {
                called.await;
            } else if self.patiently(CAUSE_PATIENCE, called).await.is_none()
                && let Some(answer) = self.pick_due(edge, request, false)
            {
                return answer;
            }
        }
    }

    /// Whether there is a mock and all calls above it have come.
    fn is_due(&self, edge: EdgeNumber, request: &Map) -> bool {
        self.find_due(edge, request, false, |_, _, _| ()).is_some()
    }

    /// The answer, if there is a mock and all calls above it have come; `alone` asks in addition
    /// that those have come that were made at the same time.
    fn pick_due(&self, edge: EdgeNumber, request: &Map, alone: bool) -> Option<Answer> {
        let answer = self.find_due(edge, request, alone, |state, mock, form| {
            let by = state.under_way();
            state.desk.use_due(&self.shelf.library, mock, &by);
            if let Place::Call { index, .. } = self.shelf.library.entry(mock).place {
                state.came(index);
            }
            state.bind(&self.shelf, mock, (request, form));
            live_answer(&self.shelf, mock, &mut state.renaming)
        })?;
        self.called.notify_waiters();
        Some(answer)
    }

    fn find_due<T>(
        &self,
        edge: EdgeNumber,
        request: &Map,
        alone: bool,
        then: impl FnOnce(&mut State, u32, &Value) -> T,
    ) -> Option<T> {
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        let mut guard = self.state();
        let state = &mut *guard;
        let renamed = state.renaming.to_recorded(request);
        let form = facets.request(&renamed);
        let identity = fingerprint(&facets.identity(&renamed));
        let asked = Asked {
            edge,
            identity,
            values: fingerprint(&form),
            repeatable: false,
            optional: false,
            stands: false,
        };
        let renamed = renamed.into_owned();
        for test in state.under_way() {
            state.turn_to(test);
            let State { desk, act: Act { rules, own, .. }, renaming, .. } = &*state;
            let judge = Forms::new(&self.shelf, (&renamed, &form), rules, renaming);
            let is_due = |index| {
                let waits_for_cause = alone && own.has_cause_to_come(index);
                !own.is_early(index) && !waits_for_cause
            };
            if let Some(mock) = desk.find_due(&self.shelf.library, asked, &judge, is_due) {
                return Some(then(state, mock, &form));
            }
        }
        None
    }
}
