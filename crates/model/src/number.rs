//! A number that keeps the digits it was written with.
//!
//! It does not calculate; `compare` decides when two spellings mean the same.

use std::fmt;

/// A decimal number in JSON's grammar (RFC 8259, section 6), spelled as it was received: `1.10`,
/// `1e3` and `18446744073709551616` all survive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(Box<str>);

impl Number {
    /// Takes a spelling, or `None` when it is not a JSON number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_json_number(text.as_bytes()).then(|| Number(text.into()))
    }

    /// The spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is written without a fraction and an exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self.0.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// The number as a signed integer, when it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                Number(value.to_string().into())
            }
        }
    )*};
}
from_integers!(u8, u16, u32, u64, usize, i32, i64, i128);

fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => match digits(fraction) {
            (0, _) => return false,
            (_, rest) => rest,
        },
    };
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let exponent = rest.strip_prefix(b"-").or(rest.strip_prefix(b"+")).unwrap_or(rest);
            matches!(digits(exponent), (1.., []))
        }
        _ => false,
    }
}

fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_grammar_takes() {
        for good in ["0", "-0", "10", "1.10", "1e3", "1E+3", "-2.5e-10", "18446744073709551616"] {
            assert_eq!(Number::parse(good).map(|n| n.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "-", "01", ".5", "1.", "1e", "+1", "1_0", "0x1", " 1", "1 ", "NaN", "1e+"] {
            assert_eq!(Number::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn knows_an_integer_by_its_spelling() {
        assert!(Number::from(7u8).is_integer());
        assert!(!Number::parse("7.0").unwrap().is_integer());
        assert_eq!(Number::parse("9223372036854775808").unwrap().as_i64(), None);
    }
}
