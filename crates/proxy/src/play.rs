//! Playing one side of a protocol towards the peer on a stream.
//!
//! What responders and requesters share: bytes, ends, ticks, TLS and changes of protocol. Where
//! answers and requests come from is for the callers to know.

use crate::side::{Came, Side};
use crate::timers::Timers;
use crate::{ConnectionOptions, RequestError, Stream, Tls, scratch};
use bytes::Bytes;
use rehearsal_model::{Exchange, ExchangeId, Map, Moment};
use rehearsal_wire::{Command, Ending, Event, Peer, Protocol, Session};
use std::task::{Context, Poll};

/// How often the protocol of a connection may change.
const MOST_CHANGES: u8 = 8;

/// What a session wants of whoever plays it.
pub(crate) enum Wish {
    /// An answer.
    Ask { id: ExchangeId, request: Map, unit: Option<u64>, at: Moment },
    /// That this exchange be taken.
    Take { id: ExchangeId, exchange: Box<Exchange> },
    /// That it be known whether units of work are opened unasked from here on.
    Unasked(bool),
}

/// What happened while polling.
pub(crate) enum Happened {
    /// So many bytes came; the session has read them.
    Bytes(usize),
    /// The peer ended; the session was told.
    End(Ending),
    /// Time passed, or bytes were written.
    Moved,
    /// TLS has to be laid over the stream with [`Player::lay_tls`].
    StartTls,
}

/// A session that plays one side.
pub(crate) struct Player {
    options: ConnectionOptions,
    /// Who is at the other end.
    peer: Peer,
    pub(crate) side: Side,
    session: Box<dyn Session>,
    pub(crate) protocol: &'static dyn Protocol,
    timers: Timers,
    tls: Box<dyn Tls>,
    /// TLS that was asked for, with the bytes of it that came already.
    start_tls: Option<Bytes>,
    /// How often the protocol has changed.
    pub(crate) changes: u8,
    /// How the session ended the connection.
    pub(crate) closed: Option<Ending>,
    /// With whom the peer wants to be connected from here on, and what it has said to them already.
    pub(crate) reaches: Option<(String, Bytes)>,
    /// Within what the next question is asked.
    within: Option<u64>,
    /// Bytes that were to be sent.
    pub(crate) sent: usize,
    /// What the session wants; the caller takes it out.
    pub(crate) wishes: Vec<Wish>,
}

/// The session of that role for the peer at the other end.
fn session_for(
    protocol: &dyn Protocol,
    peer: Peer,
    options: &ConnectionOptions,
) -> Box<dyn Session> {
    match peer {
        Peer::Client => protocol.responder_knowing(options.limits, &options.words),
        Peer::Server => protocol.requester(options.limits),
    }
}

impl Player {
    /// Plays towards a peer: the server towards a client, or the client towards a server. The
    /// session has yet to be told [`Event::Opened`].
    pub(crate) fn new(
        options: ConnectionOptions,
        peer: Peer,
        stream: Stream,
        protocol: &'static dyn Protocol,
        tls: Box<dyn Tls>,
    ) -> Self {
        Player {
            session: session_for(protocol, peer, &options),
            options,
            peer,
            side: Side::new(stream),
            protocol,
            timers: Timers::default(),
            tls,
            start_tls: None,
            changes: 0,
            closed: None,
            reaches: None,
            within: None,
            sent: 0,
            wishes: Vec::new(),
        }
    }

    /// Tells the session what happened and does what it wants.
    pub(crate) fn tell(&mut self, event: Event<'_>) -> Result<(), RequestError> {
        scratch::lend_commands(|commands| {
            let result = self.session.handle(event, commands);
            for command in commands.drain(..) {
                self.obey(command)?;
            }
            Ok(result?)
        })
    }

    fn obey(&mut self, command: Command) -> Result<(), RequestError> {
        match command {
            Command::Send { to, bytes } if to == self.peer => {
                self.sent += bytes.len();
                self.side.push(bytes);
            }
            Command::Close { to, how } if to == self.peer => {
                self.closed = Some(how);
                self.side.finish(how);
            }
            Command::StartTls { with, unread } if with == self.peer => {
                self.start_tls = Some(unread);
            }
            Command::Within(unit) => self.within = Some(unit),
            Command::Ask { id, request, at } => {
                let unit = self.within.take();
                self.wishes.push(Wish::Ask { id, request, unit, at });
            }
            Command::Emit { id, exchange } => self.wishes.push(Wish::Take { id, exchange }),
            Command::Unasked(is_so) => self.wishes.push(Wish::Unasked(is_so)),
            // Who plays a side learns nothing of a database.
            Command::Teach(_) => {}
            Command::Wake { after } => self.timers.wake(after),
            Command::Become { protocol, client, server } => {
                let unused = match self.peer {
                    Peer::Client => client,
                    Peer::Server => server,
                };
                self.change_protocol(protocol, &unused)?;
            }
            Command::Reach { party, client, .. } => self.reaches = Some((party, client)),
            // There is no second peer, and begins matter to observers only.
            Command::Send { .. }
            | Command::Close { .. }
            | Command::StartTls { .. }
            | Command::Begin { .. }
            | Command::Stir { .. }
            | Command::Unread(_)
            | Command::Hold { .. }
            | Command::Forward { .. } => {}
        }
        Ok(())
    }

    fn change_protocol(&mut self, name: &'static str, unused: &[u8]) -> Result<(), RequestError> {
        self.changes += 1;
        self.protocol = self
            .options
            .protocol(name)
            .filter(|_| self.changes <= MOST_CHANGES)
            .ok_or(RequestError::NoSuchProtocol(name))?;
        self.session = session_for(self.protocol, self.peer, &self.options);
        let at = self.options.clock.now();
        self.tell(Event::Opened { at })?;
        if unused.is_empty() {
            return Ok(());
        }
        self.tell(Event::Data { from: self.peer, bytes: unused, at })
    }

    /// Does one thing that can be done. Reads only when the caller says so and not too much waits
    /// to be written.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        may_read: bool,
    ) -> Poll<Result<Happened, RequestError>> {
        if self.timers.poll(cx).is_ready() {
            let at = self.options.clock.now();
            return Poll::Ready(self.tell(Event::Tick { at }).map(|()| Happened::Moved));
        }
        let moved = self.side.poll_settle(cx);
        if self.side.take_late_break() {
            return Poll::Ready(self.end(Ending::Reset));
        }
        if self.start_tls.is_some() && self.side.is_flushed() {
            return Poll::Ready(Ok(Happened::StartTls));
        }
        if moved {
            return Poll::Ready(Ok(Happened::Moved));
        }
        if !may_read || self.start_tls.is_some() || !self.side.is_open() || self.side.is_full() {
            return Poll::Pending;
        }
        scratch::lend(|buffer| match self.side.poll_come(cx, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Came::Bytes(count)) => {
                let at = self.options.clock.now();
                let event = Event::Data { from: self.peer, bytes: &buffer[..count], at };
                Poll::Ready(self.tell(event).map(|()| Happened::Bytes(count)))
            }
            Poll::Ready(Came::End(how)) => Poll::Ready(self.end(how)),
        })
    }

    fn end(&mut self, how: Ending) -> Result<Happened, RequestError> {
        if how == Ending::Reset {
            self.side.reset();
        }
        let at = self.options.clock.now();
        self.tell(Event::Closed { from: self.peer, how, at }).map(|()| Happened::End(how))
    }

    /// Lays TLS over the stream, as the session asked for.
    pub(crate) async fn lay_tls(&mut self) -> Result<(), RequestError> {
        let unread = self.start_tls.take().unwrap_or_default();
        let plain = self.side.take();
        let laid = match self.peer {
            Peer::Client => self.tls.accept(plain, unread).await,
            Peer::Server => self.tls.connect(plain, unread).await,
        };
        self.side.put_back(laid.map_err(RequestError::Tls)?);
        self.tell(Event::TlsReady { with: self.peer })
    }

    /// Whether nothing is on its way out and no tick is outstanding.
    pub(crate) fn is_quiet(&self) -> bool {
        self.side.is_flushed() && self.timers.is_empty() && self.start_tls.is_none()
    }
}
