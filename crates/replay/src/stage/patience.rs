//! Waiting for what the app may yet do, on a machine of any speed.
//!
//! That something does not come means that the app will not do it only if the app could have: what counts is
//! the time in which all of it waits for others, looked at again and again. It is said in steps of which each
//! has passed for us too, so that what holds us up does not count either.

use super::Stage;
use rehearsal_supervise::Pulse;
use std::time::Duration;
use tokio::time::timeout;

/// How often the app is looked at within the time that is waited.
const LOOKS: u32 = 6;
/// An app that is always at work is waited for so many times as long.
const MOST: u32 = 5;

impl Stage {
    /// Tells how to look at the app.
    pub(crate) fn watch(&self, pulse: Pulse) {
        // One app in the life of a stage.
        let _ = self.pulse.set(pulse);
    }

    /// Waits for something until the app has rested for so long; none if it did not come.
    pub(crate) async fn patiently<T>(
        &self,
        patience: Duration,
        coming: impl Future<Output = T>,
    ) -> Option<T> {
        let mut looks = Looks::default();
        tokio::pin!(coming);
        while !looks.suffice() {
            if let Ok(came) = timeout(patience / LOOKS, coming.as_mut()).await {
                return Some(came);
            }
            looks.add(self.pulse.get().is_some_and(|pulse| pulse.is_at_work()));
        }
        None
    }
}

/// How often an app was looked at, and how often it rested then.
#[derive(Default)]
struct Looks {
    all: u32,
    at_rest: u32,
}

impl Looks {
    fn add(&mut self, is_at_work: bool) {
        self.all += 1;
        self.at_rest += u32::from(!is_at_work);
    }

    fn suffice(&self) -> bool {
        self.at_rest >= LOOKS || self.all >= LOOKS * MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks it takes at an app that is at work when this says so.
    #[track_caller]
    fn check(is_at_work: impl Fn(u32) -> bool, expected: u32) {
        let mut looks = Looks::default();
        while !looks.suffice() {
            looks.add(is_at_work(looks.all));
        }
        assert_eq!(looks.all, expected);
    }

    #[test]
    fn only_the_looks_count_at_which_the_app_rests() {
        check(|_| false, 6);
        check(|look| look < 4, 10);
        check(|look| look % 2 == 0, 12);
        // It works on and on.
        check(|_| true, 30);
    }
}
