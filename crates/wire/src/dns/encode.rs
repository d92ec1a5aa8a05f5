//! From a message to a datagram. Names are compressed, so that an answer is not larger than the one
//! that was recorded; the record names that equal the question take its spelling.

use super::NAME;
use super::message::{Data, Message, Record, bit};
use super::name::Name;
use crate::WireError;
use std::collections::HashMap;

/// The most bytes of a datagram.
const LARGEST: usize = 65_535;

/// The most bytes that a pointer reaches.
const REACH: usize = 0x3fff;

/// Encodes a message, without an OPT record.
///
/// # Errors
/// When it is larger than a datagram, or its code needs an OPT record.
pub(super) fn encode(message: &Message) -> Result<Vec<u8>, WireError> {
    if message.rcode > bit::RCODE {
        return Err(unwritable("`rcode` needs EDNS, which is not spoken"));
    }
    let mut writer = Writer { out: Vec::with_capacity(512), names: HashMap::new() };
    writer.u16(message.id);
    writer.u16(message.bits | message.rcode);
    writer.u16(u16::from(message.question.is_some()));
    let sections = [&message.records, &message.authority, &message.additional];
    for section in sections {
        let count = u16::try_from(section.len()).map_err(|_| unwritable("too many records"))?;
        writer.u16(count);
    }
    if let Some(question) = &message.question {
        writer.name(&question.name, true);
        writer.u16(question.kind);
        writer.u16(question.class);
    }
    let asked = message.question.as_ref().map(|question| &question.name);
    for record in sections.into_iter().flatten() {
        writer.record(record, asked)?;
        if writer.out.len() > LARGEST {
            return Err(unwritable("an answer larger than a datagram"));
        }
    }
    Ok(writer.out)
}

/// An error that says what is wrong.
pub(super) fn unwritable(what: impl Into<String>) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.into() }
}

/// A datagram as it grows.
struct Writer<'a> {
    out: Vec<u8>,
    /// Where the tails of names stand.
    names: HashMap<&'a [u8], u16>,
}

impl<'a> Writer<'a> {
    fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a name; `compress` where readers expect pointers (RFC 3597 section 4).
    fn name(&mut self, name: &'a Name, compress: bool) {
        for tail in name.tails() {
            if let Some(place) = self.names.get(tail).filter(|_| compress) {
                let pointer = 0xc000 | *place;
                return self.u16(pointer);
            }
            if self.out.len() <= REACH
                && let Ok(place) = u16::try_from(self.out.len())
            {
                self.names.entry(tail).or_insert(place);
            }
            self.out.extend_from_slice(&tail[..=usize::from(tail[0])]);
        }
        self.out.push(0);
    }

    fn record(&mut self, record: &'a Record, asked: Option<&'a Name>) -> Result<(), WireError> {
        let name = asked.filter(|asked| asked.same(&record.name)).unwrap_or(&record.name);
        self.name(name, true);
        self.u16(record.kind);
        self.u16(record.class);
        self.u32(record.ttl);
        let length_at = self.out.len();
        self.u16(0);
        self.data(&record.data)?;
        let length = u16::try_from(self.out.len() - length_at - 2)
            .map_err(|_| unwritable("`data` of a record larger than 65535 bytes"))?;
        self.out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    fn data(&mut self, data: &'a Data) -> Result<(), WireError> {
        match data {
            Data::Address(std::net::IpAddr::V4(address)) => self.out.extend(address.octets()),
            Data::Address(std::net::IpAddr::V6(address)) => self.out.extend(address.octets()),
            Data::Name(name) => self.name(name, true),
            Data::Mail(preference, name) => {
                self.u16(*preference);
                self.name(name, true);
            }
            Data::Service(numbers, name) => {
                numbers.iter().for_each(|number| self.u16(*number));
                self.name(name, false);
            }
            Data::Start(source, mailbox, numbers) => {
                self.name(source, true);
                self.name(mailbox, true);
                numbers.iter().for_each(|number| self.u32(*number));
            }
            Data::Strings(strings) => {
                for string in strings {
                    let length = u8::try_from(string.len())
                        .map_err(|_| unwritable("a string of TXT longer than 255 bytes"))?;
                    self.out.push(length);
                    self.out.extend_from_slice(string);
                }
            }
            Data::Other(bytes) => self.out.extend_from_slice(bytes),
        }
        Ok(())
    }
}
