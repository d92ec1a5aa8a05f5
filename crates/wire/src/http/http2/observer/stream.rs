//! What is observed of one stream, and the exchange that it comes to.

use crate::http::head::{Head, Method};
use crate::http::http2::half::Half;
use crate::http::http2::malformed;
use crate::http::http2::turns::Turns;
use crate::websocket::Watch;
use crate::{Limits, Peer, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment};

/// An observed stream.
pub(super) struct Stream {
    pub(super) started: Moment,
    pub(super) request: Half,
    /// The request where it came before the connection was HTTP/2.
    pub(super) asked: Option<(Map, Method)>,
    pub(super) response: Half,
    /// Of a call of gRPC.
    pub(super) turns: Option<Turns>,
    /// Whether the client has ended its side, and had no answer by then.
    left: bool,
    /// It has become a WebSocket.
    pub(super) watch: Option<Box<Watch>>,
}

impl Stream {
    pub(super) fn new(started: Moment) -> Self {
        let (request, response) = (Half::new(), Half::new());
        Stream { started, request, asked: None, response, turns: None, left: false, watch: None }
    }

    pub(super) fn half(&mut self, from: Peer) -> &mut Half {
        match from {
            Peer::Client => &mut self.request,
            Peer::Server => &mut self.response,
        }
    }

    /// Whether both have said all.
    pub(super) fn is_complete(&self) -> bool {
        self.request.last && self.response.last
    }

    /// Whether the answer may go on until the client leaves it.
    pub(super) fn is_endless(&self) -> bool {
        self.response.endless().is_some() && !self.response.last
    }

    /// The client has ended its side of the connection.
    pub(super) fn leave(&mut self) {
        self.left |= self.response.head().is_none();
    }

    /// Counts content as what it is a part of.
    pub(super) fn count(&mut self, from: Peer, bytes: &[u8]) -> Result<(), WireError> {
        if self.half(from).head().is_none() {
            return Err(malformed("content before its head"));
        }
        match (&mut self.turns, from) {
            (Some(turns), Peer::Client) => turns.client(bytes),
            (Some(turns), Peer::Server) => turns.server(bytes),
            (None, _) => {}
        }
        Ok(())
    }

    fn method(&self) -> Method {
        match &self.asked {
            Some((_, method)) => *method,
            None => self.request.head().map_or(Method::Other, Head::method),
        }
    }

    /// What came of it. A complete answer is one, whatever becomes of the stream then; `broken` says who
    /// broke it off, and how.
    pub(super) fn into_exchange(
        self,
        broken: Option<(Peer, Failure)>,
        finished: Moment,
        limits: Limits,
    ) -> Exchange {
        let method = self.method();
        let failure = broken.map(|(_, failure)| failure).filter(|_| !self.response.last);
        let failure = if self.left { failure.and(Some(Failure::TimedOut)) } else { failure };
        let Stream { started, request, asked, response, turns, .. } = self;
        let cancelled = failure == Some(Failure::TimedOut) && turns.is_some();
        // A call that is given up has what came before as its answer.
        let failure = failure.filter(|_| !cancelled || response.head().is_none());
        // A server that has answered or refused it hears no more of a call.
        let over = response.last || broken.is_some_and(|(by, _)| by == Peer::Server);
        let open = !request.last && (cancelled || over);
        let asked = asked.map(|(request, _)| request).or_else(|| request.request(limits));
        let asked = asked.map(|mut request| {
            let cancelled = cancelled.then_some(response.head().is_some());
            turns.inspect(|turns| turns.record(open, cancelled, &mut request));
            request
        });
        let complete = response.last || failure.is_some() || cancelled;
        let response = match response.endless() {
            Some(_) if !complete => response.ended_by_client(method, limits),
            _ => response.response(method, limits),
        };
        let request = asked.unwrap_or_default();
        Exchange { request, response, failure, started, finished, ..Exchange::default() }
    }
}
