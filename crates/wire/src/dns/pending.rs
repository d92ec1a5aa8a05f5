//! Queries that wait for their answers, found by number and question (RFC 5452 section 9.1).

use super::message::{Message, Question};
use rehearsal_model::{ExchangeId, Map, Moment};

/// A query that waits.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) exchange: ExchangeId,
    /// The transaction number.
    pub(super) id: u16,
    /// The header bits.
    pub(super) bits: u16,
    pub(super) question: Question,
    pub(super) request: Map,
    pub(super) at: Moment,
}

/// Queries that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(Vec<Query>);

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, query: Query) {
        self.0.push(query);
    }

    pub(super) fn contains(&self, id: u16, question: &Question) -> bool {
        self.0.iter().any(|query| query.id == id && query.question.same(question))
    }

    /// Takes the query that a response answers. One without a question, as servers send that could
    /// not read the query, is matched by its number alone.
    pub(super) fn answered(&mut self, response: &Message) -> Option<Query> {
        let same = |query: &Query| match &response.question {
            Some(question) => query.question.same(question),
            None => true,
        };
        let place = self.0.iter().position(|query| query.id == response.id && same(query))?;
        Some(self.0.remove(place))
    }

    /// Takes the query of an exchange.
    pub(super) fn take(&mut self, exchange: ExchangeId) -> Option<Query> {
        let place = self.0.iter().position(|query| query.exchange == exchange)?;
        Some(self.0.remove(place))
    }

    /// Takes the oldest.
    pub(super) fn oldest(&mut self) -> Option<Query> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }
}

impl Query {
    /// The exchange that this query became.
    pub(super) fn into_exchange(
        self,
        response: Option<Map>,
        failure: Option<rehearsal_model::Failure>,
        finished: Moment,
    ) -> rehearsal_model::Exchange {
        rehearsal_model::Exchange {
            request: self.request,
            response,
            failure,
            connection: 0,
            unit: None,
            started: self.at,
            finished,
        }
    }
}
