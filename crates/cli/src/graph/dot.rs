//! The graph in the language of Graphviz.

use super::{Graph, Node};
use rehearsal_report::visible;
use std::fmt::Write;

/// How many operations stand in a box.
const MAX_OPERATIONS: usize = 8;

/// As DOT.
pub(crate) fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph rehearsal {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  \
         app [label=\"app\", style=bold];\n",
    );
    for (place, (name, node)) in graph.callers.iter().enumerate() {
        let (text, label) = (content(name, node), text(&node.label()));
        let _ = writeln!(out, "  caller{place} [label=\"{text}\"];");
        let _ = writeln!(out, "  caller{place} -> app [label=\"{label}\"];");
    }
    for (place, (name, node)) in graph.edges.iter().enumerate() {
        let (text, label) = (content(name, node), text(&node.label()));
        let _ = writeln!(out, "  edge{place} [label=\"{text}\"];");
        let _ = writeln!(out, "  app -> edge{place} [label=\"{label}\"];");
    }
    out.push_str("}\n");
    out
}

fn content(name: &str, node: &Node) -> String {
    let mut label = format!("{} ({})\\n", text(name), text(&node.protocol));
    let (busiest, beyond) = node.busiest(MAX_OPERATIONS);
    for (operation, count) in busiest {
        let _ = write!(label, "{} ×{count}\\l", text(operation));
    }
    if beyond > 0 {
        let _ = write!(label, "and {beyond} more\\l");
    }
    label
}

/// In quotes a quote ends the text and a backslash begins an escape.
fn text(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"")
}
