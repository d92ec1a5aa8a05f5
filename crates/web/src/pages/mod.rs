//! The pages, one file each.

mod failures;
mod flaky;
mod graph;
mod recordings;
mod review;
mod run;
mod runs;
mod search;
mod slow;
mod test;

pub(crate) use failures::failures;
pub(crate) use flaky::flaky;
pub(crate) use graph::{edge, graph};
pub(crate) use recordings::{recording, recordings, story};
pub(crate) use review::{decide, review, undo};
pub(crate) use run::{piece, run};
pub(crate) use runs::runs;
pub(crate) use search::search;
pub(crate) use slow::slow;
pub(crate) use test::test;

use crate::Problem;
use crate::html::Html;
use crate::server::Site;
use rehearsal_history::{History, HistoryError, Sample};
use std::collections::BTreeSet;

/// Runs of the past that analyses look at.
const PAST: usize = 100;

/// The samples of the latest runs and how many runs these are; none where there is no history yet.
fn samples(site: &Site) -> Result<(Vec<Sample>, usize), Problem> {
    let read = History::read(&site.place.history).and_then(|mut history| history.samples(PAST));
    match read {
        Ok(samples) => {
            let runs = samples.iter().map(|sample| sample.run).collect::<BTreeSet<_>>().len();
            Ok((samples, runs))
        }
        Err(HistoryError::Absent { .. }) => Ok((Vec::new(), 0)),
        Err(error) => Err(Problem::Failed(error.to_string())),
    }
}

/// `1 test`, `2 tests`.
fn count(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// How long something took.
fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 120_000.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} min", ms / 60_000.0),
    }
}

/// A table with a heading; cells are markup already. It scrolls by itself where it is too wide.
fn table(label: &str, columns: &[&str], rows: &[Vec<Html>]) -> Html {
    let mut out = Html::new();
    put!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table class=\"list\"><thead><tr>",
        label
    );
    // A column in which nothing stands says nothing.
    let is_used =
        |place: usize| rows.iter().any(|row| row.get(place).is_some_and(|it| !it.0.is_empty()));
    let used: Vec<bool> = (0..columns.len()).map(is_used).collect();
    for (column, _) in columns.iter().zip(&used).filter(|(_, used)| **used) {
        put!(out, "<th scope=\"col\">{}</th>", column);
    }
    put!(out, "</tr></thead><tbody>");
    for row in rows {
        put!(out, "<tr>");
        for (cell, _) in row.iter().zip(&used).filter(|(_, used)| **used) {
            put!(out, "<td>{}</td>", cell);
        }
        put!(out, "</tr>");
    }
    put!(out, "</tbody></table></div>");
    out
}

/// Text as a cell.
fn text(text: &str) -> Html {
    let mut out = Html::new();
    put!(out, "{}", text);
    out
}

/// A link to a test of a recording.
fn test_link(recording: &str, number: u32, label: &str) -> Html {
    let mut out = Html::new();
    let place = crate::html::segment(recording);
    put!(out, "<a href=\"/recordings/{}/{}\">{}</a>", place, number, label);
    out
}
