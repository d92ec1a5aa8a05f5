//! Durations, sizes and times of a clock as people write them.

use rehearsal_model::{ClockSetting, Timestamp};
use std::time::Duration;

/// Why a text is not a duration or a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// It is not a duration.
    #[error("`{0}` is not a duration; write it as `500ms`, `10s`, `2m` or `1h`")]
    Duration(String),
    /// It is not a size.
    #[error("`{0}` is not a size; write it as `512B`, `16KiB`, `64MiB` or `1GiB`")]
    Size(String),
    /// It is not a time that a clock can show.
    #[error(
        "`{0}` is nothing that a clock can show; write `real`, `recorded`, `frozen`, or an instant \
         from 1970 on such as `2026-01-31T10:00:00Z`"
    )]
    Clock(String),
    /// It is a time, but not one that a clock can show.
    #[error(
        "`{0}` is a time that no clock can show: the app's counts nanoseconds since 1970, which end in 2262; \
         write an instant from 1970 to 2199"
    )]
    NoClock(String),
}

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A whole number with a unit: `500ms`, `10s`, `2m`, `1h`.
///
/// # Errors
/// When it is written otherwise, or too large to count in milliseconds.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    parse(text, &DURATIONS)
        .map(Duration::from_millis)
        .ok_or_else(|| UnitError::Duration(text.to_owned()))
}

/// An instant in milliseconds since 1970 as people write it, in UTC: `2026-12-31 18:05`. Its first ten
/// characters are the day.
#[must_use]
pub fn format_instant(milliseconds: i64) -> String {
    let instant = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    let text: String = instant.to_string().chars().take("2026-12-31T18:05".len()).collect();
    text.replacen('T', " ", 1)
}

/// What a clock shows: `real`, `recorded`, `frozen`, or an instant (RFC 3339) from 1970 to 2200.
///
/// # Errors
/// When it is something else.
pub fn parse_clock(text: &str) -> Result<ClockSetting, UnitError> {
    Ok(match text {
        "real" => ClockSetting::Real,
        "recorded" => ClockSetting::Recorded,
        "frozen" => ClockSetting::Frozen,
        instant => {
            let instant = instant.parse::<jiff::Timestamp>();
            let instant = instant.map_err(|_| UnitError::Clock(text.to_owned()))?;
            if !can_be_shown(instant) {
                return Err(UnitError::NoClock(text.to_owned()));
            }
            ClockSetting::At(Timestamp(instant.as_millisecond()))
        }
    })
}

/// Whether the clock of an app can show an instant, and run on from there.
pub(crate) fn can_be_shown(instant: jiff::Timestamp) -> bool {
    // In 2262 the nanoseconds since 1970 pass the range of a 64-bit integer.
    const LAST: i64 = 7_258_118_400_000;
    (0..LAST).contains(&instant.as_millisecond())
}

/// A whole number of bytes with a unit: `512B`, `16KiB`, `64MiB`, `1GiB`.
///
/// # Errors
/// When it is written otherwise, or too large to count in bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    parse(text, &SIZES).ok_or_else(|| UnitError::Size(text.to_owned()))
}

/// A duration in the largest unit that holds it exactly.
pub(super) fn format_duration(duration: Duration) -> String {
    format(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATIONS)
}

/// A size in the largest unit that holds it exactly.
pub(super) fn format_size(size: u64) -> String {
    format(size, &SIZES)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    count.parse::<u64>().ok()?.checked_mul(*factor)
}

fn format(count: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| count > 0 && count.is_multiple_of(*factor);
    let (unit, factor) = units.iter().rev().find(fits).unwrap_or(&units[0]);
    format!("{}{unit}", count / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_go_both_ways() {
        for (text, millis) in
            [("0ms", 0), ("1500ms", 1500), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration, Duration::from_millis(millis));
            assert_eq!(format_duration(duration), text);
        }
        for (text, bytes) in
            [("1B", 1), ("16KiB", 16 << 10), ("64MiB", 64 << 20), ("1GiB", 1 << 30)]
        {
            assert_eq!(parse_size(text), Ok(bytes));
            assert_eq!(format_size(bytes), text);
        }
    }

    #[test]
    fn refuses_other_spellings() {
        for bad in [
            "",
            "10",
            "s",
            "1.5s",
            "-1s",
            "10 s",
            "1d",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse_duration(bad), Err(UnitError::Duration(bad.to_owned())));
        }
        for bad in ["", "10", "1MB", "1 MiB", "1mib", "17179869184GiB"] {
            assert_eq!(parse_size(bad), Err(UnitError::Size(bad.to_owned())));
        }
    }
}
