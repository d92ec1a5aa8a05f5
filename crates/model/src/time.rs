//! Points in time, as plain numbers.
//!
//! Nothing here reads a clock: time arrives with the bytes.

/// Nanoseconds since the driver started: a monotonic clock, good for order and duration only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// The nanoseconds from `earlier` to here, zero when it is later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z by the wall clock; negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);
