//! Values as bytes: a tag, then what it announces.

use super::input::{put_bytes, put_number};
use super::{Binary, BinaryError, Input, MAX_DEPTH};
use rehearsal_model::{Map, Number, Value};
use std::collections::HashSet;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const TEXT: u8 = 4;
const BYTES: u8 = 5;
const LIST: u8 = 6;
const MAP: u8 = 7;

/// Up to so many keys are compared with each other, more are put into a set.
const FEW_KEYS: usize = 16;

impl Binary for Value {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_value(self, out, 0)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        take_value(input, 0)
    }
}

impl Binary for Map {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_map(self, out, 0)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        take_map(input, 0)
    }
}

fn put_value(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), BinaryError> {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
        Value::Number(number) => {
            out.push(NUMBER);
            put_bytes(out, number.as_str().as_bytes());
        }
        Value::Text(text) => {
            out.push(TEXT);
            put_bytes(out, text.as_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(BYTES);
            put_bytes(out, bytes);
        }
        Value::List(list) => {
            out.push(LIST);
            put_number(out, list.len() as u64);
            let depth = deeper(depth)?;
            list.iter().try_for_each(|value| put_value(value, out, depth))?;
        }
        Value::Map(map) => {
            out.push(MAP);
            put_map(map, out, depth)?;
        }
    }
    Ok(())
}

fn put_map(map: &Map, out: &mut Vec<u8>, depth: usize) -> Result<(), BinaryError> {
    let depth = deeper(depth)?;
    put_number(out, map.len() as u64);
    map.iter().try_for_each(|(key, value)| {
        put_bytes(out, key.as_bytes());
        put_value(value, out, depth)
    })
}

fn take_value(input: &mut Input<'_>, depth: usize) -> Result<Value, BinaryError> {
    let start = input.at();
    Ok(match input.byte()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        NUMBER => {
            let number = Number::parse(input.text()?);
            Value::Number(number.ok_or(BinaryError::Damaged(start))?)
        }
        TEXT => Value::Text(input.text()?.to_owned()),
        BYTES => Value::Bytes(input.bytes()?.to_vec()),
        LIST => {
            let (count, depth) = (input.count(1)?, deeper(depth)?);
            let mut list = Vec::with_capacity(count.min(64));
            for _ in 0..count {
                list.push(take_value(input, depth)?);
            }
            Value::List(list)
        }
        MAP => Value::Map(take_map(input, depth)?),
        _ => return Err(BinaryError::Damaged(start)),
    })
}

fn take_map(input: &mut Input<'_>, depth: usize) -> Result<Map, BinaryError> {
    let (start, depth) = (input.at(), deeper(depth)?);
    let count = input.count(2)?;
    let (mut map, mut many) = (Map::new(), HashSet::new());
    for _ in 0..count {
        let key = input.text()?;
        let known = if count > FEW_KEYS { !many.insert(key) } else { map.get(key).is_some() };
        if known {
            return Err(BinaryError::Damaged(start));
        }
        map.push_new(key, take_value(input, depth)?);
    }
    Ok(map)
}

fn deeper(depth: usize) -> Result<usize, BinaryError> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(BinaryError::TooDeep) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::{decode, encode};

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |value, _| Value::List(vec![value]))
    }

    #[test]
    fn nesting_has_one_limit_for_writing_and_reading() {
        let deepest = nested(MAX_DEPTH);
        assert_eq!(decode::<Value>(&encode(&deepest).unwrap()), Ok(deepest));
        assert_eq!(encode(&nested(MAX_DEPTH + 1)), Err(BinaryError::TooDeep));
        let endless = [LIST, 1].repeat(100_000);
        assert_eq!(decode::<Value>(&endless), Err(BinaryError::TooDeep));
    }

    #[test]
    fn a_key_that_comes_twice_is_damage() {
        for count in [2u8, 40] {
            let mut bytes = vec![MAP, count];
            (0..count).for_each(|_| bytes.extend([1, b'k', NULL]));
            assert_eq!(decode::<Value>(&bytes), Err(BinaryError::Damaged(1)));
        }
    }

    #[test]
    fn text_and_numbers_are_checked() {
        assert_eq!(decode::<Value>(&[TEXT, 1, 0xff]), Err(BinaryError::Damaged(1)));
        assert_eq!(decode::<Value>(&[NUMBER, 1, b'x']), Err(BinaryError::Damaged(0)));
        assert_eq!(decode::<Value>(&[9]), Err(BinaryError::Damaged(0)));
        assert_eq!(decode::<Value>(&[NULL, NULL]), Err(BinaryError::Rest(1)));
    }
}
