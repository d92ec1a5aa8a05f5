//! The order of the calls of one test.
//!
//! A call that began before the one above it had its answer is marked as parallel. Parallel calls
//! are put into an order that does not depend on chance, so that two recordings of the same traffic
//! are equal.

use crate::attribution::Seen;
use rehearsal_model::{Call, Moment, json};

/// The calls in order, with overlapping ones marked.
pub(crate) fn calls(mut seen: Vec<Seen>) -> Vec<Call> {
    seen.sort_by_key(|seen| seen.exchange.started);
    let mut calls = Vec::with_capacity(seen.len());
    let mut group: Vec<Seen> = Vec::new();
    let mut answered = Moment(0);
    for seen in seen {
        if seen.exchange.started >= answered {
            flush(&mut group, &mut calls);
            answered = Moment(0);
        }
        answered = answered.max(seen.exchange.finished);
        group.push(seen);
    }
    flush(&mut group, &mut calls);
    calls
}

fn flush(group: &mut Vec<Seen>, calls: &mut Vec<Call>) {
    if group.len() > 1 {
        group.sort_by_cached_key(|seen| {
            let request = seen.facets.request(&seen.exchange.request);
            let operation = seen.facets.operation(&seen.exchange.request);
            (seen.edge.clone(), operation, json::to_string(&request))
        });
    }
    for (place, seen) in group.drain(..).enumerate() {
        calls.push(Call { edge: seen.edge, exchange: seen.exchange, parallel: place > 0 });
    }
}
