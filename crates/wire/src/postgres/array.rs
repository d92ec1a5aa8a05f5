//! Arrays in the text format (PostgreSQL documentation, "Array Input and Output Syntax").
//!
//! An array whose lower bounds are not 1 has no list that says so; it stays text.

use super::text;
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
