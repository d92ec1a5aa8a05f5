//! Playing a client: one request after the other on one connection.
//!
//! When to dial, when to give up and what to do then is for the caller to know.

use crate::play::{Happened, Player, Wish};
use crate::{ConnectionOptions, NoTls, RequestError, Stream, Tls};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use rehearsal_wire::{Ending, Event, Peer, Protocol};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// A connection on which a client is played. Dropping it closes the connection; a requester whose
/// `send` was dropped before it was ready is of no more use.
pub struct Requester {
    options: ConnectionOptions,
    player: Player,
    opened: bool,
    /// A request is on its way, or its sending was given up halfway.
    busy: bool,
    /// How the server ended the connection.
    ended: Option<Ending>,
}

impl Requester {
    /// Plays the client of that protocol on a connection that stands. No byte is sent yet.
    #[must_use]
    pub fn new(
        options: ConnectionOptions,
        stream: Stream,
        protocol: &'static dyn Protocol,
    ) -> Self {
        Self::with_tls(options, stream, protocol, Box::new(NoTls))
    }

    /// As [`Requester::new`], for a protocol that may turn to TLS.
    #[must_use]
    pub fn with_tls(
        options: ConnectionOptions,
        stream: Stream,
        protocol: &'static dyn Protocol,
        tls: Box<dyn Tls>,
    ) -> Self {
        let player = Player::new(options.clone(), Peer::Server, stream, protocol, tls);
        Requester { options, player, opened: false, busy: false, ended: None }
    }

    /// Whether another request can be sent. Sees it when the server has ended the connection
    /// meanwhile.
    pub fn is_usable(&mut self) -> bool {
        if self.busy || self.open().is_err() {
            self.busy = true;
            return false;
        }
        let mut cx = Context::from_waker(Waker::noop());
        while self.stands() {
            match self.player.poll(&mut cx, true) {
                Poll::Pending => return true,
                Poll::Ready(Ok(Happened::End(how))) => self.ended = Some(how),
                Poll::Ready(Ok(Happened::Bytes(_) | Happened::Moved)) => {}
                // It takes a request to go on with that.
                Poll::Ready(Ok(Happened::StartTls)) => return true,
                Poll::Ready(Err(_)) => self.busy = true,
            }
        }
        false
    }

    /// Sends a request and waits for what comes of it. That the server ends the connection before
    /// its answer is complete is an exchange too, with a failure. `recorded` is what was answered
    /// when the request was recorded: it says what follows when the exchange is made of messages.
    ///
    /// # Errors
    /// When the request cannot be put into bytes, the answer cannot be read, or the connection had
    /// ended before.
    pub async fn send(
        &mut self,
        id: ExchangeId,
        request: &Map,
        recorded: Option<&Map>,
    ) -> Result<Exchange, RequestError> {
        if self.busy || !self.stands() {
            return Err(RequestError::Ended);
        }
        self.busy = true;
        let started = self.options.clock.now();
        self.open()?;
        self.player.wishes.clear();
        self.player.tell(Event::Request { id, request, recorded, at: started })?;
        let exchange = self.answer(id, request, started).await?;
        self.busy = false;
        Ok(exchange)
    }

    /// Tells the session once that the connection stands.
    fn open(&mut self) -> Result<(), RequestError> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        let at = self.options.clock.now();
        self.player.tell(Event::Opened { at })
    }

    async fn answer(
        &mut self,
        id: ExchangeId,
        request: &Map,
        started: Moment,
    ) -> Result<Exchange, RequestError> {
        loop {
            for wish in std::mem::take(&mut self.player.wishes) {
                match wish {
                    Wish::Take { id: emitted, exchange } if emitted == id => return Ok(*exchange),
                    // What the server said unasked, and questions, which clients do not get.
                    Wish::Take { .. } | Wish::Ask { .. } | Wish::Unasked(_) => {}
                }
            }
            // Having said all, the session may still wait for the answer.
            if self.ended.is_some() || self.player.closed == Some(Ending::Reset) {
                return Ok(self.broken_off(request, started));
            }
            match poll_fn(|cx| self.player.poll(cx, true)).await? {
                Happened::Bytes(_) | Happened::Moved => {}
                Happened::End(how) => self.ended = Some(how),
                Happened::StartTls => self.player.lay_tls().await?,
            }
        }
    }

    fn stands(&self) -> bool {
        self.ended.is_none() && self.player.closed.is_none()
    }

    /// What the session said nothing of, since the connection ended.
    fn broken_off(&self, request: &Map, started: Moment) -> Exchange {
        let failure = match self.ended {
            Some(Ending::Reset) => Failure::Reset,
            Some(Ending::Finished) | None => Failure::Closed,
        };
        Exchange {
            request: request.clone(),
            response: None,
            failure: Some(failure),
            connection: 0,
            unit: None,
            started,
            finished: self.options.clock.now(),
        }
    }
}
