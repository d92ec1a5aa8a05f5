//! Plays the server: takes any credentials, queues what is in a transaction, confirms channels by
//! itself, and asks for everything else.
//!
//! All that the client has sent is asked about at once, so that commands of several tasks on one
//! connection do not wait for each other; replies leave in the order of the commands.

mod answering;
mod slots;

use super::inbox::{self, Asked, Inbox};
use super::resp::Resp;
use super::subscriptions::{Change, Subscriptions};
use super::table::Name;
use super::write::Version;
use super::{MOST_WAITING, NAME, leaves, secret, table, words};
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use bytes::Bytes;
use rehearsal_model::{ExchangeId, Map, Moment, Value};
use slots::{About, Slot, Slots};

/// Whether the client wants replies (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Replies {
    On,
    /// Not to the next command.
    Skip,
    Off,
}

/// The session of [`crate::Protocol::responder`].
#[derive(Debug)]
pub(super) struct Responder {
    inbox: Inbox,
    next: u64,
    slots: Slots,
    /// The commands since MULTI.
    transaction: Option<Vec<Value>>,
    subscriptions: Subscriptions,
    /// The questions for messages that are out, each with what it asks for.
    awaited: Vec<(ExchangeId, Vec<Bytes>)>,
    tracks: bool,
    replies: Replies,
    version: Version,
    db: u32,
    client_ended: bool,
    over: bool,
}

impl Responder {
    pub(super) fn new(limits: Limits) -> Self {
        Responder {
            inbox: Inbox::new(limits.body),
            next: 1,
            slots: Slots::default(),
            transaction: None,
            subscriptions: Subscriptions::default(),
            awaited: Vec::new(),
            tracks: false,
            replies: Replies::On,
            version: Version::Two,
            db: 0,
            client_ended: false,
            over: false,
        }
    }

    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while !self.over {
            let Some(asked) = self.inbox.command(now)? else { break };
            if self.slots.len() >= MOST_WAITING {
                let what = "the number of commands without a reply";
                return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST_WAITING });
            }
            self.command(asked, out);
        }
        // Whoever has not sent EXEC yet wants to hear that the commands were queued.
        self.slots.settle_queued();
        self.flush(out);
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<Command>) {
        let bytes = self.slots.take_ready();
        if !bytes.is_empty() {
            out.push(Command::Send { to: Peer::Client, bytes: Bytes::from(bytes) });
        }
    }

    fn end(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.flush(out);
        self.over = true;
        out.push(Command::Close { to: Peer::Client, how });
    }

    fn command(&mut self, asked: Asked, out: &mut Vec<Command>) {
        let Asked { mut words, at } = asked;
        let (name, _) = table::name(&words);
        if leaves(&name) {
            self.flush(out);
            self.over = true;
            let client = [inbox::encode(&words), self.inbox.take().to_vec()].concat();
            let client = Bytes::from(client);
            out.push(Command::Become { protocol: "opaque", client, server: Bytes::new() });
            return;
        }
        secret::redact(&mut words);
        let silent = self.is_silent(&name, &words);
        let queues = !matches!(&*name, "EXEC" | "DISCARD" | "RESET" | "QUIT" | "MULTI" | "WATCH");
        match (&*name, &mut self.transaction) {
            ("MULTI", None) => {
                self.transaction = Some(Vec::new());
                self.own(Resp::Status(Bytes::from_static(b"OK")), silent);
            }
            (_, Some(commands)) if queues => {
                commands.push(words::show(&words));
                self.slots.push(Slot::queued(self.version, silent));
            }
            ("EXEC" | "DISCARD", Some(_)) => self.transaction_ends(&name, at, silent, out),
            _ => self.plain(name, words, at, silent, out),
        }
    }

    /// Puts a reply that needs no question.
    fn own(&mut self, reply: Resp, silent: bool) {
        self.slots.push(Slot::ready(&reply, self.version, silent));
    }

    fn transaction_ends(&mut self, name: &str, at: Moment, silent: bool, out: &mut Vec<Command>) {
        let commands = self.transaction.take().unwrap_or_default();
        let about = About::Transaction { commands: commands.len() };
        let mut request =
            Map::from([("redis", Value::from("MULTI")), ("commands", Value::List(commands))]);
        if name == "DISCARD" {
            request.push_new("discarded", true);
        }
        self.add_db(&mut request);
        self.ask(about, request, at, silent, out);
    }

    fn plain(
        &mut self,
        name: Name,
        words: Vec<Bytes>,
        at: Moment,
        silent: bool,
        out: &mut Vec<Command>,
    ) {
        let mut request = Map::from([("redis", words::show(&words))]);
        if let (Some(change), false) = (Change::parse(name.as_bytes()), silent) {
            let names = words[1..].to_vec();
            return self.ask(About::Channels(change, names), request, at, silent, out);
        }
        if table::is_about_data(&name) {
            self.add_db(&mut request);
        }
        let about = match &*name {
            "HELLO" => {
                let before = self.version;
                match words.get(1).map(|version| &**version) {
                    Some(b"3") => self.version = Version::Three,
                    Some(b"2") => self.version = Version::Two,
                    _ => {}
                }
                About::Hello { before }
            }
            "SELECT" => {
                let before = self.db;
                let db = words.get(1).and_then(|db| std::str::from_utf8(db).ok()?.parse().ok());
                self.db = db.unwrap_or(before);
                About::Select { before }
            }
            "RESET" => {
                self.transaction = None;
                self.subscriptions.clear();
                (self.version, self.db, self.tracks) = (Version::Two, 0, false);
                About::Command(words)
            }
            "QUIT" => About::Quit,
            "CLIENT TRACKING" => {
                let on = words.get(2).is_some_and(|word| word.eq_ignore_ascii_case(b"ON"));
                self.tracks = on;
                About::Command(words)
            }
            _ => About::Command(words),
        };
        self.ask(about, request, at, silent, out);
        self.await_messages(at, out);
    }

    fn ask(
        &mut self,
        about: About,
        request: Map,
        at: Moment,
        silent: bool,
        out: &mut Vec<Command>,
    ) {
        let id = self.number();
        self.slots.push(Slot::asked(id, about, self.version, silent));
        out.push(Command::Ask { id, request, at });
    }

    fn number(&mut self) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        id
    }

    fn add_db(&self, request: &mut Map) {
        if self.db != 0 {
            request.insert("db", self.db);
        }
    }

    /// Whether a command gets no reply.
    fn is_silent(&mut self, name: &str, words: &[Bytes]) -> bool {
        let mode = match (name, words.get(2)) {
            ("CLIENT REPLY", Some(mode)) => mode.to_ascii_uppercase(),
            _ => Vec::new(),
        };
        match (mode.as_slice(), self.replies) {
            (b"ON", _) => self.replies = Replies::On,
            (b"OFF", _) => self.replies = Replies::Off,
            (b"SKIP", Replies::On) => self.replies = Replies::Skip,
            (_, Replies::On) => {}
            (_, Replies::Skip) => {
                self.replies = Replies::On;
                return true;
            }
            (_, Replies::Off) => return true,
        }
        self.replies != Replies::On
    }
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
            Event::Answer { id, answer, at } => self.answer(id, answer, at, out)?,
            Event::Closed { from: Peer::Client, how: Ending::Reset, .. } => self.over = true,
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. } => {
                self.client_ended = true;
            }
            _ => {}
        }
        if !self.over && self.client_ended && !self.slots.wait_for_more() {
            self.end(Ending::Finished, out);
        }
        Ok(())
    }
}
