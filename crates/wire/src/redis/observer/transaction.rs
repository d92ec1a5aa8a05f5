//! A transaction while the server queues its commands.

use crate::redis::words;
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Map, Moment, Value};

/// Everything between MULTI and EXEC.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) id: ExchangeId,
    pub(super) started: Moment,
    commands: Vec<Value>,
    refused: Map,
}

impl Transaction {
    pub(super) fn new(id: ExchangeId, started: Moment) -> Self {
        Transaction { id, started, commands: Vec::new(), refused: Map::new() }
    }

    /// Adds a command that the server queued, or refused with an error.
    pub(super) fn push(&mut self, command: &[Bytes], refused: Option<&[u8]>) {
        self.commands.push(words::show(command));
        if let Some(error) = refused {
            self.refused.push_new(self.commands.len().to_string(), Value::from_bytes(error));
        }
    }

    /// It as a request.
    pub(super) fn request(&self, discarded: bool) -> Map {
        let mut request = Map::from([("redis", "MULTI")]);
        request.push_new("commands", self.commands.clone());
        if discarded {
            request.push_new("discarded", true);
        }
        request
    }

    /// Why commands were refused goes with the reply.
    pub(super) fn note_refused(self, response: &mut Map) {
        if !self.refused.is_empty() {
            response.push_new("refused", self.refused);
        }
    }
}
