//! One test on the page: in a line what became of it, and unfolded all that is known.
//!
//! The order is that of the questions that a reader has: what changed and whose it is, where in the
//! story, when, what was said, and how to do it again.

use super::{evidence, sequence, waterfall};
use crate::escape::{clip, markup};
use crate::finding::{all_findings, sentence};
use crate::page::Page;
use crate::triage;
use crate::words::{command, duration};
use rehearsal_model::{CallName, Finding, Outcome, RunEvent};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How wide the text of a failure is.
const WIDTH: usize = 120;
/// Reasons that are told when little is.
const MAX_LINES: usize = 3;

/// How much of a test is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// All, and it is unfolded.
    Open,
    /// All.
    Folded,
    /// All, as a comment that becomes elements when it is unfolded: the page has thousands of tests.
    Kept,
    /// What differs in a few lines, and nothing beside it: the page has become large.
    Short,
}

/// A test that has its verdict, as a `details` element; empty for any other event.
pub(super) fn test(event: &RunEvent, detail: Detail) -> String {
    let RunEvent::TestFinished { recording, number, name, outcome, took_ms, calls, .. } = event
    else {
        return String::new();
    };
    let (word, mark, class) = match outcome {
        Outcome::Passed => ("passed", "✓", "good"),
        Outcome::Failed => ("failed", "✗", "bad"),
        Outcome::NotRun => ("not-run", "○", "dim"),
    };
    let touched: BTreeSet<&str> = calls.iter().map(|call| call.edge.as_str()).collect();
    let touched: Vec<&str> = touched.into_iter().collect();
    let took = match outcome {
        Outcome::NotRun => "not run".to_owned(),
        _ => duration(*took_ms),
    };
    format!(
        "<details class=\"test\" data-outcome=\"{word}\"{}><summary>\
         <span class=\"{class}\" title=\"{word}\">{mark}</span>\
         <span class=\"dim\">{} {}</span><span class=\"name\">{}</span>\
         <span class=\"dim\">{}</span><span class=\"took\">{took}</span></summary>\
         {}</details>",
        if detail == Detail::Open { " open" } else { "" },
        markup(recording),
        number.0,
        markup(name),
        markup(&touched.join(", ")),
        match detail {
            // A comment, which costs a browser next to nothing. No markup of ours ends it, and in recorded
            // text `>` is escaped.
            Detail::Kept | Detail::Short => format!("<!--{}-->", body(event, detail)),
            Detail::Open | Detail::Folded => {
                format!("<div class=\"body\">{}</div>", body(event, detail))
            }
        },
    )
}

/// What is unfolded of a test: what became of it and how to do it again.
fn body(event: &RunEvent, detail: Detail) -> String {
    let RunEvent::TestFinished {
        recording,
        number,
        name,
        file,
        outcome,
        took_ms,
        calls,
        findings,
        triage,
        evidence: seen,
    } = event
    else {
        return String::new();
    };
    let seen = seen.as_deref().filter(|_| detail != Detail::Short);
    let mut out = String::new();
    if let Some(triage) = triage {
        out.push_str("<dl class=\"triage\">");
        for (label, text) in triage::lines(triage) {
            let _ = write!(out, "<dt class=\"dim\">{label}</dt><dd>{}</dd>", markup(&text));
        }
        out.push_str("</dl>");
    }
    match (outcome, detail) {
        (Outcome::Failed, Detail::Short) => out.push_str(&briefly(findings)),
        (Outcome::Failed, _) => out.push_str(&failure(name, calls, findings)),
        (Outcome::Passed | Outcome::NotRun, _) => {}
    }
    let times = seen.map(|seen| waterfall(*took_ms, seen)).unwrap_or_default();
    match (times.is_empty(), outcome) {
        (true, Outcome::Passed) if detail != Detail::Short => out.push_str(&list(calls)),
        (..) => out.push_str(&times),
    }
    if let Some(seen) = seen {
        out.push_str(&evidence::messages(seen));
        out.push_str(&evidence::log(seen));
    }
    let again = ["rehearsal", "test", recording, "--test", &number.0.to_string()];
    out.push_str(&evidence::copied("run it again", &command(&again.map(str::to_owned))));
    if let Some(line) = seen.and_then(|seen| seen.command.as_ref()) {
        out.push_str(&evidence::copied("send it by hand", line));
    }
    if detail == Detail::Short {
        return out + "<p class=\"dim\">More is left out: the page is large.</p>";
    }
    let _ = write!(
        out,
        "<div class=\"again\"><span class=\"dim\">file</span><code>{}</code></div>",
        markup(file)
    );
    out
}

/// Why it failed in a line for each of the first reasons.
fn briefly(findings: &[Finding]) -> String {
    let mut lines: Vec<String> = findings
        .iter()
        .take(MAX_LINES)
        .map(|finding| markup(&clip(&sentence(finding), WIDTH)))
        .collect();
    if let Some(more) = findings.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    format!("<pre tabindex=\"0\">{}</pre>", lines.join("\n"))
}

fn failure(name: &str, calls: &[CallName], findings: &[Finding]) -> String {
    let mut page = Page::html(WIDTH);
    all_findings(&mut page, 0, findings, false);
    format!(
        "<pre tabindex=\"0\">{}</pre><div class=\"wide\" tabindex=\"0\" role=\"group\" \
         aria-label=\"The story\">{}</div>",
        page.finish().trim_matches('\n'),
        sequence(name, calls, findings),
    )
}

fn list(calls: &[CallName]) -> String {
    if calls.is_empty() {
        return "<p class=\"dim\">The app called nobody.</p>".to_owned();
    }
    let mut out = "<ol>".to_owned();
    for CallName { edge, operation } in calls {
        let (edge, operation) = (markup(edge), markup(operation));
        let _ = write!(out, "<li><span class=\"dim\">{edge} ·</span> {operation}</li>");
    }
    out + "</ol>"
}
