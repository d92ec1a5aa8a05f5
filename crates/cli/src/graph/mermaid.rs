//! The graph in the language of Mermaid, which GitHub and GitLab draw in Markdown.

use super::{Graph, Node, clip};
use rehearsal_report::visible;
use std::fmt::Write;

/// How many operations stand in a box.
const MAX_OPERATIONS: usize = 6;
/// The longest operation, in characters.
const LONGEST: usize = 60;

/// As a flow chart.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n  app[[\"app\"]]\n");
    for (place, (name, node)) in graph.callers.iter().enumerate() {
        let _ = writeln!(out, "  caller{place}([\"{}\"])", content(name, node));
        let _ = writeln!(out, "  caller{place} -->|\"{}\"| app", text(&node.label()));
    }
    for (place, (name, node)) in graph.edges.iter().enumerate() {
        let _ = writeln!(out, "  edge{place}[\"{}\"]", content(name, node));
        let _ = writeln!(out, "  app -->|\"{}\"| edge{place}", text(&node.label()));
    }
    out
}

fn content(name: &str, node: &Node) -> String {
    let mut lines = vec![format!("{} {}", text(name), text(&node.protocol))];
    let (busiest, beyond) = node.busiest(MAX_OPERATIONS);
    lines.extend(
        busiest.iter().map(|(name, count)| format!("{} ×{count}", text(&clip(name, LONGEST)))),
    );
    if beyond > 0 {
        lines.push(format!("and {beyond} more"));
    }
    lines.join("<br/>")
}

/// Text in which nothing is a sign of Mermaid, Markdown or HTML: all but words is written by its number.
fn text(text: &str) -> String {
    let mut out = String::new();
    for char in visible(text).chars() {
        match char {
            ' ' => out.push(' '),
            char if char.is_ascii_punctuation() => out.push_str(&format!("#{};", u32::from(char))),
            char => out.push(char),
        }
    }
    out
}
