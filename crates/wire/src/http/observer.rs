//! Watches both peers of a connection and emits their exchanges: for recording.
//!
//! Responses belong to requests by their order. While the answer to a request decides whether the
//! connection stays HTTP, what the client sends after it waits unread.

use super::backlog::Backlog;
use super::head::{Head, Method};
use super::incoming::{Requests, Response, Responses};
use super::reader::Step;
use super::upgrade::{self, Offer};
use super::{http2, malformed, proxied, record};
use crate::websocket::{Extensions, Watch};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use std::collections::VecDeque;

/// The state of an observed connection.
pub(super) struct Observer {
    limits: Limits,
    requests: Requests,
    responses: Responses,
    /// Exchanges that have begun and are not complete, in order.
    pending: VecDeque<Pending>,
    backlog: Backlog,
    begun: u64,
    /// Bytes of the client after a request whose answer may switch protocols.
    waiting: Option<Vec<u8>>,
    /// Whether a part of the first answer came.
    answering: bool,
    over: bool,
    /// Whether it was said of the first exchange that it lasts.
    stirred: bool,
    /// The connection has become a WebSocket.
    watch: Option<Watch>,
    /// The connection has become HTTP/2.
    newer: Option<Box<http2::Observer>>,
}

struct Pending {
    id: ExchangeId,
    started: Moment,
    /// Known once the head of the request is.
    method: Option<Method>,
    request: Option<Map>,
    offer: Offer,
    /// What the request adds to the backlog.
    size: usize,
    response: Option<(Response, Moment)>,
    /// Whether the client closed its side before the answer began.
    left: bool,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            requests: Requests::new(limits),
            responses: Responses::new(limits),
            pending: VecDeque::new(),
            backlog: Backlog::new(limits),
            begun: 0,
            waiting: None,
            answering: false,
            over: false,
            stirred: false,
            watch: None,
            newer: None,
        }
    }

    fn client(
        &mut self,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                return self.backlog.keep(waiting, input);
            }
            if self.requests.begins(&mut input) {
                self.begin(at, out)?;
            }
            match self.requests.step(&mut input)? {
                Step::More => return Ok(()),
                Step::Head => {
                    let method = self.requests.head().map(Head::method);
                    if let Some(last) = self.pending.back_mut() {
                        last.method = method;
                    }
                }
                Step::Message(message) => {
                    if message.head.may_switch() {
                        self.waiting = Some(Vec::new());
                    }
                    let size = message.size();
                    self.backlog.add(size)?;
                    if let Some(last) = self.pending.back_mut() {
                        last.offer = Offer::of(&message.head.fields);
                        last.size = size;
                        last.request = Some(record::request(*message, self.limits.body));
                    }
                    self.settle(at, out)?;
                }
            }
        }
    }

    fn begin(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.backlog.check_count(self.pending.len())?;
        self.begun += 1;
        let id = ExchangeId(self.begun);
        let (method, request, offer) = (None, None, Offer::default());
        let (size, response, left) = (0, None, false);
        let begun = Pending { id, started: at, method, request, offer, size, response, left };
        self.pending.push_back(begun);
        out.push(Command::Begin { id, at });
        Ok(())
    }

    fn server(
        &mut self,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        while !input.is_empty() && !self.over {
            let front = self.pending.front().filter(|front| front.response.is_none());
            let Some(method) = front.and_then(|front| front.method) else {
                return Err(malformed("a response that no request asked for"));
            };
            let early = front.is_some_and(|front| front.request.is_none());
            let next = self.responses.next(&mut input, method)?;
            self.answering = next.is_none();
            let Some(mut response) = next else {
                if !self.stirred
                    && self.responses.endless().is_some()
                    && let Some(front) = self.pending.front()
                {
                    self.stirred = true;
                    out.push(Command::Stir { id: front.id, at });
                }
                return Ok(());
            };
            self.stirred = false;
            let switches = response.switches;
            if switches && early {
                return Err(malformed("a switch of protocols before its request is complete"));
            }
            if switches && let Some(front) = self.pending.front() {
                front.offer.hide_answer(&mut response.map);
                if let Some(extensions) = upgrade::agreed(&response.map) {
                    return self.converse(response, extensions, input, at, out);
                }
                if upgrade::is_to_http2(&response.map) {
                    return self.renew(method, input, at, out);
                }
            }
            let request = self.pending.front().and_then(|front| front.request.as_ref());
            let party = request.filter(|_| switches).and_then(proxied::party);
            self.answered(response, at, out)?;
            if switches {
                let client = self.waiting.take().unwrap_or_default().into();
                let server = Bytes::copy_from_slice(input);
                out.push(match party {
                    Some(party) => Command::Reach { party, client, server },
                    None => Command::Become { protocol: "opaque", client, server },
                });
            }
        }
        Ok(())
    }

    /// Goes on with the messages of a WebSocket, which are a part of the exchange that opened it.
    fn converse(
        &mut self,
        response: Response,
        extensions: Extensions,
        server: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(Pending { id, started, request, .. }) = self.pending.pop_front() else {
            return Ok(());
        };
        let exchange = Exchange {
            request: request.unwrap_or_default(),
            response: Some(response.map),
            failure: None,
            connection: 0,
            unit: None,
            started,
            finished: at,
        };
        out.push(Command::Stir { id, at });
        let watch = Watch::new(id, exchange, extensions, self.limits);
        let watch = self.watch.insert(watch);
        let client = self.waiting.take().unwrap_or_default();
        watch.data(Peer::Client, &client, at, out)?;
        watch.data(Peer::Server, server, at, out)
    }

    /// Goes on as HTTP/2, over which the first exchange is answered.
    fn renew(
        &mut self,
        method: Method,
        server: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(Pending { id, started, request, .. }) = self.pending.pop_front() else {
            return Ok(());
        };
        let mut request = request.unwrap_or_default();
        upgrade::without_http2(&mut request);
        let asked = http2::Upgraded { id, started, request, method };
        let newer = self.newer.insert(Box::new(http2::Observer::upgraded(self.limits, asked)));
        for (from, bytes) in
            [(Peer::Client, &*self.waiting.take().unwrap_or_default()), (Peer::Server, server)]
        {
            newer.handle(Event::Data { from, bytes, at }, out)?;
        }
        Ok(())
    }

    /// Notes the response to the first exchange.
    fn answered(
        &mut self,
        response: Response,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(front) = self.pending.front_mut() {
            front.response = Some((response, at));
        }
        self.settle(at, out)
    }

    /// Emits the first exchange when both its sides are complete.
    fn settle(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let complete = |front: &Pending| front.request.is_some() && front.response.is_some();
        if !self.pending.front().is_some_and(complete) {
            return Ok(());
        }
        let Some(front) = self.pending.pop_front() else { return Ok(()) };
        self.backlog.remove(front.size);
        self.over = front.response.as_ref().is_some_and(|(response, _)| response.switches);
        let decided = self.pending.is_empty();
        let failure = front.left.then_some(Failure::TimedOut);
        emit(front, failure, at, out);
        // Only the last exchange can be the one that the client's bytes wait for.
        match self.waiting.take() {
            Some(waiting) if !self.over && decided => self.client(&waiting, at, out),
            waiting => {
                self.waiting = waiting;
                Ok(())
            }
        }
    }

    fn closed(
        &mut self,
        from: Peer,
        how: Ending,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let method = self.pending.front().and_then(|front| front.method);
        if let (Peer::Client, Some(method)) = (from, method)
            && let Some(response) = self.responses.ended_by_client(method)
        {
            self.answered(response, at, out)?;
        }
        match (from, how) {
            // The answers may still come, but few clients wait for them.
            (Peer::Client, Ending::Finished) => {
                let begun = usize::from(self.answering);
                for pending in self.pending.iter_mut().skip(begun) {
                    pending.left = pending.response.is_none();
                }
                return Ok(());
            }
            (Peer::Server, Ending::Finished) => {
                let response = method.and_then(|method| self.responses.close(method));
                if let Some(response) = response {
                    self.answered(response, at, out)?;
                }
                self.abandon(Failure::Closed, at, out);
            }
            (_, Ending::Reset) => self.abandon(Failure::Reset, at, out),
        }
        Ok(())
    }

    /// Emits what is not complete as far as it came. An exchange of whose request not even the
    /// head came is no exchange.
    fn abandon(&mut self, failure: Failure, at: Moment, out: &mut Vec<Command>) {
        self.over = true;
        // A server may answer before it has the whole request; that is an answer nevertheless.
        let mut answered = self.pending.front().is_some_and(|front| front.response.is_some());
        if let Some(front) = self.pending.front_mut()
            && let (Some(method), false) = (front.method, answered)
        {
            front.response = self.responses.partial(method).map(|response| (response, at));
        }
        let last = self.requests.partial();
        if let (Some(message), Some(pending)) = (last, self.pending.back_mut()) {
            pending.request = Some(record::request(*message, self.limits.body));
        }
        for pending in std::mem::take(&mut self.pending) {
            let failure = if pending.left { Failure::TimedOut } else { failure };
            let failure = (!std::mem::take(&mut answered)).then_some(failure);
            if pending.request.is_some() {
                emit(pending, failure, at, out);
            }
        }
    }
}

fn emit(pending: Pending, failure: Option<Failure>, at: Moment, out: &mut Vec<Command>) {
    let (response, finished) = match pending.response {
        Some((response, finished)) => (Some(response.map), finished),
        None => (None, at),
    };
    let exchange = Exchange {
        request: pending.request.unwrap_or_default(),
        response,
        failure,
        connection: 0,
        unit: None,
        started: pending.started,
        finished,
    };
    out.push(Command::Emit { id: pending.id, exchange: Box::new(exchange) });
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        if let Some(newer) = &mut self.newer {
            return newer.handle(event, out);
        }
        if let Some(watch) = &mut self.watch {
            match event {
                Event::Data { from, bytes, at } => return watch.data(from, bytes, at, out),
                Event::Closed { from, how, at } => watch.ended(from, how, at, out),
                _ => {}
            }
            return Ok(());
        }
        match event {
            Event::Data { from: Peer::Client, bytes, at } => self.client(bytes, at, out),
            Event::Data { from: Peer::Server, bytes, at } => self.server(bytes, at, out),
            Event::Closed { from, how, at } => self.closed(from, how, at, out),
            Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
