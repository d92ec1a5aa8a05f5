//! A review without a terminal: decided by words on the command line, told as text or JSON.

use super::decisions::Verb;
use super::desk::Desk;
use super::draw::{Paint, rest, whole};
use crate::arguments::Review;
use crate::error::CliError;
use rehearsal_compare::changes::Cause;
use rehearsal_model::{Map, Value, json};
use std::fmt::Write;

/// Decides as the command line says; what could not be done.
pub(super) fn decide(desk: &mut Desk<'_>, arguments: &Review) -> Result<Vec<String>, CliError> {
    let mut problems = Vec::new();
    for word in arguments.accept_matching.iter().chain(&arguments.ignore_matching) {
        if !desk.review.causes.iter().any(|cause| is_meant(cause, word)) {
            return Err(CliError::Wrong(format!(
                "find a change that has {word:?} in its name or its paths; `rehearsal review --json` lists them"
            )));
        }
    }
    for cause in desk.open_causes() {
        let meant = |words: &[String]| words.iter().any(|word| is_meant(&cause, word));
        let verb = if meant(&arguments.ignore_matching) {
            Verb::Ignore
        } else if arguments.accept || meant(&arguments.accept_matching) {
            Verb::Accept
        } else {
            continue;
        };
        problems.extend(desk.decide(&cause, verb)?);
    }
    Ok(problems)
}

/// Whether a word names a cause: it is in its name, or a path is it or below it.
fn is_meant(cause: &Cause, word: &str) -> bool {
    let below = |path: &str| {
        path.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']))
    };
    let mut places = cause.places.iter();
    cause.key.contains(word)
        || places.any(|place| {
            place.noise().any(|path| below(&path))
                || place.differences.iter().any(|difference| below(&difference.path))
        })
}

/// The review as text.
pub(super) fn text(desk: &Desk<'_>, decided: bool) -> String {
    let mut out = String::new();
    let open = desk.open_causes();
    for cause in &desk.review.causes {
        if let Some(verb) = desk.decided(cause) {
            let _ = writeln!(out, "{}: {}", verb.done(), super::draw::line(cause, Paint(false)));
        }
    }
    for cause in &open {
        out.push_str(&whole(desk, cause, Paint(false), true));
        out.push('\n');
    }
    out.push_str(&rest(desk));
    let files = desk.files();
    if files > 0 {
        let files = crate::live::count(files as u64, "file");
        let _ = writeln!(
            out,
            "{files} changed; `rehearsal test` shows whether all is well, `rehearsal review --undo` takes the last decision back."
        );
    }
    if !open.is_empty() && !decided {
        let _ = writeln!(
            out,
            "{} to review: in a terminal `rehearsal review` asks for each; else --accept, \
             --accept-matching PATH, --ignore-matching PATH.",
            crate::live::count(open.len() as u64, "change")
        );
    }
    if out.is_empty() {
        out.push_str("Nothing differs in this run.\n");
    }
    out
}

/// The review as JSON.
pub(super) fn json(desk: &Desk<'_>) -> String {
    let test = |test: usize| {
        let verdict = desk.verdict(test);
        Value::from(Map::from([
            ("recording", Value::from(verdict.recording.as_str())),
            ("number", Value::from(verdict.number.0)),
            ("name", Value::from(verdict.name.as_str())),
            ("file", Value::from(verdict.file.as_str())),
        ]))
    };
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let cause = |cause: &Cause| {
        let mut paths: Vec<String> = cause.places.iter().flat_map(|it| it.noise()).collect();
        paths.sort_unstable();
        paths.dedup();
        let samples: Vec<&str> = cause.samples.iter().map(String::as_str).collect();
        let tests = cause.places.iter().map(|place| test(place.test)).collect();
        Value::from(Map::from([
            ("cause", Value::from(cause.key.as_str())),
            ("kind", Value::from(cause.kind.as_str())),
            ("title", Value::from(cause.title.as_str())),
            ("proposal", Value::from(cause.kind.is_structure())),
            ("samples", Value::from(samples)),
            ("paths", Value::from(paths)),
            ("obstacle", text(cause.obstacle.as_deref())),
            ("decision", text(desk.decided(cause).map(Verb::done))),
            ("tests", Value::List(tests)),
        ]))
    };
    let list = |tests: &[usize]| Value::List(tests.iter().map(|it| test(*it)).collect());
    let map = Map::from([
        ("run", Value::from(desk.run.name.as_str())),
        ("causes", Value::List(desk.review.causes.iter().map(cause).collect())),
        ("held_back", list(&desk.review.held)),
        ("others", list(&desk.review.others)),
    ]);
    format!("{}\n", json::to_string(&Value::Map(map)))
}
