//! What a played server says.

use super::*;
use crate::Miss;
use frames::{CONTINUATION, GOAWAY, PING, WINDOW_UPDATE};
use rehearsal_model::Failure;

pub(super) struct Rig {
    session: Box<dyn Session>,
    pub(super) asked: Vec<(u64, Map)>,
    pub(super) closed: Option<Ending>,
}

impl Rig {
    /// A server whose client has said this.
    pub(super) fn new(frames: &[Vec<u8>]) -> (Rig, Vec<Shown>) {
        let session = Http.responder(SMALL);
        let mut rig = Rig { session, asked: Vec::new(), closed: None };
        rig.give(Event::Opened { at: NOW });
        let said = rig.say(&[vec![opening()], frames.to_vec()].concat());
        (rig, said)
    }

    pub(super) fn say(&mut self, frames: &[Vec<u8>]) -> Vec<Shown> {
        let bytes = frames.concat();
        self.give(Event::Data { from: Peer::Client, bytes: &bytes, at: NOW })
    }

    pub(super) fn answer(&mut self, id: u64, answer: Answer) -> Vec<Shown> {
        self.give(Event::Answer { id: ExchangeId(id), answer, at: NOW })
    }

    fn give(&mut self, event: Event<'_>) -> Vec<Shown> {
        let mut out = Vec::new();
        self.session.handle(event, &mut out).unwrap();
        for command in &out {
            match command {
                Command::Ask { id, request, .. } => self.asked.push((id.0, request.clone())),
                Command::Close { how, .. } => self.closed = Some(*how),
                _ => {}
            }
        }
        frames_of(&sent(&out))
    }
}

fn response(text: &str) -> Answer {
    Answer::Response(map(text))
}

/// The fields of a section, the first of a connection or a later one.
fn fields(section: &[u8]) -> String {
    let fields = hpack::Decoder::default().decode(section, 4096, 1 << 20).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let one = |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}={}", text(name), text(value));
    fields.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn streams_are_answered_as_answers_come() {
    let (mut rig, said) = Rig::new(&[last(1, GET), head(3, POST), end(3, b"7")]);
    let kinds: Vec<_> = said.iter().map(|(kind, flags, ..)| (*kind, *flags)).collect();
    assert_eq!(kinds, [(SETTINGS, 0), (WINDOW_UPDATE, 0), (SETTINGS, ACK)]);
    let asked: Vec<_> = rig.asked.iter().map(|(id, map)| (*id, map.text("http"))).collect();
    assert_eq!(asked, [(1, Some("GET /rates")), (3, Some("POST /charges"))]);
    let said = rig.answer(3, response(r#"{"status":200,"body":"ha","trailers":{"X-A":"b"}}"#));
    assert_eq!(said.len(), 3);
    assert_eq!(
        (said[0].0, said[0].1, fields(&said[0].3).as_str()),
        (HEADERS, END_HEADERS, ":status=200")
    );
    assert_eq!(said[1], (DATA, 0, 3, b"ha".to_vec()));
    assert_eq!((said[2].1, fields(&said[2].3)), (END_HEADERS | END_STREAM, "x-a=b".to_owned()));
    let said = rig.answer(1, response(r#"{"status":204}"#));
    assert_eq!(
        (said[0].1, fields(&said[0].3)),
        (END_HEADERS | END_STREAM, ":status=204".to_owned())
    );
}

#[test]
fn what_belongs_to_http_1_is_left_out() {
    let (mut rig, _) = Rig::new(&[last(1, GET)]);
    let said = rig.answer(
        1,
        response(
            r#"{"status":200,"reason":"Fine","version":"1.0","informational":[{"status":100},{"status":103,"headers":{"Link":"a"}}],
            "headers":{"Content-Length":"auto","Transfer-Encoding":"chunked","Connection":"close","Keep-Alive":"1","Content-Type":"text/plain"},
            "framing":"close","body":"hello"}"#,
        ),
    );
    let shown: Vec<_> = said[..2].iter().map(|frame| fields(&frame.3)).collect();
    assert_eq!(
        shown,
        [":status=103 link=a", ":status=200 content-length=5 content-type=text/plain"]
    );
    assert_eq!(said[2..], [(DATA, END_STREAM, 1, b"hello".to_vec())]);
    assert_eq!(rig.closed, None);
}

#[test]
fn windows_are_kept() {
    let window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 3]);
    let (mut rig, _) = Rig::new(&[window, last(1, GET), last(3, GET)]);
    let data = |said: Vec<Shown>| {
        let data = said.into_iter().filter(|(kind, ..)| *kind == DATA);
        data.map(|(_, flags, stream, content)| (flags, stream, content.len())).collect::<Vec<_>>()
    };
    assert_eq!(data(rig.answer(1, response(r#"{"status":200,"body":"0123456789"}"#))), [(0, 1, 3)]);
    assert_eq!(data(rig.answer(3, response(r#"{"status":200,"body":"01"}"#))), [(1, 3, 2)]);
    let update = |stream: u32, by: u32| frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    assert_eq!(data(rig.say(&[update(1, 2)])), [(0, 1, 2)]);
    let wider = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 4]);
    assert_eq!(data(rig.say(&[wider])), [(0, 1, 1)]);
    assert_eq!(data(rig.say(&[update(1, 100)])), [(1, 1, 4)]);
}

#[test]
fn the_window_of_the_connection_is_kept_and_large_content_is_cut() {
    let wide = frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
    let (mut rig, _) = Rig::new(&[wide, last(1, GET)]);
    let omitted = r#"{"status":200,"omitted":{"length":100000,"sha256":"0"}}"#;
    let said = rig.answer(1, response(omitted));
    let sizes: Vec<_> = said[1..].iter().map(|frame| frame.3.len()).collect();
    assert_eq!(sizes, [16384, 16384, 16384, 16383]);
    let said = rig.say(&[frame(WINDOW_UPDATE, 0, 0, &[0, 1, 0, 0])]);
    let sizes: Vec<_> = said.iter().map(|frame| (frame.1, frame.3.len())).collect();
    assert_eq!(sizes, [(0, 16384), (0, 16384), (1, 100_000 - 65535 - 32768)]);
    let long = format!(r#"{{"status":200,"headers":{{"x":"{}"}}}}"#, "a".repeat(20_000));
    rig.say(&[last(3, GET)]);
    let said = rig.answer(3, response(&long));
    let kinds: Vec<_> = said.iter().map(|frame| (frame.0, frame.1)).collect();
    assert_eq!(kinds, [(HEADERS, END_STREAM), (CONTINUATION, END_HEADERS)]);
}

#[test]
fn room_is_made_for_what_comes() {
    let (mut rig, _) = Rig::new(&[head(1, POST)]);
    let content = part(1, &[b'x'; 16384]);
    let mut updates = Vec::new();
    for _ in 0..600 {
        let said = rig.say(std::slice::from_ref(&content));
        updates.extend(said.into_iter().map(|(kind, _, stream, by)| (kind, stream, by)));
    }
    let half = |stream, by: u32| (WINDOW_UPDATE, stream, by.to_be_bytes().to_vec());
    assert_eq!(updates[0], half(1, 512 << 10));
    assert!(updates.contains(&half(0, 8 << 20)));
    rig.say(&[end(1, b"")]);
    let omitted = rig.asked[0].1.get("omitted").and_then(Value::as_map);
    assert_eq!(omitted.and_then(|omitted| omitted.get("length")?.as_i64()), Some(600 * 16384));
}

#[test]
fn failures_are_played_as_they_were() {
    let requests = [last(1, GET), last(3, GET), last(5, GET), last(7, GET)];
    let (mut rig, _) = Rig::new(&requests);
    let said = rig.answer(1, Answer::Failure(Failure::Reset));
    assert_eq!(said, [(RST_STREAM, 0, 1, vec![0, 0, 0, 2])]);
    let partial = map(r#"{"status":200,"headers":{"content-length":"9"},"body":"ha"}"#);
    let said = rig.answer(3, Answer::Broken(partial.clone(), Failure::Reset));
    assert_eq!(fields(&said[0].3), ":status=200 content-length=9");
    assert_eq!(said[1..], [(DATA, 0, 3, b"ha".to_vec()), (RST_STREAM, 0, 3, vec![0, 0, 0, 2])]);
    assert_eq!(rig.answer(5, Answer::Failure(Failure::TimedOut)), []);
    assert_eq!(rig.closed, None);
    let said = rig.answer(7, Answer::Broken(partial, Failure::Closed));
    assert_eq!(said.last().map(|frame| frame.0), Some(GOAWAY));
    assert_eq!(rig.closed, Some(Ending::Finished));
}

#[test]
fn misses_and_wrong_mocks_are_said() {
    let (mut rig, _) = Rig::new(&[last(1, GET), last(3, GET)]);
    let miss = Miss { message: "no such mock".into(), details: Value::Null };
    let said = rig.answer(1, Answer::Miss(miss));
    assert!(fields(&said[0].3).starts_with(":status=502"));
    assert_eq!(said[1].3, br#"{"error":"no such mock"}"#);
    let said = rig.answer(3, response(r#"{"status":200,"headers":{"a":"b\r\nc: d"}}"#));
    assert!(String::from_utf8_lossy(&said[1].3).contains("the mock is wrong"));
}

/// A recorded tunnel (RFC 9113, section 8.5) is an exchange with what was said in it as its contents, which
/// a client does not say before it is answered.
#[test]
fn a_wish_for_a_tunnel_is_refused_in_words_and_does_not_wait() {
    let connect = &[(":method", "CONNECT"), (":authority", "db:5432")];
    let (mut rig, _) = Rig::new(&[head(1, connect)]);
    assert_eq!(rig.asked, [(1, map(r#"{"http":"CONNECT db:5432","version":"2"}"#))]);
    let miss = Miss { message: "no such mock".into(), details: Value::Null };
    let said = rig.answer(1, Answer::Miss(miss));
    assert!(fields(&said[0].3).starts_with(":status=502"));
    assert_eq!(said.last().map(|frame| (frame.0, frame.1, frame.2)), Some((DATA, END_STREAM, 1)));
    assert_eq!(rig.say(&[part(1, b"hello"), end(1, b"")]), []);
    rig.say(&[last(3, GET)]);
    assert_eq!(rig.asked.len(), 2);
}

#[test]
fn clients_are_encouraged_pinged_and_let_go() {
    let expecting = [POST, &[("expect", "100-continue")]].concat();
    let (mut rig, said) = Rig::new(&[head(1, &expecting)]);
    assert_eq!(said.last().map(|frame| fields(&frame.3)).as_deref(), Some(":status=100"));
    assert_eq!(rig.say(&[frame(PING, 0, 0, &[5; 8])]), [(PING, ACK, 0, vec![5; 8])]);
    rig.say(&[reset(1), last(3, GET)]);
    assert_eq!(rig.answer(1, response(r#"{"status":200}"#)), []);
    rig.give(Event::Closed { from: Peer::Client, how: Ending::Finished, at: NOW });
    assert_eq!(rig.closed, None);
    rig.answer(3, response(r#"{"status":200}"#));
    assert_eq!(rig.closed, Some(Ending::Finished));
}

#[test]
fn too_many_streams_are_refused() {
    let requests: Vec<_> = (0..5).map(|number| last(number * 2 + 1, GET)).collect();
    let (rig, said) = Rig::new(&requests);
    assert_eq!(rig.asked.len(), SMALL.in_flight);
    assert_eq!(said.last(), Some(&(RST_STREAM, 0, 9, vec![0, 0, 0, 7])));
}
