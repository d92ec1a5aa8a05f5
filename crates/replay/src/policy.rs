//! What becomes of the app's attempts to reach others while it is tested: an edge of the recording
//! comes to us, everything else is refused, and nothing leaves the machine.

use crate::routes::{Route, Routes};
use crate::stage::Stage;
use crate::witness::Witness;
use rehearsal_capture::{BoxFuture, Endpoint, InPlace, Policy, Verdict};
use rehearsal_model::{Failure, Finding};
use rehearsal_proxy::{Clock, errno, respond_datagram};
use rehearsal_wire::Limits;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;

/// See the module.
pub(crate) struct ReplayPolicy {
    pub(crate) stage: Arc<Stage>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) clock: Clock,
    pub(crate) witness: Arc<Witness>,
    /// What the app reads in the place of other files.
    pub(crate) files: Vec<InPlace>,
}

impl ReplayPolicy {
    fn decide(&self, to: &Endpoint, host: Option<&str>) -> Verdict {
        match self.routes.to(to, host) {
            Route::Real(_) => Verdict::Pass,
            Route::Unknown => {
                let address = host.map_or_else(|| to.to_string(), str::to_owned);
                self.stage.note(Finding::UnknownEdge { address });
                Verdict::Refuse(errno(Failure::Refused), "not in the recording")
            }
            Route::Aside => Verdict::Refuse(errno(Failure::Refused), "nobody listened there"),
            Route::Edge(edge) => match self.stage.connect(edge) {
                Some(failure) => Verdict::Refuse(errno(failure), "it failed when recorded too"),
                None => Verdict::Redirect(Box::new(edge)),
            },
        }
    }

    fn look_up(&self, query: &[u8]) -> Option<Vec<u8>> {
        let dns = rehearsal_wire::protocol("dns")?;
        let answer = |request| {
            let answer = self.stage.look_up(&request);
            if let rehearsal_wire::Answer::Response(answer) = &answer
                && let Some(name) = rehearsal_wire::queried_name(&request)
            {
                for address in rehearsal_wire::addresses(&request, answer) {
                    self.routes.resolved(&name, address);
                }
            }
            answer
        };
        let limits = Limits::default();
        let replies = respond_datagram(dns, limits, query, self.clock.now(), answer).ok()?;
        replies.into_iter().next().map(Into::into)
    }
}

impl Policy for ReplayPolicy {
    fn files(&self) -> Vec<InPlace> {
        self.files.clone()
    }

    fn connect(&self, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        if let Route::Real(Some(edge)) = self.routes.to(to, None)
            && self.witness.listens_to(edge)
        {
            let to = to.clone();
            return Box::pin(async move {
                self.witness.reach(edge, &to).await.map_or(Verdict::Pass, Verdict::Redirect)
            });
        }
        Box::pin(ready(self.decide(to, None)))
    }

    fn connect_named<'a>(&'a self, name: &'a str, to: &'a Endpoint) -> BoxFuture<'a, Verdict> {
        Box::pin(ready(self.decide(to, Some(name))))
    }

    fn resolve(&self, _server: SocketAddr, query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(ready(self.look_up(&query)))
    }

    /// A datagram on this machine reaches nobody or a neighbour that the app brought along.
    fn datagram(&self, to: SocketAddr) -> Result<(), i32> {
        if to.ip().to_canonical().is_loopback() { Ok(()) } else { Err(errno(Failure::Unreachable)) }
    }
}
