//! Transcripts: bytes in, exchanges or bytes out.

mod bodies;
mod comparing;
mod faces;
mod nasty;
mod observing;
mod requesting;
mod responding;
mod round_trip;
mod streaming;

use super::Http;
use crate::{Command, Ending, Event, Limits, Peer, Protocol, Session, WireError};
use rehearsal_model::{Exchange, Moment, Value, json};

const NOW: Moment = Moment(7);
const SMALL: Limits = Limits { head: 4096, body: 64, in_flight: 4, schemas: None };

/// A step of a transcript.
#[derive(Clone, Copy)]
enum Step<'a> {
    Client(&'a [u8]),
    Server(&'a [u8]),
    ClientCloses(Ending),
    ServerCloses(Ending),
}
use Step::{Client, ClientCloses, Server, ServerCloses};

/// What an observer made of a transcript.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    exchanges: Vec<Exchange>,
    begun: u64,
    /// The bytes handed over to another protocol.
    handed: Option<(Vec<u8>, Vec<u8>)>,
    /// With whom the client was connected.
    reached: Option<String>,
}

impl Seen {
    fn take(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Begin { id, at } => {
                    self.begun += 1;
                    assert_eq!((id.0, at), (self.begun, NOW));
                }
                Command::Emit { exchange, .. } => self.exchanges.push(*exchange),
                Command::Become { protocol, client, server } => {
                    assert_eq!(protocol, "opaque");
                    self.handed = Some((client.to_vec(), server.to_vec()));
                }
                Command::Reach { party, client, server } => {
                    self.reached = Some(party);
                    self.handed = Some((client.to_vec(), server.to_vec()));
                }
                Command::Stir { .. } => {}
                other => panic!("an observer does not say {other:?}"),
            }
        }
    }
}

fn event<'a>(step: &Step<'a>) -> Event<'a> {
    match *step {
        Client(bytes) => Event::Data { from: Peer::Client, bytes, at: NOW },
        Server(bytes) => Event::Data { from: Peer::Server, bytes, at: NOW },
        ClientCloses(how) => Event::Closed { from: Peer::Client, how, at: NOW },
        ServerCloses(how) => Event::Closed { from: Peer::Server, how, at: NOW },
    }
}

fn run(steps: &[Step<'_>], limits: Limits) -> Result<Seen, WireError> {
    let mut observer = Http.observer(limits);
    let mut seen = Seen::default();
    for step in steps {
        // A driver gives the bytes after a hand-over to the other protocol.
        if let Some((client, server)) = &mut seen.handed {
            match step {
                Client(bytes) => client.extend_from_slice(bytes),
                Server(bytes) => server.extend_from_slice(bytes),
                _ => {}
            }
            continue;
        }
        let mut out = Vec::new();
        observer.handle(event(step), &mut out)?;
        seen.take(out);
    }
    Ok(seen)
}

/// The same steps with one of them in two, at every place, and with all byte by byte.
fn splits<'a>(steps: &[Step<'a>]) -> Vec<Vec<Step<'a>>> {
    let cut = |step: &Step<'a>, at: usize| match *step {
        Client(bytes) => vec![Client(&bytes[..at]), Client(&bytes[at..])],
        Server(bytes) => vec![Server(&bytes[..at]), Server(&bytes[at..])],
        other => vec![other],
    };
    let length = |step: &Step<'_>| match step {
        Client(bytes) | Server(bytes) => bytes.len(),
        _ => 0,
    };
    let mut all = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        for at in 1..length(step) {
            all.push([&steps[..place], &cut(step, at), &steps[place + 1..]].concat());
        }
    }
    let bytes = |step: &Step<'a>| match *step {
        Client(bytes) => bytes.chunks(1).map(Client).collect(),
        Server(bytes) => bytes.chunks(1).map(Server).collect(),
        other => vec![other],
    };
    all.push(steps.iter().flat_map(bytes).collect());
    all
}

/// Observes a transcript, in one piece and at every split, which must agree.
#[track_caller]
fn observe_within(steps: &[Step<'_>], limits: Limits) -> Seen {
    let whole = run(steps, limits).expect("the transcript is HTTP");
    for split in splits(steps) {
        assert_eq!(run(&split, limits).as_ref(), Ok(&whole));
    }
    whole
}

#[track_caller]
fn observe(steps: &[Step<'_>]) -> Seen {
    observe_within(steps, Limits::default())
}

/// The only exchange of a transcript.
#[track_caller]
fn one(steps: &[Step<'_>]) -> Exchange {
    let mut seen = observe(steps);
    assert_eq!(seen.exchanges.len(), 1);
    seen.exchanges.remove(0)
}

/// Requests and responses of a transcript as JSON lines.
#[track_caller]
fn check(steps: &[Step<'_>], expected: &[&str]) {
    let lines: Vec<String> = observe(steps).exchanges.iter().map(line).collect();
    assert_eq!(lines, expected);
}

fn line(exchange: &Exchange) -> String {
    let request = json::to_string(&Value::Map(exchange.request.clone()));
    let response = exchange.response.clone().map_or(Value::Null, Value::Map);
    let failure = exchange.failure.map_or("", |failure| failure.as_str());
    format!("{request} -> {}{failure}", json::to_string(&response))
}

/// Everything that a session sends, in one piece, with the closing in brackets.
fn sent(commands: &[Command]) -> String {
    let mut out = String::new();
    for command in commands {
        match command {
            Command::Send { bytes, .. } => out.push_str(&String::from_utf8_lossy(bytes)),
            Command::Close { how, .. } => out.push_str(&format!("[{how:?}]")),
            _ => {}
        }
    }
    out
}

/// Gives a session one event.
#[track_caller]
fn give(session: &mut Box<dyn Session>, event: Event<'_>) -> Vec<Command> {
    let mut out = Vec::new();
    session.handle(event, &mut out).expect("the session goes on");
    out
}
