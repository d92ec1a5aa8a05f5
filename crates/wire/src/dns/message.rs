//! A message as RFC 1035 section 4 has it, between bytes and maps.

use super::name::Name;

/// Header bits, as they stand in the second 16-bit word (RFC 1035 section 4.1.1, RFC 4035 3.2).
pub(super) mod bit {
    pub(in crate::dns) const RESPONSE: u16 = 1 << 15;
    pub(in crate::dns) const OPCODE: u16 = 0xf << 11;
    pub(in crate::dns) const AUTHORITATIVE: u16 = 1 << 10;
    pub(in crate::dns) const TRUNCATED: u16 = 1 << 9;
    pub(in crate::dns) const RECURSION_DESIRED: u16 = 1 << 8;
    pub(in crate::dns) const RECURSION_AVAILABLE: u16 = 1 << 7;
    pub(in crate::dns) const AUTHENTIC: u16 = 1 << 5;
    pub(in crate::dns) const CHECKING_DISABLED: u16 = 1 << 4;
    pub(in crate::dns) const RCODE: u16 = 0xf;
}

/// Length of the header.
pub(super) const HEADER: usize = 12;

/// A message. Its OPT record (RFC 6891) is not kept, but for its part of `rcode`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: u16,
    /// The header bits without the code of the response.
    pub(super) bits: u16,
    pub(super) rcode: u16,
    /// Only a response may lack it.
    pub(super) question: Option<Question>,
    pub(super) records: Vec<Record>,
    pub(super) authority: Vec<Record>,
    pub(super) additional: Vec<Record>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: u16,
    pub(super) class: u16,
}

impl Question {
    /// Whether both ask the same, by the rules of names (RFC 4343).
    pub(super) fn same(&self, other: &Question) -> bool {
        (self.kind, self.class) == (other.kind, other.class) && self.name.same(&other.name)
    }
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: Name,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) data: Data,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Address(std::net::IpAddr),
    /// CNAME, NS, PTR.
    Name(Name),
    Mail(u16, Name),
    /// TXT: strings of at most 255 bytes.
    Strings(Vec<Vec<u8>>),
    /// Priority, weight, port (RFC 2782).
    Service([u16; 3], Name),
    /// Source, mailbox; serial, refresh, retry, expire, minimum.
    Start(Name, Name, [u32; 5]),
    /// Of any other type, as it stands in the message.
    Other(Vec<u8>),
}
