//! Reads documents.
//!
//! Lengths are checked against the bytes that are there, and the number of elements against the
//! number of bytes, before anything is kept.

use super::super::malformed;
use super::{DEEPEST, is_mark, marked};
use crate::WireError;
use rehearsal_model::{Map, Number, Value};
use std::collections::HashSet;

/// How many elements a message may still have.
///
/// An element takes much more room as a value than as bytes; real documents need eight bytes or more
/// for most of theirs.
#[derive(Debug)]
pub(in super::super) struct Budget(usize);

impl Budget {
    pub(in super::super) fn of(bytes: usize) -> Self {
        Budget(1024 + bytes / 4)
    }

    fn spend(&mut self) -> Result<(), WireError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| malformed("too many elements"))?;
        Ok(())
    }
}

/// The document that begins the bytes, and how many bytes it takes.
pub(in super::super) fn document(
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<(Value, usize), WireError> {
    let length = skip(bytes)?;
    let mut reader = Reader { bytes: &bytes[..length], budget };
    Ok((reader.document(0)?, length))
}

/// The length of the document that begins the bytes.
pub(in super::super) fn skip(bytes: &[u8]) -> Result<usize, WireError> {
    let head = bytes.first_chunk::<4>().ok_or_else(|| malformed("a document that is cut off"))?;
    let length = usize::try_from(i32::from_le_bytes(*head)).unwrap_or(0);
    match length >= 5 && length <= bytes.len() {
        true => Ok(length),
        false => Err(malformed("a document whose length is wrong")),
    }
}

pub(super) struct Reader<'a, 'b> {
    bytes: &'a [u8],
    budget: &'b mut Budget,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) =
            self.bytes.split_at_checked(count).ok_or_else(|| malformed("a value cut off"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn chunk<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let taken = self.take(N)?.first_chunk::<N>();
        taken.copied().ok_or_else(|| malformed("a value cut off"))
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn length(&mut self) -> Result<usize, WireError> {
        let length = i32::from_le_bytes(self.chunk()?);
        usize::try_from(length).map_err(|_| malformed("a negative length"))
    }

    /// A text that a zero byte ends.
    pub(super) fn zero_ended(&mut self) -> Result<Value, WireError> {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| malformed("a name without an end"))?;
        let text = self.take(end + 1)?;
        Ok(text_or_bytes(&text[..end]))
    }

    /// A text that begins with its length.
    pub(super) fn string(&mut self) -> Result<Value, WireError> {
        let length = self.length()?;
        match self.take(length)?.split_last() {
            Some((0, text)) => Ok(text_or_bytes(text)),
            _ => Err(malformed("a text without an end")),
        }
    }

    pub(super) fn document(&mut self, depth: usize) -> Result<Value, WireError> {
        let pairs = self.pairs(depth)?;
        Ok(from_pairs(pairs))
    }

    fn pairs(&mut self, depth: usize) -> Result<Vec<(Value, Value)>, WireError> {
        if depth > DEEPEST {
            return Err(malformed("documents too deep in one another"));
        }
        let length = skip(self.bytes)?;
        let body = self.take(length)?;
        let Some((0, body)) = body[4..].split_last() else {
            return Err(malformed("a document without an end"));
        };
        let mut inside = Reader { bytes: body, budget: self.budget };
        let mut pairs = Vec::new();
        while !inside.bytes.is_empty() {
            inside.budget.spend()?;
            let [kind] = inside.chunk()?;
            let key = inside.zero_ended()?;
            pairs.push((key, inside.value(kind, depth)?));
        }
        Ok(pairs)
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, WireError> {
        Ok(match kind {
            0x01 => double(f64::from_le_bytes(self.chunk()?)),
            0x02 => self.string()?,
            0x03 => self.document(depth + 1)?,
            0x04 => list(self.pairs(depth + 1)?),
            0x08 => match self.chunk()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return Err(malformed("a boolean that is neither true nor false")),
            },
            0x0a => Value::Null,
            0x10 => Value::from(i32::from_le_bytes(self.chunk()?)),
            0x12 => long(i64::from_le_bytes(self.chunk()?)),
            kind => marked::read(kind, self, depth)?,
        })
    }
}

fn text_or_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Bytes(bytes.to_vec()),
    }
}

fn double(number: f64) -> Value {
    // The shortest digits that give the same number again, always with a point or an exponent.
    match Number::parse(&format!("{number:?}")) {
        Some(number) => Value::Number(number),
        None => marked::odd_double(number),
    }
}

/// An integer of 64 bits that 32 could hold has to say that it is one.
fn long(number: i64) -> Value {
    match i32::try_from(number) {
        Ok(small) => Map::from([("$numberLong", small.to_string())]).into(),
        Err(_) => number.into(),
    }
}

/// A map, if that says all that the document says.
fn from_pairs(pairs: Vec<(Value, Value)>) -> Value {
    let mut names = HashSet::with_capacity(pairs.len());
    let plain = pairs.iter().enumerate().all(|(place, (key, _))| {
        key.as_text().is_some_and(|key| names.insert(key) && (place > 0 || !is_mark(key)))
    });
    if !plain {
        return Map::from([("$document", in_pairs(pairs))]).into();
    }
    let mut map = Map::new();
    for (key, value) in pairs {
        if let Value::Text(key) = key {
            map.push_new(key, value);
        }
    }
    Value::Map(map)
}

/// A list, if the keys are what those of lists are.
fn list(pairs: Vec<(Value, Value)>) -> Value {
    let is_place = |(place, (key, _)): (usize, &(Value, Value))| {
        key.as_text().is_some_and(|key| key == place.to_string())
    };
    if !pairs.iter().enumerate().all(is_place) {
        return Map::from([("$array", in_pairs(pairs))]).into();
    }
    Value::List(pairs.into_iter().map(|(_, value)| value).collect())
}

fn in_pairs(pairs: Vec<(Value, Value)>) -> Value {
    Value::List(pairs.into_iter().map(|(key, value)| Value::List(vec![key, value])).collect())
}
