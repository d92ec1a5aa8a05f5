//! The mocks of one recording, ready to be found and compared.
//!
//! Immutable, shared by every connection of a run. Exchanges are decoded, and comparison forms made,
//! when they are first needed: a run of one test out of thousands pays for that one.

use crate::families;
use rehearsal_compare::{Rules, Span, compare, may_be_renamed};
use rehearsal_matching::{Entry, Library, Place, fingerprint};
use rehearsal_model::{
    Call, CallName, Difference, EdgeName, EdgeTls, Exchange, Failure, Map, Role, Settings, Tables,
    TestCase, TestId, Timestamp, Value,
};
use rehearsal_store::StoreError;
use rehearsal_store::cache::{Loaded, MockHead};
use rehearsal_wire::{Facets, Limits, Protocol, Schemas};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// The number of an edge in [`Shelf::edges`].
pub(crate) type EdgeNumber = u32;

/// An edge of the recording with its protocol.
#[derive(Clone)]
pub(crate) struct ShelfEdge {
    pub(crate) name: EdgeName,
    pub(crate) role: Role,
    /// What was recorded of it.
    recorded: &'static dyn Protocol,
    /// What its clients turned out to speak while it is replayed, when nothing was heard of it before.
    heard: OnceLock<&'static dyn Protocol>,
    pub(crate) addresses: Vec<String>,
    /// Of what is TLS there: the state of the certificate that the app is shown, or how to ask for it.
    pub(crate) tls: EdgeTls,
    /// What of the schema of a database was used.
    pub(crate) tables: Tables,
    /// Whether the recording knows how long its answers took.
    pub(crate) is_timed: bool,
    /// Who answers for it, by the settings.
    pub(crate) owner: Option<String>,
    /// Whether anything is recorded of it.
    pub(crate) said_anything: bool,
    /// What its first connection spoke, as TLS calls it.
    pub(crate) spoken: &'static [&'static str],
    /// How every recorded attempt to connect failed, when none succeeded.
    pub(crate) always_fails: Option<Failure>,
}

impl ShelfEdge {
    /// What is spoken there.
    pub(crate) fn protocol(&self) -> &'static dyn Protocol {
        self.heard.get().copied().unwrap_or(self.recorded)
    }

    /// Whether what is spoken there has to be found out: its connections were made and nothing was said.
    pub(crate) fn is_unheard(&self) -> bool {
        !self.said_anything && self.recorded.name() == rehearsal_wire::fallback().name()
    }

    /// Notes what a client spoke. The first one counts.
    pub(crate) fn hear(&self, protocol: &'static dyn Protocol) {
        if self.is_unheard() {
            self.heard.get_or_init(|| protocol);
        }
    }
}

/// See the module.
pub(crate) struct Shelf {
    loaded: Arc<Loaded>,
    pub(crate) edges: Vec<ShelfEdge>,
    pub(crate) library: Library,
    /// For each edge whose requests have no end of their own, its mocks in the order of the timeline.
    endless: Vec<Vec<u32>>,
    mocks: Vec<OnceLock<Box<Decoded>>>,
    /// What sessions know beforehand.
    pub(crate) limits: Limits,
    settings: Settings,
    /// The first exchange that could not be decoded.
    damage: OnceLock<StoreError>,
}

/// A mock and its request in comparison form.
struct Decoded {
    exchange: Exchange,
    form: Value,
    /// Whether its answer may be another in this run.
    renamed: bool,
    headline: OnceLock<Headline>,
}

/// What people call a request, and what it is about.
#[derive(PartialEq)]
pub(crate) struct Headline {
    pub(crate) operation: String,
    pub(crate) subject: Option<String>,
}

impl Headline {
    pub(crate) fn of(facets: &dyn Facets, request: &Map) -> Self {
        Headline { operation: facets.operation(request), subject: facets.subject(request) }
    }
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It names a protocol that this release does not speak.
    #[error("replay edge {edge}: protocol {protocol:?} is unknown to this release")]
    UnknownProtocol {
        /// The edge.
        edge: EdgeName,
        /// What it says.
        protocol: String,
    },
    /// A part of it cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A noise path cannot be read.
    #[error("read a noise path of {place}: {problem}")]
    Noise {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Shelf {
    pub(crate) fn new(mut loaded: Loaded, settings: &Settings) -> Result<Self, ShelfError> {
        let mut edges = edges(&loaded, settings)?;
        let entries = std::mem::take(&mut loaded.prints);
        look_at_first(&mut edges, &entries, &loaded)?;
        Self::of(Arc::new(loaded), edges, entries, settings)
    }

    /// The mocks of another test runner that are no single test's.
    pub(crate) fn of_no_test(loaded: Loaded, settings: &Settings) -> Result<Self, ShelfError> {
        let mut edges = edges(&loaded, settings)?;
        look_at_first(&mut edges, &loaded.prints, &loaded)?;
        let of_none = |entry: &&Entry| match entry.place {
            Place::Call { .. } => true,
            Place::Ambient { index, .. } | Place::Shared { index } => {
                loaded.mocks[index as usize].of_test.is_none()
            }
        };
        let entries = loaded.prints.iter().filter(of_none).copied().collect();
        Self::of(Arc::new(loaded), edges, entries, settings)
    }

    /// These mocks of the same recording alone.
    pub(crate) fn part(&self, entries: Vec<Entry>) -> Result<Self, ShelfError> {
        Self::of(Arc::clone(&self.loaded), self.edges.clone(), entries, &self.settings)
    }

    fn of(
        loaded: Arc<Loaded>,
        edges: Vec<ShelfEdge>,
        entries: Vec<Entry>,
        settings: &Settings,
    ) -> Result<Self, ShelfError> {
        let mut endless = vec![Vec::new(); edges.len()];
        for (entry, mock) in entries.iter().zip(0u32..) {
            if edges[entry.edge as usize].protocol().shape().keeps_connection {
                endless[entry.edge as usize].push(mock);
            }
        }
        let mocks = std::iter::repeat_with(OnceLock::new).take(entries.len()).collect();
        let shared_by = |index: u32| loaded.mocks[index as usize].shared_by.clone();
        let library = Library::new(entries, shared_by);
        let (settings, damage) = (settings.clone(), OnceLock::new());
        // They were read when the recording was.
        let schemas = Schemas::shared(&loaded.manifest.schemas).ok().flatten();
        let limits = Limits { schemas, ..Limits::default() };
        Ok(Shelf { loaded, edges, library, endless, mocks, limits, settings, damage })
    }

    /// What finding its mocks takes beside their fingerprints, by their places.
    pub(crate) fn heads(&self) -> &[MockHead] {
        &self.loaded.mocks
    }

    /// All mocks of the recording that [`Shelf::of_no_test`] was made of.
    pub(crate) fn all_prints(&self) -> &[Entry] {
        &self.loaded.prints
    }

    /// Whether a mock of an edge is here.
    pub(crate) fn has_mocks(&self, edge: EdgeNumber) -> bool {
        self.library.entries().iter().any(|entry| entry.edge == edge)
    }

    /// A test, whole.
    pub(crate) fn test(&self, id: TestId) -> Result<TestCase, StoreError> {
        self.loaded.test(id)
    }

    /// Whether the connections to an edge are let through, so that its calls are not seen.
    pub(crate) fn is_real(&self, edge: &EdgeName) -> bool {
        self.settings.edges.iter().any(|setting| setting.real && setting.name == edge.as_str())
    }

    /// The edges as the recording has them.
    pub(crate) fn recorded_edges(&self) -> &[rehearsal_model::Edge] {
        &self.loaded.manifest.edges
    }

    /// What people call a test.
    pub(crate) fn name(&self, id: TestId) -> String {
        self.loaded.head(id).map_or_else(String::new, |head| head.name.clone())
    }

    /// The earlier tests beside which one began.
    pub(crate) fn during(&self, id: TestId) -> &[TestId] {
        self.loaded.head(id).map_or(&[], |head| &head.during)
    }

    /// Which tests overlapped others when they were recorded.
    pub(crate) fn overlapped(&self) -> HashSet<TestId> {
        let with = |id: TestId| {
            let beside = self.during(id);
            beside.iter().copied().chain((!beside.is_empty()).then_some(id))
        };
        self.loaded.tests.iter().map(|head| head.id).flat_map(with).collect()
    }

    /// The edge that a test calls.
    pub(crate) fn tested_edge(&self, id: TestId) -> Option<&EdgeName> {
        self.loaded.head(id).map(|head| &head.edge)
    }

    /// From when to when it was recorded, in nanoseconds since 1970, as far as its tests tell: what
    /// belongs to no test came a while before the first and after the last.
    pub(crate) fn recorded(&self) -> Span {
        const WHILE: i128 = 600 * 1_000_000_000;
        const SUITE: i128 = 6 * 3_600 * 1_000_000_000;
        let times = || self.loaded.tests.iter().map(|test| nanoseconds(test.at));
        if let (None, Some(at)) = (self.loaded.tests.first(), self.loaded.manifest.at) {
            return nanoseconds(at) - WHILE..nanoseconds(at) + SUITE;
        }
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        first - WHILE..last + WHILE
    }

    /// At how many addresses the app listened when it was recorded.
    pub(crate) fn listens(&self) -> usize {
        self.loaded.manifest.listens.len()
    }

    /// Why an exchange could not be decoded, if that has happened.
    pub(crate) fn damage(&self) -> Option<String> {
        self.damage.get().map(ToString::to_string)
    }

    fn decoded(&self, mock: u32) -> &Decoded {
        self.mocks[mock as usize].get_or_init(|| {
            let exchange = match self.library.entry(mock).place {
                Place::Call { test, index } => self.loaded.call_exchange(test, index),
                Place::Ambient { index, .. } | Place::Shared { index } => {
                    self.loaded.mock(index).map(|mock| mock.exchange)
                }
            };
            let exchange = exchange.unwrap_or_else(|error| {
                let _ = self.damage.set(error);
                Exchange::default()
            });
            let form = self.edge_of(mock).protocol().facets().request(&exchange.request);
            let renamed = exchange.response.as_ref().is_some_and(may_be_renamed);
            Box::new(Decoded { exchange, form, renamed, headline: OnceLock::new() })
        })
    }

    pub(crate) fn exchange(&self, mock: u32) -> &Exchange {
        &self.decoded(mock).exchange
    }

    /// Whether the answer of a mock may be another in this run: something in it looks invented.
    pub(crate) fn may_be_renamed(&self, mock: u32) -> bool {
        self.decoded(mock).renamed
    }

    /// The request of a mock in comparison form.
    pub(crate) fn form(&self, mock: u32) -> &Value {
        &self.decoded(mock).form
    }

    pub(crate) fn headline(&self, mock: u32) -> &Headline {
        let Decoded { exchange, headline, .. } = self.decoded(mock);
        let facets = self.edge_of(mock).protocol().facets();
        headline.get_or_init(|| Headline::of(facets, &exchange.request))
    }

    /// Whether a request may yet become one that is recorded.
    pub(crate) fn begins_any(&self, edge: EdgeNumber, request: &Map) -> bool {
        let facets = self.edges[edge as usize].protocol().facets();
        let begins = |mock: &u32| facets.begins(request, &self.exchange(*mock).request);
        self.endless[edge as usize].iter().any(begins)
    }

    /// The recorded requests with which a request begins, in recorded order.
    pub(crate) fn beginnings(&self, edge: EdgeNumber, request: &Map) -> impl Iterator<Item = u32> {
        let facets = self.edges[edge as usize].protocol().facets();
        let begins = move |mock: &u32| facets.goes_beyond(request, &self.exchange(*mock).request);
        self.endless[edge as usize].iter().copied().filter(begins)
    }

    /// Which parts of its messages matter on an edge of the recording.
    pub(crate) fn facets(&self, edge: &EdgeName) -> Option<&'static dyn Facets> {
        let edge = self.edges.iter().find(|known| known.name == *edge);
        edge.map(|edge| edge.protocol().facets())
    }

    /// What people call a request.
    pub(crate) fn operation(&self, edge: &EdgeName, request: &Map) -> String {
        if request.is_empty() {
            return "connect".to_owned();
        }
        self.facets(edge).map_or_else(String::new, |facets| facets.operation(request))
    }

    /// The calls of a test by name.
    pub(crate) fn calls(&self, test: &TestCase) -> Vec<CallName> {
        let name = |call: &Call| CallName {
            edge: call.edge.to_string(),
            operation: self.operation(&call.edge, &call.exchange.request),
        };
        test.calls.iter().map(name).collect()
    }

    pub(crate) fn edge_of(&self, mock: u32) -> &ShelfEdge {
        &self.edges[self.library.entry(mock).edge as usize]
    }

    /// Whether nobody ever listened on an edge's addresses, all of this machine, while their twins in the
    /// other address family were reached.
    pub(crate) fn is_aside(&self, edge: &EdgeName) -> bool {
        let Some(edge) = self.edges.iter().find(|known| known.name == *edge) else { return false };
        let reached = |twin: SocketAddr| {
            let mut others = self.edges.iter().filter(|other| other.role == Role::Outbound);
            let twin = twin.to_string();
            others.any(|it| it.always_fails.is_none() && it.addresses.contains(&twin))
        };
        let aside =
            |address: &String| address.parse().ok().and_then(families::twin).is_some_and(reached);
        let nobody = edge.always_fails.is_some() && !edge.addresses.is_empty();
        nobody && edge.addresses.iter().all(aside)
    }

    /// Whether a mock may answer more often than it did when it was recorded.
    pub(crate) fn answers_again(&self, mock: u32) -> bool {
        matches!(self.library.entry(mock).place, Place::Ambient { .. })
    }

    /// The path at which people see the request of a mock.
    pub(crate) fn root(&self, mock: u32) -> String {
        match self.library.entry(mock).place {
            Place::Call { index, .. } => format!("calls[{index}]"),
            Place::Ambient { index, .. } | Place::Shared { index } => format!("mocks[{index}]"),
        }
    }

    /// Where a request, in comparison form, differs from that of a mock.
    pub(crate) fn compare(
        &self,
        mock: u32,
        expected: &Value,
        actual: &Value,
        rules: &Rules,
    ) -> Vec<Difference> {
        let root = self.root(mock);
        match self.library.entry(mock).place {
            Place::Call { .. } => compare(expected, actual, &root, rules),
            Place::Ambient { .. } | Place::Shared { .. } => {
                compare(expected, actual, &root, &rules.of_no_test())
            }
        }
    }

    /// What a mock is called in messages, from the point of view of a test.
    pub(crate) fn place(&self, mock: u32, current: TestId) -> String {
        match self.library.entry(mock).place {
            Place::Call { test, index } if test == current => {
                format!("call {} of this test", index + 1)
            }
            Place::Call { test, index } => format!("call {} of test {}", index + 1, test.0),
            Place::Ambient { index, .. } => format!("ambient mock {}", index + 1),
            Place::Shared { index } => format!("shared mock {}", index + 1),
        }
    }

    /// What may differ while a test runs, in its response, its calls and the ambient mocks.
    /// `strict` leaves out what was learned.
    pub(crate) fn rules(&self, test: Option<&TestCase>, strict: bool) -> Result<Rules, ShelfError> {
        let mut paths: Vec<String> = self.settings.noise.clone();
        for edge in &self.settings.edges {
            for path in &edge.noise {
                paths.push(format!("mocks[*].{path}"));
                let calls = test.map_or(&[][..], |test| &test.calls);
                let theirs =
                    calls.iter().enumerate().filter(|(_, call)| call.edge.as_str() == edge.name);
                paths.extend(theirs.map(|(index, _)| format!("calls[{index}].{path}")));
            }
        }
        let wrong = |problem: &dyn std::fmt::Display| ShelfError::Noise {
            place: match test {
                Some(test) => format!("test {}, or of rehearsal.yaml", test.id.0),
                None => "rehearsal.yaml".to_owned(),
            },
            problem: problem.to_string(),
        };
        let mut rules = Rules::noise(&paths).map_err(|error| wrong(&error))?;
        let noise = test.into_iter().flat_map(|test| &test.noise);
        for noise in noise.filter(|noise| !strict || noise.learned.is_none()) {
            rules.add(noise).map_err(|error| wrong(&error))?;
        }
        Ok(rules)
    }
}

/// Nanoseconds since 1970.
pub(crate) fn nanoseconds(time: Timestamp) -> i128 {
    i128::from(time.0) * 1_000_000
}

fn edges(loaded: &Loaded, settings: &Settings) -> Result<Vec<ShelfEdge>, ShelfError> {
    let set = |name: &EdgeName| settings.edges.iter().find(|setting| setting.name == name.as_str());
    let edge = |edge: &rehearsal_model::Edge| {
        let protocol = rehearsal_wire::protocol(&edge.protocol).ok_or_else(|| {
            ShelfError::UnknownProtocol { edge: edge.name.clone(), protocol: edge.protocol.clone() }
        })?;
        Ok(ShelfEdge {
            name: edge.name.clone(),
            role: edge.role,
            recorded: protocol,
            heard: OnceLock::new(),
            addresses: edge.addresses.clone(),
            tls: edge.tls.clone(),
            tables: edge.tables.clone(),
            is_timed: edge.latency.answers.is_some(),
            owner: set(&edge.name).and_then(|setting| setting.owner.clone()),
            said_anything: false,
            spoken: &[],
            always_fails: None,
        })
    };
    loaded.manifest.edges.iter().map(edge).collect()
}

/// Notes of each edge how every attempt to connect to it failed, when none succeeded: then all that
/// is recorded of it are exchanges without a request. Notes what was spoken over TLS.
fn look_at_first(
    edges: &mut [ShelfEdge],
    entries: &[Entry],
    loaded: &Loaded,
) -> Result<(), StoreError> {
    let mut first: Vec<Option<Place>> = vec![None; edges.len()];
    let mut reached = vec![false; edges.len()];
    let nothing: Vec<u64> = edges
        .iter()
        .map(|edge| fingerprint(&edge.protocol().facets().request(&Map::new())))
        .collect();
    for entry in entries {
        let edge = entry.edge as usize;
        first[edge].get_or_insert(entry.place);
        edges[edge].said_anything = true;
        reached[edge] |= entry.values != nothing[edge];
    }
    for ((edge, first), reached) in edges.iter_mut().zip(first).zip(reached) {
        let Some(place) = first.filter(|_| !reached || edge.tls.first.is_some()) else { continue };
        let exchange = match place {
            Place::Call { test, index } => loaded.call_exchange(test, index)?,
            Place::Ambient { index, .. } | Place::Shared { index } => loaded.mock(index)?.exchange,
        };
        if !exchange.request.is_empty() {
            edge.spoken = edge.protocol().alpn(&exchange.request);
        } else if !reached {
            edge.always_fails = exchange.failure;
        }
    }
    Ok(())
}
