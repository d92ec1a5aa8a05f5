//! Values of options that are not plain text: times, clocks, shares.

use rehearsal_model::{ClockSetting, Overlap};
use std::time::Duration;

pub(super) fn parse_clock(text: &str) -> Result<ClockSetting, String> {
    rehearsal_store::parse_clock(text).map_err(|error| error.to_string())
}

pub(super) fn parse_overlap(text: &str) -> Result<Overlap, String> {
    Overlap::of_word(text).ok_or_else(|| format!("one of {}", Overlap::WORDS.join(", ")))
}

/// A share such as `10%` or `0.1`, as a number above 0 and up to 1.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / whole);
    let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| format!("{text:?} is no share such as 10% or 0.1"))
}

/// A size such as `50MB` or `64MiB`, in bytes.
pub(super) fn parse_rotation(text: &str) -> Result<u64, String> {
    const DECIMAL: [(&str, u64); 3] = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let decimal = DECIMAL.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)));
    let size = match decimal {
        Some((number, size)) => number.parse().ok().and_then(|it: u64| it.checked_mul(*size)),
        None => rehearsal_store::parse_size(text).ok(),
    };
    size.filter(|size| *size > 0).ok_or_else(|| format!("{text:?} is no size such as 50MB or 1GiB"))
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    rehearsal_store::parse_duration(text).map_err(|error| error.to_string())
}
