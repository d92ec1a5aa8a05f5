//! Where moments come from. Sessions are told the time; this is who tells them.

use rehearsal_model::Moment;
use std::time::Instant;

/// A monotonic clock that starts at zero. Copies show the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// The nanoseconds since the start. They last for 584 years.
    #[must_use]
    pub fn now(&self) -> Moment {
        let nanos = self.start.elapsed().as_nanos();
        Moment(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
