//! Dates and times of the binary protocol (MySQL source documentation, "Binary Protocol Value"), as
//! the server prints them.

use super::fields::Fields;

/// Reads a date with its time, or without when `time` is false. `digits` is how many of a second's
/// fraction are printed.
pub(super) fn read_date(bytes: &[u8], time: bool, digits: u8) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let (year, month, day) = match bytes.len() {
        0 => (0, 0, 0),
        4 | 7 | 11 => (fields.u16().ok()?, fields.byte().ok()?, fields.byte().ok()?),
        _ => return None,
    };
    let date = format!("{year:04}-{month:02}-{day:02}");
    if !time {
        return (bytes.len() <= 4).then_some(date);
    }
    let (hours, minutes, seconds) = match bytes.len() {
        0 | 4 => (0, 0, 0),
        _ => (fields.byte().ok()?, fields.byte().ok()?, fields.byte().ok()?),
    };
    let micros = if bytes.len() == 11 { fields.u32().ok()? } else { 0 };
    let fraction = fraction(micros, digits)?;
    Some(format!("{date} {hours:02}:{minutes:02}:{seconds:02}{fraction}"))
}

/// Writes a date, in as few bytes as servers do.
pub(super) fn write_date(text: &str) -> Option<Vec<u8>> {
    let (date, time) = text.split_once([' ', 'T']).map_or((text, None), |(a, b)| (a, Some(b)));
    let mut parts = date.split('-');
    let mut out = number::<u16>(parts.next()?)?.to_le_bytes().to_vec();
    out.push(number(parts.next()?)?);
    out.push(number(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let (hours, rest, micros) = time.map_or(Some((0, [0, 0], 0)), clock)?;
    let hours = u8::try_from(hours).ok()?;
    if micros != 0 || hours != 0 || rest != [0, 0] {
        out.extend_from_slice(&[hours, rest[0], rest[1]]);
    }
    if micros != 0 {
        out.extend_from_slice(&micros.to_le_bytes());
    }
    let is_zero = out.iter().all(|byte| *byte == 0);
    Some(if is_zero { Vec::new() } else { out })
}

/// Reads a time of day or a span of time.
pub(super) fn read_time(bytes: &[u8], digits: u8) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let (sign, days, hours, minutes, seconds) = match bytes.len() {
        0 => (0, 0, 0, 0, 0),
        8 | 12 => (
            fields.byte().ok()?,
            fields.u32().ok()?,
            fields.byte().ok()?,
            fields.byte().ok()?,
            fields.byte().ok()?,
        ),
        _ => return None,
    };
    let micros = if bytes.len() == 12 { fields.u32().ok()? } else { 0 };
    let sign = if sign == 0 { "" } else { "-" };
    let hours = u64::from(days) * 24 + u64::from(hours);
    let fraction = fraction(micros, digits)?;
    Some(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"))
}

/// Writes a time of day or a span of time, in as few bytes as servers do.
pub(super) fn write_time(text: &str) -> Option<Vec<u8>> {
    let (text, sign) = text.strip_prefix('-').map_or((text, 0), |text| (text, 1));
    let (hours, [minutes, seconds], micros) = clock(text)?;
    if (hours, minutes, seconds, micros) == (0, 0, 0, 0) && sign == 0 {
        return Some(Vec::new());
    }
    let mut out = vec![sign];
    out.extend_from_slice(&(hours / 24).to_le_bytes());
    out.extend_from_slice(&[u8::try_from(hours % 24).ok()?, minutes, seconds]);
    if micros != 0 {
        out.extend_from_slice(&micros.to_le_bytes());
    }
    Some(out)
}

fn fraction(micros: u32, digits: u8) -> Option<String> {
    let all = (micros < 1_000_000).then(|| format!(".{micros:06}"))?;
    match usize::from(digits) {
        // Without a number of digits, as in parameters, all are shown where there are any.
        0 if micros == 0 => Some(String::new()),
        digits @ 1..=5 => {
            all[digits + 1..].bytes().all(|byte| byte == b'0').then(|| all[..=digits].to_owned())
        }
        _ => Some(all),
    }
}

/// Hours, minutes and seconds, microseconds.
fn clock(text: &str) -> Option<(u32, [u8; 2], u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hours = number(parts.next()?)?;
    let minutes = number(parts.next()?)?;
    let seconds = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { number(&format!("{fraction:0<6}"))? };
    Some((hours, [minutes, seconds], micros))
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
