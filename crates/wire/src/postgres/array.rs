//! Arrays in both formats (PostgreSQL documentation, "Array Input and Output Syntax"; `array_send`).
//!
//! An array whose lower bounds are not 1 has no list that says so; it stays text.

use super::fields::Fields;
use super::{binary, frames, text};
use rehearsal_model::Value;

/// The most dimensions that a server allows.
const MOST_DEPTH: usize = 6;

/// The list that a text such as `{1,2,NULL}` stands for.
pub(super) fn decode_text(element: u32, string: &str) -> Option<Value> {
    let mut reader = Reader { element, rest: string };
    let list = reader.list(1)?;
    reader.rest.is_empty().then_some(list)
}

/// The text of a list, or `None` when an element has none.
pub(super) fn encode_text(element: u32, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(element, value, &mut out)?;
    Some(out)
}

/// The list that bytes stand for, lower bounds passed over.
pub(super) fn decode_binary(element: u32, bytes: &[u8]) -> Option<Value> {
    let mut fields = Fields::new(bytes);
    let depth = usize::try_from(fields.i32().ok()?).ok().filter(|depth| *depth <= MOST_DEPTH)?;
    fields.take(8).ok()?;
    let mut lengths = Vec::new();
    for _ in 0..depth {
        lengths.push(usize::try_from(fields.i32().ok()?).ok()?);
        fields.take(4).ok()?;
    }
    if depth == 0 {
        return Some(Value::List(Vec::new()));
    }
    read(element, &lengths, &mut fields)
}

fn read(element: u32, lengths: &[usize], fields: &mut Fields<'_>) -> Option<Value> {
    let Some((length, inner)) = lengths.split_first() else {
        return match fields.sized().ok()? {
            None => Some(Value::Null),
            Some(bytes) => Some(binary::decode(element, bytes)),
        };
    };
    // Every element takes four bytes at least, so this ends when the bytes do.
    if *length == 0 {
        return None;
    }
    let list: Option<Vec<Value>> = (0..*length).map(|_| read(element, inner, fields)).collect();
    list.map(Value::List)
}

/// The bytes of a list whose inner lists are of equal length.
pub(super) fn encode_binary(element: u32, value: &Value) -> Option<Vec<u8>> {
    let mut lengths = Vec::new();
    let mut first = value;
    while let Value::List(list) = first {
        lengths.push(list.len());
        first = list.first().unwrap_or(&Value::Null);
    }
    if lengths.is_empty() || lengths.len() > MOST_DEPTH {
        return None;
    }
    if lengths == [0] {
        lengths.clear();
    }
    let (mut elements, mut has_null) = (Vec::new(), false);
    if !lengths.is_empty() {
        write_elements(element, value, &lengths, &mut elements, &mut has_null)?;
    }
    let mut out = u32::try_from(lengths.len()).ok()?.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::from(has_null).to_be_bytes());
    out.extend_from_slice(&element.to_be_bytes());
    for length in lengths {
        out.extend_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
        out.extend_from_slice(&1_u32.to_be_bytes());
    }
    out.append(&mut elements);
    Some(out)
}

fn write_elements(
    element: u32,
    value: &Value,
    lengths: &[usize],
    out: &mut Vec<u8>,
    has_null: &mut bool,
) -> Option<()> {
    match (lengths.split_first(), value) {
        (Some((length, inner)), Value::List(list)) if list.len() == *length => {
            list.iter().try_for_each(|value| write_elements(element, value, inner, out, has_null))
        }
        (Some(_), _) | (None, Value::List(_)) => None,
        (None, Value::Null) => {
            *has_null = true;
            out.extend_from_slice(&frames::NULL);
            Some(())
        }
        (None, value) => {
            let bytes = binary::encode(element, value)?;
            out.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
            out.extend_from_slice(&bytes);
            Some(())
        }
    }
}

struct Reader<'a> {
    element: u32,
    rest: &'a str,
}

impl Reader<'_> {
    fn eat(&mut self, char: char) -> bool {
        let rest = self.rest.strip_prefix(char);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        if depth > MOST_DEPTH || !self.eat('{') {
            return None;
        }
        let mut list = Vec::new();
        if self.eat('}') {
            return Some(Value::List(list));
        }
        loop {
            list.push(self.element(depth)?);
            if self.eat('}') {
                return Some(Value::List(list));
            }
            if !self.eat(',') {
                return None;
            }
        }
    }

    fn element(&mut self, depth: usize) -> Option<Value> {
        if self.rest.starts_with('{') {
            return self.list(depth + 1);
        }
        if self.eat('"') {
            let quoted = self.quoted()?;
            return Some(text::decode(self.element, quoted.as_bytes()));
        }
        let end = self.rest.find([',', '}'])?;
        let (plain, rest) = self.rest.split_at(end);
        self.rest = rest;
        match plain {
            "NULL" => Some(Value::Null),
            _ => Some(text::decode(self.element, plain.as_bytes())),
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((place, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &self.rest[place + 1..];
                    return Some(out);
                }
                '\\' => out.push(chars.next()?.1),
                char => out.push(char),
            }
        }
        None
    }
}

fn write(element: u32, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::List(list) => {
            out.push(b'{');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(element, value, out)?;
            }
            out.push(b'}');
        }
        Value::Null => out.extend_from_slice(b"NULL"),
        value => quote(&text::encode(element, value)?, out),
    }
    Some(())
}

fn quote(text: &[u8], out: &mut Vec<u8>) {
    let special =
        |byte: &u8| matches!(byte, b'{' | b'}' | b',' | b'"' | b'\\' | b' ' | 0x09..=0x0d);
    let plain = !text.is_empty() && !text.eq_ignore_ascii_case(b"null");
    if plain && !text.iter().any(special) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
