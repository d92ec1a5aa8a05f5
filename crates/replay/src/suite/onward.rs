//! Sends a call that no mock answers to the real dependency, where a single request can be sent there:
//! on a connection of its own, in a protocol whose client we play. A statement in the midst of a
//! session with a database cannot, and neither what goes over TLS.

use super::OnMiss;
use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_model::{Exchange, ExchangeId, Map};
use rehearsal_proxy::{BoxFuture, Clock, ConnectionId, ConnectionOptions, Requester, dial};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long the dependency may take to take a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// See the module.
pub(super) struct Onward {
    pub(super) shelf: Arc<Shelf>,
    pub(super) clock: Clock,
    pub(super) on_miss: OnMiss,
    /// Numbers for connections that we open, far from those of the app's.
    pub(super) next: AtomicU64,
}

impl Onward {
    /// What comes of a request, when it can be sent on; none in the end when nobody answered it.
    pub(super) fn send(
        &self,
        edge: EdgeNumber,
        request: &Map,
    ) -> Option<BoxFuture<'static, Option<Exchange>>> {
        let known = &self.shelf.edges[edge as usize];
        if self.on_miss == OnMiss::Fail || known.tls.is_spoken() {
            return None;
        }
        let (to, request) = (known.addresses.first()?.clone(), request.clone());
        let (protocol, limits, clock) = (known.protocol(), self.shelf.limits, self.clock);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Some(Box::pin(async move {
            let server = dial(&to, DIAL_LIMIT).await.ok()?;
            let id = ConnectionId(number);
            let options = ConnectionOptions { limits, ..ConnectionOptions::new(id, clock) };
            let mut requester = Requester::new(options, server, protocol);
            let sent = requester.send(ExchangeId(number), &request, None);
            timeout(ANSWER_LIMIT, sent).await.ok()?.ok()
        }))
    }
}
