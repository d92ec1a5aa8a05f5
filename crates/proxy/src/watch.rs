//! Who is told what happens on connections.

use crate::Tls;
use rehearsal_model::{EdgeTls, Exchange, ExchangeId, Moment};
use rehearsal_wire::{Peer, Protocol, Taught};

/// What a connection is called. The caller numbers its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Is told how connections fare. Called from within the loops, which carry nothing meanwhile.
pub trait Watch: Send + Sync {
    /// Something that the user should know; the traffic went on if it could. A sentence without a
    /// full stop.
    fn warning(&self, connection: ConnectionId, text: &str);

    /// The connection is over. Called exactly once for each, also when its loop is dropped.
    fn finished(&self, connection: ConnectionId, report: ConnectionReport);
}

/// Takes the exchanges of observed connections. Called from within the loops, which carry nothing
/// meanwhile.
///
/// The numbers of exchanges are unique on their connection, also across a change of protocol.
pub trait Sink: Watch {
    /// The first byte of a request was seen.
    fn begin(&self, connection: ConnectionId, id: ExchangeId, at: Moment);

    /// The client said more in an exchange that lasts.
    fn stir(&self, _connection: ConnectionId, _id: ExchangeId, _at: Moment) {}

    /// An exchange is complete, in the words of a protocol.
    fn emit(
        &self,
        connection: ConnectionId,
        protocol: &'static dyn Protocol,
        id: ExchangeId,
        exchange: Box<Exchange>,
    );

    /// Before anything further of the connection is passed on: what was emitted is to be kept when
    /// this returns.
    fn settle(&self) {}

    /// The connection is TLS from here on.
    fn secured(&self, _connection: ConnectionId, _tls: EdgeTls) {}

    /// From here on the server opens units of work on the connection unasked, or it no longer does and has
    /// ended what was open, see [`rehearsal_wire::Command::Unasked`].
    fn opens_unasked(&self, _connection: ConnectionId, _is_so: bool) {}

    /// A column of the server's schema has crossed the wire.
    fn taught(&self, _connection: ConnectionId, _protocol: &'static dyn Protocol, _taught: Taught) {
    }

    /// The client is connected with somebody else from here on, whom it calls `host:port`. Says what lays
    /// TLS over the rest; none when nobody minds, and the rest is carried unread.
    fn reached(&self, _connection: ConnectionId, _party: &str) -> Option<Box<dyn Tls>> {
        None
    }

    /// An exchange that was begun will not be completed, since its connection can be read no
    /// further.
    fn abandon(&self, connection: ConnectionId, id: ExchangeId);
}

/// What became of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionReport {
    /// The protocol that it spoke last, as far as it could be read; none when no byte told.
    pub protocol: Option<&'static str>,
    /// Bytes that came from the client.
    pub client_bytes: u64,
    /// Bytes that came from the server; when the server is played, those that it was to send.
    pub server_bytes: u64,
    /// Whether its protocol could not be read to the end.
    pub demoted: bool,
    /// How it ended.
    pub ended: Ended,
    /// When its loop took over.
    pub started: Moment,
    /// When it ended.
    pub finished: Moment,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// In order, both ways.
    Finished,
    /// By a reset or an error that came from this side.
    Reset(Peer),
    /// By its session's wish, which broke it off.
    BrokenOff,
    /// By us: its loop was dropped while it was in use.
    Dropped,
}
