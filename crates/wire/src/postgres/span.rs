//! Spans of time: months, days and microseconds, spelled in the style `postgres`.

use super::fields::Fields;
use super::moment;

pub(super) fn read(bytes: &[u8]) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let (micros, days, months) = (fields.i64().ok()?, fields.i32().ok()?, fields.i32().ok()?);
    let mut text = String::new();
    let mut negative = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let space = if text.is_empty() { "" } else { " " };
            let sign = if negative && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            text.push_str(&format!("{space}{sign}{count} {unit}{plural}"));
            negative = count < 0;
        }
    }
    if text.is_empty() || micros != 0 {
        let space = if text.is_empty() { "" } else { " " };
        let sign = match micros < 0 {
            true => "-",
            false if negative => "+",
            false => "",
        };
        let time = moment::spell_time(micros.checked_abs()?);
        text.push_str(&format!("{space}{sign}{time}"));
    }
    Some(text)
}

pub(super) fn write(text: &str) -> Option<Vec<u8>> {
    let (mut micros, mut days, mut months) = (0i64, 0i32, 0i32);
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        if word.contains(':') {
            let magnitude = moment::parse_time(word.trim_start_matches(['+', '-']))?;
            micros = if word.starts_with('-') { -magnitude } else { magnitude };
            continue;
        }
        let count: i32 = word.parse().ok()?;
        match words.next()?.trim_end_matches('s') {
            "year" => months = months.checked_add(count.checked_mul(12)?)?,
            "mon" => months = months.checked_add(count)?,
            "day" => days = count,
            _ => return None,
        }
    }
    let mut out = micros.to_be_bytes().to_vec();
    out.extend_from_slice(&days.to_be_bytes());
    out.extend_from_slice(&months.to_be_bytes());
    Some(out)
}
