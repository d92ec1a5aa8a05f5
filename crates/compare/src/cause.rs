//! Where a failure comes from, of all that was found, and the mark by which it is known again.
//!
//! A call that finds no mock makes an app answer with an error, leave later calls out and take other
//! ways: what was found first is the cause, the rest follows. The mark is made of edge, operation,
//! paths and kinds of difference; ids, numbers, places in lists and values are left out of it. Who
//! answers for an edge is not decided here.

use crate::instant::{instants, whole};
use crate::words::words;
use rehearsal_model::{Cause, Change, Difference, EdgeName, Finding, Value};
use std::ops::Range;

/// How many places of a cause are kept.
const MAX_CHANGES: usize = 64;

/// The cause of a failed test of this name; of no findings, the test as a whole.
#[must_use]
pub fn cause(test: &str, findings: &[Finding]) -> Cause {
    let inbound = || EdgeName::INBOUND.to_owned();
    let Some(first) = findings.iter().min_by_key(|finding| rank(finding, findings)) else {
        return sealed(Cause { edge: inbound(), operation: template(test), ..Cause::default() });
    };
    let (edge, operation) = match first {
        Finding::CallMissing { edge, operation, .. }
        | Finding::CallDiffers { edge, operation, .. }
        | Finding::CallUnexpected { edge, operation, .. }
        | Finding::CallRepeated { edge, operation, .. }
        | Finding::CallMultiplied { edge, operation, .. }
        | Finding::CallOrder { edge, operation, .. } => (edge.clone(), template(operation)),
        Finding::UnknownEdge { address } => (party(address), "connect".to_owned()),
        Finding::NotReplayable { edge, .. } => (edge.clone(), "connect".to_owned()),
        _ => (inbound(), template(test)),
    };
    let changes = changes(first);
    let reason = reason(first, &changes, findings);
    sealed(Cause {
        edge,
        operation,
        finding: kind(first).to_owned(),
        changes,
        reason,
        ..Cause::default()
    })
}

/// Whether all that differs are times, on both sides, and something does.
#[must_use]
pub fn only_times_differ(findings: &[Finding]) -> bool {
    let is_time = |value: Option<&Value>| match value {
        Some(Value::Text(text)) => whole(text).is_some(),
        Some(Value::Number(number)) => whole(number.as_str()).is_some(),
        _ => false,
    };
    let times = |differences: &[Difference]| {
        !differences.is_empty()
            && differences.iter().all(|difference| {
                is_time(difference.change.expected()) && is_time(difference.change.actual())
            })
    };
    !findings.is_empty()
        && findings.iter().all(|finding| match finding {
            Finding::Response { differences } | Finding::CallDiffers { differences, .. } => {
                times(differences)
            }
            _ => false,
        })
}

/// A text without what varies: ids, times and numbers that stand alone become `{id}`, `{time}`, `{n}`.
#[must_use]
pub fn template(text: &str) -> String {
    let mut holes: Vec<(Range<usize>, &str)> = numbers(text).map(|range| (range, "{n}")).collect();
    holes.extend(words(text).into_iter().map(|word| (word.range, "{id}")));
    let times = instants(text).into_iter().filter(|time| !time.is_number());
    holes.extend(times.map(|time| (time.range, "{time}")));
    // Of two that overlap the longer one says more.
    holes.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    fill(text, holes)
}

/// An address without a port that the system chose.
fn party(address: &str) -> String {
    fill(address, words(address).into_iter().map(|word| (word.range, "{id}")).collect())
}

/// The text with signs in place of parts of it, which are in order.
fn fill(text: &str, holes: Vec<(Range<usize>, &str)>) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for (range, sign) in holes {
        if range.start >= from {
            out.push_str(&text[from..range.start]);
            out.push_str(sign);
            from = range.end;
        }
    }
    out + &text[from..]
}

/// Runs of digits with neither a letter nor a digit beside them.
fn numbers(text: &str) -> impl Iterator<Item = Range<usize>> {
    let parts = text.split(|char: char| !char.is_alphanumeric() && char != '_');
    let base = text.as_ptr() as usize;
    parts.filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())).map(
        move |part| {
            let start = part.as_ptr() as usize - base;
            start..start + part.len()
        },
    )
}

/// How near a finding is to the cause; the lowest is it.
fn rank(finding: &Finding, all: &[Finding]) -> (u8, usize) {
    match finding {
        Finding::AppExited { .. } => (0, 0),
        Finding::UnknownEdge { .. } | Finding::NotReplayable { .. } => (1, 0),
        Finding::CallDiffers { call, .. } => (2, *call),
        Finding::CallUnexpected { .. } | Finding::CallMultiplied { .. } => (3, 0),
        Finding::CallRepeated { .. } => (4, 0),
        // An app that answers otherwise without having asked anything else decided by itself.
        Finding::Response { differences } if gave_up(differences) && only_left_out(all) => (5, 0),
        Finding::CallMissing { call, .. } => (6, *call),
        Finding::CallOrder { call, .. } => (7, *call),
        Finding::Contradiction { .. } => (8, 0),
        Finding::TimedOut { .. } => (9, 0),
        Finding::NoAnswer { .. } => (10, 0),
        Finding::Response { .. } => (11, 0),
    }
}

/// Whether all other findings are calls that were not made.
fn only_left_out(all: &[Finding]) -> bool {
    let left_out =
        |one: &Finding| matches!(one, Finding::CallMissing { .. } | Finding::Response { .. });
    all.iter().all(left_out)
}

fn status(differences: &[Difference]) -> Option<&Difference> {
    differences.iter().find(|difference| difference.path == "response.status")
}

fn gave_up(differences: &[Difference]) -> bool {
    status(differences).is_some()
}

/// The word of a finding, as in `docs/events.md`.
fn kind(finding: &Finding) -> &'static str {
    match finding {
        Finding::Response { .. } => "response",
        Finding::NoAnswer { .. } => "no-answer",
        Finding::TimedOut { .. } => "timed-out",
        Finding::CallMissing { .. } => "call-missing",
        Finding::CallDiffers { .. } => "call-differs",
        Finding::CallUnexpected { .. } => "call-unexpected",
        Finding::CallRepeated { .. } => "call-repeated",
        Finding::CallMultiplied { .. } => "call-multiplied",
        Finding::CallOrder { .. } => "call-order",
        Finding::Contradiction { .. } => "contradiction",
        Finding::UnknownEdge { .. } => "unknown-edge",
        Finding::NotReplayable { .. } => "not-replayable",
        Finding::AppExited { .. } => "app-exited",
    }
}

/// What differs, without what varies.
fn changes(finding: &Finding) -> Vec<String> {
    let mut changes: Vec<String> = match finding {
        Finding::Response { differences } => match status(differences) {
            // All else follows from another status; which one it is does not vary.
            Some(status) => vec![format!("response.status {}", values(&status.change))],
            None => differences.iter().map(change).collect(),
        },
        Finding::CallDiffers { differences, .. } => differences.iter().map(change).collect(),
        Finding::Contradiction { at, .. } => vec![place(at)],
        Finding::AppExited { how } | Finding::NotReplayable { obstacle: how, .. } => {
            vec![how.clone()]
        }
        _ => Vec::new(),
    };
    changes.sort();
    changes.dedup();
    changes.truncate(MAX_CHANGES);
    changes
}

fn change(difference: &Difference) -> String {
    let how = match &difference.change {
        Change::Missing { .. } => "missing",
        Change::Added { .. } => "added",
        Change::Changed { .. } => "changed",
        Change::Retyped { .. } => "retyped",
    };
    format!("{} {how}", place(&difference.path))
}

fn values(change: &Change) -> String {
    let text = |value: Option<&Value>| {
        value.map_or_else(|| "nothing".to_owned(), rehearsal_model::json::to_string)
    };
    format!("{} instead of {}", text(change.actual()), text(change.expected()))
}

/// A path without the number of its call, places in lists, and keys that are ids.
fn place(path: &str) -> String {
    let rest = path.strip_prefix("calls[").and_then(|rest| rest.split_once("]."));
    let path = rest.map_or(path, |(_, rest)| rest);
    template(path).replace("[{n}]", "[]")
}

fn reason(cause: &Finding, changes: &[String], all: &[Finding]) -> String {
    let at = match changes {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let own = match cause {
        Finding::CallDiffers { edge, .. } => {
            format!("the first call that differs is to {edge}: {at}")
        }
        Finding::CallUnexpected { edge, .. } => {
            format!("the app asks {edge} what was not recorded")
        }
        Finding::CallRepeated { edge, .. } => {
            format!("the app asks {edge} more often than recorded")
        }
        Finding::CallMultiplied { edge, came, recorded, .. } => {
            format!(
                "the app asks {edge} the same {came} times with other values, recorded {recorded}"
            )
        }
        Finding::CallMissing { edge, .. } => format!("the app no longer asks {edge}"),
        Finding::CallOrder { edge, .. } => format!("the app asks {edge} too early"),
        Finding::Response { .. } if all.len() > 1 => {
            format!("the app decides otherwise before it makes its calls: {at}")
        }
        Finding::Response { .. } => {
            format!("all calls are as recorded and the answer differs: {at}")
        }
        Finding::NoAnswer { .. } => "the app broke its answer off".to_owned(),
        Finding::TimedOut { .. } => "the app did not answer in time".to_owned(),
        Finding::Contradiction { .. } => format!("the app mixes up values that it invented: {at}"),
        Finding::UnknownEdge { .. } => "the app calls a party that was not recorded".to_owned(),
        Finding::NotReplayable { edge, .. } => format!("{edge} cannot be replayed: {at}"),
        Finding::AppExited { .. } => format!("the app ended: {at}"),
    };
    match all.len() {
        0 | 1 => own,
        2 => format!("{own}; one more finding follows from it"),
        more => format!("{own}; {} more findings follow from it", more - 1),
    }
}

/// The cause with its fingerprint (64 bits of FNV-1a, which needs no key and never changes).
fn sealed(mut cause: Cause) -> Cause {
    let head = [&cause.edge, &cause.operation, &cause.finding];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in head.into_iter().chain(&cause.changes) {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    cause.fingerprint = format!("{hash:016x}");
    cause
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::Map;

    fn changed(path: &str, expected: i64, actual: i64) -> Difference {
        let (expected, actual) = (Value::from(expected), Value::from(actual));
        Difference { path: path.to_owned(), change: Change::Changed { expected, actual } }
    }

    fn call_differs(call: usize, operation: &str, path: &str, actual: i64) -> Finding {
        Finding::CallDiffers {
            call,
            of: 3,
            edge: "payments".to_owned(),
            owner: None,
            operation: operation.to_owned(),
            differences: vec![changed(path, 1, actual)],
            answered: false,
        }
    }

    fn missing(edge: &str) -> Finding {
        Finding::CallMissing {
            call: 3,
            of: 3,
            edge: edge.to_owned(),
            owner: None,
            operation: "SEND".to_owned(),
            request: Map::default(),
        }
    }

    #[test]
    fn what_varies_is_left_out_of_a_template() {
        for (text, expected) in [
            ("GET /orders/17/items/3", "GET /orders/{n}/items/{n}"),
            ("GET /v1/users/0b0d2a6c-6c1e-4a9e-9d2e-5b7f1a2c3d4e", "GET /v1/users/{id}"),
            ("GET /days/2026-11-20T10:00:00Z", "GET /days/{time}"),
            ("SELECT orders2", "SELECT orders2"),
            ("GET cart:17", "GET cart:{n}"),
            ("ü/17", "ü/{n}"),
            ("", ""),
        ] {
            assert_eq!(template(text), expected);
        }
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_values_places_and_numbers() {
        let one = [call_differs(2, "PUT /charges/17", "calls[1].body.items[0].amount", 5)];
        let other = [
            call_differs(3, "PUT /charges/99", "calls[2].body.items[4].amount", 7),
            Finding::Response { differences: vec![changed("response.status", 200, 502)] },
        ];
        let (one, other) = (cause("GET /a/1", &one), cause("POST /b", &other));
        assert_eq!(one.fingerprint, other.fingerprint);
        assert_eq!(one.edge, "payments");
        assert_eq!(one.changes, ["body.items[].amount changed"]);
        assert!(other.reason.ends_with("one more finding follows from it"), "{}", other.reason);
        let elsewhere = cause("GET /a/1", &[call_differs(2, "PUT /charges/17", "body.fee", 5)]);
        assert_ne!(one.fingerprint, elsewhere.fingerprint);
        assert_eq!(one.fingerprint, "d3ca5d2b6c2846c4", "it must never change");
    }

    #[test]
    fn an_app_that_gives_up_is_the_cause_of_the_calls_it_left_out() {
        let answer = Finding::Response { differences: vec![changed("response.status", 200, 400)] };
        let gave_up = cause("POST /orders", &[missing("mail"), answer]);
        assert_eq!((gave_up.edge.as_str(), gave_up.finding.as_str()), ("inbound", "response"));
        assert_eq!(gave_up.changes, ["response.status 400 instead of 200"]);
        let same = Finding::Response { differences: vec![changed("response.body.total", 1, 2)] };
        let silent = cause("POST /orders", &[missing("mail"), same]);
        assert_eq!((silent.edge.as_str(), silent.finding.as_str()), ("mail", "call-missing"));
    }
}
