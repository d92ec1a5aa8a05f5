//! Answers that were edited by hand into something that cannot be served, with their places.
//!
//! What can be served is the protocol's to say. Places are not kept while files are read: only a file
//! with a flaw is read again for its place.

use super::test::Edges;
use crate::yaml::{Content, Node, Spot, YamlError};
use rehearsal_model::{EdgeName, Exchange, Mock, TestCase};
use rehearsal_wire::{Flaw, Step};

/// A flaw and the way to it from the top of its file.
pub(super) struct Found {
    path: Vec<Step>,
    problem: String,
}

/// The first flaw in what the calls of a test were answered.
pub(super) fn of_test(test: &TestCase, edges: &Edges<'_>) -> Option<Found> {
    let calls = test.calls.iter().map(|call| (&call.edge, &call.exchange));
    of_each("calls", calls, edges)
}

/// The first flaw in the answers of mocks.
pub(super) fn of_mocks(mocks: &[Mock], edges: &Edges<'_>) -> Option<Found> {
    of_each("mocks", mocks.iter().map(|mock| (&mock.edge, &mock.exchange)), edges)
}

fn of_each<'a>(
    list: &str,
    all: impl Iterator<Item = (&'a EdgeName, &'a Exchange)>,
    edges: &Edges<'_>,
) -> Option<Found> {
    all.enumerate().find_map(|(index, (edge, exchange))| {
        let protocol = rehearsal_wire::protocol(&edges.manifest.edge(edge.as_str())?.protocol)?;
        let response = exchange.response.as_ref()?;
        let Flaw { path, problem } = protocol.facets().flaw(&exchange.request, response)?;
        let answer = protocol.shape().answer.to_owned();
        let before = [Step::Key(list.to_owned()), Step::Index(index), Step::Key(answer)];
        Some(Found { path: before.into_iter().chain(path).collect(), problem })
    })
}

impl Found {
    /// The flaw at its place in its file; at the nearest place above it that the file has.
    pub(super) fn placed(self, file: &Node) -> YamlError {
        let (mut node, mut at): (&Node, Spot) = (file, file.at);
        for step in &self.path {
            let next = match (step, &node.content) {
                (Step::Key(name), Content::Map(pairs)) => {
                    pairs.iter().find(|(key, _)| key.text == *name).map(|(_, node)| node)
                }
                (Step::Index(index), Content::List(nodes)) => nodes.get(*index),
                _ => None,
            };
            let Some(next) = next else { break };
            (node, at) = (next, next.at);
        }
        YamlError { at, problem: self.problem }
    }
}

#[cfg(test)]
mod tests {
    use crate::files::read_recording;
    use std::fs;

    const MANIFEST: &str = "\
format: 1
written-by: 0.1.0
command: [./shop]
edges:
  inbound: {protocol: http, role: inbound}
  db: {protocol: postgres, role: outbound}
  cache: {protocol: redis, role: outbound}
";
    const TEST: &str = "\
test: GET /orders
at: 2026-11-20T10:00:00.123Z
request: {http: GET /orders}
calls:
  - edge: db
    sql: SELECT id, name FROM orders
    result:
      columns: [id int4, name text]
      rows:
        - [1, hat]
        - [VALUE, pen]
      tag: SELECT 2
response: {status: 200}
";
    const MOCKS: &str = "\
mocks:
  - edge: cache
    redis: LLEN queue
    reply: {integer: VALUE}
";

    /// What is said of a recording with these values.
    #[track_caller]
    fn check(row: &str, reply: &str, expected: Option<&str>) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("checkout");
        fs::create_dir_all(folder.join("tests")).unwrap();
        fs::write(folder.join("recording.yaml"), MANIFEST).unwrap();
        fs::write(folder.join("tests/0001-get.yaml"), TEST.replace("VALUE", row)).unwrap();
        fs::write(folder.join("ambient.yaml"), MOCKS.replace("VALUE", reply)).unwrap();
        let told = read_recording(&folder).err().map(|error| error.to_string());
        let told = told.map(|told| told.replace(&folder.display().to_string(), ""));
        assert_eq!(told.as_deref(), expected);
    }

    #[test]
    fn a_value_of_a_wrong_type_is_refused_where_it_stands() {
        check("2", "3", None);
        let expected = "read /tests/0001-get.yaml, line 11, column 12: the text \"two\" in column \
                        `id` is no int4; correct it";
        check("two", "3", Some(expected));
        let expected = "read /tests/0001-get.yaml, line 11, column 11: a row has 3 values where \
                        there are 2 columns; correct it";
        check("2, 3", "3", Some(expected));
        let expected = "read /ambient.yaml, line 4, column 12: `integer` must be an integer of 64 \
                        bits, not integer";
        check("2", "99999999999999999999", Some(expected));
    }
}
