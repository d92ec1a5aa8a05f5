//! Calls that are made of messages: how they go, and whether that is as recorded.
//!
//! The session that plays such a call tells how far it has come as often as that is worth a look. Of a
//! test's own call all is judged, once when the test is over. Of one that belongs to no test only that
//! is judged which the app says in it, at once: how much it says there is not one test's affair.

use super::{Stage, State};
use crate::shelf::Shelf;
use rehearsal_compare::{compare, renamed};
use rehearsal_matching::Place;
use rehearsal_model::{
    Difference, Exchange, ExchangeId, Finding, Map, TestCase, TestId, Value, stream,
};
use rehearsal_proxy::ConnectionId;
use std::collections::BTreeMap;

/// On which connection a call is made, and its number there.
pub(crate) type On = (ConnectionId, ExchangeId);

/// The calls of this kind that are under way, or were in the current test.
#[derive(Default)]
pub(super) struct Talks(BTreeMap<On, Talk>);

struct Talk {
    mock: u32,
    place: Place,
    /// How it differs from the recording so far; none before anything was told.
    differences: Option<Vec<Difference>>,
}

impl Talks {
    /// A mock answers a call.
    pub(super) fn begin(&mut self, shelf: &Shelf, on: On, mock: u32) {
        let response = shelf.exchange(mock).response.as_ref();
        if response.and_then(stream::conversation).is_some() {
            let place = shelf.library.entry(mock).place;
            self.0.insert(on, Talk { mock, place, differences: None });
        }
    }

    /// Whether all of a test have gone as recorded.
    pub(super) fn all_agree(&self, test: TestId) -> bool {
        let agrees = |talk: &Talk| talk.differences.as_ref().is_some_and(Vec::is_empty);
        self.0.values().filter(|talk| talk.is_of(test).is_some()).all(agrees)
    }
}

impl Talk {
    /// Its place among the calls of a test.
    fn is_of(&self, current: TestId) -> Option<u32> {
        match self.place {
            Place::Call { test, index } if test == current => Some(index),
            _ => None,
        }
    }
}

impl Stage {
    /// How a call that is made of messages has gone so far.
    pub(crate) fn went(&self, on: On, exchange: &Exchange) {
        let mut state = self.state();
        state.suspects = None;
        let Some(talk) = state.talks.0.get(&on) else { return };
        if let Place::Call { test, .. } = talk.place {
            state.turn_to(test);
        }
        let number = state.number();
        let Some(talk) = state.talks.0.get(&on) else { return };
        let (mock, own) = (talk.mock, talk.is_of(number).is_some());
        let differences = self.differences(&mut state, mock, exchange, own);
        if own {
            state.talks.0.entry(on).and_modify(|talk| talk.differences = Some(differences));
        } else if !differences.is_empty() {
            let edge = self.shelf.library.entry(mock).edge;
            let nearest = Some((mock, differences));
            // Once is enough: the rest of it is told again with each message.
            state.talks.0.remove(&on);
            self.unexpected(&mut state, (edge, &exchange.request), nearest, true);
        }
        drop(state);
        self.called.notify_waiters();
    }

    /// Where a conversation differs from its mock. Of one that is not the test's own, what has not
    /// been said yet is no difference, nor is more of it.
    fn differences(
        &self,
        state: &mut State,
        mock: u32,
        exchange: &Exchange,
        own: bool,
    ) -> Vec<Difference> {
        let facets = self.shelf.edge_of(mock).protocol().facets();
        let recorded = self.shelf.exchange(mock);
        let form = |response: Option<&Map>| {
            let response = response.cloned().unwrap_or_default();
            let form = facets.response(&recorded.request, &response);
            form.as_map().and_then(|form| form.get(stream::CONVERSATION)).cloned()
        };
        let live = exchange.response.as_ref().map(|live| state.renaming.to_recorded(live));
        let expected = form(recorded.response.as_ref());
        let actual = form(live.as_deref());
        let (Some(mut expected), Some(mut actual)) = (expected, actual) else { return Vec::new() };
        if !own {
            (expected, actual) = both_said(&expected, &actual);
        }
        let again = self.shelf.answers_again(mock);
        let root = format!("{}.response.{}", self.shelf.root(mock), stream::CONVERSATION);
        let pairs = state.renaming.pairs(&expected, &actual, &root, again);
        let actual = renamed(&actual, &pairs);
        let differences = match own {
            true => compare(&expected, &actual, &root, &state.act.rules),
            false => compare(&expected, &actual, &root, &state.act.rules.of_no_test()),
        };
        if differences.is_empty() {
            let test = state.name();
            state.renaming.bind(pairs, &test);
        }
        differences
    }

    /// What is wrong with those of a test that is over.
    pub(super) fn end_talks(&self, state: &mut State, test: &TestCase) -> Vec<Finding> {
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut state.talks.0)
            .into_iter()
            .partition(|(_, talk)| talk.is_of(test.id).is_some());
        state.talks.0.extend(others);
        let differs = |(_, talk): (On, Talk)| {
            let index = talk.is_of(test.id)? as usize;
            let call = test.calls.get(index)?;
            let differences = talk.differences.unwrap_or_else(|| {
                let nothing = Map::from([(stream::CONVERSATION, Value::List(Vec::new()))]);
                let silent = Exchange { response: Some(nothing), ..Exchange::default() };
                self.differences(state, talk.mock, &silent, true)
            });
            (!differences.is_empty()).then(|| Finding::CallDiffers {
                call: index + 1,
                of: test.calls.len(),
                edge: call.edge.to_string(),
                owner: self.owner(&call.edge),
                operation: self.shelf.operation(&call.edge, &call.exchange.request),
                differences,
                answered: true,
            })
        };
        own.into_iter().filter_map(differs).collect()
    }
}

/// What the client says in two conversations, as far as both of them have got.
fn both_said(expected: &Value, actual: &Value) -> (Value, Value) {
    let said = |messages: &Value| -> Vec<Value> {
        let messages = messages.as_list().unwrap_or_default().iter();
        let sent =
            |message: &&Value| message.as_map().is_some_and(|it| it.get(stream::SENT).is_some());
        messages.filter(sent).cloned().collect()
    };
    let (mut expected, mut actual) = (said(expected), said(actual));
    let both = expected.len().min(actual.len());
    expected.truncate(both);
    actual.truncate(both);
    (Value::List(expected), Value::List(actual))
}
