//! The graph as a page: the picture, and every operation in tables. It has no script and loads nothing.

use super::{Graph, Node, markup, svg};
use std::collections::BTreeMap;
use std::fmt::Write;

/// As a page, whole in one file.
pub(crate) fn html(graph: &Graph) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\"><title>What the app depends on</title><style>\
         body{{font-family:sans-serif;margin:1rem;max-width:70rem}}svg{{max-width:100%;height:auto}}\
         table{{border-collapse:collapse}}td,th{{text-align:left;padding:.2rem .8rem .2rem 0}}\
         @media (prefers-color-scheme:dark){{body{{background:#111;color:#eee}}}}</style></head><body>\
         <h1>What the app depends on</h1><p>From {}.</p>{}",
        markup(&graph.recordings.join(", ")),
        svg(graph),
    );
    tables(&mut out, "Who calls it", &graph.callers);
    tables(&mut out, "Whom it calls", &graph.edges);
    out.push_str("</body></html>\n");
    out
}

fn tables(out: &mut String, title: &str, nodes: &BTreeMap<String, Node>) {
    let _ = write!(out, "<h2>{title}</h2>");
    for (name, node) in nodes {
        let _ = write!(
            out,
            "<h3>{}</h3><p>{} · {}</p><table><thead><tr><th scope=\"col\">operation</th>\
             <th scope=\"col\">recorded</th></tr></thead><tbody>",
            markup(name),
            markup(&node.protocol),
            markup(&node.label()),
        );
        for (operation, count) in &node.operations {
            let _ = write!(out, "<tr><td>{}</td><td>{count}</td></tr>", markup(operation));
        }
        out.push_str("</tbody></table>\n");
    }
}
