//! What one statement came to, as it is gathered from the packets of the server, and the exchange that
//! it belongs to.

use super::columns::Column;
use super::replies::Done;
use super::{shown, status};
use rehearsal_model::{ExchangeId, Map, Moment, Value};
use std::sync::Arc;

/// The result of one statement.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) columns: Option<Arc<[Column]>>,
    pub(super) rows: Vec<Value>,
    /// Bytes of rows that were seen, kept or not.
    bytes: usize,
    /// Rows that were not kept.
    omitted: u64,
    pub(super) done: Option<Done>,
    pub(super) error: Option<Map>,
}

impl Outcome {
    /// Whether a row of so many bytes is kept; counts it.
    pub(super) fn has_room(&mut self, bytes: usize, limit: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let has_room = self.bytes <= limit;
        self.omitted += u64::from(!has_room);
        has_room
    }

    /// The result as recordings have it; `expected` are the flags that it should have ended with.
    fn into_map(self, expected: u16) -> Map {
        let mut map = Map::new();
        if let Some(columns) = &self.columns {
            shown::put(columns, &mut map);
            map.push_new("rows", self.rows);
        }
        if self.omitted > 0 {
            map.push_new("omitted", self.omitted);
        }
        if let Some(done) = self.done {
            let plain = self.columns.is_none();
            put_done(done, plain, expected, &mut map);
        }
        if let Some(error) = self.error {
            map.push_new("error", error);
        }
        map
    }
}

/// Adds how a statement ended. `plain` ones have no rows.
pub(super) fn put_done(done: Done, plain: bool, expected: u16, map: &mut Map) {
    if plain || done.affected > 0 {
        map.push_new("affected", done.affected);
    }
    if done.last_id > 0 {
        map.push_new("last_id", done.last_id);
    }
    if let Some(info) = done.info {
        map.push_new("info", info);
    }
    if done.warnings > 0 {
        map.push_new("warnings", i32::from(done.warnings));
    }
    if done.status & status::OUT_PARAMS != 0 {
        map.push_new("out_params", true);
    }
    if !done.session.is_empty() {
        map.push_new("session", done.session);
    }
    let flags = status::lasting(done.status);
    if flags != expected {
        map.push_new("status", status::to_value(flags));
    }
}

/// An exchange whose answer is coming.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: ExchangeId,
    pub(super) request: Map,
    pub(super) started: Moment,
    /// Results that are complete.
    complete: Vec<Value>,
    /// The one that is coming.
    pub(super) outcome: Outcome,
    /// The flags that each is expected to end with.
    pub(super) expected: Vec<u16>,
    /// Files that the client has sent.
    pub(super) files: Vec<Map>,
}

impl Running {
    pub(super) fn new(id: ExchangeId, request: Map, started: Moment) -> Self {
        let (complete, outcome, expected) = (Vec::new(), Outcome::default(), Vec::new());
        Running { id, request, started, complete, outcome, expected, files: Vec::new() }
    }

    /// The result of one statement is complete. `before` are the flags before all of them.
    pub(super) fn complete(&mut self, before: u16) {
        let place = self.complete.len().min(self.expected.len().saturating_sub(1));
        let expected = self.expected.get(place).copied().unwrap_or(before);
        let outcome = std::mem::take(&mut self.outcome);
        self.complete.push(Value::Map(outcome.into_map(expected)));
    }

    /// All results in the form of recordings.
    pub(super) fn response(&mut self) -> Map {
        let mut complete = std::mem::take(&mut self.complete);
        match (complete.len(), complete.pop()) {
            (1, Some(Value::Map(only))) => only,
            (_, None) => Map::new(),
            (_, Some(last)) => {
                complete.push(last);
                Map::from([("results", complete)])
            }
        }
    }
}
