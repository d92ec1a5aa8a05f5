//! Plays one side of a recorded conversation and tells how it went.
//!
//! Pings are answered and not counted. Compression is understood and not used.

use super::handshake::Extensions;
use super::inbox::{Inbox, Said};
use super::message::{self, Deed};
use super::{frame, malformed, too_large};
use crate::script::Script;
use crate::{Command, Ending, Event, Limits, Peer, WireError};
use frame::Opcode;
use rehearsal_model::{Exchange, ExchangeId, Map, Moment, stream};
use std::time::Duration;

/// How long a server that is tested may keep us waiting for its next message.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may when it has done so in vain.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How long after the last recorded message it may say more, which would be too much.
const AFTERMATH: Duration = Duration::from_millis(100);
/// How long a client may pause before it is told how far it has come.
const PAUSE: Duration = Duration::from_millis(300);
/// Room for messages that come, in largest bodies.
const BODIES: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Player {
    id: ExchangeId,
    plays: Peer,
    /// What opened the conversation; the answer is the one of this run.
    opening: Exchange,
    script: Script,
    inbox: Inbox,
    /// Whether we have said that we close.
    closed: bool,
    over: bool,
    /// Whether a message was waited for in vain.
    in_vain: bool,
    /// When something last came.
    last: Moment,
    /// When the next tick comes.
    wakes: Option<Moment>,
    size: usize,
    limit: usize,
}

impl Player {
    /// Plays a side of a recorded answer. `opening` is how the conversation was opened in this run.
    pub(crate) fn new(
        plays: Peer,
        id: ExchangeId,
        opening: Exchange,
        recorded: &Map,
        extensions: Extensions,
        limits: Limits,
    ) -> Self {
        Player {
            id,
            plays,
            opening,
            script: Script::new(plays, recorded),
            inbox: Inbox::new(plays.other(), extensions, limits),
            closed: false,
            over: false,
            in_vain: false,
            last: Moment(0),
            wakes: None,
            size: 0,
            limit: limits.body.saturating_mul(BODIES),
        }
    }

    /// Says what comes first.
    pub(crate) fn start(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.last = at;
        self.say(at, out)?;
        self.wake(at, out);
        Ok(())
    }

    /// As [`crate::Session::handle`].
    pub(crate) fn handle(
        &mut self,
        event: Event<'_>,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match event {
            Event::Data { from, bytes, at } if from != self.plays => {
                return self.data(bytes, at, out);
            }
            Event::Closed { from, how, at } if from != self.plays => self.ended(how, at, out),
            Event::Tick { at } => return self.tick(at, out),
            _ => {}
        }
        Ok(())
    }

    /// Whether nothing more is said or heard.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes bytes of the other side.
    pub(crate) fn data(
        &mut self,
        input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let read = self.read(input, at, out);
        if read.is_err() && !self.over {
            self.over = true;
            self.tell(at, out);
        }
        read
    }

    fn read(
        &mut self,
        mut input: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let mut news = false;
        while !self.over {
            let before = input.len();
            let Some(said) = self.inbox.next(&mut input)? else { break };
            news |= !matches!(said, Said::Ping(_) | Said::Pong);
            self.came(said, before - input.len(), out)?;
            self.say(at, out)?;
        }
        if news && !self.over {
            self.last = at;
            self.wake(at, out);
            if self.plays == Peer::Server && self.script.is_complete() {
                self.tell(at, out);
            }
        } else if self.over {
            self.tell(at, out);
        }
        Ok(())
    }

    fn came(&mut self, said: Said, size: usize, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.size += size;
        if self.size > self.limit {
            return Err(too_large("a conversation", self.limit));
        }
        match &said {
            Said::Ping(payload) => self.send(Opcode::Pong, payload, out),
            Said::Close(_) if self.closed => {
                self.hang_up(Ending::Finished, out);
                return Ok(());
            }
            Said::Close(said) => {
                // Most say it back as it is.
                let said = said.as_ref();
                let said = said.map(|(code, why)| [&code.to_be_bytes(), why.as_bytes()].concat());
                self.send(Opcode::Close, &said.unwrap_or_default(), out);
                self.hang_up(Ending::Finished, out);
            }
            Said::Text(_) | Said::Binary(_) | Said::Pong => {}
        }
        let message = message::record(self.plays.other(), said);
        match message.is_none_or(|message| self.script.came(message)) {
            true => Ok(()),
            false => Err(malformed("many more messages than were recorded")),
        }
    }

    /// Says all that is due.
    fn say(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while !self.over
            && !self.closed
            && let Some(message) = self.script.due()
        {
            match message::write(message)? {
                Deed::Say(opcode, payload) => {
                    self.send(opcode, &payload, out);
                    self.closed = opcode == Opcode::Close;
                }
                Deed::BreakOff { reset } => {
                    let how = if reset { Ending::Reset } else { Ending::Finished };
                    self.tell(at, out);
                    self.hang_up(how, out);
                }
            }
        }
        Ok(())
    }

    fn send(&self, opcode: Opcode, payload: &[u8], out: &mut Vec<Command>) {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame::write(self.plays, opcode, payload, &mut bytes);
        out.push(Command::Send { to: self.plays.other(), bytes: bytes.into() });
    }

    fn hang_up(&mut self, how: Ending, out: &mut Vec<Command>) {
        self.over = true;
        out.push(Command::Close { to: self.plays.other(), how });
    }

    /// Asks for a tick at the end of the patience, unless one comes before that.
    fn wake(&mut self, now: Moment, out: &mut Vec<Command>) {
        let patience = u64::try_from(self.patience().as_nanos()).unwrap_or(u64::MAX);
        let until = Moment(self.last.0.saturating_add(patience));
        if !self.over && self.wakes.is_none_or(|wakes| until < wakes) {
            self.wakes = Some(until);
            let after = Duration::from_nanos(until.0.saturating_sub(now.0));
            out.push(Command::Wake { after });
        }
    }

    fn patience(&self) -> Duration {
        match self.plays {
            Peer::Server => PAUSE,
            Peer::Client if self.script.is_complete() && !self.closed => AFTERMATH,
            Peer::Client if self.in_vain => IMPATIENCE,
            Peer::Client => PATIENCE,
        }
    }

    /// Time has passed.
    fn tick(&mut self, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        let waited = Duration::from_nanos(at.0.saturating_sub(self.last.0));
        self.wakes = None;
        if self.over || waited < self.patience() {
            self.wake(at, out);
            return Ok(());
        }
        if self.plays == Peer::Client && !self.closed && !self.script.is_complete() {
            self.in_vain = true;
            self.last = at;
            self.script.give_up_one();
            self.say(at, out)?;
            self.wake(at, out);
            return Ok(());
        }
        self.tell(at, out);
        if self.plays == Peer::Client {
            self.hang_up(Ending::Finished, out);
        }
        Ok(())
    }

    /// The other side will say no more.
    fn ended(&mut self, how: Ending, at: Moment, out: &mut Vec<Command>) {
        if self.over {
            return;
        }
        if !self.closed {
            let how = if how == Ending::Reset { "reset" } else { "ended" };
            // One more than too many is told all the same.
            let _ = self.script.came(message::broke_off(self.plays.other(), how));
        }
        self.over = true;
        self.tell(at, out);
        out.push(Command::Close { to: self.plays.other(), how: Ending::Finished });
    }

    /// Tells how the conversation has gone so far.
    fn tell(&self, at: Moment, out: &mut Vec<Command>) {
        let mut exchange = self.opening.clone();
        let response = exchange.response.get_or_insert_default();
        response.insert(stream::CONVERSATION, self.script.transcript());
        exchange.finished = at;
        out.push(Command::Emit { id: self.id, exchange: Box::new(exchange) });
    }
}
