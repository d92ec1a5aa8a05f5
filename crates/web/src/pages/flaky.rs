//! Tests that both passed and failed on the same code, with what sets the failures apart.

use super::{count, samples, table, test_link, text};
use crate::html::Html;
use crate::server::Site;
use crate::shell::{Made, Shown};
use rehearsal_history::Flaky;
use rehearsal_store::format_instant;

/// The list of them.
pub(crate) fn flaky(site: &Site) -> Made {
    let (samples, runs) = samples(site)?;
    let found = rehearsal_history::flaky(&samples);
    let mut main = Html::new();
    put!(main, "<h1>Flaky tests</h1><p class=\"dim\">By the last {}.</p>", count(runs, "run"));
    if found.is_empty() {
        put!(main, "<p class=\"good\">✓ None both passed and failed on the same code.</p>");
    } else {
        let rows: Vec<Vec<Html>> = found.iter().map(row).collect();
        let columns = ["test", "failed", "last (UTC)", "cause", "why that is said"];
        put!(main, "{}", table("Flaky tests", &columns, &rows));
    }
    Ok(Shown { title: "Flaky tests".to_owned(), part: "flaky", main })
}

fn row(flaky: &Flaky) -> Vec<Html> {
    let label = format!("{}/{} · {}", flaky.test.recording, flaky.test.number, flaky.test.name);
    let mut class = Html::new();
    put!(class, "<span class=\"tag\">{}</span>", flaky.class.word());
    vec![
        test_link(&flaky.test.recording, flaky.test.number, &label),
        text(&format!("{} of {}", flaky.failed, flaky.of)),
        text(&format_instant(flaky.last_ms)),
        class,
        text(&flaky.evidence),
    ]
}
