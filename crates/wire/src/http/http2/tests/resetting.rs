//! Streams and connections that are ended with a code: as they are seen, played and asked for.

use super::requesting::{ask, emitted, hear};
use super::responding::Rig;
use super::*;
use Ending::{Finished, Reset};
use Peer::{Client, Server};
use frames::GOAWAY;
use rehearsal_model::{Failure, ResetCode};

const RATES: &str = r#"{"http":"GET /rates","version":"2","headers":{"host":"shop"}}"#;
const HALF: &str = r#"{"status":200,"body":"ha"}"#;

fn by(code: u32) -> ResetCode {
    ResetCode(code)
}

#[test]
fn a_stream_is_reset_with_its_code() {
    let begun = client(&[opening(), last(1, GET), last(3, GET), last(5, GET), last(7, GET)]);
    let half = [head(5, &[(":status", "200")]), part(5, b"ha"), reset_by(5, 8)].concat();
    let lines = [begun, server(&[reset_by(1, 7), reset_by(3, 11), half, reset_by(7, 0xdead)])];
    check(
        &lines,
        &[],
        &[
            &format!("1 {RATES} reset (REFUSED_STREAM) nothing"),
            &format!("3 {RATES} reset (ENHANCE_YOUR_CALM) nothing"),
            &format!("5 {RATES} reset (CANCEL) {HALF}"),
            &format!("7 {RATES} reset (57005) nothing"),
        ],
    );
}

#[test]
fn a_farewell_says_why_streams_were_not_heard_and_why_others_were_left() {
    let begun = client(&[opening(), last(1, GET), last(3, GET)]);
    let unheard = format!("3 {RATES} unheard (ENHANCE_YOUR_CALM) nothing");
    let left = format!("1 {RATES} closed (ENHANCE_YOUR_CALM) nothing");
    let lines = [begun.clone(), server(&[farewell(1, 11)])];
    // Whoever closes the connection then: it is the server that has ended the stream.
    for end in [(Server, Finished), (Server, Reset), (Client, Finished), (Client, Reset)] {
        check(&lines, &[end], &[&unheard, &left]);
    }
    let given_up = [&lines[..], &[client(&[reset_by(1, 11)])]].concat();
    check(&given_up, &[], &[&unheard, &left]);
    // What is said in a farewell that follows takes the error back no more than it hears the stream.
    let again = [&lines[..], &[server(&[farewell(1, 0)])]].concat();
    check(&again, &[(Server, Finished)], &[&unheard, &left]);
    // Where nothing is wrong, it is as ever.
    let lines = [begun, server(&[farewell(3, 0)])];
    let plain = |how| [1, 3].map(|number| format!("{number} {RATES} {how} nothing"));
    for (end, how) in [((Server, Finished), "closed"), ((Client, Finished), "timed out")] {
        let [first, second] = plain(how);
        check(&lines, &[end, (Server, Finished)], &[&first, &second]);
    }
}

#[test]
fn a_farewell_that_is_cut_short_is_no_farewell() {
    let cut = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0]);
    let lines = [client(&[opening(), last(1, GET)]), server(&[cut])];
    let seen = handle(Http.observer(Limits::default()), &lines, &[], usize::MAX);
    assert!(matches!(seen, Err(WireError::Malformed { .. })), "{seen:?}");
}

#[test]
fn a_mock_resets_with_the_recorded_code() {
    let (mut rig, _) = Rig::new(&[last(1, GET), last(3, GET)]);
    let said = rig.answer(1, Answer::Failure(Failure::ResetBy(by(7))));
    assert_eq!(said, [(RST_STREAM, 0, 1, vec![0, 0, 0, 7])]);
    let said = rig.answer(3, Answer::Broken(map(HALF), Failure::ResetBy(by(0xdead))));
    assert_eq!(said.last(), Some(&(RST_STREAM, 0, 3, vec![0, 0, 0xde, 0xad])));
    assert_eq!(rig.closed, None);
}

#[test]
fn a_mock_closes_with_the_recorded_code() {
    for answer in [
        Answer::Failure(Failure::ClosedBy(by(11))),
        Answer::Broken(map(HALF), Failure::ClosedBy(by(11))),
    ] {
        let (mut rig, _) = Rig::new(&[last(1, GET)]);
        let said = rig.answer(1, answer);
        assert_eq!(said.last(), Some(&(GOAWAY, 0, 0, vec![0, 0, 0, 1, 0, 0, 0, 11])));
        assert_eq!(rig.closed, Some(Finished));
    }
}

#[test]
fn a_mock_that_does_not_hear_a_stream_answers_those_before_it() {
    let (mut rig, _) = Rig::new(&[last(1, GET), last(3, GET)]);
    let said = rig.answer(3, Answer::Failure(Failure::UnheardBy(by(0))));
    assert_eq!(said, [(GOAWAY, 0, 0, vec![0, 0, 0, 1, 0, 0, 0, 0])]);
    // What was under way before the client heard of it is asked for on another connection.
    assert_eq!(rig.say(&[last(5, GET)]), []);
    assert_eq!((rig.asked.len(), rig.closed), (2, None));
    let said = rig.answer(1, Answer::Response(map(r#"{"status":204}"#)));
    assert_eq!(said.iter().map(|frame| (frame.0, frame.2)).collect::<Vec<_>>(), [(HEADERS, 1)]);
    assert_eq!(rig.closed, Some(Finished));
}

#[test]
fn a_mock_that_hears_nothing_closes_at_once() {
    let (mut rig, _) = Rig::new(&[last(1, GET)]);
    let said = rig.answer(1, Answer::Failure(Failure::UnheardBy(by(13))));
    assert_eq!(said, [(GOAWAY, 0, 0, vec![0, 0, 0, 0, 0, 0, 0, 13])]);
    assert_eq!(rig.closed, Some(Finished));
}

#[test]
fn the_app_is_seen_to_reset_and_to_leave_with_a_code() {
    let request = r#"{"http":"GET /rates","version":"2"}"#;
    for (frames, ends, seen) in [
        (reset_by(1, 8), None, "reset (CANCEL)"),
        (farewell(0, 11), None, "unheard (ENHANCE_YOUR_CALM)"),
        (farewell(1, 11), Some(Finished), "closed (ENHANCE_YOUR_CALM)"),
        (farewell(1, 11), Some(Reset), "closed (ENHANCE_YOUR_CALM)"),
        ([farewell(1, 11), farewell(1, 0)].concat(), Some(Finished), "closed (ENHANCE_YOUR_CALM)"),
        (farewell(1, 0), Some(Finished), "closed"),
        (farewell(1, 0), Some(Reset), "reset"),
    ] {
        let mut session = Http.requester(SMALL);
        ask(&mut *session, 1, request);
        let mut out = hear(&mut *session, &[frames]);
        if let Some(how) = ends {
            session.handle(Event::Closed { from: Server, how, at: NOW }, &mut out).unwrap();
        }
        assert_eq!(emitted(&out), [format!("1 {{}} {seen} nothing")]);
    }
}
