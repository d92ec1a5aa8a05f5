//! Which plain scalars are numbers to a reader of YAML (1.2, section 10.3.2).
//!
//! Only those in JSON's grammar are numbers here; the other spellings are quoted when written and
//! refused when read, because two readers could differ over them.

/// Whether the core schema takes a plain scalar for a number.
pub(super) fn looks_like_one(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|first| matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.')) {
        return false;
    }
    if let Some(digits) = bytes.strip_prefix(b"0x") {
        return !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    }
    if let Some(digits) = bytes.strip_prefix(b"0o") {
        return !digits.is_empty() && digits.iter().all(|digit| matches!(digit, b'0'..=b'7'));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let bytes = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+")).unwrap_or(bytes);
    matches!(bytes, b".inf" | b".Inf" | b".INF") || is_decimal(bytes)
}

/// Digits with a fraction and an exponent, each of which may be absent.
fn is_decimal(text: &[u8]) -> bool {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let rest = rest.strip_prefix(b"-").or(rest.strip_prefix(b"+")).unwrap_or(rest);
            matches!(digits(rest), (1.., []))
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
    use super::looks_like_one;

    #[test]
    fn knows_the_spellings_of_the_core_schema() {
        for number in [
            "0", "-0", "+1", "007", "1.", ".5", "-.5e3", "1e3", "0x1F", "0o17", ".inf", "-.INF",
            ".nan",
        ] {
            assert!(looks_like_one(number), "{number}");
        }
        for text in
            ["", "-", ".", "+", "e3", "1e", "1.2.3", "0x", "0xg", "0o8", "1 2", "12a", "-.nan"]
        {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
