//! What a recording says of itself, to and from `recording.yaml`.

use super::fields::MANIFEST;
use crate::schema::Fields;
use crate::yaml::{Content, EmitError, Emitter, Node, Substitute, YamlError};
use rehearsal_model::{
    Certificate, Edge, EdgeLatency, EdgeName, EdgeTls, Latency, Manifest, Map, Milliseconds, Role,
    Tables, Timestamp, Value,
};

/// The version of the format of a recording's files that this release writes, and the newest that
/// it reads.
pub const FORMAT: u32 = 1;

/// Writes the manifest.
pub(super) fn write(
    out: &mut Emitter<impl Substitute>,
    manifest: &Manifest,
) -> Result<(), EmitError> {
    out.pair("format", &Value::from(FORMAT), 0)?;
    out.word("written-by", &manifest.tool, 0);
    out.pair("command", &Value::from(manifest.command.clone()), 0)?;
    if let Some(at) = manifest.at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok()) {
        out.word("at", &at.to_string(), 0);
    }
    if !manifest.listens.is_empty() {
        out.pair("listens", &Value::from(manifest.listens.clone()), 0)?;
    }
    if !manifest.schemas.is_empty() {
        out.pair("schemas", &Value::Bytes(manifest.schemas.clone()), 0)?;
    }
    out.key("edges", 0);
    if manifest.edges.is_empty() {
        out.value(&Value::from(Map::new()), 2)?;
    } else {
        out.nest();
    }
    for edge in &manifest.edges {
        out.key(edge.name.as_str(), 2);
        out.nest();
        out.word("protocol", &edge.protocol, 4);
        for (key, how) in [("tls", edge.tls.first), ("starttls", edge.tls.midway)] {
            if let Some(how) = how {
                out.word(key, how.word(), 4);
            }
        }
        if let Some(name) = &edge.tls.server_name {
            out.pair("server-name", &Value::from(name.as_str()), 4)?;
        }
        out.word("role", role_word(edge.role), 4);
        if !edge.addresses.is_empty() {
            out.pair("addresses", &Value::from(edge.addresses.clone()), 4)?;
        }
        for (key, latency) in [("latency", edge.latency.answers), ("own-time", edge.latency.own)] {
            latency.map_or(Ok(()), |latency| write_latency(out, key, latency))?;
        }
        write_tables(out, &edge.tables)?;
    }
    Ok(())
}

fn write_latency(
    out: &mut Emitter<impl Substitute>,
    key: &str,
    Latency { calls, p50_us, p95_us }: Latency,
) -> Result<(), EmitError> {
    out.key(key, 4);
    out.nest();
    out.pair("calls", &Value::from(i64::try_from(calls).unwrap_or(i64::MAX)), 6)?;
    out.word("p50", &Milliseconds(p50_us).to_string(), 6);
    out.word("p95", &Milliseconds(p95_us).to_string(), 6);
    Ok(())
}

/// A column on each line, so that a change of one is a change of one line.
fn write_tables(out: &mut Emitter<impl Substitute>, tables: &Tables) -> Result<(), EmitError> {
    if tables.is_empty() {
        return Ok(());
    }
    out.key("tables", 4);
    out.nest();
    for (table, columns) in tables {
        out.key(table, 6);
        out.nest();
        for (column, kind) in columns {
            out.pair(column, &Value::from(kind.as_str()), 8)?;
        }
    }
    Ok(())
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Inbound => "inbound",
        Role::Outbound => "outbound",
    }
}

/// Reads the manifest. The format is checked first: a newer one may have other keys.
pub(super) fn read(node: Node) -> Result<Manifest, YamlError> {
    let mut fields = Fields::unchecked(node, "the recording")?;
    refuse_newer(&fields)?;
    fields.check(&[MANIFEST])?;
    let edges = fields.pairs("edges").into_iter().map(|(key, node)| {
        let mut fields = Fields::unchecked(node, "an edge")?;
        let role = fields.text("role");
        Ok(Edge {
            name: EdgeName::new(key.text),
            role: if role.as_deref() == Some("inbound") { Role::Inbound } else { Role::Outbound },
            protocol: fields.text("protocol").unwrap_or_default(),
            addresses: fields.texts("addresses"),
            tls: EdgeTls {
                first: fields.text("tls").as_deref().and_then(Certificate::of_word),
                midway: fields.text("starttls").as_deref().and_then(Certificate::of_word),
                server_name: fields.text("server-name"),
            },
            tables: read_tables(&mut fields)?,
            latency: EdgeLatency {
                answers: read_latency(&fields, "latency")?,
                own: read_latency(&fields, "own-time")?,
            },
        })
    });
    let schemas = read_schemas(&fields)?;
    let at = read_time(&fields)?;
    Ok(Manifest {
        schemas,
        at,
        edges: edges.collect::<Result<_, _>>()?,
        tool: fields.text("written-by").unwrap_or_default(),
        command: fields.texts("command"),
        listens: fields.texts("listens"),
    })
}

fn read_schemas(fields: &Fields) -> Result<Vec<u8>, YamlError> {
    let Some(node) = fields.get("schemas") else { return Ok(Vec::new()) };
    let bytes = node.scalar().and_then(Value::as_bytes).unwrap_or_default();
    match rehearsal_wire::Schemas::shared(bytes) {
        Ok(_) => Ok(bytes.to_vec()),
        Err(problem) => {
            Err(YamlError { at: node.at, problem: format!("of the schemas: {problem}") })
        }
    }
}

fn read_time(fields: &Fields) -> Result<Option<Timestamp>, YamlError> {
    let Some(node) = fields.get("at") else { return Ok(None) };
    let text = node.scalar().and_then(Value::as_text).unwrap_or_default();
    let time = text.parse::<jiff::Timestamp>().map_err(|_| YamlError {
        at: node.at,
        problem: format!("{text:?} is no time such as 2026-11-20T10:00:00Z"),
    })?;
    Ok(Some(Timestamp(time.as_millisecond())))
}

fn read_latency(fields: &Fields, key: &str) -> Result<Option<Latency>, YamlError> {
    let Some(node) = fields.get(key) else { return Ok(None) };
    let Content::Map(pairs) = &node.content else { return Ok(None) };
    let found = |name: &str| pairs.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
    let calls = found("calls").and_then(Node::scalar).and_then(Value::as_i64).unwrap_or_default();
    let time = |name: &str| {
        let Some(node) = found(name) else { return Ok(0) };
        let text = node.scalar().and_then(Value::as_text).unwrap_or_default();
        Milliseconds::parse(text).map(|time| time.0).ok_or_else(|| YamlError {
            at: node.at,
            problem: format!("{text:?} is no time such as `1.2 ms`"),
        })
    };
    let calls = u64::try_from(calls).unwrap_or_default();
    Ok(Some(Latency { calls, p50_us: time("p50")?, p95_us: time("p95")? }))
}

fn read_tables(fields: &mut Fields) -> Result<Tables, YamlError> {
    let each = fields.pairs("tables").into_iter().map(|(table, node)| {
        let columns = match node.content {
            Content::Map(pairs) => pairs,
            _ => Vec::new(),
        };
        let each = columns.into_iter().map(|(column, kind)| {
            let kind = kind.scalar().and_then(Value::as_text).unwrap_or_default().to_owned();
            (column.text, kind)
        });
        Ok((table.text, each.collect()))
    });
    each.collect()
}

fn refuse_newer(fields: &Fields) -> Result<(), YamlError> {
    let Some(node) = fields.get("format") else { return Ok(()) };
    let Some(format) = node.scalar().and_then(Value::as_i64) else { return Ok(()) };
    let problem = match format {
        ..1 => format!("there is no format {format}; this release reads format {FORMAT}"),
        format if format <= i64::from(FORMAT) => return Ok(()),
        format => {
            let writer = fields.get("written-by").and_then(Node::scalar).and_then(Value::as_text);
            let writer = writer.unwrap_or("a newer release");
            format!(
                "the recording has format {format} and this release reads format {FORMAT}; \
                 rehearsal {writer}, which wrote it, and later releases read it"
            )
        }
    };
    Err(YamlError { at: node.at, problem })
}
