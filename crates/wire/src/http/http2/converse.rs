//! WebSocket on a stream (RFC 8441): an extended CONNECT opens it, and its frames are the stream's content.
//!
//! What is said there is the business of [`crate::websocket`], whose machines believe that they have a
//! connection of their own.

use super::half::PROTOCOL;
use super::sender::{After, INTERNAL_ERROR, Sender};
use super::streams::Streams;
use crate::http::fields;
use crate::http::head::{Head, Method};
use crate::http::write::request_line;
use crate::websocket::Player;
use crate::{Command, Ending, Event, Peer, WireError};
use rehearsal_model::{Map, Moment};

const WEBSOCKET: &str = "websocket";

/// Whether a request asks for a WebSocket.
pub(super) fn is_opening(head: &Head) -> bool {
    let is_it = |(name, value): &(String, rehearsal_model::Value)| {
        name == PROTOCOL && value.as_text() == Some(WEBSOCKET)
    };
    head.method() == Method::Connect && head.fields.iter().any(is_it)
}

/// As [`is_opening`], of a recorded request.
pub(super) fn is_recorded_opening(request: &Map) -> bool {
    let list = fields::each(request.get("headers"));
    Method::of(request_line(request).0) == Method::Connect
        && fields::find(&list, PROTOCOL) == Some(WEBSOCKET)
}

/// What happens on the stream of a player.
pub(super) enum News<'a> {
    /// It begins.
    Opened,
    /// The other side says this.
    Data(&'a [u8]),
    /// The other side will say no more.
    Closed(Peer, Ending),
    /// Time has passed.
    Tick,
}

/// A stream that may become a WebSocket.
pub(super) trait Conversing {
    /// What plays it, once it has.
    fn player(&mut self) -> Option<&mut Player>;
}

/// Tells the player of a stream what happened there, if it has one. The stream goes when its
/// conversation is over.
pub(super) fn tell<S: Conversing>(
    streams: &mut Streams<S>,
    number: u32,
    news: News<'_>,
    at: Moment,
    sender: &mut Sender,
    out: &mut Vec<Command>,
) -> Result<(), WireError> {
    let Some(player) = streams.get_mut(number).and_then(S::player) else { return Ok(()) };
    if !play(player, number, news, at, sender, out)? {
        streams.remove(number);
    }
    Ok(())
}

/// Tells a player of its stream what happened, and says there what it says. Whether it goes on.
fn play(
    player: &mut Player,
    stream: u32,
    news: News<'_>,
    at: Moment,
    sender: &mut Sender,
    out: &mut Vec<Command>,
) -> Result<bool, WireError> {
    let mut said = Vec::new();
    let played = match news {
        News::Opened => player.start(at, &mut said),
        News::Data(bytes) => player.data(bytes, at, &mut said),
        News::Closed(from, how) => player.handle(Event::Closed { from, how, at }, &mut said),
        News::Tick => player.handle(Event::Tick { at }, &mut said),
    };
    for command in said {
        match command {
            Command::Send { bytes, .. } => sender.add(stream, &bytes),
            Command::Close { how: Ending::Finished, .. } => sender.end(stream, None, After::End),
            Command::Close { how: Ending::Reset, .. } => {
                sender.end(stream, None, After::Reset(INTERNAL_ERROR))
            }
            command => out.push(command),
        }
    }
    played.map(|()| !player.is_over())
}
