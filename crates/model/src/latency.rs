//! How long answers took, in three numbers, and what they are made of.
//!
//! Nothing here reads a clock, and no single time is kept: however many there are, a few thousand counts
//! are held at most.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counts of times that are at most two parts in so many apart.
const FINENESS: u64 = 256;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// How many there were.
    pub calls: u64,
    /// What half of them did not exceed, in microseconds.
    pub p50_us: u64,
    /// What 95 in 100 did not exceed, in microseconds.
    pub p95_us: u64,
}

impl Latency {
    /// The middle, in milliseconds.
    #[must_use]
    pub fn p50_ms(&self) -> f64 {
        self.p50_us as f64 / 1e3
    }

    /// What 95 in 100 did not exceed, in milliseconds.
    #[must_use]
    pub fn p95_ms(&self) -> f64 {
        self.p95_us as f64 / 1e3
    }
}

/// What a recording knows of the times of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeLatency {
    /// From a request to the end of its answer.
    pub answers: Option<Latency>,
    /// Of an edge on which the app is called: what is left of that without the time in which the app waited
    /// for others.
    pub own: Option<Latency>,
}

/// Microseconds as files have them: `1.23 ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milliseconds(pub u64);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        write!(f, "{} ms", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Milliseconds {
    /// That of a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix("ms")?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 12) || !digits(part, 3) {
            return None;
        }
        let (whole, part): (u64, u64) = (whole.parse().ok()?, format!("{part:0<3}").parse().ok()?);
        Some(Milliseconds(whole * 1000 + part))
    }
}

/// Times of which a [`Latency`] is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    calls: u64,
    /// How many there are of each size, by its smallest in microseconds.
    sizes: BTreeMap<u64, u64>,
}

impl Times {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // The highest bits say enough.
        let low = (time / FINENESS).checked_ilog2().map_or(0, |bits| bits + 1);
        self.calls += 1;
        *self.sizes.entry(time >> low << low).or_default() += 1;
    }

    /// Their numbers, with three digits each; none when there were no times.
    #[must_use]
    pub fn latency(&self) -> Option<Latency> {
        let at = |share: u64| {
            let place = (u128::from(self.calls) * u128::from(share)).div_ceil(100);
            let mut passed = 0_u128;
            let reached = self.sizes.iter().find(|(_, many)| {
                passed += u128::from(**many);
                passed >= place
            });
            reached.map(|(time, _)| three_digits(*time))
        };
        Some(Latency { calls: self.calls, p50_us: at(50)?, p95_us: at(95)? })
    }
}

fn three_digits(number: u64) -> u64 {
    let places = number.checked_ilog10().unwrap_or(0).saturating_sub(2);
    let step = 10_u64.pow(places);
    (number.saturating_add(step / 2) / step).saturating_mul(step)
}

/// What is left of a time when others were waited for in parts of it, which may overlap. Each is from when
/// to when, in the unit of the whole; what lies outside of it does not count.
#[must_use]
pub fn without_waiting(whole: f64, mut waits: Vec<(f64, f64)>) -> f64 {
    waits.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut waited, mut seen) = (0.0, 0.0_f64);
    for (from, to) in waits {
        let (from, to) = (from.clamp(seen, whole.max(seen)), to.min(whole));
        if to > from {
            waited += to - from;
            seen = to;
        }
    }
    (whole - waited).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_slow_end_are_near_what_they_are() {
        let mut times = Times::default();
        assert_eq!(times.latency(), None);
        (1..=1000).for_each(|ms| times.add(Duration::from_millis(ms)));
        let Latency { calls, p50_us, p95_us } = times.latency().unwrap();
        assert_eq!(calls, 1000);
        assert!((496_000..=500_000).contains(&p50_us), "{p50_us}");
        assert!((942_000..=950_000).contains(&p95_us), "{p95_us}");
        times.add(Duration::MAX);
        assert!(times.sizes.len() <= 1001);
    }

    #[test]
    fn small_times_are_exact() {
        let mut times = Times::default();
        [0, 1, 63, 100].into_iter().for_each(|time| times.add(Duration::from_micros(time)));
        assert_eq!(times.latency(), Some(Latency { calls: 4, p50_us: 1, p95_us: 100 }));
    }

    #[test]
    fn a_time_in_a_file_is_read_as_it_is_written() {
        for (micros, text) in [
            (0, "0 ms"),
            (850, "0.85 ms"),
            (1_230, "1.23 ms"),
            (2_340_000, "2340 ms"),
            (1, "0.001 ms"),
        ] {
            assert_eq!(Milliseconds(micros).to_string(), text);
            assert_eq!(Milliseconds::parse(text), Some(Milliseconds(micros)));
        }
        for wrong in
            ["", "ms", "1", "1 s", "-1 ms", "1.2345 ms", "1. ms", "9999999999999 ms", "1e3 ms"]
        {
            assert_eq!(Milliseconds::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn waiting_for_two_at_once_counts_once() {
        assert_eq!(without_waiting(10.0, vec![(4.0, 6.0), (1.0, 5.0), (2.0, 3.0)]), 5.0);
        assert_eq!(without_waiting(10.0, vec![(-3.0, 1.0), (9.0, 30.0)]), 8.0);
        assert_eq!(without_waiting(10.0, Vec::new()), 10.0);
        assert_eq!(without_waiting(0.0, vec![(0.0, 5.0), (3.0, 4.0)]), 0.0);
    }
}
