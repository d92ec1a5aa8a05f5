//! Conversations with bytes changed, taken away or doubled.

use super::*;
use crate::damage::{Damage, check_observer, damaged, damages};
use proptest::prelude::*;

fn conversation() -> Vec<Line> {
    let long = "x".repeat(300);
    let post = [POST, &[("x-long", long.as_str()), ("x-long", "y")]].concat();
    vec![
        client(&[PREFACE.to_vec()]),
        client(&[frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 9]), head(1, &post), last(3, GET)]),
        server(&[frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]), head(3, OK), end(3, b"[1.10]")]),
        client(&[part(1, b"{\"cents\""), last(1, &[("x-sum", "1")]), last(5, GET)]),
        server(&[head(1, &[(":status", "103")]), head(1, OK), part(1, b"{"), reset(5)]),
        client(&[frame(frames::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 99]), last(7, GET), reset(7)]),
        server(&[last(1, &[("x-sum", "2")]), frame(frames::GOAWAY, 0, 0, &[0; 8])]),
    ]
}

fn conversations(damages: &[Damage]) -> Vec<Line> {
    damaged(conversation(), 1, damages)
}

proptest! {
    #[test]
    fn observers_take_damage(damages in damages(), size in 1usize..40) {
        check_observer(&Http, &conversations(&damages), size)?;
    }

    #[test]
    fn responders_take_damage(damages in damages(), size in 1usize..400) {
        respond(&conversations(&damages), size);
    }
}

/// Answers all that is asked. What was sent must be whole frames, whatever came.
fn respond(lines: &[Line], size: usize) {
    let mut session = Http.responder(SMALL);
    let (mut out, mut all) = (Vec::new(), Vec::new());
    let mut going = session.handle(Event::Opened { at: NOW }, &mut out).is_ok();
    let said = lines.iter().filter(|(from, _)| *from == Peer::Client);
    for bytes in said.flat_map(|(_, bytes)| bytes.chunks(size)) {
        if !going {
            break;
        }
        let event = Event::Data { from: Peer::Client, bytes, at: NOW };
        going = session.handle(event, &mut out).is_ok();
        let came = std::mem::take(&mut out);
        for command in &came {
            if let Command::Ask { id, .. } = command {
                let answer = Answer::Response(map(r#"{"status":200,"body":"0123456789abcdef"}"#));
                let event = Event::Answer { id: *id, answer, at: NOW };
                going &= session.handle(event, &mut out).is_ok();
            }
        }
        all.extend(came);
    }
    all.append(&mut out);
    frames_of(&sent(&all));
}

#[test]
fn what_comes_of_a_stream_does_not_depend_on_pieces() {
    // All but the stream that is reset: whether its answer was under way by then is a matter of time.
    let streams = |size| {
        let mut session = Http.responder(SMALL);
        let mut out = Vec::new();
        for (_, bytes) in conversation().iter().filter(|(from, _)| *from == Peer::Client) {
            for bytes in bytes.chunks(size) {
                let event = Event::Data { from: Peer::Client, bytes, at: NOW };
                session.handle(event, &mut out).unwrap();
            }
        }
        let answer = |status: u64| map(&format!(r#"{{"status":{},"body":"0123"}}"#, 200 + status));
        for id in [5, 1, 3] {
            let answer = Answer::Response(answer(id));
            session
                .handle(Event::Answer { id: ExchangeId(id), answer, at: NOW }, &mut out)
                .unwrap();
        }
        sent(&out)
    };
    let whole = streams(usize::MAX);
    (1..80).for_each(|size| assert_eq!(streams(size), whole, "in pieces of {size}"));
}
