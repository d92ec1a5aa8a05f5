//! Tests and edges beside their own past: what takes longer than noise explains.

use super::{count, samples, table, test_link, text};
use crate::html::Html;
use crate::server::Site;
use crate::shell::{Made, Shown};
use rehearsal_history::{EdgePace, Pace};

/// Tests that are listed.
const LISTED: usize = 500;

/// The list of tests with a past.
pub(crate) fn slow(site: &Site) -> Made {
    let (samples, runs) = samples(site)?;
    let (paces, edges) = rehearsal_history::slow(&samples);
    let slower = paces.iter().filter(|pace| pace.is_slower()).count();
    let mut main = Html::new();
    put!(main, "<h1>Slower than before</h1>");
    if paces.is_empty() {
        put!(
            main,
            "<p>Nothing to compare yet: {} known, and a test needs eight that passed on one machine.</p>",
            match runs {
                1 => "1 run is".to_owned(),
                runs => format!("{runs} runs are"),
            }
        );
        return Ok(Shown { title: "Slow".to_owned(), part: "slow", main });
    }
    match slower {
        0 => put!(
            main,
            "<p class=\"good\">✓ No test is slower than noise explains, of {} with a past.</p>",
            paces.len()
        ),
        slower => put!(
            main,
            "<p>{} slower than noise explains, of {} with a past.</p>",
            count(slower, "test"),
            paces.len()
        ),
    }
    let rows: Vec<Vec<Html>> = paces.iter().take(LISTED).map(row).collect();
    let columns = ["test", "now", "before", "noise", "times", "verdict"];
    put!(main, "{}", table("Tests and their past", &columns, &rows));
    let rows: Vec<Vec<Html>> = edges.iter().map(edge).collect();
    if !rows.is_empty() {
        let columns = ["edge", "tests", "slower", "times"];
        put!(main, "<h2>By edge</h2>{}", table("Edges and their past", &columns, &rows));
    }
    Ok(Shown { title: "Slow".to_owned(), part: "slow", main })
}

fn row(pace: &Pace) -> Vec<Html> {
    let Pace { test, now, band, .. } = pace;
    let (word, class) = match (pace.is_slower(), pace.is_faster()) {
        (true, _) => ("slower", "bad"),
        (_, true) => ("faster", "good"),
        _ => ("as before", "dim"),
    };
    let mut verdict = Html::new();
    put!(verdict, "<span class=\"{}\">{}</span>", class, word);
    let label = format!("{}/{} · {}", test.recording, test.number, test.name);
    vec![
        test_link(&test.recording, test.number, &label),
        text(&format!("{now:.1} ms")),
        text(&format!("{:.1} ms", band.median)),
        text(&format!("{:.1} to {:.1} ms", band.lower, band.upper)),
        text(&format!("{:.1}", pace.factor())),
        verdict,
    ]
}

fn edge(edge: &EdgePace) -> Vec<Html> {
    let EdgePace { edge, tests: (tests, slower), factor } = edge;
    vec![
        text(edge),
        text(&tests.to_string()),
        text(&slower.to_string()),
        text(&format!("{factor:.2}")),
    ]
}
