//! Times and spans as text: `2026-11-20T10:00:00.123Z` and `1.500s`, with no, three, six or nine
//! digits behind the point.
//!
//! What has no such text (a time before the year 1, a span with two signs) is shown by its fields.

use super::elements::{self, Element, Wire};
use rehearsal_model::{Map, Value};

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// The seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About ten thousand years.
const MOST_SECONDS: i64 = 315_576_000_000;

/// The seconds and nanoseconds that a message has, when it has nothing else.
fn parts(map: &Map) -> Option<(i64, i64)> {
    let part = |key| map.get(key).map_or(Some(0), Value::as_i64);
    let known = map.keys().all(|key| matches!(key, "seconds" | "nanos"));
    Some((part("seconds")?, part("nanos")?)).filter(|_| known)
}

pub(super) fn show_time(map: &Map) -> Option<Value> {
    let (seconds, nanos) = parts(map)?;
    if !TIMES.contains(&seconds) || !(0..NANOS).contains(&nanos) {
        return None;
    }
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    let fraction = fraction(nanos);
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z");
    Some(text.into())
}

pub(super) fn show_span(map: &Map) -> Option<Value> {
    let (seconds, nanos) = parts(map)?;
    let (sign, seconds, nanos) = match seconds < 0 || nanos < 0 {
        true => ("-", seconds.checked_neg()?, nanos.checked_neg()?),
        false => ("", seconds, nanos),
    };
    let fits = (0..=MOST_SECONDS).contains(&seconds) && (0..NANOS).contains(&nanos);
    fits.then(|| format!("{sign}{seconds}{}s", fraction(nanos)).into())
}

fn fraction(nanos: i64) -> String {
    match nanos {
        0 => String::new(),
        _ if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        _ if nanos % 1000 == 0 => format!(".{:06}", nanos / 1000),
        _ => format!(".{nanos:09}"),
    }
}

pub(super) fn write_time(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let (seconds, nanos) = read_time(text)
        .ok_or_else(|| format!("{text:?} is no time such as 2026-11-20T10:00:00.123Z"))?;
    write(seconds, nanos, out);
    Ok(())
}

pub(super) fn write_span(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let (seconds, nanos) =
        read_span(text).ok_or_else(|| format!("{text:?} is no span of time such as 1.5s"))?;
    write(seconds, nanos, out);
    Ok(())
}

fn write(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, nanos)] {
        if value != 0 {
            elements::write(Element { number, wire: Wire::Varint(value.cast_unsigned()) }, out);
        }
    }
}

fn read_time(text: &str) -> Option<(i64, i64)> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, nanos) = read_fraction(time)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day);
    // What is no day of the calendar comes back as another one.
    let valid = year > 0 && civil(days) == (year, month, day);
    valid.then_some((days * DAY + hour * 3600 + minute * 60 + second, nanos))
}

fn read_span(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (whole, nanos) = read_fraction(text)?;
    let digits = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = whole.parse::<i64>().ok().filter(|it| digits && *it <= MOST_SECONDS)?;
    Some((sign * seconds, sign * nanos))
}

/// The text before the point, and what is behind it in nanoseconds.
fn read_fraction(text: &str) -> Option<(&str, i64)> {
    let Some((whole, fraction)) = text.split_once('.') else { return Some((text, 0)) };
    let digits = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    let nanos = format!("{fraction:0<9}").parse().ok().filter(|_| digits)?;
    Some((whole, nanos))
}

fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (place, length) in found.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        *place = part.parse().ok().filter(|_| digits)?;
    }
    parts.next().is_none().then_some(found)
}

/// Days since 1970 of a date in the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// The date that so many days since 1970 lead to.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, wrap) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + wrap, month, day)
}
