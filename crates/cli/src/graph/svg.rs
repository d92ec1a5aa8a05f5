//! The graph as a picture: callers at the left, the app in the middle, dependencies at the right.

use super::{Graph, Node, clip, markup};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many operations stand in a box.
const MAX_OPERATIONS: usize = 6;
/// The width of a box and of a line of text, in pixels.
const BOX: usize = 300;
const LINE: usize = 18;
/// How many characters fit into a box.
const FITS: usize = 40;
/// Between two boxes.
const GAP: usize = 18;
/// Where the columns begin.
const COLUMNS: [usize; 3] = [10, 430, 640];

/// What the picture looks like where no page says so.
const STYLE: &str = "<style>rect{fill:#fff;stroke:#555}text{fill:#222}.dim{fill:#666}\
     path{fill:none;stroke:#888}@media (prefers-color-scheme:dark){rect{fill:#222;stroke:#999}\
     text{fill:#eee}.dim{fill:#aaa}}</style>";

/// A picture that needs nothing beside it.
pub(crate) fn svg(graph: &Graph) -> String {
    drawn(graph, STYLE)
}

/// A picture for a page that has a style for it.
pub(crate) fn plain_svg(graph: &Graph) -> String {
    drawn(graph, "")
}

fn drawn(graph: &Graph, style: &str) -> String {
    let height = column(&graph.callers).max(column(&graph.edges)).max(80);
    let middle = height / 2;
    let width = COLUMNS[2] + BOX + 10;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"surroundings\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"the app, who calls it and whom it calls\" font-family=\"sans-serif\" \
         font-size=\"13\">\n{style}\n"
    );
    let mut top = GAP;
    for (name, node) in &graph.callers {
        let center = top + tall(node) / 2;
        let (from, to) = (COLUMNS[0] + BOX, COLUMNS[1]);
        arrow(&mut out, node, (from, center), (to, middle));
        boxed(&mut out, COLUMNS[0], top, name, node);
        top += tall(node) + GAP;
    }
    top = GAP;
    for (name, node) in &graph.edges {
        let center = top + tall(node) / 2;
        arrow(&mut out, node, (COLUMNS[1] + 80, middle), (COLUMNS[2], center));
        boxed(&mut out, COLUMNS[2], top, name, node);
        top += tall(node) + GAP;
    }
    let (x, y, text) = (COLUMNS[1], middle - 20, middle + 5);
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"80\" height=\"40\" rx=\"8\" stroke-width=\"2\"/>\
         <text x=\"{}\" y=\"{text}\" text-anchor=\"middle\" font-weight=\"bold\">app</text>",
        x + 40
    );
    out.push_str("</svg>\n");
    out
}

fn column(nodes: &BTreeMap<String, Node>) -> usize {
    nodes.values().map(|node| tall(node) + GAP).sum::<usize>() + GAP
}

fn tall(node: &Node) -> usize {
    let (busiest, beyond) = node.busiest(MAX_OPERATIONS);
    (busiest.len() + usize::from(beyond > 0) + 2) * LINE + 10
}

fn arrow(out: &mut String, node: &Node, from: (usize, usize), to: (usize, usize)) {
    // One more pixel for each power of four.
    let width = 1 + node.traffic().checked_ilog(4).unwrap_or_default();
    let bend = from.0.midpoint(to.0);
    let _ = writeln!(
        out,
        "<path stroke-width=\"{width}\" d=\"M{} {}C{bend} {} {bend} {} {} {}\"><title>{}</title></path>",
        from.0,
        from.1,
        from.1,
        to.1,
        to.0,
        to.1,
        markup(&node.label()),
    );
}

fn boxed(out: &mut String, x: usize, top: usize, name: &str, node: &Node) {
    let (height, text) = (tall(node), x + 10);
    let _ = write!(
        out,
        "<g><rect x=\"{x}\" y=\"{top}\" width=\"{BOX}\" height=\"{height}\" rx=\"6\"/>\
         <text x=\"{text}\" y=\"{}\" font-weight=\"bold\">{}</text>\
         <text class=\"dim\" x=\"{text}\" y=\"{}\">{} · {}</text>",
        top + LINE,
        markup(&clip(name, FITS)),
        top + 2 * LINE,
        markup(&node.protocol),
        markup(&node.label()),
    );
    let (busiest, beyond) = node.busiest(MAX_OPERATIONS);
    let mut lines: Vec<String> =
        busiest.iter().map(|(name, count)| format!("{} ×{count}", clip(name, FITS))).collect();
    if beyond > 0 {
        lines.push(format!("and {beyond} more"));
    }
    for (place, line) in lines.iter().enumerate() {
        let y = top + (place + 3) * LINE;
        let _ = write!(out, "<text x=\"{text}\" y=\"{y}\">{}</text>", markup(line));
    }
    out.push_str("</g>\n");
}
