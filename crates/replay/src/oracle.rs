//! Answers the app's calls on one edge.

use crate::routes::{Route, Routes};
use crate::shelf::EdgeNumber;
use crate::stage::Stage;
use crate::suite::Voice;
use rehearsal_capture::Endpoint;
use rehearsal_model::{Exchange, ExchangeId, Ledger, LedgerLine, Map};
use rehearsal_proxy::{ConnectionId, ConnectionReport, Oracle, Question, Reply, Watch};
use rehearsal_store::scrub::Scrubber;
use rehearsal_wire::Protocol;
use std::sync::{Arc, Mutex, PoisonError};

/// The ledger and warnings of a run, filled by connections as they end.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) warnings: Mutex<Vec<String>>,
}

impl Accounts {
    pub(crate) fn ledger(&self, line: LedgerLine) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).add(line);
    }

    /// A connection that nobody plays.
    pub(crate) fn apart(&self, to: &Endpoint, treatment: &str, why: &str) {
        self.ledger(LedgerLine {
            party: to.to_string(),
            treatment: treatment.to_owned(),
            why: Some(why.to_owned()),
            connections: 1,
            ..LedgerLine::default()
        });
    }

    pub(crate) fn warn(&self, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }
}

/// See the module.
pub(crate) struct EdgeOracle {
    pub(crate) stage: Arc<Stage>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) edge: EdgeNumber,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) accounts: Arc<Accounts>,
    /// Who makes the calls, when they are those of another test runner.
    pub(crate) voice: Option<Voice>,
}

impl Watch for EdgeOracle {
    fn warning(&self, _connection: ConnectionId, text: &str) {
        let edge = &self.stage.shelf.edges[self.edge as usize].name;
        self.accounts.warn(format!("{edge}: {text}"));
    }

    fn finished(&self, _connection: ConnectionId, report: ConnectionReport) {
        let edge = &self.stage.shelf.edges[self.edge as usize].name;
        self.accounts.ledger(report.ledger_line(edge.as_str()));
    }
}

impl EdgeOracle {
    /// The edge of a protocol with the party of that one.
    fn edge(&self, of: EdgeNumber, spoken: &'static dyn Protocol) -> EdgeNumber {
        let protocol = spoken.name();
        let edges = &self.stage.shelf.edges;
        let own = &edges[of as usize];
        own.hear(spoken);
        if own.protocol().name() == protocol {
            return of;
        }
        let name = own.name.speaking(protocol);
        let other = edges.iter().zip(0u32..).find(|(edge, _)| edge.name == name);
        other.map_or(of, |(_, number)| number)
    }

    /// Whom a request is for, when it is said to somebody who passes it on, and how that one gets it.
    fn addressee(&self, protocol: &dyn Protocol, request: Map) -> (EdgeNumber, Map) {
        if let Some((party, forwarded)) = protocol.facets().forwarded(&request)
            && let Route::Edge(edge) = self.routes.named(&party)
        {
            return (edge, forwarded);
        }
        (self.edge, request)
    }
}

impl Oracle for EdgeOracle {
    fn answer(&self, question: Question) -> Reply {
        let (edge, request) = self.addressee(question.protocol, question.request);
        let edge = self.edge(edge, question.protocol);
        let on = (question.connection, question.id);
        match &self.voice {
            Some(voice) => voice.answer(edge, on, request, &self.scrubber),
            None => {
                question.unit.into_iter().for_each(|unit| self.stage.works_within(on, edge, unit));
                self.stage.answer(edge, on, request, &self.scrubber)
            }
        }
    }

    fn opens_unasked(&self, connection: ConnectionId, is_so: bool) {
        if self.voice.is_none() {
            self.stage.opens_unasked(connection, is_so);
        }
    }

    fn went(&self, connection: ConnectionId, id: ExchangeId, mut exchange: Exchange) {
        self.stage.scrub(&self.scrubber, &mut exchange);
        match &self.voice {
            Some(voice) => voice.went((connection, id), &exchange),
            None => self.stage.went((connection, id), &exchange),
        }
    }
}
