//! The clock where it cannot be set: everything shows the real time, and making one says so.

use super::{ClockError, Shown};
use std::sync::Arc;

/// The wall clock of an app; there is none on this system.
#[derive(Debug)]
pub struct Clock(());

impl Clock {
    /// A clock that shows the real time until it is set.
    ///
    /// # Errors
    /// Always: this system is not supported.
    pub fn new() -> Result<Arc<Self>, ClockError> {
        Err(ClockError::NotHere)
    }

    /// Sets the clock.
    pub fn show(&self, _: Shown) {}
}

/// Answers a call that is about time.
#[cfg(target_os = "linux")]
pub(crate) fn answer(_: &Clock, call: crate::call::Waiting) {
    call.resume();
}
