//! The open streams of one connection, and how much is kept of them: of all together that has a limit.
//!
//! What a stream is differs between the roles; what is said on it is theirs to read.

use super::half::Half;
use super::malformed;
use crate::http::backlog::Backlog;
use crate::{Limits, WireError};
use std::collections::BTreeMap;

/// Open streams by their number.
pub(super) struct Streams<S> {
    limits: Limits,
    /// Boxed, since a map moves what stands beside that which comes or goes.
    open: BTreeMap<u32, Box<Slot<S>>>,
    /// The last stream that was begun.
    highest: u32,
    backlog: Backlog,
}

struct Slot<S> {
    stream: S,
    /// What the backlog has of it.
    kept: usize,
}

impl<S> Streams<S> {
    pub(super) fn new(limits: Limits) -> Self {
        Streams { limits, open: BTreeMap::new(), highest: 0, backlog: Backlog::new(limits) }
    }

    /// The last stream that was begun.
    pub(super) fn highest(&self) -> u32 {
        self.highest
    }

    /// Whether the client begins a stream by this number.
    pub(super) fn begins(&self, number: u32) -> Result<bool, WireError> {
        let begins = number > self.highest;
        if begins && number.is_multiple_of(2) {
            return Err(malformed("a stream of the client with an even number"));
        }
        Ok(begins)
    }

    /// Passes over a stream that is begun and not taken.
    pub(super) fn pass_over(&mut self, number: u32) {
        self.highest = self.highest.max(number);
    }

    /// Fails when one stream more, beside so many requests that have none yet, is too many.
    pub(super) fn check_count(&self, held: usize) -> Result<(), WireError> {
        self.backlog.check_count(self.open.len() + held)
    }

    pub(super) fn insert(&mut self, number: u32, stream: S) {
        self.pass_over(number);
        self.open.insert(number, Box::new(Slot { stream, kept: 0 }));
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn get(&self, number: u32) -> Option<&S> {
        self.open.get(&number).map(|slot| &slot.stream)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut S> {
        self.open.get_mut(&number).map(|slot| &mut slot.stream)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &S> {
        self.open.values().map(|slot| &slot.stream)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.open.values_mut().map(|slot| &mut slot.stream)
    }

    /// The numbers of all, for going through them while some end.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.open.keys().copied().collect()
    }

    /// The first stream that is open, of those above this number.
    pub(super) fn first_above(&self, number: u32) -> Option<u32> {
        self.open.range(number.saturating_add(1)..).next().map(|(number, _)| *number)
    }

    /// Keeps so many bytes more of a stream.
    pub(super) fn keep(&mut self, number: u32, size: usize) -> Result<(), WireError> {
        let Some(slot) = self.open.get_mut(&number) else { return Ok(()) };
        slot.kept += size;
        self.backlog.add(size)
    }

    /// Takes content of the half of a stream that `side` picks.
    pub(super) fn content(
        &mut self,
        number: u32,
        side: impl FnOnce(&mut S) -> Option<&mut Half>,
        bytes: &[u8],
        last: bool,
    ) -> Result<(), WireError> {
        let Some(slot) = self.open.get_mut(&number) else { return Ok(()) };
        let Some(half) = side(&mut slot.stream) else { return Ok(()) };
        let (kept, before) = half.data(bytes, last, self.limits);
        slot.kept = slot.kept + kept - before;
        self.backlog.remove(before);
        self.backlog.add(kept)
    }

    /// Keeps bytes where `place` says that they wait until it is known what a stream becomes; false when
    /// they do not.
    pub(super) fn hold(
        &mut self,
        number: u32,
        place: impl FnOnce(&mut S) -> Option<&mut Vec<u8>>,
        bytes: &[u8],
    ) -> Result<bool, WireError> {
        let Some(slot) = self.open.get_mut(&number) else { return Ok(false) };
        let Some(waiting) = place(&mut slot.stream) else { return Ok(false) };
        self.backlog.keep(waiting, bytes).map(|()| true)
    }

    /// Takes a stream out that is over, and with it what was kept.
    pub(super) fn remove(&mut self, number: u32) -> Option<S> {
        let slot = self.open.remove(&number)?;
        self.backlog.remove(slot.kept);
        Some(slot.stream)
    }
}
