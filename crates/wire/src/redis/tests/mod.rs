//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

mod bad;
mod comparing;
mod naming;
mod replies;
mod talking;

use super::Redis;
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol};
use rehearsal_model::{Exchange, Map, Moment, Value, json};

use Peer::{Client, Server};

/// Bytes of one side.
type Line = (Peer, Vec<u8>);

/// A transcript: lines that begin with `>` are the client's, those with `<` the server's. In both,
/// `|` stands for CR LF; a client's line that begins with a letter is a command in words.
fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (side, said) = line.split_at(1);
        let said = said.trim_start();
        let raw = || said.replace('|', "\r\n").into_bytes();
        match side {
            ">" if said.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                let words = super::words::split(said.as_bytes()).unwrap();
                let words: Vec<bytes::Bytes> = words.into_iter().map(Into::into).collect();
                lines.push((Client, super::inbox::encode(&words)));
            }
            ">" => lines.push((Client, raw())),
            "<" => lines.push((Server, raw())),
            _ => panic!("a line of nobody: {line}"),
        }
    }
    lines
}

/// What an observer emits when each line comes in pieces of `size` bytes.
fn observe(lines: &[Line], size: usize, end: Option<(Peer, Ending)>) -> Vec<Exchange> {
    let mut session = Redis.observer(Limits::default());
    let (mut out, mut clock) = (Vec::new(), 0);
    for (from, bytes) in lines {
        clock += 1000;
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(clock) };
            session.handle(event, &mut out).unwrap();
        }
    }
    if let Some((from, how)) = end {
        session.handle(Event::Closed { from, how, at: Moment(clock) }, &mut out).unwrap();
    }
    let (mut open, mut emitted) = (Vec::new(), Vec::new());
    for command in out {
        match command {
            Command::Begin { id, .. } => open.push(id),
            Command::Emit { id, exchange } => {
                let place = open.iter().position(|open| *open == id);
                open.remove(place.expect("only what has begun is emitted"));
                emitted.push(*exchange);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    emitted
}

/// What a responder that knows these exchanges says to the client of a transcript. What waits is
/// answered as soon as everything above it was asked.
struct Played {
    sent: Vec<u8>,
    missed: Vec<Map>,
}

fn respond(lines: &[Line], size: usize, known: &[Exchange]) -> Played {
    let facets = Redis.facets();
    let mut used = vec![false; known.len()];
    let mut session = Redis.responder(Limits::default());
    let mut played = Played { sent: Vec::new(), missed: Vec::new() };
    let (mut out, mut parked) = (Vec::new(), Vec::new());
    for (_, bytes) in lines.iter().filter(|line| line.0 == Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Client, bytes, at: Moment(1) };
            session.handle(event, &mut out).unwrap();
            loop {
                for command in out.drain(..) {
                    match command {
                        Command::Send { bytes, .. } => played.sent.extend_from_slice(&bytes),
                        Command::Ask { id, request, .. } => parked.push((id, request)),
                        Command::Close { .. } => {}
                        other => panic!("unexpected {other:?}"),
                    }
                }
                let mut answer = None;
                for (number, (id, request)) in parked.iter().enumerate() {
                    let form = facets.request(request);
                    let mut fits = (0..known.len())
                        .filter(|place| facets.request(&known[*place].request) == form);
                    let waits = facets.waits(request).is_some();
                    let mut due = fits.clone().filter(|place| {
                        !used[*place] && (!waits || used[..*place].iter().all(|used| *used))
                    });
                    let again = || fits.next().filter(|_| facets.repeatable(request) && !waits);
                    match due.next().or_else(again) {
                        Some(place) => {
                            used[place] = true;
                            let response = known[place].response.clone();
                            let failure = known[place].failure;
                            let said = response.map(Answer::Response);
                            answer = Some((number, *id, said.or(failure.map(Answer::Failure))));
                            break;
                        }
                        None if waits => {}
                        None => {
                            played.missed.push(request.clone());
                            answer = Some((number, *id, None));
                            break;
                        }
                    }
                }
                let Some((number, id, answer)) = answer else { break };
                parked.remove(number);
                let miss = Answer::Miss(Miss { message: "no mock".into(), details: Value::Null });
                let answer = answer.unwrap_or(miss);
                session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
            }
        }
    }
    played
}

/// Records and answers a conversation in pieces of many sizes; gives its exchanges, a line for each.
#[track_caller]
fn check(conversation: &str, expected: &str) {
    let lines = lines(conversation);
    let seen = observe(&lines, usize::MAX, None);
    let from_server = lines.iter().filter(|line| line.0 == Server);
    let said: Vec<u8> = from_server.flat_map(|line| line.1.clone()).collect();
    for size in (1..=30).chain([usize::MAX]) {
        let again = observe(&lines, size, None);
        let pairs = |list: &[Exchange]| {
            list.iter().map(|one| (one.request.clone(), one.response.clone())).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&again), pairs(&seen), "in pieces of {size}");
        let played = respond(&lines, size, &seen);
        assert_eq!(
            String::from_utf8_lossy(&played.sent),
            String::from_utf8_lossy(&said),
            "answered in pieces of {size}"
        );
        assert_eq!(played.sent, said);
        assert_eq!(played.missed, []);
    }
    let shown: Vec<String> = seen
        .into_iter()
        .map(|one| {
            let request = json::to_string(&one.request.into());
            format!("{request} {}", json::to_string(&one.response.unwrap_or_default().into()))
        })
        .collect();
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown, expected);
}
