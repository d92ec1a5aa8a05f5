//! How near two values are to each other, cheaply.
//!
//! Good for choosing what to show beside a value, never for deciding whether it is right.

use rehearsal_model::{Map, Value, secret::mask};

/// What two equal values score.
pub const SAME: u32 = 1000;

/// How many values are looked at.
const MAX_VISITS: usize = 2000;
/// How many keys or items of one value are looked at.
const MAX_WIDTH: usize = 64;
/// How far down is looked.
const MAX_DEPTH: usize = 16;
/// How many bytes of a text are looked at from each end.
const MAX_TEXT: usize = 256;

/// A score from 0 (nothing in common) to 1000 (equal as far as was looked). Its cost is bounded
/// whatever the size of the values.
#[must_use]
pub fn similarity(a: &Value, b: &Value) -> u32 {
    let mut visits = MAX_VISITS;
    score(a, b, MAX_DEPTH, &mut visits)
}

fn score(a: &Value, b: &Value, depth: usize, visits: &mut usize) -> u32 {
    if *visits == 0 || depth == 0 {
        return SAME / 2;
    }
    *visits -= 1;
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => maps(a, b, depth, visits),
        (Value::List(a), Value::List(b)) => {
            let both = a.iter().zip(b).take(MAX_WIDTH);
            let sum = both.map(|(a, b)| score(a, b, depth - 1, visits)).sum();
            share(sum, a.len().max(b.len()).min(MAX_WIDTH))
        }
        (Value::Text(a), Value::Text(b)) => texts(&mask(a), &mask(b)),
        (Value::Number(a), Value::Number(b)) if a == b => SAME,
        (Value::Number(_), Value::Number(_)) => SAME / 5,
        (Value::Bytes(a), Value::Bytes(b)) if a.len() != b.len() => SAME / 10,
        (Value::Bytes(_), Value::Bytes(_)) | (Value::Bool(_), Value::Bool(_)) => {
            if a == b {
                SAME
            } else {
                SAME / 5
            }
        }
        (Value::Null, Value::Null) => SAME,
        _ => 0,
    }
}

fn share(sum: u32, count: usize) -> u32 {
    if count == 0 { SAME } else { sum / u32::try_from(count).unwrap_or(u32::MAX) }
}

fn maps(a: &Map, b: &Map, depth: usize, visits: &mut usize) -> u32 {
    let (mut sum, mut shared) = (0, 0);
    for (key, value) in a.iter().take(MAX_WIDTH) {
        if let Some((_, other)) = b.iter().take(MAX_WIDTH).find(|(name, _)| *name == key) {
            // A key in common counts for a little even when its values have nothing in common.
            sum += SAME / 10 + score(value, other, depth - 1, visits) * 9 / 10;
            shared += 1;
        }
    }
    share(sum, a.len().min(MAX_WIDTH) + b.len().min(MAX_WIDTH) - shared)
}

fn texts(a: &str, b: &str) -> u32 {
    if a == b {
        return SAME;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| {
        pairs.take(MAX_TEXT).take_while(|(a, b)| a == b).count()
    };
    let front = same(&mut a.iter().zip(b));
    let shorter = a.len().min(b.len()) - front;
    let back = same(&mut a.iter().rev().zip(b.iter().rev())).min(shorter);
    let longer = a.len().max(b.len()).min(2 * MAX_TEXT);
    let part = (front + back) * 600 / longer;
    u32::try_from(part).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json::parse;

    fn of(a: &str, b: &str) -> u32 {
        similarity(&parse(a).unwrap(), &parse(b).unwrap())
    }

    #[test]
    fn nearer_scores_higher() {
        let wanted = r#"{"method":"POST","path":"/charges","body":{"order":17,"amount":"19.90"}}"#;
        let near = r#"{"method":"POST","path":"/charges","body":{"order":17,"amount":"39.80"}}"#;
        let far = r#"{"method":"GET","path":"/rates","query":{"currency":"EUR"}}"#;
        assert_eq!(of(wanted, wanted), SAME);
        assert!(of(wanted, near) > of(wanted, far));
        assert_eq!(of("1", "\"1\""), 0);
        assert_eq!(of("{}", "{}"), SAME);
        assert!(of("[1,2,3]", "[1,2,4]") > of("[1,2,3]", "[4,5,6]"));
        assert!(of(r#""/orders/17""#, r#""/orders/18""#) > of(r#""/orders/17""#, r#""x""#));
        assert_eq!(of(r#""aaaa""#, r#""aaa""#), 450);
    }

    #[test]
    fn its_cost_is_bounded() {
        let mut deep = Value::Null;
        for _ in 0..200 {
            deep = Value::List(vec![deep.clone(), Value::Null]);
        }
        let wide = Value::List(vec![deep.clone(); 1000]);
        assert!(similarity(&wide, &wide.clone()) <= SAME);
        let text = Value::Text("x".repeat(1 << 20));
        assert_eq!(similarity(&text, &Value::Text("x".repeat(1 << 20) + "y")), 300);
    }
}
