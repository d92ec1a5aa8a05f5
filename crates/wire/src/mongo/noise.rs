//! Conversations with damage: bytes changed, taken away, doubled. Nothing may panic, and what pieces
//! the bytes come in must not matter.

use super::Mongo;
use super::tests::{self, Line};
use crate::{Answer, Command, Event, Limits, Peer, Protocol};
use proptest::prelude::*;
use rehearsal_model::{ExchangeId, Moment};

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
    let count = lines.len();
    for (line, place, damage) in damage {
        let bytes = &mut lines[line % count].1;
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
    let mut session = Mongo.observer(SMALL);
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
    let mut session = Mongo.responder(SMALL);
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
    prop::sample::select(vec![
        r#"{"documents":[{"_id":{"$oid":"656565656565656565656565"}}],"cursor":7,"n":1}"#,
        r#"{"fields":{"isWritablePrimary":true}}"#,
        r#"{"fields":[]}"#,
        r#"{"documents":7}"#,
        r#"{"error":{"code":1}}"#,
        r#"{"value":{"$date":"x"}}"#,
        "{}",
    ])
    .prop_map(|text| Answer::Response(tests::map(text)))
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
}
