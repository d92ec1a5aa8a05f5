//! The elements of an encoded message: field numbers with what follows them (the encoding of
//! protocol buffers, section "Message Structure").
//!
//! Only the shortest spelling of each number is taken, so that writing the elements again gives the
//! very bytes. What they mean is the business of [`super::decode`].

/// The largest field number.
pub(super) const MAX_NUMBER: u32 = (1 << 29) - 1;

/// How deep groups and messages may nest; the usual limit of readers is 100.
pub(super) const MAX_DEPTH: usize = 64;

/// What an element holds, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Length(&'a [u8]),
    Group(&'a [u8]),
    Fixed32(u32),
}

/// A field number and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) number: u32,
    pub(super) wire: Wire<'a>,
}

/// Takes the next element; `None` when what follows is none, or not in its shortest spelling.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<Element<'a>> {
    match open(input)? {
        Opened::Element(element) => Some(element),
        Opened::Group(number) => {
            let wire = Wire::Group(group(input, number)?);
            Some(Element { number, wire })
        }
        Opened::GroupEnd(_) => None,
    }
}

enum Opened<'a> {
    Element(Element<'a>),
    Group(u32),
    GroupEnd(u32),
}

fn open<'a>(input: &mut &'a [u8]) -> Option<Opened<'a>> {
    let tag = u32::try_from(varint(input)?).ok()?;
    let number = tag >> 3;
    if number == 0 {
        return None;
    }
    let wire = match tag & 7 {
        0 => Wire::Varint(varint(input)?),
        1 => Wire::Fixed64(u64::from_le_bytes(take(input, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(input)?).ok()?;
            Wire::Length(take(input, length)?)
        }
        3 => return Some(Opened::Group(number)),
        4 => return Some(Opened::GroupEnd(number)),
        5 => Wire::Fixed32(u32::from_le_bytes(take(input, 4)?.try_into().ok()?)),
        _ => return None,
    };
    Some(Opened::Element(Element { number, wire }))
}

/// What stands between the beginning of a group, which is taken already, and its end.
fn group<'a>(input: &mut &'a [u8], number: u32) -> Option<&'a [u8]> {
    let begin = *input;
    let mut inside = vec![number];
    loop {
        let before = input.len();
        match open(input)? {
            Opened::Element(_) => {}
            Opened::Group(number) if inside.len() < MAX_DEPTH => inside.push(number),
            Opened::Group(_) => return None,
            Opened::GroupEnd(number) => {
                if inside.pop() != Some(number) {
                    return None;
                }
                if inside.is_empty() {
                    return Some(&begin[..begin.len() - before]);
                }
            }
        }
    }
}

/// Takes a number of variable length in its shortest spelling.
pub(super) fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..10 {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if place == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * place);
        if byte & 0x80 == 0 {
            let shortest = place == 0 || *byte != 0;
            return shortest.then_some(value);
        }
    }
    None
}

pub(super) fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

/// Writes a number in its shortest spelling.
pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes an element.
pub(super) fn write(element: Element<'_>, out: &mut Vec<u8>) {
    let mut tag = |kind: u64| write_varint(u64::from(element.number) << 3 | kind, out);
    match element.wire {
        Wire::Varint(value) => {
            tag(0);
            write_varint(value, out);
        }
        Wire::Fixed64(value) => {
            tag(1);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Wire::Length(bytes) => {
            tag(2);
            write_varint(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Wire::Group(bytes) => {
            tag(3);
            out.extend_from_slice(bytes);
            write_varint(u64::from(element.number) << 3 | 4, out);
        }
        Wire::Fixed32(value) => {
            tag(5);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}
