//! Recorded results as packets of a server.

use super::columns::Column;
use super::fields::put_number;
use super::packets::Outbox;
use super::replies::{self, Done};
use super::{capabilities, shown, status, unwritable, values};
use crate::{Miss, WireError};
use rehearsal_model::{Map, Value};

/// How a client wants results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What it can do.
    pub(super) capabilities: u64,
    /// Whether rows are binary.
    pub(super) binary: bool,
}

impl Form {
    fn has(self, capability: u64) -> bool {
        self.capabilities & capability != 0
    }

    fn extended(self) -> bool {
        self.has(capabilities::EXTENDED_METADATA)
    }
}

/// The results of a request: several, or itself.
pub(super) fn each(response: &Map) -> Vec<&Map> {
    match response.get("results").and_then(Value::as_list) {
        Some(several) => several.iter().filter_map(Value::as_map).collect(),
        None => vec![response],
    }
}

/// The flags that a result ends with, by those that it is expected to end with.
pub(super) fn flags(result: &Map, expected: u16) -> Result<u16, WireError> {
    result.get("status").map_or(Ok(expected), status::from_value)
}

/// How a result ended.
pub(super) fn done(result: &Map, flags: u16) -> Result<Done, WireError> {
    let number = |key: &str| match result.get(key) {
        None => Ok(0),
        Some(Value::Number(number)) => number.as_str().parse().map_err(|_| wrong(key)),
        Some(_) => Err(wrong(key)),
    };
    let session = match result.get("session") {
        None => Vec::new(),
        Some(Value::List(list)) => list.clone(),
        Some(_) => return Err(unwritable("`session` must be a list")),
    };
    let out_params = result.get("out_params") == Some(&Value::Bool(true));
    Ok(Done {
        affected: number("affected")?,
        last_id: number("last_id")?,
        status: flags | if out_params { status::OUT_PARAMS } else { 0 },
        warnings: u16::try_from(number("warnings")?).map_err(|_| wrong("warnings"))?,
        info: result.get("info").cloned(),
        session,
    })
}

fn wrong(key: &str) -> WireError {
    unwritable(&format!("`{key}` must be a whole number that is not negative"))
}

/// Writes the error of a result, when it has one.
pub(super) fn error(result: &Map, outbox: &mut Outbox) -> Result<bool, WireError> {
    let Some(error) = result.get("error") else { return Ok(false) };
    let error = error.as_map().ok_or_else(|| unwritable("`error` must be a map"))?;
    outbox.try_add(|out| replies::write_error(error, out))?;
    Ok(true)
}

/// Writes an error that is the played server's own.
pub(super) fn refuse(code: i32, state: &str, message: &str, outbox: &mut Outbox) {
    let error = replies::error(code, state, message);
    outbox.add(|out| replies::write_error(&error, out).unwrap_or_default());
}

/// Writes that no mock answers.
pub(super) fn miss(miss: &Miss, outbox: &mut Outbox) {
    refuse(1105, "HY000", &miss.message, outbox);
}

/// Writes an OK.
pub(super) fn ok(done: &Done, form: Form, outbox: &mut Outbox) {
    outbox.add(|out| done.write(0, form.capabilities, out));
}

/// Writes one result whole.
pub(super) fn result(
    result: &Map,
    mut done: Done,
    more: bool,
    form: Form,
    outbox: &mut Outbox,
) -> Result<(), WireError> {
    if more {
        done.status |= status::MORE_RESULTS;
    }
    let Some(columns) = shown::take(result)?.filter(|columns| !columns.is_empty()) else {
        if !error(result, outbox)? {
            ok(&done, form, outbox);
        }
        return Ok(());
    };
    head(&columns, form, outbox);
    if !form.has(capabilities::DEPRECATE_EOF) {
        let end = Done { status: done.status, ..Done::default() };
        outbox.add(|out| end.write_end(form.capabilities, out));
    }
    write_rows(rows(result)?, &columns, form, outbox)?;
    if !error(result, outbox)? {
        outbox.add(|out| done.write_end(form.capabilities, out));
    }
    Ok(())
}

/// Writes the columns of a result, but for what marks their end.
pub(super) fn head(columns: &[Column], form: Form, outbox: &mut Outbox) {
    outbox.add(|out| {
        put_number(out, columns.len() as u64);
        if form.has(capabilities::CACHE_METADATA) {
            // They follow.
            out.push(1);
        }
    });
    definitions(columns, form, outbox);
}

fn definitions(columns: &[Column], form: Form, outbox: &mut Outbox) {
    for column in columns {
        outbox.add(|out| column.write(form.extended(), out));
    }
}

/// The rows of a result.
pub(super) fn rows(result: &Map) -> Result<&[Value], WireError> {
    if result.get("omitted").is_some() {
        return Err(unwritable(
            "`rows` were too many to record; raise the limit on bodies and record again",
        ));
    }
    match result.get("rows") {
        None => Ok(&[]),
        Some(Value::List(rows)) => Ok(rows),
        Some(_) => Err(unwritable("`rows` must be a list")),
    }
}

/// Writes rows.
pub(super) fn write_rows(
    rows: &[Value],
    columns: &[Column],
    form: Form,
    outbox: &mut Outbox,
) -> Result<(), WireError> {
    for row in rows {
        let row = row.as_list().ok_or_else(|| unwritable("each of `rows` must be a list"))?;
        outbox.try_add(|out| match form.binary {
            true => values::write_binary_row(row, columns, out),
            false => values::write_text_row(row, columns, out),
        })?;
    }
    Ok(())
}

/// Writes the columns of a table, as the answer to the command that asks for them.
pub(super) fn field_list(
    result: &Map,
    done: &Done,
    form: Form,
    outbox: &mut Outbox,
) -> Result<(), WireError> {
    for column in shown::take(result)?.unwrap_or_default() {
        outbox.add(|out| {
            column.write(form.extended(), out);
            // No default.
            out.push(0xfb);
        });
    }
    outbox.add(|out| done.write_end(form.capabilities, out));
    Ok(())
}

/// Writes what a statement takes and gives.
pub(super) fn prepared(
    id: u32,
    params: usize,
    columns: &[Column],
    done: &Done,
    form: Form,
    outbox: &mut Outbox,
) {
    let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    outbox.add(|out| {
        out.push(0);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&count(columns.len()));
        out.extend_from_slice(&count(params));
        out.extend_from_slice(&[0; 3]);
    });
    let params = vec![Column::parameter(); params.min(usize::from(u16::MAX))];
    for list in [&params[..], columns] {
        definitions(list, form, outbox);
        if !list.is_empty() && !form.has(capabilities::DEPRECATE_EOF) {
            outbox.add(|out| done.write_end(form.capabilities, out));
        }
    }
}
