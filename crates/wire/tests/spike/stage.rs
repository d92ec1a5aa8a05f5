//! A driver without sockets: it gives a transcript to a session and does what the session says.

use rehearsal_model::{Exchange, ExchangeId, Map, Moment};
use rehearsal_wire::{Answer, Command, Ending, Event, Peer, Session};

/// One line of a transcript.
#[derive(Clone)]
pub(crate) enum Line {
    Says(Peer, Vec<u8>),
    Tls(Peer),
    Answers(u64, Answer),
    Ends(Peer, Ending),
}

/// What came of a transcript.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Played {
    pub(crate) to_client: Vec<u8>,
    pub(crate) to_server: Vec<u8>,
    /// In order: each begin with its time, question, emit and TLS.
    pub(crate) events: Vec<String>,
    pub(crate) exchanges: Vec<(u64, Exchange)>,
    pub(crate) asked: Vec<(u64, Map)>,
}

/// Whether a session watches, so that what it does not hold is forwarded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Observer,
    Responder,
}

/// Plays a transcript with all its bytes in pieces of `size`. The time is the number of the line.
pub(crate) fn play(
    session: Box<dyn Session>,
    part: Part,
    lines: &[Line],
    size: usize,
    switch: fn(&str) -> Box<dyn Session>,
) -> Played {
    let forwards = part == Part::Observer;
    let mut stage = Stage { session, forwards: [forwards; 2], switch, played: Played::default() };
    stage.give(Event::Opened { at: Moment(0) }, Moment(0));
    for (line, at) in lines.iter().zip(1..) {
        let at = Moment(at);
        match line {
            Line::Says(from, bytes) => {
                for bytes in bytes.chunks(size) {
                    if stage.forwards[side(*from)] {
                        stage.played.send(from.other(), bytes);
                    }
                    stage.give(Event::Data { from: *from, bytes, at }, at);
                }
            }
            Line::Tls(with) => stage.give(Event::TlsReady { with: *with }, at),
            Line::Answers(id, answer) => {
                let (id, answer) = (ExchangeId(*id), answer.clone());
                stage.give(Event::Answer { id, answer, at }, at);
            }
            Line::Ends(from, how) => {
                stage.give(Event::Closed { from: *from, how: *how, at }, at);
            }
        }
    }
    stage.played
}

/// Plays a transcript with its bytes split in every way of equal pieces; all must come to the same.
#[track_caller]
pub(crate) fn play_split(
    session: fn() -> Box<dyn Session>,
    part: Part,
    lines: &[Line],
    switch: fn(&str) -> Box<dyn Session>,
) -> Played {
    let whole = play(session(), part, lines, usize::MAX, switch);
    for size in 1..=80 {
        assert_eq!(play(session(), part, lines, size, switch), whole, "in pieces of {size}");
    }
    whole
}

/// For sessions that stay.
pub(crate) fn stays(protocol: &str) -> Box<dyn Session> {
    panic!("nothing becomes {protocol} here")
}

struct Stage {
    session: Box<dyn Session>,
    forwards: [bool; 2],
    switch: fn(&str) -> Box<dyn Session>,
    played: Played,
}

fn side(peer: Peer) -> usize {
    usize::from(peer == Peer::Server)
}

impl Stage {
    fn give(&mut self, event: Event<'_>, at: Moment) {
        let mut out = Vec::new();
        self.session.handle(event, &mut out).unwrap();
        for command in out {
            self.obey(command, at);
        }
    }

    fn obey(&mut self, command: Command, at: Moment) {
        match command {
            Command::Send { to, bytes } => self.played.send(to, &bytes),
            Command::Hold { from } => self.forwards[side(from)] = false,
            Command::Forward { from } => self.forwards[side(from)] = true,
            Command::Begin { id, at } => {
                self.played.events.push(format!("begin {} at {}", id.0, at.0));
            }
            Command::Stir { .. } => {}
            Command::Ask { id, request, at } => {
                self.played.events.push(format!("ask {} at {}", id.0, at.0));
                self.played.asked.push((id.0, request));
            }
            Command::Emit { id, exchange } => {
                self.played.events.push(format!("emit {}", id.0));
                self.played.exchanges.push((id.0, *exchange));
            }
            Command::StartTls { with, .. } => self.played.events.push(format!("tls with {with:?}")),
            Command::Become { protocol, client, server } => {
                self.played.events.push(format!("become {protocol}"));
                self.session = (self.switch)(protocol);
                self.give(Event::Opened { at }, at);
                for (from, bytes) in [(Peer::Client, client), (Peer::Server, server)] {
                    if !bytes.is_empty() {
                        self.give(Event::Data { from, bytes: &bytes, at }, at);
                    }
                }
            }
            Command::Reach { .. } => panic!("neither protocol knows proxies"),
            Command::Close { to, how } => {
                self.played.events.push(format!("close {to:?} {how:?}"));
            }
            Command::Wake { .. } => panic!("neither protocol waits by the clock"),
            Command::Within(_) | Command::Unasked(_) => {
                panic!("neither protocol has units of work")
            }
            Command::Unread(why) => panic!("{why}"),
            Command::Teach(_) => panic!("neither protocol tells of a schema"),
        }
    }
}

impl Played {
    fn send(&mut self, to: Peer, bytes: &[u8]) {
        match to {
            Peer::Client => self.to_client.extend_from_slice(bytes),
            Peer::Server => self.to_server.extend_from_slice(bytes),
        }
    }
}
