//! The mocks of one recording, ready to be found and compared.
//!
//! Immutable, shared by every connection of a run. Comparison forms are made when they are first
//! needed.

use rehearsal_compare::Rules;
use rehearsal_matching::{Entry, Library, Place, fingerprint};
use rehearsal_model::{
    EdgeName, Exchange, Failure, Map, Recording, Role, Settings, TestCase, TestId, Value,
};
use rehearsal_wire::Protocol;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The number of an edge in [`Shelf::edges`].
pub(crate) type EdgeNumber = u32;

/// An edge of the recording with its protocol.
pub(crate) struct ShelfEdge {
    pub(crate) name: EdgeName,
    pub(crate) role: Role,
    pub(crate) protocol: &'static dyn Protocol,
    pub(crate) addresses: Vec<String>,
    /// How every recorded attempt to connect failed, when none succeeded.
    pub(crate) always_fails: Option<Failure>,
}

/// See the module.
pub(crate) struct Shelf {
    pub(crate) recording: Recording,
    pub(crate) edges: Vec<ShelfEdge>,
    pub(crate) library: Library,
    /// For each edge, its mocks in the order of the timeline.
    by_edge: Vec<Vec<u32>>,
    forms: Vec<OnceLock<Value>>,
    tests: HashMap<TestId, usize>,
    settings: Settings,
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
    /// A call or mock is on an edge that `recording.yaml` does not have.
    #[error("replay a call on edge {0}: recording.yaml has no such edge")]
    UnknownEdge(EdgeName),
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
    pub(crate) fn new(recording: Recording, settings: &Settings) -> Result<Self, ShelfError> {
        let edges = edges(&recording)?;
        let number = |name: &EdgeName| {
            let found = edges.iter().position(|edge| edge.name == *name);
            found.ok_or_else(|| ShelfError::UnknownEdge(name.clone()))
        };
        let mut entries = Vec::new();
        let mut add = |edge: &EdgeName, exchange: &Exchange, place| {
            let number = number(edge)?;
            entries.push(entry(number, edges[number].protocol, exchange, place));
            Ok(())
        };
        let mut mocks = recording.mocks.iter().zip(0u32..).peekable();
        let mut add_mocks_before =
            |test: TestId, add: &mut dyn FnMut(_, _, _) -> Result<(), ShelfError>| {
                while let Some((mock, index)) = mocks.next_if(|(mock, _)| mock.after < test) {
                    let place = match mock.shared_by.as_slice() {
                        [] => Place::Ambient { after: mock.after, index },
                        _ => Place::Shared { index },
                    };
                    add(&mock.edge, &mock.exchange, place)?;
                }
                Ok(())
            };
        for test in &recording.tests {
            add_mocks_before(test.id, &mut add)?;
            for (call, index) in test.calls.iter().zip(0u32..) {
                add(&call.edge, &call.exchange, Place::Call { test: test.id, index })?;
            }
        }
        add_mocks_before(TestId(u32::MAX), &mut add)?;
        let forms = std::iter::repeat_with(OnceLock::new).take(entries.len()).collect();
        let mut by_edge = vec![Vec::new(); edges.len()];
        for (entry, mock) in entries.iter().zip(0u32..) {
            by_edge[entry.edge as usize].push(mock);
        }
        let shared_by = |index: u32| recording.mocks[index as usize].shared_by.clone();
        let library = Library::new(entries, shared_by);
        let tests = recording.tests.iter().enumerate().map(|(at, test)| (test.id, at)).collect();
        Ok(Shelf { recording, edges, library, by_edge, forms, tests, settings: settings.clone() })
    }

    pub(crate) fn test(&self, id: TestId) -> Option<&TestCase> {
        self.tests.get(&id).map(|at| &self.recording.tests[*at])
    }

    pub(crate) fn exchange(&self, mock: u32) -> &Exchange {
        match self.library.entry(mock).place {
            Place::Call { test, index } => {
                &self.recording.tests[self.tests[&test]].calls[index as usize].exchange
            }
            Place::Ambient { index, .. } | Place::Shared { index } => {
                &self.recording.mocks[index as usize].exchange
            }
        }
    }

    /// Whether a request may yet become one that is recorded.
    pub(crate) fn begins_any(&self, edge: EdgeNumber, request: &Map) -> bool {
        let facets = self.edges[edge as usize].protocol.facets();
        let begins = |mock: &u32| facets.begins(request, &self.exchange(*mock).request);
        self.by_edge[edge as usize].iter().any(begins)
    }

    pub(crate) fn edge_of(&self, mock: u32) -> &ShelfEdge {
        &self.edges[self.library.entry(mock).edge as usize]
    }

    /// The request of a mock in comparison form.
    pub(crate) fn form(&self, mock: u32) -> &Value {
        self.forms[mock as usize].get_or_init(|| {
            self.edge_of(mock).protocol.facets().request(&self.exchange(mock).request)
        })
    }

    /// The path at which people see the request of a mock.
    pub(crate) fn root(&self, mock: u32) -> String {
        match self.library.entry(mock).place {
            Place::Call { index, .. } => format!("calls[{index}]"),
            Place::Ambient { index, .. } | Place::Shared { index } => format!("mocks[{index}]"),
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
    pub(crate) fn rules(&self, id: TestId) -> Result<Rules, ShelfError> {
        let test = self.test(id);
        let mut paths: Vec<String> = self.settings.noise.clone();
        paths.extend(test.into_iter().flat_map(|test| test.noise.iter().cloned()));
        for edge in &self.settings.edges {
            for path in &edge.noise {
                paths.push(format!("mocks[*].{path}"));
                let calls = test.map_or(&[][..], |test| &test.calls);
                let theirs =
                    calls.iter().enumerate().filter(|(_, call)| call.edge.as_str() == edge.name);
                paths.extend(theirs.map(|(index, _)| format!("calls[{index}].{path}")));
            }
        }
        Rules::noise(&paths).map_err(|problem| ShelfError::Noise {
            place: format!("test {id}, or of rehearsal.yaml"),
            problem: problem.to_string(),
        })
    }
}

fn edges(recording: &Recording) -> Result<Vec<ShelfEdge>, ShelfError> {
    let edge = |edge: &rehearsal_model::Edge| {
        let protocol = rehearsal_wire::protocol(&edge.protocol).ok_or_else(|| {
            ShelfError::UnknownProtocol { edge: edge.name.clone(), protocol: edge.protocol.clone() }
        })?;
        Ok(ShelfEdge {
            name: edge.name.clone(),
            role: edge.role,
            protocol,
            addresses: edge.addresses.clone(),
            always_fails: always_fails(recording, &edge.name),
        })
    };
    recording.manifest.edges.iter().map(edge).collect()
}

fn always_fails(recording: &Recording, edge: &EdgeName) -> Option<Failure> {
    let calls = recording.tests.iter().flat_map(|test| &test.calls);
    let calls = calls.filter(|call| call.edge == *edge).map(|call| &call.exchange);
    let mocks = recording.mocks.iter().filter(|mock| mock.edge == *edge);
    let mut exchanges = calls.chain(mocks.map(|mock| &mock.exchange)).peekable();
    let first = exchanges.peek()?.failure;
    exchanges
        .all(|exchange| exchange.request.is_empty() && exchange.response.is_none())
        .then_some(first?)
}

fn entry(edge: usize, protocol: &dyn Protocol, exchange: &Exchange, place: Place) -> Entry {
    let facets = protocol.facets();
    Entry {
        edge: u32::try_from(edge).unwrap_or(u32::MAX),
        identity: fingerprint(&facets.identity(&exchange.request)),
        values: fingerprint(&facets.request(&exchange.request)),
        repeatable: facets.repeatable(&exchange.request),
        place,
    }
}
