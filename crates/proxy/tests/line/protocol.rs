//! A protocol for tests: one line asks, one line answers, and a few words make a session do what
//! drivers have to honour. Lines begin with a small letter; everything else is malformed.

use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, Value};
use rehearsal_wire::{
    Answer, Command, Ending, Event, Facets, Limits, Peer, Protocol, Session, Verdict, WireError,
};
use std::collections::VecDeque;
use std::time::Duration;

/// The protocol by its name; several names give several protocols.
pub(crate) struct Line(pub(crate) &'static str);

/// Takes each direction as it is.
pub(crate) static LINE: &dyn Protocol = &Line("line");
/// What `become` turns to.
pub(crate) static SHOUT: &dyn Protocol = &Line("shout");
/// Holds what the client sends and forwards it in capitals.
pub(crate) static HELD: &dyn Protocol = &Line("held");
/// Turns to TLS with the client as soon as it speaks, then with the server.
pub(crate) static SECRET: &dyn Protocol = &Line("secret");

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[Field::required("line", Shape::Text, "what was asked")],
    answer: "response",
    response: &[Field::required("line", Shape::Text, "what was answered")],
    keeps_connection: false,
};

impl Protocol for Line {
    fn name(&self) -> &'static str {
        self.0
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    /// Two letters tell; only `line` is ever detected, and `secret` by a byte that is no letter.
    fn detect(&self, client: &[u8], _server: &[u8]) -> Verdict {
        match (self.0, client) {
            ("line", [first, _, ..]) if first.is_ascii_lowercase() => Verdict::Yes,
            ("secret", [0x80..=0xff, ..]) => Verdict::Yes,
            ("line", [first]) if first.is_ascii_lowercase() => Verdict::NeedMore,
            (_, []) => Verdict::NeedMore,
            _ => Verdict::No,
        }
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(Observer { name: self.0, limits, ..Observer::default() })
    }

    fn responder(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(Responder::default())
    }

    fn requester(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(Requester::default())
    }

    fn facets(&self) -> &'static dyn Facets {
        &LineFacets
    }
}

struct LineFacets;

impl Facets for LineFacets {
    fn operation(&self, request: &Map) -> String {
        request.text("line").unwrap_or_default().to_owned()
    }
    fn identity(&self, request: &Map) -> Value {
        self.operation(request).into()
    }
    fn request(&self, request: &Map) -> Value {
        Value::Map(request.clone())
    }
    fn response(&self, _request: &Map, response: &Map) -> Value {
        Value::Map(response.clone())
    }
    fn repeatable(&self, _request: &Map) -> bool {
        false
    }
    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}

/// A line as a message.
pub(crate) fn message(line: &str) -> Map {
    Map::from([("line", line)])
}

/// Bytes as whole lines, as far as they go.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, WireError> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.0.extend_from_slice(part);
            if !self.0.first().is_some_and(u8::is_ascii_lowercase) {
                let what = "a line that begins with no small letter".to_owned();
                return Err(WireError::Malformed { protocol: "line", what });
            }
            if self.0.pop_if(|last| *last == b'\n').is_some() {
                let line = std::mem::take(&mut self.0);
                lines.push(String::from_utf8_lossy(&line).into_owned());
            }
        }
        Ok(lines)
    }
}

#[derive(Default)]
struct Observer {
    name: &'static str,
    limits: Limits,
    client: Lines,
    server: Lines,
    /// What was asked and not answered; the last may not be complete.
    open: VecDeque<(ExchangeId, Moment, String)>,
    begun: bool,
    next: u64,
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Opened { .. } if self.name == "held" => {
                out.push(Command::Hold { from: Peer::Client });
            }
            Event::Opened { .. } if self.name == "secret" => {
                out.push(Command::Hold { from: Peer::Client });
                out.push(Command::Hold { from: Peer::Server });
            }
            Event::Data { .. } if self.name == "secret" => {
                out.push(Command::StartTls { with: Peer::Client, unread: bytes::Bytes::new() });
                out.push(Command::StartTls { with: Peer::Server, unread: bytes::Bytes::new() });
            }
            Event::TlsReady { with: Peer::Server } => out.push(Command::Become {
                protocol: "line",
                client: bytes::Bytes::new(),
                server: bytes::Bytes::new(),
            }),
            Event::Data { from: Peer::Client, bytes, at } => self.asked(bytes, at, out)?,
            Event::Data { from: Peer::Server, bytes, at } => self.answered(bytes, at, out)?,
            Event::Closed { how, at, .. } => {
                let failure = match how {
                    Ending::Finished => return Ok(()),
                    Ending::Reset => Failure::Reset,
                };
                for (id, started, line) in self.open.drain(..) {
                    let request = message(&line);
                    let failure = Some(failure);
                    out.push(emit(
                        id,
                        Exchange { request, failure, started, finished: at, ..Exchange::default() },
                    ));
                }
            }
            Event::Tick { .. } => {
                out.push(Command::Send { to: Peer::Client, bytes: "tick\n".into() });
            }
            _ => {}
        }
        Ok(())
    }
}

impl Observer {
    fn asked(&mut self, bytes: &[u8], at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.name == "held" {
            let bytes = bytes.to_ascii_uppercase().into();
            out.push(Command::Send { to: Peer::Server, bytes });
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.begun {
                if self.open.len() >= self.limits.in_flight {
                    let limit = self.limits.in_flight;
                    let what = "open exchanges";
                    return Err(WireError::TooLarge { protocol: "line", what, limit });
                }
                let id = ExchangeId(self.next);
                self.next += 1;
                self.begun = true;
                self.open.push_back((id, at, String::new()));
                out.push(Command::Begin { id, at });
            }
            for line in self.client.push(part)? {
                self.begun = false;
                match line.as_str() {
                    "wait" => out.push(Command::Wake { after: Duration::from_millis(1) }),
                    "panic" => panic!("a defect, as the test asked for"),
                    _ => {}
                }
                if let Some(last) = self.open.back_mut() {
                    last.2 = line;
                }
            }
        }
        Ok(())
    }

    fn answered(
        &mut self,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let bytes = bytes.to_ascii_lowercase();
        for line in self.server.push(&bytes)? {
            let Some((id, started, asked)) = self.open.pop_front() else { continue };
            let exchange = Exchange {
                request: message(&asked),
                response: Some(message(&line)),
                started,
                finished: at,
                ..Exchange::default()
            };
            out.push(emit(id, exchange));
            match asked.as_str() {
                "become" => out.push(Command::Become {
                    protocol: "shout",
                    client: bytes::Bytes::new(),
                    server: bytes::Bytes::new(),
                }),
                "reach" | "reach nobody" => out.push(Command::Reach {
                    party: if asked == "reach" { "shop:1" } else { "nobody:1" }.to_owned(),
                    client: bytes::Bytes::new(),
                    server: bytes::Bytes::new(),
                }),
                "upgrade" => {
                    out.push(Command::StartTls { with: Peer::Server, unread: bytes::Bytes::new() });
                    out.push(Command::StartTls { with: Peer::Client, unread: bytes::Bytes::new() });
                }
                "hang up" => {
                    out.push(Command::Close { to: Peer::Client, how: Ending::Reset });
                    out.push(Command::Close { to: Peer::Server, how: Ending::Reset });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn emit(id: ExchangeId, exchange: Exchange) -> Command {
    Command::Emit { id, exchange: Box::new(exchange) }
}

#[derive(Default)]
struct Responder {
    client: Lines,
    /// Answers in the order of their questions.
    due: VecDeque<(ExchangeId, Option<String>)>,
    next: u64,
}

impl Session for Responder {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Data { bytes, at, .. } => {
                for line in self.client.push(bytes)? {
                    if line == "wait" {
                        out.push(Command::Wake { after: Duration::from_millis(1) });
                        continue;
                    }
                    let id = ExchangeId(self.next);
                    self.next += 1;
                    self.due.push_back((id, None));
                    out.push(Command::Ask { id, request: message(&line), at });
                }
            }
            Event::Tick { .. } => {
                out.push(Command::Send { to: Peer::Client, bytes: "tick\n".into() });
            }
            Event::Answer { id, answer, .. } => {
                let line = match answer {
                    Answer::Response(response) => response.text("line").unwrap_or("?").to_owned(),
                    Answer::Miss(miss) => format!("miss {}", miss.message),
                    Answer::Incomplete => return Ok(()),
                    Answer::Failure(failure) | Answer::Broken(_, failure) => {
                        let how = match failure {
                            Failure::Closed => Ending::Finished,
                            _ => Ending::Reset,
                        };
                        out.push(Command::Close { to: Peer::Client, how });
                        return Ok(());
                    }
                };
                if let Some(place) = self.due.iter_mut().find(|(due, _)| *due == id) {
                    place.1 = Some(line);
                }
                while let Some((_, Some(line))) = self.due.pop_front_if(|due| due.1.is_some()) {
                    let bytes = format!("{line}\n").into();
                    out.push(Command::Send { to: Peer::Client, bytes });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Requester {
    server: Lines,
    asked: Option<(ExchangeId, Map, Moment)>,
}

impl Session for Requester {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        match event {
            Event::Request { id, request, at, .. } => {
                let Some(line) = request.text("line") else {
                    let what = "a request without a line".to_owned();
                    return Err(WireError::Unwritable { protocol: "line", what });
                };
                self.asked = Some((id, request.clone(), at));
                let bytes = format!("{line}\n").into();
                out.push(Command::Send { to: Peer::Server, bytes });
            }
            Event::Data { bytes, at, .. } => {
                for line in self.server.push(bytes)? {
                    let Some((id, request, started)) = self.asked.take() else { continue };
                    let response = Some(message(&line));
                    out.push(emit(
                        id,
                        Exchange {
                            request,
                            response,
                            started,
                            finished: at,
                            ..Exchange::default()
                        },
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
