//! A cause as text: what changed, in which tests, and the lines that accepting it would change.

use super::desk::{Desk, tests};
use super::lines;
use rehearsal_compare::changes::{Cause, general_operation};
use rehearsal_report::visible;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Operations and lines that are shown.
const MOST: usize = 12;

/// Paints, where there is colour.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn put(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{}\x1b[0m", visible(text)),
            false => visible(text).into_owned(),
        }
    }
}

/// A cause in a line.
pub(super) fn line(cause: &Cause, paint: Paint) -> String {
    let kind = cause.kind.as_str();
    format!(
        "{} {}",
        paint.put("1", &cause.title),
        paint.put("2", &format!("({kind}, {})", tests(cause.tests())))
    )
}

/// A cause with its evidence.
pub(super) fn whole(desk: &Desk<'_>, cause: &Cause, paint: Paint, patch: bool) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", line(cause, paint));
    for sample in &cause.samples {
        let _ = writeln!(out, "    {}", paint.put("2", sample));
    }
    let mut operations: BTreeMap<String, usize> = BTreeMap::new();
    for place in &cause.places {
        *operations.entry(general_operation(&desk.verdict(place.test).name)).or_default() += 1;
    }
    let shown: Vec<String> =
        operations.iter().take(MOST).map(|(name, count)| format!("{name} ({count})")).collect();
    let more = if operations.len() > MOST { ", …" } else { "" };
    let _ = writeln!(out, "    in {}{more}", visible(&shown.join(", ")));
    if let Some(why) = &cause.obstacle {
        let _ = writeln!(out, "    {}", paint.put("33", &format!("cannot be accepted: {why}")));
    }
    if patch && cause.obstacle.is_none() {
        out.push_str(&patch_of(desk, cause, paint));
    }
    out
}

/// The lines that change in the first test.
fn patch_of(desk: &Desk<'_>, cause: &Cause, paint: Paint) -> String {
    let mut out = String::new();
    let Some(place) = cause.places.first() else { return out };
    let _ = writeln!(out, "    {}", paint.put("2", &desk.verdict(place.test).file));
    let Some((before, after)) = desk.preview(cause, place.test) else { return out };
    let changed = lines::changed(&before, &after);
    for (sign, text) in changed.iter().take(MOST) {
        let code = if *sign == '-' { "31" } else { "32" };
        let _ = writeln!(out, "      {}", paint.put(code, &format!("{sign} {text}")));
    }
    if changed.len() > MOST {
        let _ = writeln!(out, "      … and {} more lines", changed.len() - MOST);
    }
    out
}

/// What is left to say when all causes are shown.
pub(super) fn rest(desk: &Desk<'_>) -> String {
    let mut out = String::new();
    if !desk.review.held.is_empty() {
        let _ = writeln!(
            out,
            "In {} a call was refused, and what follows from that is not shown. Run again when the \
             calls are accepted, or see all at once: `rehearsal test --go-on`.",
            tests(desk.review.held.len())
        );
    }
    if !desk.review.others.is_empty() {
        let numbers = desk.review.others.iter().take(MOST).map(|test| {
            let verdict = desk.verdict(*test);
            format!("{} {}", visible(&verdict.recording), verdict.number.0)
        });
        let numbers: Vec<String> = numbers.collect();
        let _ = writeln!(
            out,
            "{} failed in ways that cannot be accepted: {}",
            tests(desk.review.others.len()),
            numbers.join(", ")
        );
    }
    out
}
