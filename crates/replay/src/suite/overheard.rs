//! Listens to a dependency that the recording does not have, and keeps what is said as mocks.

use super::News;
use crate::oracle::Accounts;
use rehearsal_capture::Caller;
use rehearsal_model::{
    Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, ExchangeId, Mock, Moment, Role, Tables, TestId,
};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, ConnectionReport, NoTls, Observe, Sink, Stream, Watch,
    observe,
};
use rehearsal_store::scrub::Scrubber;
use rehearsal_wire::Protocol;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection to such a dependency.
pub(super) struct Overheard {
    /// What it is called, as `host:port`.
    pub(super) party: String,
    /// Its side of the connection.
    pub(super) server: Stream,
    pub(super) caller: Option<Caller>,
}

/// Who takes what is heard.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) news: Arc<Mutex<News>>,
    pub(super) scrubber: Arc<Scrubber>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) clock: Clock,
}

impl Listener {
    /// Carries a connection until it is over.
    pub(super) async fn listen(self, overheard: Overheard, id: ConnectionId, client: Stream) {
        let Overheard { party, server, caller } = overheard;
        let Ok(server) = server.settle_here() else { return };
        let options = ConnectionOptions::new(id, self.clock);
        let began = Mutex::default();
        let sink = Arc::new(Ear { listener: self, party, caller, began });
        let (tls, gate) = (Box::new(NoTls), None);
        observe(Observe { options, client, server, protocol: None, tls, gate, sink }).await;
    }
}

struct Ear {
    listener: Listener,
    party: String,
    caller: Option<Caller>,
    /// Which test made the exchanges that are not over.
    began: Mutex<HashMap<ExchangeId, String>>,
}

impl Watch for Ear {
    fn warning(&self, _connection: ConnectionId, text: &str) {
        self.listener.accounts.warn(format!("{}: {text}", self.party));
    }

    fn finished(&self, _connection: ConnectionId, report: ConnectionReport) {
        self.listener.accounts.ledger(report.ledger_line(&self.party));
    }
}

impl Sink for Ear {
    fn begin(&self, _connection: ConnectionId, id: ExchangeId, _at: Moment) {
        if let Some(test) = self.caller.as_ref().and_then(Caller::test) {
            self.began.lock().unwrap_or_else(PoisonError::into_inner).insert(id, test);
        }
    }

    fn emit(
        &self,
        _connection: ConnectionId,
        protocol: &'static dyn Protocol,
        id: ExchangeId,
        mut exchange: Box<Exchange>,
    ) {
        let told = self.began.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let of_test = protocol.facets().named_test(&exchange.request).or(told);
        self.listener.scrubber.scrub(&mut exchange);
        let edge = EdgeName::new(self.party.clone());
        let mut news = self.listener.news.lock().unwrap_or_else(PoisonError::into_inner);
        if !news.edges.iter().any(|known| known.name == edge) {
            news.edges.push(Edge {
                name: edge.clone(),
                role: Role::Outbound,
                protocol: protocol.name().to_owned(),
                addresses: vec![self.party.clone()],
                tls: EdgeTls::default(),
                tables: Tables::default(),
                latency: EdgeLatency::default(),
            });
        }
        // One that began to speak otherwise, as WebSocket does over HTTP, is an edge of its own.
        let of_edge = news.edges.iter().find(|known| known.name == edge);
        if of_edge.is_some_and(|known| known.protocol == protocol.name()) {
            news.mocks.push(mock(edge, *exchange, of_test));
        }
    }

    fn abandon(&self, _connection: ConnectionId, id: ExchangeId) {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// A mock of a suite.
pub(super) fn mock(edge: EdgeName, exchange: Exchange, of_test: Option<String>) -> Mock {
    Mock { edge, exchange, after: TestId(0), calls: 0, shared_by: Vec::new(), of_test }
}
