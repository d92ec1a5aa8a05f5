//! The loop of a played server.

use super::{Oracle, Question, Reached, Reply};
use crate::account::Account;
use crate::play::{Happened, Player, Wish};
use crate::side::Came;
use crate::{BoxFuture, ConnectionOptions, Ended, RequestError, scratch};
use rehearsal_model::ExchangeId;
use rehearsal_wire::{Answer, Ending, Event, Peer};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client that was told the end may take to say so itself. Closing before it has would
/// turn the end into a reset, which could take the last answer with it.
const LINGER: Duration = Duration::from_secs(2);

/// An answer that is yet to come.
struct Awaited {
    id: ExchangeId,
    /// The session that asked, by how often the protocol had changed.
    asked_by: u8,
    answer: BoxFuture<'static, Answer>,
}

/// A played server.
pub(super) struct Serve<'a> {
    options: ConnectionOptions,
    player: Player,
    oracle: &'a dyn Oracle,
    awaited: Vec<Awaited>,
    account: Account<'a, dyn Oracle + 'a>,
}

impl<'a> Serve<'a> {
    pub(super) fn new(options: ConnectionOptions, player: Player, oracle: &'a dyn Oracle) -> Self {
        let account = Account::open(&options, oracle);
        Serve { options, player, oracle, awaited: Vec::new(), account }
    }

    pub(super) async fn run(mut self) -> Option<Reached> {
        match self.converse().await {
            Err(error) => {
                self.account.warn(&format!("this connection is closed: {error}"));
                self.account.ended(Ended::BrokenOff);
                self.player.side.finish(Ending::Finished);
            }
            Ok(()) => {
                if let Some((party, early)) = self.player.reaches.take() {
                    return self.hand_over(party, &early).await;
                }
            }
        }
        poll_fn(|cx| self.poll_flush(cx)).await;
        // Whoever does not say so in time is dropped.
        let _ = timeout(LINGER, poll_fn(|cx| self.poll_farewell(cx))).await;
        self.account.ended(Ended::Finished);
        None
    }

    /// Gives the client away once it was told that it is connected.
    async fn hand_over(&mut self, party: String, early: &[u8]) -> Option<Reached> {
        let flushed = |player: &mut Player, cx: &mut Context<'_>| {
            while player.side.poll_settle(cx) {}
            if player.side.is_flushed() { Poll::Ready(()) } else { Poll::Pending }
        };
        poll_fn(|cx| flushed(&mut self.player, cx)).await;
        self.account.ended(Ended::Finished);
        let client = self.player.side.take();
        if early.is_empty() {
            return Some(Reached { party, client });
        }
        self.account.warn("this connection is closed: its client spoke before it was connected");
        client.reset();
        None
    }

    /// Answers until either side ends the connection, or the client is connected with somebody else.
    async fn converse(&mut self) -> Result<(), RequestError> {
        let at = self.options.clock.now();
        self.player.tell(Event::Opened { at })?;
        self.answer()?;
        while !self.is_over() {
            match poll_fn(|cx| self.poll(cx)).await? {
                Happened::Bytes(count) => self.account.count(Peer::Client, count),
                Happened::End(Ending::Reset) => {
                    self.account.ended(Ended::Reset(Peer::Client));
                    return Ok(());
                }
                Happened::End(Ending::Finished) | Happened::Moved => {}
                Happened::StartTls => self.player.lay_tls().await?,
            }
            self.answer()?;
        }
        Ok(())
    }

    /// Whether nothing is left to be said.
    fn is_over(&mut self) -> bool {
        if self.player.reaches.is_some() {
            return true;
        }
        if let Some(how) = self.player.closed {
            if how == Ending::Reset {
                self.account.ended(Ended::BrokenOff);
            }
            return true;
        }
        if self.player.side.is_open() || !self.awaited.is_empty() || !self.player.is_quiet() {
            return false;
        }
        self.player.side.finish(Ending::Finished);
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Happened, RequestError>> {
        let come = self.awaited.iter_mut().enumerate().find_map(|(place, awaited)| {
            match awaited.answer.as_mut().poll(cx) {
                Poll::Ready(answer) => Some((place, answer)),
                Poll::Pending => None,
            }
        });
        if let Some((place, answer)) = come {
            let Awaited { id, asked_by, .. } = self.awaited.swap_remove(place);
            if asked_by != self.player.changes {
                return Poll::Ready(Ok(Happened::Moved));
            }
            let at = self.options.clock.now();
            let told = self.player.tell(Event::Answer { id, answer, at });
            return Poll::Ready(told.map(|()| Happened::Moved));
        }
        let may_read = self.awaited.len() < self.options.limits.in_flight;
        self.player.poll(cx, may_read)
    }

    /// Puts the session's questions to the oracle.
    fn answer(&mut self) -> Result<(), RequestError> {
        while !self.player.wishes.is_empty() {
            for wish in std::mem::take(&mut self.player.wishes) {
                let connection = self.options.id;
                let (id, request, unit, at) = match wish {
                    Wish::Ask { id, request, unit, at } => (id, request, unit, at),
                    Wish::Take { id, exchange } => {
                        self.oracle.went(connection, id, *exchange);
                        continue;
                    }
                    Wish::Unasked(is_so) => {
                        self.oracle.opens_unasked(connection, is_so);
                        continue;
                    }
                };
                let protocol = self.player.protocol;
                match self.oracle.answer(Question { connection, protocol, id, request, unit, at }) {
                    Reply::Now(answer) => {
                        let at = self.options.clock.now();
                        self.player.tell(Event::Answer { id, answer, at })?;
                    }
                    Reply::Later(answer) => {
                        let asked_by = self.player.changes;
                        self.awaited.push(Awaited { id, asked_by, answer });
                    }
                }
            }
        }
        self.account.speaks(Some(self.player.protocol.name()));
        self.account.count(Peer::Server, std::mem::take(&mut self.player.sent));
        Ok(())
    }

    /// Ready when all was written and the client was told the end.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.player.side.poll_settle(cx) {}
        match self.player.side.is_ended() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Ready when the client has ended too. What it still says is not read.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.player.side.is_open() {
            let came = scratch::lend(|buffer| self.player.side.poll_come(cx, buffer));
            if let Came::Bytes(count) = ready!(came) {
                self.account.count(Peer::Client, count);
            }
        }
        Poll::Ready(())
    }
}
