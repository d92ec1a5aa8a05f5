//! Latencies beside their own past: what a test takes in the latest runs, and what it took before.
//!
//! Only passes on one host are compared, and only with enough of them: a machine is as slow as it is.

use crate::noise::{Band, median};
use crate::{Sample, TestRow};
use std::collections::{BTreeMap, BTreeSet};

/// How many of the latest runs are "now": one odd run is not news.
const NOW: usize = 3;
/// How many runs before those make a baseline, at least and at most.
const BASELINE: (usize, usize) = (5, 50);

/// A test beside its past.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// The test, as it was seen last.
    pub test: TestRow,
    /// Where this was measured.
    pub host: String,
    /// The median of the latest runs, in milliseconds.
    pub now: f64,
    /// What it was before and how far that varied.
    pub band: Band,
}

impl Pace {
    /// Whether it is slower than noise explains.
    #[must_use]
    pub fn is_slower(&self) -> bool {
        self.now > self.band.upper
    }

    /// Whether it is faster than noise explains.
    #[must_use]
    pub fn is_faster(&self) -> bool {
        self.now < self.band.lower
    }

    /// How many times as long it takes.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.now / self.band.median.max(0.001)
    }
}

/// The tests that call an edge beside their past.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgePace {
    /// The edge.
    pub edge: String,
    /// How many tests call it, and how many of these are slower than noise explains.
    pub tests: (usize, usize),
    /// How many times as long they take, in the middle.
    pub factor: f64,
}

/// Every test with enough of a past, the one that lost most first, and the edges that they call.
#[must_use]
pub fn slow(samples: &[Sample]) -> (Vec<Pace>, Vec<EdgePace>) {
    let mut groups: BTreeMap<(String, &str), Vec<&Sample>> = BTreeMap::new();
    let passed = |sample: &&Sample| {
        sample.test.outcome == rehearsal_model::Outcome::Passed && sample.test.attempt == 0
    };
    for sample in samples.iter().filter(passed) {
        groups.entry((sample.key(), &sample.host)).or_default().push(sample);
    }
    let mut paces: Vec<Pace> = groups.into_values().filter_map(pace).collect();
    paces.sort_by(|one, other| other.factor().total_cmp(&one.factor()));
    let edges = edges(&paces);
    (paces, edges)
}

/// How many times as long the tests take, in the middle of all; none with too few to say.
#[must_use]
pub fn middle_factor(paces: &[Pace]) -> Option<f64> {
    let factors: Vec<f64> = paces.iter().map(Pace::factor).collect();
    (factors.len() >= MANY).then(|| median(&factors)).flatten()
}

/// With so many tests their middle says something of the machine.
const MANY: usize = 8;

fn pace(mut group: Vec<&Sample>) -> Option<Pace> {
    group.sort_by_key(|sample| sample.run);
    let past = group.len().checked_sub(NOW).filter(|past| *past >= BASELINE.0)?;
    let took = |samples: &[&Sample]| -> Vec<f64> {
        samples.iter().map(|sample| sample.test.took_ms).collect()
    };
    let band = Band::of(&took(&group[past.saturating_sub(BASELINE.1)..past]))?;
    let last = group.last()?;
    let now = median(&took(&group[past..]))?;
    Some(Pace { test: last.test.clone(), host: last.host.clone(), now, band })
}

fn edges(paces: &[Pace]) -> Vec<EdgePace> {
    let mut by_edge: BTreeMap<&str, Vec<&Pace>> = BTreeMap::new();
    for pace in paces {
        let edges: BTreeSet<&str> = pace.test.edges.iter().map(String::as_str).collect();
        edges.into_iter().for_each(|edge| by_edge.entry(edge).or_default().push(pace));
    }
    let of = |(edge, paces): (&str, Vec<&Pace>)| {
        let factors: Vec<f64> = paces.iter().map(|pace| pace.factor()).collect();
        let slower = paces.iter().filter(|pace| pace.is_slower()).count();
        let factor = median(&factors)?;
        Some(EdgePace { edge: edge.to_owned(), tests: (paces.len(), slower), factor })
    };
    let mut edges: Vec<EdgePace> = by_edge.into_iter().filter_map(of).collect();
    edges.sort_by(|one, other| other.factor.total_cmp(&one.factor));
    edges
}
