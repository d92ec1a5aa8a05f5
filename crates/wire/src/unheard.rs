//! A server of which nothing was ever heard: what its clients speak is found out when they speak.
//!
//! It answers nothing itself. Once a protocol is sure of the first bytes the connection is that protocol's, so
//! that a call nobody expected is named in its words; what none recognises is the fallback's. Only responders
//! are needed: what is observed is told apart before there is a session.

use crate::{
    ALL, Command, Ending, Event, Facets, Limits, Peer, Protocol, Session, Verdict, WireError,
    fallback,
};
use bytes::{Bytes, BytesMut};
use rehearsal_model::shape::ExchangeShape;
use std::time::Duration;

/// How long a client may keep silent before it is taken for one that waits for the server to speak.
const SILENCE: Duration = Duration::from_secs(1);
/// Bytes by which every protocol must have made up its mind.
const MOST_BYTES: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Unheard;

impl Protocol for Unheard {
    fn name(&self) -> &'static str {
        fallback().name()
    }

    fn shape(&self) -> &'static ExchangeShape {
        fallback().shape()
    }

    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict {
        fallback().detect(client, server)
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        fallback().observer(limits)
    }

    fn responder(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(Listening { client: BytesMut::new(), over: false })
    }

    fn facets(&self) -> &'static dyn Facets {
        fallback().facets()
    }
}

/// Waits for the client's first bytes.
#[derive(Debug)]
struct Listening {
    client: BytesMut,
    over: bool,
}

impl Listening {
    fn decide(&mut self, last_chance: bool, out: &mut Vec<Command>) {
        let mut undecided = false;
        let own = fallback().name();
        for protocol in ALL.iter().filter(|protocol| protocol.name() != own) {
            match protocol.detect(&self.client, b"") {
                Verdict::Yes => return self.become_one(protocol.name(), out),
                Verdict::NeedMore => undecided = true,
                Verdict::No => {}
            }
        }
        if !undecided || last_chance || self.client.len() >= MOST_BYTES {
            self.become_one(own, out);
        }
    }

    fn become_one(&mut self, protocol: &'static str, out: &mut Vec<Command>) {
        self.over = true;
        let client = std::mem::take(&mut self.client).freeze();
        out.push(Command::Become { protocol, client, server: Bytes::new() });
    }
}

impl Session for Listening {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Opened { .. } => out.push(Command::Wake { after: SILENCE }),
            Event::Data { from: Peer::Client, bytes, .. } => {
                self.client.extend_from_slice(bytes);
                self.decide(false, out);
            }
            Event::Tick { .. } => self.decide(true, out),
            Event::Closed { from: Peer::Client, how: Ending::Finished, .. }
                if !self.client.is_empty() =>
            {
                self.decide(true, out);
            }
            // It came and went, as when nothing was heard.
            Event::Closed { from: Peer::Client, .. } => {
                self.over = true;
                out.push(Command::Close { to: Peer::Client, how: Ending::Finished });
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::Moment;

    /// What a client's pieces, and the silence or the end after them, turn the connection into.
    fn becomes(pieces: &[&[u8]], last: Event<'_>) -> Option<(&'static str, Vec<u8>)> {
        let mut session = Unheard.responder(Limits::default());
        let (mut out, at) = (Vec::new(), Moment::default());
        session.handle(Event::Opened { at }, &mut out).unwrap();
        assert!(matches!(out[..], [Command::Wake { .. }]));
        for bytes in pieces {
            session.handle(Event::Data { from: Peer::Client, bytes, at }, &mut out).unwrap();
        }
        session.handle(last, &mut out).unwrap();
        let changes = out.iter().filter_map(|command| match command {
            Command::Become { protocol, client, .. } => Some((*protocol, client.to_vec())),
            _ => None,
        });
        let changes: Vec<_> = changes.collect();
        assert!(changes.len() <= 1, "it changes once: {changes:?}");
        changes.into_iter().next()
    }

    #[test]
    fn the_first_bytes_say_which_protocol_it_is() {
        let tick = || Event::Tick { at: Moment::default() };
        let asked = b"POST /refunds HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
        for place in 0..asked.len() {
            let (before, after) = asked.split_at(place);
            let (protocol, client) = becomes(&[before, after], tick()).unwrap();
            // The rest is given to it by the driver.
            assert!(protocol == "http" && [before, asked].contains(&&client[..]), "at {place}");
        }
        assert_eq!(becomes(&[b"\0\x01nobody's"], tick()).unwrap().0, "opaque");
        assert_eq!(becomes(&[b"GE"], tick()), Some(("opaque", b"GE".to_vec())));
    }

    #[test]
    fn who_says_nothing_waits_for_the_server_or_leaves() {
        let at = Moment::default();
        assert_eq!(becomes(&[], Event::Tick { at }), Some(("opaque", Vec::new())));
        let left = Event::Closed { from: Peer::Client, how: Ending::Finished, at };
        assert_eq!(becomes(&[], left), None);
    }
}
