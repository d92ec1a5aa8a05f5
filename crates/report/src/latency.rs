//! How long answers took on each edge, beside the recording: a table for a page.
//!
//! A mock answers at once, which says nothing of the dependency. So its time is not shown as one, and the
//! words below the table say what can be compared.

use crate::escape::markup;
use crate::html::milliseconds;
use rehearsal_model::{Latency, Measured, RunEvent};
use std::fmt::Write as _;

/// Edges that are shown.
const MAX_EDGES: usize = 200;
/// Times of which a quotient says something.
const ENOUGH: u64 = 5;

/// See the module.
#[derive(Default)]
pub(crate) struct Latencies {
    rows: String,
    edges: usize,
    mocks: bool,
}

impl Latencies {
    /// Takes an event; those of another kind say nothing here.
    pub(crate) fn event(&mut self, event: &RunEvent) {
        let RunEvent::EdgeLatency { recording, edge, of, recorded, measured } = event else {
            return;
        };
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return;
        }
        let (what, now) = match (of, measured) {
            (Measured::App, Some(measured)) => ("the app itself", pace(measured)),
            (Measured::Real, Some(measured)) => ("let through", pace(measured)),
            (Measured::App, None) => ("the app itself", "not known".to_owned()),
            (Measured::Real, None) => ("let through", "not seen".to_owned()),
            (Measured::Mock, _) => ("mocked", "at once".to_owned()),
        };
        self.mocks |= *of == Measured::Mock;
        let times = measured.filter(|measured| measured.calls.min(recorded.calls) >= ENOUGH);
        let times = times.map_or_else(String::new, |measured| {
            format!("×{:.1}", measured.p50_us as f64 / recorded.p50_us.max(1) as f64)
        });
        let _ = write!(
            self.rows,
            "<tr><th scope=\"row\">{}</th><td class=\"dim\">{}</td><td>{what}</td><td>{}</td>\
             <td>{now}</td><td>{times}</td></tr>",
            markup(edge),
            markup(recording),
            pace(recorded),
        );
    }

    /// The table with its heading; empty where recordings know no times.
    pub(crate) fn section(&self) -> String {
        if self.edges == 0 {
            return String::new();
        }
        let more = match self.edges.saturating_sub(MAX_EDGES) {
            0 => String::new(),
            more => format!("<p class=\"dim\">… and {more} more</p>"),
        };
        let mocks = match self.mocks {
            true => {
                " A mock answers at once: of a mocked edge only the recorded times say something of \
                 the dependency."
            }
            false => "",
        };
        format!(
            "<section class=\"edges latency\"><h2>Times, beside the recording</h2>\
             <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"The times of edges\"><table>\
             <thead><tr><th scope=\"col\">edge</th><th scope=\"col\">recording</th>\
             <th scope=\"col\">whose time</th><th scope=\"col\">recorded, p50 · p95</th>\
             <th scope=\"col\">in this run</th><th scope=\"col\">p50, times as long</th></tr></thead>\
             <tbody>{}</tbody></table></div>{more}<p class=\"dim\">The app itself: its time for a test \
             without the time in which it waited for others.{mocks} All times are of the machine on which \
             they were taken, and longer where copies of the app run side by side.</p></section>",
            self.rows
        )
    }
}

/// `1.2 ms · 3.4 ms, of 412`.
fn pace(latency: &Latency) -> String {
    let (half, most) = (milliseconds(latency.p50_ms()), milliseconds(latency.p95_ms()));
    format!("{half} · {most} <span class=\"dim\">of {}</span>", latency.calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(of: Measured, measured: Option<u64>) -> RunEvent {
        let latency = |p50_us| Latency { calls: 9, p50_us, p95_us: 9_000 };
        RunEvent::EdgeLatency {
            recording: "shop".into(),
            edge: "pay<b>".into(),
            of,
            recorded: latency(2_000),
            measured: measured.map(latency),
        }
    }

    #[test]
    fn only_what_can_be_compared_is() {
        let mut all = Latencies::default();
        assert_eq!(all.section(), "");
        all.event(&event(Measured::Real, Some(3_000)));
        assert!(!all.section().contains("A mock answers at once"));
        all.event(&event(Measured::Mock, None));
        let text = all.section();
        for said in
            ["pay&lt;b&gt;", "2.0 ms · 9.0 ms", "3.0 ms", "×1.5", "<td>at once</td><td></td>"]
        {
            assert!(text.contains(said), "{said} in {text}");
        }
        assert!(text.contains("A mock answers at once"));
    }

    #[test]
    fn there_are_no_more_rows_than_can_be_read() {
        let mut all = Latencies::default();
        (0..MAX_EDGES + 3).for_each(|_| all.event(&event(Measured::Mock, None)));
        assert!(all.section().contains("… and 3 more"));
        assert_eq!(all.section().matches("<tr>").count(), MAX_EDGES + 1);
    }
}
