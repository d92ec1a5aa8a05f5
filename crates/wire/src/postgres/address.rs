//! Identifiers and bit strings in the binary format: UUIDs, network addresses, bits.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The families that `inet_send` gives to the two versions of addresses.
const IPV4: u8 = 2;
const IPV6: u8 = 3;

pub(super) fn read_uuid(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let mut text = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}

pub(super) fn write_uuid(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    hexadecimal(&digits).filter(|bytes| bytes.len() == 16)
}

pub(super) fn read_mac(bytes: &[u8]) -> Option<String> {
    let pairs = bytes.iter().map(|byte| format!("{byte:02x}"));
    matches!(bytes.len(), 6 | 8).then(|| pairs.collect::<Vec<_>>().join(":"))
}

pub(super) fn write_mac(text: &str) -> Option<Vec<u8>> {
    hexadecimal(&text.replace(':', "")).filter(|bytes| matches!(bytes.len(), 6 | 8))
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| {
        let plain = pair.iter().all(u8::is_ascii_hexdigit);
        plain.then(|| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())?
    };
    rest.is_empty().then(|| pairs.iter().map(pair).collect())?
}

/// An address with the bits of its network, which are left out when they are all and it is not a
/// network.
pub(super) fn read_inet(bytes: &[u8]) -> Option<String> {
    let [family, bits, network, length, address @ ..] = bytes else { return None };
    let (address, all) = match (*family, *length) {
        (IPV4, 4) => (IpAddr::from(<[u8; 4]>::try_from(address).ok()?), 32),
        (IPV6, 16) => (IpAddr::from(<[u8; 16]>::try_from(address).ok()?), 128),
        _ => return None,
    };
    match *network == 0 && *bits == all {
        true => Some(address.to_string()),
        false => Some(format!("{address}/{bits}")),
    }
}

pub(super) fn write_inet(text: &str, network: bool) -> Option<Vec<u8>> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (family, all, octets) = match address.parse().ok()? {
        IpAddr::V4(address) => (IPV4, 32, Ipv4Addr::octets(&address).to_vec()),
        IpAddr::V6(address) => (IPV6, 128, Ipv6Addr::octets(&address).to_vec()),
    };
    let bits = bits.unwrap_or(all);
    let length = u8::try_from(octets.len()).ok()?;
    Some([&[family, bits, u8::from(network), length], &octets[..]].concat())
}

pub(super) fn read_bits(bytes: &[u8]) -> Option<String> {
    let (count, bytes) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    if count.div_ceil(8) != bytes.len() {
        return None;
    }
    let bit = |place: usize| bytes[place / 8] >> (7 - place % 8) & 1;
    Some((0..count).map(|place| char::from(b'0' + bit(place))).collect())
}

pub(super) fn write_bits(text: &str) -> Option<Vec<u8>> {
    let mut out = i32::try_from(text.len()).ok()?.to_be_bytes().to_vec();
    for eight in text.as_bytes().chunks(8) {
        let mut byte = 0;
        for (place, digit) in eight.iter().enumerate() {
            match digit {
                b'0' => {}
                b'1' => byte |= 128 >> place,
                _ => return None,
            }
        }
        out.push(byte);
    }
    Some(out)
}
