//! A checked map that gives its values away one by one.

use super::check::check_pairs;
use crate::yaml::{Content, Key, Node, Spot, YamlError};
use rehearsal_model::shape::Field;
use rehearsal_model::{Map, Value};

/// The pairs of a map whose keys and kinds were checked against tables of fields.
pub(crate) struct Fields {
    pairs: Vec<(Key, Node)>,
    /// Where the map begins.
    pub(crate) at: Spot,
}

impl Fields {
    /// Checks a node. `what` names it for the message when it is no map.
    pub(crate) fn open(node: Node, what: &str, known: &[&[Field]]) -> Result<Self, YamlError> {
        let fields = Self::unchecked(node, what)?;
        check_pairs(fields.at, &fields.pairs, known)?;
        Ok(fields)
    }

    /// Takes a node that must be a map, whatever its keys.
    pub(crate) fn unchecked(node: Node, what: &str) -> Result<Self, YamlError> {
        let at = node.at;
        let kind = node.kind();
        match node.content {
            Content::Map(pairs) => Ok(Fields { pairs, at }),
            _ => Err(YamlError { at, problem: format!("expected {what} as a map, found {kind}") }),
        }
    }

    /// Checks what is left of the pairs.
    pub(crate) fn check(&self, known: &[&[Field]]) -> Result<(), YamlError> {
        check_pairs(self.at, &self.pairs, known)
    }

    /// The value at a key, left in place.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.pairs.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// Takes the value at a key.
    pub(crate) fn take(&mut self, name: &str) -> Option<Node> {
        let place = self.pairs.iter().position(|(key, _)| key.text == name)?;
        Some(self.pairs.remove(place).1)
    }

    /// Takes the text at a key.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)?.content {
            Content::Scalar(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes the list of texts at a key; a single text is a list of one.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let text = |node: Node| match node.content {
            Content::Scalar(Value::Text(text)) => Some(text),
            _ => None,
        };
        match self.take(name) {
            Some(Node { content: Content::List(nodes), .. }) => {
                nodes.into_iter().filter_map(text).collect()
            }
            Some(node) => text(node).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Takes the nodes of the list at a key.
    pub(crate) fn list(&mut self, name: &str) -> Vec<Node> {
        match self.take(name) {
            Some(Node { content: Content::List(nodes), .. }) => nodes,
            _ => Vec::new(),
        }
    }

    /// Takes the pairs of the map at a key.
    pub(crate) fn pairs(&mut self, name: &str) -> Vec<(Key, Node)> {
        match self.take(name) {
            Some(Node { content: Content::Map(pairs), .. }) => pairs,
            _ => Vec::new(),
        }
    }

    /// Takes the truth value at a key; absent is false.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        matches!(self.take(name), Some(node) if node.scalar() == Some(&Value::Bool(true)))
    }

    /// Takes the whole number at a key; absent is 0.
    pub(crate) fn number(&mut self, name: &str) -> Result<u32, YamlError> {
        self.take(name).map_or(Ok(0), |node| number(&node))
    }

    /// What is left, in the order of a table.
    pub(crate) fn rest(mut self, order: &[Field]) -> Map {
        let mut map = Map::new();
        for field in order {
            if let Some(node) = self.take(field.name) {
                map.push_new(field.name, node.into_value());
            }
        }
        map
    }
}

/// A node that was checked to be a whole number, within the range that a count can have.
pub(crate) fn number(node: &Node) -> Result<u32, YamlError> {
    let value = node.scalar().and_then(Value::as_i64);
    value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| YamlError {
        at: node.at,
        problem: format!("expected a whole number from 0 to {}", u32::MAX),
    })
}
