//! `rehearsal select`: the tests that cover most in a given time.

use crate::arguments::Select;
use crate::coverage::{By, Coverage};
use crate::error::{CliError, Outcome};
use crate::live::count;
use crate::{past, selection};
use rehearsal_history::{History, Place};
use std::collections::{BinaryHeap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// What starting a test costs beside the test, in microseconds.
const START: u64 = 500;
/// What a thing is worth that no chosen test covers yet: an operation of an edge, a variant of one.
const OPERATION: u64 = 10;
const VARIANT: u64 = 3;

/// What each failure in one of the latest runs is worth, and how many of them count.
const FAILURE: u64 = 5;
const MOST: u64 = 10;
/// Runs that are looked at.
const RUNS: usize = 50;

/// A test that may be chosen.
struct Candidate {
    file: String,
    /// In microseconds.
    cost: u64,
    /// Numbers of what it covers, with their worth.
    covers: Vec<(u32, u64)>,
    /// What is known of it beside the recording: how often it has failed, say. It is worth so much by
    /// itself.
    merit: u64,
}

pub(super) fn run(arguments: &Select, folder: &Path) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    let past = Past::of(&past::place(&project)?);
    let chosen = selection::choose(&project, &arguments.recordings, &[])?;
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut candidates = Vec::new();
    for chosen in &chosen {
        let coverage = Coverage::of(&chosen.recording.manifest.edges);
        for (id, file) in chosen.tests.iter().zip(&chosen.files) {
            let test = chosen.recording.test(*id)?;
            let took = test.exchange.finished.since(test.exchange.started);
            let mut number = |thing: String| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(thing).or_insert(next)
            };
            let operations = coverage.operations(&test).into_iter();
            let mut covers: Vec<_> =
                operations.map(|operation| (number(operation), OPERATION)).collect();
            covers.sort_unstable();
            covers.dedup();
            covers.push((number(coverage.key(&test, By::ALL)), VARIANT));
            let key = (chosen.name.clone(), id.0);
            let took = past.took.get(&key).copied().unwrap_or(took);
            let cost = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).saturating_add(START);
            let merit = past.failures.get(&key).map_or(0, |count| (*count).min(MOST) * FAILURE);
            candidates.push(Candidate { file: file.clone(), cost, covers, merit });
        }
    }
    let picked = pick(&candidates, arguments.budget);
    let mut page = String::new();
    picked.iter().for_each(|place| _ = writeln!(page, "{}", candidates[*place].file));
    super::print(&page)?;
    let _ = io::stderr().lock().write_all(told(&candidates, &picked, numbers.len()).as_bytes());
    Ok(Outcome::Good)
}

/// What earlier runs say of tests, by recording and number. Nothing when there is no history: then what
/// the recordings say has to do.
#[derive(Default)]
struct Past {
    took: HashMap<(String, u32), Duration>,
    failures: HashMap<(String, u32), u64>,
}

impl Past {
    fn of(place: &Place) -> Self {
        let samples = History::read(place).and_then(|mut history| history.samples(RUNS));
        let mut past = Past::default();
        for sample in samples.unwrap_or_default() {
            let key = (sample.test.recording.clone(), sample.test.number);
            if sample.failed() {
                *past.failures.entry(key.clone()).or_default() += 1;
            }
            // The longest counts: a budget is to be kept.
            let took = Duration::from_secs_f64((sample.test.took_ms / 1000.0).max(0.0));
            past.took.entry(key).and_modify(|known| *known = took.max(*known)).or_insert(took);
        }
        past
    }
}

/// The places of the tests that are worth most for their time, as they are picked: each time the one
/// that adds most for each microsecond and still fits, until nothing fits or nothing is added.
fn pick(candidates: &[Candidate], budget: Duration) -> Vec<usize> {
    let mut left = u64::try_from(budget.as_micros()).unwrap_or(u64::MAX);
    let mut covered = std::collections::HashSet::new();
    let worth = |candidate: &Candidate, covered: &std::collections::HashSet<u32>| {
        let new = candidate.covers.iter().filter(|(thing, _)| !covered.contains(thing));
        candidate.merit + new.map(|(_, worth)| worth).sum::<u64>()
    };
    // What a test adds only gets less, so the first whose worth is still what it was is the best.
    let rate = |worth: u64, cost: u64| u128::from(worth) * 1_000_000_000 / u128::from(cost.max(1));
    let mut heap: BinaryHeap<(u128, std::cmp::Reverse<usize>)> = candidates
        .iter()
        .enumerate()
        .map(|(place, it)| (rate(worth(it, &covered), it.cost), std::cmp::Reverse(place)))
        .collect();
    let mut picked = Vec::new();
    while let Some((known, std::cmp::Reverse(place))) = heap.pop() {
        let candidate = &candidates[place];
        let now = rate(worth(candidate, &covered), candidate.cost);
        if now == 0 || candidate.cost > left {
            continue;
        }
        if now < known {
            heap.push((now, std::cmp::Reverse(place)));
            continue;
        }
        left -= candidate.cost;
        covered.extend(candidate.covers.iter().map(|(thing, _)| *thing));
        picked.push(place);
    }
    picked
}

fn told(candidates: &[Candidate], picked: &[usize], things: usize) -> String {
    let covered: std::collections::HashSet<u32> = picked
        .iter()
        .flat_map(|place| &candidates[*place].covers)
        .map(|(thing, _)| *thing)
        .collect();
    let cost: u64 = picked.iter().map(|place| candidates[*place].cost).sum();
    format!(
        "{} of {} cover {} of {things} operations and variants in about {:.1} s\n",
        picked.len(),
        count(candidates.len() as u64, "test"),
        covered.len(),
        Duration::from_micros(cost).as_secs_f64(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(cost: u64, covers: &[u32], merit: u64) -> Candidate {
        let covers = covers.iter().map(|thing| (*thing, OPERATION)).collect();
        Candidate { file: String::new(), cost, covers, merit }
    }

    #[test]
    fn what_adds_most_for_its_time_is_picked_first_and_what_adds_nothing_never() {
        let candidates = [
            candidate(1000, &[1, 2], 0),
            candidate(100, &[1], 0),
            candidate(100, &[1], 0),
            candidate(500, &[3, 4, 5], 0),
        ];
        let picked = |budget| pick(&candidates, Duration::from_micros(budget));
        assert_eq!(picked(10_000), [1, 3, 0]);
        assert_eq!(picked(600), [1, 3]);
        assert_eq!(picked(99), [0; 0]);
    }

    #[test]
    fn a_test_with_a_merit_of_its_own_is_picked_though_it_covers_nothing_new() {
        let candidates = [candidate(100, &[1], 0), candidate(100, &[1], 50)];
        assert_eq!(pick(&candidates, Duration::from_secs(1)), [1]);
        let candidates = [candidate(100, &[1], 0), candidate(1000, &[1], 50)];
        assert_eq!(pick(&candidates, Duration::from_secs(1)), [0, 1]);
    }
}
