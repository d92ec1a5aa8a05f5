//! The first page: runs that were, runs that are under way, and how it goes from run to run.

use super::{count, duration, table, text};
use crate::Problem;
use crate::html::{Html, segment};
use crate::runs::{Folder, State, names};
use crate::server::Site;
use crate::shell::{Made, Shown};
use rehearsal_history::{History, HistoryError, RunRow};
use rehearsal_model::Summary;
use rehearsal_store::format_instant;
use std::collections::{BTreeMap, BTreeSet};

/// Runs of the history that are listed, and drawn.
const LISTED: usize = 200;
const DRAWN: usize = 60;

/// The list of runs.
pub(crate) fn runs(site: &Site) -> Made {
    let mut main = Html::new();
    put!(main, "<h1>Runs</h1>");
    let past = match History::read(&site.place.history).and_then(|mut history| history.runs(LISTED))
    {
        Ok(past) => past,
        Err(HistoryError::Absent { .. }) => Vec::new(),
        Err(error) => {
            put!(main, "<p class=\"bad\" role=\"alert\">failed to {}</p>", error.to_string());
            Vec::new()
        }
    };
    let kept: BTreeMap<String, Folder> = names(&site.place.runs)
        .into_iter()
        .filter_map(|name| Some((name.clone(), site.run(&name).ok()?)))
        .collect();
    if past.is_empty() && kept.is_empty() {
        put!(
            main,
            "<p>No run yet. <code>rehearsal test</code> makes one, and this page shows it as it goes.</p>"
        );
    }
    put!(main, "{}<div data-live=\"/live\"></div>", trend(&past));
    let told: BTreeSet<&str> = past.iter().map(|run| run.scene.run.as_str()).collect();
    let fresh = kept.values().rev().filter(|run| !told.contains(run.name.as_str()));
    let mut rows: Vec<(i64, Vec<Html>)> = fresh.map(untold).collect();
    rows.extend(past.iter().map(|run| {
        let folder = kept.get(&run.scene.run);
        (run.scene.started_ms, row(run, folder))
    }));
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let rows: Vec<Vec<Html>> = rows.into_iter().map(|(_, row)| row).collect();
    if !rows.is_empty() {
        let columns = ["when (UTC)", "outcome", "took", "commit", "branch", "host"];
        put!(main, "{}", table("Runs", &columns, &rows));
        put!(main, "<p class=\"dim\">The results of the last twenty are kept in full.</p>");
    }
    Ok(Shown { title: "Runs".to_owned(), part: "", main })
}

fn when(at_ms: i64, folder: Option<&Folder>) -> Html {
    let at = format_instant(at_ms);
    let mut out = Html::new();
    match folder {
        Some(run) => put!(out, "<a href=\"/runs/{}\">{}</a>", segment(&run.name), at),
        None => put!(out, "{}", at),
    }
    out
}

/// A run that the history does not have.
fn untold(run: &Folder) -> (i64, Vec<Html>) {
    let at = run.began_ms().unwrap_or(0);
    let (outcome, took) = match run.state() {
        State::Ended(summary) => (outcome(&summary), text(&duration(summary.took_ms))),
        State::UnderWay => {
            (Html::drawn("<span class=\"note\">● under way</span>".to_owned()), Html::new())
        }
        State::BrokenOff => {
            (Html::drawn("<span class=\"bad\">✗ broke off</span>".to_owned()), Html::new())
        }
    };
    (at, vec![when(at, Some(run)), outcome, took, Html::new(), Html::new(), Html::new()])
}

fn row(run: &RunRow, folder: Option<&Folder>) -> Vec<Html> {
    let RunRow { scene, summary, .. } = run;
    let mut commit: String = scene.commit.iter().flat_map(|it| it.chars().take(10)).collect();
    if scene.dirty {
        commit.push('+');
    }
    vec![
        when(scene.started_ms, folder),
        outcome(summary),
        text(&duration(summary.took_ms)),
        text(&commit),
        text(scene.branch.as_deref().unwrap_or_default()),
        text(&scene.host),
    ]
}

/// What a run came to, in a few words.
pub(super) fn outcome(summary: &Summary) -> Html {
    let Summary { passed, failed, flaky, quarantined, not_run, aborted, .. } = summary;
    let mut out = Html::new();
    match (failed, aborted) {
        (0, None) => put!(out, "<span class=\"good\">✓ {} passed</span>", *passed),
        _ => put!(out, "<span class=\"bad\">✗ {} failed</span>, {} passed", *failed, *passed),
    }
    for (many, word) in [(flaky, "flaky"), (quarantined, "in quarantine"), (not_run, "not run")] {
        if *many > 0 {
            put!(out, ", {} {}", *many, word);
        }
    }
    if let Some(why) = aborted {
        put!(out, " <span class=\"dim\">{}</span>", why);
    }
    out
}

/// A bar for each run, the newest at the right: how many tests, and how many of them failed.
fn trend(past: &[RunRow]) -> Html {
    let shown: Vec<&Summary> = past.iter().take(DRAWN).rev().map(|run| &run.summary).collect();
    let total = |summary: &Summary| summary.passed + summary.failed;
    let most = shown.iter().map(|summary| total(summary)).max().unwrap_or(0);
    let mut out = Html::new();
    if shown.len() < 2 || most == 0 {
        return out;
    }
    let bad = shown.iter().filter(|summary| summary.failed > 0).count();
    let label = format!("the last {}, {bad} of them with failures", count(shown.len(), "run"));
    put!(
        out,
        "<figure class=\"trend\"><svg viewBox=\"0 0 {} 64\" width=\"{}\" role=\"img\" aria-label=\"{}\">",
        shown.len() * 12,
        shown.len() * 12,
        label
    );
    for (place, summary) in shown.iter().enumerate() {
        let tall = |many: usize| (many * 60).div_ceil(most);
        let (all, failed) = (tall(total(summary)), tall(summary.failed));
        let x = place * 12 + 1;
        put!(
            out,
            "<rect class=\"passed\" x=\"{}\" y=\"{}\" width=\"10\" height=\"{}\"/>\
             <rect class=\"failed\" x=\"{}\" y=\"{}\" width=\"10\" height=\"{}\"/>",
            x,
            62 - all,
            all - failed.min(all),
            x,
            62 - failed.min(all),
            failed.min(all)
        );
    }
    put!(out, "</svg><figcaption class=\"dim\">{}</figcaption></figure>", label);
    out
}

/// Why a run cannot be reviewed while it is under way, or none.
pub(super) fn not_yet(run: &Folder) -> Option<Problem> {
    let text = "review a run that is under way: wait until it has ended";
    (run.state() == State::UnderWay).then(|| Problem::Wrong(text.to_owned()))
}
