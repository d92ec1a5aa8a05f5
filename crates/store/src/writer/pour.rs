//! From a journal to files, frame by frame on a few threads: no more of a recording is held than
//! what these are at.

use crate::StoreError;
use crate::binary::BinaryError;
use crate::files::Files;
use crate::journal::{Entry, Frame, Reader};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Threads beyond these gain nothing: a file system is behind them.
const MOST_THREADS: usize = 8;
/// Bytes of the journal that are worked at; a frame that is larger is worked at alone.
const MOST_AT_ONCE: u64 = 16 << 20;
/// Bytes that a thread takes at a time, when frames are small.
const BATCH: u64 = 64 << 10;

/// Writes what a journal has up to the place `end`.
///
/// # Errors
/// When it is damaged before that, or a file cannot be written.
pub(super) fn pour(reader: Reader, end: u64, files: &Files<'_>) -> Result<(), StoreError> {
    let path = reader.path().to_owned();
    let source = Source { path, reader: Mutex::new(Some(reader)), end, budget: Budget::default() };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    thread::scope(|scope| {
        let run = || source.empty_into(files);
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut result = run();
        for other in others {
            match other.join() {
                Ok(done) => result = result.and(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

/// The journal, from which threads take turns.
struct Source {
    path: PathBuf,
    /// Gone when everything was taken, or something went wrong.
    reader: Mutex<Option<Reader>>,
    end: u64,
    budget: Budget,
}

impl Source {
    fn empty_into(&self, files: &Files<'_>) -> Result<(), StoreError> {
        loop {
            let result = self.take(files).and_then(|frames| {
                let more = !frames.is_empty();
                for (frame, _share) in frames {
                    self.write(frame, files)?;
                }
                Ok(more)
            });
            match result {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return Err(error);
                }
            }
        }
    }

    /// Takes frames that can be written by themselves. Mocks on the way are written here: they go
    /// into one file, in order.
    fn take(&self, files: &Files<'_>) -> Result<Vec<(Frame, Share<'_>)>, StoreError> {
        let mut place = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reader) = place.as_mut() else { return Ok(Vec::new()) };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while let Some(length) = reader.next_length()? {
            if !frames.is_empty() && bytes + length > BATCH {
                return Ok(frames);
            }
            let share = self.budget.share(length);
            let Some(frame) = reader.frame()? else { break };
            if frame.is_mock() {
                self.write(frame, files)?;
            } else {
                bytes += length;
                frames.push((frame, share));
            }
        }
        let at = reader.at();
        *place = None;
        let damage = BinaryError::Damaged(usize::try_from(at).unwrap_or(usize::MAX));
        if at < self.end { Err(self.unfit(damage)) } else { Ok(frames) }
    }

    fn write(&self, frame: Frame, files: &Files<'_>) -> Result<(), StoreError> {
        match frame.decode().map_err(|problem| self.unfit(problem))? {
            // The caller knows the last one already.
            Entry::Manifest(_) => Ok(()),
            Entry::Test(test) => files.test(&test),
            Entry::Mock(mock) => files.mock(&mock),
        }
    }

    fn unfit(&self, problem: BinaryError) -> StoreError {
        StoreError::Binary { path: self.path.clone(), problem }
    }
}

/// How many bytes of the journal are worked at.
#[derive(Default)]
struct Budget {
    used: Mutex<Used>,
    given_back: Condvar,
}

#[derive(Default)]
struct Used {
    bytes: u64,
    /// Whether somebody waits: to wake nobody is a call of the system all the same.
    wanted: bool,
}

/// A part of the budget, given back when it is dropped.
struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// Waits until there is room, or until nothing else is worked at. Whoever waits may hold a share
    /// only of what is small.
    fn share(&self, bytes: u64) -> Share<'_> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.bytes > 0 && used.bytes + bytes > MOST_AT_ONCE {
            used.wanted = true;
            used = self.given_back.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        used.bytes += bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.bytes -= self.bytes;
        if std::mem::take(&mut used.wanted) {
            self.budget.given_back.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_is_larger_than_the_budget_is_alone() {
        let budget = Budget::default();
        let (first, second) = (budget.share(MOST_AT_ONCE - 1), budget.share(1));
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let budget = &budget;
            scope.spawn(move || {
                let large = budget.share(MOST_AT_ONCE * 3);
                sender.send(budget.used.lock().unwrap().bytes).unwrap();
                drop(large);
            });
            drop(first);
            assert!(receiver.try_recv().is_err(), "the second is not given back");
            drop(second);
            assert_eq!(receiver.recv().unwrap(), MOST_AT_ONCE * 3);
        });
        assert_eq!(budget.used.lock().unwrap().bytes, 0);
    }
}
