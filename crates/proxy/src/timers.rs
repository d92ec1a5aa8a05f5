//! The ticks that a session asked for. A connection without any holds no timer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Ticks closer together than this are one, which bounds how many can be outstanding.
const GRAIN: Duration = Duration::from_millis(1);

/// The most ticks outstanding; those asked for beyond are due with the last.
const MOST: usize = 1024;

/// The ticks that a session asked for.
#[derive(Default)]
pub(crate) struct Timers {
    due: BinaryHeap<Reverse<Instant>>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timers {
    /// Asks for a tick.
    pub(crate) fn wake(&mut self, after: Duration) {
        // A time beyond the clock's reach never comes.
        let Some(at) = Instant::now().checked_add(after) else { return };
        let near = |other: &Reverse<Instant>| {
            other.0 >= at && other.0.saturating_duration_since(at) < GRAIN
        };
        if self.due.len() < MOST && !self.due.iter().any(near) {
            self.due.push(Reverse(at));
            self.arm();
        }
    }

    /// Whether no tick is outstanding.
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Ready when a tick is due; that one is taken off.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.sleep.as_mut().map(|sleep| sleep.as_mut().poll(cx)) {
            None | Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(())) => {
                self.due.pop();
                self.arm();
                Poll::Ready(())
            }
        }
    }

    fn arm(&mut self) {
        match (self.due.peek(), self.sleep.as_mut()) {
            (None, _) => self.sleep = None,
            (Some(Reverse(at)), Some(sleep)) => sleep.as_mut().reset(*at),
            (Some(Reverse(at)), None) => self.sleep = Some(Box::pin(sleep_until(*at))),
        }
    }
}
