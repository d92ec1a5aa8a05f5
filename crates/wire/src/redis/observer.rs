//! Watches both peers: matches what the server says with what the client asked, in order.
//!
//! What a reply means depends on where the connection stands when it comes (in a transaction, which
//! database, listening to channels), so requests take their form only then.

mod answering;
mod transaction;

use super::inbox::{self, Asked, Inbox};
use super::resp::{Reader, Resp};
use super::subscriptions::Subscriptions;
use super::table::Name;
use super::{MOST_WAITING, NAME, blocking, leaves, malformed, secret, table};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use std::collections::VecDeque;
use transaction::Transaction;

use Peer::{Client, Server};

/// A command that the server has yet to answer.
#[derive(Debug)]
struct Waiting {
    /// None when its exchange begins only with its answer.
    id: Option<ExchangeId>,
    name: Name,
    /// Whether it waits until something happens.
    waits: bool,
    words: Vec<Bytes>,
    at: Moment,
    /// Confirmations of channels so far.
    confirmed: Vec<Value>,
}

/// Whether the server answers at all (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Replies {
    On,
    /// Not to the next command.
    Skip,
    Off,
}

/// The session of [`crate::Protocol::observer`].
#[derive(Debug)]
pub(super) struct Observer {
    client: Inbox,
    server: Reader,
    next: u64,
    waiting: VecDeque<Waiting>,
    /// Whether the client believes itself in a transaction, as far as it has been read.
    client_in_multi: bool,
    transaction: Option<Transaction>,
    subscriptions: Subscriptions,
    replies: Replies,
    db: Bytes,
    /// An error that the server sent before it was asked anything.
    early: Option<Resp>,
    /// When the last reply was complete: the server takes one command after the other.
    last: Moment,
    client_ended: bool,
    over: bool,
}

impl Observer {
    pub(super) fn new(limits: Limits) -> Self {
        Observer {
            client: Inbox::new(limits.body),
            server: Reader::new(limits.body),
            next: 1,
            waiting: VecDeque::new(),
            client_in_multi: false,
            transaction: None,
            subscriptions: Subscriptions::default(),
            replies: Replies::On,
            db: Bytes::from_static(b"0"),
            early: None,
            last: Moment::default(),
            client_ended: false,
            over: false,
        }
    }

    fn begin(&mut self, at: Moment, out: &mut Vec<Command>) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        out.push(Command::Begin { id, at });
        id
    }

    fn client(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while !self.over {
            let Some(Asked { mut words, at }) = self.client.command(now)? else { return Ok(()) };
            let (name, _) = table::name(&words);
            if leaves(&name) {
                return self.leave(&words, out);
            }
            if self.waiting.len() >= MOST_WAITING {
                let what = "the number of commands without a reply";
                return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST_WAITING });
            }
            secret::redact(&mut words);
            let ends = matches!(&*name, "EXEC" | "DISCARD");
            let waits = blocking::waits(&name, &words);
            let id = (!self.client_in_multi && !waits).then(|| self.begin(at, out));
            match &*name {
                "MULTI" => self.client_in_multi = true,
                "RESET" => self.client_in_multi = false,
                _ if ends => self.client_in_multi = false,
                _ => {}
            }
            self.waiting.push_back(Waiting { id, name, waits, words, at, confirmed: Vec::new() });
            self.pass_silent(now, out);
            if let Some(error) = self.early.take() {
                self.answered(error, now, out)?;
            }
        }
        Ok(())
    }

    /// The connection turns into a stream: it is carried on as such, with the command that did it.
    fn leave(&mut self, words: &[Bytes], out: &mut Vec<Command>) -> Result<(), WireError> {
        if !self.waiting.is_empty() {
            return Err(malformed("MONITOR or replication behind commands without a reply"));
        }
        let client = [inbox::encode(words), self.client.take().to_vec()].concat();
        let (client, server) = (Bytes::from(client), self.server.take());
        self.over = true;
        out.push(Command::Become { protocol: "opaque", client, server });
        Ok(())
    }

    fn emit(
        &mut self,
        (id, started): (ExchangeId, Moment),
        request: Map,
        response: Map,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        // Replies that come together were made one after the other, before now.
        let started = started.max(self.last);
        let finished = if self.server.is_empty() { now } else { now.min(Moment(started.0 + 1)) };
        let exchange = Exchange {
            request,
            response: Some(response),
            started,
            finished,
            ..Exchange::default()
        };
        self.last = finished;
        out.push(Command::Emit { id, exchange: Box::new(exchange) });
    }

    /// A side has ended: what the server was answering broke off. What waited for something to
    /// happen left no trace.
    fn ended(&mut self, how: Ending, now: Moment, out: &mut Vec<Command>) {
        self.over = true;
        let failure = match how {
            _ if self.client_ended => Failure::TimedOut,
            Ending::Reset => Failure::Reset,
            Ending::Finished => Failure::Closed,
        };
        let mut broken = Vec::new();
        if let Some(transaction) = self.transaction.take() {
            broken.push((transaction.id, transaction.started, transaction.request(false)));
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if let Some(id) = waiting.id {
                broken.push((id, waiting.at, self.request(&waiting.name, &waiting.words)));
            }
        }
        for (id, started, request) in broken {
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
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                self.client(at, out)
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes);
                while !self.over
                    && let Some(value) = self.server.next()?
                {
                    self.server(value, at, out)?;
                }
                Ok(())
            }
            Event::Closed { from: Server, how, at } => {
                self.ended(how, at, out);
                Ok(())
            }
            Event::Closed { from: Client, how, at } => {
                self.client_ended = true;
                if how == Ending::Reset {
                    self.ended(how, at, out);
                }
                Ok(())
            }
            Event::Opened { .. }
            | Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
