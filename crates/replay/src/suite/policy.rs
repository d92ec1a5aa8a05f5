//! What becomes of the runner's attempts to reach others: an edge of the recording comes to us, anything
//! else is a miss.

use super::overheard::Overheard;
use super::{Cast, OnMiss, Voice};
use crate::routes::{Route, Routes};
use crate::shelf::EdgeNumber;
use crate::stage::Stage;
use rehearsal_capture::{BoxFuture, Caller, Endpoint, InPlace, Policy, Verdict};
use rehearsal_model::{Failure, Finding};
use rehearsal_proxy::{Clock, ask_name_server, dial, errno, respond_datagram};
use rehearsal_wire::Limits;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a real dependency may take to take a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(30);

/// A connection to an edge of the recording.
pub(super) struct Called {
    pub(super) edge: EdgeNumber,
    pub(super) caller: Option<Caller>,
}

/// See the module.
pub(super) struct SuitePolicy {
    pub(super) cast: Arc<Cast>,
    pub(super) stage: Arc<Stage>,
    pub(super) routes: Arc<Routes>,
    pub(super) clock: Clock,
    pub(super) tests: PathBuf,
    pub(super) name_server: Option<SocketAddr>,
    pub(super) files: Vec<InPlace>,
}

impl SuitePolicy {
    async fn decide(&self, to: Endpoint, name: Option<String>, caller: Option<Caller>) -> Verdict {
        match self.routes.to(&to, name.as_deref()) {
            Route::Real(_) => Verdict::Pass,
            Route::Aside if self.cast.on_miss == OnMiss::Fail => {
                Verdict::Refuse(errno(Failure::Refused), "nobody listened there")
            }
            Route::Aside | Route::Unknown => self.unknown(to, name, caller).await,
            Route::Edge(edge) => match self.stage.connect(edge) {
                Some(failure) => Verdict::Refuse(errno(failure), "it failed when recorded too"),
                None => Verdict::Redirect(Box::new(Called { edge, caller })),
            },
        }
    }

    async fn unknown(&self, to: Endpoint, name: Option<String>, caller: Option<Caller>) -> Verdict {
        let address = name.or_else(|| self.routes.name(&to)).unwrap_or_else(|| to.to_string());
        let voice = Voice { cast: Arc::clone(&self.cast), caller };
        let note = |answered| {
            let finding = Finding::UnknownEdge { address: address.clone() };
            self.cast.note(voice.test(), finding, answered);
        };
        match self.cast.on_miss {
            OnMiss::Fail => {
                note(false);
                Verdict::Refuse(errno(Failure::Refused), "not in the recording")
            }
            OnMiss::Real => {
                note(true);
                Verdict::Pass
            }
            OnMiss::Record => match dial(&to.to_string(), DIAL_LIMIT).await {
                Ok(server) => {
                    note(true);
                    let Voice { caller, .. } = voice;
                    Verdict::Redirect(Box::new(Overheard { party: address, server, caller }))
                }
                Err(error) => {
                    note(false);
                    Verdict::Refuse(error.errno(), "it could not be reached")
                }
            },
        }
    }

    /// The recorded answer to a question for a name, else, where that is allowed, the real one.
    async fn look_up(&self, server: SocketAddr, query: Vec<u8>) -> Option<Vec<u8>> {
        let dns = rehearsal_wire::protocol("dns")?;
        let mut recorded = false;
        let answer = |request| {
            let answer = self.stage.look_up(&request);
            if let rehearsal_wire::Answer::Response(answer) = &answer
                && let Some(name) = rehearsal_wire::queried_name(&request)
            {
                recorded = true;
                for address in rehearsal_wire::addresses(&request, answer) {
                    self.routes.resolved(&name, address);
                }
            }
            answer
        };
        let replies = respond_datagram(dns, Limits::default(), &query, self.clock.now(), answer);
        if !recorded && self.cast.on_miss != OnMiss::Fail {
            let answer = ask_name_server(self.name_server.unwrap_or(server), &query).await?;
            self.learn_names(&query, &answer);
            return Some(answer);
        }
        replies.ok()?.into_iter().next().map(Into::into)
    }

    /// Notes which addresses a name has, so that a dependency is called by its name.
    fn learn_names(&self, query: &[u8], answer: &[u8]) {
        let Some(dns) = rehearsal_wire::protocol("dns") else { return };
        let at = self.clock.now();
        let datagrams =
            rehearsal_proxy::Datagrams { query: (query, at), reply: Some((answer, at)) };
        let seen = rehearsal_proxy::observe_datagram(dns, Limits::default(), datagrams);
        for exchange in seen.unwrap_or_default() {
            let named = rehearsal_wire::queried_name(&exchange.request);
            let (Some(name), Some(answer)) = (named, &exchange.response) else { continue };
            for address in rehearsal_wire::addresses(&exchange.request, answer) {
                self.routes.resolved(&name, address);
            }
        }
    }
}

impl Policy for SuitePolicy {
    fn files(&self) -> Vec<InPlace> {
        self.files.clone()
    }

    fn connect(&self, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        Box::pin(self.decide(to.clone(), None, None))
    }

    fn connect_by(&self, thread: i32, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        let caller = Caller::of(thread, &self.tests);
        Box::pin(self.decide(to.clone(), None, Some(caller)))
    }

    fn connect_named<'a>(&'a self, name: &'a str, to: &'a Endpoint) -> BoxFuture<'a, Verdict> {
        Box::pin(self.decide(to.clone(), Some(name.to_owned()), None))
    }

    fn resolve(&self, server: SocketAddr, query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(self.look_up(server, query))
    }

    /// A datagram on this machine reaches nobody or a neighbour that the runner brought along.
    fn datagram(&self, to: SocketAddr) -> Result<(), i32> {
        if to.ip().to_canonical().is_loopback() { Ok(()) } else { Err(errno(Failure::Unreachable)) }
    }
}
