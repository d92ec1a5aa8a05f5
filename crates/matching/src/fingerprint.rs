//! A hash of a value that is the same on every machine and in every release of one cache format.
//!
//! It finds candidates; whether they are equal is then compared.

use rehearsal_model::{Value, secret};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const PRIME: u64 = 0xff51_afd7_ed55_8ccd;

/// The hash. Values that `compare` calls equal without rules mostly, not always, agree in it:
/// secrets are masked and the order of keys is left out, the spelling of numbers is not.
#[must_use]
pub fn fingerprint(value: &Value) -> u64 {
    match value {
        Value::Null => mix(SEED, 1),
        Value::Bool(value) => mix(SEED, 2 + u64::from(*value)),
        Value::Number(number) => bytes(mix(SEED, 4), number.as_str().as_bytes()),
        Value::Text(text) => bytes(mix(SEED, 5), secret::mask(text).as_bytes()),
        Value::Bytes(raw) => bytes(mix(SEED, 6), raw),
        Value::List(list) => {
            list.iter().fold(mix(SEED, 7), |hash, value| mix(hash, fingerprint(value)))
        }
        Value::Map(map) => {
            let pairs =
                map.iter().map(|(key, value)| mix(bytes(SEED, key.as_bytes()), fingerprint(value)));
            mix(mix(SEED, 8), pairs.fold(map.len() as u64, u64::wrapping_add))
        }
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ word).wrapping_mul(PRIME);
    mixed ^ (mixed >> 32)
}

fn bytes(mut hash: u64, raw: &[u8]) -> u64 {
    let mut chunks = raw.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        hash = mix(hash, word);
    }
    let rest = chunks.remainder();
    let word = rest.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(hash, word), raw.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Map, Number};

    #[test]
    fn order_of_keys_is_left_out_and_order_of_lists_is_not() {
        let map = |pairs: [(&str, i32); 2]| Value::Map(Map::from(pairs));
        assert_eq!(
            fingerprint(&map([("a", 1), ("b", 2)])),
            fingerprint(&map([("b", 2), ("a", 1)]))
        );
        assert_ne!(
            fingerprint(&map([("a", 1), ("b", 2)])),
            fingerprint(&map([("a", 2), ("b", 1)]))
        );
        assert_ne!(fingerprint(&vec![1, 2].into()), fingerprint(&vec![2, 1].into()));
    }

    #[test]
    fn kinds_and_lengths_differ_and_secrets_do_not() {
        let number = Value::from(Number::parse("17").unwrap());
        assert_ne!(fingerprint(&number), fingerprint(&"17".into()));
        assert_ne!(fingerprint(&"".into()), fingerprint(&"\0".into()));
        assert_ne!(fingerprint(&"12345678".into()), fingerprint(&"12345678\0".into()));
        let token = |hash| Value::from(format!("Bearer {}", secret::placeholder("bearer", hash)));
        assert_eq!(fingerprint(&token(1)), fingerprint(&token(2)));
    }

    #[test]
    fn is_the_same_everywhere() {
        assert_eq!(fingerprint(&"POST /orders".into()), 7_749_662_793_745_201_618);
    }
}
