//! The order of the calls of one test.
//!
//! A call that began before the one above it had its answer is marked as parallel. Parallel calls
//! are put into an order that does not depend on chance, so that two recordings of the same traffic
//! are equal.

use crate::attribution::{Seen, placed};
use rehearsal_model::{Call, EdgeName, json};

/// The calls in order, with overlapping ones marked.
pub(crate) fn calls(mut seen: Vec<(EdgeName, Seen)>) -> Vec<Call> {
    seen.sort_by_key(|(_, seen)| seen.exchange.started);
    let mut calls = Vec::with_capacity(seen.len());
    let mut group: Vec<(EdgeName, Seen)> = Vec::new();
    let mut answered = rehearsal_model::Moment(0);
    for (edge, seen) in seen {
        if seen.exchange.started >= answered {
            flush(&mut group, &mut calls);
            answered = rehearsal_model::Moment(0);
        }
        answered = answered.max(seen.exchange.finished);
        group.push((edge, seen));
    }
    flush(&mut group, &mut calls);
    calls
}

fn flush(group: &mut Vec<(EdgeName, Seen)>, calls: &mut Vec<Call>) {
    if group.len() > 1 {
        group.sort_by_cached_key(|(edge, seen)| {
            let request = seen.facets.request(&seen.exchange.request);
            let operation = seen.facets.operation(&seen.exchange.request);
            (edge.clone(), operation, json::to_string(&request))
        });
    }
    for (place, (edge, seen)) in group.drain(..).enumerate() {
        calls.push(placed(edge, seen.exchange, place > 0));
    }
}
