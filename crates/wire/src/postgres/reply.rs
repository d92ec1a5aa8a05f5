//! Recorded results as messages of a server.

use super::columns::{self, Column};
use super::frames::{self, Frames};
use super::sql::Token;
use super::{copy, notice, types, unwritable};
use crate::{Miss, WireError};
use rehearsal_model::{Map, Value};

/// The process number that a played server gives itself.
pub(super) const PROCESS: i32 = 1;

/// What a server says once a client has come in.
pub(super) fn welcome(result: &Map, minor: u32, frames: &mut Frames) -> Result<(), WireError> {
    if minor > 0 {
        // NegotiateProtocolVersion: 3.0 is spoken here, and no option is refused.
        frames.add(b'v', |out| {
            out.extend_from_slice(&0x0003_0000_u32.to_be_bytes());
            out.extend_from_slice(&[0; 4]);
        });
    }
    frames.add(b'R', |out| out.extend_from_slice(&[0; 4]));
    asides(result, frames)?;
    frames.add(b'K', |out| {
        out.extend_from_slice(&PROCESS.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
    });
    Ok(())
}

/// Notices and changed settings.
pub(super) fn asides(result: &Map, frames: &mut Frames) -> Result<(), WireError> {
    for notice in list(result, "notices")? {
        let notice = notice.as_map().ok_or_else(|| unwritable("a notice must be a map"))?;
        notice::write_any(notice, PROCESS, frames);
    }
    if let Some(parameters) = result.get("parameters") {
        let parameters =
            parameters.as_map().ok_or_else(|| unwritable("`parameters` must be a map"))?;
        for (name, value) in parameters.iter() {
            let value = value.as_bytes().ok_or_else(|| unwritable("`parameters` must be text"))?;
            frames.add(b'S', |out| {
                frames::zero_ended(out, name.as_bytes());
                frames::zero_ended(out, value);
            });
        }
    }
    Ok(())
}

/// Writes the error of a result, when it has one.
pub(super) fn error(result: &Map, frames: &mut Frames) -> Result<bool, WireError> {
    let Some(error) = result.get("error") else { return Ok(false) };
    let error = error.as_map().ok_or_else(|| unwritable("`error` must be a map"))?;
    notice::write(b'E', error, frames);
    Ok(true)
}

/// Whether the error of a result ends the connection.
pub(super) fn is_fatal(result: &Map) -> bool {
    let severity = result.get("error").and_then(Value::as_map);
    matches!(severity.and_then(|error| error.text("severity")), Some("FATAL" | "PANIC"))
}

/// Writes that no mock answers.
pub(super) fn miss(miss: &Miss, severity: &str, frames: &mut Frames) {
    let mut map = Map::from([("severity", severity), ("code", "XX000")]);
    map.push_new("message", miss.message.as_str());
    if miss.details != Value::Null {
        map.push_new("detail", rehearsal_model::json::to_string(&miss.details));
    }
    notice::write(b'E', &map, frames);
}

/// Writes an error that is the played server's own.
pub(super) fn refuse(code: &str, message: &str, frames: &mut Frames) {
    let map = Map::from([("severity", "ERROR"), ("code", code), ("message", message)]);
    notice::write(b'E', &map, frames);
}

/// The columns of a result; none for a statement without rows.
pub(super) fn columns(result: &Map) -> Result<Option<Vec<Column>>, WireError> {
    let mut columns = result.get("columns").map(columns::from_value).transpose()?;
    if let Some(columns) = &mut columns {
        columns::put_sources(list(result, "sources")?, columns)?;
    }
    Ok(columns)
}

/// Writes what a described statement takes; gives the types.
pub(super) fn params(result: &Map, frames: &mut Frames) -> Result<Vec<u32>, WireError> {
    let mut oids = Vec::new();
    for name in list(result, "params")? {
        let oid = name.as_text().and_then(types::oid);
        oids.push(oid.ok_or_else(|| unwritable("`params` must name types such as int4"))?);
    }
    frames.add(b't', |out| {
        frames::count(out, oids.len());
        oids.iter().for_each(|oid| out.extend_from_slice(&oid.to_be_bytes()));
    });
    Ok(oids)
}

/// Writes the columns of a result in the formats that were asked for, or that it has none.
pub(super) fn description(columns: Option<&[Column]>, formats: &[i16], frames: &mut Frames) {
    match columns {
        Some(columns) => columns::write(columns, formats, frames),
        None => frames.empty(b'n'),
    }
}

/// The rows of a result.
pub(super) fn rows(result: &Map) -> Result<&[Value], WireError> {
    if result.get("omitted").is_some() {
        return Err(unwritable(
            "`rows` were too many to record; raise the limit on bodies and record again",
        ));
    }
    list(result, "rows")
}

/// Writes rows.
pub(super) fn write_rows(
    rows: &[Value],
    columns: Option<&[Column]>,
    formats: &[i16],
    frames: &mut Frames,
) -> Result<(), WireError> {
    for row in rows {
        let row = row.as_list().ok_or_else(|| unwritable("each of `rows` must be a list"))?;
        columns::write_row(row, columns.unwrap_or_default(), formats, frames)?;
    }
    Ok(())
}

/// Writes how a result ends: its tag, or that there was no statement. The tag of the last part of
/// the rows counts that part alone.
pub(super) fn tag(result: &Map, part: Option<usize>, frames: &mut Frames) {
    let part = part.map(|rows| Value::from(format!("SELECT {rows}")));
    let tag = part.as_ref().or_else(|| result.get("tag"));
    match tag.and_then(Value::as_bytes) {
        Some(tag) => frames.add(b'C', |out| frames::zero_ended(out, tag)),
        None => frames.empty(b'I'),
    }
}

/// The result of each statement of a text.
pub(super) fn results(response: &Map) -> Vec<&Map> {
    match response.get("results").and_then(Value::as_list) {
        Some(several) => several.iter().filter_map(Value::as_map).collect(),
        None => vec![response],
    }
}

/// Writes one result of a simple query.
pub(super) fn simple(result: &Map, frames: &mut Frames) -> Result<(), WireError> {
    asides(result, frames)?;
    let columns = columns(result)?;
    if let Some(columns) = &columns {
        columns::write(columns, &[], frames);
    }
    write_rows(rows(result)?, columns.as_deref(), &[], frames)?;
    copy::write_out(result, frames)?;
    if !error(result, frames)? {
        tag(result, None, frames);
    }
    Ok(())
}

/// The status of the transaction (`I`, `T` or `E`) after a statement with that result.
pub(super) fn status_after(status: u8, statement: &[Token<'_>], result: &Map) -> u8 {
    if result.get("error").is_some() {
        return if status == b'I' { b'I' } else { b'E' };
    }
    let says = |word: &str| statement.iter().any(|token| token.is(word));
    match result.text("tag") {
        Some("BEGIN" | "START TRANSACTION") => b'T',
        Some("COMMIT" | "ROLLBACK") if says("chain") && !says("no") => b'T',
        Some("ROLLBACK") if says("to") => b'T',
        Some("COMMIT" | "ROLLBACK" | "PREPARE TRANSACTION") => b'I',
        _ => status,
    }
}

fn list<'a>(map: &'a Map, key: &str) -> Result<&'a [Value], WireError> {
    match map.get(key) {
        None => Ok(&[]),
        Some(Value::List(list)) => Ok(list),
        Some(_) => Err(unwritable(&format!("`{key}` must be a list"))),
    }
}
