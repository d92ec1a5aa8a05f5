//! Connections that are no HTTP/2, or would take all memory: they are given up, with a reason.

use super::*;
use frames::{CONTINUATION, WINDOW_UPDATE};

/// What an observer says of frames of a client, and of a server's after a request.
fn outcomes(frames: &[Vec<u8>]) -> [Result<Vec<Command>, WireError>; 2] {
    let said = client(&[vec![opening()], frames.to_vec()].concat());
    let asked = client(&[opening(), last(1, GET)]);
    let observe = |lines: &[Line]| handle(Http.observer(SMALL), lines, &[], usize::MAX);
    [observe(&[said]), observe(&[asked, server(frames)])]
}

#[track_caller]
fn malformed_for_both(frames: &[Vec<u8>]) {
    for outcome in outcomes(frames) {
        assert!(matches!(outcome, Err(WireError::Malformed { .. })), "{outcome:?}");
    }
}

#[test]
fn broken_frames_are_refused() {
    let part_of_section = frame(HEADERS, 0, 1, &[]);
    malformed_for_both(&[frame(DATA, 0, 0, b"x")]);
    malformed_for_both(&[frame(HEADERS, END_HEADERS, 0, &[])]);
    malformed_for_both(&[frame(HEADERS, END_HEADERS, 1, &[0x80])]);
    malformed_for_both(&[frame(HEADERS, END_HEADERS, 1, &[])]);
    malformed_for_both(&[frame(CONTINUATION, END_HEADERS, 1, &[])]);
    malformed_for_both(&[part_of_section.clone(), frame(frames::PING, 0, 0, &[0; 8])]);
    malformed_for_both(&[part_of_section, frame(CONTINUATION, END_HEADERS, 3, &[])]);
    malformed_for_both(&[frame(DATA, 8, 1, &[9, 0])]);
    malformed_for_both(&[frame(HEADERS, END_HEADERS | 0x20, 1, &[0])]);
    malformed_for_both(&[frame(SETTINGS, 0, 0, &[0; 5])]);
    malformed_for_both(&[frame(SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0])]);
    malformed_for_both(&[frame(frames::PING, 0, 0, &[0; 7])]);
    malformed_for_both(&[frame(RST_STREAM, 0, 1, &[0; 3])]);
    let [client, _] = outcomes(&[last(2, GET)]);
    assert!(client.is_err());
}

#[test]
fn frames_and_sections_have_limits() {
    for outcome in outcomes(&[vec![0, 0x40, 1, DATA, 0, 0, 0, 0, 1]]) {
        assert!(matches!(outcome, Err(WireError::TooLarge { limit: 16384, .. })), "{outcome:?}");
    }
    let endless = [frame(HEADERS, 0, 1, &[]), frame(CONTINUATION, 0, 1, &[0; 1000]).repeat(9)];
    for outcome in outcomes(&endless) {
        assert!(matches!(outcome, Err(WireError::TooLarge { limit: 4096, .. })), "{outcome:?}");
    }
    let empty = [frame(HEADERS, 0, 1, &[]), frame(CONTINUATION, 0, 1, &[]).repeat(2000)];
    malformed_for_both(&empty);
    let informed = head(1, &[(":status", "103")]).repeat(300);
    let [_, server] = outcomes(&[informed]);
    assert!(matches!(server, Err(WireError::Malformed { .. })), "{server:?}");
}

#[test]
fn streams_in_flight_have_a_limit_but_not_streams() {
    let many: Vec<_> = (0..5).map(|number| last(number * 2 + 1, GET)).collect();
    let [client, _] = outcomes(&many);
    assert!(matches!(client, Err(WireError::Malformed { .. })), "{client:?}");
    let rapid = |number: u32| [last(number * 2 + 1, GET), reset(number * 2 + 1)].concat();
    let rapid: Vec<_> = (0..10_000).map(rapid).collect();
    let [client, _] = outcomes(&rapid);
    assert_eq!(client.map(|commands| commands.len()), Ok(20_000));
}

#[test]
fn what_is_kept_of_all_streams_together_has_a_limit() {
    let limits = Limits { in_flight: 1000, ..SMALL };
    let long = "x".repeat(1000);
    let large = [GET, &[("a", long.as_str())]].concat();
    let many: Vec<_> = (0..20).map(|number| head(number * 2 + 1, &large)).collect();
    let said = [client(&[opening()]), client(&many)];
    let outcome = handle(Http.observer(limits), &said, &[], usize::MAX);
    assert!(matches!(outcome, Err(WireError::TooLarge { .. })), "{outcome:?}");
}

#[test]
fn content_that_is_not_kept_does_not_count() {
    let limits = Limits { in_flight: 100, ..SMALL };
    let large = |number: u32| {
        let stream = number * 2 + 1;
        [head(stream, GET), part(stream, &[b'x'; 60]), part(stream, &[b'x'; 60])].concat()
    };
    let said = [client(&[opening()]), client(&(0..80).map(large).collect::<Vec<_>>())];
    let outcome = handle(Http.observer(limits), &said, &[], usize::MAX);
    assert_eq!(outcome.map(|commands| commands.len()), Ok(80));
}

#[test]
fn a_played_server_says_why_it_gives_up() {
    let said = client(&[opening(), frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])]);
    let mut session = Http.responder(SMALL);
    let mut out = Vec::new();
    session.handle(Event::Opened { at: NOW }, &mut out).unwrap();
    let event = Event::Data { from: Peer::Client, bytes: &said.1, at: NOW };
    assert!(matches!(session.handle(event, &mut out), Err(WireError::Malformed { .. })));
    let (kind, _, _, payload) = frames_of(&sent(&out)).pop().unwrap();
    assert_eq!((kind, &payload[..8]), (frames::GOAWAY, &[0, 0, 0, 0, 0, 0, 0, 1][..]));
    assert!(String::from_utf8_lossy(&payload).contains("window"));
}
