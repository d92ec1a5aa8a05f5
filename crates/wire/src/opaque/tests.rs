//! Transcripts, each with every split of its bytes.

mod turning;

use super::{Opaque, requester::QUIET};
use crate::{Answer, Command, Ending, Event, Limits, Miss, Peer, Protocol, Session, WireError};
use proptest::prelude::*;
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};

use Peer::{Client, Server};

/// One line of a transcript.
#[derive(Clone, Copy)]
enum Line {
    Says(Peer, &'static [u8]),
    Ends(Peer, Ending),
}
use Line::{Ends, Says};

const SMALL: Limits = Limits { head: 64, body: 16, in_flight: 2, schemas: None };

fn turn(send: &str, receive: &str) -> (Map, Option<Map>) {
    (Map::from([("send", send)]), Some(Map::from([("receive", receive)])))
}

/// A turn in which the client ended its direction before the server spoke.
fn last_words(send: &str, receive: &str) -> (Map, Option<Map>) {
    (Map::from([("send", send), ("ends", "closed")]), turn(send, receive).1)
}

fn with_end((request, response): (Map, Option<Map>), end: &str) -> (Map, Option<Map>) {
    let mut response = response.unwrap();
    response.insert("ends", end);
    (request, Some(response))
}

/// What an observer emits for a transcript whose lines come in pieces of `size` bytes.
fn observe(lines: &[Line], size: usize, limits: Limits) -> Vec<Exchange> {
    let mut session = Opaque.observer(limits);
    let (mut out, mut clock) = (Vec::new(), 0);
    for line in lines {
        clock += 1000;
        let at = Moment(clock);
        match *line {
            Says(from, bytes) => {
                for bytes in bytes.chunks(size) {
                    session.handle(Event::Data { from, bytes, at }, &mut out).unwrap();
                }
            }
            Ends(from, how) => {
                session.handle(Event::Closed { from, how, at }, &mut out).unwrap();
            }
        }
    }
    let mut open = Vec::new();
    let mut emitted = Vec::new();
    for command in out {
        match command {
            Command::Begin { id, .. } => open.push(id),
            Command::Emit { id, exchange } => {
                assert_eq!(open.pop(), Some(id), "emits only what has begun");
                emitted.push(*exchange);
            }
            other => panic!("an observer of turns has no need of {other:?}"),
        }
    }
    assert!(open.is_empty(), "nothing stays open after both sides have ended");
    emitted
}

#[track_caller]
fn check(lines: &[Line], expected: &[(Map, Option<Map>)]) {
    for size in 1..=32 {
        let emitted = observe(lines, size, Limits::default());
        let pairs: Vec<_> = emitted.into_iter().map(|seen| (seen.request, seen.response)).collect();
        assert_eq!(pairs, expected, "in pieces of {size}");
    }
}

const BOTH_END: [Line; 2] = [Ends(Client, Ending::Finished), Ends(Server, Ending::Finished)];

#[test]
fn a_turn_ends_when_the_client_speaks_again() {
    check(
        &[
            Says(Client, b"PING\r\n"),
            Says(Server, b"PONG\r\n"),
            Says(Client, b"QUIT\r\n"),
            BOTH_END[0],
            Says(Server, b"BYE\r\n"),
            BOTH_END[1],
        ],
        &[turn("PING\r\n", "PONG\r\n"), last_words("QUIT\r\n", "BYE\r\n")],
    );
}

#[test]
fn a_server_that_speaks_first_answers_an_empty_send() {
    check(
        &[
            Says(Server, b"220 ready\r\n"),
            Says(Client, b"EHLO a\r\n"),
            Says(Server, b"250 a\r\n"),
            BOTH_END[0],
            BOTH_END[1],
        ],
        &[turn("", "220 ready\r\n"), turn("EHLO a\r\n", "250 a\r\n")],
    );
}

#[test]
fn a_server_that_ends_first_is_recorded() {
    let lines = [
        Says(Client, b"example\r\n"),
        Says(Server, b"no match"),
        BOTH_END[1],
        Ends(Client, Ending::Finished),
    ];
    check(&lines, &[with_end(turn("example\r\n", "no match"), "closed")]);
}

#[test]
fn a_client_that_speaks_after_the_server_ended_is_recorded() {
    let lines = [BOTH_END[1], Says(Client, b"late"), BOTH_END[0]];
    check(&lines, &[last_words("late", "")]);
}

#[test]
fn a_silent_connection_is_nothing() {
    check(&BOTH_END, &[]);
    check(&[Ends(Server, Ending::Reset)], &[]);
}

#[test]
fn a_reset_by_the_server_is_a_failure_of_the_open_turn() {
    let lines = [Says(Client, b"hi"), Says(Server, b"he"), Ends(Server, Ending::Reset)];
    let seen = observe(&lines, 1, Limits::default());
    assert_eq!(seen[0].failure, Some(Failure::Reset));
    assert_eq!(seen[0].response, with_end(turn("hi", "he"), "reset").1);

    let seen = observe(&[lines[0], lines[2]], 1, Limits::default());
    assert_eq!((seen[0].failure, &seen[0].response), (Some(Failure::Reset), &None));
}

#[test]
fn a_reset_by_the_client_is_not_a_failure_of_the_server() {
    let lines = [Says(Client, b"hi"), Says(Server, b"ho"), Ends(Client, Ending::Reset)];
    let seen = observe(&lines, 1, Limits::default());
    assert_eq!((seen[0].failure, seen[0].response.clone()), (None, turn("hi", "ho").1));
}

#[test]
fn a_client_that_ends_before_the_server_speaks_is_played_so() {
    for (how, word) in [(Ending::Finished, "closed"), (Ending::Reset, "reset")] {
        let lines = [Says(Client, b"GET /he"), Ends(Client, how), BOTH_END[1]];
        let seen = observe(&lines, 1, Limits::default());
        let request = Map::from([("send", "GET /he"), ("ends", word)]);
        assert_eq!((&seen[0].request, &seen[0].response), (&request, &turn("", "").1));
        assert_eq!(
            Opaque.facets().request(&request),
            Opaque.facets().request(&turn("GET /he", "").0)
        );

        let mut caller = Caller(Opaque.requester(SMALL));
        let event =
            Event::Request { id: ExchangeId(1), request: &request, recorded: None, at: millis(1) };
        let mut done = caller.give(event);
        assert_eq!(done.remove(0), Command::Send { to: Server, bytes: "GET /he".into() });
        assert_eq!(done.remove(0), Command::Close { to: Server, how });
        if how == Ending::Finished {
            assert_eq!(done, [], "the server may still speak");
            let end = Event::Closed { from: Server, how: Ending::Finished, at: millis(2) };
            done = caller.give(end);
        }
        let [Command::Emit { exchange, .. }] = &done[..] else { panic!("{done:?}") };
        assert_eq!(exchange.request, request);
    }
}

#[test]
fn times_are_those_of_the_first_and_last_byte() {
    let lines = [Says(Client, b"hi"), Says(Server, b"ho"), BOTH_END[0], BOTH_END[1]];
    let seen = observe(&lines, 1, Limits::default());
    assert_eq!((seen[0].started, seen[0].finished), (Moment(1000), Moment(2000)));
}

#[test]
fn what_is_too_large_is_length_and_hash() {
    let sixteen = Says(Client, b"abcdbcdecdefdefg");
    let lines = [sixteen, Says(Client, b"e"), Says(Server, b"ok"), BOTH_END[0], BOTH_END[1]];
    for size in 1..=16 {
        let seen = observe(&lines, size, SMALL);
        let omitted = seen[0].request.get("omitted").and_then(Value::as_map).unwrap();
        assert_eq!(omitted.get("length"), Some(&Value::from(17_u64)));
        // printf abcdbcdecdefdefge | sha256sum
        let sha256 = "85222ad08781bc6af22d36e049dff72ca9d16480955feacfc201d4908a063afd";
        assert_eq!(omitted.text("sha256"), Some(sha256));
        assert_eq!(seen[0].response, turn("", "ok").1);
        assert_eq!(Opaque.facets().operation(&seen[0].request), "send 17 bytes");
        assert!(Opaque.facets().omits(&seen[0].request));
        assert!(!seen[0].response.as_ref().is_some_and(|reply| Opaque.facets().omits(reply)));
    }
    let seen = observe(&[sixteen, BOTH_END[0], BOTH_END[1]], 5, SMALL);
    assert_eq!(seen[0].request.text("send"), Some("abcdbcdecdefdefg"), "the limit itself is kept");
}

/// Answers from a list of turns in order, as a desk would.
struct Desk {
    mocks: Vec<(&'static str, Map)>,
    asked: Vec<String>,
}

impl Desk {
    fn new(mocks: &[(&'static str, &str)]) -> Self {
        let mocks = mocks.iter().map(|(send, reply)| (*send, Map::from([("receive", *reply)])));
        Desk { mocks: mocks.collect(), asked: Vec::new() }
    }

    fn answer(&mut self, request: &Map) -> Answer {
        let send = request.text("send").unwrap().to_owned();
        let equal = self.mocks.iter().position(|(mock, _)| *mock == send);
        let longer = self.mocks.iter().any(|(mock, _)| mock.starts_with(&send));
        let facets = Opaque.facets();
        let recorded = |mock: &str| Map::from([("send", mock)]);
        let beyond = |(mock, _): &(&str, Map)| facets.goes_beyond(request, &recorded(mock));
        let beginning = self.mocks.iter().position(beyond);
        self.asked.push(send);
        match equal.or(beginning) {
            Some(place) => {
                let (mock, mut response) = self.mocks.remove(place);
                if equal.is_none() {
                    response.insert("asked", recorded(mock));
                }
                Answer::Response(response)
            }
            None if longer => Answer::Incomplete,
            None => Answer::Miss(Miss { message: "none".to_owned(), details: Value::Null }),
        }
    }
}

/// A played server with its desk; answers are held back until `settle`.
struct Stage {
    session: Box<dyn Session>,
    desk: Desk,
    sent: Vec<u8>,
    closed: Option<Ending>,
    asks: Vec<(ExchangeId, Map)>,
}

impl Stage {
    fn new(desk: Desk, limits: Limits) -> Self {
        let session = Opaque.responder(limits);
        Stage { session, desk, sent: Vec::new(), closed: None, asks: Vec::new() }
    }

    fn give(&mut self, event: Event<'_>) -> Result<(), WireError> {
        let mut out = Vec::new();
        self.session.handle(event, &mut out)?;
        for command in out {
            match command {
                Command::Send { to: Client, bytes } => {
                    assert!(!bytes.is_empty(), "an empty send would be noise");
                    self.sent.extend_from_slice(&bytes);
                }
                Command::Close { to: Client, how } => self.closed = Some(how),
                Command::Ask { id, request, .. } => {
                    assert!(self.asks.is_empty(), "one question at a time");
                    self.asks.push((id, request));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        Ok(())
    }

    fn says(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.give(Event::Data { from: Client, bytes, at: Moment(1) })
    }

    fn settle(&mut self) -> Result<(), WireError> {
        while let Some((id, request)) = self.asks.pop() {
            let answer = self.desk.answer(&request);
            self.give(Event::Answer { id, answer, at: Moment(2) })?;
        }
        Ok(())
    }
}

const SMTP: &[(&str, &str)] =
    &[("", "220 ready\r\n"), ("EHLO a\r\n", "250 a\r\n"), ("QUIT\r\n", "221 bye\r\n")];

#[test]
fn a_played_server_speaks_first_and_answers_in_pieces() {
    for size in 1..=8 {
        let mut stage = Stage::new(Desk::new(SMTP), SMALL);
        stage.give(Event::Opened { at: Moment(0) }).unwrap();
        stage.settle().unwrap();
        assert_eq!(stage.sent, b"220 ready\r\n", "before the client has said anything");
        for line in [&b"EHLO a\r\n"[..], b"QUIT\r\n"] {
            for piece in line.chunks(size) {
                stage.says(piece).unwrap();
                stage.settle().unwrap();
            }
        }
        assert_eq!(stage.sent, b"220 ready\r\n250 a\r\n221 bye\r\n");
        stage.give(Event::Closed { from: Client, how: Ending::Finished, at: Moment(3) }).unwrap();
        assert_eq!(stage.closed, Some(Ending::Finished));
    }
}

#[test]
fn what_comes_while_an_answer_is_awaited_is_asked_about_afterwards() {
    let mut stage = Stage::new(Desk::new(&[("ab", "1"), ("cd", "2")]), SMALL);
    stage.give(Event::Opened { at: Moment(0) }).unwrap();
    stage.says(b"a").unwrap();
    stage.says(b"b").unwrap();
    stage.settle().unwrap();
    assert_eq!(stage.sent, b"1");
    assert_eq!(stage.desk.asked, ["", "ab"], "the two pieces are one question");

    stage.says(b"cd").unwrap();
    stage.give(Event::Closed { from: Client, how: Ending::Finished, at: Moment(3) }).unwrap();
    assert_eq!(stage.closed, None, "an answer is still awaited");
    stage.settle().unwrap();
    assert_eq!((stage.sent.as_slice(), stage.closed), (&b"12"[..], Some(Ending::Finished)));
}

#[test]
fn a_client_ahead_of_the_answer_is_answered_turn_by_turn() {
    let mut stage = Stage::new(Desk::new(&[("ab", "1"), ("c", "2")]), SMALL);
    stage.says(b"ab").unwrap();
    stage.says(b"c").unwrap();
    stage.settle().unwrap();
    assert_eq!(stage.sent, b"12");
    assert_eq!(stage.desk.asked, ["ab", "c"]);
}

#[test]
fn a_client_that_no_longer_waits_is_answered_turn_by_turn() {
    let mut stage = Stage::new(Desk::new(&[("", "hi"), ("ab", "1"), ("c", "2")]), SMALL);
    stage.says(b"abc").unwrap();
    stage.settle().unwrap();
    assert_eq!(stage.sent, b"12", "what the server says first answers nothing");
    assert_eq!(stage.desk.asked, ["abc", "c"]);
}

#[test]
fn a_miss_breaks_the_connection_off() {
    let mut stage = Stage::new(Desk::new(&[("ab", "1")]), SMALL);
    stage.says(b"ax").unwrap();
    stage.settle().unwrap();
    assert_eq!((stage.sent.as_slice(), stage.closed), (&b""[..], Some(Ending::Reset)));
    stage.says(b"more").unwrap();
    assert!(stage.asks.is_empty(), "nothing is asked on a connection that is over");
}

#[test]
fn recorded_ends_are_played() {
    for (answer, expected) in [
        (Answer::Failure(Failure::Reset), Ending::Reset),
        (Answer::Failure(Failure::Closed), Ending::Finished),
        (Answer::Response(Map::from([("receive", "x"), ("ends", "closed")])), Ending::Finished),
        (Answer::Response(Map::from([("receive", "x"), ("ends", "reset")])), Ending::Reset),
    ] {
        let mut stage = Stage::new(Desk::new(&[]), SMALL);
        stage.says(b"a").unwrap();
        let id = stage.asks.pop().unwrap().0;
        stage.give(Event::Answer { id, answer, at: Moment(2) }).unwrap();
        assert_eq!(stage.closed, Some(expected));
    }
}

#[test]
fn what_is_unanswered_is_bounded() {
    let mut stage = Stage::new(Desk::new(&[("a", "1")]), SMALL);
    stage.says(&[b'a'; 16]).unwrap();
    let error = stage.says(b"a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "read opaque: what the client sent without an answer is larger than 16 bytes"
    );
}

#[test]
fn what_was_too_large_to_record_cannot_be_played() {
    let mut stage = Stage::new(Desk::new(&[]), SMALL);
    stage.says(b"a").unwrap();
    let id = stage.asks.pop().unwrap().0;
    let answer = Answer::Response(Map::from([("omitted", Map::new())]));
    let error = stage.give(Event::Answer { id, answer, at: Moment(2) }).unwrap_err();
    assert!(matches!(error, WireError::Unwritable { .. }), "{error}");
}

/// A requester, given events, and what it commands.
struct Caller(Box<dyn Session>);

impl Caller {
    fn give(&mut self, event: Event<'_>) -> Vec<Command> {
        let mut out = Vec::new();
        self.0.handle(event, &mut out).unwrap();
        out
    }

    fn request(&mut self, id: u64, send: &str) -> Vec<Command> {
        let request = Map::from([("send", send)]);
        self.give(Event::Request {
            id: ExchangeId(id),
            request: &request,
            recorded: None,
            at: Moment(0),
        })
    }
}

fn millis(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

#[test]
fn a_requester_takes_silence_for_the_end_of_a_reply() {
    let mut caller = Caller(Opaque.requester(SMALL));
    let sent = caller.request(7, "PING");
    assert_eq!(sent, [Command::Send { to: Server, bytes: "PING".into() }]);
    assert_eq!(caller.request(8, "QUIT"), [], "waits for the reply to the first");

    let data = |bytes, at| Event::Data { from: Server, bytes, at: millis(at) };
    assert_eq!(caller.give(data(b"PO", 1000)), [Command::Wake { after: QUIET }]);
    assert_eq!(caller.give(data(b"NG", 1150)), []);
    let again = caller.give(Event::Tick { at: millis(1200) });
    assert_eq!(again, [Command::Wake { after: std::time::Duration::from_millis(150) }]);
    let done = caller.give(Event::Tick { at: millis(1350) });
    let [Command::Emit { id: ExchangeId(7), exchange }, Command::Send { bytes, .. }] = &done[..]
    else {
        panic!("{done:?}");
    };
    assert_eq!(exchange.response, turn("", "PONG").1);
    assert_eq!(&bytes[..], b"QUIT");

    let end = Event::Closed { from: Server, how: Ending::Finished, at: millis(1400) };
    let done = caller.give(end);
    let [Command::Emit { id: ExchangeId(8), exchange }] = &done[..] else { panic!("{done:?}") };
    assert_eq!(exchange.response, with_end(turn("", ""), "closed").1);

    let done = caller.request(9, "PING");
    assert!(matches!(&done[..], [Command::Emit { id: ExchangeId(9), .. }]), "{done:?}");
}

#[test]
fn a_requester_reports_a_reset() {
    let mut caller = Caller(Opaque.requester(SMALL));
    caller.request(1, "PING");
    let end = Event::Closed { from: Server, how: Ending::Reset, at: millis(1) };
    let done = caller.give(end);
    let [Command::Emit { exchange, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!((exchange.failure, &exchange.response), (Some(Failure::Reset), &None));
}

#[test]
fn operations_are_readable() {
    let name = |send: Value| Opaque.facets().operation(&Map::from([("send", send)]));
    assert_eq!(name(Value::from("")), "wait for the server to speak");
    assert_eq!(name(Value::from("x")), "send 1 byte: x");
    assert_eq!(name(Value::from("\r\nEHLO a\r\nMAIL\r\n")), "send 16 bytes: EHLO a");
    assert_eq!(name(Value::Bytes(b"\x00\xffok".to_vec())), "send 4 bytes: ..ok");
    assert_eq!(
        name(Value::from("abcdefghijklmnopqrstuvwxyz")),
        "send 26 bytes: abcdefghijklmnopqrstuvwx…"
    );
}

#[test]
fn tls_is_known_by_its_first_bytes() {
    let obstacle = |send: &[u8]| {
        let request = Map::from([("send", Value::Bytes(send.to_vec()))]);
        Opaque.facets().obstacle(&request)
    };
    assert_eq!(obstacle(b"\x16\x03\x01\x02\x00"), Some("encrypted (TLS)"));
    assert_eq!((obstacle(b"\x16"), obstacle(b"\x17\x03"), obstacle(b"")), (None, None, None));
    assert_eq!(Opaque.facets().obstacle(&Map::new()), None);
}

proptest! {
    /// Whatever was recorded is played back, however the bytes arrive at either time.
    #[test]
    fn what_was_observed_is_played(
        greeting in prop::collection::vec(any::<u8>(), 0..4),
        turns in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 1..6), prop::collection::vec(any::<u8>(), 1..6)),
            0..5,
        ),
        (recorded, played) in (1_usize..6, 1_usize..6),
    ) {
        let mut observer = Opaque.observer(SMALL);
        let mut out = Vec::new();
        let mut say = |from, bytes: &[u8]| {
            for bytes in bytes.chunks(recorded) {
                observer.handle(Event::Data { from, bytes, at: Moment(1) }, &mut out).unwrap();
            }
        };
        say(Server, &greeting);
        for (send, receive) in &turns {
            say(Client, send);
            say(Server, receive);
        }
        for from in [Client, Server] {
            let event = Event::Closed { from, how: Ending::Finished, at: Moment(2) };
            observer.handle(event, &mut out).unwrap();
        }
        let mut mocks = out.into_iter().filter_map(|command| match command {
            Command::Emit { exchange, .. } => Some(*exchange),
            _ => None,
        }).peekable();

        let mut responder = Opaque.responder(SMALL);
        let mut heard = Vec::new();
        let mut play = |event: Event<'_>| {
            let mut out = Vec::new();
            responder.handle(event, &mut out).unwrap();
            while let Some(command) = out.pop() {
                let (id, request) = match command {
                    Command::Ask { id, request, .. } => (id, request),
                    Command::Send { bytes, .. } => {
                        heard.extend_from_slice(&bytes);
                        continue;
                    }
                    other => panic!("unexpected {other:?}"),
                };
                let answer = match mocks.next_if(|mock| mock.request == request) {
                    Some(mock) => Answer::Response(mock.response.unwrap()),
                    None => Answer::Incomplete,
                };
                responder.handle(Event::Answer { id, answer, at: Moment(3) }, &mut out).unwrap();
            }
        };
        play(Event::Opened { at: Moment(0) });
        for (send, _) in &turns {
            for bytes in send.chunks(played) {
                play(Event::Data { from: Client, bytes, at: Moment(1) });
            }
        }
        let replies = turns.iter().map(|(_, receive)| receive);
        let said: Vec<u8> = [&greeting].into_iter().chain(replies).flatten().copied().collect();
        prop_assert_eq!(heard, said);
    }
}
