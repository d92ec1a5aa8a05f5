//! Failures of one kind, counted over tests and runs.

use crate::Sample;
use rehearsal_model::Cause;
use std::collections::{BTreeMap, BTreeSet};

/// Every failure with one fingerprint.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// What it comes from.
    pub cause: Cause,
    /// How often it was seen.
    pub failures: usize,
    /// The tests that failed by it, `recording/number` with their names, sorted.
    pub tests: BTreeMap<String, String>,
    /// In how many runs.
    pub runs: usize,
    /// When it was seen first and last, in milliseconds since 1970.
    pub seen_ms: (i64, i64),
    /// At which commit it was seen first.
    pub first_commit: Option<String>,
    /// Whether the latest run that ran one of its tests had it.
    pub open: bool,
}

/// The clusters of failures: those of the latest run first, then the most frequent.
#[must_use]
pub fn clusters(samples: &[Sample]) -> Vec<Cluster> {
    let mut last_runs: BTreeMap<String, i64> = BTreeMap::new();
    for sample in samples {
        let last = last_runs.entry(sample.key()).or_insert(sample.run);
        *last = sample.run.max(*last);
    }
    let mut groups: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.failed()) {
        if let Some(cause) = &sample.test.cause {
            groups.entry(&cause.fingerprint).or_default().push(sample);
        }
    }
    let mut clusters: Vec<Cluster> =
        groups.values().filter_map(|group| cluster(group, &last_runs)).collect();
    clusters.sort_by_key(|one| (!one.open, std::cmp::Reverse(one.failures)));
    clusters
}

fn cluster(group: &[&Sample], last_runs: &BTreeMap<String, i64>) -> Option<Cluster> {
    let first = group.iter().min_by_key(|sample| sample.run)?;
    let latest = group.iter().max_by_key(|sample| sample.run)?;
    let tests = group.iter().map(|sample| (sample.key(), sample.test.name.clone()));
    let runs: BTreeSet<i64> = group.iter().map(|sample| sample.run).collect();
    Some(Cluster {
        cause: latest.test.cause.clone()?,
        failures: group.len(),
        tests: tests.collect(),
        runs: runs.len(),
        seen_ms: (first.at_ms, latest.at_ms),
        first_commit: first.commit.clone(),
        open: group.iter().any(|sample| last_runs.get(&sample.key()) == Some(&sample.run)),
    })
}
