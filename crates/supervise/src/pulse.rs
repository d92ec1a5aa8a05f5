//! Whether an app is doing something at this moment, or waits for others.
//!
//! A machine that has more to do than it can lets an app wait for its turn, as long as a second: who judges
//! it by what it has not done yet has to tell that from an app that will not do it.

use crate::platform;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// The process below which all of the app is.
    pub(crate) guard: i32,
}

impl Pulse {
    /// Whether one of its threads runs, or would if the machine let it. False where the system does not say.
    #[must_use]
    pub fn is_at_work(self) -> bool {
        self.guard > 0 && platform::is_at_work(self.guard)
    }
}
