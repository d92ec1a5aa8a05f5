//! How long answers took on each edge, for what a recording says of itself.
//!
//! A conversation that broke off has no time: nobody waited for its end. What was said at the start of a
//! connection, and questions for names, count for nothing here.

use rehearsal_model::{
    Edge, EdgeLatency, EdgeName, Exchange, Moment, TestCase, Times, without_waiting,
};
use std::collections::HashMap;
use std::time::Duration;

/// See the module.
#[derive(Default)]
pub(crate) struct Pace(HashMap<EdgeName, (Times, Times)>);

impl Pace {
    /// Counts an exchange.
    pub(crate) fn answered(&mut self, edge: &EdgeName, exchange: &Exchange) {
        if exchange.failure.is_none() && exchange.response.is_some() {
            let took = exchange.finished.since(exchange.started);
            self.0.entry(edge.clone()).or_default().0.add(took);
        }
    }

    /// Counts what the app itself took for a test.
    pub(crate) fn test(&mut self, test: &TestCase) {
        let TestCase { edge, exchange, calls, .. } = test;
        if exchange.failure.is_some() || exchange.response.is_none() {
            return;
        }
        let from_begin = |of: &Exchange| {
            let at = |moment| seconds(exchange, moment);
            (at(of.started), at(of.finished))
        };
        let waits = calls.iter().map(|call| from_begin(&call.exchange)).collect();
        let own = without_waiting(from_begin(exchange).1, waits);
        let own = Duration::try_from_secs_f64(own).unwrap_or_default();
        self.0.entry(edge.clone()).or_default().1.add(own);
    }

    /// The edges with what is known of their times.
    pub(crate) fn of(&self, mut edges: Vec<Edge>) -> Vec<Edge> {
        for edge in &mut edges {
            if let Some((answers, own)) = self.0.get(&edge.name) {
                edge.latency = EdgeLatency { answers: answers.latency(), own: own.latency() };
            }
        }
        edges
    }
}

/// Seconds from the beginning of an exchange.
fn seconds(exchange: &Exchange, moment: Moment) -> f64 {
    moment.since(exchange.started).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Call, Map, Role, TestId, Timestamp};

    fn exchange(from_ms: u64, to_ms: u64) -> Exchange {
        Exchange {
            response: Some(Map::new()),
            started: Moment(from_ms * 1_000_000),
            finished: Moment(to_ms * 1_000_000),
            ..Exchange::default()
        }
    }

    #[test]
    fn the_app_is_not_charged_with_what_it_waits_for() {
        let inbound = EdgeName::new(EdgeName::INBOUND);
        let payments = EdgeName::new("payments");
        let call = |from, to| Call {
            edge: payments.clone(),
            exchange: exchange(from, to),
            parallel: false,
        };
        let test = TestCase {
            id: TestId(1),
            name: "POST /orders".into(),
            at: Timestamp(0),
            edge: inbound.clone(),
            exchange: exchange(100, 110),
            calls: vec![call(101, 104), call(103, 107)],
            noise: Vec::new(),
            during: Vec::new(),
        };
        let mut pace = Pace::default();
        pace.test(&test);
        pace.answered(&inbound, &test.exchange);
        test.calls.iter().for_each(|call| pace.answered(&payments, &call.exchange));
        let edge = |name: &EdgeName, role| Edge {
            name: name.clone(),
            role,
            protocol: "http".into(),
            addresses: Vec::new(),
            tls: Default::default(),
            tables: Default::default(),
            latency: EdgeLatency::default(),
        };
        let edges = pace.of(vec![edge(&inbound, Role::Inbound), edge(&payments, Role::Outbound)]);
        let near = |found: Option<rehearsal_model::Latency>, ms: u64| {
            let micros = found.unwrap().p50_us;
            assert!(micros.abs_diff(ms * 1000) <= ms * 20, "{micros} µs, not {ms} ms");
        };
        near(edges[0].latency.answers, 10);
        near(edges[0].latency.own, 4);
        near(edges[1].latency.answers, 3);
        assert_eq!(edges[1].latency.own, None);
    }

    #[test]
    fn what_broke_off_has_no_time() {
        let mut pace = Pace::default();
        let edge = EdgeName::new("payments");
        let broken = rehearsal_model::Failure::Closed;
        pace.answered(&edge, &Exchange { failure: Some(broken), ..exchange(0, 9) });
        pace.answered(&edge, &Exchange { response: None, ..exchange(0, 9) });
        assert!(pace.0.is_empty());
    }
}
