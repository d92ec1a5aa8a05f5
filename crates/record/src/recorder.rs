//! The one owner of what is recorded: turns messages into tests and mocks and hands them to the
//! store.
//!
//! `sink, policy, engine --Message--> Recorder --TestCase, Mock--> store::Writer`

use crate::attribution::{Attribution, Finished, Flow, Seen};
use crate::edges::{Parties, PartyId, Spoken};
use crate::progress::Progress;
use crate::sink::Message;
use rehearsal_model::{
    Certificate, Edge, EdgeName, EdgeTls, Exchange, ExchangeId, Failure, Ledger, Manifest, Mock,
    Moment, Role, TestId, Timestamp, Value, stream,
};
use rehearsal_proxy::{ConnectionId, ConnectionReport};
use rehearsal_store::StoreError;
use rehearsal_store::scrub::Scrubber;
use rehearsal_store::writer::Writer;
use rehearsal_wire::{Facets, Protocol, Taught};
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// Warnings kept; more of them say nothing new.
const WARNINGS: usize = 50;
/// Changes kept of an answer that stands: a statement that means another table to each client has
/// one at every turn.
const CHANGES: u32 = 64;
/// Addresses kept of those on which the app listens: one that opens a new port for each transfer
/// must not fill the recording with them.
const LISTENS: usize = 100;

/// What the recorder works with.
pub(crate) struct Recorder {
    pub(crate) parties: Arc<Parties>,
    pub(crate) writer: Writer,
    pub(crate) manifest: Manifest,
    pub(crate) scrubber: Scrubber,
    /// The wall clock at moment zero.
    pub(crate) epoch: Timestamp,
    pub(crate) progress: watch::Sender<Progress>,
    attribution: Attribution,
    connections: HashMap<ConnectionId, Connection>,
    /// Those whose dependency has not answered yet, and since when.
    dialling: BTreeMap<ConnectionId, Moment>,
    spoken: Spoken,
    /// What is kept once and is kept already: questions for names, the setting up of connections.
    asked: HashMap<(EdgeName, String), Asked>,
    ledger: Ledger,
    warnings: Vec<String>,
    closing: bool,
    ending: bool,
    /// Why nothing more can be recorded.
    failed: Option<StoreError>,
    finished: Vec<Finished>,
    counts: Progress,
    /// How many exchanges each edge saw.
    exchanges: BTreeMap<EdgeName, u64>,
    /// Dependencies that cannot be replayed.
    hidden: BTreeSet<EdgeName>,
    /// Edges with a message that was too large to keep.
    large: BTreeSet<EdgeName>,
}

/// What is kept of a question that is asked again and again.
struct Asked {
    /// The fingerprint of its last answer, where that stands.
    answer: Option<u64>,
    /// How often that was another one.
    changes: u32,
}

struct Connection {
    party: PartyId,
    role: Role,
    ordinal: u32,
    /// The protocol of its first exchange.
    spoke: Option<&'static str>,
    /// When it is TLS.
    tls: EdgeTls,
}

/// What is left when nothing more will be told.
pub(crate) struct Harvest {
    pub(crate) writer: Writer,
    pub(crate) edges: Vec<Edge>,
    pub(crate) ledger: Ledger,
    pub(crate) warnings: Vec<String>,
    /// Exchanges that had not finished.
    pub(crate) unfinished: usize,
    pub(crate) counts: Progress,
    pub(crate) exchanges: BTreeMap<EdgeName, u64>,
    pub(crate) hidden: BTreeSet<EdgeName>,
}

impl Recorder {
    pub(crate) fn new(
        parties: Arc<Parties>,
        writer: Writer,
        manifest: Manifest,
        scrubber: Scrubber,
        epoch: Timestamp,
        progress: watch::Sender<Progress>,
    ) -> Self {
        let last = TestId(writer.first_test().0.saturating_sub(1));
        Recorder {
            parties,
            writer,
            manifest,
            scrubber,
            epoch,
            progress,
            attribution: Attribution::after(last),
            connections: HashMap::new(),
            dialling: BTreeMap::new(),
            spoken: Spoken::default(),
            asked: HashMap::new(),
            ledger: Ledger::default(),
            warnings: Vec::new(),
            closing: false,
            ending: false,
            failed: None,
            finished: Vec::new(),
            counts: Progress::default(),
            exchanges: BTreeMap::new(),
            hidden: BTreeSet::new(),
            large: BTreeSet::new(),
        }
    }

    /// Takes in what happened; what is complete with it is in the journal afterwards.
    pub(crate) fn tell(&mut self, message: Message) {
        if self.failed.is_some() {
            return;
        }
        self.handle(message);
        self.failed = self.write().err();
        // Nobody waits for the end of an attempt that may take minutes.
        self.counts.under_way = self.attribution.under_way().saturating_sub(self.dialling.len());
        self.counts.edges = self.parties.count();
        self.counts.broken = self.failed.is_some();
        self.show();
    }

    /// Whoever is waked by the counts has to be waked for each exchange, and that costs more than
    /// the recording of it. So they are there to be looked at, and only what is rare is told.
    fn show(&mut self) {
        let (counts, closing) = (&self.counts, self.closing);
        self.progress.send_if_modified(|shown| {
            let news = closing
                || shown.broken != counts.broken
                || shown.listening.len() != counts.listening.len()
                || (shown.requests == 0) != (counts.requests == 0);
            shown.clone_from(counts);
            news
        });
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Listening(address) => {
                let known = &mut self.counts.listening;
                if known.len() < LISTENS && !known.contains(&address) {
                    *known = known.iter().cloned().chain([address]).collect();
                }
            }
            Message::Connected { connection, party, role, ordinal } => {
                let known =
                    Connection { party, role, ordinal, spoke: None, tls: EdgeTls::default() };
                self.connections.insert(connection, known);
            }
            Message::Reached { connection, party, ordinal } => {
                self.reached(connection, party, ordinal)
            }
            Message::Began { connection, id, at } => self.began(connection, id, at),
            Message::Stirred { connection, id, at } => {
                self.attribution.stirred(flow(connection, id), at, &mut self.finished);
            }
            Message::Done { connection, id, protocol, exchange } => {
                self.done(connection, id, protocol, *exchange);
            }
            Message::Taught { connection, protocol, taught } => {
                self.taught(connection, protocol, taught);
            }
            Message::Lost { connection, id } => {
                self.attribution.lost(flow(connection, id), &mut self.finished);
            }
            Message::Secured { connection, tls } => self.secured(connection, tls),
            Message::Over { connection, report } => self.over(connection, &report),
            Message::Dialling { connection, at } => {
                self.dialling.insert(connection, at);
                self.attribution.outbound_began(attempt(connection), at);
            }
            Message::Dialled { connection } => {
                self.dialling.remove(&connection);
                self.attribution.lost(attempt(connection), &mut self.finished);
            }
            Message::NotConnected { party, tried, exchange } => {
                self.not_connected(party, tried, *exchange);
            }
            Message::Resolved { party, exchange } => self.resolved(party, *exchange),
            Message::Ledger(line) => self.ledger.add(line),
            Message::Warning(text) => self.warn(text),
            Message::Closing => self.closing = true,
            Message::Ending => self.ending = true,
        }
    }

    fn warn(&mut self, text: String) {
        if self.warnings.len() < WARNINGS && !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Says once of an edge that it cannot be replayed.
    fn hidden(&mut self, edge: &EdgeName, role: Role, obstacle: &str) {
        let what = format!("edge {edge} is {obstacle} and cannot be replayed");
        match role {
            Role::Inbound => self.warn(format!("{what}; record the app without that")),
            Role::Outbound if self.hidden.insert(edge.clone()) => {
                self.warn(format!("{what}; test with --real {edge}"));
            }
            Role::Outbound => {}
        }
    }

    /// Says once of an edge that a message on it was too large.
    fn omitted(&mut self, edge: &EdgeName, operation: &str) {
        if self.large.insert(edge.clone()) {
            let limit = "more than max-body, of which only length and hash are kept";
            let remedy =
                "to replay it as it was, raise max-body in rehearsal.yaml and record again";
            self.warn(format!("{edge}: {operation} has {limit}; {remedy}"));
        }
    }

    /// The rest of a connection is with that party. What was asked on it before is told already.
    fn reached(&mut self, connection: ConnectionId, party: PartyId, ordinal: u32) {
        if let Some(known) = self.connections.get_mut(&connection) {
            let role = known.role;
            *known = Connection { party, role, ordinal, spoke: None, tls: EdgeTls::default() };
        }
    }

    fn began(&mut self, connection: ConnectionId, id: ExchangeId, at: Moment) {
        let Some(Connection { role, .. }) = self.connections.get(&connection) else { return };
        let flow = flow(connection, id);
        match role {
            Role::Inbound => {
                let time = Timestamp(self.epoch.0 + (at.0 / 1_000_000).cast_signed());
                self.attribution.inbound_began(flow, at, time);
            }
            Role::Outbound => self.attribution.outbound_began(flow, at),
        }
    }

    fn done(
        &mut self,
        connection: ConnectionId,
        id: ExchangeId,
        protocol: &'static dyn Protocol,
        mut exchange: Exchange,
    ) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let flow = flow(connection, id);
        let spoke = *known.spoke.get_or_insert(protocol.name());
        if known.role == Role::Inbound && spoke != protocol.name() {
            // A test is a request on a connection of its own; these are talk on an old one.
            self.attribution.lost(flow, &mut self.finished);
            let party = self.parties.get(known.party).name;
            self.warn(format!("{party}: what follows an upgrade from {spoke} is not recorded"));
            return;
        }
        let Connection { party, role, ordinal, .. } = *known;
        let tls = known.tls.clone();
        let gave_up = gave_up(role, &mut exchange);
        if self.ending {
            exchange.response.iter_mut().for_each(|answer| stream::leave_open(answer, role));
        }
        let facets = protocol.facets();
        let unanswered =
            exchange.failure.is_some() || role == Role::Inbound && says_nothing(facets, &exchange);
        if self.ending && unanswered && !gave_up {
            self.attribution.lost(flow, &mut self.finished);
            return;
        }
        if protocol.shape().keeps_connection {
            exchange.connection = ordinal;
        }
        let mut edge = self.spoken.edge(&self.parties, party, Some(protocol.name()));
        self.spoken.secured(&edge, &tls);
        if role == Role::Outbound
            && let Some((party, request)) = facets.forwarded(&exchange.request)
        {
            let party = self.parties.named(&party);
            edge = self.spoken.edge(&self.parties, party, Some(protocol.name()));
            exchange.request = request;
        }
        *self.exchanges.entry(edge.clone()).or_default() += 1;
        if let Some(obstacle) = facets.obstacle(&exchange.request) {
            self.hidden(&edge, role, obstacle);
        }
        if facets.omits(&exchange.request)
            || exchange.response.as_ref().is_some_and(|answer| facets.omits(answer))
        {
            self.omitted(&edge, &facets.operation(&exchange.request));
        }
        if role == Role::Outbound && facets.sets_up(&exchange.request) {
            self.counts.calls += 1;
            self.attribution.lost(flow, &mut self.finished);
            self.once(edge, facets, exchange);
            return;
        }
        let seen = Seen { edge, exchange, facets };
        match role {
            Role::Inbound => {
                self.counts.requests += 1;
                self.counts.answered = Some(Instant::now());
                self.attribution.inbound_done(flow, seen, &mut self.finished);
            }
            Role::Outbound => {
                self.counts.calls += 1;
                self.attribution.outbound_done(flow, seen, &mut self.finished);
            }
        }
    }

    fn taught(&mut self, connection: ConnectionId, protocol: &dyn Protocol, taught: Taught) {
        let Some(Connection { party, role: Role::Outbound, .. }) =
            self.connections.get(&connection)
        else {
            return;
        };
        let edge = self.spoken.edge(&self.parties, *party, Some(protocol.name()));
        self.spoken.taught(&edge, taught);
    }

    /// A certificate with a flaw makes an edge even if nothing is said: when the app is tested, it
    /// meets that flaw again.
    fn secured(&mut self, connection: ConnectionId, tls: EdgeTls) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let flaw = tls.first.or(tls.midway).is_some_and(|how| how != Certificate::Valid);
        known.tls =
            EdgeTls { server_name: tls.server_name.filter(|_| known.role == Role::Inbound), ..tls };
        if flaw && known.role == Role::Outbound {
            let edge = self.spoken.edge(&self.parties, known.party, None);
            self.spoken.secured(&edge, &known.tls);
        }
    }

    fn over(&mut self, connection: ConnectionId, report: &ConnectionReport) {
        self.counts.bytes += report.client_bytes + report.server_bytes;
        if let Some(Connection { party, .. }) = self.connections.remove(&connection) {
            self.ledger.add(report.ledger_line(self.parties.get(party).name.as_str()));
        }
    }

    /// A refused call is answered by refusing it; it is one test's own when one alone was open.
    /// It is one test's own when one alone was open.
    fn not_connected(&mut self, party: PartyId, tried: Option<ConnectionId>, exchange: Exchange) {
        let gave_up = exchange.failure == Some(Failure::TimedOut);
        let flow = match tried {
            Some(connection) => {
                self.dialling.remove(&connection);
                self.connections.remove(&connection);
                attempt(connection)
            }
            None => Flow(u64::MAX, self.counts.calls),
        };
        if self.ending && !gave_up {
            self.attribution.lost(flow, &mut self.finished);
            return;
        }
        if tried.is_none() {
            self.attribution.outbound_began(flow, exchange.started);
        }
        self.counts.calls += 1;
        let edge = self.spoken.edge(&self.parties, party, None);
        let seen = Seen { edge, exchange, facets: rehearsal_wire::fallback().facets() };
        self.attribution.outbound_done(flow, seen, &mut self.finished);
    }

    /// Dependencies that have not answered until now did not in the time that the app had.
    fn give_up(&mut self, now: Moment) {
        for (connection, started) in std::mem::take(&mut self.dialling) {
            let Some(Connection { party, .. }) = self.connections.get(&connection) else {
                continue;
            };
            let (party, failure) = (*party, Some(Failure::TimedOut));
            let exchange = Exchange { failure, started, finished: now, ..Exchange::default() };
            self.not_connected(party, Some(connection), exchange);
        }
    }

    /// Each question is kept once, with its first answer: how often a name is asked for says
    /// nothing, since every runtime and machine caches in its own way.
    fn resolved(&mut self, party: PartyId, exchange: Exchange) {
        let Some(protocol) = rehearsal_wire::protocol("dns") else { return };
        let edge = self.spoken.edge(&self.parties, party, Some(protocol.name()));
        *self.exchanges.entry(edge.clone()).or_default() += 1;
        self.once(edge, protocol.facets(), exchange);
    }

    /// Keeps an exchange that belongs to no test, unless an equal request is kept already with an
    /// answer that stands.
    fn once(&mut self, edge: EdgeName, facets: &dyn Facets, exchange: Exchange) {
        let request = rehearsal_model::json::to_string(&facets.request(&exchange.request));
        let stands = facets.stands(&exchange.request);
        let answer = exchange
            .response
            .as_ref()
            .filter(|_| stands)
            .map(|answer| hash(&facets.response(&exchange.request, answer)));
        let calls = match self.asked.entry((edge.clone(), request)) {
            Entry::Vacant(place) => {
                place.insert(Asked { answer, changes: 0 });
                0
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                if answer.is_none() || answer == known.answer || known.changes == CHANGES {
                    return;
                }
                *known = Asked { answer, changes: known.changes + 1 };
                self.attribution.calls_before(exchange.started)
            }
        };
        let after = self.attribution.last();
        let mock = Mock { edge, exchange, after, calls, shared_by: Vec::new() };
        self.finished.push(Finished::Mock(Box::new(mock)));
    }

    fn write(&mut self) -> Result<(), StoreError> {
        if let Some(edges) = self.spoken.news(&self.parties) {
            let listens = sorted(&self.counts.listening);
            self.writer.manifest(&Manifest { edges, listens, ..self.manifest.clone() })?;
        }
        for finished in self.finished.drain(..) {
            match finished {
                Finished::Test(mut test) => {
                    self.scrubber.scrub_test(&mut test);
                    self.writer.test(*test)?;
                }
                Finished::Mock(mut mock) => {
                    self.counts.shared += u64::from(!mock.shared_by.is_empty());
                    self.scrubber.scrub(&mut mock.exchange);
                    self.writer.mock(*mock)?;
                }
            }
        }
        self.writer.flush()
    }

    /// Ends with what is there.
    ///
    /// # Errors
    /// The first that was met, with which recording ended.
    pub(crate) fn harvest(mut self, now: Moment) -> Result<Harvest, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.give_up(now);
        let unfinished = self.attribution.finish(&mut self.finished);
        self.write()?;
        Ok(Harvest {
            writer: self.writer,
            edges: self.spoken.edges(&self.parties),
            ledger: self.ledger,
            warnings: self.warnings,
            unfinished,
            counts: self.counts,
            exchanges: self.exchanges,
            hidden: self.hidden,
        })
    }
}

/// Whether an answer has nothing in it: the connection may have been ended, by us, before one came.
fn says_nothing(facets: &dyn Facets, exchange: &Exchange) -> bool {
    let Some(answer) = &exchange.response else { return true };
    match facets.response(&exchange.request, answer) {
        Value::Map(said) => {
            said.iter().next().is_some() && said.iter().all(|(_, said)| said.as_text() == Some(""))
        }
        _ => false,
    }
}

/// Whether the app gave up a call; what came afterwards was not for it. Callers of the app may close
/// their side and wait nevertheless.
fn gave_up(role: Role, exchange: &mut Exchange) -> bool {
    match (role, exchange.failure, &exchange.response) {
        (Role::Outbound, Some(Failure::TimedOut), _) => {
            exchange.response = None;
            true
        }
        (Role::Inbound, Some(Failure::TimedOut), response) => {
            exchange.failure = response.is_none().then_some(Failure::Closed);
            false
        }
        _ => false,
    }
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    rehearsal_model::json::to_string(value).hash(&mut hasher);
    hasher.finish()
}

/// Where the app listens, in an order that does not depend on which service was the first.
pub(crate) fn sorted(listening: &[String]) -> Vec<String> {
    let mut listens = listening.to_vec();
    listens.sort();
    listens
}

/// The attempt to reach the dependency's side of a connection.
fn attempt(connection: ConnectionId) -> Flow {
    Flow(connection.0, u64::MAX)
}

fn flow(connection: ConnectionId, id: ExchangeId) -> Flow {
    Flow(connection.0, id.0)
}

#[cfg(test)]
mod tests;
