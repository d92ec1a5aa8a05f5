//! Plays the proxy: asks for the answer to each message of the client, and hands over what follows.

use super::malformed;
use super::messages::{self, Next, Stage};
use crate::{Answer, Command, Ending, Event, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Failure, Map, Moment};

/// What a client may say while it waits.
const MOST_UNUSED: usize = 64 << 10;

/// The session of [`crate::Protocol::responder`].
#[derive(Debug, Default)]
pub(super) struct Responder {
    stage: Stage,
    client: Vec<u8>,
    next: u64,
    asked: Option<(ExchangeId, Map)>,
    client_ended: bool,
    over: bool,
}

impl Responder {
    fn read(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.asked.is_some() || self.over {
            return Ok(());
        }
        let Some((request, length)) = messages::request(self.stage, &self.client)? else {
            return Ok(());
        };
        self.client.drain(..length);
        self.next += 1;
        let id = ExchangeId(self.next);
        out.push(Command::Ask { id, request: request.clone(), at });
        self.asked = Some((id, request));
        Ok(())
    }

    fn answer(
        &mut self,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some((_, request)) = self.asked.take() else { return Ok(()) };
        let (response, failure) = match answer {
            Answer::Response(response) => (response, None),
            Answer::Broken(response, failure) => (response, Some(failure)),
            Answer::Miss(_) => (self.refusal(), None),
            Answer::Failure(failure) => {
                self.end(broken(failure), out);
                return Ok(());
            }
            Answer::Incomplete => {
                self.end(Ending::Reset, out);
                return Ok(());
            }
        };
        let bytes = Bytes::from(messages::write(self.stage, &response)?);
        out.push(Command::Send { to: Peer::Client, bytes });
        if let Some(failure) = failure {
            self.end(broken(failure), out);
            return Ok(());
        }
        match messages::next(self.stage, &request, &response)? {
            Next::Stage(stage) => {
                self.stage = stage;
                self.read(at, out)?;
            }
            Next::End => self.end(Ending::Finished, out),
            Next::Tunnel(party) => {
                self.over = true;
                let client = Bytes::from(std::mem::take(&mut self.client));
                let server = Bytes::new();
                out.push(match party {
                    Some(party) => Command::Reach { party, client, server },
                    None => Command::Become { protocol: crate::fallback().name(), client, server },
                });
            }
        }
        Ok(())
    }

    /// What the proxy says to whom it does not let through.
    fn refusal(&self) -> Map {
        match self.stage {
            Stage::Greeting => Map::from([("method", "refused")]),
            Stage::Login => Map::from([("status", "refused")]),
            Stage::Wish => Map::from([("status", "not allowed")]),
        }
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        out.push(Command::Close { to: Peer::Client, how });
    }
}

fn broken(failure: Failure) -> Ending {
    match failure {
        Failure::Closed => Ending::Finished,
        _ => Ending::Reset,
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from: Peer::Client, bytes, at } => {
                if self.client.len() + bytes.len() > MOST_UNUSED {
                    return Err(malformed("much is said before there is an answer"));
                }
                self.client.extend_from_slice(bytes);
                self.read(at, out)?;
            }
            Event::Answer { id, answer, at }
                if self.asked.as_ref().is_some_and(|(asked, _)| *asked == id) =>
            {
                self.answer(answer, at, out)?;
            }
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => self.over = true,
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            _ => {}
        }
        if !self.over && self.client_ended && self.asked.is_none() {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
