//! Cuts what a client sends into commands: arrays of strings, or lines of words ("inline commands").

use super::resp::{Reader, Resp};
use super::{malformed, words};
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::Moment;

/// One command.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its name and arguments; there is at least one.
    pub(super) words: Vec<Bytes>,
    /// When its first byte came, or the rest of the command before it.
    pub(super) at: Moment,
}

/// What a client has sent and that is not used yet.
#[derive(Debug)]
pub(super) struct Inbox {
    reader: Reader,
    since: Moment,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Inbox { reader: Reader::new(limit), since: Moment::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.reader.is_empty() {
            self.since = at;
        }
        self.reader.push(bytes);
    }

    /// All that is unused.
    pub(super) fn take(&mut self) -> Bytes {
        self.reader.take()
    }

    /// The next command, once all of it has come. Servers pass over empty ones.
    pub(super) fn command(&mut self, now: Moment) -> Result<Option<Asked>, WireError> {
        loop {
            let words = match self.reader.first() {
                Some(first) if first != b'*' => {
                    let Some(line) = self.reader.line()? else { return Ok(None) };
                    words::split(&line)?.into_iter().map(Bytes::from).collect()
                }
                _ => match self.reader.strings() {
                    Some(words) => words,
                    None => match self.reader.next()? {
                        Some(value) => strings(value)?,
                        None => return Ok(None),
                    },
                },
            };
            let at = std::mem::replace(&mut self.since, now);
            if !words.is_empty() {
                return Ok(Some(Asked { words, at }));
            }
        }
    }
}

fn strings(value: Resp) -> Result<Vec<Bytes>, WireError> {
    let word = |item| match item {
        Resp::Bulk(word) => Ok(word),
        _ => Err(malformed("a command that is no list of strings")),
    };
    match value {
        Resp::Array(items) => items.into_iter().map(word).collect(),
        Resp::NilArray => Ok(Vec::new()),
        _ => Err(malformed("a command that is no list of strings")),
    }
}

/// A command as clients send it.
pub(super) fn encode(words: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::new();
    let words = words.iter().cloned().map(Resp::Bulk).collect();
    super::write::write(&Resp::Array(words), super::write::Version::Two, &mut out);
    out
}
