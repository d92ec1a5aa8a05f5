//! What was answered, as replies of the server.

use super::Responder;
use super::slots::About;
use crate::redis::resp::Resp;
use crate::redis::subscriptions::Change;
use crate::redis::write::{self, Version};
use crate::redis::{reply, suit, unwritable, words};
use crate::{Answer, Command, Ending, Peer, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Failure, Map, Moment, Value};

const ALL: [Change; 3] = {
    use crate::redis::subscriptions::Of::{Channels, Patterns, Shards};
    [
        Change { of: Channels, begins: true },
        Change { of: Patterns, begins: true },
        Change { of: Shards, begins: true },
    ]
};

impl Responder {
    pub(super) fn answer(
        &mut self,
        id: ExchangeId,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if let Some(place) = self.awaited.iter().position(|(awaited, _)| *awaited == id) {
            self.awaited.swap_remove(place);
            return self.message(answer, at, out);
        }
        let Some((place, about, version)) = self.slots.find(id) else { return Ok(()) };
        let quits = matches!(about, About::Quit);
        let failure = match answer {
            Answer::Response(response) => {
                self.respond(place, about, version, &response)?;
                None
            }
            Answer::Miss(miss) => {
                self.undo(&about);
                if let About::Transaction { commands } = about {
                    self.slots.fill_queued(place, commands, |_| queued());
                }
                self.slots.fill(place, &[error(&format!("ERR {}", miss.message))]);
                None
            }
            Answer::Broken(response, failure) => {
                self.respond(place, about, version, &response)?;
                Some(failure)
            }
            Answer::Failure(failure) => Some(failure),
            Answer::Incomplete => Some(Failure::Reset),
        };
        self.flush(out);
        match failure {
            Some(Failure::Closed) => self.end(Ending::Finished, out),
            Some(_) => self.end(Ending::Reset, out),
            None if quits => self.end(Ending::Finished, out),
            None => self.await_messages(at, out),
        }
        Ok(())
    }

    /// What was believed to succeed did not.
    fn undo(&mut self, about: &About) {
        match about {
            About::Hello { before } => self.version = *before,
            About::Select { before } => self.db = *before,
            _ => {}
        }
    }

    fn respond(
        &mut self,
        place: usize,
        about: About,
        version: Version,
        response: &Map,
    ) -> Result<(), WireError> {
        if response.is_empty() {
            self.slots.fill(place, &[]);
            return Ok(());
        }
        let refused = response.get("error").is_some() || response.get("bulk_error").is_some();
        match about {
            About::Channels(change, names) if !refused => {
                let names = if names.is_empty() { self.all(change, response) } else { names };
                let confirmed = self.confirm(change, names)?;
                self.slots.fill(place, &confirmed);
                return Ok(());
            }
            About::Transaction { commands } => {
                let why = refusals(response)?;
                self.slots.fill_queued(place, commands, |number| {
                    let why = why.iter().find(|(refused, _)| *refused == number + 1);
                    why.map_or_else(queued, |(_, why)| Resp::Error(why.clone()))
                });
                let mut response = response.clone();
                response.remove("refused");
                self.slots.fill(place, &[reply::read(&response)?]);
                return Ok(());
            }
            _ => {}
        }
        if refused {
            self.undo(&about);
        }
        let value = reply::read(response)?;
        let value = match &about {
            About::Hello { .. } => suit::hello(value, version),
            About::Command(words) if version == Version::Two && self.subscriptions.any() => {
                pong(words, value)
            }
            About::Command(words) => suit::suit(words, value, version),
            _ => value,
        };
        self.slots.fill(place, &[value]);
        Ok(())
    }

    /// Everything of a kind that is listened to, in the order that the server chose.
    fn all(&self, change: Change, response: &Map) -> Vec<Bytes> {
        let confirmed = response.get("confirmed").and_then(Value::as_list).unwrap_or_default();
        let name = |one: &Value| one.as_list()?.get(1)?.as_bytes().map(Bytes::copy_from_slice);
        let order: Vec<Bytes> = confirmed.iter().filter_map(name).collect();
        let mut names = self.subscriptions.names(change.of);
        names.sort_by_key(|name| order.iter().position(|one| one == name).unwrap_or(usize::MAX));
        names
    }

    /// Begins or ends listening, and says so for each name.
    fn confirm(&mut self, change: Change, names: Vec<Bytes>) -> Result<Vec<Resp>, WireError> {
        let mut confirmed = Vec::new();
        let mut confirm = |name: Resp, count: usize| {
            let word = Resp::Bulk(Bytes::from_static(change.word().as_bytes()));
            let count = Resp::Integer(i64::try_from(count).unwrap_or(i64::MAX));
            confirmed.push(Resp::Push(vec![word, name, count]));
        };
        if names.is_empty() {
            confirm(Resp::Nil, self.subscriptions.count(change.of));
        }
        for name in names {
            self.subscriptions.change(change, &name)?;
            confirm(Resp::Bulk(name), self.subscriptions.count(change.of));
        }
        Ok(confirmed)
    }

    /// Asks for the next message of everything that is listened to.
    pub(super) fn await_messages(&mut self, at: Moment, out: &mut Vec<Command>) {
        if !self.subscriptions.any() && !self.tracks {
            return;
        }
        let mut wanted = Vec::new();
        for change in ALL {
            let kind = Bytes::from_static(change.message().as_bytes());
            let names = self.subscriptions.names(change.of).into_iter();
            wanted.extend(names.map(|name| vec![kind.clone(), name]));
        }
        if self.tracks && self.version == Version::Three {
            wanted.push(vec![Bytes::from_static(b"invalidate")]);
        }
        for about in wanted {
            if self.awaited.iter().all(|(_, awaited)| *awaited != about) {
                let id = self.number();
                let request = Map::from([("receive", words::show(&about))]);
                self.awaited.push((id, about));
                out.push(Command::Ask { id, request, at });
            }
        }
    }

    fn message(
        &mut self,
        answer: Answer,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match answer {
            Answer::Response(response) => {
                let mut bytes = Vec::new();
                write::write(&reply::read(&response)?, self.version, &mut bytes);
                out.push(Command::Send { to: Peer::Client, bytes: Bytes::from(bytes) });
                self.await_messages(at, out);
            }
            Answer::Failure(_) | Answer::Broken(..) => self.end(Ending::Finished, out),
            Answer::Miss(_) | Answer::Incomplete => {}
        }
        Ok(())
    }
}

/// The numbers of the commands that a recorded transaction refused, with the errors.
fn refusals(response: &Map) -> Result<Vec<(usize, Bytes)>, WireError> {
    let refused = response.get("refused").and_then(Value::as_map);
    let read = |(number, why): (&str, &Value)| {
        let why = why.as_bytes().map(Bytes::copy_from_slice);
        let pair = number.parse().ok().zip(why);
        pair.ok_or_else(|| unwritable("`refused` must name commands by number, with their errors"))
    };
    refused.into_iter().flat_map(Map::iter).map(read).collect()
}

fn queued() -> Resp {
    Resp::Status(Bytes::from_static(b"QUEUED"))
}

fn error(text: &str) -> Resp {
    Resp::Error(Bytes::copy_from_slice(text.as_bytes()))
}

/// The reply to PING on a connection of version 2 that is given over to messages.
fn pong(words: &[Bytes], reply: Resp) -> Resp {
    if !words[0].eq_ignore_ascii_case(b"PING") {
        return reply;
    }
    let message = match reply {
        Resp::Bulk(message) => message,
        Resp::Status(_) => Bytes::new(),
        other => return other,
    };
    Resp::Array(vec![Resp::Bulk(Bytes::from_static(b"pong")), Resp::Bulk(message)])
}
