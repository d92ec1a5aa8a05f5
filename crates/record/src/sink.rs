//! The ear of the connections: what they tell, brought to the recorder's desk.

use crate::desk::Desk;
use crate::edges::PartyId;
use crate::tls::{Called, Secured};
use rehearsal_capture::Caller;
use rehearsal_model::{EdgeTls, Exchange, ExchangeId, LedgerLine, Moment, Role};
use rehearsal_proxy::{ConnectionId, ConnectionReport, Sink, Tls, Watch};
use rehearsal_wire::{Protocol, Taught};
use std::sync::Arc;

/// What the recorder is told.
pub(crate) enum Message {
    /// The app listens at an address.
    Listening(String),
    /// A connection is there.
    Connected {
        connection: ConnectionId,
        party: PartyId,
        role: Role,
        ordinal: u32,
        caller: Option<Caller>,
    },
    /// The rest of a connection is with another party.
    Reached { connection: ConnectionId, party: PartyId, ordinal: u32 },
    /// The first byte of a request came.
    Began { connection: ConnectionId, id: ExchangeId, at: Moment },
    /// The client said more in an exchange that lasts.
    Stirred { connection: ConnectionId, id: ExchangeId, at: Moment },
    /// An exchange is complete.
    Done {
        connection: ConnectionId,
        id: ExchangeId,
        protocol: &'static dyn Protocol,
        exchange: Box<Exchange>,
    },
    /// What a server has told of its messages, as a set of descriptors, or why it has not.
    Described { party: PartyId, told: Result<Vec<u8>, String> },
    /// A column of a dependency's schema.
    Taught { connection: ConnectionId, protocol: &'static dyn Protocol, taught: Taught },
    /// From here on a server opens units of work on a connection unasked, or no longer.
    Unasked { connection: ConnectionId, is_so: bool },
    /// An exchange that began will not be told.
    Lost { connection: ConnectionId, id: ExchangeId },
    /// A connection is TLS from here on.
    Secured { connection: ConnectionId, tls: EdgeTls },
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
    /// It shall end soon: somebody waits until nothing is under way.
    Closing,
    /// From here on, what breaks off does so because we end.
    Ending,
}

/// See the module.
pub(crate) struct Ear {
    pub(crate) desk: Arc<Desk>,
    /// Who knows the parties with which the client of a connection has itself connected; none where that
    /// is somebody who calls the app.
    pub(crate) beyond: Option<Secured>,
}

impl Watch for Ear {
    fn warning(&self, _connection: ConnectionId, text: &str) {
        self.desk.note(Message::Warning(text.to_owned()));
    }

    fn finished(&self, connection: ConnectionId, report: ConnectionReport) {
        self.desk.note(Message::Over { connection, report });
    }
}

impl Sink for Ear {
    fn begin(&self, connection: ConnectionId, id: ExchangeId, at: Moment) {
        self.desk.note(Message::Began { connection, id, at });
    }

    fn stir(&self, connection: ConnectionId, id: ExchangeId, at: Moment) {
        self.desk.note(Message::Stirred { connection, id, at });
    }

    fn emit(
        &self,
        connection: ConnectionId,
        protocol: &'static dyn Protocol,
        id: ExchangeId,
        exchange: Box<Exchange>,
    ) {
        self.desk.note(Message::Done { connection, id, protocol, exchange });
    }

    fn settle(&self) {
        self.desk.settle();
    }

    fn secured(&self, connection: ConnectionId, tls: EdgeTls) {
        self.desk.note(Message::Secured { connection, tls });
    }

    fn taught(&self, connection: ConnectionId, protocol: &'static dyn Protocol, taught: Taught) {
        self.desk.note(Message::Taught { connection, protocol, taught });
    }

    fn opens_unasked(&self, connection: ConnectionId, is_so: bool) {
        self.desk.note(Message::Unasked { connection, is_so });
    }

    fn reached(&self, connection: ConnectionId, party: &str) -> Option<Box<dyn Tls>> {
        let secured = self.beyond.as_ref()?;
        let id = secured.parties.named(party);
        let ordinal = secured.parties.connected(id);
        self.desk.note(Message::Reached { connection, party: id, ordinal });
        Some(secured.over(id, Called::beyond(party)))
    }

    fn abandon(&self, connection: ConnectionId, id: ExchangeId) {
        self.desk.note(Message::Lost { connection, id });
    }
}
