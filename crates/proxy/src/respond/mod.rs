//! Playing a server: what the client asks goes to an oracle, what the oracle says goes back.
//!
//! How an answer is picked is not known here, nor in what order answers leave: the session orders
//! them.

mod datagram;
mod serve;

use crate::play::Player;
use crate::{BoxFuture, ConnectionId, ConnectionOptions, Stream, Tls, Watch};
use rehearsal_model::{Exchange, ExchangeId, Map, Moment};
use rehearsal_wire::{Answer, Peer, Protocol};
use std::sync::Arc;

pub use datagram::respond_datagram;

/// Knows what a server would have answered. Called from within the loop: it must be quick and must
/// not block; what takes time goes into [`Reply::Later`].
pub trait Oracle: Watch {
    /// The answer to a question.
    fn answer(&self, question: Question) -> Reply;

    /// How an exchange that is made of messages has gone so far, after its question was answered.
    /// Told as often as the session finds it worth looking at; the last one counts.
    fn went(&self, _connection: ConnectionId, _id: ExchangeId, _exchange: Exchange) {}

    /// From here on the server opens units of work on the connection unasked, or it no longer does and has
    /// ended what was open, see [`rehearsal_wire::Command::Unasked`].
    fn opens_unasked(&self, _connection: ConnectionId, _is_so: bool) {}
}

/// What a client asked.
pub struct Question {
    /// On which connection.
    pub connection: ConnectionId,
    /// In the words of which protocol: that of the connection, or what it changed to.
    pub protocol: &'static dyn Protocol,
    /// The number of the exchange, unique on its connection until the protocol changes.
    pub id: ExchangeId,
    /// The request.
    pub request: Map,
    /// Within what it is asked, see [`rehearsal_wire::Command::Within`].
    pub unit: Option<u64>,
    /// When its first byte came.
    pub at: Moment,
}

/// What an oracle says.
pub enum Reply {
    /// This.
    Now(Answer),
    /// Something that it has yet to find out. Other questions are answered meanwhile.
    Later(BoxFuture<'static, Answer>),
}

/// A connection on which a server is played.
pub struct Respond {
    /// What every loop is told.
    pub options: ConnectionOptions,
    /// The client.
    pub client: Stream,
    /// What it will speak.
    pub protocol: &'static dyn Protocol,
    /// What lays TLS over the connection when the protocol turns to it.
    pub tls: Box<dyn Tls>,
    /// Who knows the answers.
    pub oracle: Arc<dyn Oracle>,
}

/// A connection on which a server was played until the client had itself connected with somebody else.
pub struct Reached {
    /// With whom, as `host:port`.
    pub party: String,
    /// The client, which has said nothing to them yet.
    pub client: Stream,
}

/// Plays the server until the connection has ended, or its client is connected with somebody else.
/// Dropping the future ends the connection.
pub async fn respond(what: Respond) -> Option<Reached> {
    let Respond { options, client, protocol, tls, oracle } = what;
    let player = Player::new(options.clone(), Peer::Client, client, protocol, tls);
    serve::Serve::new(options, player, &*oracle).run().await
}
