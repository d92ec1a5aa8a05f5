//! Exact numbers in the binary format: digits to the base of 10,000 (`numeric_send`).

use super::fields::Fields;

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const MINUS_INFINITY: u16 = 0xf000;

/// Digits to the base of 10,000 that are spelled out. Longer numbers stay bytes.
const MOST: i32 = 1024;

/// The spelling.
pub(super) fn read(bytes: &[u8]) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let count = fields.i16().ok()?;
    let weight = i32::from(fields.i16().ok()?);
    let sign = fields.i16().ok()?.cast_unsigned();
    let scale = fields.i16().ok()?;
    match sign {
        NAN => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        MINUS_INFINITY => return Some("-Infinity".to_owned()),
        POSITIVE | NEGATIVE => {}
        _ => return None,
    }
    let scale = usize::try_from(scale).ok()?;
    if weight.abs() > MOST || scale > 4 * 1024 {
        return None;
    }
    let digits = (0..count).map(|_| fields.i16().ok().filter(|digit| (0..10_000).contains(digit)));
    let digits = digits.collect::<Option<Vec<i16>>>()?;
    let digit = |power: i32| {
        let index = usize::try_from(weight - power).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = String::new();
    if sign == NEGATIVE {
        text.push('-');
    }
    let whole: String = (0..=weight).rev().map(|power| format!("{:04}", digit(power))).collect();
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        let groups = i32::try_from(scale.div_ceil(4)).ok()?;
        let fraction: String = (1..=groups).map(|power| format!("{:04}", digit(-power))).collect();
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Some(text)
}

/// The bytes of a spelling without an exponent.
pub(super) fn write(text: &str) -> Option<Vec<u8>> {
    let named = |sign: u16| [&[0; 4], &sign.to_be_bytes()[..], &[0; 2]].concat();
    match text {
        "NaN" => return Some(named(NAN)),
        // A server gives infinities a scale of 32, as the largest that there is.
        "Infinity" => return Some([&[0; 4], &INFINITY.to_be_bytes()[..], &[0, 32]].concat()),
        "-Infinity" => {
            return Some([&[0; 4], &MINUS_INFINITY.to_be_bytes()[..], &[0, 32]].concat());
        }
        _ => {}
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (POSITIVE, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let padded = format!("{whole:0>width$}", width = whole.len().next_multiple_of(4));
    let weight = i32::try_from(padded.len() / 4).ok()? - 1;
    let width = fraction.len().next_multiple_of(4);
    let all = format!("{padded}{fraction:0<width$}");
    let groups = all
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0u16, |number, byte| number * 10 + u16::from(byte - b'0')));
    let groups: Vec<u16> = groups.collect();
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
    let last = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let groups = &groups[first..last];
    let (sign, weight) = match groups.is_empty() {
        true => (POSITIVE, 0),
        false => (sign, weight - i32::try_from(first).ok()?),
    };
    let mut out = Vec::new();
    out.extend_from_slice(&i16::try_from(groups.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&i16::try_from(weight).ok()?.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&i16::try_from(fraction.len()).ok()?.to_be_bytes());
    groups.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
    Some(out)
}
