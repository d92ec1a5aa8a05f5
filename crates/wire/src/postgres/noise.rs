//! Conversations with damage: bytes changed, taken away, doubled. Nothing may panic, and what pieces
//! the bytes come in must not matter.

use super::Postgres;
use super::sql;
use super::tests::{self, Line};
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
        // What stands around the choice of encryption is an error only when it comes in one piece.
        let count = lines.len() - 2;
        let bytes = &mut lines[2 + line % count].1;
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

/// All that an observer does, and its error.
fn observe(lines: &[Line], size: usize) -> (Vec<String>, bool) {
    let mut session = Postgres.observer(SMALL);
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

/// Plays a server that knows one answer to everything.
fn respond(lines: &[Line], size: usize, answer: &Answer) -> Vec<u8> {
    let mut session = Postgres.responder(SMALL);
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    for (_, bytes) in lines.iter().filter(|line| line.0 == Peer::Client) {
        for bytes in bytes.chunks(size) {
            let event = Event::Data { from: Peer::Client, bytes, at: Moment(1) };
            let mut ended = session.handle(event, &mut out).is_err();
            while let Some(id) = take(&mut out, &mut sent) {
                let event = Event::Answer { id, answer: answer.clone(), at: Moment(2) };
                ended |= session.handle(event, &mut out).is_err();
            }
            if ended {
                return sent;
            }
        }
    }
    sent
}

fn take(out: &mut Vec<Command>, sent: &mut Vec<u8>) -> Option<ExchangeId> {
    let mut asked = None;
    for command in out.drain(..) {
        match command {
            Command::Send { bytes, .. } => sent.extend_from_slice(&bytes),
            Command::Ask { id, .. } => asked = Some(id),
            _ => {}
        }
    }
    asked
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = |text: &str| Value::from(text);
    let row = Value::List(vec![vec![Value::from(17), text("x"), Value::Null].into()]);
    let columns = Value::from(vec!["a int4", "b text", "c #99999 binary"]);
    let full = Map::from([
        ("columns", columns.clone()),
        ("rows", row.clone()),
        ("params", vec!["int4"].into()),
        ("tag", text("SELECT 1")),
    ]);
    let edited = Map::from([("columns", text("a")), ("rows", text("b")), ("params", text("c"))]);
    let wrong = Map::from([("columns", columns), ("rows", row), ("error", text("not a map"))]);
    let refused = Map::from([("error", Map::from([("severity", "ERROR"), ("code", "1")]))]);
    prop::sample::select(vec![
        Answer::Response(full),
        Answer::Response(Map::new()),
        Answer::Response(edited),
        Answer::Response(wrong),
        Answer::Response(refused),
        Answer::Response(Map::from([("tag", "BEGIN")])),
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
    fn any_text_is_a_statement(text in "\\PC{0,60}|[-'\"$*/;(),.a1eE \\n]{0,60}") {
        let normal = sql::normalise(&text);
        // What is normal stays so, but that a literal has become a mark.
        prop_assert_eq!(&sql::normalise(&normal.sql).sql, &normal.sql);
        sql::outline(&text);
        sql::operation(&text);
        sql::trace(&text);
        sql::cursors(&text);
        prop_assert!(!sql::sets_up(&text) || sql::repeatable(&text) || !text.is_empty());
    }
}
