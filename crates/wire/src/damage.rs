//! Conversations for tests of several protocols: what they teach, and damaged ones.
//!
//! The latter are for the tests of protocols whose bytes are no lines: bytes changed, taken
//! away, doubled. Nothing may panic, and what pieces the bytes come in must not matter.
//!
//! The fuzzer does this at length; this is what every run of the tests affords.

use crate::{Answer, Command, Event, Limits, Peer, Protocol};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use rehearsal_model::{ExchangeId, Map, Moment};

/// Bytes of one side.
pub(crate) type Line = (Peer, Vec<u8>);

/// What an observer tells of the schema: `table.column kind`, a `#` for a table without a name.
pub(crate) fn taught(protocol: &dyn Protocol, lines: &[Line]) -> Vec<String> {
    let mut session = protocol.observer(Limits::default());
    let mut out = Vec::new();
    for (from, bytes) in lines {
        session.handle(Event::Data { from: *from, bytes, at: Moment(1) }, &mut out).unwrap();
    }
    let told = out.into_iter().filter_map(|command| match command {
        Command::Teach(taught) => Some(taught),
        _ => None,
    });
    let text = |table: Option<String>| table.unwrap_or_else(|| "#".to_owned());
    let kind = |kind: Option<String>| kind.unwrap_or_else(|| "?".to_owned());
    told.map(|told| format!("{}.{} {}", text(told.table), told.column, kind(told.kind))).collect()
}

const SMALL: Limits = Limits { head: 4096, body: 4096, in_flight: 16, schemas: None };

/// What to do to the bytes at a place of a line.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    line: usize,
    place: prop::sample::Index,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Set(u8),
    Cut(u8),
    Repeat(u8),
}

/// A few damages.
pub(crate) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let what = prop_oneof![
        any::<u8>().prop_map(What::Set),
        any::<u8>().prop_map(What::Cut),
        any::<u8>().prop_map(What::Repeat),
    ];
    let one = (0usize..64, any::<prop::sample::Index>(), what)
        .prop_map(|(line, place, what)| Damage { line, place, what });
    prop::collection::vec(one, 0..6)
}

/// The conversation with the damages behind its first lines, which stay as they are.
pub(crate) fn damaged(mut lines: Vec<Line>, first: usize, damages: &[Damage]) -> Vec<Line> {
    let count = lines.len() - first;
    for Damage { line, place, what } in damages {
        let bytes = &mut lines[first + line % count].1;
        if bytes.is_empty() {
            continue;
        }
        let place = place.index(bytes.len());
        match what {
            What::Set(byte) => bytes[place] = *byte,
            What::Cut(length) => {
                bytes.drain(place..bytes.len().min(place + usize::from(*length)));
            }
            What::Repeat(length) => {
                let end = bytes.len().min(place + usize::from(*length));
                let again = bytes[place..end].to_vec();
                bytes.splice(place..place, again);
            }
        }
    }
    lines
}

/// An observer does the same in whatever pieces the bytes come.
pub(crate) fn check_observer(
    protocol: &dyn Protocol,
    lines: &[Line],
    size: usize,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(observe(protocol, lines, usize::MAX), observe(protocol, lines, size));
    Ok(())
}

/// A responder sends the same in whatever pieces the bytes come.
pub(crate) fn check_responder(
    protocol: &dyn Protocol,
    lines: &[Line],
    size: usize,
    answer: impl Fn(&Map) -> Answer,
) -> Result<(), TestCaseError> {
    let whole = respond(protocol, lines, usize::MAX, &answer);
    let split = respond(protocol, lines, size, &answer);
    // An error may come before or behind what is sent of the same piece.
    let shorter = whole.len().min(split.len());
    prop_assert_eq!(&whole[..shorter], &split[..shorter]);
    Ok(())
}

/// All that an observer does, and whether it gives up.
fn observe(protocol: &dyn Protocol, lines: &[Line], size: usize) -> (Vec<String>, bool) {
    let mut session = protocol.observer(SMALL);
    let mut out = Vec::new();
    let mut pieces =
        lines.iter().flat_map(|(from, bytes)| bytes.chunks(size).map(move |bytes| (*from, bytes)));
    let gave_up = pieces.any(|(from, bytes)| {
        session.handle(Event::Data { from, bytes, at: Moment(1) }, &mut out).is_err()
    });
    // How much of what was held back the session sends, and how much the driver forwards, is a matter of
    // the pieces.
    let said = out.iter().filter(|command| !matches!(command, Command::Send { .. }));
    (said.map(|one| format!("{one:?}")).collect(), gave_up)
}

/// What a responder sends that gets these answers.
fn respond(
    protocol: &dyn Protocol,
    lines: &[Line],
    size: usize,
    answer: &impl Fn(&Map) -> Answer,
) -> Vec<u8> {
    let mut session = protocol.responder(SMALL);
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    let said = lines.iter().filter(|line| line.0 == Peer::Client);
    let pieces = said.flat_map(|line| line.1.chunks(size));
    let opened = std::iter::once(Event::Opened { at: Moment(0) });
    let data = pieces.map(|bytes| Event::Data { from: Peer::Client, bytes, at: Moment(1) });
    for event in opened.chain(data) {
        let mut ended = session.handle(event, &mut out).is_err();
        while let Some((id, request)) = take(&mut out, &mut sent) {
            let event = Event::Answer { id, answer: answer(&request), at: Moment(2) };
            ended |= session.handle(event, &mut out).is_err();
        }
        if ended {
            break;
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
