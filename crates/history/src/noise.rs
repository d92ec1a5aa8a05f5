//! How far a latency varies by itself: the median, and the median distance from it (MAD), which one
//! odd run does not move.

/// A MAD of this many of a normal distribution is its standard deviation.
const NORMAL: f64 = 1.4826;
/// How many standard deviations are noise.
const WIDTH: f64 = 4.0;
/// What is noise whatever the runs say, as a part of the median and in milliseconds: machines differ
/// from one hour to the next by more than a few quiet runs show.
const LEAST: (f64, f64) = (0.20, 2.0);

/// Where a latency may lie without meaning anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The median.
    pub median: f64,
    /// The largest that is still noise.
    pub upper: f64,
    /// The smallest that is still noise; not below 0.
    pub lower: f64,
    /// Of how many values.
    pub of: usize,
}

impl Band {
    /// The band of some values; none of no values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Band> {
        let center = median(values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
        let spread = median(&distances)? * NORMAL * WIDTH;
        let width = spread.max(center * LEAST.0).max(LEAST.1);
        Some(Band {
            median: center,
            upper: center + width,
            lower: (center - width).max(0.0),
            of: values.len(),
        })
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_value_does_not_widen_the_band() {
        let quiet = Band::of(&[100.0, 101.0, 99.0, 100.0, 102.0]).unwrap();
        let odd = Band::of(&[100.0, 101.0, 99.0, 100.0, 9000.0]).unwrap();
        assert_eq!((quiet.median, quiet.upper), (100.0, 120.0));
        assert_eq!((odd.median, odd.upper), (100.0, 120.0));
        let wide = Band::of(&[50.0, 100.0, 150.0, 75.0, 125.0]).unwrap();
        assert!(wide.upper > 240.0 && wide.lower == 0.0, "{wide:?}");
        assert_eq!(Band::of(&[]), None);
    }
}
