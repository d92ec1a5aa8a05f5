//! What one statement came to, as it is gathered from the messages of the server.

use super::columns::{self, Column};
use super::fields::Fields;
use super::{copy, notice, types};
use crate::WireError;
use rehearsal_model::{Map, Value};

/// The result of one statement.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How the server wanted the client to prove who it is.
    pub(super) auth: Option<String>,
    /// The types of parameters.
    pub(super) params: Option<Vec<u32>>,
    pub(super) columns: Option<Vec<Column>>,
    rows: Vec<Value>,
    /// Bytes of rows and copied data that were seen, kept or not.
    bytes: usize,
    /// Rows and pieces of copied data that were not kept.
    omitted: u64,
    /// The client fetches the rows in parts.
    pub(super) in_parts: bool,
    tag: Option<Value>,
    error: Option<Map>,
    notices: Vec<Value>,
    parameters: Map,
    copied: Option<copy::Data>,
    /// What a function gave.
    pub(super) value: Option<Value>,
}

impl Outcome {
    pub(super) fn row(
        &mut self,
        body: &[u8],
        formats: &[i16],
        limit: usize,
    ) -> Result<(), WireError> {
        self.bytes += body.len();
        if self.bytes > limit {
            self.omitted += 1;
            return Ok(());
        }
        let columns = self.columns.as_deref_mut().unwrap_or_default();
        columns::learn(body, columns)?;
        self.rows.push(columns::read_row(body, columns, formats)?);
        Ok(())
    }

    /// The server begins to copy data out.
    pub(super) fn copy_out(&mut self, body: &[u8]) -> Result<(), WireError> {
        self.copied.insert(copy::Data::default()).begin(body)
    }

    pub(super) fn copied(&mut self, piece: &[u8], limit: usize) {
        self.bytes += piece.len();
        match &mut self.copied {
            Some(data) if self.bytes <= limit => data.push(piece, limit),
            _ => self.omitted += 1,
        }
    }

    /// The statement is done. A tag that counts the rows of the last part counts all instead.
    pub(super) fn tag(&mut self, body: &[u8]) -> Result<(), WireError> {
        let tag = Value::from_bytes(Fields::new(body).zero_ended()?);
        self.tag = Some(match self.in_parts && tag.as_text().is_some_and(counts_rows) {
            true => format!("SELECT {}", self.rows.len()).into(),
            false => tag,
        });
        Ok(())
    }

    pub(super) fn error(&mut self, body: &[u8]) -> Result<(), WireError> {
        self.error = Some(notice::read(body)?);
        Ok(())
    }

    pub(super) fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// What the server said by the way.
    pub(super) fn aside(&mut self, notices: &mut Vec<Value>, parameters: &mut Map) {
        self.notices.append(notices);
        for (name, value) in std::mem::take(parameters) {
            self.parameters.insert(name, value);
        }
    }

    /// The result as recordings have it.
    pub(super) fn into_map(self) -> Map {
        let mut map = Map::new();
        if !self.notices.is_empty() {
            map.push_new("notices", self.notices);
        }
        if !self.parameters.is_empty() {
            map.push_new("parameters", self.parameters);
        }
        if let Some(auth) = self.auth {
            map.push_new("auth", auth);
        }
        let described = self.params.is_some();
        if let Some(params) = self.params {
            let names = params.into_iter().map(|oid| types::name(oid).into_owned());
            map.push_new("params", names.collect::<Vec<_>>());
        }
        let has_rows = self.tag.is_some() && self.columns.is_some() || !self.rows.is_empty();
        if let Some(columns) = &self.columns {
            map.push_new("columns", columns::to_value(columns));
        }
        if let Some(sources) =
            described.then_some(self.columns.as_deref()).flatten().and_then(columns::sources)
        {
            map.push_new("sources", sources);
        }
        if has_rows {
            map.push_new("rows", self.rows);
        }
        if let Some(data) = self.copied {
            data.into_map("copy", &mut map);
        }
        if self.omitted > 0 {
            map.push_new("omitted", self.omitted);
        }
        if let Some(value) = self.value {
            map.push_new("value", value);
        }
        if let Some(tag) = self.tag {
            map.push_new("tag", tag);
        }
        if let Some(error) = self.error {
            map.push_new("error", error);
        }
        map
    }
}

/// Whether a tag counts the rows that were sent with it.
pub(super) fn counts_rows(tag: &str) -> bool {
    tag.starts_with("SELECT ")
}
