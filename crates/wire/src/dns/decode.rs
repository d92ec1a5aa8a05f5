//! From a datagram to a message. Every length and count is checked against what is there, names
//! point backwards only, and memory is bounded by the size of the datagram.

use super::NAME;
use super::message::{Data, HEADER, Message, Question, Record, bit};
use super::name::Name;
use super::word::{IN, kind};
use crate::WireError;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most pointers that one name may follow: more than a name has labels is no use.
const POINTERS: usize = 128;

/// Decodes a datagram.
///
/// # Errors
/// When it is no query or response of RFC 1035: broken, of another operation, or with other than
/// one question.
pub(super) fn decode(datagram: &[u8]) -> Result<Message, WireError> {
    let mut reader = Reader { all: datagram, at: 0 };
    let id = reader.u16("header")?;
    let header = reader.u16("header")?;
    if header & bit::OPCODE != 0 {
        return Err(malformed("an operation other than a query"));
    }
    let [questions, records, authority, additional] = [
        reader.u16("header")?,
        reader.u16("header")?,
        reader.u16("header")?,
        reader.u16("header")?,
    ];
    let response = header & bit::RESPONSE != 0;
    let question = match questions {
        1 => Some(reader.question()?),
        0 if response => None,
        _ => return Err(malformed("not exactly one question")),
    };
    let mut extended = 0;
    let mut message = Message {
        id,
        bits: header & !bit::RCODE,
        rcode: 0,
        question,
        records: reader.records(records, &mut extended)?,
        authority: reader.records(authority, &mut extended)?,
        additional: reader.records(additional, &mut extended)?,
    };
    message.rcode = (extended << 4) | (header & bit::RCODE);
    Ok(message)
}

/// An error that says what is wrong.
pub(super) fn malformed(what: impl Into<String>) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.into() }
}

/// A place in a datagram.
struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, element: &str) -> Result<&'a [u8], WireError> {
        let rest = self.all.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length);
        self.at += length.min(rest.len());
        taken.ok_or_else(|| malformed(format!("{element} beyond the end of the datagram")))
    }

    fn array<const N: usize>(&mut self, element: &str) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, element)?);
        Ok(array)
    }

    fn u16(&mut self, element: &str) -> Result<u16, WireError> {
        self.array(element).map(u16::from_be_bytes)
    }

    fn u32(&mut self, element: &str) -> Result<u32, WireError> {
        self.array(element).map(u32::from_be_bytes)
    }

    /// A name, with its pointers followed (RFC 1035 section 4.1.4).
    fn name(&mut self) -> Result<Name, WireError> {
        let mut name = Name::default();
        // Each pointer leads before the place where the labels that end in it began, so that no
        // loop can come about.
        let mut begun = self.at;
        let mut resume = None;
        for _ in 0..=POINTERS {
            let Some(pointer) = self.labels(&mut name)? else {
                self.at = resume.unwrap_or(self.at);
                return Ok(name);
            };
            if !(HEADER..begun).contains(&pointer) {
                return Err(malformed("a name that does not point backwards"));
            }
            resume = resume.or(Some(self.at));
            begun = pointer;
            self.at = pointer;
        }
        Err(malformed("a name of too many pointers"))
    }

    /// Labels up to the root, or to a pointer, which is returned.
    fn labels(&mut self, name: &mut Name) -> Result<Option<usize>, WireError> {
        loop {
            let [length] = self.array("a name")?;
            match length >> 6 {
                0 if length == 0 => return Ok(None),
                0 => {
                    let label = self.take(usize::from(length), "a label")?;
                    name.push(label).ok_or_else(|| malformed("a name longer than 255 bytes"))?;
                }
                3 => {
                    let [low] = self.array("a pointer")?;
                    return Ok(Some(usize::from(length & 0x3f) << 8 | usize::from(low)));
                }
                _ => return Err(malformed("a label of unknown form")),
            }
        }
    }

    fn question(&mut self) -> Result<Question, WireError> {
        Ok(Question {
            name: self.name()?,
            kind: self.u16("the question")?,
            class: self.u16("the question")?,
        })
    }

    /// A section. The count is a claim: the vector grows with what is there.
    fn records(&mut self, count: u16, extended: &mut u16) -> Result<Vec<Record>, WireError> {
        let mut records = Vec::new();
        for _ in 0..count {
            let name = self.name()?;
            let (kind, class) = (self.u16("a record")?, self.u16("a record")?);
            let ttl = self.u32("a record")?;
            let length = usize::from(self.u16("a record")?);
            let end = self.at + length;
            if end > self.all.len() {
                return Err(malformed("the data of a record beyond the end of the datagram"));
            }
            if kind == kind::OPT {
                // Its TTL carries the upper bits of the code (RFC 6891 section 6.1.3).
                *extended = u16::from(ttl.to_be_bytes()[0]);
                self.at = end;
                continue;
            }
            let mut data = Reader { all: &self.all[..end], at: self.at };
            records.push(Record { name, kind, class, ttl, data: data.data(kind, class)? });
            if data.at != end {
                return Err(malformed("the data of a record that is longer than its type has"));
            }
            self.at = end;
        }
        Ok(records)
    }

    /// The data of a record, of which this reader sees the end.
    fn data(&mut self, kind: u16, class: u16) -> Result<Data, WireError> {
        let what = "the data of a record";
        Ok(match kind {
            kind::A if class == IN => Data::Address(Ipv4Addr::from(self.u32(what)?).into()),
            kind::AAAA if class == IN => {
                Data::Address(Ipv6Addr::from(self.array::<16>(what)?).into())
            }
            kind::CNAME | kind::NS | kind::PTR => Data::Name(self.name()?),
            kind::MX => Data::Mail(self.u16(what)?, self.name()?),
            kind::SRV if class == IN => {
                let numbers = [self.u16(what)?, self.u16(what)?, self.u16(what)?];
                Data::Service(numbers, self.name()?)
            }
            kind::SOA => {
                let (source, mailbox) = (self.name()?, self.name()?);
                let mut numbers = [0; 5];
                for number in &mut numbers {
                    *number = self.u32(what)?;
                }
                Data::Start(source, mailbox, numbers)
            }
            kind::TXT => {
                let mut strings = Vec::new();
                while self.at < self.all.len() {
                    let [length] = self.array(what)?;
                    strings.push(self.take(usize::from(length), "a string")?.to_vec());
                }
                Data::Strings(strings)
            }
            _ => Data::Other(self.take(self.all.len() - self.at, what)?.to_vec()),
        })
    }
}
