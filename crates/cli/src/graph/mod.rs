//! What recordings know of the app's surroundings: who calls it, whom it calls, by which operations,
//! how often. Drawing it is done by one file per form.

mod dot;
mod html;
mod mermaid;
mod svg;

use rehearsal_compare::template;
use rehearsal_model::{EdgeName, Exchange, Map, Recording, Role};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use dot::dot;
pub(crate) use html::html;
pub(crate) use mermaid::mermaid;
pub(crate) use svg::{plain_svg, svg};

/// The app and its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The edges on which the app is called, by name.
    pub(crate) callers: BTreeMap<String, Node>,
    /// The dependencies, by name.
    pub(crate) edges: BTreeMap<String, Node>,
    /// The recordings that this is from.
    pub(crate) recordings: Vec<String>,
}

/// One edge with its traffic.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) protocol: String,
    /// How often each operation was recorded, ids and numbers left out.
    pub(crate) operations: BTreeMap<String, usize>,
    /// The tests that touch it.
    pub(crate) tests: BTreeSet<(String, u32)>,
    /// Exchanges that belong to no single test.
    pub(crate) ambient: usize,
}

impl Node {
    /// How many exchanges were recorded.
    pub(crate) fn traffic(&self) -> usize {
        self.operations.values().sum()
    }

    /// The traffic in words.
    pub(crate) fn label(&self) -> String {
        let (calls, tests) = (self.traffic(), self.tests.len());
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!("{calls} exchange{}, {tests} test{}", plural(calls), plural(tests))
    }

    /// The most frequent operations, and how many there are beyond.
    pub(crate) fn busiest(&self, most: usize) -> (Vec<(&str, usize)>, usize) {
        let mut all: Vec<(&str, usize)> =
            self.operations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let beyond = all.len().saturating_sub(most);
        all.truncate(most);
        (all, beyond)
    }
}

impl Graph {
    /// Adds a recording.
    pub(crate) fn add(&mut self, recording: &Recording) {
        self.recordings.push(recording.name.clone());
        for edge in &recording.manifest.edges {
            let nodes = match edge.role {
                Role::Inbound => &mut self.callers,
                Role::Outbound => &mut self.edges,
            };
            nodes.entry(edge.name.to_string()).or_default().protocol.clone_from(&edge.protocol);
        }
        for test in &recording.tests {
            let key = (recording.name.clone(), test.id.0);
            let caller = self.callers.entry(test.edge.to_string()).or_default();
            count(caller, recording, &test.edge, &test.exchange);
            caller.tests.insert(key.clone());
            for call in &test.calls {
                let node = self.edges.entry(call.edge.to_string()).or_default();
                count(node, recording, &call.edge, &call.exchange);
                node.tests.insert(key.clone());
            }
        }
        for mock in &recording.mocks {
            let node = self.edges.entry(mock.edge.to_string()).or_default();
            count(node, recording, &mock.edge, &mock.exchange);
            node.tests.extend(mock.shared_by.iter().map(|id| (recording.name.clone(), id.0)));
            node.ambient += usize::from(mock.shared_by.is_empty());
        }
    }
}

fn count(node: &mut Node, recording: &Recording, edge: &EdgeName, exchange: &Exchange) {
    let operation = template(&operation(recording, edge, &exchange.request));
    *node.operations.entry(operation).or_default() += 1;
}

/// What people call a request on an edge.
pub(crate) fn operation(recording: &Recording, edge: &EdgeName, request: &Map) -> String {
    if request.is_empty() {
        return "connect".to_owned();
    }
    let edge = recording.manifest.edge(edge.as_str());
    let protocol = edge.and_then(|edge| rehearsal_wire::protocol(&edge.protocol));
    protocol.unwrap_or_else(rehearsal_wire::fallback).facets().operation(request)
}

/// Text as data in XML and HTML.
fn markup(text: &str) -> String {
    let mut out = String::new();
    for char in rehearsal_report::visible(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
    out
}

/// At most so many characters.
fn clip(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(evil: &str) -> Graph {
        let node = |protocol: &str, operation: &str| Node {
            protocol: protocol.to_owned(),
            operations: BTreeMap::from([(operation.to_owned(), 3)]),
            tests: BTreeSet::from([("shop".to_owned(), 1)]),
            ambient: 1,
        };
        Graph {
            callers: BTreeMap::from([("inbound".to_owned(), node("http", "POST /orders"))]),
            edges: BTreeMap::from([
                ("db".to_owned(), node("postgres", "INSERT orders")),
                (evil.to_owned(), node(evil, evil)),
            ]),
            recordings: vec![evil.to_owned()],
        }
    }

    #[test]
    fn recorded_text_is_data_in_every_form() {
        let evil = "\"]; x[<script>alert(1)</script>\u{1b}[2J\\";
        let graph = sample(evil);
        for text in [svg(&graph), html(&graph)] {
            assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
        }
        let drawn = mermaid(&graph);
        assert!(!drawn.contains("\"]; x[") && !drawn.contains("<script"), "{drawn}");
        let drawn = dot(&graph);
        assert!(drawn.contains("\\\"]; x[") && drawn.contains("2J\\\\"), "{drawn}");
        assert!(!drawn.contains('\u{1b}'));
    }

    #[test]
    fn edges_have_their_traffic() {
        let graph = sample("pay");
        assert!(mermaid(&graph).contains("postgres"), "{}", mermaid(&graph));
        assert!(dot(&graph).contains("INSERT orders"));
        assert!(svg(&graph).contains("3 exchanges, 1 test"));
    }
}
