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
    let (whole, split) = (observe(protocol, lines, usize::MAX), observe(protocol, lines, size));
    prop_assert_eq!(&whole.said, &split.said);
    prop_assert_eq!(whole.gave_up, split.gave_up);
    for (one, other) in whole.carried.iter().zip(&split.carried) {
        // The rest is held back still, as the beginning of a message or where the observer gave up.
        let both = one.len().min(other.len());
        prop_assert_eq!(&one[..both], &other[..both]);
    }
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

/// What comes of an observer.
struct Observed {
    /// All that it wants but to send.
    said: Vec<String>,
    gave_up: bool,
    /// What each side gets: what is forwarded to it before the observer reads it, and what that sends
    /// of what it has held back. How much is which is a matter of the pieces.
    carried: [Vec<u8>; 2],
}

fn observe(protocol: &dyn Protocol, lines: &[Line], size: usize) -> Observed {
    let mut session = protocol.observer(SMALL);
    let (mut said, mut gave_up) = (Vec::new(), false);
    let (mut held, mut carried) = ([false; 2], [Vec::new(), Vec::new()]);
    let mut out = Vec::new();
    let data = lines.iter().flat_map(|(from, bytes)| {
        let from = *from;
        bytes.chunks(size).map(move |bytes| Event::Data { from, bytes, at: Moment(1) })
    });
    for event in std::iter::once(Event::Opened { at: Moment(0) }).chain(data) {
        if let Event::Data { from, bytes, .. } = &event
            && !held[*from as usize]
        {
            carried[from.other() as usize].extend_from_slice(bytes);
        }
        gave_up = session.handle(event, &mut out).is_err();
        for command in out.drain(..) {
            match &command {
                Command::Send { to, bytes } => {
                    carried[*to as usize].extend_from_slice(bytes);
                    continue;
                }
                Command::Hold { from } => held[*from as usize] = true,
                Command::Forward { from } => held[*from as usize] = false,
                _ => {}
            }
            said.push(format!("{command:?}"));
        }
        if gave_up {
            break;
        }
    }
    Observed { said, gave_up, carried }
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
