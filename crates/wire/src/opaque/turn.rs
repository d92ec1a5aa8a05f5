//! One turn of a conversation as it grows, in bounded memory.

use super::{STARTTLS, hidden};
use crate::Ending;
use bytes::BytesMut;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// The word for a connection that the server ended in order.
pub(super) const CLOSED: &str = "closed";

/// The word for a connection that the server broke off.
pub(super) const RESET: &str = "reset";

/// What one side says in a turn: its bytes, or their length and hash when they are too many.
#[derive(Debug)]
pub(super) struct Speech {
    kept: BytesMut,
    limit: usize,
    length: u64,
    /// Present once the limit is passed; `kept` is empty from then on.
    hash: Option<Sha256>,
}

impl Speech {
    pub(super) fn new(limit: usize) -> Self {
        Speech { kept: BytesMut::new(), limit, length: 0, hash: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What was said, unless it is too much.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.hash.is_none().then_some(&self.kept[..])
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.hash.is_none() && bytes.len() > self.limit - self.kept.len() {
            self.hash = Some(Sha256::new_with_prefix(&self.kept));
            self.kept = BytesMut::new();
        }
        match &mut self.hash {
            Some(hash) => hash.update(bytes),
            None => self.kept.extend_from_slice(bytes),
        }
    }

    /// A map with the bytes at `key`, or with `omitted` in their place.
    pub(super) fn into_map(self, key: &str) -> Map {
        let Some(hash) = self.hash else {
            return Map::from([(key, Value::from_bytes(&self.kept))]);
        };
        let sha256: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let omitted =
            Map::from([("length", Value::from(self.length)), ("sha256", Value::from(sha256))]);
        Map::from([("omitted", omitted)])
    }
}

/// How the server ended the connection within a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerEnd {
    Closed,
    Reset,
}

/// The word for how a client ended.
pub(super) fn word(how: Ending) -> &'static str {
    match how {
        Ending::Finished => CLOSED,
        Ending::Reset => RESET,
    }
}

/// A turn that has begun.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) id: ExchangeId,
    pub(super) sent: Speech,
    pub(super) received: Speech,
    /// How the client ended before the server spoke, which may be what makes it speak.
    pub(super) client_end: Option<Ending>,
    pub(super) started: Moment,
    pub(super) last: Moment,
    /// Where the client's secrets are in what it sent.
    pub(super) hidden: Vec<Range<usize>>,
    /// Whether the connection turned to TLS with it.
    pub(super) starttls: bool,
}

impl Turn {
    pub(super) fn new(id: ExchangeId, at: Moment, limit: usize) -> Self {
        let (sent, received) = (Speech::new(limit), Speech::new(limit));
        let (hidden, starttls) = (Vec::new(), false);
        Turn { id, sent, received, client_end: None, started: at, last: at, hidden, starttls }
    }

    /// The exchange that this turn was. A turn without a reply has an empty one, so that replay
    /// knows that silence is what was recorded.
    pub(super) fn into_exchange(self, end: Option<ServerEnd>) -> Exchange {
        let failure = (end == Some(ServerEnd::Reset)).then_some(Failure::Reset);
        let silent = self.received.is_empty() && failure.is_some();
        let response = (!silent).then(|| {
            let mut reply = self.received.into_map("receive");
            if self.starttls {
                reply.push_new(STARTTLS, true);
            }
            if let Some(end) = end {
                reply.push_new("ends", if end == ServerEnd::Closed { CLOSED } else { RESET });
            }
            reply
        });
        let mut request = self.sent.into_map("send");
        hidden::mark(&mut request, &self.hidden);
        if let Some(how) = self.client_end {
            request.push_new("ends", word(how));
        }
        Exchange {
            request,
            response,
            failure,
            connection: 0,
            unit: None,
            started: self.started,
            finished: self.last,
        }
    }
}
