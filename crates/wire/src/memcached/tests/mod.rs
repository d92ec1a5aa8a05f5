//! Transcripts, each with every split of its bytes: what an observer makes of them, and whether a
//! responder that knows only that says the same to the same client.

mod talking;

use super::Memcached;
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol};
use rehearsal_model::{Exchange, Map, Moment, Value, json};

use Peer::{Client, Server};

type Line = (Peer, Vec<u8>);

/// A transcript: lines that begin with `>` are the client's, those with `<` the server's; `|` stands
/// for CR LF.
fn lines(text: &str) -> Vec<Line> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let side = |line: &str| match line.split_at(2) {
        ("> ", said) => (Client, said.replace('|', "\r\n").into_bytes()),
        ("< ", said) => (Server, said.replace('|', "\r\n").into_bytes()),
        _ => panic!("a line of nobody: {line}"),
    };
    lines.map(side).collect()
}

/// What an observer emits when each line comes in pieces of `size` bytes.
fn observe(lines: &[Line], size: usize, end: Option<(Peer, Ending)>) -> Vec<Exchange> {
    let mut session = Memcached.observer(Limits::default());
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
    let emitted = out.into_iter().filter_map(|command| match command {
        Command::Emit { exchange, .. } => Some(*exchange),
        Command::Begin { .. } => None,
        other => panic!("unexpected {other:?}"),
    });
    emitted.collect()
}

/// What a responder that knows these exchanges says to the client of a transcript.
fn respond(lines: &[Line], size: usize, known: &[Exchange]) -> Vec<u8> {
    let facets = Memcached.facets();
    let mut unused: Vec<&Exchange> = known.iter().collect();
    let mut session = Memcached.responder(Limits::default());
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    for (_, bytes) in lines.iter().filter(|line| line.0 == Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Client, bytes, at: Moment(1) };
            session.handle(event, &mut out).unwrap();
            while !out.is_empty() {
                for command in std::mem::take(&mut out) {
                    let (id, request) = match command {
                        Command::Ask { id, request, .. } => (id, request),
                        Command::Send { bytes, .. } => {
                            sent.extend_from_slice(&bytes);
                            continue;
                        }
                        Command::Close { .. } => continue,
                        other => panic!("unexpected {other:?}"),
                    };
                    let form = facets.request(&request);
                    let place = unused.iter().position(|one| facets.request(&one.request) == form);
                    let found = place.map(|place| unused.remove(place));
                    let miss = Miss { message: "no mock".into(), details: Value::Null };
                    let answer = match found {
                        Some(Exchange { response: Some(response), .. }) => {
                            Answer::Response(response.clone())
                        }
                        Some(Exchange { failure: Some(failure), .. }) => Answer::Failure(*failure),
                        _ => Answer::Miss(miss),
                    };
                    session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).unwrap();
                }
            }
        }
    }
    sent
}

/// Records and answers a conversation in pieces of many sizes; gives its exchanges, a line for each.
#[track_caller]
fn check(conversation: &str, expected: &str) {
    let lines = lines(conversation);
    let pairs = |list: Vec<Exchange>| -> Vec<(Map, Option<Map>)> {
        list.into_iter().map(|one| (one.request, one.response)).collect()
    };
    let seen = observe(&lines, usize::MAX, None);
    let from_server = lines.iter().filter(|line| line.0 == Server);
    let said: Vec<u8> = from_server.flat_map(|line| line.1.clone()).collect();
    for size in (1..=30).chain([usize::MAX]) {
        let again = pairs(observe(&lines, size, None));
        assert_eq!(again, pairs(seen.clone()), "in pieces of {size}");
        let sent = respond(&lines, size, &seen);
        let [sent, said] = [&sent, &said].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(sent, said, "answered in pieces of {size}");
    }
    let show = |(request, response): (Map, Option<Map>)| {
        let request = json::to_string(&request.into());
        format!("{request} {}", json::to_string(&response.unwrap_or_default().into()))
    };
    let shown: Vec<String> = pairs(seen).into_iter().map(show).collect();
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown, expected);
}
