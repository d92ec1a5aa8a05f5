//! Which times may differ: those that the app took from its clock.
//!
//! A test that is replayed shows the app the time at which it was recorded, but no app is as fast as it
//! was to the microsecond. So two times agree, form by form, when each lies within its own test (*now*),
//! or when they lie equally far from the beginning of their tests (`expires in an hour`), as far as the
//! lengths of the tests can tell, and nobody told the app the recorded one. A time that is off by an hour
//! or by a day agrees with nothing.

use crate::instant::{SECOND, Written, instants, whole};
use rehearsal_model::Value;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// By how much a time may lie outside its test: what is written in whole seconds has lost up to one, and
/// clocks that are looked at once a second are behind by as much.
const GRACE: i128 = SECOND;
/// How far from its test a plain number still means a time.
const NUMBERS: i128 = 400 * 86_400 * SECOND;
/// By what zones differ.
const ZONE: i128 = 15 * 60 * SECOND;
/// How far from UTC the farthest zone is.
const FARTHEST: i128 = 14 * 3600 * SECOND;

/// A stretch of time by a wall clock, in nanoseconds since 1970.
pub type Span = Range<i128>;

/// When a test was recorded and when, by the clock that the app sees, it is replayed.
#[derive(Clone)]
pub struct Times {
    recorded: Span,
    live: Span,
    /// The same of the recording and of the run so far.
    run: (Span, Span),
    /// Whether any time of the one agrees with any time of the other.
    anywhere: bool,
    /// By how much the clock that the app sees is late in this test.
    late: i128,
    told: Arc<Told>,
}

/// The times that the app was told in a test; read when they are first needed.
struct Told {
    read: Box<dyn Fn() -> Vec<Value> + Send + Sync>,
    instants: OnceLock<Vec<i128>>,
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times { recorded, live, run, anywhere, late, told: _ } = self;
        let mut out = f.debug_struct("Times");
        out.field("recorded", recorded).field("live", live).field("run", run);
        out.field("anywhere", anywhere).field("late", late).finish()
    }
}

impl Times {
    /// The times of a test. `told` gives what the app is told in it, when that is asked for.
    #[must_use]
    pub fn new(
        recorded: Span,
        live: Span,
        told: impl Fn() -> Vec<Value> + Send + Sync + 'static,
    ) -> Self {
        let told = Told { read: Box::new(told), instants: OnceLock::new() };
        let run = (recorded.clone(), live.clone());
        Times { recorded, live, run, anywhere: false, late: 0, told: Arc::new(told) }
    }

    /// When all of the recording was made, and from when on it is replayed.
    #[must_use]
    pub fn within(self, recorded: Span, live: i128) -> Self {
        let run = (recorded, live..self.live.end);
        Times { run, ..self }
    }

    /// Takes any time of the recording for any of the run: for what belongs to no test, and where the
    /// app sees a clock that does not follow the recorded one.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Times { anywhere: true, ..self }
    }

    /// Says by how much, in nanoseconds, the clock that the app sees is late in this test: what it kept of
    /// earlier ones is as much nearer.
    #[must_use]
    pub fn late_by(self, late: i128) -> Self {
        Times { late: late.max(0), ..self }
    }

    /// Notes how long the test has taken so far, in nanoseconds.
    pub fn has_taken(&mut self, length: i128) {
        self.live.end = self.live.start + length;
        self.run.1.end = self.live.end;
    }

    /// Whether two numbers are times that agree.
    pub(crate) fn numbers_agree(&self, expected: &str, actual: &str) -> bool {
        match (whole(expected), whole(actual)) {
            (Some(e), Some(a)) => e.is_number() && self.agree(&e, &a),
            _ => false,
        }
    }

    /// Whether two texts differ in nothing but times, and these agree.
    pub(crate) fn texts_agree(&self, expected: &str, actual: &str) -> bool {
        let (e_found, a_found) = (instants(expected), instants(actual));
        if e_found.is_empty() || e_found.len() != a_found.len() {
            return false;
        }
        let (mut e_from, mut a_from) = (0, 0);
        for (e, a) in e_found.iter().zip(&a_found) {
            let between = expected[e_from..e.range.start] == actual[a_from..a.range.start];
            let same = expected[e.range.clone()] == actual[a.range.clone()];
            if !between || !same && !self.agree(e, a) {
                return false;
            }
            (e_from, a_from) = (e.range.end, a.range.end);
        }
        expected[e_from..] == actual[a_from..]
    }

    fn agree(&self, expected: &Written, actual: &Written) -> bool {
        if expected.form != actual.form {
            return false;
        }
        let (e_away, a_away) = (expected.at - self.recorded.start, actual.at - self.live.start);
        if expected.is_number() && e_away.abs() > NUMBERS {
            return false;
        }
        let both = |(recorded, live): (&Span, &Span)| {
            is_within(expected, recorded) && is_within(actual, live)
        };
        if self.anywhere && both((&self.run.0, &self.run.1)) {
            return true;
        }
        let now = both((&self.recorded, &self.live));
        let length = |span: &Span| (span.end - span.start).max(0);
        let slack = length(&self.recorded).max(length(&self.live)) + self.late + GRACE;
        match expected.lasts <= SECOND {
            true => (e_away - a_away).abs() <= slack && (now || !self.was_told(expected)),
            false => now,
        }
    }

    /// Whether the app was told a time of the recording, however it was written.
    fn was_told(&self, instant: &Written) -> bool {
        let told = self.told.instants.get_or_init(|| {
            let mut told = Vec::new();
            (self.told.read)().iter().for_each(|value| note(value, &mut told));
            told.sort_unstable();
            told
        });
        let from = told.partition_point(|at| *at <= instant.at - SECOND);
        told.get(from).is_some_and(|at| *at < instant.at + SECOND)
    }
}

/// Whether a time may have been read from a clock within a span. One without a zone may be that of
/// anywhere.
fn is_within(instant: &Written, span: &Span) -> bool {
    let mut away = instant.at - span.start;
    if !instant.is_zoned() && instant.lasts <= SECOND && away.abs() <= FARTHEST + GRACE {
        away = (away + ZONE / 2).rem_euclid(ZONE) - ZONE / 2;
    }
    away + instant.lasts > -GRACE && away < (span.end - span.start).max(0) + GRACE
}

/// Notes the times in a value.
fn note(value: &Value, told: &mut Vec<i128>) {
    match value {
        Value::Text(text) => told.extend(instants(text).into_iter().map(|found| found.at)),
        Value::Number(number) => told.extend(whole(number.as_str()).map(|found| found.at)),
        Value::List(list) => list.iter().for_each(|value| note(value, told)),
        Value::Map(map) => map.iter().for_each(|(key, value)| {
            told.extend(instants(key).into_iter().map(|found| found.at));
            note(value, told);
        }),
        Value::Null | Value::Bool(_) | Value::Bytes(_) => {}
    }
}

/// A text with the times in it left out, when there are any: equal for texts whose times may agree.
pub(crate) fn without_times(text: &str) -> Option<Vec<&str>> {
    let found = instants(text);
    let mut from = 0;
    let mut parts: Vec<&str> = Vec::with_capacity(found.len() + 1);
    for instant in &found {
        parts.push(&text[from..instant.range.start]);
        from = instant.range.end;
    }
    parts.push(&text[from..]);
    (!found.is_empty()).then_some(parts)
}
