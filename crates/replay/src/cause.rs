//! Why a test failed in one order and passed in the recorded one: found by trying it after other tests,
//! each time on a fresh copy of the app.
//!
//! A test is said to depend on another only when it failed every time without that one and passed every
//! time with it. How tests are played is none of this file's business.

use rehearsal_model::{RetryCause, TestId};
use std::collections::BTreeSet;

/// How often a test has to fail without the one that it depends on, and to pass with it.
const CONFIRMATIONS: usize = 4;

/// What was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) cause: RetryCause,
    pub(crate) depends_on: Option<TestId>,
}

impl Cause {
    pub(crate) const FLAKY: Cause = Cause { cause: RetryCause::Flaky, depends_on: None };
    pub(crate) const UNEXPLAINED: Cause =
        Cause { cause: RetryCause::Unexplained, depends_on: None };
}

/// Finds out what a test depends on. `before` are the places of the tests after which it failed, `all`
/// those after which it passed; `passes` plays tests, in recorded order, and then it. `known` is what it was
/// found to depend on in an earlier run: where that is so still, it is not searched for again.
///
/// # Errors
/// What `passes` says; then nothing is known.
pub(crate) async fn cause<E>(
    before: &BTreeSet<usize>,
    all: &BTreeSet<usize>,
    known: Option<usize>,
    id: impl Fn(usize) -> TestId,
    mut passes: impl AsyncFnMut(&BTreeSet<usize>) -> Result<bool, E>,
) -> Result<Cause, E> {
    let missing: Vec<usize> = all.difference(before).copied().collect();
    if missing.is_empty() || passes(before).await? {
        return Ok(Cause::FLAKY);
    }
    if let Some(known) = known.filter(|known| missing.contains(known)) {
        let mut tests = before.clone();
        tests.insert(known);
        if passes(&tests).await? {
            return Ok(Cause { cause: RetryCause::OrderDependent, depends_on: Some(id(known)) });
        }
    }
    let with = |count: usize| {
        let mut tests = before.clone();
        tests.extend(&missing[..count]);
        tests
    };
    // It fails with the first `fails` of those that were missing, and passes with the first `passed`.
    let (mut fails, mut passed) = (0, missing.len());
    while passed - fails > 1 {
        let middle = fails.midpoint(passed);
        match passes(&with(middle)).await? {
            true => passed = middle,
            false => fails = middle,
        }
    }
    let culprit = missing[passed - 1];
    // Mostly one test is enough, and then there is less to play.
    let alone = BTreeSet::from([culprit]);
    let is_enough = passes(&alone).await? && !passes(&BTreeSet::new()).await?;
    let without = if is_enough { BTreeSet::new() } else { with(passed - 1) };
    let mut within = without.clone();
    within.insert(culprit);
    for _ in 0..CONFIRMATIONS {
        if passes(&without).await? || !passes(&within).await? {
            return Ok(Cause::FLAKY);
        }
    }
    Ok(Cause { cause: RetryCause::OrderDependent, depends_on: Some(id(culprit)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// What comes out for the ninth test, which failed after `before` and passes as `passes` says.
    fn check(before: &[usize], passes: impl FnMut(&BTreeSet<usize>) -> bool) -> (Cause, usize) {
        knowing(None, before, passes)
    }

    fn knowing(
        known: Option<usize>,
        before: &[usize],
        mut passes: impl FnMut(&BTreeSet<usize>) -> bool,
    ) -> (Cause, usize) {
        let (before, all) = (before.iter().copied().collect(), (0..9).collect());
        let mut played = 0;
        let passes = async |tests: &BTreeSet<usize>| {
            played += 1;
            Ok::<_, Infallible>(passes(tests))
        };
        let id = |place: usize| TestId(u32::try_from(place).unwrap() + 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Ok(found) = runtime.block_on(cause(&before, &all, known, id, passes));
        (found, played)
    }

    fn depends_on(test: u32) -> Cause {
        Cause { cause: RetryCause::OrderDependent, depends_on: Some(TestId(test)) }
    }

    #[test]
    fn the_test_without_which_it_fails_is_found() {
        for culprit in [0, 2, 4, 6, 8] {
            let needs = |tests: &BTreeSet<usize>| tests.contains(&culprit);
            let test = u32::try_from(culprit).unwrap() + 1;
            assert_eq!(check(&[1, 3, 5, 7], needs).0, depends_on(test));
            assert_eq!(check(&[], needs).0, depends_on(test));
        }
    }

    #[test]
    fn what_was_found_before_is_confirmed_and_not_searched_for() {
        let needs = |tests: &BTreeSet<usize>| tests.contains(&4);
        assert_eq!(knowing(Some(4), &[1, 3], needs), (depends_on(5), 2));
        // It is another one by now, or was among those after which it failed.
        for wrong in [3, 5, 70] {
            assert_eq!(knowing(Some(wrong), &[1, 3], needs).0, depends_on(5));
        }
        assert_eq!(knowing(Some(4), &[1, 3], |_| true), (Cause::FLAKY, 1));
    }

    #[test]
    fn of_several_that_it_needs_one_that_was_missing_is_named() {
        let counts = |tests: &BTreeSet<usize>| tests.contains(&1) && tests.contains(&6);
        assert_eq!(check(&[1, 3], counts).0, depends_on(7));
        assert_eq!(check(&[], counts).0, depends_on(7));
    }

    #[test]
    fn one_that_passes_in_the_order_in_which_it_failed_is_flaky() {
        assert_eq!(check(&[1, 3], |_| true), (Cause::FLAKY, 1));
        let whole: Vec<usize> = (0..9).collect();
        assert_eq!(check(&whole, |_| false), (Cause::FLAKY, 0));
    }

    #[test]
    fn one_that_fails_at_random_is_hardly_ever_accused() {
        let mut accused = 0;
        for seed in 1..=2000u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let coin = |_: &BTreeSet<usize>| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 63 == 0
            };
            accused += usize::from(check(&[1, 3, 5], coin).0 != Cause::FLAKY);
        }
        assert!(accused <= 12, "{accused} of 2000");
    }
}
