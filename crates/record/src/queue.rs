//! What connections tell the recorder, on its way there.
//!
//! Bounded by weight: when the recorder falls behind, whoever adds waits. The recorder is a thread
//! of its own that waits for nobody else, so the wait ends, and the traffic slows down instead of
//! the memory growing.

use rehearsal_model::{Exchange, Map, Value};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most that waits, in bytes or thereabouts. As much again is in the recorder's hands: it takes
/// all that is there at once.
const LIMIT: usize = 24 << 20;

/// What is worth waking the recorder for while it lets work gather.
const MUCH: usize = 4 << 20;
/// How long work gathers under load. Waking a thread for each message would cost more than the
/// message.
const GATHER: Duration = Duration::from_millis(2);
/// More messages than this at once are load.
const LOAD: usize = 64;

/// See the module.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    drained: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    weight: usize,
    /// Whether whoever takes lets work gather.
    gathering: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        let state = State { items: VecDeque::new(), weight: 0, gathering: false };
        Queue { state: Mutex::new(state), filled: Condvar::new(), drained: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds something of a weight, after waiting until there is room.
    pub(crate) fn push(&self, item: T, weight: usize) {
        let mut state = self.state();
        while state.weight > LIMIT {
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let much_before = state.weight > MUCH;
        state.weight += weight;
        let was_empty = state.items.is_empty();
        state.items.push_back(item);
        let wake = if state.gathering { !much_before && state.weight > MUCH } else { was_empty };
        drop(state);
        if wake {
            self.filled.notify_one();
        }
    }

    /// Waits for something and takes all that is there, in place of what was taken before. After a
    /// large batch it lets another one gather.
    pub(crate) fn take(&self, into: &mut VecDeque<T>, last: usize) {
        into.clear();
        let mut state = self.state();
        if last > LOAD && state.weight <= MUCH {
            state.gathering = true;
            let gathered = self.filled.wait_timeout(state, GATHER);
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
            state.gathering = false;
        }
        while state.items.is_empty() {
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(into, &mut state.items);
        state.weight = 0;
        drop(state);
        self.drained.notify_all();
    }
}

/// How much memory an exchange takes, roughly.
pub(crate) fn weight(exchange: &Exchange) -> usize {
    256 + map_weight(&exchange.request) + exchange.response.as_ref().map_or(0, map_weight)
}

fn map_weight(map: &Map) -> usize {
    map.iter().map(|(key, value)| 64 + key.len() + value_weight(value)).sum()
}

fn value_weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => 32 + text.len(),
        Value::Bytes(bytes) => 32 + bytes.len(),
        Value::Number(_) | Value::Null | Value::Bool(_) => 32,
        Value::List(list) => list.iter().map(|value| 32 + value_weight(value)).sum(),
        Value::Map(map) => map_weight(map),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn whoever_adds_waits_for_room() {
        let queue = Arc::new(Queue::new());
        queue.push(1, LIMIT + 1);
        let theirs = Arc::clone(&queue);
        let adding = std::thread::spawn(move || theirs.push(2, 1));
        let mut taken = VecDeque::new();
        queue.take(&mut taken, 0);
        assert_eq!(taken, [1]);
        adding.join().unwrap();
        queue.take(&mut taken, 1);
        assert_eq!(taken, [2]);
    }

    #[test]
    fn after_a_large_batch_nothing_is_lost_and_much_is_taken_at_once() {
        let queue = Arc::new(Queue::new());
        let theirs = Arc::clone(&queue);
        let adding = std::thread::spawn(move || (0..1000).for_each(|item| theirs.push(item, MUCH)));
        let (mut taken, mut all) = (VecDeque::new(), Vec::new());
        while all.len() < 1000 {
            queue.take(&mut taken, LOAD + 1);
            all.extend(taken.iter().copied());
        }
        adding.join().unwrap();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }
}
