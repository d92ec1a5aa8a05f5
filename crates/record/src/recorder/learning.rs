//! What servers tell of their messages while they are recorded, and what has to wait for it.
//!
//! Messages are shown by the names that their server gives them, and by names secrets are known. So when a
//! server is asked, what comes after the first exchange of that kind is held back until it has answered, and
//! then recorded in its order: nothing is written that is shown otherwise later. Who asks is not settled
//! here.

use super::{Connection, Recorder};
use crate::edges::PartyId;
use crate::sink::Message;
use rehearsal_model::{Exchange, Map, Role, Value};
use rehearsal_wire::{Inquiry, Protocol, Schemas};
use std::collections::{BTreeSet, VecDeque};
use tokio::sync::mpsc;

/// How much is held back, in messages to the recorder and bytes of what people will read.
const MOST_HELD: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// A server is to be asked of what its messages are made.
pub(crate) struct Question {
    pub(crate) party: PartyId,
    /// Whether TLS is laid over connections with it, and by which name it is called there.
    pub(crate) tls: bool,
    pub(crate) server_name: Option<String>,
    pub(crate) protocol: &'static dyn Protocol,
    pub(crate) inquiry: Box<dyn Inquiry>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Learning {
    /// Leads to who asks; none when nobody shall be asked.
    ask: Option<mpsc::UnboundedSender<Question>>,
    /// What was known at the beginning, by which exchanges are shown that come here.
    before: Option<&'static Schemas>,
    /// That and what was told since, if anything was.
    since: Option<&'static Schemas>,
    /// How much of a message is unpacked.
    limit: usize,
    asked: BTreeSet<PartyId>,
    waiting: BTreeSet<PartyId>,
    held: VecDeque<Message>,
    bytes: usize,
}

impl Learning {
    /// Asks by way of that channel; `limit` is the largest content of a message.
    pub(crate) fn by(
        ask: mpsc::UnboundedSender<Question>,
        before: Option<&'static Schemas>,
        limit: u64,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Learning { ask: Some(ask), before, limit, ..Learning::default() }
    }

    /// Whether the answer of a server is awaited.
    pub(super) fn awaits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Shows an exchange by all that was told.
    pub(super) fn show(&self, protocol: &dyn Protocol, exchange: &mut Exchange) {
        if let Some(since) = self.since {
            protocol.reread(exchange, self.before, since, self.limit);
        }
    }

    fn hold(&mut self, message: Message) {
        if self.awaits() {
            self.bytes = self.bytes.saturating_add(match &message {
                Message::Done { exchange, .. } => weight(exchange),
                _ => 0,
            });
        }
        self.held.push_back(message);
        if self.held.len() > MOST_HELD || self.bytes > MOST_BYTES {
            self.waiting.clear();
        }
    }

    /// Whether it is asked.
    fn asks(&mut self, question: Question) -> bool {
        let party = question.party;
        let sent = self.ask.as_ref().is_some_and(|ask| ask.send(question).is_ok());
        if sent {
            self.asked.insert(party);
            self.waiting.insert(party);
        }
        sent
    }
}

impl Recorder {
    /// Handles what happened in its order, as far as it need not wait for what a server tells.
    pub(super) fn take_in(&mut self, message: Message) {
        match message {
            Message::Described { party, told } => self.described(party, told),
            message => self.learning.hold(message),
        }
        while !self.learning.awaits()
            && let Some(message) = self.learning.held.pop_front()
        {
            if let Some(question) = self.question(&message)
                && self.learning.asks(question)
            {
                self.learning.bytes = 0;
                self.learning.held.push_front(message);
                return;
            }
            self.handle(message);
        }
    }

    /// Handles what is still held back; nobody is asked any more.
    pub(super) fn take_in_the_rest(&mut self) {
        self.learning.ask = None;
        self.learning.waiting.clear();
        while let Some(message) = self.learning.held.pop_front() {
            self.handle(message);
        }
    }

    /// What is to be asked before an exchange is recorded.
    fn question(&self, message: &Message) -> Option<Question> {
        let Message::Done { connection, protocol, exchange, .. } = message else { return None };
        self.learning.ask.as_ref()?;
        let Connection { party, role, tls, called, .. } = self.connections.get(connection)?;
        let asked = self.learning.asked.contains(party);
        if asked || exchange.response.is_none() || *role == Role::Inbound && self.suite.is_some() {
            return None;
        }
        let known = self.learning.since.or(self.learning.before);
        Some(Question {
            party: *party,
            tls: tls.first.is_some(),
            server_name: called.clone(),
            protocol: *protocol,
            inquiry: protocol.inquiry(&exchange.request, known)?,
        })
    }

    fn described(&mut self, party: PartyId, told: Result<Vec<u8>, String>) {
        self.learning.waiting.remove(&party);
        let learned = told.and_then(|told| {
            let set = Schemas::joined(&self.manifest.schemas, &told)?;
            Ok((Schemas::shared(&set)?, set))
        });
        match learned {
            Ok((since, set)) => {
                self.learning.since = since;
                self.manifest.schemas = set;
                self.spoken.renew();
            }
            Err(why) => {
                let edge = self.parties.get(party).name;
                let remedy = "name their schemas under proto in rehearsal.yaml";
                self.warn(format!("edge {edge}: messages are shown by number: {why}; {remedy}"));
            }
        }
    }
}

/// About how many bytes an exchange takes.
fn weight(exchange: &Exchange) -> usize {
    let of = |map: &Map| map.iter().map(|(key, value)| key.len() + weight_of(value)).sum::<usize>();
    of(&exchange.request) + exchange.response.as_ref().map_or(0, of)
}

fn weight_of(value: &Value) -> usize {
    // The places of values themselves count too: many small ones are large.
    size_of::<Value>()
        + match value {
            Value::List(list) => list.iter().map(weight_of).sum(),
            Value::Map(map) => map.iter().map(|(key, value)| key.len() + weight_of(value)).sum(),
            other => other.as_bytes().map_or(0, <[u8]>::len),
        }
}
