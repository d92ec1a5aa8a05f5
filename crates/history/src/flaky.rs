//! Tests that pass and fail although nothing changed, and what sets their failures apart.
//!
//! A class is named only when all that is known agrees with it: every failure on one side, every pass
//! on the other, and at least two of each. All else is unknown, which is said.

use crate::{Sample, TestRow};
use std::collections::{BTreeMap, BTreeSet};

/// How many failures and how many passes a difference between them needs to count.
const LEAST: usize = 2;

/// What makes a test flaky.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It depends on the test before it.
    Order,
    /// It depends on the clock, or on how long something takes.
    Time,
    /// It depends on what happens at the same time.
    Concurrency,
    /// It depends on the machine.
    Environment,
    /// What is known says nothing.
    Unknown,
}

impl Class {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Order => "order",
            Class::Time => "time",
            Class::Concurrency => "concurrency",
            Class::Environment => "environment",
            Class::Unknown => "unknown",
        }
    }
}

/// A test with both outcomes on the same code.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaky {
    /// The test, as it was seen last.
    pub test: TestRow,
    /// How often it failed on code on which it also passed.
    pub failed: usize,
    /// How often it ran on such code.
    pub of: usize,
    /// The commit of the last such run.
    pub commit: Option<String>,
    /// When it was seen to fail last, in milliseconds since 1970.
    pub last_ms: i64,
    /// What makes it flaky.
    pub class: Class,
    /// Why that is said.
    pub evidence: String,
    /// The fingerprints of its failures, the most frequent first.
    pub fingerprints: Vec<String>,
}

/// The flaky tests, the most often failing first.
#[must_use]
pub fn flaky(samples: &[Sample]) -> Vec<Flaky> {
    let mut groups: BTreeMap<(String, &str, &str), Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let key = (sample.key(), sample.test.digest.as_str(), sample.code.as_str());
        groups.entry(key).or_default().push(sample);
    }
    let mut tests: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
    for ((key, ..), group) in groups {
        let failed = group.iter().filter(|sample| sample.failed()).count();
        if failed > 0 && failed < group.len() {
            tests.entry(key).or_default().extend(group);
        }
    }
    let mut found: Vec<Flaky> = tests.into_values().filter_map(|group| judge(&group)).collect();
    found.sort_by(|one, other| {
        let part = |flaky: &Flaky| flaky.failed as f64 / flaky.of.max(1) as f64;
        part(other).total_cmp(&part(one)).then_with(|| one.test.name.cmp(&other.test.name))
    });
    found
}

fn judge(group: &[&Sample]) -> Option<Flaky> {
    let (failed, passed): (Vec<&Sample>, Vec<&Sample>) =
        group.iter().copied().partition(|sample| sample.failed());
    let last = failed.iter().max_by_key(|sample| (sample.run, sample.test.attempt))?;
    let (class, evidence) = class(&failed, &passed);
    let mut prints: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in failed.iter().filter_map(|sample| sample.test.cause.as_ref()) {
        *prints.entry(&cause.fingerprint).or_default() += 1;
    }
    let mut prints: Vec<_> = prints.into_iter().collect();
    prints.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Some(Flaky {
        test: last.test.clone(),
        failed: failed.len(),
        of: group.len(),
        commit: last.commit.clone(),
        last_ms: last.at_ms,
        class,
        evidence,
        fingerprints: prints.into_iter().map(|(print, _)| print.to_owned()).collect(),
    })
}

fn class(failed: &[&Sample], passed: &[&Sample]) -> (Class, String) {
    let (bad, good) = (failed.len(), passed.len());
    let by_finding = |word: &str| {
        let found = |sample: &&&Sample| {
            sample.test.cause.as_ref().is_some_and(|cause| cause.finding == word)
        };
        failed.iter().filter(found).count() == bad
    };
    if by_finding("timed-out") {
        let text = format!("each of {bad} failures is an answer that took too long");
        return (Class::Time, text);
    }
    if failed.iter().all(|sample| sample.test.times) {
        let text = format!("in each of {bad} failures all that differs are times");
        return (Class::Time, text);
    }
    if by_finding("call-order") {
        let text = format!("in each of {bad} failures calls came in another order than recorded");
        return (Class::Concurrency, text);
    }
    if let Some((in_bad, in_good)) = apart(failed, passed, |sample| sample.host.clone()) {
        let text = format!(
            "it fails on {in_bad} ({bad} of {bad}) and passes on {in_good} ({good} of {good})"
        );
        return (Class::Environment, text);
    }
    let side_by_side = |sample: &Sample| match sample.jobs {
        0 | 1 => "with one app at a time".to_owned(),
        _ => "with several apps side by side".to_owned(),
    };
    if let Some((in_bad, in_good)) = apart(failed, passed, side_by_side) {
        let text =
            format!("it fails {in_bad} ({bad} of {bad}) and passes {in_good} ({good} of {good})");
        return (Class::Concurrency, text);
    }
    let before = |sample: &Sample| match &sample.test.before {
        Some(before) => format!("after {before}"),
        None => "first".to_owned(),
    };
    if let Some((in_bad, in_good)) = apart(failed, passed, before) {
        let text = format!(
            "it fails when it runs {in_bad} ({bad} of {bad}) and passes {in_good} ({good} of {good})"
        );
        return (Class::Order, text);
    }
    let all = bad + good;
    let text = format!(
        "it failed {bad} of {all} times; neither the test before it, nor the host, nor how many apps \
         ran, nor what differs sets the failures apart"
    );
    (Class::Unknown, text)
}

/// What all failures have and no pass has, and the other way round, where something tells them apart.
fn apart(
    failed: &[&Sample],
    passed: &[&Sample],
    of: impl Fn(&Sample) -> String,
) -> Option<(String, String)> {
    if failed.len() < LEAST || passed.len() < LEAST {
        return None;
    }
    let bad: BTreeSet<String> = failed.iter().map(|sample| of(sample)).collect();
    let good: BTreeSet<String> = passed.iter().map(|sample| of(sample)).collect();
    let join = |all: BTreeSet<String>| all.into_iter().collect::<Vec<_>>().join(" or ");
    bad.is_disjoint(&good).then(|| (join(bad), join(good)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Cause, Outcome};

    fn sample(run: i64, number: u32, failed: bool) -> Sample {
        let cause =
            Cause { finding: "response".into(), fingerprint: "f".into(), ..Cause::default() };
        Sample {
            run,
            at_ms: run * 1000,
            code: "c".into(),
            commit: None,
            host: "one".into(),
            jobs: 1,
            test: TestRow {
                recording: "shop".into(),
                number,
                name: format!("GET /{number}"),
                file: String::new(),
                digest: String::new(),
                attempt: 0,
                outcome: if failed { Outcome::Failed } else { Outcome::Passed },
                took_ms: 1.0,
                before: None,
                edges: Vec::new(),
                cause: failed.then_some(cause),
                times: false,
            },
        }
    }

    /// Ten runs of one test of which every third fails, changed by `with`.
    fn class_of(with: impl Fn(&mut Sample)) -> Class {
        let mut samples: Vec<Sample> = (0..10).map(|run| sample(run, 1, run % 3 == 1)).collect();
        samples.iter_mut().for_each(with);
        let found = flaky(&samples);
        assert_eq!((found.len(), found[0].failed, found[0].of), (1, 3, 10));
        assert!(!found[0].evidence.is_empty());
        found[0].class
    }

    #[test]
    fn both_outcomes_on_one_code_are_flaky_and_nothing_else_is() {
        let mut samples = Vec::new();
        for run in 0..10 {
            samples.push(sample(run, 1, false));
            samples.push(sample(run, 2, true));
            let mut mended = sample(run, 3, run < 5);
            mended.code = if run < 5 { "old".into() } else { "new".into() };
            samples.push(mended);
            let mut edited = sample(run, 4, run < 5);
            edited.test.digest = format!("{}", run < 5);
            samples.push(edited);
        }
        assert_eq!(flaky(&samples), []);
        samples.push(sample(10, 2, false));
        assert_eq!(flaky(&samples).iter().map(|one| one.test.number).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_class_needs_all_that_is_known_to_agree() {
        assert_eq!(class_of(|_| {}), Class::Unknown);
        assert_eq!(class_of(|one| one.test.times = one.failed()), Class::Time);
        assert_eq!(class_of(|one| one.jobs = if one.failed() { 4 } else { 1 }), Class::Concurrency);
        let host =
            |one: &mut Sample| one.host = if one.failed() { "ci".into() } else { "mine".into() };
        assert_eq!(class_of(host), Class::Environment);
        let before = |one: &mut Sample| one.test.before = one.failed().then(|| "shop/7".into());
        assert_eq!(class_of(before), Class::Order);
        let most = |one: &mut Sample| one.jobs = if one.failed() && one.run > 2 { 4 } else { 1 };
        assert_eq!(class_of(most), Class::Unknown);
    }
}
