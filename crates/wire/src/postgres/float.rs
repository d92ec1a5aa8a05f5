//! Floating point numbers, spelled as servers since PostgreSQL 12 spell them: with the fewest digits
//! that tell the number from its neighbours.

use rehearsal_model::{Number, Value};

pub(super) fn from_4(value: f32) -> Option<Value> {
    named(f64::from(value)).or_else(|| number(&format!("{value:e}"), 6))
}

pub(super) fn from_8(value: f64) -> Option<Value> {
    named(value).or_else(|| number(&format!("{value:e}"), 15))
}

/// The spelling of a number in a recording, which Rust's parser understands.
pub(super) fn spelling(value: &Value) -> Option<&str> {
    match value {
        Value::Number(number) => Some(number.as_str()),
        Value::Text(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
            Some(text)
        }
        _ => None,
    }
}

fn named(value: f64) -> Option<Value> {
    match value {
        _ if value.is_nan() => Some("NaN".into()),
        f64::INFINITY => Some("Infinity".into()),
        f64::NEG_INFINITY => Some("-Infinity".into()),
        _ => None,
    }
}

/// Writes `-1.25e-7` the way servers do: in full when the exponent is at least -4 and less than
/// `most`.
fn number(scientific: &str, most: i32) -> Option<Value> {
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let spelled = if !(-4..most).contains(&exponent) {
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{mantissa}e{exponent_sign}{:02}", exponent.abs())
    } else if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-1 - exponent).ok()?);
        format!("{sign}0.{zeros}{digits}")
    } else {
        let whole = usize::try_from(exponent).ok()? + 1;
        match digits.len() > whole {
            true => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
            false => format!("{sign}{digits:0<whole$}"),
        }
    };
    Number::parse(&spelled).map(Value::Number)
}
