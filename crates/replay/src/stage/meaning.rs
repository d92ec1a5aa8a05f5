//! What a request means in the terms of its protocol: found out once, and remembered for as long as
//! the same is asked again and again, as a pool, a poll or a loop does.
//!
//! Only what means the same at any time is remembered: a request without secrets, and without words
//! that look invented, which may come to stand for others.

use super::Stage;
use crate::shelf::EdgeNumber;
use rehearsal_compare::{may_be_renamed, value_may_be_renamed};
use rehearsal_matching::{Asked, fingerprint};
use rehearsal_model::{Exchange, Map, Value};
use rehearsal_store::scrub::Scrubber;
use rehearsal_wire::Facets;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// Requests that are remembered; when there are more, all are forgotten.
const MOST: usize = 1024;
/// The largest request that is remembered, in bytes.
const LARGEST: usize = 4096;

/// A request, as it would have been recorded, and what is looked for.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) request: Map,
    /// It in comparison form.
    pub(super) form: Value,
    pub(super) asked: Asked,
    /// Whether something in it looks invented, so that it may stand for something else.
    pub(super) renamed: bool,
}

impl Meaning {
    pub(super) fn of(facets: &dyn Facets, edge: EdgeNumber, request: Map) -> Self {
        let (form, identity) = (facets.request(&request), facets.identity(&request));
        let asked = Asked {
            edge,
            identity: fingerprint(&identity),
            values: fingerprint(&form),
            repeatable: facets.repeatable(&request),
            optional: facets.optional(&request),
            stands: facets.stands(&request),
        };
        let renamed = may_be_renamed(&request) || value_may_be_renamed(&identity);
        Meaning { request, form, asked, renamed }
    }
}

/// What becomes of a request.
pub(super) enum Understood {
    /// It is looked for.
    Whole(Arc<Meaning>),
    /// It is only what came so far of one.
    SoFar(Map),
    /// It may be left unanswered for so long.
    Waits(Map, Duration),
}

impl Stage {
    /// Reads a request of the app, without its secrets.
    pub(super) fn understand(
        &self,
        edge: EdgeNumber,
        request: Map,
        scrubber: &Scrubber,
    ) -> Understood {
        let mut state = self.state();
        let state = &mut *state;
        let mut plain = !state.known.is_repeated_in(&request);
        if let Some(meaning) = state.remembered.get(edge, &request).filter(|_| plain) {
            return Understood::Whole(Arc::clone(meaning));
        }
        let mut exchange = Exchange { request, ..Exchange::default() };
        plain &= !scrubber.scrub_knowing(&mut exchange, &mut state.known);
        let request = exchange.request;
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        if facets.is_so_far(&request) {
            return Understood::SoFar(request);
        }
        if let Some(patience) = facets.waits(&request) {
            return Understood::Waits(request, patience);
        }
        let request = match state.renaming.to_recorded(&request) {
            Cow::Owned(recorded) => recorded,
            Cow::Borrowed(_) => request,
        };
        let meaning = Arc::new(Meaning::of(facets, edge, request));
        if plain {
            state.remembered.keep(&meaning);
        }
        Understood::Whole(meaning)
    }
}

/// Requests that were asked before.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    by_hash: HashMap<u64, Arc<Meaning>>,
    hasher: RandomState,
}

impl Remembered {
    pub(super) fn get(&self, edge: EdgeNumber, request: &Map) -> Option<&Arc<Meaning>> {
        let known = self.by_hash.get(&self.hasher.hash_one((edge, request)))?;
        (known.asked.edge == edge && known.request == *request).then_some(known)
    }

    /// Remembers a request in which nothing was replaced, if it is of that kind.
    pub(super) fn keep(&mut self, meaning: &Arc<Meaning>) {
        let Meaning { request, asked, renamed, .. } = &**meaning;
        if *renamed || size(request) > LARGEST {
            return;
        }
        if self.by_hash.len() >= MOST {
            self.by_hash.clear();
        }
        let hash = self.hasher.hash_one((asked.edge, request));
        self.by_hash.insert(hash, Arc::clone(meaning));
    }
}

/// What a message takes, roughly, in bytes.
fn size(map: &Map) -> usize {
    map.iter().map(|(key, value)| key.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => number.as_str().len(),
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.iter().map(size_of_value).sum(),
        Value::Map(map) => size(map),
    };
    size_of::<Value>() + inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(edge: EdgeNumber, command: &str) -> Arc<Meaning> {
        let facets = rehearsal_wire::protocol("redis").unwrap().facets();
        Arc::new(Meaning::of(facets, edge, Map::from([("redis", command)])))
    }

    #[track_caller]
    fn check(command: &str, is_kept: bool) {
        let (mut remembered, meaning) = (Remembered::default(), meaning(1, command));
        remembered.keep(&meaning);
        let found = remembered.get(1, &meaning.request).map(|found| found.asked.values);
        assert_eq!(found, is_kept.then_some(meaning.asked.values));
        assert!(remembered.get(2, &meaning.request).is_none());
    }

    #[test]
    fn what_is_small_and_means_the_same_at_any_time_is_remembered() {
        check("GET a", true);
        check("GET 01234567-89ab-cdef-0123-456789abcdef", false);
        check(&"x".repeat(LARGEST), false);
    }

    #[test]
    fn no_more_is_remembered_than_so_many() {
        let mut remembered = Remembered::default();
        for number in 0..=MOST {
            remembered.keep(&meaning(0, &format!("GET {number}")));
        }
        assert!(remembered.by_hash.len() <= MOST);
        assert!(remembered.get(0, &Map::from([("redis", format!("GET {MOST}"))])).is_some());
    }
}
