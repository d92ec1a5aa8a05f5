//! Reading a datagram and its reply, without a socket: whoever has the socket has forwarded them.

use rehearsal_model::{Exchange, Moment};
use rehearsal_wire::{Command, Ending, Event, Limits, Peer, Protocol, WireError};

/// A datagram of a client and what a server said to it, each with the time at which it came.
#[derive(Clone, Copy, Debug)]
pub struct Datagrams<'a> {
    /// What the client sent.
    pub query: (&'a [u8], Moment),
    /// What the server replied; none when it kept silent for as long as anybody waited.
    pub reply: Option<(&'a [u8], Moment)>,
}

/// The exchanges in a datagram and its reply.
///
/// # Errors
/// When either is not the protocol.
pub fn observe_datagram(
    protocol: &dyn Protocol,
    limits: Limits,
    datagrams: Datagrams<'_>,
) -> Result<Vec<Exchange>, WireError> {
    let mut session = protocol.observer(limits);
    let mut commands = Vec::new();
    let (query, at) = datagrams.query;
    session.handle(Event::Opened { at }, &mut commands)?;
    session.handle(Event::Data { from: Peer::Client, bytes: query, at }, &mut commands)?;
    let mut last = at;
    if let Some((bytes, at)) = datagrams.reply {
        session.handle(Event::Data { from: Peer::Server, bytes, at }, &mut commands)?;
        last = at;
    }
    let closed = Event::Closed { from: Peer::Server, how: Ending::Finished, at: last };
    session.handle(closed, &mut commands)?;
    let emitted = commands.into_iter().filter_map(|command| match command {
        Command::Emit { exchange, .. } => Some(*exchange),
        _ => None,
    });
    Ok(emitted.collect())
}
