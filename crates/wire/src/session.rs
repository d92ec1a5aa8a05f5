//! The two-way conversation between a driver and a protocol.
//!
//! `docs/design/0001-sessions.md` says why it has this form.

use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The side that opened it.
    Client,
    /// The side that accepted it.
    Server,
}

impl Peer {
    /// The side opposite.
    #[must_use]
    pub fn other(self) -> Peer {
        match self {
            Peer::Client => Peer::Server,
            Peer::Server => Peer::Client,
        }
    }
}

/// How one direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order: no more bytes will come from that side.
    Finished,
    /// Abruptly: by a reset or an error.
    Reset,
}

/// A protocol's state for one connection.
pub trait Session: Send {
    /// Takes what happened and appends what to do.
    ///
    /// # Errors
    /// When the bytes are not the protocol, or pass a limit. The session is of no more use then:
    /// an observed connection is carried on unread, a played one is closed.
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError>;
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection stands. Comes once to each session, before anything else, so that a
    /// responder of a protocol in which the server may speak first can ask for what it says.
    Opened {
        /// When.
        at: Moment,
    },
    /// Bytes came. A datagram protocol gets exactly one datagram.
    Data {
        /// Who sent them.
        from: Peer,
        /// They.
        bytes: &'a [u8],
        /// When.
        at: Moment,
    },
    /// A side will send no more.
    Closed {
        /// Which side.
        from: Peer,
        /// In what way.
        how: Ending,
        /// When.
        at: Moment,
    },
    /// TLS that was asked for by [`Command::StartTls`] is established with this side.
    TlsReady {
        /// Which side.
        with: Peer,
    },
    /// The answer to a [`Command::Ask`].
    Answer {
        /// The exchange that was asked for.
        id: ExchangeId,
        /// What to answer.
        answer: Answer,
        /// When.
        at: Moment,
    },
    /// A request to send, given to a requester. Its response is emitted with the same number.
    Request {
        /// The number of the exchange.
        id: ExchangeId,
        /// The request as recorded.
        request: &'a Map,
        /// What was answered when it was recorded. Exchanges that are made of messages both ways
        /// need it, to know what else to send, and after what.
        recorded: Option<&'a Map>,
        /// When.
        at: Moment,
    },
    /// The time that [`Command::Wake`] asked for has come.
    Tick {
        /// When.
        at: Moment,
    },
}

/// What a responder shall say.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// This recorded response. Where requests have no end, `asked` in it is the recorded request, when
    /// that is only the beginning of what was asked about.
    Response(Map),
    /// Nothing: the connection breaks off as it did.
    Failure(Failure),
    /// As much of a response as came before the connection broke off.
    Broken(Map, Failure),
    /// Nothing yet: no mock is equal to the request but one begins with it, so that more of it may
    /// come. Only for protocols that cannot tell where a request ends.
    Incomplete,
    /// No mock answers; say so in the protocol's own words.
    Miss(Miss),
}

/// Why no mock answers, for the app's eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// One sentence.
    pub message: String,
    /// Details for machines: edge, operation, nearest mock.
    pub details: Value,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Send bytes to a side.
    Send {
        /// To whom.
        to: Peer,
        /// What.
        bytes: Bytes,
    },
    /// Stop forwarding what a side sends, from the next byte on; the session forwards by
    /// [`Command::Send`] what it wants to pass. Observers only.
    Hold {
        /// Whose bytes.
        from: Peer,
    },
    /// Forward what a side sends, again.
    Forward {
        /// Whose bytes.
        from: Peer,
    },
    /// An exchange has begun: the first byte of its request was seen. Observers only.
    Begin {
        /// Its number.
        id: ExchangeId,
        /// When its first byte came.
        at: Moment,
    },
    /// Find the answer to a request; it comes back as [`Event::Answer`]. Responders only.
    Ask {
        /// The number of the exchange.
        id: ExchangeId,
        /// The request.
        request: Map,
        /// When its first byte came.
        at: Moment,
    },
    /// What is asked next works within this unit of work, on whichever connections its requests come: a
    /// transaction that has a number. Responders only; observers say so in [`Exchange::unit`].
    Within(u64),
    /// From here on the server opens a unit of work on the connection unasked, when none is open and it is
    /// asked for something; or it no longer does, and what was open has ended. What requests say of this by
    /// [`crate::Bracket::Unasked`] need not be said. Observers and responders.
    Unasked(bool),
    /// The client said more in an exchange that lasts: what the app does now may be because of it.
    /// Said once when such an exchange is known to last, too. Observers only.
    Stir {
        /// The number it began with.
        id: ExchangeId,
        /// When.
        at: Moment,
    },
    /// An exchange is complete. Observers and requesters; responders say by it how an exchange that
    /// is made of messages has gone so far, as often as that is worth looking at.
    Emit {
        /// The number it began with.
        id: ExchangeId,
        /// What was said.
        exchange: Box<Exchange>,
    },
    /// What follows in an exchange cannot be read, and all else on the connection can: it is recorded as
    /// far as it came. Says why, in a few words. Observers only.
    Unread(String),
    /// A column of the server's schema has crossed the wire. Observers of databases only, which say
    /// each once or a few times.
    Teach(Taught),
    /// Establish TLS with a side: as its server with the client, as its client with the server.
    StartTls {
        /// With whom.
        with: Peer,
        /// Bytes of that side which this session has been given and not used.
        unread: Bytes,
    },
    /// The rest of the connection is another protocol's: the driver gives that protocol's session
    /// of the same role the bytes that this one has not used, and all that follow.
    Become {
        /// The name of the protocol.
        protocol: &'static str,
        /// Bytes of the client that this session has been given and not used.
        client: Bytes,
        /// Bytes of the server, likewise.
        server: Bytes,
    },
    /// The client is connected with somebody else from here on, whom it has named and to whom the server
    /// passes everything on. What is spoken there begins with these bytes.
    Reach {
        /// Whom, as `host:port`.
        party: String,
        /// Bytes of the client that this session has been given and not used.
        client: Bytes,
        /// Bytes of the server, likewise.
        server: Bytes,
    },
    /// End the connection towards a side.
    Close {
        /// Which side.
        to: Peer,
        /// In what way.
        how: Ending,
    },
    /// Send [`Event::Tick`] once that much time has passed.
    Wake {
        /// How much.
        after: std::time::Duration,
    },
}

/// A column of a database that was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taught {
    /// The number by which the server calls the table, where it does; what the table is called is
    /// then known once one statement has said it together with the number.
    pub number: Option<u64>,
    /// What it is called, when that is known.
    pub table: Option<String>,
    /// The column.
    pub column: String,
    /// Its type in the words of the database, when that is known.
    pub kind: Option<String>,
}

/// Why a session gives up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are not what the protocol allows.
    #[error("read {protocol}: {what}")]
    Malformed {
        /// The protocol's name.
        protocol: &'static str,
        /// What is wrong, with the element of the protocol that it is about.
        what: String,
    },
    /// A message passes a limit.
    #[error("read {protocol}: {what} is larger than {limit} bytes")]
    TooLarge {
        /// The protocol's name.
        protocol: &'static str,
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A recorded message cannot be put into bytes.
    #[error("write {protocol}: {what}")]
    Unwritable {
        /// The protocol's name.
        protocol: &'static str,
        /// What is wrong with it, with the key.
        what: String,
    },
}
