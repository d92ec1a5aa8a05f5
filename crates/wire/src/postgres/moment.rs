//! Dates and times in the binary format, counted from the beginning of 2000, and in ISO spelling.

use super::fields::Fields;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROS;
/// Days from 1970 to 2000.
const EPOCH: i64 = 10_957;

pub(super) fn read_date(bytes: &[u8]) -> Option<String> {
    match i32::from_be_bytes(bytes.try_into().ok()?) {
        i32::MAX => Some("infinity".to_owned()),
        i32::MIN => Some("-infinity".to_owned()),
        days => {
            let (date, era) = spell_date(i64::from(days))?;
            Some(format!("{date}{era}"))
        }
    }
}

pub(super) fn write_date(text: &str) -> Option<Vec<u8>> {
    let days = match text {
        "infinity" => i32::MAX,
        "-infinity" => i32::MIN,
        _ => {
            let (text, is_before) = era(text);
            i32::try_from(parse_date(text, is_before)?).ok()?
        }
    };
    Some(days.to_be_bytes().to_vec())
}

pub(super) fn read_time(bytes: &[u8]) -> Option<String> {
    let micros = i64::from_be_bytes(bytes.try_into().ok()?);
    (0..=DAY).contains(&micros).then(|| spell_time(micros))
}

pub(super) fn write_time(text: &str) -> Option<Vec<u8>> {
    Some(parse_time(text)?.to_be_bytes().to_vec())
}

pub(super) fn read_zoned_time(bytes: &[u8]) -> Option<String> {
    let mut fields = Fields::new(bytes);
    let micros = fields.i64().ok().filter(|micros| (0..=DAY).contains(micros))?;
    let west = fields.i32().ok().filter(|west| west.abs() < 86_400)?;
    Some(format!("{}{}", spell_time(micros), spell_zone(-west)))
}

pub(super) fn write_zoned_time(text: &str) -> Option<Vec<u8>> {
    let (time, east) = split_zone(text)?;
    Some([&parse_time(time)?.to_be_bytes()[..], &(-east).to_be_bytes()].concat())
}

/// A moment; in Universal Time when it is one of a zone.
pub(super) fn read_timestamp(bytes: &[u8], zoned: bool) -> Option<String> {
    match i64::from_be_bytes(bytes.try_into().ok()?) {
        i64::MAX => Some("infinity".to_owned()),
        i64::MIN => Some("-infinity".to_owned()),
        micros => {
            let (date, era) = spell_date(micros.div_euclid(DAY))?;
            let zone = if zoned { "+00" } else { "" };
            Some(format!("{date} {}{zone}{era}", spell_time(micros.rem_euclid(DAY))))
        }
    }
}

pub(super) fn write_timestamp(text: &str, zoned: bool) -> Option<Vec<u8>> {
    let micros = match text {
        "infinity" => i64::MAX,
        "-infinity" => i64::MIN,
        _ => {
            let (text, is_before) = era(text);
            let (date, time) = text.split_once([' ', 'T'])?;
            let (time, east) = if zoned { split_zone(time)? } else { (time, 0) };
            let days = parse_date(date, is_before)?;
            let micros = days.checked_mul(DAY)?.checked_add(parse_time(time)?)?;
            micros.checked_sub(i64::from(east) * MICROS)?
        }
    };
    Some(micros.to_be_bytes().to_vec())
}

/// A time of day with no more digits than it needs.
pub(super) fn spell_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / MICROS, micros % MICROS);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

/// Microseconds of `04:05:06.789`.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let mut part = || unsigned(parts.next()?);
    let (hours, minutes) = (part()?, part()?);
    let seconds = match parts.next() {
        Some(seconds) => unsigned(seconds)?,
        None => 0,
    };
    if parts.next().is_some() || fraction.len() > 6 || minutes > 59 || seconds > 60 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { unsigned(&format!("{fraction:0<6}"))? };
    let seconds = hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?;
    seconds.checked_mul(MICROS)?.checked_add(micros)
}

fn unsigned(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn spell_zone(east: i32) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let east = east.abs();
    let (hours, minutes, seconds) = (east / 3600, east / 60 % 60, east % 60);
    let mut text = format!("{sign}{hours:02}");
    if minutes != 0 || seconds != 0 {
        text.push_str(&format!(":{minutes:02}"));
    }
    if seconds != 0 {
        text.push_str(&format!(":{seconds:02}"));
    }
    text
}

/// The time, and how many seconds its zone is east of Greenwich.
fn split_zone(text: &str) -> Option<(&str, i32)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, 0));
    }
    let place = text.rfind(['+', '-'])?;
    let (time, zone) = text.split_at(place);
    let mut parts = zone[1..].split(':').map(unsigned);
    let mut part = || parts.next().unwrap_or(Some(0));
    let (hours, minutes, seconds) = (part()?, part()?, part()?);
    let east = i32::try_from(hours.checked_mul(3600)? + minutes * 60 + seconds).ok()?;
    Some((time, if zone.starts_with('-') { -east } else { east }))
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

/// The Gregorian date of a day since 2000, and the era behind it. The calculation counts years from
/// March, so that the leap day is the last of a year.
fn spell_date(days: i64) -> Option<(String, &'static str)> {
    let days = days.checked_add(EPOCH + 719_468)?;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + cycle * 400 + i64::from(month <= 2);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    Some((format!("{year:04}-{month:02}-{day:02}"), era))
}

fn parse_date(text: &str, is_before: bool) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(unsigned);
    let mut part = || parts.next().flatten();
    let (year, month, day) = (part()?, part()?, part()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 10_000_000 {
        return None;
    }
    let year = if is_before { 1 - year } else { year } - i64::from(month <= 2);
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = 365 * year + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1;
    Some(cycle * 146_097 + day - 719_468 - EPOCH)
}
