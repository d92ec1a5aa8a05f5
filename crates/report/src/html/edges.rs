//! What the app depends on, as a picture and a table: how often each dependency is called, and what
//! went wrong there.

use crate::escape::{clip, markup};
use crate::words::count;
use rehearsal_model::{CallName, Finding};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Dependencies that are drawn; the table has all.
const MAX_DRAWN: usize = 30;
/// Between two of them.
const ROW: usize = 44;

/// The dependencies of all tests so far.
#[derive(Default)]
pub(super) struct Edges(BTreeMap<String, Edge>);

#[derive(Default)]
struct Edge {
    calls: usize,
    tests: usize,
    wrong: usize,
    owner: Option<String>,
}

impl Edges {
    /// Counts a test.
    pub(super) fn add(&mut self, calls: &[CallName], findings: &[Finding]) {
        for call in calls {
            self.0.entry(call.edge.clone()).or_default().calls += 1;
        }
        let touched: BTreeSet<&str> = calls.iter().map(|call| call.edge.as_str()).collect();
        for edge in touched {
            self.0.entry(edge.to_owned()).or_default().tests += 1;
        }
        let wrong: BTreeSet<(&str, Option<&str>)> = findings.iter().filter_map(party).collect();
        for (edge, owner) in wrong {
            let edge = self.0.entry(edge.to_owned()).or_default();
            edge.wrong += 1;
            edge.owner = owner.map(str::to_owned);
        }
    }

    /// The section of the page, empty without dependencies.
    pub(super) fn section(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut rows = String::new();
        for (name, Edge { calls, tests, wrong, owner }) in &self.0 {
            let owner = owner.as_deref().map(markup).unwrap_or_default();
            let class = if *wrong > 0 { " class=\"bad\"" } else { "" };
            let name = markup(name);
            let _ = write!(
                rows,
                "<tr><th scope=\"row\"><button type=\"button\" data-find=\"{name}\">{name}</button>\
                 </th><td>{calls}</td><td>{tests}</td><td{class}>{wrong}</td><td>{owner}</td></tr>",
            );
        }
        format!(
            "<section class=\"edges\"><h2>Dependencies</h2><div class=\"two\">\
             <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"The dependencies\">{}</div><div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"The dependencies\"><table><thead><tr>\
             <th scope=\"col\">edge</th><th scope=\"col\">calls</th><th scope=\"col\">tests</th>\
             <th scope=\"col\">failed there</th><th scope=\"col\">owner</th></tr></thead><tbody>\
             {rows}</tbody></table></div></div></section>",
            self.graph(),
        )
    }

    fn graph(&self) -> String {
        let drawn = self.0.len().min(MAX_DRAWN);
        let height = drawn * ROW + 10;
        let middle = height / 2;
        let mut svg = format!(
            "<svg class=\"graph\" viewBox=\"0 0 460 {height}\" width=\"460\" role=\"img\" \
             aria-label=\"the app and what it calls\">"
        );
        for (place, (name, edge)) in self.0.iter().take(MAX_DRAWN).enumerate() {
            let y = place * ROW + ROW / 2 + 5;
            let class = if edge.wrong > 0 { "edge wrong" } else { "edge" };
            // One more pixel for each power of four.
            let width = 1 + edge.calls.checked_ilog(4).unwrap_or_default();
            let (top, text_y) = (y - 15, y + 4);
            let name = markup(&clip(name, 24));
            let mark = if edge.wrong > 0 { "✗ " } else { "" };
            let _ = write!(
                svg,
                "<g class=\"{class}\"><path stroke-width=\"{width}\" \
                 d=\"M90 {middle}C170 {middle} 150 {y} 240 {y}\"/>\
                 <rect x=\"240\" y=\"{top}\" width=\"210\" height=\"30\" rx=\"6\"/>\
                 <text x=\"250\" y=\"{text_y}\">{mark}{name}</text>\
                 <title>{}</title></g>",
                count(edge.calls, "call")
            );
        }
        let (top, text) = (middle.saturating_sub(15), middle + 4);
        let _ = write!(
            svg,
            "<g class=\"app\"><rect x=\"10\" y=\"{top}\" width=\"80\" height=\"30\" rx=\"6\"/>\
             <text x=\"35\" y=\"{text}\">app</text></g></svg>"
        );
        svg
    }
}

/// The dependency that a finding is about, and who answers for it.
fn party(finding: &Finding) -> Option<(&str, Option<&str>)> {
    match finding {
        Finding::CallMissing { edge, owner, .. }
        | Finding::CallDiffers { edge, owner, .. }
        | Finding::CallUnexpected { edge, owner, .. }
        | Finding::CallRepeated { edge, owner, .. }
        | Finding::CallMultiplied { edge, owner, .. }
        | Finding::CallOrder { edge, owner, .. }
        | Finding::NotReplayable { edge, owner, .. } => Some((edge, owner.as_deref())),
        Finding::UnknownEdge { address } => Some((address, None)),
        Finding::Response { .. }
        | Finding::Contradiction { .. }
        | Finding::NoAnswer { .. }
        | Finding::TimedOut { .. }
        | Finding::AppExited { .. } => None,
    }
}
