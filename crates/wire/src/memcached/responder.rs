//! Plays the server: asks for the reply to each command, and sends them in the order of the commands.

use super::asked::{Asked, Replies};
use super::inbox::Inbox;
use super::{MOST_WAITING, NAME, reply};
use crate::{Answer, Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Failure, Map, Moment, Value};
use std::collections::VecDeque;

/// The place of one reply.
#[derive(Debug)]
struct Slot {
    id: ExchangeId,
    asked: Asked,
    /// The reply once it is known.
    bytes: Option<Vec<u8>>,
}

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    inbox: Inbox,
    next: u64,
    slots: VecDeque<Slot>,
    client_ended: bool,
    over: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            inbox: Inbox::new(limits.body),
            next: 1,
            slots: VecDeque::new(),
            client_ended: false,
            over: false,
        }
    }

    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while let Some((asked, at)) = self.inbox.command(now)? {
            if asked.name() == b"watch" {
                let line = asked.words.join(&b' ');
                let client = Bytes::from([&line, &b"\r\n"[..], &self.inbox.take()].concat());
                self.over = true;
                out.push(Command::Become { protocol: "opaque", client, server: Bytes::new() });
                return Ok(());
            }
            if self.slots.len() >= MOST_WAITING {
                let what = "the number of commands without a reply";
                return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST_WAITING });
            }
            let id = ExchangeId(self.next);
            self.next += 1;
            out.push(Command::Ask { id, request: asked.request(), at });
            self.slots.push_back(Slot { id, asked, bytes: None });
        }
        Ok(())
    }

    fn answer(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id) else { return Ok(()) };
        let quits = slot.asked.name() == b"quit";
        let mut bytes = Vec::new();
        let failure = match answer {
            Answer::Response(response) => {
                respond(&slot.asked, response, &mut bytes)?;
                None
            }
            Answer::Broken(response, failure) => {
                respond(&slot.asked, response, &mut bytes)?;
                Some(failure)
            }
            Answer::Miss(miss) => {
                if slot.asked.replies() != Replies::Never {
                    reply::line(format!("SERVER_ERROR {}", miss.message).as_bytes(), &mut bytes);
                }
                None
            }
            Answer::Failure(failure) => Some(failure),
            Answer::Incomplete => Some(Failure::Reset),
        };
        slot.bytes = Some(bytes);
        self.flush(out);
        match failure {
            Some(Failure::Closed) => self.end(Ending::Finished, out),
            Some(_) => self.end(Ending::Reset, out),
            None if quits => self.end(Ending::Finished, out),
            None => {}
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<Command>) {
        let mut sent = Vec::new();
        while let Some(bytes) = self.slots.front_mut().and_then(|slot| slot.bytes.take()) {
            sent.extend_from_slice(&bytes);
            self.slots.pop_front();
        }
        if !sent.is_empty() {
            out.push(Command::Send { to: Peer::Client, bytes: Bytes::from(sent) });
        }
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        out.push(Command::Close { to: Peer::Client, how });
    }
}

/// The bytes of a reply, with the mark by which this client finds it.
fn respond(asked: &Asked, mut response: Map, out: &mut Vec<u8>) -> Result<(), WireError> {
    if let (Some(mark), Some(status)) = (asked.flag(b'O'), response.get_mut("status"))
        && let Some(told) = status.as_bytes()
    {
        let words = super::lines::words(told).into_iter();
        let marked: Vec<&[u8]> = words
            .enumerate()
            .map(|(place, word)| if place > 0 && word.starts_with(b"O") { &**mark } else { word })
            .collect();
        *status = Value::from_bytes(&marked.join(&b' '));
    }
    reply::write(&response, out)
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from: Peer::Client, bytes, at } => {
                self.inbox.push(bytes, at);
                self.read(at, out)?;
            }
            Event::Answer { id, answer, .. } => self.answer(id, answer, out)?,
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => self.over = true,
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            _ => {}
        }
        if !self.over && self.client_ended && self.slots.is_empty() {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
