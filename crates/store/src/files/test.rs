//! A test case to and from its file.

use super::Shapes;
use super::blobs::BlobWriter;
use super::exchange::{
    ordered, read_inline, read_rest, write_answer, write_connection, write_failure, write_map,
};
use super::fields::{CALL, TEST, answer};
use super::noise;
use crate::parse_duration;
use crate::schema::{Fields, check, nearest, number};
use crate::settings::{UnitError, can_be_shown};
use crate::yaml::{EmitError, Emitter, Node, Spot, YamlError};
use rehearsal_model::shape::{ExchangeShape, Shape};
use rehearsal_model::{Call, EdgeName, Manifest, Moment, TestCase, TestId, Timestamp, Value};

/// Finds the shape of an edge's exchanges.
pub(super) struct Edges<'a> {
    /// The recording that names the edges and their protocols.
    pub(super) manifest: &'a Manifest,
    /// The protocols.
    pub(super) shapes: Shapes<'a>,
}

impl Edges<'_> {
    /// The shape of an edge.
    pub(super) fn shape(&self, edge: &str) -> Result<&'static ExchangeShape, String> {
        let Some(known) = self.manifest.edge(edge) else {
            let names = self.manifest.edges.iter().map(|edge| edge.name.as_str());
            let hint = match nearest(edge, names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "add it to `edges` there".to_owned(),
            };
            return Err(format!("the edge `{edge}` is not in recording.yaml; {hint}"));
        };
        (self.shapes)(&known.protocol).ok_or_else(|| {
            let protocol = &known.protocol;
            format!("the edge `{edge}` speaks `{protocol}`, which this release does not know")
        })
    }

    pub(super) fn shape_at(
        &self,
        edge: &str,
        at: Spot,
    ) -> Result<&'static ExchangeShape, YamlError> {
        self.shape(edge).map_err(|problem| YamlError { at, problem })
    }
}

/// Writes a test into a document.
pub(super) fn write(
    out: &mut Emitter<BlobWriter<'_>>,
    test: &TestCase,
    edges: &Edges<'_>,
) -> Result<(), String> {
    let shape = edges.shape(test.edge.as_str())?;
    out.word("test", &test.name, 0);
    out.word("at", &instant(test.at)?, 0);
    if let Some(seconds) = took(test) {
        out.word("took", &format!("{seconds}s"), 0);
    }
    let deep = |error: EmitError| error.to_string();
    if !test.during.is_empty() {
        let tests: Vec<u32> = test.during.iter().map(|id| id.0).collect();
        out.pair("during", &Value::from(tests), 0).map_err(deep)?;
    }
    if test.edge.as_str() != EdgeName::INBOUND {
        out.word("edge", test.edge.as_str(), 0);
    }
    write_connection(out, &test.exchange, shape, 0).map_err(deep)?;
    out.key("request", 0);
    if test.exchange.request.is_empty() {
        out.value(&Value::from(test.exchange.request.clone()), 2).map_err(deep)?;
    } else {
        out.nest();
        write_map(out, &test.exchange.request, shape.request, 2).map_err(deep)?;
    }
    if !test.calls.is_empty() {
        out.key("calls", 0);
        out.nest();
        for call in &test.calls {
            write_call(out, call, edges)?;
        }
    }
    write_failure(out, &test.exchange, 0).map_err(deep)?;
    write_answer(out, &test.exchange, shape, 0).map_err(deep)?;
    if !test.noise.is_empty() {
        noise::write(out, &test.noise).map_err(deep)?;
    }
    Ok(())
}

/// The seconds that a test took, up to the next whole one, where that says anything: how fast an app is
/// differs each time, and a file should not.
fn took(test: &TestCase) -> Option<u64> {
    let ends = test.calls.iter().map(|call| call.exchange.started);
    let end = ends.chain([test.exchange.finished]).max()?;
    let took = end.since(test.exchange.started);
    let seconds = took.as_secs() + u64::from(took.subsec_nanos() > 0);
    (took.as_secs() > 0).then_some(seconds)
}

fn write_call(
    out: &mut Emitter<BlobWriter<'_>>,
    call: &Call,
    edges: &Edges<'_>,
) -> Result<(), String> {
    let shape = edges.shape(call.edge.as_str())?;
    let deep = |error: EmitError| error.to_string();
    out.item(2);
    out.word("edge", call.edge.as_str(), 4);
    if call.parallel {
        out.yes("parallel", 4);
    }
    write_connection(out, &call.exchange, shape, 4).map_err(deep)?;
    write_map(out, &call.exchange.request, shape.request, 4).map_err(deep)?;
    write_failure(out, &call.exchange, 4).map_err(deep)?;
    write_answer(out, &call.exchange, shape, 4).map_err(deep)
}

fn instant(at: Timestamp) -> Result<String, String> {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => Ok(format!("{at:.3}")),
        Err(_) => Err(format!("the time {} ms is out of the range of dates", at.0)),
    }
}

/// Reads a test from its document.
pub(super) fn read(node: Node, id: TestId, edges: &Edges<'_>) -> Result<TestCase, YamlError> {
    let mut fields = Fields::unchecked(node, "a test")?;
    let edge = match fields.get("edge") {
        Some(node) => {
            check(node, &Shape::Text)?;
            (node.at, node.scalar().and_then(Value::as_text).unwrap_or_default().to_owned())
        }
        None => (fields.at, EdgeName::INBOUND.to_owned()),
    };
    let shape = edges.shape_at(&edge.1, edge.0)?;
    fields.check(&[TEST, &[answer(shape)]])?;
    let mut exchange = read_rest(&mut fields, shape)?;
    if let Some(node) = fields.take("request") {
        check(&node, &Shape::Map(shape.request))?;
        exchange.request = ordered(node, "the request", shape.request)?;
    }
    let at = read_at(&mut fields)?;
    let took = fields.text("took").and_then(|text| parse_duration(&text).ok());
    exchange.finished =
        Moment(took.map_or(0, |took| took.as_nanos().try_into().unwrap_or(u64::MAX)));
    let calls = fields.list("calls").into_iter().map(|node| read_call(node, edges));
    let during = fields.list("during");
    let during = during.iter().map(|node| number(node).map(TestId));
    Ok(TestCase {
        id,
        calls: calls.collect::<Result<_, _>>()?,
        name: fields.text("test").unwrap_or_default(),
        at,
        edge: EdgeName::new(edge.1),
        exchange,
        noise: noise::read(&mut fields)?,
        during: during.collect::<Result<_, _>>()?,
    })
}

/// When it was recorded: a time that the app's clock can show again.
fn read_at(fields: &mut Fields) -> Result<Timestamp, YamlError> {
    let Some(spot) = fields.get("at").map(|node| node.at) else { return Ok(Timestamp(0)) };
    let text = fields.text("at").unwrap_or_default();
    match text.parse::<jiff::Timestamp>() {
        Ok(at) if can_be_shown(at) => Ok(Timestamp(at.as_millisecond())),
        _ => Err(YamlError { at: spot, problem: UnitError::NoClock(text).to_string() }),
    }
}

fn read_call(node: Node, edges: &Edges<'_>) -> Result<Call, YamlError> {
    let mut fields = Fields::unchecked(node, "a call")?;
    let (edge, shape) = read_edge(&fields, edges)?;
    let parallel = match fields.get("parallel") {
        Some(node) => {
            check(node, &Shape::Bool)?;
            fields.flag("parallel")
        }
        None => false,
    };
    Ok(Call { edge, exchange: read_inline(fields, CALL, shape)?, parallel })
}

/// The edge of a call or mock, which decides what its other keys are.
pub(super) fn read_edge(
    fields: &Fields,
    edges: &Edges<'_>,
) -> Result<(EdgeName, &'static ExchangeShape), YamlError> {
    let Some(node) = fields.get("edge") else {
        return Err(YamlError { at: fields.at, problem: "the key `edge` is missing".to_owned() });
    };
    check(node, &Shape::Text)?;
    let name = node.scalar().and_then(Value::as_text).unwrap_or_default();
    Ok((EdgeName::new(name), edges.shape_at(name, node.at)?))
}
