//! What is played where in a run: which tests are its own, and which copy of the app plays which.
//!
//! Decided from the recordings before anything starts, so that it is the same each time. How tests are
//! spread is in `spread`; here is what that needs to know, and when there is one copy only.

use crate::crew::Part;
use crate::links::needs;
use crate::options::Jobs;
use crate::scene::Scene;
use crate::spread::{Share, Weighed, cost, shares, worthwhile};
use crate::{ReplayError, ReplayOptions, Selected};
use rehearsal_capture::Way;
use rehearsal_matching::fingerprint;
use rehearsal_model::{Overlap, TestId, Value};
use std::collections::{BTreeSet, HashMap};

/// What is played of one recording.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The tests whose verdicts are wanted, in recorded order.
    pub(crate) own: Vec<TestId>,
    /// What is played side by side; empty when one copy plays all tests in recorded order.
    pub(crate) parts: Vec<Part>,
}

/// The plan of each recording.
///
/// # Errors
/// When a test cannot be read.
pub(crate) fn plans(
    selected: &[Selected],
    options: &ReplayOptions,
) -> Result<Vec<Plan>, ReplayError> {
    let most = most(options);
    let alone = selected.iter().all(|one| copies(one, &one.tests, most) == 1);
    // To see what tests need, each of them has to be read.
    if options.spread.shard.is_none() && alone {
        let whole = |selected: &Selected| Plan { own: selected.tests.clone(), parts: Vec::new() };
        return Ok(selected.iter().map(whole).collect());
    }
    let Run { tests, groups, starts } = weigh(selected, options.settings.overlap)?;
    let whole: Vec<usize> = (0..tests.len()).collect();
    let own = match options.spread.shard {
        None => whole,
        Some(shard) => {
            let shares = shares(&tests, &groups, &whole, shard.of);
            let own = shares.into_iter().nth(shard.index.saturating_sub(1));
            own.map(|share| share.own.into_iter().collect()).unwrap_or_default()
        }
    };
    let mut plans = Vec::new();
    for (one, start) in selected.iter().zip(starts) {
        let here = start..start + one.tests.len();
        let own: Vec<usize> = own.iter().copied().filter(|place| here.contains(place)).collect();
        let id = |place: usize| one.tests[place - start];
        let ids: Vec<TestId> = own.iter().map(|place| id(*place)).collect();
        let copies = copies(one, &ids, most);
        let parts = match own.len() == one.tests.len() && copies == 1 {
            true => Vec::new(),
            false => shares(&tests, &groups, &own, copies),
        };
        let mut parts: Vec<Part> =
            parts.into_iter().filter(|it| !it.own.is_empty()).map(|it| part(it, id)).collect();
        // What one copy would play in recorded order anyway needs no second look.
        if parts.len() == 1 && own.len() == one.tests.len() {
            parts.clear();
        }
        plans.push(Plan { own: ids, parts });
    }
    Ok(plans)
}

/// How many copies play these tests of a recording.
fn copies(selected: &Selected, tests: &[TestId], most: Jobs) -> usize {
    match most {
        Jobs::Exactly(copies) => copies,
        Jobs::UpTo(copies) => {
            let cost = tests.iter().map(|id| cost_of(selected, *id)).sum();
            worthwhile(cost, calls_at_start(selected), copies)
        }
    }
}

fn cost_of(selected: &Selected, id: TestId) -> u64 {
    selected.recording.head(id).map_or(0, |head| cost(head.took_ms, head.calls))
}

/// How many copies there may be. What cannot be had twice is had once: ports that are given, real
/// dependencies that all copies would change. To explain what was bound makes sense of one copy only.
fn most(options: &ReplayOptions) -> Jobs {
    let real = options.settings.edges.iter().any(|edge| edge.real);
    match options.spread.jobs {
        Jobs::Exactly(0 | 1) | Jobs::UpTo(0 | 1) => Jobs::Exactly(1),
        _ if real || options.explain || matches!(options.way, Way::Ports { .. }) => {
            Jobs::Exactly(1)
        }
        jobs => jobs,
    }
}

fn part(share: Share, id: impl Fn(usize) -> TestId) -> Part {
    Part {
        tests: share.all.into_iter().map(&id).collect(),
        own: share.own.into_iter().map(&id).collect(),
    }
}

/// All tests of a run, one recording after the other.
struct Run {
    tests: Vec<Weighed>,
    groups: Vec<Vec<usize>>,
    /// Where each recording begins.
    starts: Vec<usize>,
}

impl Run {
    /// Keeps tests together that overlap, also where one of them is played again since others need it.
    fn play_together(&mut self, group: Vec<usize>) {
        if group.len() < 2 {
            return;
        }
        let members: BTreeSet<usize> = group.iter().copied().collect();
        for test in &mut self.tests {
            if test.needs.iter().any(|need| members.contains(need)) {
                test.needs.extend(&members);
            }
        }
        self.groups.push(group);
    }
}

fn weigh(selected: &[Selected], overlap: Overlap) -> Result<Run, ReplayError> {
    let mut run = Run { tests: Vec::new(), groups: Vec::new(), starts: Vec::new() };
    for one in selected {
        let start = run.tests.len();
        run.starts.push(start);
        let needs = needs(&one.tests, |id| one.recording.uncalled(id))?;
        for (id, needs) in one.tests.iter().zip(needs) {
            let cost = cost_of(one, *id);
            let needs = needs.into_iter().map(|place| start + place).collect();
            run.tests.push(Weighed { cost, needs });
        }
        let places: HashMap<TestId, usize> =
            one.tests.iter().enumerate().map(|(place, id)| (*id, start + place)).collect();
        for group in &one.groups {
            let group: BTreeSet<usize> =
                group.iter().filter_map(|id| places.get(id).copied()).collect();
            run.groups.push(group.into_iter().collect());
        }
        if overlap == Overlap::Recorded {
            let during = |id| one.recording.head(id).map_or(&[][..], |head| &head.during);
            for scene in Scene::overlapping(&one.tests, during) {
                let group: Vec<usize> =
                    scene.tests().filter_map(|id| places.get(&id).copied()).collect();
                run.play_together(group);
            }
        }
    }
    Ok(run)
}

/// How many calls the app made before it could be called.
fn calls_at_start(selected: &Selected) -> u64 {
    let mocks = selected.recording.mocks.iter();
    mocks.filter(|mock| mock.after == TestId(0) && mock.shared_by.is_empty()).count() as u64
}

/// What stands for recordings and the tests of them that were asked for.
pub(crate) fn print(selected: &[Selected]) -> String {
    let one = |selected: &Selected| {
        let digest = selected.recording.digest().to_vec();
        let tests = selected.tests.iter().map(|id| Value::from(u64::from(id.0))).collect();
        let name = Value::from(selected.name.as_str());
        Value::List(vec![name, Value::Bytes(digest), Value::List(tests)])
    };
    format!("{:016x}", fingerprint(&Value::List(selected.iter().map(one).collect())))
}
