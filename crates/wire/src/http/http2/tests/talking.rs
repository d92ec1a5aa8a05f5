//! Calls of gRPC whose two sides talk in turns.

use super::*;
use Peer::{Client, Server};
use rehearsal_model::Failure;

const CALL: &[(&str, &str)] = &[
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "shop"),
    (":path", "/shop.Pay/Talk"),
    ("content-type", "application/grpc"),
];
const HEAD: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/grpc")];
const ENDED: &[(&str, &str)] = &[("grpc-status", "0")];

/// A message whose field 1 is that number.
fn said(number: u8) -> Vec<u8> {
    vec![0, 0, 0, 0, 2, 8, number]
}

fn request(rest: &str) -> String {
    format!(
        r#"{{"http":"POST /shop.Pay/Talk","version":"2","headers":{{"host":"shop","content-type":"application/grpc"}},{rest}}}"#
    )
}

const ANSWER: &str = r#"{"status":200,"headers":{"content-type":"application/grpc"},"messages":[{"1":5},{"1":6}],"grpc":{"status":"OK"}}"#;

/// An answer without trailers.
const REFUSAL: &str = r#"{"status":200,"headers":{"content-type":"application/grpc","grpc-status":"auto"},"grpc":{"status":"UNIMPLEMENTED"}}"#;

#[test]
fn a_call_says_how_many_answers_came_before_each_message() {
    let lines = [
        client(&[opening(), head(1, CALL), part(1, &said(1))]),
        server(&[head(1, HEAD), part(1, &said(5))]),
        client(&[part(1, &said(2))]),
        server(&[part(1, &said(6))]),
        client(&[end(1, b"")]),
        server(&[last(1, ENDED)]),
    ];
    let expected = request(r#""after":[0,1],"messages":[{"1":1},{"1":2}]"#);
    check(&lines, &[], &[&format!("1 {expected} -> {ANSWER}")]);
}

#[test]
fn a_call_that_is_given_up_has_what_came_before_as_its_answer() {
    let begin = client(&[opening(), head(1, CALL), part(1, &said(1))]);
    let give_up = client(&[reset(1)]);
    let answered = [begin.clone(), server(&[head(1, HEAD), part(1, &said(5))]), give_up.clone()];
    let expected = request(r#""open":true,"cancelled":1,"messages":[{"1":1}]"#);
    let answer =
        r#"{"status":200,"headers":{"content-type":"application/grpc"},"messages":[{"1":5}]}"#;
    check(&answered, &[], &[&format!("1 {expected} -> {answer}")]);
    let head_alone = [begin.clone(), server(&[head(1, HEAD)]), give_up.clone()];
    let expected = request(r#""open":true,"cancelled":"headers","messages":[{"1":1}]"#);
    let answer = r#"{"status":200,"headers":{"content-type":"application/grpc"}}"#;
    check(&head_alone, &[], &[&format!("1 {expected} -> {answer}")]);
    let expected = request(r#""open":true,"cancelled":0,"messages":[{"1":1}]"#);
    check(&[begin, give_up], &[], &[&format!("1 {expected} timed out nothing")]);
}

#[test]
fn a_call_that_is_refused_unheard_is_open() {
    const REFUSED: &[(&str, &str)] =
        &[(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12")];
    let begin = client(&[opening(), head(1, CALL)]);
    let open = request(r#""open":true"#);
    let refused = server(&[last(1, REFUSED), reset(1)]);
    check(&[begin.clone(), refused], &[], &[&format!("1 {open} -> {REFUSAL}")]);
    let broken = server(&[reset(1)]);
    check(
        &[begin.clone(), broken.clone()],
        &[],
        &[&format!("1 {open} reset (INTERNAL_ERROR) nothing")],
    );
    let gone = [(Server, Ending::Finished)];
    check(std::slice::from_ref(&begin), &gone, &[&format!("1 {open} closed nothing")]);
    let away = server(&[frame(frames::GOAWAY, 0, 0, &[0; 8])]);
    check(&[begin.clone(), away], &[], &[&format!("1 {open} unheard (NO_ERROR) nothing")]);
    // What has come to its end was heard, and a client that goes leaves nothing to hear.
    let whole = request(r#""messages":[{"1":1}]"#);
    let heard = [begin.clone(), client(&[end(1, &said(1))]), broken];
    check(&heard, &[], &[&format!("1 {whole} reset (INTERNAL_ERROR) nothing")]);
    let plain = request("").replace(",}", "}");
    check(&[begin], &[(Client, Ending::Reset)], &[&format!("1 {plain} reset nothing")]);
}

/// What is sent after an event, and what is asked.
fn give(session: &mut dyn Session, event: Event<'_>) -> (Vec<Shown>, Vec<(ExchangeId, Map)>) {
    let mut out = Vec::new();
    session.handle(event, &mut out).unwrap();
    let frames = frames_of(&sent(&out));
    let asked = out.into_iter().filter_map(|command| match command {
        Command::Ask { id, request, .. } => Some((id, request)),
        _ => None,
    });
    (frames, asked.collect())
}

/// The kinds of frames, and the numbers in the messages among them.
fn shown(frames: &[Shown]) -> Vec<(u8, Option<u8>)> {
    frames
        .iter()
        .map(|(kind, _, _, payload)| (*kind, payload.get(6).copied().filter(|_| *kind == DATA)))
        .collect()
}

#[test]
fn a_mock_answers_before_the_call_has_ended() {
    let mut session = Http.responder(Limits::default());
    let mut answer = map(ANSWER);
    answer.insert("asked", map(&request(r#""messages":[{"1":1},{"1":2}],"after":[0,1]"#)));
    let mut say = |frames: &[Vec<u8>]| {
        let bytes = frames.concat();
        let (mut seen, asked) =
            give(&mut *session, Event::Data { from: Client, bytes: &bytes, at: NOW });
        for (id, request) in asked {
            let is_so_far = Http.facets().is_so_far(&request);
            let answer = if is_so_far { answer.clone() } else { map(ANSWER) };
            let answer = Answer::Response(answer);
            let (more, _) = give(&mut *session, Event::Answer { id, answer, at: NOW });
            seen.extend(more);
        }
        shown(&seen)
    };
    assert_eq!(say(&[opening(), head(1, CALL)]).last(), Some(&(HEADERS, None)));
    assert_eq!(say(&[part(1, &said(1))]), [(DATA, Some(5))]);
    assert_eq!(say(&[part(1, &said(2)[..3])]), []);
    assert_eq!(say(&[part(1, &said(2)[3..])]), [(DATA, Some(6))]);
    assert_eq!(say(&[end(1, b"")]), [(HEADERS, None)]);
}

#[test]
fn a_call_that_no_mock_may_become_waits_for_its_end() {
    let mut session = Http.responder(Limits::default());
    let bytes = [opening(), head(1, CALL), part(1, &said(1))].concat();
    let (_, mut asked) = give(&mut *session, Event::Data { from: Client, bytes: &bytes, at: NOW });
    for _ in 0..2 {
        let [(id, request)] = &asked[..] else { panic!("asked one by one: {asked:?}") };
        assert!(Http.facets().is_so_far(request));
        let event = Event::Answer { id: *id, answer: Answer::Incomplete, at: NOW };
        let (frames, more) = give(&mut *session, event);
        assert_eq!(frames, []);
        asked = more;
    }
    assert_eq!(asked, []);
    let (_, asked) =
        give(&mut *session, Event::Data { from: Client, bytes: &end(1, b""), at: NOW });
    let [(id, request)] = &asked[..] else { panic!("asked once: {asked:?}") };
    assert!(!Http.facets().is_so_far(request));
    let miss = crate::Miss { message: "no mock".to_owned(), details: Value::Null };
    let (frames, _) =
        give(&mut *session, Event::Answer { id: *id, answer: Answer::Miss(miss), at: NOW });
    let fields = hpack::Decoder::default().decode(&frames[0].3, 4096, 4096).unwrap();
    assert!(fields.contains(&(b"grpc-status".to_vec(), b"13".to_vec())));
    assert!(fields.contains(&(b"grpc-message".to_vec(), b"no mock".to_vec())));
}

/// What a mock of a call that was over unheard says to a client that says this at once: it was heard as
/// far as `heard`, and then came `answer`.
fn unheard(heard: &str, answer: &Answer, frames: &[Vec<u8>]) -> (Vec<Shown>, Map) {
    let mut session = Http.responder(Limits::default());
    let bytes = [vec![opening()], frames.to_vec()].concat().concat();
    let (mut seen, mut asked) =
        give(&mut *session, Event::Data { from: Client, bytes: &bytes, at: NOW });
    let mut whole = None;
    while let Some((id, request)) = asked.pop() {
        let mut said = match answer {
            Answer::Response(response) => response.clone(),
            _ => Map::new(),
        };
        said.insert("asked", map(heard));
        let is_so_far = Http.facets().is_so_far(&request);
        let answer = if is_so_far { Answer::Response(said) } else { answer.clone() };
        if !is_so_far {
            assert_eq!(whole, None, "asked twice");
            whole = Some(request);
        }
        let (frames, more) = give(&mut *session, Event::Answer { id, answer, at: NOW });
        seen.extend(frames);
        asked.extend(more);
    }
    (seen.split_off(3), whole.expect("it is asked what to say"))
}

#[test]
fn a_mock_hears_no_more_of_a_call_than_was_heard_before_it_was_refused() {
    let refused = Answer::Response(map(REFUSAL));
    let begin = [head(1, CALL)];
    let more = [head(1, CALL), part(1, &said(1)), part(1, &said(2)[..3])];
    let whole = [head(1, CALL), part(1, &said(1)), end(1, &said(2))];
    let nothing = map(&request("").replace(",}", "}"));
    let one = map(&request(r#""messages":[{"1":1}]"#));
    for frames in [&begin[..], &more, &whole] {
        let (seen, asked) = unheard(&request(r#""open":true"#), &refused, frames);
        assert_eq!(asked, nothing);
        let [(HEADERS, flags, 1, _)] = &seen[..] else { panic!("not one refusal: {seen:?}") };
        assert_eq!(flags & END_STREAM, END_STREAM);
        let reset = Answer::Failure(Failure::Reset);
        let (seen, asked) = unheard(&request(r#""open":true"#), &reset, frames);
        assert_eq!((shown(&seen), asked), (vec![(RST_STREAM, None)], nothing.clone()));
    }
    for frames in [&more[..], &whole] {
        let heard = request(r#""open":true,"messages":[{"1":1}]"#);
        let (_, asked) = unheard(&heard, &refused, frames);
        assert_eq!(asked, one);
    }
}

#[test]
fn a_call_that_is_not_the_one_that_was_refused_is_heard_to_its_end() {
    let mut session = Http.responder(Limits::default());
    let bytes = [opening(), head(1, CALL), part(1, &said(2)), end(1, &said(2))].concat();
    let (_, mut asked) = give(&mut *session, Event::Data { from: Client, bytes: &bytes, at: NOW });
    let mut seen = Vec::new();
    while let Some((id, question)) = asked.pop() {
        let messages = question.get("messages").cloned();
        seen.push(json::to_string(&messages.clone().unwrap_or_default()));
        // With nothing said it may be a call that was refused after its first message, which was another.
        let recorded = match messages {
            None => r#""open":true,"messages":[{"1":1}]"#,
            Some(_) => r#""messages":[{"1":2},{"1":2}]"#,
        };
        let mut answer = map(ANSWER);
        if Http.facets().is_so_far(&question) {
            answer.insert("asked", map(&request(recorded)));
        }
        let answer = Answer::Response(answer);
        asked.extend(give(&mut *session, Event::Answer { id, answer, at: NOW }).1);
    }
    assert_eq!(seen, ["null", r#"[{"1":2}]"#, r#"[{"1":2},{"1":2}]"#]);
}

#[test]
fn a_played_client_waits_for_the_answers_it_had() {
    let mut session = Http.requester(Limits::default());
    let asked = map(&request(r#""messages":[{"1":1},{"1":2}],"after":[0,1]"#));
    let event = Event::Request { id: ExchangeId(4), request: &asked, recorded: None, at: NOW };
    let (frames, _) = give(&mut *session, event);
    let begun = shown(&frames);
    assert_eq!(begun[begun.len() - 2..], [(HEADERS, None), (DATA, Some(1))]);
    let mut hear = |frames: &[Vec<u8>]| {
        let bytes = frames.concat();
        let mut out = Vec::new();
        session.handle(Event::Data { from: Server, bytes: &bytes, at: NOW }, &mut out).unwrap();
        out
    };
    assert_eq!(sent(&hear(&[head(1, HEAD)])), b"");
    let more = frames_of(&sent(&hear(&[part(1, &said(5))])));
    assert_eq!(shown(&more), [(DATA, Some(2))]);
    assert_eq!(more[0].1, END_STREAM);
    let out = hear(&[part(1, &said(6)), last(1, ENDED)]);
    let Some(Command::Emit { exchange, .. }) = out.last() else { panic!("no answer: {out:?}") };
    assert_eq!(exchange.response, Some(map(ANSWER)));
}

#[test]
fn a_played_client_gives_up_when_it_did() {
    let check = |cancelled: &str, frames: &[Vec<u8>], failure: Option<Failure>| {
        let mut session = Http.requester(Limits::default());
        let rest = format!(r#""messages":[{{"1":1}}],"open":true,"cancelled":{cancelled}"#);
        let asked = map(&request(&rest));
        let mut out = Vec::new();
        let event = Event::Request { id: ExchangeId(4), request: &asked, recorded: None, at: NOW };
        session.handle(event, &mut out).unwrap();
        for frame in frames {
            assert!(!out.iter().any(|it| matches!(it, Command::Emit { .. })), "{cancelled}");
            session.handle(Event::Data { from: Server, bytes: frame, at: NOW }, &mut out).unwrap();
        }
        let Some(Command::Emit { exchange, .. }) =
            out.iter().find(|it| matches!(it, Command::Emit { .. }))
        else {
            panic!("{cancelled}: not given up");
        };
        assert_eq!(exchange.failure, failure, "{cancelled}");
    };
    check("0", &[], Some(Failure::Closed));
    check(r#""headers""#, &[head(1, HEAD)], None);
    check("1", &[head(1, HEAD), part(1, &said(5))], None);
}
