//! Playing a server for one datagram, without a socket: whoever has the socket sends the result.

use bytes::Bytes;
use rehearsal_model::{ExchangeId, Map, Moment};
use rehearsal_wire::{Answer, Command, Event, Limits, Peer, Protocol, WireError};

/// Answers one datagram of a client. `answer` is called for each request in it, with the request as
/// recorded. The result is what to send back: one item per datagram, none when the server keeps
/// silent.
///
/// # Errors
/// When the datagram is not the protocol, or the answer cannot be put into bytes.
pub fn respond_datagram(
    protocol: &dyn Protocol,
    limits: Limits,
    bytes: &[u8],
    at: Moment,
    mut answer: impl FnMut(Map) -> Answer,
) -> Result<Vec<Bytes>, WireError> {
    let mut session = protocol.responder(limits);
    let mut commands = Vec::new();
    session.handle(Event::Opened { at }, &mut commands)?;
    session.handle(Event::Data { from: Peer::Client, bytes, at }, &mut commands)?;
    let (mut asked, mut replies) = (Vec::new(), Vec::new());
    loop {
        for command in commands.drain(..) {
            match command {
                Command::Send { to: Peer::Client, bytes } => replies.push(bytes),
                Command::Ask { id, request, .. } => asked.push((id, request)),
                _ => {}
            }
        }
        let Some((id, request)): Option<(ExchangeId, Map)> = asked.pop() else {
            return Ok(replies);
        };
        let answer = answer(request);
        session.handle(Event::Answer { id, answer, at }, &mut commands)?;
    }
}
