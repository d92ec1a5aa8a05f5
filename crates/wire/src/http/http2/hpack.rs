//! Field sections between bytes and fields: HPACK (RFC 7541).
//!
//! The decoder keeps the table that its peer builds. The encoder builds none: a field is written as its
//! number in the static table or in full, which every peer must accept.

use super::table::{Dynamic, OVERHEAD, Raw, STATIC};
use super::{huffman, malformed, too_large};
use crate::WireError;

/// How many fields most sections have at most.
const USUAL: usize = 16;

/// Reads the field sections of one direction; each must be given to it, in order.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    table: Dynamic,
}

impl Decoder {
    /// The fields of a section. `capacity` is what the reading peer lets the table grow to; all fields
    /// together may have `limit` bytes.
    pub(super) fn decode(
        &mut self,
        mut block: &[u8],
        capacity: usize,
        limit: usize,
    ) -> Result<Vec<Raw>, WireError> {
        let (mut fields, mut size) = (Vec::with_capacity(USUAL), 0);
        while let Some(first) = block.first().copied() {
            if first & 0xe0 == 0x20 {
                self.resize(&mut block, capacity)?;
                continue;
            }
            let (field, remember) = self.field(first, &mut block, limit)?;
            size += field.0.len() + field.1.len() + OVERHEAD;
            if size > limit {
                return Err(too_large("a field section", limit));
            }
            if remember {
                self.table.insert(field.clone());
            }
            fields.push(field);
        }
        Ok(fields)
    }

    /// A table may only be resized before the first field (RFC 7541, section 4.2). Go's server says it
    /// amid the fields when it is told the client's settings while it writes them, and clients take it.
    fn resize(&mut self, block: &mut &[u8], capacity: usize) -> Result<(), WireError> {
        let wanted = number(block, 5)?;
        if wanted > capacity {
            return Err(malformed("a header table larger than allowed"));
        }
        self.table.resize(wanted);
        Ok(())
    }

    /// The next field, and whether the table takes it.
    fn field(&self, first: u8, block: &mut &[u8], limit: usize) -> Result<(Raw, bool), WireError> {
        let unknown = || malformed("a field number that is in no table");
        if first & 0x80 != 0 {
            let place = number(block, 7)?;
            let (name, value) = self.table.get(place).ok_or_else(unknown)?;
            return Ok(((name.to_vec(), value.to_vec()), false));
        }
        let remember = first & 0x40 != 0;
        let name = match number(block, if remember { 6 } else { 4 })? {
            0 => string(block, limit)?,
            place => self.table.get(place).ok_or_else(unknown)?.0.to_vec(),
        };
        let value = string(block, limit)?;
        Ok(((name, value), remember))
    }
}

/// An integer whose first byte has so many bits for it (RFC 7541, section 5.1).
fn number(block: &mut &[u8], bits: u32) -> Result<usize, WireError> {
    let cut = || malformed("a field section that ends within a number");
    let (first, mut rest) = block.split_first().ok_or_else(cut)?;
    let most = (1usize << bits) - 1;
    let mut value = usize::from(*first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (byte, after) = rest.split_first().ok_or_else(cut)?;
            rest = after;
            // Four bytes more say numbers above any limit.
            if shift > 21 {
                return Err(malformed("a number in a field section that is too large"));
            }
            value += usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *block = rest;
    Ok(value)
}

fn string(block: &mut &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    let huffman = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = number(block, 7)?;
    let (string, rest) = block
        .split_at_checked(length)
        .ok_or_else(|| malformed("a field section that ends within a text"))?;
    *block = rest;
    if !huffman {
        return Ok(string.to_vec());
    }
    huffman::decode(string, limit).ok_or_else(|| malformed("a text in a broken Huffman code"))
}

/// Appends a field.
pub(super) fn encode(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let place = |found: &(&str, &str)| found.0.as_bytes() == name;
    let whole = STATIC.iter().position(|field| place(field) && field.1.as_bytes() == value);
    if let Some(place) = whole {
        write_number(0x80, 7, place + 1, out);
        return;
    }
    match STATIC.iter().position(place) {
        Some(place) => write_number(0, 4, place + 1, out),
        None => {
            out.push(0);
            write_string(name, out);
        }
    }
    write_string(value, out);
}

fn write_string(string: &[u8], out: &mut Vec<u8>) {
    write_number(0, 7, string.len(), out);
    out.extend_from_slice(string);
}

fn write_number(first: u8, bits: u32, mut value: usize, out: &mut Vec<u8>) {
    let most = (1usize << bits) - 1;
    if value < most {
        out.push(first | value as u8);
        return;
    }
    out.push(first | most as u8);
    value -= most;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
