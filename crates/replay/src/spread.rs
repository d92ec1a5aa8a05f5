//! Which tests go to which copy of the app, or to which shard. Pure: the same recording is spread in
//! the same way everywhere.
//!
//! Tests that talk about the same thing stay together, as those of a declared group do. What is left
//! are strands, and the dearest strand goes first, to whichever part has least. A test that so many
//! others need that keeping all of them together would leave nothing to spread, such as a login, is
//! played again wherever it is needed.

use std::collections::{BTreeSet, HashMap};

/// What a test costs at least, in milliseconds: it is sent and judged.
const TEST: u64 = 2;
/// What a call adds to that.
const CALL: u64 = 1;
/// What starting a copy costs, as far as a recording can tell: less than most runtimes take, so that a
/// copy that is started has at least as much to do.
const START: u64 = 1000;
/// So many tests have to need one before it is played more than once.
const MANY: usize = 4;

/// A test as far as spreading is concerned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighed {
    /// In milliseconds.
    pub(crate) cost: u64,
    /// The places of earlier tests that told the client what this one says.
    pub(crate) needs: Vec<usize>,
}

/// The tests of one copy or shard, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// What it plays, with what is only played because others need it.
    pub(crate) all: BTreeSet<usize>,
    /// What it is there for.
    pub(crate) own: BTreeSet<usize>,
}

/// What a test that took so long and made so many calls costs, in milliseconds.
pub(crate) fn cost(took_ms: u32, calls: u32) -> u64 {
    u64::from(took_ms).max(TEST + CALL * u64::from(calls))
}

/// How many copies are worth their start: `cost` is that of all tests, `at_start` the number of calls
/// that the app makes before it can be called.
pub(crate) fn worthwhile(cost: u64, at_start: u64, most: usize) -> usize {
    let copies = cost / (START + CALL * at_start);
    usize::try_from(copies).unwrap_or(usize::MAX).clamp(1, most.max(1))
}

/// The shares of `chosen`, which are places in `tests`. There are `count` of them, some of which may be
/// empty. Tests of a group, given by places, stay together.
pub(crate) fn shares(
    tests: &[Weighed],
    groups: &[Vec<usize>],
    chosen: &[usize],
    count: usize,
) -> Vec<Share> {
    let strands = strands(tests, groups, chosen, count.max(1));
    let mut own = vec![BTreeSet::new(); count.max(1)];
    let mut loads = vec![0u64; own.len()];
    for Strand { cost, members } in strands {
        let least = (0..loads.len()).min_by_key(|part| loads[*part]).unwrap_or(0);
        loads[least] += cost;
        own[least].extend(members);
    }
    own.into_iter().map(|own| share(tests, own)).collect()
}

/// A share with what its tests need.
fn share(tests: &[Weighed], own: BTreeSet<usize>) -> Share {
    let mut all = own.clone();
    let mut open: Vec<usize> = own.iter().copied().collect();
    while let Some(test) = open.pop() {
        open.extend(tests[test].needs.iter().copied().filter(|need| all.insert(*need)));
    }
    Share { all, own }
}

struct Strand {
    cost: u64,
    /// In recorded order.
    members: Vec<usize>,
}

/// What stays together, the dearest first.
fn strands(
    tests: &[Weighed],
    groups: &[Vec<usize>],
    chosen: &[usize],
    count: usize,
) -> Vec<Strand> {
    let total: u64 = chosen.iter().map(|test| tests[*test].cost).sum();
    let fair = total / count as u64;
    let mut repeated: BTreeSet<usize> = BTreeSet::new();
    loop {
        let mut strands = joined(tests, groups, chosen, &repeated);
        strands.sort_by_key(|strand| (std::cmp::Reverse(strand.cost), strand.members[0]));
        let Some(first) = strands.first().filter(|first| count > 1 && first.cost > fair) else {
            return strands;
        };
        let Some(hub) = hub(tests, &first.members, &repeated) else { return strands };
        repeated.insert(hub);
    }
}

/// The test that most others of a strand need.
fn hub(tests: &[Weighed], members: &[usize], repeated: &BTreeSet<usize>) -> Option<usize> {
    let mut needed: HashMap<usize, usize> = HashMap::new();
    for need in members.iter().flat_map(|test| &tests[*test].needs) {
        if !repeated.contains(need) {
            *needed.entry(*need).or_default() += 1;
        }
    }
    let most = needed.into_iter().max_by_key(|(test, times)| (*times, std::cmp::Reverse(*test)));
    most.filter(|(_, times)| *times >= MANY).map(|(test, _)| test)
}

/// The chosen tests, joined by what they need but for what is played again anyway.
fn joined(
    tests: &[Weighed],
    groups: &[Vec<usize>],
    chosen: &[usize],
    repeated: &BTreeSet<usize>,
) -> Vec<Strand> {
    let mut roots: Vec<usize> = (0..tests.len()).collect();
    for test in chosen {
        for need in tests[*test].needs.iter().filter(|need| !repeated.contains(*need)) {
            join(&mut roots, *test, *need);
        }
    }
    for group in groups {
        group.windows(2).for_each(|pair| join(&mut roots, pair[0], pair[1]));
    }
    let mut strands: HashMap<usize, Strand> = HashMap::new();
    for test in chosen {
        let root = root(&mut roots, *test);
        let strand = strands.entry(root).or_insert_with(|| Strand { cost: 0, members: Vec::new() });
        strand.cost += tests[*test].cost;
        strand.members.push(*test);
    }
    strands.into_values().collect()
}

fn root(roots: &mut [usize], mut place: usize) -> usize {
    while roots[place] != place {
        roots[place] = roots[roots[place]];
        place = roots[place];
    }
    place
}

/// The earliest of all that are joined is their root.
fn join(roots: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(roots, one), root(roots, other));
    roots[one.max(other)] = one.min(other);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests with these costs; each pair says that the second needs the first.
    fn tests(costs: &[u64], needs: &[(usize, usize)]) -> Vec<Weighed> {
        let of = |place| needs.iter().filter(move |need| need.1 == place).map(|need| need.0);
        let each = costs.iter().enumerate();
        each.map(|(place, cost)| Weighed { cost: *cost, needs: of(place).collect() }).collect()
    }

    #[track_caller]
    fn check(tests: &[Weighed], groups: &[Vec<usize>], count: usize, expected: &[&str]) {
        let chosen: Vec<usize> = (0..tests.len()).collect();
        let text = |share: &Share| {
            let word = |place: &usize| match share.own.contains(place) {
                true => (place + 1).to_string(),
                false => format!("({})", place + 1),
            };
            share.all.iter().map(word).collect::<Vec<_>>().join(" ")
        };
        let shares = shares(tests, groups, &chosen, count);
        assert_eq!(shares.iter().map(text).collect::<Vec<_>>(), expected);
        let own: usize = shares.iter().map(|share| share.own.len()).sum();
        assert_eq!(own, tests.len(), "each test is in one share");
    }

    #[test]
    fn the_dearest_goes_first_to_whoever_has_least() {
        check(&tests(&[1, 1, 4, 1, 1], &[]), &[], 2, &["3", "1 2 4 5"]);
        check(&tests(&[1, 1, 1, 1, 1], &[]), &[], 2, &["1 3 5", "2 4"]);
        check(&tests(&[1, 1], &[]), &[], 3, &["1", "2", ""]);
        check(&tests(&[], &[]), &[], 2, &["", ""]);
    }

    #[test]
    fn what_belongs_together_stays_together() {
        let conversation = tests(&[1; 6], &[(0, 3), (3, 5)]);
        check(&conversation, &[], 2, &["1 4 6", "2 3 5"]);
        check(&tests(&[1; 4], &[]), &[vec![0, 1]], 2, &["1 2", "3 4"]);
    }

    #[test]
    fn what_everybody_needs_is_played_everywhere() {
        let login = tests(&[1; 6], &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
        check(&login, &[], 2, &["1 3 5", "(1) 2 4 6"]);
        // Of few it is cheaper to keep them together.
        let short = tests(&[1; 4], &[(0, 1), (0, 2), (0, 3)]);
        check(&short, &[], 2, &["1 2 3 4", ""]);
    }

    #[test]
    fn a_copy_has_to_be_worth_its_start() {
        assert_eq!(worthwhile(0, 0, 4), 1);
        assert_eq!(worthwhile(1999, 0, 4), 1);
        assert_eq!(worthwhile(2500, 0, 4), 2);
        assert_eq!(worthwhile(2500, 500, 4), 1);
        assert_eq!(worthwhile(1_000_000, 0, 4), 4);
        assert_eq!((cost(0, 3), cost(2000, 3)), (5, 2000));
    }
}
