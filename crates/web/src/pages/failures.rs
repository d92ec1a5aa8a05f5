//! Failures of past runs by kind: where each comes from, since when, how often.

use super::{count, samples, test_link};
use crate::html::Html;
use crate::server::Site;
use crate::shell::{Made, Shown};
use rehearsal_history::Cluster;
use rehearsal_store::format_instant;

/// Tests that are named of a kind, and paths.
const NAMED: usize = 8;

/// The list of clusters.
pub(crate) fn failures(site: &Site) -> Made {
    let (samples, runs) = samples(site)?;
    let found = rehearsal_history::clusters(&samples);
    let open = found.iter().filter(|cluster| cluster.open).count();
    let mut main = Html::new();
    put!(
        main,
        "<h1>Failures by kind</h1><p class=\"dim\">By the last {}: {}, of which {} open.</p>",
        count(runs, "run"),
        count(found.len(), "kind"),
        open
    );
    if found.is_empty() {
        put!(main, "<p class=\"good\">✓ No failures.</p>");
    }
    for cluster in &found {
        put!(main, "{}", card(cluster));
    }
    Ok(Shown { title: "Failures".to_owned(), part: "failures", main })
}

fn card(cluster: &Cluster) -> Html {
    let Cluster { cause, failures, tests, runs, seen_ms: (first, last), first_commit, open } =
        cluster;
    let (state, class) = if *open { ("open", "open") } else { ("gone", "decided") };
    let commit: String = first_commit.iter().flat_map(|commit| commit.chars().take(10)).collect();
    let at = if commit.is_empty() { commit } else { format!(" at {commit}") };
    let mut out = Html::new();
    put!(
        out,
        "<section class=\"card {}\"><h2>{} · {}</h2><p><span class=\"tag\">{}</span> \
         <span class=\"tag\">{}</span> {}, {}, {}</p>\
         <p>{}</p><p class=\"dim\">first {}{}, last {} (UTC) · fingerprint <code>{}</code></p>",
        class,
        cause.edge,
        cause.operation,
        state,
        cause.finding,
        count(*failures, "failure"),
        count(tests.len(), "test"),
        count(*runs, "run"),
        cause.reason,
        format_instant(*first),
        at,
        format_instant(*last),
        cause.fingerprint
    );
    if !cause.changes.is_empty() {
        put!(out, "<ul class=\"samples\">");
        for change in cause.changes.iter().take(NAMED) {
            put!(out, "<li><code>{}</code></li>", change);
        }
        put!(out, "</ul>");
    }
    put!(out, "<ul>");
    for (key, name) in tests.iter().take(NAMED) {
        let (recording, number) = key.rsplit_once('/').unwrap_or((key, "0"));
        let label = format!("{key} {name}");
        put!(out, "<li>{}</li>", test_link(recording, number.parse().unwrap_or(0), &label));
    }
    if tests.len() > NAMED {
        put!(out, "<li>and {} more</li>", tests.len() - NAMED);
    }
    put!(out, "</ul></section>");
    out
}
