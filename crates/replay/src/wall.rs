//! The wall clock of the app while it is tested: which time it shows during which test.

use crate::shelf::{Shelf, nanoseconds};
use rehearsal_capture::{Clock, Shown, Way};
use rehearsal_compare::{Span, Times};
use rehearsal_model::{ClockSetting, TestCase, Timestamp, Value, stream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How long a test took of which the recording does not say it, at most, in nanoseconds.
const SHORT: i128 = 1_000_000_000;
/// By how much the clock may be late so that it does not go back: where tests that were recorded in a row
/// take longer than then, each begins when the one before it was over. Beyond, it is set as recorded.
const LATE: i128 = 60_000_000_000;

/// The clock of an app under test.
pub(crate) struct Wall {
    setting: ClockSetting,
    clock: Option<Arc<Clock>>,
    /// What the app's clock shows first, in nanoseconds since 1970.
    began: i128,
    /// When the last test began, and what the clock showed then.
    last: Mutex<Option<(Instant, i128)>>,
}

impl Wall {
    /// The clock that the settings ask for; and why it shows the real time, when they ask for another
    /// that cannot be shown.
    pub(crate) fn new(
        setting: ClockSetting,
        way: &Way,
        first: Option<Timestamp>,
    ) -> (Self, Option<String>) {
        let last = Mutex::default;
        let real = |why| (Wall { setting, clock: None, began: now(), last: last() }, why);
        if setting == ClockSetting::Real {
            return real(None);
        }
        if !matches!(way, Way::Supervisor(_)) {
            return real(Some(
                "the app sees the real time: its clock cannot be set with explicit ports \
                 (`clock: real` in rehearsal.yaml says that it need not be)"
                    .to_owned(),
            ));
        }
        match Clock::new() {
            Ok(clock) => {
                let wall = Wall { setting, clock: Some(clock), began: 0, last: last() };
                (Wall { began: wall.shown(first), ..wall }, None)
            }
            Err(error) => real(Some(format!("the app sees the real time: failed to {error}"))),
        }
    }

    /// What the app is to be given when it starts.
    pub(crate) fn clock(&self) -> Option<Arc<Clock>> {
        self.clock.clone()
    }

    /// The time that the app sees in a test that was recorded at some time, when it is not the real one.
    pub(crate) fn time(&self, recorded: Option<Timestamp>) -> Option<Timestamp> {
        self.clock.as_ref()?;
        match self.setting {
            ClockSetting::Real => None,
            ClockSetting::Recorded | ClockSetting::Frozen => recorded,
            ClockSetting::At(time) => Some(time),
        }
    }

    /// What the app's clock shows in a test that was recorded at some time, when it begins.
    fn shown(&self, recorded: Option<Timestamp>) -> i128 {
        self.time(recorded).map_or_else(now, nanoseconds)
    }

    /// Whether the clock shows in each test what it showed when that was recorded.
    fn follows(&self) -> bool {
        let follows = matches!(self.setting, ClockSetting::Recorded | ClockSetting::Frozen);
        follows && self.clock.is_some()
    }

    /// Which times may differ in a test that begins.
    pub(crate) fn times(&self, test: &Arc<TestCase>, shelf: &Shelf) -> Times {
        let begins = nanoseconds(test.at);
        let live = self.last().map_or_else(|| self.shown(Some(test.at)), |(_, shown)| shown);
        let took = test.exchange.finished.since(test.exchange.started).as_nanos();
        let recorded = begins..begins + i128::try_from(took).unwrap_or(0).max(SHORT);
        let told = Arc::clone(test);
        let times = Times::new(recorded, live..live, move || told_in(&told));
        let times = times.within(shelf.recorded(), self.began);
        if self.follows() { times.late_by(live - begins) } else { times.anywhere() }
    }

    /// Which times may differ before the first test.
    pub(crate) fn times_at_first(&self, shelf: &Shelf) -> Times {
        let recorded: Span = shelf.recorded();
        Times::new(recorded.clone(), self.began..self.began, Vec::new).within(recorded, self.began)
    }

    /// Sets the clock for a test that begins and was recorded at this time. It does not go back to where
    /// it was during an earlier one: apps take what they kept a moment ago for what comes from the future.
    pub(crate) fn begin(&self, recorded: Timestamp) {
        let mut shown = self.shown(Some(recorded));
        match self.reached().filter(|reached| (shown..shown + LATE).contains(reached)) {
            // It goes on as it is.
            Some(reached) => shown = reached,
            None => self.show(recorded),
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), shown));
    }

    /// What a clock that runs shows by now, since the last test began.
    fn reached(&self) -> Option<i128> {
        let runs = self.setting == ClockSetting::Recorded && self.clock.is_some();
        let (began, shown) = self.last().filter(|_| runs)?;
        Some(shown + i128::try_from(began.elapsed().as_nanos()).ok()?)
    }

    fn last(&self) -> Option<(Instant, i128)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the clock to when a test was recorded.
    pub(crate) fn show(&self, recorded: Timestamp) {
        let Some(clock) = &self.clock else { return };
        let nanoseconds = |time: Timestamp| time.0.saturating_mul(1_000_000);
        clock.show(match self.setting {
            ClockSetting::Real => Shown::Real,
            ClockSetting::Recorded => Shown::Running(nanoseconds(recorded)),
            ClockSetting::Frozen => Shown::Standing(nanoseconds(recorded)),
            ClockSetting::At(time) => Shown::Running(nanoseconds(time)),
        });
    }
}

/// What an app is told in a test.
fn told_in(test: &TestCase) -> Vec<Value> {
    let conversation = test.exchange.response.as_ref().and_then(stream::conversation);
    let sent = |it: &&Value| it.as_map().is_some_and(|it| it.get(stream::SENT).is_some());
    let said = conversation.unwrap_or_default().iter().filter(sent).cloned();
    let responses = test.calls.iter().filter_map(|call| call.exchange.response.as_ref());
    let answers = responses.map(|response| Value::Map(stream::without_sent(response)));
    [Value::Map(test.exchange.request.clone())].into_iter().chain(said).chain(answers).collect()
}

/// The real time, in nanoseconds since 1970.
fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
}
