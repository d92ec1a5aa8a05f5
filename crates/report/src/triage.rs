//! What is known of a failure beyond its findings, in lines: its cause, its owners, its quarantine;
//! and what became of it when it was run again.

use crate::words::count;
use jiff::Timestamp;
use rehearsal_model::{Outcome, Past, Triage};

/// Short lines of a label and a text, for any format. Nothing in them is escaped.
pub(crate) fn lines(triage: &Triage) -> Vec<(&'static str, String)> {
    let cause = &triage.cause;
    let at = format!("{} · {}", cause.edge, cause.operation);
    let mut lines = vec![("cause", format!("{at} · {}", cause.reason))];
    if let Some(owner) = &triage.ownership {
        lines.push(("owner", format!("{} ({})", owner.owners.join(", "), owner.source)));
    }
    if let Some(quarantine) = &triage.quarantine {
        let (owner, until) = (&quarantine.owner, &quarantine.until);
        let why = quarantine.reason.as_ref().map_or(String::new(), |why| format!(": {why}"));
        lines.push((
            "quarantine",
            match quarantine.expired {
                false => format!("by {owner} until {until}{why}; it does not fail the run"),
                true => format!("by {owner}, ended on {until}{why}; it fails the run again"),
            },
        ));
    }
    lines.extend(triage.past.as_ref().map(|past| ("since", since(past))));
    lines.push(("fingerprint", cause.fingerprint.clone()));
    lines
}

/// Since when a kind of failure is seen.
fn since(past: &Past) -> String {
    let Some(first) = past.first_ms else {
        return "this run; nothing failed this way before".to_owned();
    };
    let commit: String = past.first_commit.iter().flat_map(|it| it.chars().take(10)).collect();
    let commit = if commit.is_empty() { commit } else { format!(" at commit {commit}") };
    let (failures, runs) = (count(past.failures, "failure"), count(past.runs, "run"));
    format!("{} UTC{commit}: {failures} in {runs} before this one", minute(first))
}

/// `2026-12-31 23:59`, in UTC.
fn minute(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M").to_string()
}

/// What a rerun says of a test, in a few words.
pub(crate) fn rerun(attempt: usize, outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => format!("flaky: it failed and passed on rerun {attempt}"),
        Outcome::Failed => format!("it failed again on rerun {attempt}"),
        Outcome::NotRun => format!("rerun {attempt} did not take place"),
    }
}

/// The counts that stand beside passed and failed, where there are any: `1 flaky`.
pub(crate) fn extra_counts(flaky: usize, quarantined: usize) -> Vec<String> {
    let mut counts = Vec::new();
    if flaky > 0 {
        counts.push(format!("{flaky} flaky"));
    }
    if quarantined > 0 {
        counts.push(format!("{} in quarantine", count(quarantined, "failure")));
    }
    counts
}
