//! The data of records as text, as zone files write it (RFC 1035 section 5, RFC 2782).

use super::message::Data;
use super::name::{Name, escape, unescape};
use super::word::{IN, kind};
use rehearsal_model::Value;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Data as text, or as bytes when it is of a type that is not known here.
pub(super) fn value(data: &Data) -> Value {
    Value::Text(match data {
        Data::Address(address) => address.to_string(),
        Data::Name(name) => name.to_string(),
        Data::Mail(preference, name) => format!("{preference} {name}"),
        Data::Service([priority, weight, port], name) => {
            format!("{priority} {weight} {port} {name}")
        }
        Data::Start(source, mailbox, [serial, refresh, retry, expire, minimum]) => {
            format!("{source} {mailbox} {serial} {refresh} {retry} {expire} {minimum}")
        }
        Data::Strings(strings) => strings_text(strings),
        Data::Other(bytes) => return Value::Bytes(bytes.clone()),
    })
}

/// The data of a type that a value stands for.
pub(super) fn parse(kind: u16, class: u16, value: &Value) -> Option<Data> {
    let text = || value.as_text();
    Some(match kind {
        kind::A if class == IN => Data::Address(Ipv4Addr::from_str(text()?).ok()?.into()),
        kind::AAAA if class == IN => Data::Address(Ipv6Addr::from_str(text()?).ok()?.into()),
        kind::CNAME | kind::NS | kind::PTR => Data::Name(Name::parse(text()?)?),
        kind::MX => {
            let [preference, name] = words(text()?)?;
            Data::Mail(preference.parse().ok()?, Name::parse(name)?)
        }
        kind::SRV if class == IN => {
            let [priority, weight, port, name] = words(text()?)?;
            Data::Service(numbers([priority, weight, port])?, Name::parse(name)?)
        }
        kind::SOA => {
            let [source, mailbox, serial, refresh, retry, expire, minimum] = words(text()?)?;
            let numbers = numbers([serial, refresh, retry, expire, minimum])?;
            Data::Start(Name::parse(source)?, Name::parse(mailbox)?, numbers)
        }
        kind::TXT => Data::Strings(parse_strings(text()?)?),
        _ => Data::Other(value.as_bytes()?.to_vec()),
    })
}

/// Exactly that many words.
fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split_ascii_whitespace().collect::<Vec<_>>().try_into().ok()
}

fn numbers<T: FromStr + Default + Copy, const N: usize>(words: [&str; N]) -> Option<[T; N]> {
    let mut numbers = [T::default(); N];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = word.parse().ok()?;
    }
    Some(numbers)
}

/// Each string in quotes.
fn strings_text(strings: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for (place, string) in strings.iter().enumerate() {
        text.push_str(if place > 0 { " \"" } else { "\"" });
        for byte in string {
            // Writing to a string does not fail.
            let _ = escape(&mut text, *byte, b"\"\\");
        }
        text.push('"');
    }
    text
}

/// Strings in quotes with spaces between; text without any quote is one string.
fn parse_strings(text: &str) -> Option<Vec<Vec<u8>>> {
    if !text.is_empty() && !text.contains('"') {
        return Some(vec![text.as_bytes().to_vec()]);
    }
    let mut strings = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' => continue,
            b'"' => {}
            _ => return None,
        }
        let mut string = Vec::new();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => string.push(unescape(&mut bytes)?),
                byte => string.push(byte),
            }
        }
        strings.push(string);
    }
    Some(strings)
}
