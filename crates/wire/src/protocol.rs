//! What a protocol offers to the rooms above.

use crate::undriven::Undriven;
use crate::{Flaw, Inquiry, Schemas, Session};
use rehearsal_model::shape::ExchangeShape;
use rehearsal_model::{Exchange, Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// A protocol: how its bytes are recognised, how each side of it is played, and which parts of its
/// messages matter.
pub trait Protocol: Sync {
    /// Its name in recordings and settings, such as `http`.
    fn name(&self) -> &'static str;

    /// What it is called when application protocols are negotiated with TLS (RFC 7301), on a connection on
    /// which this is asked; none when it is spoken there without.
    fn alpn(&self, _request: &Map) -> &'static [&'static str] {
        &[]
    }

    /// How its exchanges look in files.
    fn shape(&self) -> &'static ExchangeShape;

    /// Whether a connection that began with these bytes speaks this protocol. Consumes nothing;
    /// may be asked again with more bytes after [`Verdict::NeedMore`].
    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict;

    /// A session that watches both peers and emits their exchanges: for recording.
    fn observer(&self, limits: Limits) -> Box<dyn Session>;

    /// A session that plays the server: for mocks.
    fn responder(&self, limits: Limits) -> Box<dyn Session>;

    /// As [`Protocol::responder`], for clients that prove by a password who they are and want the
    /// server to prove that it knows it too. The password is not recorded; `words` are the texts
    /// among which it may be.
    fn responder_knowing(&self, limits: Limits, _words: &Arc<[String]>) -> Box<dyn Session> {
        self.responder(limits)
    }

    /// A session that plays the client: for driving tests. Without it, apps that serve this protocol
    /// are not driven.
    fn requester(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(Undriven(self.name()))
    }

    /// Which parts of its messages identify and matter.
    fn facets(&self) -> &'static dyn Facets;

    /// What can be asked of a server to learn of what the messages of a request are made, when `known`
    /// does not say it and the protocol has such a thing.
    fn inquiry(&self, _request: &Map, _known: Option<&Schemas>) -> Option<Box<dyn Inquiry>> {
        None
    }

    /// Shows an exchange anew that is shown by what was known `before`, by all that is known since. Of what
    /// is packed at most `limit` bytes are unpacked.
    fn reread(
        &self,
        _exchange: &mut Exchange,
        _before: Option<&'static Schemas>,
        _since: &'static Schemas,
        _limit: usize,
    ) {
    }
}

/// What the first bytes of a connection say about its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another protocol.
    No,
    /// More bytes must come before that can be said.
    NeedMore,
    /// It is this protocol.
    Yes,
}

/// What a request does to the unit of work on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    /// It opens one that a later request is to end.
    Opens,
    /// It does nothing but end it, in whichever way.
    Ends,
    /// From it on the server opens one on the connection unasked, when none is open and it is asked for
    /// something; or it no longer does.
    Unasked(bool),
}

/// Bounds on what a session keeps of one message, and what it knows of messages beforehand. What is
/// larger is a [`crate::WireError`], except for bodies, which are then recorded by length and hash.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a message's head: start line and headers.
    pub head: usize,
    /// Bytes of a body that are kept.
    pub body: usize,
    /// Exchanges that may wait for their answer on one connection.
    pub in_flight: usize,
    /// What is known beforehand of the messages that are exchanged.
    pub schemas: Option<&'static Schemas>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { head: 2 << 20, body: 16 << 20, in_flight: 1024, schemas: None }
    }
}

/// Which parts of a message identify it, and what two messages must agree in.
///
/// All are pure functions of recorded data. *Comparison form* is a value in which everything that
/// says the same is equal (header names in lower case, JSON text as a tree) and everything that is
/// of no concern (framing, connection management) is absent; its paths are those that people see.
pub trait Facets: Sync {
    /// What people call the operation: `POST /charges`, `SELECT orders`.
    fn operation(&self, request: &Map) -> String;

    /// What the operation is about: a table, a key, a path. Of a request that no mock answers it says
    /// which mock to show beside it.
    fn subject(&self, _request: &Map) -> Option<String> {
        None
    }

    /// What the request asks, without its values: `SELECT name FROM items WHERE id = $1`. Requests that say
    /// the same here are many of one kind, as an app makes them that asks for each row. None when what
    /// [`Facets::operation`] says is that already, but for numbers and ids in it.
    fn statement(&self, _request: &Map) -> Option<String> {
        None
    }

    /// The parts without which two requests are different operations, in a canonical form; it is
    /// hashed.
    fn identity(&self, request: &Map) -> Value;

    /// The request in comparison form, the parts of [`Facets::identity`] included.
    fn request(&self, request: &Map) -> Value;

    /// The response in comparison form.
    fn response(&self, request: &Map, response: &Map) -> Value;

    /// Whether asking again is harmless and may be answered again by the latest answer (a read).
    fn repeatable(&self, request: &Map) -> bool;

    /// What went wrong according to a response, in a few words, where its first value (a status) does not
    /// say so.
    fn failure(&self, _request: &Map, _response: &Map) -> Option<String> {
        None
    }

    /// A line for a POSIX shell that sends the request to a server at an address, encrypted or not, by a
    /// program that people have. None when there is no such program, or no such line. It holds no
    /// character that acts on a terminal.
    fn by_hand(&self, _request: &Map, _to: (bool, &str)) -> Option<String> {
        None
    }

    /// For whom a request is that is said to somebody who passes it on, as `host:port`, and the request
    /// as that one gets it. None when nobody else is named.
    fn forwarded(&self, _request: &Map) -> Option<(String, Map)> {
        None
    }

    /// Whether a request sets a connection up (a handshake, a ping, a driver asking for the server's
    /// version): it belongs to no test, may be asked on any connection, at any time, and any number
    /// of times.
    fn sets_up(&self, _request: &Map) -> bool {
        false
    }

    /// Whether the answer to a request that sets a connection up stands until the server is changed: what
    /// a statement takes and gives, until a table is altered. Another answer to it is then kept too, with
    /// its place on the timeline. Those of other requests differ between connections and say nothing.
    fn stands(&self, _request: &Map) -> bool {
        false
    }

    /// Whether more bytes can turn a request into a recorded one: it is the beginning of that. Only
    /// protocols that cannot tell where a request ends say so.
    fn begins(&self, _request: &Map, _recorded: &Map) -> bool {
        false
    }

    /// Whether a request begins with a recorded one, so that this can be answered before the rest.
    /// Only protocols that cannot tell where a request ends say so.
    fn goes_beyond(&self, _request: &Map, _recorded: &Map) -> bool {
        false
    }

    /// Whether a request is only what came so far of one that is answered while it is still being said.
    /// The answer to it says what its mock answers, and `asked` in it is the recorded request; the whole
    /// request is asked about once more.
    fn is_so_far(&self, _request: &Map) -> bool {
        false
    }

    /// As much of a recorded request as came so far of one of which [`Facets::is_so_far`] is true, unless
    /// more came than is recorded.
    fn cut(&self, _request: &Map, _recorded: &Map) -> Option<Map> {
        None
    }

    /// Whether the server had answered or refused a recorded request before its client ended it: what the
    /// client would have said then is no part of it.
    fn is_unheard(&self, _recorded: &Map) -> bool {
        false
    }

    /// Whether a played server answers a request by itself when no mock does: it asks in case that the
    /// recorded server did otherwise, such as refuse to prepare a statement.
    fn optional(&self, _request: &Map) -> bool {
        false
    }

    /// What the conversation is that a request begins, when that cannot be replayed: a word or two after
    /// "is", such as `encrypted (TLS)`.
    fn obstacle(&self, _request: &Map) -> Option<&'static str> {
        None
    }

    /// What every server answers to a request that no mock answers: a ping, a wish to log in, a name that
    /// a client gives itself. Drivers of another version, or in another mood, ask for such things.
    fn usual(&self, _request: &Map) -> Option<Map> {
        None
    }

    /// How long the server may leave a request unanswered until something happens: a message comes, a
    /// queue is filled. Such a request is answered once the calls above its mock have come. It is no
    /// miss while there is no mock; after that time it gets the [`Facets::usual`] answer.
    fn waits(&self, _request: &Map) -> Option<Duration> {
        None
    }

    /// What in a recorded answer cannot be served, such as a value that is none of its column's type.
    /// Nothing that a server has said is refused.
    fn flaw(&self, _request: &Map, _response: &Map) -> Option<Flaw> {
        None
    }

    /// Tells of each text of an exchange that stands beside its name and not at it, such as the field of a
    /// hash in a command. `change` is given both and says what is to stand there instead, if anything: a
    /// placeholder for a secret.
    fn beside(
        &self,
        _request: &mut Map,
        _response: Option<&mut Map>,
        _change: &mut dyn FnMut(&str, &str) -> Option<String>,
    ) {
    }

    /// Numbers that the server gives to what lasts for a while, such as a cursor, and that clients only say
    /// back. They are other ones in each run.
    fn given<'a>(
        &self,
        _request: &'a mut Map,
        _response: Option<&'a mut Map>,
    ) -> Vec<&'a mut Value> {
        Vec::new()
    }

    /// Whether a part of a message was too large to keep: `omitted`, or a key that ends so, then says
    /// its length and hash in its place. It cannot be replayed as it was.
    fn omits(&self, message: &Map) -> bool {
        let stands_in = |(key, value): (&str, &Value)| {
            let named = key == "omitted" || key.ends_with("_omitted");
            let value = value.as_map().filter(|_| named);
            value
                .is_some_and(|value| value.get("sha256").is_some() && value.get("length").is_some())
        };
        message.iter().any(|(key, value)| match value {
            Value::List(parts) => {
                parts.iter().filter_map(Value::as_map).any(|part| part.iter().any(stands_in))
            }
            _ => stands_in((key, value)),
        })
    }

    /// Whether a request opens a unit of work on its connection, or ends it: a transaction.
    fn bracket(&self, _request: &Map) -> Option<Bracket> {
        None
    }

    /// The test that makes the request, when it names it itself.
    fn named_test(&self, _request: &Map) -> Option<String> {
        None
    }

    /// The identifiers by which an app carries the cause of a call along: trace and request ids.
    fn trace(&self, request: &Map) -> Vec<String>;
}
