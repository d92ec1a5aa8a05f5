//! HTTP/2 (RFC 9113): streams that interleave on one connection, and a connection that becomes it.
//!
//! Header blocks are literal fields without Huffman coding (RFC 7541 section 6.2.2); there is no
//! dynamic table, padding, priority or flow control.

use crate::stage::{Line, Part, Played, play, play_split, stays};
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use rehearsal_wire::{Answer, Command, Ending, Event, Miss, Peer, Session, WireError};
use std::collections::BTreeMap;

use Line::{Answers, Ends, Says};
use Peer::{Client, Server};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest frame that may be sent without agreement (RFC 9113 section 4.2).
const LARGEST: usize = 1 << 14;
const STREAMS: usize = 100;
/// The most bytes of a message.
const MESSAGE: usize = 1 << 20;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: "h2", what: what.to_owned() }
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    body: Bytes,
    /// When its first byte came.
    at: Moment,
}

/// The bytes of one side that are not used yet, and when the first of them came.
#[derive(Default)]
struct Inbox {
    bytes: BytesMut,
    since: Moment,
}

impl Inbox {
    fn push(&mut self, bytes: &[u8], at: Moment) {
        if self.bytes.is_empty() {
            self.since = at;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn frame(&mut self, now: Moment) -> Result<Option<Frame>, WireError> {
        let Some(&[a, b, c, kind, flags, s, t, u, v]) = self.bytes.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > LARGEST {
            return Err(malformed("the length of a frame"));
        }
        if self.bytes.len() < 9 + length {
            return Ok(None);
        }
        self.bytes.advance(9);
        let body = self.bytes.split_to(length).freeze();
        let at = std::mem::replace(&mut self.since, now);
        let stream = u32::from_be_bytes([s & 0x7f, t, u, v]);
        Ok(Some(Frame { kind, flags, stream, body, at }))
    }

    /// Takes the preface; whether it was there.
    fn preface(&mut self) -> Result<bool, WireError> {
        let shown = self.bytes.len().min(PREFACE.len());
        if self.bytes[..shown] != PREFACE[..shown] {
            return Err(malformed("the preface"));
        }
        let complete = shown == PREFACE.len();
        if complete {
            self.bytes.advance(shown);
        }
        Ok(complete)
    }
}

/// One side's half of a stream.
#[derive(Default)]
struct Message {
    block: Vec<u8>,
    headers: Map,
    body: Vec<u8>,
    /// END_STREAM has come; the message ends with its header block.
    last: bool,
    complete: bool,
}

impl Message {
    fn take(&mut self, frame: &Frame) -> Result<(), WireError> {
        if self.block.len() + self.body.len() + frame.body.len() > MESSAGE {
            return Err(malformed("the length of a message"));
        }
        self.last |= frame.kind != CONTINUATION && frame.flags & END_STREAM != 0;
        let mut whole = true;
        if frame.kind == DATA {
            self.body.extend_from_slice(&frame.body);
        } else {
            self.block.extend_from_slice(&frame.body);
            whole = frame.flags & END_HEADERS != 0;
            if whole {
                let block = std::mem::take(&mut self.block);
                literals(&block, &mut self.headers).ok_or_else(|| malformed("a header block"))?;
            }
        }
        self.complete = self.last && whole;
        Ok(())
    }

    fn into_map(self) -> Map {
        let mut map = self.headers;
        if !self.body.is_empty() {
            map.insert("body", Value::from_bytes(&self.body));
        }
        map
    }
}

/// Fields "literal without indexing, new name", lengths below 127.
fn literals(mut block: &[u8], headers: &mut Map) -> Option<()> {
    let string = |block: &mut &[u8]| {
        let (length, rest) = block.split_first().filter(|(length, _)| **length < 127)?;
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        *block = rest;
        String::from_utf8(string.to_vec()).ok()
    };
    while let Some(rest) = block.strip_prefix(&[0]) {
        block = rest;
        let (name, value) = (string(&mut block)?, string(&mut block)?);
        headers.insert(name, value);
    }
    block.is_empty().then_some(())
}

/// Watches both sides.
struct Observer {
    begun: bool,
    client: Inbox,
    server: Inbox,
    streams: BTreeMap<u32, Stream>,
}

struct Stream {
    started: Moment,
    request: Message,
    response: Message,
}

fn observer() -> Box<dyn Session> {
    Box::new(Observer {
        begun: false,
        client: Inbox::default(),
        server: Inbox::default(),
        streams: BTreeMap::new(),
    })
}

impl Observer {
    fn frame(
        &mut self,
        from: Peer,
        frame: &Frame,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        if frame.kind == RST_STREAM {
            self.emit(frame.stream, Some(Failure::Reset), now, out);
        }
        if !matches!(frame.kind, DATA | HEADERS | CONTINUATION) {
            return Ok(());
        }
        if from == Client && frame.kind == HEADERS && !self.streams.contains_key(&frame.stream) {
            if self.streams.len() >= STREAMS {
                return Err(malformed("more streams than allowed"));
            }
            out.push(Command::Begin { id: id(frame.stream), at: frame.at });
            let (request, response) = (Message::default(), Message::default());
            let stream = Stream { started: frame.at, request, response };
            self.streams.insert(frame.stream, stream);
        }
        let Some(stream) = self.streams.get_mut(&frame.stream) else { return Ok(()) };
        match from {
            Client => stream.request.take(frame)?,
            Server => stream.response.take(frame)?,
        }
        if stream.request.complete && stream.response.complete {
            self.emit(frame.stream, None, now, out);
        }
        Ok(())
    }

    fn emit(
        &mut self,
        number: u32,
        failure: Option<Failure>,
        finished: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(stream) = self.streams.remove(&number) else { return };
        let answered = !stream.response.headers.is_empty();
        let exchange = Exchange {
            request: stream.request.into_map(),
            response: answered.then(|| stream.response.into_map()),
            failure,
            connection: 0,
            unit: None,
            started: stream.started,
            finished,
        };
        out.push(Command::Emit { id: id(number), exchange: Box::new(exchange) });
    }
}

/// A stream's number is its exchange's.
fn id(stream: u32) -> ExchangeId {
    ExchangeId(stream.into())
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from, bytes, at } => {
                match from {
                    Client => self.client.push(bytes, at),
                    Server => self.server.push(bytes, at),
                }
                if from == Client && !self.begun {
                    self.begun = self.client.preface()?;
                    if !self.begun {
                        return Ok(());
                    }
                }
                let inbox = |session: &mut Self| match from {
                    Client => session.client.frame(at),
                    Server => session.server.frame(at),
                };
                while let Some(frame) = inbox(self)? {
                    self.frame(from, &frame, at, out)?;
                }
            }
            Event::Closed { how, at, .. } => {
                let reset = how == Ending::Reset;
                let failure = if reset { Failure::Reset } else { Failure::Closed };
                while let Some((&number, _)) = self.streams.first_key_value() {
                    self.emit(number, Some(failure), at, out);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Plays the server.
struct Responder {
    begun: bool,
    client: Inbox,
    streams: BTreeMap<u32, (Moment, Message)>,
}

fn responder() -> Box<dyn Session> {
    Box::new(Responder { begun: false, client: Inbox::default(), streams: BTreeMap::new() })
}

impl Responder {
    fn frame(&mut self, frame: &Frame, out: &mut Vec<Command>) -> Result<(), WireError> {
        match frame.kind {
            SETTINGS if frame.flags & ACK == 0 => send(out, vec![raw(SETTINGS, ACK, 0, b"")]),
            PING if frame.flags & ACK == 0 => send(out, vec![raw(PING, ACK, 0, &frame.body)]),
            RST_STREAM => _ = self.streams.remove(&frame.stream),
            DATA | HEADERS | CONTINUATION => {
                if self.streams.len() >= STREAMS {
                    return Err(malformed("more streams than allowed"));
                }
                let stream = self.streams.entry(frame.stream);
                let (at, message) = stream.or_insert((frame.at, Message::default()));
                message.take(frame)?;
                if message.complete {
                    let request = std::mem::take(message).into_map();
                    out.push(Command::Ask { id: id(frame.stream), request, at: *at });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, number: u32, answer: Answer, out: &mut Vec<Command>) {
        // A stream that its client has given up is not answered.
        if self.streams.remove(&number).is_none() {
            return;
        }
        let frames = match answer {
            Answer::Response(response) => message(number, &response),
            Answer::Miss(miss) => {
                let response = Map::from([(":status", "502"), ("body", miss.message.as_str())]);
                message(number, &response)
            }
            Answer::Failure(_) | Answer::Broken(..) | Answer::Incomplete => {
                vec![raw(RST_STREAM, 0, number, &[0, 0, 0, 2])]
            }
        };
        send(out, frames);
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Opened { .. } => send(out, vec![raw(SETTINGS, 0, 0, b"")]),
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                if !self.begun {
                    self.begun = self.client.preface()?;
                }
                while self.begun
                    && let Some(frame) = self.client.frame(at)?
                {
                    self.frame(&frame, out)?;
                }
            }
            Event::Answer { id: ExchangeId(id), answer, .. } => {
                let number = u32::try_from(id).map_err(|_| malformed("a number"))?;
                self.answer(number, answer, out);
            }
            _ => {}
        }
        Ok(())
    }
}

fn send(out: &mut Vec<Command>, frames: Vec<Vec<u8>>) {
    out.push(Command::Send { to: Client, bytes: frames.concat().into() });
}

fn raw(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
}

fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let string = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let field = |(name, value): &(&str, &str)| [vec![0], string(name), string(value)].concat();
    headers.iter().flat_map(field).collect()
}

/// A whole message: headers, then the key `body` as one frame.
fn message(stream: u32, map: &Map) -> Vec<Vec<u8>> {
    let fields = map.iter().filter(|(name, _)| *name != "body");
    let fields: Vec<_> =
        fields.filter_map(|(name, value)| Some((name, value.as_text()?))).collect();
    let body = map.get("body").and_then(Value::as_bytes);
    let end = if body.is_none() { END_STREAM } else { 0 };
    let headers = raw(HEADERS, END_HEADERS | end, stream, &block(&fields));
    [Some(headers), body.map(|body| raw(DATA, END_STREAM, stream, body))]
        .into_iter()
        .flatten()
        .collect()
}

/// Becomes HTTP/2 after an upgrade (`101`, as RFC 7540 section 3.2 had it): what came behind the
/// server's head is the next protocol's, and so is what the client sent meanwhile.
#[derive(Default)]
struct Upgrade {
    client: BytesMut,
    server: BytesMut,
    asked: bool,
}

fn upgrade() -> Box<dyn Session> {
    Box::new(Upgrade::default())
}

fn head(bytes: &mut BytesMut) -> Option<BytesMut> {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(bytes.split_to(end + 4))
}

impl Session for Upgrade {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from: Client, bytes, .. } => {
                self.client.extend_from_slice(bytes);
                self.asked = self.asked || head(&mut self.client).is_some();
            }
            Event::Data { from: Server, bytes, .. } => {
                self.server.extend_from_slice(bytes);
                if head(&mut self.server).is_some_and(|head| head.starts_with(b"HTTP/1.1 101 ")) {
                    let client = self.client.split().freeze();
                    let server = self.server.split().freeze();
                    out.push(Command::Become { protocol: "h2", client, server });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn get(path: &str) -> Map {
    Map::from([(":method", "GET"), (":path", path)])
}

fn ok(body: &str) -> Map {
    Map::from([(":status", "200"), ("body", body)])
}

/// The frame of a message at a place.
fn part(stream: u32, map: &Map, place: usize) -> Vec<u8> {
    message(stream, map).swap_remove(place)
}

fn opening() -> Vec<u8> {
    [PREFACE, &raw(SETTINGS, 0, 0, b"")].concat()
}

fn post() -> Map {
    Map::from([(":method", "POST"), (":path", "/charges"), ("body", "amount=7")])
}

/// Two requests whose frames interleave, answered in the other order.
fn interleaved() -> Vec<Line> {
    vec![
        Says(Client, opening()),
        Says(Client, part(1, &post(), 0)),
        Says(Client, part(3, &get("/rates"), 0)),
        Says(Server, part(3, &ok("1.1"), 0)),
        Says(Client, part(1, &post(), 1)),
        Says(Server, [part(1, &ok("paid"), 0), part(3, &ok("1.1"), 1)].concat()),
        Says(Server, part(1, &ok("paid"), 1)),
    ]
}

fn check_interleaved(played: &Played, offset: u64) {
    let expected = |number, request, response, started, finished| {
        let (started, finished) = (Moment(started + offset), Moment(finished + offset));
        let response = Some(response);
        (
            number,
            Exchange {
                request,
                response,
                failure: None,
                connection: 0,
                unit: None,
                started,
                finished,
            },
        )
    };
    let expected =
        [expected(3, get("/rates"), ok("1.1"), 3, 6), expected(1, post(), ok("paid"), 2, 7)];
    assert_eq!(played.exchanges, expected);
}

#[test]
fn interleaved_streams_are_exchanges_of_their_own() {
    let played = play_split(observer, Part::Observer, &interleaved(), stays);
    assert_eq!(played.events, ["begin 1 at 2", "begin 3 at 3", "emit 3", "emit 1"]);
    check_interleaved(&played, 0);
}

#[test]
fn a_connection_becomes_http2_with_the_bytes_that_came_early() {
    let ask = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    let accept = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n";
    let mut lines = vec![
        Says(Client, [&ask[..], PREFACE].concat()),
        Says(Server, [&accept[..], &raw(SETTINGS, 0, 0, b"")].concat()),
        Says(Client, raw(SETTINGS, 0, 0, b"")),
    ];
    lines.extend(interleaved().into_iter().skip(1));
    let switch = |protocol: &str| {
        assert_eq!(protocol, "h2");
        observer()
    };
    let played = play_split(upgrade, Part::Observer, &lines, switch);
    assert_eq!(played.events[0], "become h2");
    check_interleaved(&played, 2);
}

#[test]
fn a_stream_that_is_reset_fails_alone() {
    let mut lines = interleaved();
    lines.insert(4, Says(Server, raw(RST_STREAM, 0, 1, &[0, 0, 0, 8])));
    let played = play_split(observer, Part::Observer, &lines, stays);
    let failures: Vec<_> =
        played.exchanges.iter().map(|(id, exchange)| (*id, exchange.failure)).collect();
    assert_eq!(failures, [(1, Some(Failure::Reset)), (3, None)]);
}

#[test]
fn all_open_streams_end_with_the_connection() {
    let mut lines = interleaved();
    lines.truncate(4);
    lines.push(Ends(Server, Ending::Finished));
    let played = play_split(observer, Part::Observer, &lines, stays);
    assert_eq!(played.events[2..], ["emit 1", "emit 3"]);
    assert!(played.exchanges.iter().all(|(_, seen)| seen.failure == Some(Failure::Closed)));
}

#[test]
fn a_played_server_answers_streams_in_any_order() {
    let miss = Miss { message: "no mock".to_owned(), details: Value::Null };
    let lines = [
        Says(Client, opening()),
        Says(Client, part(1, &post(), 0)),
        Says(Client, part(3, &get("/rates"), 0)),
        Says(Client, [part(1, &post(), 1), part(5, &get("/none"), 0)].concat()),
        Says(Client, part(7, &get("/given-up"), 0)),
        Says(Client, raw(RST_STREAM, 0, 7, &[0, 0, 0, 8])),
        Answers(5, Answer::Miss(miss)),
        Answers(1, Answer::Response(ok("paid"))),
        Answers(7, Answer::Response(ok("late"))),
        Answers(3, Answer::Failure(Failure::Reset)),
    ];
    let played = play_split(responder, Part::Responder, &lines, stays);
    assert_eq!(played.events, ["ask 3 at 3", "ask 1 at 2", "ask 5 at 4", "ask 7 at 5"]);
    assert_eq!(played.asked[1].1, post());
    let missed = Map::from([(":status", "502"), ("body", "no mock")]);
    let expected = [
        raw(SETTINGS, 0, 0, b""),
        raw(SETTINGS, ACK, 0, b""),
        message(5, &missed).concat(),
        message(1, &ok("paid")).concat(),
        raw(RST_STREAM, 0, 3, &[0, 0, 0, 2]),
    ];
    assert_eq!(played.to_client, expected.concat());
}

#[test]
fn a_header_block_may_come_in_two_frames() {
    let whole = block(&[(":method", "GET"), (":path", "/long")]);
    let (first, second) = whole.split_at(11);
    let lines = [
        Says(Client, opening()),
        Says(Client, raw(HEADERS, END_STREAM, 1, first)),
        Says(Client, raw(CONTINUATION, END_HEADERS, 1, second)),
    ];
    let played = play_split(responder, Part::Responder, &lines, stays);
    assert_eq!(played.asked, [(1, get("/long"))]);
}

#[test]
fn an_exchange_begins_with_the_first_byte_of_its_first_frame() {
    let frame = part(1, &get("/late"), 0);
    let (first, second) = frame.split_at(5);
    let lines = [
        Says(Client, opening()),
        Says(Client, first.to_vec()),
        Says(Client, [second, &part(3, &get("/next"), 0)].concat()),
    ];
    for (session, part, word) in
        [(observer(), Part::Observer, "begin"), (responder(), Part::Responder, "ask")]
    {
        let played = play(session, part, &lines, usize::MAX, stays);
        assert_eq!(played.events, [format!("{word} 1 at 2"), format!("{word} 3 at 3")]);
    }
}
