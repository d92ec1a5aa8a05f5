//! The wall clock of the app while it is tested: which time it shows during which test.

use rehearsal_capture::{Clock, Shown, Way};
use rehearsal_model::{ClockSetting, Timestamp};
use std::sync::Arc;

/// The clock of an app under test.
pub(crate) struct Wall {
    setting: ClockSetting,
    clock: Option<Arc<Clock>>,
}

impl Wall {
    /// The clock that the settings ask for; and why it shows the real time, when they ask for another
    /// that cannot be shown.
    pub(crate) fn new(setting: ClockSetting, way: &Way) -> (Self, Option<String>) {
        let real = |why| (Wall { setting, clock: None }, why);
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
            Ok(clock) => (Wall { setting, clock: Some(clock) }, None),
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

    /// Sets the clock for a test that was recorded at this time.
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
