//! Conversations with damage: bytes changed, taken away, doubled. Nothing may panic, and what pieces
//! the bytes come in must not matter.

use super::Mysql;
use super::tests::{self, Line};
use super::text;
use crate::{Answer, Command, Event, Limits, Peer, Protocol};
use proptest::prelude::*;
use rehearsal_model::{ExchangeId, Map, Moment, Value};

const SMALL: Limits = Limits { head: 4096, body: 4096, in_flight: 16 };

/// What to do to the bytes at a place.
#[derive(Clone, Debug)]
enum Damage {
    Set(u8),
    Cut(u8),
    Repeat(u8),
}

fn damage() -> impl Strategy<Value = Vec<(usize, prop::sample::Index, Damage)>> {
    let one = prop_oneof![
        any::<u8>().prop_map(Damage::Set),
        any::<u8>().prop_map(Damage::Cut),
        any::<u8>().prop_map(Damage::Repeat),
    ];
    prop::collection::vec((0usize..64, any::<prop::sample::Index>(), one), 0..6)
}

fn damaged(damage: &[(usize, prop::sample::Index, Damage)]) -> Vec<Line> {
    let mut lines = tests::conversation();
    for (line, place, damage) in damage {
        // What follows a greeting in one piece is an error, and in another it is not.
        let count = lines.len() - 1;
        let bytes = &mut lines[1 + line % count].1;
        if bytes.is_empty() {
            continue;
        }
        let place = place.index(bytes.len());
        match damage {
            Damage::Set(byte) => bytes[place] = *byte,
            Damage::Cut(length) => {
                bytes.drain(place..bytes.len().min(place + usize::from(*length)));
            }
            Damage::Repeat(length) => {
                let end = bytes.len().min(place + usize::from(*length));
                let again = bytes[place..end].to_vec();
                bytes.splice(place..place, again);
            }
        }
    }
    lines
}

/// All that an observer does, and whether it gives up.
fn observe(lines: &[Line], size: usize) -> (Vec<String>, bool) {
    let mut session = Mysql.observer(SMALL);
    let mut out = Vec::new();
    for (from, bytes) in lines {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: *from, bytes, at: Moment(1) };
            if session.handle(event, &mut out).is_err() {
                return (out.iter().map(|one| format!("{one:?}")).collect(), true);
            }
        }
    }
    (out.iter().map(|one| format!("{one:?}")).collect(), false)
}

/// Plays a server that knows one answer to everything but its greeting.
fn respond(lines: &[Line], size: usize, answer: &Answer) -> Vec<u8> {
    let mut session = Mysql.responder(SMALL);
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    let pieces =
        lines.iter().filter(|line| line.0 == Peer::Client).flat_map(|line| line.1.chunks(size));
    let opened = std::iter::once(Event::Opened { at: Moment(0) });
    let data = pieces.map(|bytes| Event::Data { from: Peer::Client, bytes, at: Moment(1) });
    for event in opened.chain(data) {
        let mut ended = session.handle(event, &mut out).is_err();
        while let Some((id, request)) = take(&mut out, &mut sent) {
            let answer = match request.get("greeting") {
                Some(_) => Answer::Response(Map::from([("version", "8.0.36")])),
                None => answer.clone(),
            };
            ended |= session.handle(Event::Answer { id, answer, at: Moment(2) }, &mut out).is_err();
        }
        if ended {
            return sent;
        }
    }
    sent
}

fn take(out: &mut Vec<Command>, sent: &mut Vec<u8>) -> Option<(ExchangeId, Map)> {
    let mut asked = None;
    for command in out.drain(..) {
        match command {
            Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
            Command::Ask { id, request, .. } => asked = Some((id, request)),
            _ => {}
        }
    }
    asked
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = |text: &str| Value::from(text);
    let row = Value::List(vec![vec![Value::from(17), text("x"), Value::Null].into()]);
    let columns = Value::from(vec!["a int", "b varchar(9) not null", "c longblob flags=9"]);
    let full =
        Map::from([("columns", columns.clone()), ("rows", row.clone()), ("takes", 1.into())]);
    let edited = Map::from([("columns", text("a")), ("rows", text("b")), ("takes", text("c"))]);
    let wrong = Map::from([("columns", columns), ("rows", row), ("error", text("not a map"))]);
    let refused = Map::from([("error", Map::from([("code", 1064)]))]);
    let done = Value::Map(Map::from([("affected", 2)]));
    let several = Map::from([("results", vec![Value::Map(full.clone()), done])]);
    prop::sample::select(vec![
        Answer::Response(full),
        Answer::Response(Map::new()),
        Answer::Response(edited),
        Answer::Response(wrong),
        Answer::Response(refused),
        Answer::Response(several),
    ])
}

proptest! {
    #[test]
    fn an_observer_takes_damage(damage in damage(), size in 1usize..50) {
        let lines = damaged(&damage);
        prop_assert_eq!(observe(&lines, usize::MAX), observe(&lines, size));
    }

    #[test]
    fn a_responder_takes_damage(damage in damage(), size in 1usize..50, answer in answers()) {
        let lines = damaged(&damage);
        let whole = respond(&lines, usize::MAX, &answer);
        // An error may come before or behind what is sent of the same piece.
        let split = respond(&lines, size, &answer);
        let shorter = whole.len().min(split.len());
        prop_assert_eq!(&whole[..shorter], &split[..shorter]);
    }

    #[test]
    fn any_bytes_are_a_statement(sql in prop_oneof![any::<Vec<u8>>(), "[-'\"`#$*/;(),.@!?a1 \\n\\\\]{0,60}".prop_map(String::into_bytes)]) {
        let recorded = text::recorded(&sql);
        // What is recorded stays as it is.
        prop_assert_eq!(&text::recorded(recorded.as_bytes().unwrap_or_default()), &recorded);
        let request = Map::from([("sql", recorded)]);
        let facets = Mysql.facets();
        facets.operation(&request);
        facets.request(&request);
        facets.identity(&request);
        // Only what sets up is answered without a recording.
        prop_assert!(facets.usual(&request).is_none() || facets.sets_up(&request));
    }
}
