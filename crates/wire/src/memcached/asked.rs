//! One command: its words, without the length of its value, and the value.

use super::lines::words;
use super::unwritable;
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::{Map, Value};

/// Commands that store a value, with the place of its length in the line.
pub(super) fn length_place(command: &[u8]) -> Option<usize> {
    match command {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => Some(4),
        b"ms" => Some(2),
        _ => None,
    }
}

/// A command.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Without the length of the value.
    pub(super) words: Vec<Bytes>,
    pub(super) value: Option<Bytes>,
}

/// What the server says to a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Replies {
    /// Always something.
    Always,
    /// Nothing when all is as usual: a meta command with the flag `q`.
    Quietly,
    Never,
}

impl Asked {
    /// From a line as it was sent, and the data behind it.
    pub(super) fn new(line: &Bytes, value: Option<Bytes>) -> Self {
        let mut words: Vec<Bytes> =
            words(line).into_iter().map(|word| line.slice_ref(word)).collect();
        if value.is_some()
            && let Some(place) = words.first().and_then(|command| length_place(command))
            && place < words.len()
        {
            words.remove(place);
        }
        Asked { words, value }
    }

    /// From a recorded request.
    ///
    /// # Errors
    /// When the line or the value is neither text nor bytes.
    pub(super) fn read(request: &Map) -> Result<Self, WireError> {
        let bytes = |key: &str| match request.get(key) {
            None => Ok(None),
            Some(value) => match value.as_bytes() {
                Some(bytes) => Ok(Some(Bytes::copy_from_slice(bytes))),
                None => Err(unwritable(&format!("`{key}` must be text, not {}", value.kind()))),
            },
        };
        let line = bytes("memcached")?.unwrap_or_default();
        let words = words(&line).into_iter().map(|word| line.slice_ref(word)).collect();
        Ok(Asked { words, value: bytes("value")? })
    }

    /// It as a request.
    pub(super) fn request(&self) -> Map {
        let line = self.words.join(&b' ');
        let mut request = Map::from([("memcached", Value::from_bytes(&line))]);
        if let Some(value) = &self.value {
            request.push_new("value", Value::from_bytes(value));
        }
        request
    }

    pub(super) fn name(&self) -> &[u8] {
        self.words.first().map_or(b"", |name| name)
    }

    pub(super) fn is_meta(&self) -> bool {
        matches!(self.name(), b"mg" | b"ms" | b"md" | b"ma" | b"mn" | b"me")
    }

    /// The flags of a meta command.
    pub(super) fn flags(&self) -> &[Bytes] {
        match self.name() {
            b"mn" => self.words.get(1..).unwrap_or_default(),
            _ if self.is_meta() => self.words.get(2..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The flag that begins with a letter.
    pub(super) fn flag(&self, letter: u8) -> Option<&Bytes> {
        self.flags().iter().find(|flag| flag.first() == Some(&letter))
    }

    pub(super) fn replies(&self) -> Replies {
        match self.name() {
            b"quit" => Replies::Never,
            b"mn" => Replies::Always,
            _ if self.is_meta() && self.flag(b'q').is_some() => Replies::Quietly,
            b"get" | b"gets" | b"gat" | b"gats" | b"stats" | b"version" => Replies::Always,
            _ if self.is_meta() => Replies::Always,
            _ if self.words.len() > 1
                && self.words.last().is_some_and(|word| &**word == b"noreply") =>
            {
                Replies::Never
            }
            _ => Replies::Always,
        }
    }
}
