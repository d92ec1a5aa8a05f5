//! What one message says: a command or a reply as one document, however it was packed.

use super::bson::{self, Budget};
use super::checksum::crc32c;
use super::inbox::{HEADER, Message, OP_MSG, OP_QUERY, OP_REPLY};
use super::malformed;
use crate::WireError;
use rehearsal_model::{Map, Value};

const CHECKSUM: u32 = 1;
const MORE_TO_COME: u32 = 1 << 1;
/// Of the flags, the lower half must be understood.
const REQUIRED: u32 = 0xffff;
/// OP_REPLY: the server is able to wait for data. Servers always say so.
const AWAIT_CAPABLE: u32 = 8;

/// How a command was sent, for its reply to be sent in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Form {
    /// As OP_QUERY, answered by OP_REPLY.
    pub(super) legacy: bool,
    pub(super) checksum: bool,
}

/// A message, read.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) document: Map,
    /// A command wants no reply; a reply is followed by another one.
    pub(super) more_to_come: bool,
    pub(super) form: Form,
}

/// Reads a message of either side.
pub(super) fn read(message: &Message) -> Result<Said, WireError> {
    match message.code {
        OP_MSG => read_message(message),
        OP_QUERY => read_query(&message.body),
        OP_REPLY => read_reply(&message.body),
        _ => Err(malformed("an operation that only servers before MongoDB 5.1 know")),
    }
}

fn read_message(message: &Message) -> Result<Said, WireError> {
    let body = &message.body[..];
    let (flags, mut rest) = number(body)?;
    if flags & REQUIRED & !(CHECKSUM | MORE_TO_COME) != 0 {
        return Err(malformed("a message with an unknown flag"));
    }
    let checksum = flags & CHECKSUM != 0;
    if checksum {
        let (covered, sum) = body.split_last_chunk::<4>().ok_or_else(cut_off)?;
        rest = covered.get(4..).ok_or_else(cut_off)?;
        let wrong = |header: [u8; HEADER]| crc32c(&[&header, covered]) != u32::from_le_bytes(*sum);
        if message.header.is_some_and(wrong) {
            return Err(malformed("a message whose checksum is wrong"));
        }
    }
    let mut budget = Budget::of(body.len());
    let (mut document, mut sequences) = (None, Vec::new());
    while let Some((kind, section)) = rest.split_first() {
        match kind {
            0 if document.is_none() => {
                let (map, behind) = command(section, &mut budget)?;
                document = Some(map);
                rest = behind;
            }
            1 => {
                let length = number(section)?.0 as usize;
                let (sequence, behind) = section.split_at_checked(length).ok_or_else(cut_off)?;
                sequences.push(read_sequence(sequence, &mut budget)?);
                rest = behind;
            }
            _ => return Err(malformed("a section of an unknown kind, or a second body")),
        }
    }
    let mut document = document.ok_or_else(|| malformed("a message without a body"))?;
    for (name, documents) in sequences {
        if document.get(&name).is_some() {
            return Err(malformed("a sequence of documents whose name the body has too"));
        }
        document.push_new(name, documents);
    }
    let form = Form { legacy: false, checksum };
    Ok(Said { document, more_to_come: flags & MORE_TO_COME != 0, form })
}

/// A name and documents.
fn read_sequence(bytes: &[u8], budget: &mut Budget) -> Result<(String, Value), WireError> {
    let bytes = bytes.get(4..).ok_or_else(cut_off)?;
    let (name, mut rest) = zero_ended(bytes)?;
    let mut documents = Vec::new();
    while !rest.is_empty() {
        let (document, length) = bson::document(rest, budget)?;
        documents.push(document);
        rest = &rest[length..];
    }
    Ok((name.to_owned(), Value::List(documents)))
}

fn read_query(body: &[u8]) -> Result<Said, WireError> {
    let (name, rest) = zero_ended(body.get(4..).ok_or_else(cut_off)?)?;
    let database = name.strip_suffix(".$cmd");
    let database =
        database.ok_or_else(|| malformed("a query as only servers before MongoDB 5.1 know"))?;
    let rest = rest.get(8..).ok_or_else(cut_off)?;
    let (mut document, behind) = command(rest, &mut Budget::of(rest.len()))?;
    if !behind.is_empty() && bson::skip(behind)? != behind.len() {
        return Err(malformed("a query with something behind it"));
    }
    if let Some(Value::Map(inner)) = document.get_mut("$query") {
        document = std::mem::take(inner);
    }
    document.insert("$db", database);
    let form = Form { legacy: true, checksum: false };
    Ok(Said { document, more_to_come: false, form })
}

fn read_reply(body: &[u8]) -> Result<Said, WireError> {
    let rest = body.get(20..).ok_or_else(cut_off)?;
    let (document, behind) = command(rest, &mut Budget::of(rest.len()))?;
    if number(&body[16..])?.0 != 1 || !behind.is_empty() {
        return Err(malformed("a reply that is not one document"));
    }
    let form = Form { legacy: true, checksum: false };
    Ok(Said { document, more_to_come: false, form })
}

/// A document that has each of its keys once, and what follows it.
fn command<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<(Map, &'a [u8]), WireError> {
    match bson::document(bytes, budget)? {
        (Value::Map(map), length) => Ok((map, &bytes[length..])),
        _ => Err(malformed("a body that is not a document")),
    }
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), WireError> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut_off)?;
    Ok((u32::from_le_bytes(*number), rest))
}

fn zero_ended(bytes: &[u8]) -> Result<(&str, &[u8]), WireError> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(cut_off)?;
    let text = std::str::from_utf8(&bytes[..end]);
    Ok((text.map_err(|_| malformed("a name that is not Unicode"))?, &bytes[end + 1..]))
}

fn cut_off() -> WireError {
    malformed("a message that is cut off")
}

fn length_of(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// A reply as bytes: its number, the number of the command that it answers, what it says.
pub(super) fn write(
    id: u32,
    answers: u32,
    form: Form,
    document: &Value,
) -> Result<Vec<u8>, WireError> {
    let code = if form.legacy { OP_REPLY } else { OP_MSG };
    let mut out = vec![0; 4];
    [id, answers, code].iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    if form.legacy {
        // Flags, no cursor, from the first, one document.
        [AWAIT_CAPABLE, 0, 0, 0, 1]
            .iter()
            .for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    } else {
        out.extend_from_slice(&u32::from(form.checksum).to_le_bytes());
        out.push(0);
    }
    bson::write(document, &mut out)?;
    let length = out.len() + if form.checksum { 4 } else { 0 };
    out[..4].copy_from_slice(&length_of(length));
    if form.checksum {
        let sum = crc32c(&[&out]);
        out.extend_from_slice(&sum.to_le_bytes());
    }
    Ok(out)
}
