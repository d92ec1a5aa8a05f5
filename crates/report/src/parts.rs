//! What the page of a run draws, in pieces, for pages that somebody else puts together.
//!
//! Everything is HTML in which recorded text is data, and has the classes of the one style. How the
//! pieces stand on a page, and what can be done with them, is not known here.

use crate::finding::all_findings;
use crate::html;
use crate::page::Page;
use rehearsal_model::{CallName, Evidence, Finding, RunEvent, Triage};

/// How wide the text of findings is, in characters.
const WIDTH: usize = 110;

/// The style of the page of a run: its colours, light and dark, and what its parts look like.
pub const STYLE: &str = html::STYLE;

/// Text as data in HTML, in an element as well as in an attribute with quotes. Characters that act on
/// their neighbours, or cannot be seen, are written as escapes.
#[must_use]
pub fn markup(text: &str) -> String {
    crate::escape::markup(text)
}

/// Who asked whom in a test, in order, with what came otherwise marked: an `svg` element.
#[must_use]
pub fn picture(name: &str, calls: &[CallName], findings: &[Finding]) -> String {
    html::sequence(name, calls, findings)
}

/// When the calls of a test came, beside the recording: a table with bars; empty when nothing is known.
#[must_use]
pub fn waterfall(took_ms: f64, evidence: &Evidence) -> String {
    html::waterfall(took_ms, evidence)
}

/// How long answers took on each edge, beside the recording: a section with a heading; empty when the events
/// tell nothing of it.
#[must_use]
pub fn latency<'e>(events: impl IntoIterator<Item = &'e RunEvent>) -> String {
    let mut all = crate::latency::Latencies::default();
    events.into_iter().for_each(|event| all.event(event));
    all.section()
}

/// What was said where something differs, whole, and what the app logged: `details` elements; empty for
/// neither.
#[must_use]
pub fn messages(evidence: &Evidence) -> String {
    html::messages(evidence) + &html::log(evidence)
}

/// A command with what it does before it and a button of class `copy` behind it, which a script is to
/// make copy the text of the element before it.
#[must_use]
pub fn copied(what: &str, command: &str) -> String {
    html::copied(what, command)
}

/// Findings with all that differs, for the inside of a `pre`; empty for none.
#[must_use]
pub fn findings(all: &[Finding]) -> String {
    let mut page = Page::html(WIDTH);
    all_findings(&mut page, 0, all, true);
    page.finish().trim_matches('\n').to_owned()
}

/// What is known of a failure beyond its findings, as labels and texts that are not escaped.
#[must_use]
pub fn triage(triage: &Triage) -> Vec<(&'static str, String)> {
    crate::triage::lines(triage)
}

/// What an event says beside the verdicts of tests, in a line that is not escaped; none for the
/// events that say nothing of the kind.
#[must_use]
pub fn note(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Warning { message, .. } => message.clone(),
        RunEvent::Retried { .. } => crate::words::retried(event),
        RunEvent::SchemaMoved { edge, columns, .. } => crate::words::schema_moved(edge, columns),
        RunEvent::TestRerun { recording, number, name, attempt, outcome, .. } => {
            let what = crate::triage::rerun(*attempt, *outcome);
            format!("{recording} · {} · {name}: {what}", number.0)
        }
        RunEvent::AppExited { how, .. } => format!("the app ended: {how}"),
        _ => return None,
    })
}
