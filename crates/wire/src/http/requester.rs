//! Plays the client: sends recorded requests and emits them with the answers that came.
//!
//! It sends each request at once, its body included: a client may do so even when it says
//! `Expect: 100-continue` (RFC 9110, section 10.1.1). Whether requests are pipelined is the
//! driver's choice.

use super::backlog::Backlog;
use super::head::Method;
use super::incoming::{Response, Responses};
use super::persistence::ends_connection;
use super::upgrade::{self, Offer};
use super::{endless, malformed, write};
use crate::websocket::{Extensions, Player};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, stream};
use std::collections::VecDeque;

/// The state of a connection to the app.
pub(super) struct Requester {
    responses: Responses,
    /// Requests that were sent and not answered, in order.
    pending: VecDeque<Pending>,
    backlog: Backlog,
    over: bool,
    limits: Limits,
    /// Whether all of a response without end has come, and when it is left.
    leaves: Option<(bool, u64)>,
    /// The connection has become a WebSocket.
    player: Option<Player>,
}

struct Pending {
    id: ExchangeId,
    request: Map,
    method: Method,
    started: Moment,
    /// What was answered when it was recorded, when that is a conversation.
    recorded: Option<Map>,
    offer: Offer,
}

impl Requester {
    pub(super) fn new(limits: Limits) -> Self {
        let responses = Responses::new(limits);
        Requester {
            responses,
            pending: VecDeque::new(),
            backlog: Backlog::new(limits),
            over: false,
            limits,
            leaves: None,
            player: None,
        }
    }

    fn request(
        &mut self,
        id: ExchangeId,
        request: &Map,
        recorded: Option<&Map>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.backlog.check_count(self.pending.len())?;
        let lasts = |recorded: &&Map| {
            stream::conversation(recorded).is_some() || endless::is_endless(recorded)
        };
        let recorded = recorded.filter(lasts).cloned();
        let (live, offer) = upgrade::with_key(request);
        write::request(&live)?.send(Peer::Server, out);
        let method = Method::of(write::request_line(request).0);
        let request = request.clone();
        self.pending.push_back(Pending { id, request, method, started: at, recorded, offer });
        Ok(())
    }

    fn server(
        &mut self,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        while !input.is_empty() && !self.over {
            let Some(front) = self.pending.front() else {
                return Err(malformed("a response that no request asked for"));
            };
            let Some(mut response) = self.responses.next(&mut input, front.method)? else {
                self.heard(at, out);
                return Ok(());
            };
            let switches = response.switches;
            let closes = response.closes || ends_connection(&front.request);
            front.offer.hide_answer(&mut response.map);
            if front.recorded.is_some()
                && let Some(extensions) = upgrade::agreed(&response.map)
            {
                return self.converse(response, extensions, input, at, out);
            }
            self.emit(Some(response), None, at, out);
            if switches {
                self.over = true;
                let server = Bytes::copy_from_slice(input);
                out.push(Command::Become { protocol: "opaque", client: Bytes::new(), server });
            } else if closes {
                self.abandon(Failure::Closed, at, out);
                out.push(Command::Close { to: Peer::Server, how: Ending::Finished });
            }
        }
        Ok(())
    }

    /// Waits for more of a response without end.
    fn heard(&mut self, at: Moment, out: &mut Vec<Command>) {
        let recorded = self.pending.front().and_then(|front| front.recorded.as_ref());
        let Some(recorded) = recorded.filter(|recorded| endless::is_endless(recorded)) else {
            return;
        };
        let complete = self.responses.items() >= endless::items(recorded);
        let after = if complete { endless::AFTERMATH } else { endless::PATIENCE };
        let until = at.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
        // Once all has come, more of it does not make the wait longer.
        let fixed = self.leaves.filter(|(all, _)| *all && complete);
        self.leaves = Some(fixed.unwrap_or((complete, until)));
        out.push(Command::Wake { after });
    }

    /// Leaves when the time has come, with what was heard.
    fn tick(&mut self, at: Moment, out: &mut Vec<Command>) {
        if self.leaves.is_none_or(|(_, until)| until > at.0) {
            return;
        }
        let method = self.pending.front().map_or(Method::Other, |front| front.method);
        let response = self.responses.ended_by_client(method);
        self.emit(response, None, at, out);
        self.over = true;
        out.push(Command::Close { to: Peer::Server, how: Ending::Finished });
    }

    /// Plays the messages of a WebSocket, which are a part of the exchange that opened it.
    fn converse(
        &mut self,
        response: Response,
        extensions: Extensions,
        server: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(Pending { id, request, started, recorded, .. }) = self.pending.pop_front() else {
            return Ok(());
        };
        let recorded = recorded.unwrap_or_default();
        let response = Some(response.map);
        let opening = Exchange { request, response, started, ..Exchange::default() };
        let limits = self.limits;
        let player = Player::new(Peer::Client, id, opening, &recorded, extensions, limits);
        let player = self.player.insert(player);
        player.start(at, out)?;
        player.data(server, at, out)
    }

    /// Emits the first exchange.
    fn emit(
        &mut self,
        response: Option<Response>,
        failure: Option<Failure>,
        at: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(Pending { id, request, started, .. }) = self.pending.pop_front() else { return };
        let response = response.map(|response| response.map);
        let exchange = Exchange {
            request,
            response,
            failure,
            connection: 0,
            unit: None,
            started,
            finished: at,
        };
        out.push(Command::Emit { id, exchange: Box::new(exchange) });
    }

    fn closed(&mut self, how: Ending, at: Moment, out: &mut Vec<Command>) {
        let method = self.pending.front().map_or(Method::Other, |front| front.method);
        let failure = match how {
            Ending::Reset => Failure::Reset,
            Ending::Finished => {
                if let Some(response) = self.responses.close(method) {
                    self.emit(Some(response), None, at, out);
                }
                Failure::Closed
            }
        };
        let partial = self.responses.partial(method);
        if partial.is_some() {
            self.emit(partial, Some(failure), at, out);
        }
        self.abandon(failure, at, out);
    }

    /// Emits what will get no answer any more.
    fn abandon(&mut self, failure: Failure, at: Moment, out: &mut Vec<Command>) {
        self.over = true;
        while !self.pending.is_empty() {
            self.emit(None, Some(failure), at, out);
        }
    }
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if let Some(player) = &mut self.player {
            return match event {
                Event::Request { .. } => {
                    Err(malformed("a request after the connection has changed"))
                }
                event => player.handle(event, out),
            };
        }
        match event {
            Event::Request { id, request, recorded, at } if !self.over => {
                self.request(id, request, recorded, at, out)
            }
            Event::Request { .. } => Err(malformed("a request after the connection has ended")),
            Event::Data { from: Peer::Server, bytes, at } if !self.over => {
                self.server(bytes, at, out)
            }
            Event::Closed { from: Peer::Server, how, at } if !self.over => {
                self.closed(how, at, out);
                Ok(())
            }
            Event::Tick { at } if !self.over => {
                self.tick(at, out);
                Ok(())
            }
            Event::Data { .. }
            | Event::Closed { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
