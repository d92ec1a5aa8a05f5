//! The bytes of an observed connection: reading, forwarding, ending.

use super::detect::{Decision, Detection};
use super::exchanges::Exchanges;
use super::turn::Turn;
use crate::account::Account;
use crate::side::{Came, Side};
use crate::timers::Timers;
use crate::{ConnectionOptions, Ended, Gate, Sink, Stream, Tls, scratch};
use bytes::Bytes;
use rehearsal_wire::{
    Ending, Event, Peer, Protocol, Session, TLS, Verdict, begins_tls, misses_hello,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

const BOTH: [Peer; 2] = [Peer::Client, Peer::Server];

/// Who reads along.
pub(super) enum Listener {
    /// Nobody until the protocol is known.
    Unknown(Detection),
    /// Its session.
    Known(Box<dyn Session>),
    /// Nobody.
    Unread,
}

/// What cannot be done by polling the two sides.
pub(super) enum Step {
    /// Both sides have ended.
    Done,
    /// Lay TLS over this side; the bytes are the first of it.
    StartTls { with: Peer, unread: Bytes },
    /// Lay TLS over both; the bytes are the client's first of it.
    Secure { unread: Bytes },
}

/// An observed connection.
///
/// The order of the fields is the order in which they are dropped: open exchanges are abandoned
/// before the connection is reported as finished.
pub(super) struct Carry<'a> {
    pub(super) options: ConnectionOptions,
    pub(super) sides: [Side; 2],
    /// Whether what a side sends is left to the session to forward.
    pub(super) held: [bool; 2],
    /// Whether TLS was laid over a side.
    pub(super) secured: [bool; 2],
    pub(super) listener: Listener,
    pub(super) timers: Timers,
    pub(super) turn: Turn,
    /// TLS that was asked for, with the bytes of it that came already.
    pub(super) tls: VecDeque<(Peer, Bytes)>,
    /// What lays it from here on.
    pub(super) next_tls: Option<Box<dyn Tls>>,
    /// Whether a session may ask for it.
    pub(super) tls_midway: bool,
    /// The client's first bytes, held back while they may be the beginning of TLS.
    pub(super) beginning: Option<Vec<u8>>,
    /// Whether they were.
    pub(super) begins_tls: bool,
    /// Bytes of the client to go on with, over which TLS could not be laid.
    pub(super) resume: Option<Bytes>,
    /// How often the protocol has changed.
    pub(super) changes: u8,
    pub(super) exchanges: Exchanges<'a>,
    pub(super) account: Account<'a, dyn Sink + 'a>,
}

impl<'a> Carry<'a> {
    pub(super) fn new(
        options: ConnectionOptions,
        [client, server]: [Stream; 2],
        gate: Option<Arc<dyn Gate>>,
        sink: &'a dyn Sink,
        tls: &dyn Tls,
    ) -> Self {
        Carry {
            exchanges: Exchanges::new(sink, options.id),
            account: Account::open(&options, sink),
            options,
            sides: [Side::new(client), Side::new(server)],
            held: [false; 2],
            secured: [false; 2],
            listener: Listener::Unknown(Detection::default()),
            timers: Timers::default(),
            turn: Turn::new(gate),
            tls: VecDeque::new(),
            next_tls: None,
            tls_midway: tls.midway(),
            beginning: tls.available().then(Vec::new),
            begins_tls: false,
            resume: None,
            changes: 0,
        }
    }

    pub(super) fn side(&mut self, peer: Peer) -> &mut Side {
        &mut self.sides[peer as usize]
    }

    /// Does all that can be done. Each round reads at most once from each side, so that neither
    /// starves the other.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            let mut moved = false;
            if let Some(bytes) = self.resume.take() {
                self.read(cx, Peer::Client, &bytes);
                moved = true;
            }
            if self.timers.poll(cx).is_ready() {
                let at = self.options.clock.now();
                self.tell(Event::Tick { at });
                moved = true;
            }
            if self.tls.is_empty()
                && let Poll::Ready(bytes) = self.turn.poll(cx)
            {
                self.came(cx, Peer::Client, &bytes);
                moved = true;
            }
            for peer in BOTH {
                moved |= self.side(peer).poll_settle(cx);
                if self.side(peer).take_late_break() {
                    self.end(peer, Ending::Reset);
                    moved = true;
                }
            }
            if let Some(step) = self.step() {
                return Poll::Ready(step);
            }
            for from in BOTH {
                moved |= self.poll_from(cx, from);
            }
            if self.exchanges.none_open() {
                self.turn.give_back();
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        if self.sides.iter().all(Side::is_over) {
            self.account.ended(Ended::Finished);
            return Some(Step::Done);
        }
        if self.tls.len() == BOTH.len() && self.tls[0].0 != self.tls[1].0 {
            if !self.sides.iter().all(Side::is_flushed) {
                return None;
            }
            let unread = self.tls.drain(..).find(|(with, _)| *with == Peer::Client);
            return unread.map(|(_, unread)| Step::Secure { unread });
        }
        let with = self.tls.front()?.0;
        if !self.side(with).is_flushed() {
            return None;
        }
        self.tls.pop_front().map(|(with, unread)| Step::StartTls { with, unread })
    }

    fn poll_from(&mut self, cx: &mut Context<'_>, from: Peer) -> bool {
        let waits = from == Peer::Client && self.turn.is_waiting();
        if waits
            || !self.tls.is_empty()
            || !self.side(from).is_open()
            || self.side(from.other()).is_full()
        {
            return false;
        }
        scratch::lend(|buffer| match self.side(from).poll_come(cx, buffer) {
            Poll::Pending => false,
            Poll::Ready(Came::Bytes(count)) => {
                let bytes = &buffer[..count];
                self.account.count(from, count);
                self.exchanges.settle();
                let begins = from == Peer::Client && self.exchanges.none_open();
                if !(begins && self.turn.ask(self.options.id, bytes)) {
                    self.came(cx, from, bytes);
                }
                true
            }
            Poll::Ready(Came::End(how)) => {
                if let Some(beginning) = self.beginning.take() {
                    self.let_go(cx, &beginning);
                }
                self.end(from, how);
                true
            }
        })
    }

    /// Looks whether TLS begins; what came is held back until that is known.
    fn came(&mut self, cx: &mut Context<'_>, from: Peer, bytes: &[u8]) {
        let Some(mut beginning) = self.beginning.take() else {
            self.read(cx, from, bytes);
            return;
        };
        if from == Peer::Server {
            self.let_go(cx, &beginning);
            self.read(cx, from, bytes);
            return;
        }
        beginning.extend_from_slice(bytes);
        match begins_tls(&beginning) {
            Verdict::NeedMore => self.beginning = Some(beginning),
            Verdict::No => self.read(cx, from, &beginning),
            Verdict::Yes => {
                self.begins_tls = true;
                self.tls.push_back((Peer::Server, Bytes::new()));
                self.tls.push_back((Peer::Client, beginning.into()));
            }
        }
    }

    /// Goes on with bytes of the client that are not the beginning of TLS.
    fn let_go(&mut self, cx: &mut Context<'_>, beginning: &[u8]) {
        if !beginning.is_empty() {
            self.read(cx, Peer::Client, beginning);
        }
    }

    /// Forwards what came and has it read.
    fn read(&mut self, cx: &mut Context<'_>, from: Peer, bytes: &[u8]) {
        let at = self.options.clock.now();
        if let Listener::Unknown(detection) = &mut self.listener {
            if from == Peer::Server && detection.is_empty() && misses_hello(bytes) {
                self.account.speaks(Some(TLS));
                self.stop_listening();
                return self.forward(cx, from, bytes);
            }
            let forwarded = BOTH.map(|peer| detection.count(peer) > 0);
            detection.add(from, bytes, at);
            if let Some(detection) = self.decide(false) {
                // What the session says at the opening counts for these bytes already.
                let late = BOTH.iter().any(|&peer| self.holds(peer) && forwarded[peer as usize]);
                self.forward(cx, from, bytes);
                match late {
                    true => self.demote("its first bytes came too far apart to be held back", None),
                    false => self.catch_up(&detection),
                }
                return;
            }
        }
        self.forward(cx, from, bytes);
        self.tell(Event::Data { from, bytes, at });
    }

    fn forward(&mut self, cx: &mut Context<'_>, from: Peer, bytes: &[u8]) {
        if !self.holds(from) {
            self.side(from.other()).write(cx, bytes);
        }
    }

    pub(super) fn holds(&self, from: Peer) -> bool {
        self.held[from as usize]
    }

    /// Decides on the protocol if that is possible; returns what came before it was.
    pub(super) fn decide(&mut self, last_chance: bool) -> Option<Detection> {
        let Listener::Unknown(detection) = &mut self.listener else { return None };
        let decision = detection.decide(self.options.protocols, last_chance);
        let detection = match decision {
            Decision::NeedMore => return None,
            Decision::Known(_) | Decision::Unknown => std::mem::take(detection),
        };
        match decision {
            Decision::Known(protocol) => self.listen(protocol),
            Decision::Unknown | Decision::NeedMore => self.stop_listening(),
        }
        Some(detection)
    }

    /// Gives the session what came before its protocol was known.
    pub(super) fn catch_up(&mut self, detection: &Detection) {
        for (turn, bytes) in detection.replay() {
            if !self.tls.is_empty() {
                self.demote("it turned to TLS before its protocol was known", None);
            }
            self.tell(Event::Data { from: turn.from, bytes, at: turn.at });
        }
    }

    /// Tells the session of an end and passes it on.
    fn end(&mut self, from: Peer, how: Ending) {
        if let Listener::Unknown(detection) = &self.listener
            && !detection.is_empty()
            && let Some(detection) = self.decide(true)
        {
            self.catch_up(&detection);
        }
        let at = self.options.clock.now();
        self.tell(Event::Closed { from, how, at });
        if how == Ending::Reset {
            self.account.ended(Ended::Reset(from));
            self.side(from).reset();
        }
        self.side(from.other()).finish(how);
    }

    /// Ends both sides abruptly.
    pub(super) fn break_off(&mut self) {
        self.account.ended(Ended::BrokenOff);
        self.tls.clear();
        for peer in BOTH {
            self.side(peer).finish(Ending::Reset);
        }
    }

    /// Begins to listen to a protocol.
    pub(super) fn listen(&mut self, protocol: &'static dyn Protocol) {
        self.account.speaks(Some(protocol.name()));
        self.exchanges.change_session(protocol);
        self.listener = Listener::Known(protocol.observer(self.options.limits));
        let at = self.options.clock.now();
        self.tell(Event::Opened { at });
    }
}
