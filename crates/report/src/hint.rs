//! What two differing values look like together, in a few words: times that are hours apart.
//!
//! Only where people would see it at once if they put the two below one another. It judges nothing.

use rehearsal_model::{Change, Value};

/// Minutes in a day.
const DAY: i64 = 24 * 60;

/// Zones lie a multiple of a quarter of an hour apart, and at most so far.
const STEP: i64 = 15;
const FARTHEST: i64 = 14 * 60;

/// A few words about a change, where there is something to say.
pub(crate) fn hint(change: &Change) -> Option<String> {
    let (Some(Value::Text(expected)), Some(Value::Text(actual))) =
        (change.expected(), change.actual())
    else {
        return None;
    };
    let (expected, actual) = (Time::read(expected)?, Time::read(actual)?);
    let apart = actual.minutes - expected.minutes;
    if expected.rest != actual.rest || expected.has_clock != actual.has_clock {
        return None;
    }
    if expected.zone != actual.zone {
        let same = apart == actual.zone.unwrap_or(0) - expected.zone.unwrap_or(0);
        return same.then(|| "the same moment, written in another time zone".to_owned());
    }
    let whole = match expected.has_clock {
        true => apart % STEP == 0 && apart.abs() <= FARTHEST,
        false => apart.abs() == DAY,
    };
    let way = if apart > 0 { "later" } else { "earlier" };
    (whole && apart != 0).then(|| format!("{} {way}: a time zone?", spoken(apart.abs())))
}

fn spoken(minutes: i64) -> String {
    let one = |count: i64, unit: &str| match count {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{count} {unit}s")),
    };
    let days = if minutes == DAY { 1 } else { 0 };
    let rest = minutes - days * DAY;
    let all = [one(days, "day"), one(rest / 60, "hour"), one(rest % 60, "minute")];
    all.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `2024-05-06`, or `2024-05-06 10:00:00.5+02:00` with a space or a `T`.
struct Time<'a> {
    /// Since some day, as it is written, whatever the zone.
    minutes: i64,
    has_clock: bool,
    /// Seconds and what is smaller.
    rest: &'a str,
    /// Minutes before Greenwich; none where no zone is named.
    zone: Option<i64>,
}

impl Time<'_> {
    fn read(text: &str) -> Option<Time<'_>> {
        let (date, clock) = (text.get(..10)?, text.get(10..)?);
        let [year, month, day] = numbers(date, '-')?;
        let known = (1..=12).contains(&month) && (1..=31).contains(&day);
        let minutes = days(year, month, day) * DAY;
        if clock.is_empty() {
            return known.then_some(Time { minutes, has_clock: false, rest: "", zone: None });
        }
        let clock = clock.strip_prefix(['T', ' ']).filter(|_| known)?;
        let [hour, minute] = numbers(clock.get(..5)?, ':')?;
        let rest = clock.get(5..)?;
        let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
        let (rest, zone) = rest.split_at(zone);
        let is_plain = |char: char| char.is_ascii_digit() || matches!(char, ':' | '.');
        if !rest.chars().all(is_plain) || hour > 23 || minute > 59 {
            return None;
        }
        let zone = if zone.is_empty() { None } else { Some(offset(zone)?) };
        Some(Time { minutes: minutes + hour * 60 + minute, has_clock: true, rest, zone })
    }
}

/// Minutes of `Z`, `+02`, `+0230` or `-02:30`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.get(1..)?.chars().filter(|char| *char != ':').collect();
    let hours = digits.get(..2)?.parse::<i64>().ok()?;
    let minutes = match digits.get(2..)? {
        "" => 0,
        minutes => minutes.parse::<i64>().ok()?,
    };
    Some(sign * (hours * 60 + minutes))
}

fn numbers<const N: usize>(text: &str, between: char) -> Option<[i64; N]> {
    let parts = text.split(between).map(|part| {
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    });
    parts.collect::<Option<Vec<i64>>>()?.try_into().ok()
}

/// Days since some day of the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, actual: &str, said: Option<&str>) {
        let change = Change::Changed { expected: expected.into(), actual: actual.into() };
        assert_eq!(hint(&change).as_deref(), said);
    }

    #[test]
    fn times_that_zones_lie_between_are_told() {
        let noon = "2024-05-06 12:00:00";
        check("2024-05-06 10:00:00", noon, Some("2 hours later: a time zone?"));
        check(
            "2024-05-06T17:30:00Z",
            "2024-05-06T12:00:00Z",
            Some("5 hours 30 minutes earlier: a time zone?"),
        );
        check("2024-02-29 23:00", "2024-03-01 00:00", Some("1 hour later: a time zone?"));
        check("2024-05-06", "2024-05-05", Some("1 day earlier: a time zone?"));
        check(
            "2024-05-06 10:00:00+00",
            "2024-05-06 12:00:00+02",
            Some("the same moment, written in another time zone"),
        );
        check(
            "2024-05-06T10:00:00.5Z",
            "2024-05-06T06:30:00.5-03:30",
            Some("the same moment, written in another time zone"),
        );
    }

    #[test]
    fn other_texts_are_not() {
        let noon = "2024-05-06 12:00:00";
        for other in [
            "2024-05-06 12:00:00",
            "2024-05-06 12:00:01",
            "2024-05-06 12:07:00",
            "2024-06-06 12:00:00",
            "2024-05-06",
            "",
            "soon",
            "2024-05-06 12",
            "2024-05-06 10:00:00+02",
        ] {
            check(noon, other, None);
        }
        check("2024-05-06", "2024-05-08", None);
        check("10.00", "12.00", None);
    }
}
