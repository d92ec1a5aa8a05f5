//! Sends the recorded request of a test to the app and collects the answer.

use crate::doors::Doors;
use crate::shelf::Shelf;
use rehearsal_capture::Endpoint;
use rehearsal_model::{EdgeName, Exchange, ExchangeId, Map};
use rehearsal_proxy::{Clock, ConnectionId, ConnectionOptions, Requester, Stream, dial};
use rehearsal_tls::{Caller, Laid};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// How long the app's port may take to take a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// Keeps one connection per inbound edge from test to test, as clients do.
pub(crate) struct Driver {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) doors: Arc<Doors>,
    pub(crate) clock: Clock,
    /// What calls the app on edges where it speaks TLS.
    callers: Arc<HashMap<EdgeName, Caller>>,
    open: HashMap<EdgeName, (Endpoint, Requester)>,
    next: u64,
}

impl Driver {
    pub(crate) fn new(
        shelf: Arc<Shelf>,
        doors: Arc<Doors>,
        clock: Clock,
        callers: Arc<HashMap<EdgeName, Caller>>,
    ) -> Self {
        // Connections that we open and those that the app opens have numbers of their own.
        Driver { shelf, doors, clock, callers, open: HashMap::new(), next: u64::MAX / 2 }
    }

    /// Another client of the same app, with connections of its own.
    pub(crate) fn another(&self) -> Self {
        let (shelf, doors) = (Arc::clone(&self.shelf), Arc::clone(&self.doors));
        Self::new(shelf, doors, self.clock, Arc::clone(&self.callers))
    }

    /// The answer of the app, given what it answered when it was recorded, or what happened instead, in words. `untouched` says whether the app
    /// has done nothing yet that a second request would do again; `sent` is called when the request is on
    /// its way.
    pub(crate) async fn send(
        &mut self,
        edge: &EdgeName,
        (request, recorded): (&Map, Option<&Map>),
        untouched: impl Fn() -> bool,
        sent: impl Fn(),
    ) -> Result<Exchange, String> {
        let Some(door) = self.doors.to(&self.shelf, edge) else {
            return Err(format!("the app does not listen for {edge} any more"));
        };
        let kept = self.open.remove(edge).filter(|(to, _)| *to == door);
        if let Some((_, mut requester)) = kept
            && requester.is_usable()
        {
            let answer = self.send_on(requester, edge, &door, (request, recorded), &sent).await;
            // The app may close an idle connection while the request is on its way; nothing of
            // an answer came then, and a client would send it again.
            let unanswered =
                |exchange: &Exchange| exchange.failure.is_some() && exchange.response.is_none();
            if !answer.as_ref().is_ok_and(unanswered) || !untouched() {
                return answer;
            }
        }
        let requester = self.connect(edge, &door, request).await?;
        self.send_on(requester, edge, &door, (request, recorded), &sent).await
    }

    /// Forgets every connection, such as one whose answer was not waited for.
    pub(crate) fn hang_up(&mut self) {
        self.open.clear();
    }

    async fn connect(
        &mut self,
        edge: &EdgeName,
        door: &Endpoint,
        request: &Map,
    ) -> Result<Requester, String> {
        let stream = dial(&door.to_string(), DIAL_LIMIT).await.map_err(|error| {
            format!("the app refused the connection ({})", error.failure.as_str())
        })?;
        let id = ConnectionId(self.next);
        self.next += 1;
        let known = self.shelf.edges.iter().find(|known| known.name == *edge);
        let protocol = known.map_or_else(rehearsal_wire::fallback, |edge| edge.protocol());
        let stream = match (known, self.callers.get(edge)) {
            (Some(known), Some(caller)) => {
                let name = known.tls.server_name.as_deref();
                let spoken = protocol.alpn(request);
                let laid = timeout(DIAL_LIMIT, caller.call(name, spoken, stream)).await;
                let laid = laid.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
                let laid =
                    laid.map_err(|error| format!("the app speaks no TLS with us ({error})"))?;
                Stream::over(laid, Laid::into_below)
            }
            _ => stream,
        };
        let limits = self.shelf.limits;
        let options = ConnectionOptions { limits, ..ConnectionOptions::new(id, self.clock) };
        Ok(Requester::new(options, stream, protocol))
    }

    async fn send_on(
        &mut self,
        mut requester: Requester,
        edge: &EdgeName,
        door: &Endpoint,
        (request, recorded): (&Map, Option<&Map>),
        sent: &impl Fn(),
    ) -> Result<Exchange, String> {
        let id = ExchangeId(self.next);
        self.next += 1;
        let answer = {
            let answer = requester.send(id, request, recorded);
            tokio::pin!(answer);
            // It is written when it is asked for first.
            let first = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
            sent();
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => answer.await,
            }
        };
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.failure.is_none() && requester.is_usable() {
            self.open.insert(edge.clone(), (door.clone(), requester));
        }
        Ok(answer)
    }
}
