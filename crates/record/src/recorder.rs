//! The one owner of what is recorded: turns messages into tests and mocks and hands them to the
//! store.
//!
//! `sink, policy, engine --Message--> Recorder --TestCase, Mock--> store::Writer`

use crate::attribution::{Attribution, Finished, Flow, Seen};
use crate::edges::{Parties, PartyId, Spoken};
use crate::given::Given;
use crate::numbers::ByNumber;
use crate::options::Keep;
use crate::pace::Pace;
use crate::progress::Progress;
use crate::sink::Message;
use crate::suite::Suite;
use rehearsal_capture::Caller;
use rehearsal_model::{
    Certificate, Edge, EdgeName, EdgeTls, Exchange, ExchangeId, Failure, Ledger, Manifest, Moment,
    Role, TestId, Timestamp, Value, stream,
};
use rehearsal_proxy::{ConnectionId, ConnectionReport};
use rehearsal_store::StoreError;
use rehearsal_store::scrub::Scrubber;
use rehearsal_store::writer::Writer;
use rehearsal_wire::{Bracket, Facets, Protocol, Taught};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

mod kept_once;
mod learning;
mod rotation;
use kept_once::Asked;
pub(crate) use learning::{Learning, Question};
pub(crate) use rotation::Rotation;

/// Warnings kept; more of them say nothing new.
const WARNINGS: usize = 50;
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
    connections: ByNumber<ConnectionId, Connection>,
    /// Those whose dependency has not answered yet, and since when.
    dialling: BTreeMap<ConnectionId, Moment>,
    spoken: Spoken,
    /// What is kept once and is kept already: questions for names, the setting up of connections.
    asked: HashMap<(EdgeName, String), Asked>,
    given: Given,
    pace: Pace,
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
    /// Which tests make the calls, when the app is another test runner.
    suite: Option<Suite>,
    /// Which tests are kept, when not all are.
    keep: Option<Keep>,
    learning: Learning,
    /// How it goes on in another recording, when it may become too large.
    rotation: Option<Rotation>,
}

struct Connection {
    party: PartyId,
    role: Role,
    ordinal: u32,
    /// The protocol of its first exchange.
    spoke: Option<&'static str>,
    /// When it is TLS.
    tls: EdgeTls,
    /// The name by which its client asked for the server in TLS.
    called: Option<String>,
    /// Which process made it, where that is of interest.
    caller: Option<Caller>,
}

/// What is left when nothing more will be told.
pub(crate) struct Harvest {
    pub(crate) writer: Writer,
    /// The recordings that were closed before it.
    pub(crate) parts: Vec<rehearsal_store::writer::Finished>,
    /// Whether there is nothing in the last that is not in these.
    pub(crate) spare: bool,
    pub(crate) edges: Vec<Edge>,
    pub(crate) ledger: Ledger,
    pub(crate) warnings: Vec<String>,
    /// Exchanges that had not finished.
    pub(crate) unfinished: usize,
    pub(crate) counts: Progress,
    pub(crate) exchanges: BTreeMap<EdgeName, u64>,
    pub(crate) hidden: BTreeSet<EdgeName>,
    /// What is known of messages, with what was told while recording.
    pub(crate) schemas: Vec<u8>,
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
        let first = writer.first_test();
        Recorder {
            parties,
            writer,
            manifest,
            scrubber,
            epoch,
            progress,
            attribution: Attribution::after(TestId(first.0.saturating_sub(1))),
            connections: ByNumber::default(),
            dialling: BTreeMap::new(),
            spoken: Spoken::default(),
            asked: HashMap::new(),
            given: Given::since(first),
            pace: Pace::default(),
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
            suite: None,
            keep: None,
            learning: Learning::default(),
            rotation: None,
        }
    }

    /// Asks servers of what their messages are made.
    pub(crate) fn learning(self, learning: Learning) -> Self {
        Recorder { learning, ..self }
    }

    /// Keeps some of the tests only.
    pub(crate) fn keeping(self, keep: Option<Keep>) -> Self {
        Recorder { keep, ..self }
    }

    /// Records the calls of another test runner.
    pub(crate) fn of_suite(self) -> Self {
        Recorder { suite: Some(Suite::default()), ..self }
    }

    /// Takes in what happened; what is complete with it is kept by [`Recorder::settle`].
    pub(crate) fn tell(&mut self, message: Message) {
        if self.failed.is_some() {
            return;
        }
        self.take_in(message);
        self.failed = self.write().and_then(|()| self.rotate()).err();
        self.count();
    }

    /// Brings what is complete into the journal, in one write.
    pub(crate) fn settle(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.writer.flush()
        {
            self.failed = Some(error);
            self.count();
        }
    }

    fn count(&mut self) {
        // Nobody waits for the end of an attempt that may take minutes.
        self.counts.under_way = self.attribution.under_way().saturating_sub(self.dialling.len());
        self.counts.edges = self.parties.count();
        self.counts.broken = self.failed.is_some();
        self.counts.asking = self.learning.awaits();
        self.show();
    }

    /// Whoever is waked by the counts has to be waked for each exchange, and that costs more than
    /// the recording of it. So they are there to be looked at, and only what is rare is told.
    fn show(&mut self) {
        let (counts, closing) = (&self.counts, self.closing);
        self.progress.send_if_modified(|shown| {
            let news = closing
                || (shown.broken, shown.asking) != (counts.broken, counts.asking)
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
            Message::Connected { connection, party, role, ordinal, caller } => {
                let (spoke, tls, called) = (None, EdgeTls::default(), None);
                let known = Connection { party, role, ordinal, spoke, tls, called, caller };
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
            // Nobody waits for it any more: it was taken in before, or comes too late.
            Message::Described { .. } => {}
            Message::Taught { connection, protocol, taught } => {
                self.taught(connection, protocol, taught);
            }
            Message::Unasked { connection, is_so } => {
                self.attribution.opens_unasked(connection.0, is_so, &mut self.finished);
            }
            Message::Lost { connection, id } => {
                self.suite.iter_mut().for_each(|suite| suite.lost(flow(connection, id)));
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
            let (role, spoke, tls) = (known.role, None, EdgeTls::default());
            let (caller, called) = (known.caller.take(), None);
            *known = Connection { party, role, ordinal, spoke, tls, called, caller };
        }
    }

    fn began(&mut self, connection: ConnectionId, id: ExchangeId, at: Moment) {
        let Some(Connection { role, caller, .. }) = self.connections.get(&connection) else {
            return;
        };
        let flow = flow(connection, id);
        if let Some(suite) = &mut self.suite {
            return suite.began(flow, caller.as_ref());
        }
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
        if known.role == Role::Inbound && self.suite.is_some() {
            return;
        }
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
        self.learning.show(protocol, &mut exchange);
        let gave_up = gave_up(role, &mut exchange);
        if self.ending {
            exchange.response.iter_mut().for_each(|answer| stream::leave_open(answer, role));
        }
        let facets = protocol.facets();
        let unanswered = || {
            exchange.failure.is_some() || role == Role::Inbound && says_nothing(facets, &exchange)
        };
        if self.ending && !gave_up && unanswered() {
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
        if role == Role::Outbound {
            self.given.renumber(&edge, facets, &mut exchange);
        }
        *self.exchanges.entry(edge.clone()).or_default() += 1;
        let sets_up = role == Role::Outbound && facets.sets_up(&exchange.request);
        if !sets_up {
            self.pace.answered(&edge, &exchange);
        }
        if let Some(obstacle) = facets.obstacle(&exchange.request) {
            self.hidden(&edge, role, obstacle);
        }
        if facets.omits(&exchange.request)
            || exchange.response.as_ref().is_some_and(|answer| facets.omits(answer))
        {
            self.omitted(&edge, &facets.operation(&exchange.request));
        }
        if sets_up {
            self.counts.calls += 1;
            if let Some(Bracket::Unasked(is_so)) = facets.bracket(&exchange.request) {
                self.attribution.opens_unasked(connection.0, is_so, &mut self.finished);
            }
            self.attribution.lost(flow, &mut self.finished);
            self.once(edge, facets, exchange);
            return;
        }
        self.place(role, flow, Seen { edge, exchange, facets });
    }

    /// Finds out to which test an exchange belongs.
    fn place(&mut self, role: Role, flow: Flow, seen: Seen) {
        match role {
            Role::Inbound => {
                self.counts.requests += 1;
                self.counts.answered = Some(Instant::now());
                self.attribution.inbound_done(flow, seen, &mut self.finished);
            }
            Role::Outbound => {
                self.counts.calls += 1;
                match &mut self.suite {
                    Some(suite) => self.finished.push(suite.done(flow, seen)),
                    None => self.attribution.outbound_done(flow, seen, &mut self.finished),
                }
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
        known.called.clone_from(&tls.server_name);
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
        self.attribution.closed(connection.0, &mut self.finished);
        if let Some(Connection { party, .. }) = self.connections.remove(&connection) {
            self.ledger.add(report.ledger_line(self.parties.get(party).name.as_str()));
        }
    }

    /// A refused call is answered by refusing it; it is one test's own when one alone was open.
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
        if let Some(suite) = &mut self.suite {
            self.attribution.lost(flow, &mut self.finished);
            self.finished.push(suite.done(flow, seen));
            return;
        }
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

    fn write(&mut self) -> Result<(), StoreError> {
        if let Some(edges) = self.spoken.news(&self.parties) {
            let listens = sorted(&self.counts.listening);
            self.writer.manifest(&Manifest { edges, listens, ..self.manifest.clone() })?;
        }
        for finished in self.finished.drain(..) {
            match finished {
                Finished::Test(test)
                    if self.keep.as_ref().is_some_and(|keep| {
                        !keep.keeps(&test, &self.spoken.edges(&self.parties))
                    }) => {}
                Finished::Test(mut test) => {
                    self.pace.test(&test);
                    self.scrubber.scrub_test(&mut test);
                    self.writer.test(*test)?;
                    self.rotation.iter_mut().for_each(Rotation::wrote);
                }
                Finished::Mock(mut mock) => {
                    self.counts.shared += u64::from(!mock.shared_by.is_empty());
                    self.scrubber.scrub(&mut mock.exchange);
                    if let Some(rotation) = &mut self.rotation {
                        rotation.wrote();
                        if mock.after == TestId(0) && mock.shared_by.is_empty() {
                            rotation.keep(&mock);
                        }
                    }
                    self.writer.mock(*mock)?;
                }
            }
        }
        Ok(())
    }

    /// Ends with what is there.
    ///
    /// # Errors
    /// The first that was met, with which recording ended.
    pub(crate) fn harvest(mut self, now: Moment) -> Result<Harvest, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.take_in_the_rest();
        self.give_up(now);
        let unfinished = self.attribution.finish(&mut self.finished);
        self.write()?;
        self.writer.flush()?;
        let (parts, spare) = self.parts()?;
        Ok(Harvest {
            parts,
            spare,
            writer: self.writer,
            edges: self.pace.of(self.spoken.edges(&self.parties)),
            ledger: self.ledger,
            warnings: self.warnings,
            unfinished,
            counts: self.counts,
            exchanges: self.exchanges,
            hidden: self.hidden,
            schemas: self.manifest.schemas,
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
