//! PostgreSQL protocol 3.0 (PostgreSQL documentation, "Frontend/Backend Protocol"): TLS that begins
//! in the middle, start-up without an exchange, simple queries.
//!
//! There is no extended query, no COPY and no authentication but trust.

use crate::stage::{Line, Part, Played, play_split, stays};
use bytes::{Buf, Bytes, BytesMut};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use rehearsal_wire::{Answer, Command, Ending, Event, Miss, Peer, Session, WireError};

use Line::{Answers, Ends, Says, Tls};
use Peer::{Client, Server};

const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
const LARGEST: usize = 1 << 20;

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: "postgres", what: what.to_owned() }
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

    /// The next message: its type byte (0 for those before start-up, which have none), its body,
    /// and when its first byte came.
    fn message(&mut self, typed: bool, now: Moment) -> Result<Option<Message>, WireError> {
        let head = usize::from(typed);
        let Some(length) = self.bytes.get(head..head + 4) else { return Ok(None) };
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if !(4..=LARGEST).contains(&length) {
            return Err(malformed("the length of a message"));
        }
        if self.bytes.len() < head + length {
            return Ok(None);
        }
        let mut body = self.bytes.split_to(head + length);
        let kind = if typed { body[0] } else { 0 };
        body.advance(head + 4);
        let at = std::mem::replace(&mut self.since, now);
        Ok(Some(Message { kind, body: body.freeze(), at }))
    }
}

struct Message {
    kind: u8,
    body: Bytes,
    at: Moment,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// SSLRequest or start-up is to come.
    Greeting,
    /// The server's one byte is to come.
    Choice,
    /// TLS is being established with so many sides.
    Shaking(u8),
    /// The server has not said that it is ready.
    Starting,
    Ready,
}

/// Watches both sides. One query at a time.
struct Observer {
    phase: Phase,
    client: Inbox,
    server: Inbox,
    next: u64,
    open: Option<(ExchangeId, Exchange)>,
}

fn observer() -> Box<dyn Session> {
    let (client, server) = (Inbox::default(), Inbox::default());
    Box::new(Observer { phase: Phase::Greeting, client, server, next: 1, open: None })
}

impl Observer {
    fn client(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if matches!(self.phase, Phase::Choice | Phase::Shaking(_)) && !self.client.bytes.is_empty()
        {
            return Err(malformed("bytes between SSLRequest and TLS"));
        }
        loop {
            let typed = self.phase != Phase::Greeting;
            let Some(message) = self.client.message(typed, now)? else { return Ok(()) };
            if message.body == SSL_REQUEST[4..] && !typed {
                self.phase = Phase::Choice;
                out.extend([Command::Hold { from: Server }, Command::Hold { from: Client }]);
            } else if !typed {
                self.phase = Phase::Starting;
            } else if message.kind == b'Q' {
                let id = ExchangeId(self.next);
                self.next += 1;
                out.push(Command::Begin { id, at: message.at });
                let request = Map::from([("sql", text(&message.body))]);
                let exchange = Exchange { request, started: message.at, ..Exchange::default() };
                self.open = Some((id, exchange));
            }
        }
    }

    fn server(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.phase == Phase::Choice {
            let choice = self.server.bytes.split();
            match &choice[..] {
                b"S" => {
                    self.phase = Phase::Shaking(2);
                    out.push(Command::Send { to: Client, bytes: choice.freeze() });
                    out.extend(
                        [Server, Client]
                            .map(|with| Command::StartTls { with, unread: Bytes::new() }),
                    );
                }
                b"N" => {
                    self.phase = Phase::Greeting;
                    out.push(Command::Send { to: Client, bytes: choice.freeze() });
                    out.extend([Server, Client].map(|from| Command::Forward { from }));
                }
                _ => return Err(malformed("more than one byte in answer to SSLRequest")),
            }
            return Ok(());
        }
        while let Some(message) = self.server.message(true, now)? {
            if let Some((_, exchange)) = &mut self.open {
                let response = exchange.response.get_or_insert_default();
                match message.kind {
                    b'C' => _ = response.insert("tag", text(&message.body)),
                    b'D' => push_row(response, &message.body)?,
                    _ => {}
                }
            }
            if message.kind == b'Z' {
                self.phase = Phase::Ready;
                if let Some((id, mut exchange)) = self.open.take() {
                    exchange.finished = now;
                    out.push(Command::Emit { id, exchange: Box::new(exchange) });
                }
            }
        }
        Ok(())
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                self.client(at, out)?;
            }
            Event::Data { from: Server, bytes, at } => {
                self.server.push(bytes, at);
                self.server(at, out)?;
            }
            Event::TlsReady { .. } => {
                self.phase = match self.phase {
                    Phase::Shaking(2) => Phase::Shaking(1),
                    _ => {
                        out.extend([Server, Client].map(|from| Command::Forward { from }));
                        Phase::Greeting
                    }
                };
            }
            Event::Closed { how, at, .. } => {
                if let Some((id, mut exchange)) = self.open.take() {
                    let reset = how == Ending::Reset;
                    exchange.failure = Some(if reset { Failure::Reset } else { Failure::Closed });
                    exchange.finished = at;
                    out.push(Command::Emit { id, exchange: Box::new(exchange) });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Plays the server.
struct Responder {
    phase: Phase,
    client: Inbox,
    next: u64,
    asked: bool,
}

fn responder() -> Box<dyn Session> {
    Box::new(Responder { phase: Phase::Greeting, client: Inbox::default(), next: 1, asked: false })
}

impl Responder {
    /// Reads on until a question is out; queries that came with it wait in the inbox.
    fn read(&mut self, now: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        while !self.asked {
            let typed = self.phase == Phase::Ready;
            let Some(message) = self.client.message(typed, now)? else { return Ok(()) };
            if message.body == SSL_REQUEST[4..] && !typed {
                self.phase = Phase::Shaking(1);
                out.push(Command::Send { to: Client, bytes: Bytes::from_static(b"S") });
                out.push(Command::StartTls { with: Client, unread: Bytes::new() });
            } else if !typed {
                self.phase = Phase::Ready;
                send(out, [frame(b'R', &[0; 4]), frame(b'Z', b"I")]);
            } else if message.kind == b'Q' {
                self.asked = true;
                let id = ExchangeId(self.next);
                let request = Map::from([("sql", text(&message.body))]);
                out.push(Command::Ask { id, request, at: message.at });
            }
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer, out: &mut Vec<Command>) {
        self.asked = false;
        self.next += 1;
        match answer {
            Answer::Response(response) => {
                let rows = response.get("rows").and_then(Value::as_list).unwrap_or_default();
                let mut frames: Vec<_> = rows.iter().map(row_frame).collect();
                let tag = response.text("tag").unwrap_or_default();
                frames.push(frame(b'C', &[tag.as_bytes(), b"\0"].concat()));
                frames.push(frame(b'Z', b"I"));
                send(out, frames);
            }
            Answer::Miss(miss) => {
                let fields = format!("SERROR\0CXX000\0M{}\0\0", miss.message);
                send(out, [frame(b'E', fields.as_bytes()), frame(b'Z', b"I")]);
            }
            Answer::Failure(_) | Answer::Broken(..) | Answer::Incomplete => {
                out.push(Command::Close { to: Client, how: Ending::Reset });
            }
        }
    }
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { from: Client, bytes, at } => {
                self.client.push(bytes, at);
                self.read(at, out)
            }
            Event::TlsReady { .. } => {
                self.phase = Phase::Greeting;
                Ok(())
            }
            Event::Answer { id: ExchangeId(id), answer, at } if self.asked && id == self.next => {
                self.answer(answer, out);
                self.read(at, out)
            }
            _ => Ok(()),
        }
    }
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn send(out: &mut Vec<Command>, frames: impl IntoIterator<Item = Vec<u8>>) {
    let bytes = frames.into_iter().flatten().collect();
    out.push(Command::Send { to: Client, bytes });
}

/// Text up to its zero byte.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(body)).into_owned()
}

/// DataRow of one column, in text.
fn row_frame(value: &Value) -> Vec<u8> {
    let bytes = value.as_bytes().unwrap_or_default();
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    frame(b'D', &[&[0, 1], &length[..], bytes].concat())
}

fn push_row(response: &mut Map, body: &[u8]) -> Result<(), WireError> {
    let value = body.strip_prefix(&[0, 1]).and_then(|rest| rest.get(4..));
    let value =
        Value::from_bytes(value.ok_or_else(|| malformed("a row of other than one column"))?);
    match response.get_mut("rows") {
        Some(Value::List(rows)) => rows.push(value),
        _ => _ = response.insert("rows", vec![value]),
    }
    Ok(())
}

fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0shop\0\0";
    [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], body].concat()
}

fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', &[sql.as_bytes(), b"\0"].concat())
}

fn welcome() -> Vec<u8> {
    [frame(b'R', &[0; 4]), frame(b'S', b"TimeZone\0UTC\0"), frame(b'Z', b"I")].concat()
}

fn seventeen() -> Vec<u8> {
    [row_frame(&Value::from("17")), frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat()
}

fn rows() -> Map {
    let mut response = Map::from([("rows", vec!["17"])]);
    response.insert("tag", "SELECT 1");
    response
}

#[test]
fn tls_begins_in_the_middle_of_an_observed_connection() {
    let lines = [
        Says(Client, SSL_REQUEST.to_vec()),
        Says(Server, b"S".to_vec()),
        Tls(Server),
        Tls(Client),
        Says(Client, startup()),
        Says(Server, welcome()),
        Says(Client, query("SELECT 17")),
        Says(Server, seventeen()),
    ];
    let played = play_split(observer, Part::Observer, &lines, stays);
    let to_server = [SSL_REQUEST, &startup(), &query("SELECT 17")].concat();
    assert_eq!(played.to_server, to_server);
    assert_eq!(played.to_client, [&b"S"[..], &welcome(), &seventeen()].concat(), "each byte once");
    assert_eq!(played.events, ["tls with Server", "tls with Client", "begin 1 at 7", "emit 1"]);
    let expected = Exchange {
        request: Map::from([("sql", "SELECT 17")]),
        response: Some(rows()),
        failure: None,
        connection: 0,
        unit: None,
        started: Moment(7),
        finished: Moment(8),
    };
    assert_eq!(played.exchanges, [(1, expected)]);
}

#[test]
fn a_server_without_tls_is_observed_in_the_clear() {
    let lines = [
        Says(Client, SSL_REQUEST.to_vec()),
        Says(Server, b"N".to_vec()),
        Says(Client, startup()),
        Says(Server, welcome()),
        Says(Client, query("SELECT 17")),
        Ends(Server, Ending::Reset),
    ];
    let played = play_split(observer, Part::Observer, &lines, stays);
    assert_eq!(played.to_client, [&b"N"[..], &welcome()].concat());
    assert_eq!(played.exchanges[0].1.failure, Some(Failure::Reset));
}

#[test]
fn bytes_before_tls_are_not_taken_for_bytes_within() {
    let mut session = observer();
    let mut out = Vec::new();
    let mut say =
        |from, bytes: &[u8]| session.handle(Event::Data { from, bytes, at: Moment(0) }, &mut out);
    say(Client, SSL_REQUEST).unwrap();
    say(Server, b"SE").unwrap_err();
}

fn answered(answer: Answer) -> Played {
    let lines = [
        Says(Client, SSL_REQUEST.to_vec()),
        Tls(Client),
        Says(Client, [startup(), query("SELECT 17"), query("SELECT 18")].concat()),
        Answers(1, answer.clone()),
        Answers(2, answer),
    ];
    play_split(responder, Part::Responder, &lines, stays)
}

#[test]
fn a_played_server_speaks_before_it_is_asked() {
    let played = answered(Answer::Response(rows()));
    let welcome = [frame(b'R', &[0; 4]), frame(b'Z', b"I")].concat();
    let expected = [&b"S"[..], &welcome, &seventeen(), &seventeen()].concat();
    assert_eq!(played.to_client, expected);
    assert_eq!(played.events, ["tls with Client", "ask 1 at 3", "ask 2 at 3"]);
    assert_eq!(played.asked[1].1.text("sql"), Some("SELECT 18"));
}

#[test]
fn a_miss_is_an_error_of_the_protocol_and_the_connection_stays() {
    let miss = Miss { message: "no mock".to_owned(), details: Value::Null };
    let played = answered(Answer::Miss(miss));
    let error = frame(b'E', b"SERROR\0CXX000\0Mno mock\0\0");
    let twice = [&error[..], &frame(b'Z', b"I"), &error, &frame(b'Z', b"I")].concat();
    assert!(played.to_client.ends_with(&twice));
}
