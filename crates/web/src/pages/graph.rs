//! What the app depends on, drawn; and what one edge touches.

use super::{count, samples, table, test_link, text};
use crate::html::{Html, segment};
use crate::server::Site;
use crate::shell::{Made, Shown};
use crate::{Node, Problem};
use rehearsal_history::Cluster;

/// Operations and tests of an edge that are listed.
const LISTED: usize = 1000;

/// The picture of all recordings.
pub(crate) fn graph(site: &Site) -> Made {
    let drawing = site.backstage.graph()?;
    let mut main = Html::new();
    put!(
        main,
        "<h1>What the app depends on</h1>\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The graph\">{}</div>",
        Html::drawn(drawing.svg)
    );
    let open = open_failures(site);
    let rows: Vec<Vec<Html>> = drawing
        .nodes
        .iter()
        .map(|node| {
            let mut link = Html::new();
            put!(link, "<a href=\"/graph/{}\">{}</a>", segment(&node.name), node.name);
            let traffic: usize = node.operations.iter().map(|(_, count)| count).sum();
            let failing = open.iter().filter(|cluster| cluster.cause.edge == node.name).count();
            let mut wrong = Html::new();
            match failing {
                0 => put!(wrong, "<span class=\"dim\">none</span>"),
                many => put!(wrong, "<span class=\"bad\">✗ {}</span>", count(many, "kind")),
            }
            vec![
                link,
                text(if node.is_caller { "calls the app" } else { "is called" }),
                text(&node.protocol),
                text(&traffic.to_string()),
                text(&node.operations.len().to_string()),
                text(&node.tests.len().to_string()),
                wrong,
            ]
        })
        .collect();
    let columns = ["edge", "role", "protocol", "exchanges", "operations", "tests", "open failures"];
    put!(main, "{}", table("Edges", &columns, &rows));
    Ok(Shown { title: "Graph".to_owned(), part: "graph", main })
}

fn open_failures(site: &Site) -> Vec<Cluster> {
    let found = samples(site).map(|(samples, _)| rehearsal_history::clusters(&samples));
    found.unwrap_or_default().into_iter().filter(|cluster| cluster.open).collect()
}

/// What an edge touches.
pub(crate) fn edge(site: &Site, name: &str) -> Made {
    let drawing = site.backstage.graph()?;
    let nodes: Vec<&Node> = drawing.nodes.iter().filter(|node| node.name == name).collect();
    if nodes.is_empty() {
        return Err(Problem::Missing(format!("find the edge {name:?} in any recording")));
    }
    let mut main = Html::new();
    put!(main, "<p class=\"crumbs\"><a href=\"/graph\">← the graph</a></p><h1>{}</h1>", name);
    for node in nodes {
        put!(
            main,
            "<p class=\"dim\">{} · {} · {} · {} of no single test</p>",
            node.protocol,
            count(node.operations.len(), "operation"),
            count(node.tests.len(), "test"),
            count(node.ambient, "exchange")
        );
        let rows: Vec<Vec<Html>> = node
            .operations
            .iter()
            .take(LISTED)
            .map(|(name, count)| vec![text(name), text(&count.to_string())])
            .collect();
        put!(
            main,
            "<h2>Its operations</h2>{}",
            table("Operations", &["operation", "recorded"], &rows)
        );
        put!(main, "<h2>Tests that it touches</h2><ul class=\"columns\">");
        for (recording, number) in node.tests.iter().take(LISTED) {
            let label = format!("{recording}/{number}");
            put!(main, "<li>{}</li>", test_link(recording, *number, &label));
        }
        put!(main, "</ul>");
    }
    let open = open_failures(site).into_iter().filter(|cluster| cluster.cause.edge == name);
    for cluster in open {
        put!(main, "<p class=\"bad\">✗ {} · {}</p>", cluster.cause.operation, cluster.cause.reason);
    }
    Ok(Shown { title: name.to_owned(), part: "graph", main })
}
