//! What the server says: replies, confirmations and messages.

use super::{Observer, Replies, Transaction, Waiting};
use crate::redis::resp::Resp;
use crate::redis::subscriptions::Change;
use crate::redis::{malformed, reply, table, words};
use crate::{Command, WireError};
use bytes::Bytes;
use rehearsal_model::{Map, Moment};

/// The first item of an array of strings that is not asked for, such as `message`.
fn kind(items: &[Resp]) -> &[u8] {
    match items.first() {
        Some(Resp::Bulk(kind)) => kind,
        _ => b"",
    }
}

impl Observer {
    /// Sorts a value of the server: a message, a confirmation, or the reply that is due.
    pub(super) fn server(
        &mut self,
        value: Resp,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let listens = self.subscriptions.any() || self.front_changes();
        match value {
            Resp::Push(items) => self.pushed(items, now, out),
            Resp::Array(items) if listens && is_message(&items) => self.pushed(items, now, out),
            value => self.answered(value, now, out),
        }
    }

    fn front_changes(&self) -> bool {
        self.waiting.front().is_some_and(|front| Change::parse(front.name.as_bytes()).is_some())
    }

    fn pushed(
        &mut self,
        items: Vec<Resp>,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let change = Change::parse(kind(&items));
        let asked = self.waiting.front().and_then(|front| Change::parse(front.name.as_bytes()));
        if change.is_some() && change == asked {
            return self.confirmed(items, now, out);
        }
        if let (Some(change), Some(Resp::Bulk(name))) = (change, items.get(1)) {
            self.subscriptions.change(change, name)?;
        }
        let about = match items.get(1) {
            Some(Resp::Bulk(name)) if items.len() > 2 => {
                vec![Bytes::copy_from_slice(kind(&items)), name.clone()]
            }
            _ => vec![Bytes::copy_from_slice(kind(&items))],
        };
        let id = self.begin(now, out);
        let request = Map::from([("receive", words::show(&about))]);
        // It has no place among the commands.
        let last = self.last;
        self.emit((id, now), request, reply::show(Resp::Push(items)), now, out);
        self.last = last;
        Ok(())
    }

    fn confirmed(
        &mut self,
        items: Vec<Resp>,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(front) = self.waiting.front_mut() else { return Ok(()) };
        let Some(change) = Change::parse(front.name.as_bytes()) else { return Ok(()) };
        // Without names, everything of that kind is left, one by one.
        let wanted = match front.words.len() - 1 {
            0 => front.confirmed.len() + self.subscriptions.names(change.of).len().max(1),
            named => named,
        };
        if let Some(Resp::Bulk(name)) = items.get(1) {
            self.subscriptions.change(change, name)?;
        }
        let shown = reply::show(Resp::Array(items)).remove("array").unwrap_or_default();
        front.confirmed.push(shown);
        if front.confirmed.len() < wanted {
            return Ok(());
        }
        let Some(mut front) = self.waiting.pop_front() else { return Ok(()) };
        let confirmed = std::mem::take(&mut front.confirmed);
        self.finish(front, Map::from([("confirmed", confirmed)]), now, out);
        self.pass_silent(now, out);
        Ok(())
    }

    /// The reply to the command that is due.
    pub(super) fn answered(
        &mut self,
        value: Resp,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(front) = self.waiting.pop_front() else {
            if matches!(value, Resp::Error(_)) && self.early.is_none() {
                self.early = Some(value);
                return Ok(());
            }
            return Err(malformed("a reply that nobody asked for"));
        };
        let refused = matches!(value, Resp::Error(_) | Resp::BulkError(_));
        match &*front.name {
            "MULTI" if !refused && self.transaction.is_none() => {
                let id = front.id.unwrap_or_else(|| self.begin(front.at, out));
                self.transaction = Some(Transaction::new(id, front.at));
            }
            "EXEC" | "DISCARD" => self.transaction_ended(front, value, now, out),
            "RESET" if !refused => {
                if let Some(transaction) = self.transaction.take() {
                    let request = transaction.request(true);
                    let begun = (transaction.id, transaction.started);
                    let done = Map::from([("status", "OK")]);
                    self.emit(begun, request, done, now, out);
                }
                self.subscriptions.clear();
                self.db = Bytes::from_static(b"0");
                self.finish(front, reply::show(value), now, out);
            }
            "MULTI" | "WATCH" | "QUIT" => self.finish(front, reply::show(value), now, out),
            _ => match (&mut self.transaction, &value) {
                (Some(transaction), Resp::Status(_)) => transaction.push(&front.words, None),
                (Some(transaction), Resp::Error(text) | Resp::BulkError(text)) => {
                    transaction.push(&front.words, Some(text));
                }
                _ => self.plain(front, value, now, out),
            },
        }
        self.pass_silent(now, out);
        Ok(())
    }

    fn plain(&mut self, front: Waiting, value: Resp, now: Moment, out: &mut Vec<Command>) {
        let in_vain = matches!(value, Resp::Nil | Resp::NilArray);
        if front.waits && in_vain {
            return;
        }
        let value = match value {
            Resp::Array(items) if front.name == "PING" && self.subscriptions.any() => pong(items),
            value => value,
        };
        let selects = front.name == "SELECT" && matches!(value, Resp::Status(_));
        let db = front.words.get(1).cloned();
        if front.name == "CLIENT REPLY" {
            self.replies = Replies::On;
        }
        self.finish(front, reply::show(value), now, out);
        if let (true, Some(db)) = (selects, db) {
            self.db = db;
        }
    }

    fn transaction_ended(
        &mut self,
        front: Waiting,
        value: Resp,
        now: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(transaction) = self.transaction.take() else {
            return self.finish(front, reply::show(value), now, out);
        };
        let mut request = transaction.request(front.name == "DISCARD");
        self.add_db(&mut request);
        let mut response = reply::show(value);
        let (id, started) = (transaction.id, transaction.started);
        transaction.note_refused(&mut response);
        self.emit((id, started), request, response, now, out);
    }

    fn finish(&mut self, front: Waiting, response: Map, now: Moment, out: &mut Vec<Command>) {
        let (id, started) = match front.id {
            Some(id) => (id, front.at),
            None => (self.begin(now, out), now),
        };
        let request = self.request(&front.name, &front.words);
        self.emit((id, started), request, response, now, out);
    }

    /// A command as a request.
    pub(super) fn request(&self, name: &str, command: &[Bytes]) -> Map {
        let mut request = Map::from([("redis", words::show(command))]);
        if table::is_about_data(name) {
            self.add_db(&mut request);
        }
        request
    }

    fn add_db(&self, request: &mut Map) {
        if let Ok(db @ 1..) = std::str::from_utf8(&self.db).unwrap_or_default().parse::<u32>() {
            request.push_new("db", db);
        }
    }

    /// Takes the commands as done that the server does not answer.
    pub(super) fn pass_silent(&mut self, now: Moment, out: &mut Vec<Command>) {
        while let Some(front) = self.waiting.front() {
            let mode = match (&*front.name, front.words.get(2)) {
                ("CLIENT REPLY", Some(mode)) => mode.to_ascii_uppercase(),
                _ => Vec::new(),
            };
            match (mode.as_slice(), self.replies) {
                (b"OFF", _) => self.replies = Replies::Off,
                (b"SKIP", Replies::On) => self.replies = Replies::Skip,
                (b"ON", _) | (_, Replies::On) => return,
                (_, Replies::Skip) => self.replies = Replies::On,
                (_, Replies::Off) => {}
            }
            if let Some(front) = self.waiting.pop_front() {
                self.finish(front, Map::new(), now, out);
            }
        }
    }
}

/// Whether an array that came while channels are listened to is no reply.
fn is_message(items: &[Resp]) -> bool {
    let kind = kind(items);
    Change::parse(kind).is_some() || matches!(kind, b"message" | b"pmessage" | b"smessage")
}

/// The reply to PING while channels are listened to says the same in another form.
fn pong(items: Vec<Resp>) -> Resp {
    match items.get(1) {
        Some(Resp::Bulk(message)) if !message.is_empty() => Resp::Bulk(message.clone()),
        _ => Resp::Status(Bytes::from_static(b"PONG")),
    }
}
