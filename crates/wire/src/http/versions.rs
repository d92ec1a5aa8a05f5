//! Which version of HTTP a connection speaks: the client's first bytes say, or the first request to be
//! sent. Until then nothing is done; then the session of that version has the connection.
//!
//! Recordings have one protocol for both: what is asked and answered is the same, and an app may change
//! from one to the other.

use super::{http2, malformed, observer, requester, responder};
use crate::{Command, Ending, Event, Limits, Peer, Session, Verdict, WireError};
use rehearsal_model::{Exchange, Failure, Map, Moment, Value};

/// How many bytes a server may send before its client has said anything.
const MAX_EARLY: usize = 4096;

/// The sessions of both versions for a part.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Observer,
    Responder,
}

/// A connection whose client is heard.
pub(super) struct Heard {
    part: Part,
    limits: Limits,
    opened: Moment,
    /// What came before the version was known, in order.
    early: Vec<(Peer, Vec<u8>, Moment)>,
    session: Option<Box<dyn Session>>,
}

/// Whether the client's first bytes are those of HTTP/2.
pub(super) fn is_http2(client: &[u8]) -> Verdict {
    let shown = client.len().min(http2::PREFACE.len());
    match client[..shown] == http2::PREFACE[..shown] {
        true if shown == http2::PREFACE.len() => Verdict::Yes,
        true => Verdict::NeedMore,
        false => Verdict::No,
    }
}

impl Heard {
    pub(super) fn new(part: Part, limits: Limits) -> Self {
        Heard { part, limits, opened: Moment::default(), early: Vec::new(), session: None }
    }

    fn choose(&self, http2: bool) -> Box<dyn Session> {
        match (self.part, http2) {
            (Part::Observer, false) => Box::new(observer::Observer::new(self.limits)),
            (Part::Observer, true) => Box::new(http2::Observer::new(self.limits)),
            (Part::Responder, false) => Box::new(responder::Responder::new(self.limits)),
            (Part::Responder, true) => Box::new(http2::Responder::new(self.limits)),
        }
    }

    /// Keeps what came; gives it to a session once the version is known.
    fn keep(
        &mut self,
        from: Peer,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.early.push((from, bytes.to_vec(), at));
        let server = self.said(Peer::Server);
        match is_http2(&self.said(Peer::Client)) {
            Verdict::NeedMore if server.len() > MAX_EARLY => self.begin(false, out),
            Verdict::NeedMore if http2::begins(&server) != Verdict::No => Ok(()),
            verdict => self.begin(verdict == Verdict::Yes, out),
        }
    }

    fn said(&self, peer: Peer) -> Vec<u8> {
        let said = self.early.iter().filter(|(from, _, _)| *from == peer);
        said.flat_map(|(_, bytes, _)| bytes.clone()).collect()
    }

    fn begin(&mut self, http2: bool, out: &mut Vec<Command>) -> Result<(), WireError> {
        let session = self.session.insert(self.choose(http2));
        session.handle(Event::Opened { at: self.opened }, out)?;
        for (from, bytes, at) in std::mem::take(&mut self.early) {
            session.handle(Event::Data { from, bytes: &bytes, at }, out)?;
        }
        Ok(())
    }
}

impl Session for Heard {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if let Some(session) = &mut self.session {
            return session.handle(event, out);
        }
        match event {
            Event::Opened { at } => {
                self.opened = at;
                Ok(())
            }
            Event::Data { from, bytes, at } => self.keep(from, bytes, at, out),
            Event::Closed { .. } => {
                // Somebody may look whether a server is there, and leave without a word.
                let http2 = http2::begins(&self.said(Peer::Server)) == Verdict::Yes;
                self.begin(http2, out)?;
                self.session.as_mut().map_or(Ok(()), |session| session.handle(event, out))
            }
            Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}

/// A connection on which a client is played.
pub(super) struct Spoken {
    limits: Limits,
    opened: Option<Moment>,
    session: Option<(bool, Box<dyn Session>)>,
}

impl Spoken {
    pub(super) fn new(limits: Limits) -> Self {
        Spoken { limits, opened: None, session: None }
    }

    fn choose(&self, http2: bool) -> Box<dyn Session> {
        match http2 {
            false => Box::new(requester::Requester::new(self.limits)),
            true => Box::new(http2::Requester::new(self.limits)),
        }
    }
}

/// Whether a recorded request was made over HTTP/2.
pub(super) fn over_http2(request: &Map) -> bool {
    match request.get("version") {
        Some(Value::Number(number)) => number.as_str() == http2::VERSION,
        version => version.and_then(Value::as_text) == Some(http2::VERSION),
    }
}

impl Session for Spoken {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if let Event::Request { id, request, at, .. } = event {
            let wanted = over_http2(request);
            if self.session.as_ref().is_some_and(|(http2, _)| *http2 != wanted) {
                // As if the server had ended the connection: the request can be sent on another.
                let exchange = Exchange {
                    request: request.clone(),
                    failure: Some(Failure::Closed),
                    started: at,
                    finished: at,
                    ..Exchange::default()
                };
                out.push(Command::Emit { id, exchange: Box::new(exchange) });
                out.push(Command::Close { to: Peer::Server, how: Ending::Finished });
                return Ok(());
            }
            if self.session.is_none() {
                let mut session = self.choose(wanted);
                session.handle(Event::Opened { at: self.opened.unwrap_or(at) }, out)?;
                self.session = Some((wanted, session));
            }
        }
        match (&mut self.session, event) {
            (Some((_, session)), event) => session.handle(event, out),
            (None, Event::Opened { at }) => {
                self.opened = Some(at);
                Ok(())
            }
            // A server of HTTP/2 may say its settings at once; they are not waited for.
            (None, Event::Data { .. }) => Err(malformed("an answer that no request asked for")),
            (None, _) => Ok(()),
        }
    }
}
