//! Data that is copied in or out in bulk (`COPY … FROM STDIN`, `COPY … TO STDOUT`).

use super::fields::Fields;
use super::frames::{self, Frames};
use super::sql::{Kind, Token, statements};
use super::{malformed, unwritable};
use crate::WireError;
use rehearsal_model::{Map, Value};
use sha2::{Digest, Sha256};

/// What follows the signature of the binary form: flags and the length of an extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Copied data and what was said about it.
#[derive(Debug, Default)]
pub(super) struct Data {
    binary: bool,
    columns: usize,
    bytes: Vec<u8>,
    length: u64,
    /// Present once the limit is passed; `bytes` is empty from then on.
    hash: Option<Sha256>,
}

impl Data {
    pub(super) fn new(binary: bool) -> Self {
        Data { binary, ..Data::default() }
    }

    /// Reads a CopyInResponse or a CopyOutResponse. Data may have come before it.
    pub(super) fn begin(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(body);
        self.binary = fields.byte()? == 1;
        self.columns = fields.count()?;
        Ok(())
    }

    /// Adds a piece. Of data larger than the limit, length and hash are kept.
    pub(super) fn push(&mut self, piece: &[u8], limit: usize) {
        self.length = self.length.saturating_add(piece.len() as u64);
        if self.hash.is_none() && self.bytes.len() + piece.len() > limit {
            self.hash = Some(Sha256::new_with_prefix(&self.bytes));
            self.bytes = Vec::new();
        }
        match &mut self.hash {
            Some(hash) => hash.update(piece),
            None => self.bytes.extend_from_slice(piece),
        }
    }

    /// The data as recordings have it: text or bytes, and how many columns a server said it has.
    pub(super) fn into_map(self, key: &str, map: &mut Map) {
        match (self.hash, self.binary) {
            (Some(hash), _) => {
                let hash = hash.finalize();
                let sha256: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let length = Value::from(self.length);
                let omitted = Map::from([("length", length), ("sha256", sha256.into())]);
                map.insert("copy_omitted", omitted);
            }
            (None, binary) => {
                let all = match binary {
                    true => Value::Bytes(self.bytes),
                    false => Value::from_bytes(&self.bytes),
                };
                map.insert(key, all);
            }
        }
        if self.binary {
            map.insert("copy_format", "binary");
        }
        if self.columns > 0 {
            map.insert("copy_columns", self.columns);
        }
    }
}

/// What an app that sends data to be copied in is told to send: whether in binary, and the number
/// of columns as far as the statement names them. `None` when it is another statement, or several.
pub(super) fn wanted(sql: &str) -> Option<(bool, usize)> {
    match &statements(sql)[..] {
        [statement] => wants(statement),
        _ => None,
    }
}

/// As [`wanted`], of one statement.
pub(super) fn wants(statement: &[Token<'_>]) -> Option<(bool, usize)> {
    let stdin = statement.windows(2).any(|two| two[0].is("from") && two[1].is("stdin"));
    if !stdin || !statement[0].is("copy") {
        return None;
    }
    let from = statement.iter().position(|token| token.is("from"))?;
    let open = statement[..from].iter().position(|token| token.is("("));
    let columns = open
        .map_or(1, |open| statement[open..from].iter().filter(|token| token.is(",")).count() + 1);
    let binary = statement[from..].iter().any(|token| {
        token.is("binary") || (token.kind == Kind::String && token.text == "'binary'")
    });
    Some((binary, columns))
}

/// Writes a CopyInResponse (`G`) or a CopyOutResponse (`H`).
pub(super) fn write_begin(kind: u8, binary: bool, columns: usize, frames: &mut Frames) {
    frames.add(kind, |out| {
        out.push(u8::from(binary));
        frames::count(out, columns);
        for _ in 0..columns.min(usize::from(u16::MAX)) {
            out.extend_from_slice(&i16::from(binary).to_be_bytes());
        }
    });
}

/// Writes recorded data as a server does: a message for each row.
pub(super) fn write_out(result: &Map, frames: &mut Frames) -> Result<(), WireError> {
    let Some(data) = result.get("copy") else { return Ok(()) };
    let data = data.as_bytes().ok_or_else(|| unwritable("`copy` must be text or bytes"))?;
    let binary = result.text("copy_format") == Some("binary");
    let columns = result.get("copy_columns").and_then(Value::as_i64).unwrap_or(1);
    write_begin(b'H', binary, usize::try_from(columns).unwrap_or(1), frames);
    if binary {
        let pieces = rows(data).map_err(|_| unwritable("`copy` is not the binary form of COPY"))?;
        for piece in pieces {
            frames.add(b'd', |out| out.extend_from_slice(piece));
        }
    } else {
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            frames.add(b'd', |out| out.extend_from_slice(line));
        }
    }
    if result.get("error").is_none() {
        frames.empty(b'c');
    }
    Ok(())
}

/// Cuts the binary form into rows; the head goes with the first.
fn rows(data: &[u8]) -> Result<Vec<&[u8]>, WireError> {
    let mut fields = Fields::new(data);
    if fields.take(SIGNATURE.len())? != SIGNATURE {
        return Err(malformed("copied data without its signature"));
    }
    fields.take(4)?;
    fields.sized()?;
    let (mut pieces, mut start) = (Vec::new(), 0);
    while !fields.is_empty() {
        let count = fields.i16()?;
        for _ in 0..count.max(0) {
            fields.sized()?;
        }
        let end = data.len() - fields.clone().rest().len();
        pieces.push(&data[start..end]);
        start = end;
    }
    Ok(pieces)
}
