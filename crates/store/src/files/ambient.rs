//! Mocks that belong to no single test, to and from `ambient.yaml`.

use super::blobs::BlobWriter;
use super::exchange::{read_inline, write_answer, write_connection, write_failure, write_map};
use super::fields::{AMBIENT, MOCK};
use super::test::{Edges, read_edge};
use crate::schema::{Fields, check, number};
use crate::yaml::{EmitError, Emitter, Node, YamlError};
use rehearsal_model::shape::Shape;
use rehearsal_model::{Mock, TestId, Value};

/// What stands before the first mock.
pub(super) const HEAD: &str = "mocks:\n";
/// The document when there are no mocks.
pub(super) const EMPTY: &str = "mocks: []\n";

/// Writes a mock as an item of the document.
pub(super) fn write_mock(
    out: &mut Emitter<BlobWriter<'_>>,
    mock: &Mock,
    edges: &Edges<'_>,
) -> Result<(), String> {
    let deep = |error: EmitError| error.to_string();
    let shape = edges.shape(mock.edge.as_str())?;
    out.item(2);
    out.word("edge", mock.edge.as_str(), 4);
    if mock.after.0 > 0 {
        out.pair("after", &Value::from(mock.after.0), 4).map_err(deep)?;
    }
    if mock.calls > 0 {
        out.pair("calls", &Value::from(mock.calls), 4).map_err(deep)?;
    }
    if !mock.shared_by.is_empty() {
        let tests: Vec<u32> = mock.shared_by.iter().map(|id| id.0).collect();
        out.pair("shared-by", &Value::from(tests), 4).map_err(deep)?;
    }
    if let Some(name) = &mock.of_test {
        out.pair("of-test", &Value::from(name.as_str()), 4).map_err(deep)?;
    }
    write_connection(out, &mock.exchange, shape, 4).map_err(deep)?;
    write_map(out, &mock.exchange.request, shape.request, 4).map_err(deep)?;
    write_failure(out, &mock.exchange, 4).map_err(deep)?;
    write_answer(out, &mock.exchange, shape, 4).map_err(deep)
}

/// Reads mocks from their document.
pub(super) fn read(node: Node, edges: &Edges<'_>) -> Result<Vec<Mock>, YamlError> {
    let mut fields = Fields::open(node, "the mocks", &[AMBIENT])?;
    fields.list("mocks").into_iter().map(|node| read_mock(node, edges)).collect()
}

fn read_mock(node: Node, edges: &Edges<'_>) -> Result<Mock, YamlError> {
    let mut fields = Fields::unchecked(node, "a mock")?;
    let (edge, shape) = read_edge(&fields, edges)?;
    let numbers = Shape::List(&Shape::Integer);
    let own = [
        ("after", Shape::Integer),
        ("calls", Shape::Integer),
        ("shared-by", numbers),
        ("of-test", Shape::Text),
    ];
    for (name, shape) in own {
        fields.get(name).map_or(Ok(()), |node| check(node, &shape))?;
    }
    let after = TestId(fields.number("after")?);
    let calls = fields.number("calls")?;
    let shared_by = fields.list("shared-by");
    let shared_by = shared_by.iter().map(|node| number(node).map(TestId));
    let shared_by = shared_by.collect::<Result<_, _>>()?;
    let of_test = fields.text("of-test").filter(|name| !name.is_empty());
    let exchange = read_inline(fields, MOCK, shape)?;
    Ok(Mock { edge, exchange, after, calls, shared_by, of_test })
}
