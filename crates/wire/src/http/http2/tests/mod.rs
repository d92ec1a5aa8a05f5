//! Transcripts: frames in, exchanges or frames out.

mod compressing;
mod conversing;
mod damaging;
mod hostile;
mod observing;
mod requesting;
mod resetting;
mod responding;
mod talking;

use super::frames::{
    self, ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS,
};
use super::hpack;
use crate::damage::Line;
use crate::http::Http;
use crate::{Answer, Command, Ending, Event, Limits, Peer, Protocol, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Map, Moment, Value, json};

const NOW: Moment = Moment(7);
const SMALL: Limits = Limits { head: 4096, body: 64, in_flight: 4, schemas: None };
const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":authority", "shop"), (":path", "/rates")];
const POST: &[(&str, &str)] = &[
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "shop"),
    (":path", "/charges"),
    ("content-type", "application/json"),
];
const OK: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/json")];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frames::write(kind, flags, stream, payload, &mut out);
    out
}

fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    fields
        .iter()
        .for_each(|(name, value)| hpack::encode(name.as_bytes(), value.as_bytes(), &mut out));
    out
}

/// Fields of a stream after which content follows.
fn head(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &section(fields))
}

/// Fields of a stream after which nothing follows.
fn last(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &section(fields))
}

fn part(stream: u32, content: &[u8]) -> Vec<u8> {
    frame(DATA, 0, stream, content)
}

fn end(stream: u32, content: &[u8]) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, content)
}

fn reset(stream: u32) -> Vec<u8> {
    reset_by(stream, 2)
}

fn reset_by(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

fn farewell(last: u32, code: u32) -> Vec<u8> {
    frame(frames::GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

fn client(frames: &[Vec<u8>]) -> Line {
    (Peer::Client, frames.concat())
}

fn server(frames: &[Vec<u8>]) -> Line {
    (Peer::Server, frames.concat())
}

/// What a session did with a transcript whose bytes came in pieces of that size.
fn handle(
    mut session: Box<dyn Session>,
    lines: &[Line],
    ends: &[(Peer, Ending)],
    size: usize,
) -> Result<Vec<Command>, WireError> {
    let mut out = Vec::new();
    session.handle(Event::Opened { at: NOW }, &mut out)?;
    for (from, bytes) in lines {
        for bytes in bytes.chunks(size) {
            session.handle(Event::Data { from: *from, bytes, at: NOW }, &mut out)?;
        }
    }
    for (from, how) in ends {
        session.handle(Event::Closed { from: *from, how: *how, at: NOW }, &mut out)?;
    }
    Ok(out)
}

/// The exchanges of a transcript, which must be the same in whatever pieces its bytes come.
#[track_caller]
fn observe(lines: &[Line], ends: &[(Peer, Ending)]) -> Vec<(u64, Exchange)> {
    let run = |size| handle(Http.observer(Limits::default()), lines, ends, size).unwrap();
    let whole = run(usize::MAX);
    for size in 1..=80 {
        assert_eq!(run(size), whole, "in pieces of {size}");
    }
    let emitted = whole.into_iter().filter_map(|command| match command {
        Command::Emit { id: ExchangeId(id), exchange } => Some((id, *exchange)),
        Command::Begin { .. } | Command::Stir { .. } | Command::Within(_) | Command::Unasked(_) => {
            None
        }
        other => panic!("an observer does not say {other:?}"),
    });
    emitted.collect()
}

/// The number, request, failure and response of each exchange.
#[track_caller]
fn check(lines: &[Line], ends: &[(Peer, Ending)], expected: &[&str]) {
    let shown = observe(lines, ends).into_iter().map(|(id, exchange)| line(id, &exchange));
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

fn line(id: u64, exchange: &Exchange) -> String {
    let map = |map: &Map| json::to_string(&Value::Map(map.clone()));
    let failure = exchange.failure.map_or("->".to_owned(), |failure| failure.to_string());
    let response = exchange.response.as_ref().map_or("nothing".to_owned(), map);
    format!("{id} {} {failure} {response}", map(&exchange.request))
}

fn map(text: &str) -> Map {
    match json::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("not a map: {other:?}"),
    }
}

/// The bytes that are sent.
fn sent(commands: &[Command]) -> Vec<u8> {
    let bytes = commands.iter().map(|command| match command {
        Command::Send { bytes, .. } => bytes.as_ref(),
        _ => &[],
    });
    bytes.collect::<Vec<_>>().concat()
}

/// Kind, flags, stream and payload of a frame.
type Shown = (u8, u8, u32, Vec<u8>);

fn frames_of(mut bytes: &[u8]) -> Vec<Shown> {
    bytes = bytes.strip_prefix(PREFACE).unwrap_or(bytes);
    let mut out = Vec::new();
    while let [a, b, c, kind, flags, s, t, u, v, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let stream = u32::from_be_bytes([*s, *t, *u, *v]);
        out.push((*kind, *flags, stream, rest[..length].to_vec()));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "a frame is cut");
    out
}
