//! A set in its order, of which nearly all comes at the end and goes from the beginning: there, neither
//! depends on how much is in it, and a test may make many thousands of calls.
//!
//! What comes or goes elsewhere moves what stands between it and the nearer end.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Room for more than this is not kept for what may come once nothing is left.
const ROOM: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct InOrder<T>(VecDeque<T>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder(VecDeque::new())
    }
}

impl<T: Copy + Ord> InOrder<T> {
    /// Adds something, unless it is there.
    pub(crate) fn insert(&mut self, it: T) {
        if self.0.back().is_none_or(|last| *last < it) {
            self.0.push_back(it);
        } else if let Err(place) = self.0.binary_search(&it) {
            self.0.insert(place, it);
        }
    }

    /// Takes something out, if it is there.
    pub(crate) fn remove(&mut self, it: &T) {
        if self.0.front() == Some(it) {
            self.0.pop_front();
        } else if let Ok(place) = self.0.binary_search(it) {
            self.0.remove(place);
        }
        if self.0.is_empty() && self.0.capacity() > ROOM {
            self.0 = VecDeque::new();
        }
    }

    pub(crate) fn first(&self) -> Option<T> {
        self.0.front().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// All from a place on.
    pub(crate) fn since(&self, first: T) -> impl Iterator<Item = &T> {
        self.0.range(self.0.partition_point(|it| *it < first)..)
    }

    /// The last within bounds.
    pub(crate) fn last_within(&self, bounds: &RangeInclusive<T>) -> Option<T> {
        let end = self.0.partition_point(|it| it <= bounds.end());
        let last = self.0.get(end.checked_sub(1)?)?;
        (last >= bounds.start()).then_some(*last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set_in_order(steps in proptest::collection::vec((any::<bool>(), 0u8..40), 0..200)) {
            let (mut found, mut expected) = (InOrder::default(), BTreeSet::new());
            for (adds, number) in steps {
                if adds {
                    found.insert(number);
                    expected.insert(number);
                } else {
                    found.remove(&number);
                    expected.remove(&number);
                }
                prop_assert_eq!(found.first(), expected.first().copied());
                let bounds = number / 2..=number;
                prop_assert_eq!(found.last_within(&bounds), expected.range(bounds).next_back().copied());
                prop_assert!(found.since(number).eq(expected.range(number..)));
                prop_assert!(found.iter().eq(&expected));
            }
        }
    }

    #[test]
    fn it_keeps_no_room_for_what_is_gone() {
        let mut many = InOrder::default();
        (0..10 * ROOM).for_each(|number| many.insert(number));
        (0..10 * ROOM).for_each(|number| many.remove(&number));
        assert!(many.0.capacity() <= ROOM);
    }
}
