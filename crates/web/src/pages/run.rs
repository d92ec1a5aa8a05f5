//! One run: what it came to and its tests, with filters; and each piece of it as it comes.

use super::duration;
use super::runs::outcome as came_to;
use crate::html::{Html, segment};
use crate::request::Pairs;
use crate::runs::State;
use crate::server::Site;
use crate::shell::{Made, Shown};
use rehearsal_model::{Outcome, RunEvent};
use rehearsal_report::{parts, sentence};
use rehearsal_store::format_instant;
use std::collections::BTreeSet;

/// Tests on one page.
const LISTED: usize = 1000;

/// The page of a run; of one with many tests, `?from=1000` shows those behind the first thousand, and
/// `?only=failed` those that failed.
pub(crate) fn run(site: &Site, name: &str, query: &Pairs) -> Made {
    let folder = site.run(name)?;
    let state = folder.state();
    let said = folder.whole()?;
    let place = segment(&folder.name);
    let began = folder.began_ms().map(format_instant).unwrap_or_default();
    let mut main = Html::new();
    put!(main, "<h1>Run of {}</h1>", began);
    let total = said.events.iter().find_map(|event| match event {
        RunEvent::RunStarted { tests, .. } => Some(*tests),
        _ => None,
    });
    let total = total.unwrap_or(0);
    match &state {
        State::Ended(summary) => put!(
            main,
            "<p>{} · {} · <a class=\"button\" href=\"/runs/{}/review\">Review what changed</a></p>",
            came_to(summary),
            duration(summary.took_ms),
            place
        ),
        State::UnderWay => put!(
            main,
            "<section class=\"now\" data-live=\"/runs/{}/live?from={}\" aria-label=\"Progress\">\
             <progress id=\"progress\" max=\"{}\" value=\"{}\" aria-label=\"tests that have ended\">\
             </progress><span id=\"now\" role=\"status\">{}</span></section>",
            place,
            said.offset,
            total.max(1),
            verdicts(&said.events),
            at(name, &said.events)
        ),
        State::BrokenOff => put!(
            main,
            "<p class=\"bad\">This run broke off: what it said until then is below. \
             <a class=\"button\" href=\"/runs/{}/review\">Review what changed</a></p>",
            place
        ),
    }
    if said.unread > 0 {
        put!(
            main,
            "<p class=\"note\">! {} of its lines cannot be read: they are damaged, or a newer release \
             wrote them.</p>",
            said.unread
        );
    }
    put!(main, "<div id=\"notes\">");
    for event in &said.events {
        if let Some(("note", html)) = piece(name, event) {
            put!(main, "{}", html);
        }
    }
    put!(main, "</div>{}", Html::drawn(parts::latency(&said.events)));
    let only_failed = query.get("only") == Some("failed");
    let tests: Vec<&RunEvent> = said
        .events
        .iter()
        .filter(|event| match event {
            RunEvent::TestFinished { outcome, .. } => !only_failed || *outcome == Outcome::Failed,
            _ => false,
        })
        .collect();
    let from = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(tests.len());
    let leaves = leaves(name, (from, tests.len()), only_failed);
    put!(main, "{}{}<ul class=\"tests\" id=\"tests\">", leaves, filters());
    for event in tests.into_iter().skip(from).take(LISTED) {
        if let Some((_, html)) = piece(name, event) {
            put!(main, "{}", html);
        }
    }
    put!(main, "</ul>{}", leaves);
    Ok(Shown { title: format!("Run of {began}"), part: "", main })
}

/// The ways to the other tests of a run that has more than one page shows; empty when it has not.
fn leaves(run: &str, (from, all): (usize, usize), only_failed: bool) -> Html {
    let mut out = Html::new();
    if all <= LISTED && !only_failed && from == 0 {
        return out;
    }
    let (run, only) = (segment(run), if only_failed { "&only=failed" } else { "" });
    let what = if only_failed { "failed tests" } else { "tests" };
    let last = (from + LISTED).min(all);
    put!(out, "<p class=\"leaves\">{} {} to {} of {}", what, (from + 1).min(last), last, all);
    let mut way = |from: usize, only: &str, label: &str| {
        put!(out, " · <a href=\"/runs/{}?from={}{}\">{}</a>", run, from, only, label);
    };
    if from > 0 {
        way(from.saturating_sub(LISTED), only, "before these");
    }
    if last < all {
        way(last, only, "after these");
    }
    match only_failed {
        true => way(0, "", "all tests"),
        false => way(0, "&only=failed", "only those that failed"),
    }
    put!(out, "</p>");
    out
}

fn verdicts(events: &[RunEvent]) -> usize {
    events.iter().filter(|event| matches!(event, RunEvent::TestFinished { .. })).count()
}

/// The test that is being run.
fn at(run: &str, events: &[RunEvent]) -> Html {
    let mut pieces = events.iter().rev().filter_map(|event| piece(run, event));
    let now = pieces.find(|(kind, _)| *kind == "now");
    now.map_or_else(|| Html::drawn("under way".to_owned()), |(_, html)| html)
}

fn filters() -> Html {
    let mut out = Html::new();
    put!(
        out,
        "<fieldset class=\"filter\" hidden><legend class=\"hidden\">Which tests</legend>\
         <input id=\"filter\" type=\"search\" placeholder=\"name, recording, edge or reason\" \
         aria-label=\"Filter the tests\">"
    );
    for (value, label) in
        [("all", "all"), ("failed", "failed"), ("passed", "passed"), ("not-run", "not run")]
    {
        let checked = Html::drawn(if value == "all" { " checked" } else { "" }.to_owned());
        put!(
            out,
            "<label><input type=\"radio\" name=\"outcome\" value=\"{}\"{}> {}</label>",
            value,
            checked,
            label
        );
    }
    put!(out, "<span id=\"shown\" class=\"dim\" role=\"status\"></span></fieldset>");
    out
}

/// The word, the mark and the class of an outcome.
pub(super) fn look(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Passed => ("passed", "✓", "good"),
        Outcome::Failed => ("failed", "✗", "bad"),
        Outcome::NotRun => ("not-run", "○", "dim"),
    }
}

/// What the page of a run shows of an event, and as what: `test`, `note`, or `now` for what is under way.
pub(crate) fn piece(run: &str, event: &RunEvent) -> Option<(&'static str, Html)> {
    let mut out = Html::new();
    match event {
        RunEvent::TestFinished {
            recording,
            number,
            name,
            outcome,
            took_ms,
            calls,
            findings,
            ..
        } => {
            let (word, mark, class) = look(*outcome);
            let edges: BTreeSet<&str> = calls.iter().map(|call| call.edge.as_str()).collect();
            let edges: Vec<&str> = edges.into_iter().collect();
            let took = match outcome {
                Outcome::NotRun => "not run".to_owned(),
                _ => duration(*took_ms),
            };
            put!(
                out,
                "<li data-outcome=\"{}\"><a href=\"/runs/{}/{}/{}\"><span class=\"{}\">{}\
                 <span class=\"hidden\"> {}</span></span> <span class=\"dim\">{} {}</span> \
                 <span class=\"name\">{}</span> <span class=\"dim\">{}</span> \
                 <span class=\"took\">{}</span></a>",
                word,
                segment(run),
                segment(recording),
                number.0,
                class,
                mark,
                word,
                recording,
                number.0,
                name,
                edges.join(", "),
                took
            );
            if let Some(finding) = findings.first() {
                put!(out, "<p class=\"why\">{}</p>", sentence(finding));
            }
            put!(out, "</li>");
            Some(("test", out))
        }
        RunEvent::TestStarted { recording, number, name } => {
            put!(out, "{} {} · {}", recording, number.0, name);
            Some(("now", out))
        }
        event => {
            let note = parts::note(event)?;
            put!(out, "<p class=\"note\">! {}</p>", note);
            if let RunEvent::AppExited { output, .. } = event
                && !output.is_empty()
            {
                put!(out, "<pre>");
                for line in output {
                    put!(out, "{}\n", line);
                }
                put!(out, "</pre>");
            }
            Some(("note", out))
        }
    }
}
