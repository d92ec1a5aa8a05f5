//! Cuts what a client sends into commands.

use super::asked::{Asked, length_place};
use super::lines::{Lines, number, words};
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::Moment;

/// What a client has sent and that is not used yet.
#[derive(Debug)]
pub(super) struct Inbox {
    lines: Lines,
    since: Moment,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Inbox { lines: Lines::new(limit), since: Moment::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.lines.is_empty() {
            self.since = at;
        }
        self.lines.push(bytes);
    }

    /// All that is unused.
    pub(super) fn take(&mut self) -> Bytes {
        self.lines.take()
    }

    /// The next command, and when its first byte came or the rest of the command before it.
    pub(super) fn command(&mut self, now: Moment) -> Result<Option<(Asked, Moment)>, WireError> {
        let Some((line, value)) = self.lines.next(announced)? else { return Ok(None) };
        let at = std::mem::replace(&mut self.since, now);
        Ok(Some((Asked::new(&line, value), at)))
    }
}

/// How long the value is that a line announces.
fn announced(line: &[u8]) -> Option<usize> {
    let words = words(line);
    number(words.get(length_place(words.first()?)?)?)
}
