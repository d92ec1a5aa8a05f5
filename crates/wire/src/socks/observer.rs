//! Watches a client and the proxy until they are through, and hands what follows over.

use super::malformed;
use super::messages::{self, Next, Stage};
use crate::{Command, Ending, Event, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};

/// No message of either side is longer, and clients that do not wait say three at once.
const MOST_UNUSED: usize = 64 << 10;

/// The session of [`crate::Protocol::observer`].
#[derive(Debug, Default)]
pub(super) struct Observer {
    stage: Stage,
    client: Vec<u8>,
    server: Vec<u8>,
    /// When the first of the client's bytes came that are not used.
    since: Moment,
    next: u64,
    asked: Option<(ExchangeId, Map, Moment)>,
    over: bool,
}

impl Observer {
    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while !self.over {
            let Some((id, request, at)) = self.asked.take() else {
                let Some((request, length)) = messages::request(self.stage, &self.client)? else {
                    return Ok(());
                };
                self.client.drain(..length);
                let at = std::mem::replace(&mut self.since, now);
                self.next += 1;
                let id = ExchangeId(self.next);
                out.push(Command::Begin { id, at });
                self.asked = Some((id, request, at));
                continue;
            };
            let Some((response, length)) = messages::response(self.stage, &self.server)? else {
                self.asked = Some((id, request, at));
                return Ok(());
            };
            self.server.drain(..length);
            let next = messages::next(self.stage, &request, &response);
            let exchange = Exchange {
                request,
                response: Some(response),
                started: at,
                finished: now,
                ..Exchange::default()
            };
            out.push(Command::Emit { id, exchange: Box::new(exchange) });
            self.go_on(next?, out);
        }
        Ok(())
    }

    fn go_on(&mut self, next: Next, out: &mut Vec<Command>) {
        let party = match next {
            Next::Stage(stage) => return self.stage = stage,
            Next::End => return self.over = true,
            Next::Tunnel(party) => party,
        };
        self.over = true;
        let client = Bytes::from(std::mem::take(&mut self.client));
        let server = Bytes::from(std::mem::take(&mut self.server));
        out.push(match party {
            Some(party) => Command::Reach { party, client, server },
            None => Command::Become { protocol: crate::fallback().name(), client, server },
        });
    }

    fn ended(&mut self, failure: Failure, now: Moment, out: &mut Vec<Command>) {
        self.over = true;
        if let Some((id, request, started)) = self.asked.take() {
            let exchange = Exchange {
                request,
                failure: Some(failure),
                started,
                finished: now,
                ..Exchange::default()
            };
            out.push(Command::Emit { id, exchange: Box::new(exchange) });
        }
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from, bytes, at } => {
                if from == Peer::Client && self.client.is_empty() {
                    self.since = at;
                }
                let unused = match from {
                    Peer::Client => &mut self.client,
                    Peer::Server => &mut self.server,
                };
                if unused.len() + bytes.len() > MOST_UNUSED {
                    return Err(malformed("much is said before there is an answer"));
                }
                unused.extend_from_slice(bytes);
                self.read(at, out)
            }
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => Ok(()),
            Event::Closed { how, at, .. } => {
                let failure = match how {
                    Ending::Reset => Failure::Reset,
                    Ending::Finished => Failure::Closed,
                };
                self.ended(failure, at, out);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
