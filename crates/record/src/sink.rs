//! The ear of the connections: what they tell, put into the recorder's queue.

use crate::edges::PartyId;
use crate::queue::{Queue, weight};
use rehearsal_model::{Exchange, ExchangeId, LedgerLine, Moment, Role};
use rehearsal_proxy::{ConnectionId, ConnectionReport, Sink, Watch};
use rehearsal_wire::Protocol;
use std::sync::Arc;

/// What the recorder is told.
pub(crate) enum Message {
    /// The app listens at an address.
    Listening(String),
    /// A connection is there.
    Connected { connection: ConnectionId, party: PartyId, role: Role, ordinal: u32 },
    /// The first byte of a request came.
    Began { connection: ConnectionId, id: ExchangeId, at: Moment },
    /// An exchange is complete.
    Done {
        connection: ConnectionId,
        id: ExchangeId,
        protocol: &'static dyn Protocol,
        exchange: Box<Exchange>,
    },
    /// An exchange that began will not be told.
    Lost { connection: ConnectionId, id: ExchangeId },
    /// A connection is over.
    Over { connection: ConnectionId, report: ConnectionReport },
    /// The app believes to be connected; the dependency does not answer yet.
    Dialling { connection: ConnectionId, at: Moment },
    /// It has answered.
    Dialled { connection: ConnectionId },
    /// The app tried to connect and could not: at once, or after it was told that it could.
    NotConnected { party: PartyId, tried: Option<ConnectionId>, exchange: Box<Exchange> },
    /// A question for a name and its answer.
    Resolved { party: PartyId, exchange: Box<Exchange> },
    /// Connections that nobody listens to.
    Ledger(LedgerLine),
    /// Something the user should know.
    Warning(String),
    /// From here on, what breaks off does so because we end.
    Ending,
    /// Nothing will follow.
    End(Moment),
}

/// See the module.
pub(crate) struct Ear {
    pub(crate) queue: Arc<Queue<Message>>,
}

impl Watch for Ear {
    fn warning(&self, _connection: ConnectionId, text: &str) {
        self.queue.push(Message::Warning(text.to_owned()), text.len());
    }

    fn finished(&self, connection: ConnectionId, report: ConnectionReport) {
        self.queue.push(Message::Over { connection, report }, 0);
    }
}

impl Sink for Ear {
    fn begin(&self, connection: ConnectionId, id: ExchangeId, at: Moment) {
        self.queue.push(Message::Began { connection, id, at }, 0);
    }

    fn emit(
        &self,
        connection: ConnectionId,
        protocol: &'static dyn Protocol,
        id: ExchangeId,
        exchange: Box<Exchange>,
    ) {
        let weight = weight(&exchange);
        self.queue.push(Message::Done { connection, id, protocol, exchange }, weight);
    }

    fn abandon(&self, connection: ConnectionId, id: ExchangeId) {
        self.queue.push(Message::Lost { connection, id }, 0);
    }
}
