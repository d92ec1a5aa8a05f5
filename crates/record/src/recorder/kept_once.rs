//! What is recorded once however often it is asked: questions for names, and the setting up of
//! connections.

use super::Recorder;
use crate::attribution::Finished;
use crate::edges::PartyId;
use rehearsal_model::{EdgeName, Exchange, Mock, TestId, Value};
use rehearsal_wire::Facets;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};

/// Changes kept of an answer that stands: a statement that means another table to each client has
/// one at every turn.
const CHANGES: u32 = 64;

/// What is kept of a question that is asked again and again.
pub(super) struct Asked {
    /// The fingerprint of its last answer, where that stands.
    answer: Option<u64>,
    /// How often that was another one.
    changes: u32,
}

impl Recorder {
    /// Each question is kept once, with its first answer: how often a name is asked for says
    /// nothing, since every runtime and machine caches in its own way.
    pub(super) fn resolved(&mut self, party: PartyId, exchange: Exchange) {
        let Some(protocol) = rehearsal_wire::protocol("dns") else { return };
        let edge = self.spoken.edge(&self.parties, party, Some(protocol.name()));
        *self.exchanges.entry(edge.clone()).or_default() += 1;
        self.once(edge, protocol.facets(), exchange);
    }

    /// Keeps an exchange that belongs to no test, unless an equal request is kept already with an
    /// answer that stands.
    pub(super) fn once(&mut self, edge: EdgeName, facets: &dyn Facets, exchange: Exchange) {
        let request = rehearsal_model::json::to_string(&facets.request(&exchange.request));
        let stands = facets.stands(&exchange.request);
        let answer = exchange
            .response
            .as_ref()
            .filter(|_| stands)
            .map(|answer| hash(&facets.response(&exchange.request, answer)));
        let calls = match self.asked.entry((edge.clone(), request)) {
            Entry::Vacant(place) => {
                place.insert(Asked { answer, changes: 0 });
                0
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                if answer.is_none() || answer == known.answer || known.changes == CHANGES {
                    return;
                }
                *known = Asked { answer, changes: known.changes + 1 };
                self.attribution.calls_before(exchange.started)
            }
        };
        let after = self.attribution.last();
        let (shared_by, of_test) = (Vec::new(), None);
        let mock = Mock { edge, exchange, after, calls, shared_by, of_test };
        if let Some(rotation) = self.rotation.as_mut().filter(|_| after != TestId(0)) {
            let mut kept = mock.clone();
            self.scrubber.scrub(&mut kept.exchange);
            rotation.keep(&kept);
        }
        self.finished.push(Finished::Mock(Box::new(mock)));
    }
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    rehearsal_model::json::to_string(value).hash(&mut hasher);
    hasher.finish()
}
