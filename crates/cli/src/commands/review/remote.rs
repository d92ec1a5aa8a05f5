//! The review for somebody who is not at this terminal: what there is as data, and decisions by name.
//!
//! A page may be old when its button is pressed: a decision that was made meanwhile is said, and nothing
//! is decided twice.

use super::decisions::Verb;
use super::desk::Desk;
use super::{lines, run};
use crate::error::CliError;
use rehearsal_compare::changes::Cause;
use rehearsal_store::Project;
use rehearsal_web as web;
use std::collections::BTreeSet;

/// Lines of a patch that are shown.
const LINES: usize = 60;

/// What differs in a run. Nothing is written.
pub(in crate::commands) fn reviewed(
    project: &Project,
    name: &str,
) -> Result<web::Reviewed, CliError> {
    let desk = Desk::look(project, run::find(project, Some(name), false)?)?;
    let open = desk.open_causes();
    let causes = desk.review.causes.iter().map(|cause| {
        let open = open.iter().find(|it| it.key == cause.key);
        caused(&desk, cause, open)
    });
    let tests = |places: &[usize]| places.iter().map(|test| named(&desk, *test)).collect();
    Ok(web::Reviewed {
        causes: causes.collect(),
        decisions: desk.decisions_made(),
        held: tests(&desk.review.held),
        others: tests(&desk.review.others),
    })
}

/// A cause, and what of it waits for a decision.
fn caused(desk: &Desk<'_>, cause: &Cause, open: Option<&Cause>) -> web::Caused {
    let waiting: BTreeSet<usize> =
        open.iter().flat_map(|cause| &cause.places).map(|place| place.test).collect();
    let mut tests: BTreeSet<usize> = cause.places.iter().map(|place| place.test).collect();
    let (file, patch) = match waiting.first() {
        Some(test) if cause.obstacle.is_none() => patch(desk, cause, *test),
        _ => (String::new(), Vec::new()),
    };
    let mut all: Vec<(web::TestName, bool)> = Vec::new();
    // Those that wait come first.
    for test in waiting.iter().copied() {
        tests.remove(&test);
        all.push((named(desk, test), true));
    }
    all.extend(tests.into_iter().map(|test| (named(desk, test), false)));
    web::Caused {
        key: cause.key.clone(),
        kind: cause.kind.as_str().to_owned(),
        title: cause.title.clone(),
        samples: cause.samples.clone(),
        obstacle: cause.obstacle.clone(),
        decided: desk.decided(cause).map(Verb::done),
        tests: all,
        file,
        patch,
    }
}

fn patch(desk: &Desk<'_>, cause: &Cause, test: usize) -> (String, Vec<(char, String)>) {
    let Some((before, after)) = desk.preview(cause, test) else { return Default::default() };
    let mut changed = lines::changed(&before, &after);
    changed.truncate(LINES);
    (desk.verdict(test).file.clone(), changed)
}

fn named(desk: &Desk<'_>, test: usize) -> web::TestName {
    let verdict = desk.verdict(test);
    web::TestName {
        recording: verdict.recording.clone(),
        number: verdict.number.0,
        name: verdict.name.clone(),
    }
}

/// Decides of a cause, in one test or in all that wait; what could not be done.
pub(in crate::commands) fn decide(
    project: &Project,
    name: &str,
    (key, test): (&str, Option<(&str, u32)>),
    verb: web::Verb,
) -> Result<Vec<String>, CliError> {
    let mut desk = Desk::open(project, run::find(project, Some(name), false)?)?;
    let mut open = desk.open_causes().into_iter().filter(|cause| cause.key == key);
    let mut cause = open.next().ok_or_else(|| {
        let known = desk.review.causes.iter().any(|cause| cause.key == key);
        CliError::Wrong(match known {
            true => "decide this: it was decided meanwhile; reload the page".to_owned(),
            false => format!("decide {key:?}: nothing in this run is called so"),
        })
    })?;
    if let Some((recording, number)) = test {
        cause.places.retain(|place| {
            let verdict = desk.verdict(place.test);
            verdict.recording == recording && verdict.number.0 == number
        });
    }
    if cause.places.is_empty() {
        let text = "decide this in that test: it was decided there meanwhile; reload the page";
        return Err(CliError::Wrong(text.to_owned()));
    }
    let verb = match verb {
        web::Verb::Accept => Verb::Accept,
        web::Verb::Ignore => Verb::Ignore,
        web::Verb::Reject => Verb::Reject,
    };
    desk.decide(&cause, verb)
}

/// Takes the last decision back, if there are still so many; what it was.
pub(in crate::commands) fn undo(
    project: &Project,
    name: &str,
    decisions: usize,
) -> Result<String, CliError> {
    let mut desk = Desk::open(project, run::find(project, Some(name), false)?)?;
    if desk.decisions_made() != decisions {
        let text = "undo this: something else was decided or undone meanwhile; reload the page";
        return Err(CliError::Wrong(text.to_owned()));
    }
    desk.undo()
}
