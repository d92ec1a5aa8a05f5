//! Decimal numbers of 128 bits (IEEE 754-2008, binary integer significand) as text and back.
//!
//! The text keeps every digit and the exponent (BSON Decimal128 specification, "To String
//! Representation"). Bits that the text cannot say, such as the payload of a NaN, have none.

const BIAS: i32 = 6176;
const HIGHEST: i32 = 6111;
const MOST_DIGITS: usize = 34;
const SIGN: u128 = 1 << 127;
const INFINITY: u128 = 0b11110 << 122;
const NAN: u128 = 0b11111 << 122;

/// The text, when it says all that the bits say.
pub(super) fn to_text(bits: u128) -> Option<String> {
    let text = spell(bits);
    (from_text(&text) == Some(bits)).then_some(text)
}

fn spell(bits: u128) -> String {
    let sign = if bits & SIGN == 0 { "" } else { "-" };
    match bits & NAN {
        NAN => return "NaN".to_owned(),
        INFINITY => return format!("{sign}Infinity"),
        _ => {}
    }
    let exponent = i32::try_from(bits >> 113 & 0x3fff).unwrap_or(0) - BIAS;
    let digits = (bits & ((1 << 113) - 1)).to_string();
    let count = i32::try_from(digits.len()).unwrap_or(0);
    let adjusted = exponent + count - 1;
    if exponent > 0 || adjusted < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{adjusted:+}");
    }
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    let places = usize::try_from(-exponent).unwrap_or(0);
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// The bits of a text; nothing when it is no decimal number or needs more than 34 digits.
pub(super) fn from_text(text: &str) -> Option<u128> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (SIGN, text),
        None => (0, text.strip_prefix('+').unwrap_or(text)),
    };
    match text.to_ascii_lowercase().as_str() {
        "nan" => return Some(NAN),
        "infinity" | "inf" => return Some(sign | INFINITY),
        _ => {}
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.parse::<i32>().ok()?;
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let digits = digits.trim_start_matches('0');
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let coefficient = if digits.is_empty() { 0 } else { digits.parse::<u128>().ok()? };
    let (coefficient, exponent) = clamp(coefficient, exponent)?;
    let biased = u128::try_from(exponent + BIAS).ok()?;
    Some(sign | biased << 113 | coefficient)
}

/// Brings an exponent into the range that can be written, if that loses nothing.
fn clamp(coefficient: u128, exponent: i32) -> Option<(u128, i32)> {
    if coefficient == 0 {
        return Some((0, exponent.clamp(-BIAS, HIGHEST)));
    }
    let (mut coefficient, mut exponent) = (coefficient, exponent);
    if !(-BIAS - 40..=HIGHEST + 40).contains(&exponent) {
        return None;
    }
    while exponent > HIGHEST {
        (coefficient, exponent) = (coefficient * 10, exponent - 1);
        if coefficient >= 10_u128.pow(34) {
            return None;
        }
    }
    while exponent < -BIAS {
        if coefficient % 10 != 0 {
            return None;
        }
        (coefficient, exponent) = (coefficient / 10, exponent + 1);
    }
    Some((coefficient, exponent))
}
