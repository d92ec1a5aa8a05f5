//! Requests that are answered while they are still being said: which mock they may become.
//!
//! Nothing is used up and nothing is a miss here: the whole request is asked about in the end.

use super::{Act, Stage, State, live_answer};
use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_compare::{Renaming, Rules, renamed};
use rehearsal_matching::{Asked, Judge, fingerprint};
use rehearsal_model::{Change, Difference, Map, TestId, Value};
use rehearsal_wire::{Answer, Facets};
use std::borrow::Cow;

impl Stage {
    /// What the mock answers that a request may become, with that mock's request under `asked`.
    pub(super) fn begun(&self, edge: EdgeNumber, request: &Map) -> Answer {
        let tests = self.state().under_way();
        let mut each = tests.into_iter().map(|test| self.begun_in(test, edge, request));
        each.find(|answer| !matches!(answer, Answer::Incomplete)).unwrap_or(Answer::Incomplete)
    }

    fn begun_in(&self, test: TestId, edge: EdgeNumber, request: &Map) -> Answer {
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        let mut guard = self.of(test);
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
        let State { desk, act: Act { rules, .. }, renaming, .. } = state;
        let judge = Beginnings {
            shelf: &self.shelf,
            facets,
            request: &renamed,
            form: &form,
            rules,
            renaming,
        };
        let library = &self.shelf.library;
        let due = desk.find_due(library, asked, &judge, |_| true);
        let Some(mock) = due.or_else(|| desk.find_again(library, asked, &judge)) else {
            return Answer::Incomplete;
        };
        drop(renamed);
        let exchange = self.shelf.exchange(mock);
        match live_answer(&self.shelf, mock, renaming) {
            Answer::Response(mut response) | Answer::Broken(mut response, _) => {
                response.insert("asked", exchange.request.clone());
                Answer::Response(response)
            }
            // It failed before it was heard to its end, and nothing is said before that.
            Answer::Failure(_) if facets.is_unheard(&exchange.request) => {
                Answer::Response(Map::from([("asked", Value::Map(exchange.request.clone()))]))
            }
            _ => Answer::Incomplete,
        }
    }
}

/// Compares as much of recorded requests as has come of one.
struct Beginnings<'a> {
    shelf: &'a Shelf,
    facets: &'a dyn Facets,
    request: &'a Map,
    form: &'a Value,
    rules: &'a Rules,
    renaming: &'a Renaming,
}

impl Judge for Beginnings<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        let Some(cut) = self.facets.cut(self.request, &self.shelf.exchange(mock).request) else {
            let change = Change::Added { actual: Value::Null };
            return vec![Difference { path: String::new(), change }];
        };
        let expected = self.facets.request(&cut);
        let again = self.shelf.answers_again(mock);
        let pairs = self.renaming.pairs(&expected, self.form, &self.shelf.root(mock), again);
        let form = match pairs.is_empty() {
            true => Cow::Borrowed(self.form),
            false => Cow::Owned(renamed(self.form, &pairs)),
        };
        self.shelf.compare(mock, &expected, &form, self.rules)
    }
}
