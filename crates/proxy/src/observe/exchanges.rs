//! The exchanges that are open on an observed connection.

use crate::{ConnectionId, Sink, Tls};
use rehearsal_model::{EdgeTls, Exchange, ExchangeId, Moment};
use rehearsal_wire::{Protocol, Taught};
use std::collections::BTreeSet;

/// Hands exchanges to the sink under numbers that are unique on the connection, and abandons those
/// that are open when it is dropped.
pub(super) struct Exchanges<'a> {
    sink: &'a dyn Sink,
    connection: ConnectionId,
    protocol: Option<&'static dyn Protocol>,
    /// What is added to the numbers of the present session.
    base: u64,
    /// The number after the highest so far.
    next: u64,
    open: BTreeSet<ExchangeId>,
    /// Whether something was emitted that the sink was not told to keep.
    unsettled: bool,
}

impl<'a> Exchanges<'a> {
    pub(super) fn new(sink: &'a dyn Sink, connection: ConnectionId) -> Self {
        let (protocol, open, unsettled) = (None, BTreeSet::new(), false);
        Exchanges { sink, connection, protocol, base: 0, next: 0, open, unsettled }
    }

    /// Has kept what was emitted.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            self.sink.settle();
        }
    }

    pub(super) fn none_open(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn begin(&mut self, id: ExchangeId, at: Moment) {
        let id = self.number(id);
        if self.open.insert(id) {
            self.sink.begin(self.connection, id, at);
        }
    }

    /// The client said more in an exchange that lasts.
    pub(super) fn stir(&self, id: ExchangeId, at: Moment) {
        let id = ExchangeId(self.base.saturating_add(id.0));
        if self.open.contains(&id) {
            self.sink.stir(self.connection, id, at);
        }
    }

    pub(super) fn emit(&mut self, id: ExchangeId, exchange: Box<Exchange>) {
        let id = self.number(id);
        self.open.remove(&id);
        if self.open.is_empty() {
            // An idle connection holds no memory for what it once had open.
            self.open = BTreeSet::new();
        }
        if let Some(protocol) = self.protocol {
            self.unsettled = true;
            self.sink.emit(self.connection, protocol, id, exchange);
        }
    }

    /// Tells of a column of the server's schema.
    pub(super) fn taught(&self, taught: Taught) {
        if let Some(protocol) = self.protocol {
            self.sink.taught(self.connection, protocol, taught);
        }
    }

    /// Tells that the server opens units of work unasked from here on, or no longer.
    pub(super) fn opens_unasked(&self, is_so: bool) {
        self.sink.opens_unasked(self.connection, is_so);
    }

    /// Tells that the connection is TLS.
    pub(super) fn secured(&self, tls: EdgeTls) {
        self.sink.secured(self.connection, tls);
    }

    /// Tells that the rest is with somebody else; what lays TLS over it.
    pub(super) fn reached(&mut self, party: &str) -> Option<Box<dyn Tls>> {
        self.base = self.next;
        self.sink.reached(self.connection, party)
    }

    /// What follows comes from another session, of that protocol.
    pub(super) fn change_session(&mut self, protocol: &'static dyn Protocol) {
        self.protocol = Some(protocol);
        self.base = self.next;
    }

    /// Whether the session is of that protocol.
    pub(super) fn speaks(&self, name: &str) -> bool {
        self.protocol.is_some_and(|protocol| protocol.name() == name)
    }

    /// Gives up all that are open.
    pub(super) fn abandon(&mut self) {
        for id in std::mem::take(&mut self.open) {
            self.sink.abandon(self.connection, id);
        }
    }

    fn number(&mut self, id: ExchangeId) -> ExchangeId {
        let number = self.base.saturating_add(id.0);
        self.next = self.next.max(number.saturating_add(1));
        ExchangeId(number)
    }
}

impl Drop for Exchanges<'_> {
    fn drop(&mut self) {
        self.abandon();
    }
}
