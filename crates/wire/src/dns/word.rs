//! Words for the numbers of types, classes, codes and flags, as people who know DNS write them.
//! A number without a word is written as RFC 3597 section 5 has it: `TYPE65`.

use super::message::bit;

/// Numbers of record types.
pub(super) mod kind {
    pub(in crate::dns) const A: u16 = 1;
    pub(in crate::dns) const NS: u16 = 2;
    pub(in crate::dns) const CNAME: u16 = 5;
    pub(in crate::dns) const SOA: u16 = 6;
    pub(in crate::dns) const PTR: u16 = 12;
    pub(in crate::dns) const MX: u16 = 15;
    pub(in crate::dns) const TXT: u16 = 16;
    pub(in crate::dns) const AAAA: u16 = 28;
    pub(in crate::dns) const SRV: u16 = 33;
    pub(in crate::dns) const OPT: u16 = 41;
    pub(in crate::dns) const ANY: u16 = 255;
}

/// The class of the internet.
pub(super) const IN: u16 = 1;

/// The code that says that the server failed.
pub(super) const SERVFAIL: u16 = 2;

/// Numbers with words; the prefix makes a word of any other number.
pub(super) struct Words {
    prefix: &'static str,
    words: &'static [(u16, &'static str)],
}

pub(super) const KINDS: Words = Words {
    prefix: "TYPE",
    words: &[
        (kind::A, "A"),
        (kind::NS, "NS"),
        (kind::CNAME, "CNAME"),
        (kind::SOA, "SOA"),
        (kind::PTR, "PTR"),
        (kind::MX, "MX"),
        (kind::TXT, "TXT"),
        (kind::AAAA, "AAAA"),
        (kind::SRV, "SRV"),
        (kind::ANY, "ANY"),
    ],
};

pub(super) const CLASSES: Words =
    Words { prefix: "CLASS", words: &[(IN, "IN"), (3, "CH"), (4, "HS"), (255, "ANY")] };

pub(super) const RCODES: Words = Words {
    prefix: "RCODE",
    words: &[
        (0, "NOERROR"),
        (1, "FORMERR"),
        (SERVFAIL, "SERVFAIL"),
        (3, "NXDOMAIN"),
        (4, "NOTIMP"),
        (5, "REFUSED"),
    ],
};

impl Words {
    pub(super) fn word(&self, number: u16) -> String {
        match self.words.iter().find(|(known, _)| *known == number) {
            Some((_, word)) => (*word).to_owned(),
            None => format!("{}{number}", self.prefix),
        }
    }

    pub(super) fn number(&self, word: &str) -> Option<u16> {
        let known = self.words.iter().find(|(_, known)| known.eq_ignore_ascii_case(word));
        known.map(|(number, _)| *number).or_else(|| {
            let (prefix, digits) = word.split_at_checked(self.prefix.len())?;
            let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
            prefix.eq_ignore_ascii_case(self.prefix).then(|| digits.parse().ok())?
        })
    }
}

/// Header bits that are recorded as words, in the order in which they are written.
pub(super) const FLAGS: [(u16, &str); 5] = [
    (bit::AUTHORITATIVE, "aa"),
    (bit::RECURSION_DESIRED, "rd"),
    (bit::RECURSION_AVAILABLE, "ra"),
    (bit::AUTHENTIC, "ad"),
    (bit::CHECKING_DISABLED, "cd"),
];
