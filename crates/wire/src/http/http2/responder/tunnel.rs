//! Streams that become WebSockets: what a mock answers there is the opening and all that is said then.

use super::Responder;
use super::answer::wrong;
use super::stream::{Progress, Stream};
use crate::http::head::Method;
use crate::http::http2::converse::{self, News};
use crate::http::http2::sender::After;
use crate::http::http2::write;
use crate::http::upgrade;
use crate::websocket::Player;
use crate::{Answer, Command, Ending, Peer, WireError};
use rehearsal_model::{Exchange, ExchangeId, Map, Moment, stream};

/// The answer of a stream that becomes a WebSocket by it.
pub(super) fn conversation(stream: &Stream, answer: &Answer) -> Option<Map> {
    let Answer::Response(response) = answer else { return None };
    let opens = stream.opening.is_some() && stream::conversation(response).is_some();
    (opens && upgrade::agreed_on_stream(response).is_some()).then(|| response.clone())
}

impl Responder {
    /// Plays the messages of a WebSocket, which are a part of the answer that opened it.
    pub(super) fn converse(
        &mut self,
        number: u32,
        mut response: Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
        let opening = stream.opening.take().unwrap_or_default();
        opening.offer.answer(&mut response);
        let outgoing = write::response(&response, Method::Connect, false);
        let extensions = upgrade::agreed_on_stream(&response).unwrap_or_default();
        let outgoing = match outgoing {
            Ok(outgoing) => outgoing,
            Err(error) => {
                self.streams.remove(number);
                let outgoing = write::response(&wrong(&error), Method::Connect, false)?;
                self.line.sender.say(number, outgoing, After::End);
                return Ok(());
            }
        };
        self.line.sender.begin(number, &outgoing.sections);
        let recorded = response.clone();
        let request = opening.request;
        let response = Some(response);
        let exchange = Exchange { request, response, started: at, ..Exchange::default() };
        let id = ExchangeId(number.into());
        let player = Player::new(Peer::Server, id, exchange, &recorded, extensions, self.limits);
        stream.progress = Progress::Conversing(Box::new(player));
        self.tell(number, News::Opened, at, out)?;
        self.tell(number, News::Data(&opening.early), at, out)
    }

    /// Tells the player of a stream what happened there, if there is one.
    pub(super) fn tell(
        &mut self,
        number: u32,
        news: News<'_>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        converse::tell(&mut self.streams, number, news, at, &mut self.line.sender, out)
    }

    /// Takes content of a stream whose request is complete, or that has become a WebSocket.
    pub(super) fn heard(
        &mut self,
        number: u32,
        bytes: &[u8],
        last: bool,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if self.streams.hold(number, Stream::early, bytes)? {
            return Ok(());
        }
        self.tell(number, News::Data(bytes), at, out)?;
        if last {
            self.tell(number, News::Closed(Peer::Client, Ending::Finished), at, out)?;
        }
        Ok(())
    }

    /// Tells all players.
    pub(super) fn tell_all(
        &mut self,
        news: impl Fn() -> News<'static>,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let mut numbers = self.streams.numbers().into_iter();
        numbers.try_for_each(|number| self.tell(number, news(), at, out))
    }
}
