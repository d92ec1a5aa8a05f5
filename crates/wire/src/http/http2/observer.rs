//! Watches both peers of a connection and emits the exchange of each stream: for recording.
//!
//! Streams are taken as their peers take them: what comes on one that is over is passed over, and what
//! a server pushes unasked is nobody's exchange.

use super::converse;
use super::half::Half;
use super::reader::{Reader, Said};
use super::turns::Turns;
use super::{malformed, table::Raw};
use crate::http::backlog::Backlog;
use crate::http::head::{Head, Method};
use crate::http::upgrade;
use crate::websocket::Watch;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment, ResetCode};
use std::collections::BTreeMap;

/// The state of an observed connection.
pub(in crate::http) struct Observer {
    limits: Limits,
    client: Reader,
    server: Reader,
    streams: BTreeMap<u32, Stream>,
    /// The last stream that the client began.
    highest: u32,
    /// What is added to a stream's number to have that of its exchange.
    offset: u64,
    backlog: Backlog,
    /// Why the server ends the connection, when it has said so.
    gone: Option<ResetCode>,
    over: bool,
}

struct Stream {
    started: Moment,
    request: Half,
    /// The request where it came before the connection was HTTP/2.
    asked: Option<(Map, Method)>,
    response: Half,
    /// Of a call of gRPC.
    turns: Option<Turns>,
    /// What the backlog has of it.
    size: usize,
    /// Whether the client has ended its side.
    left: bool,
    /// It has become a WebSocket.
    watch: Option<Box<Watch>>,
}

/// A request of HTTP/1.1 whose answer comes over HTTP/2.
pub(in crate::http) struct Upgraded {
    pub(in crate::http) id: ExchangeId,
    pub(in crate::http) started: Moment,
    pub(in crate::http) request: Map,
    pub(in crate::http) method: Method,
}

impl Stream {
    fn new(started: Moment) -> Self {
        let (request, response) = (Half::new(), Half::new());
        let (asked, turns) = (None, None);
        Stream { started, request, asked, response, turns, size: 0, left: false, watch: None }
    }
}

impl Observer {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            client: Reader::of_client(limits),
            server: Reader::of_server(limits),
            streams: BTreeMap::new(),
            highest: 0,
            offset: 0,
            backlog: Backlog::new(limits),
            gone: None,
            over: false,
        }
    }

    /// Goes on with a connection that was HTTP/1.1 until its server agreed to change: the answer to the
    /// request that asked for that comes on the first stream (RFC 7540, section 3.2).
    pub(in crate::http) fn upgraded(limits: Limits, asked: Upgraded) -> Self {
        let Upgraded { id, started, request, method } = asked;
        let mut observer = Observer::new(limits);
        let mut first = Stream::new(started);
        first.request.last = true;
        first.asked = Some((request, method));
        observer.streams.insert(1, first);
        observer.highest = 1;
        observer.offset = id.0.saturating_sub(1);
        observer
    }

    fn data(
        &mut self,
        from: Peer,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        self.reader(from).push(bytes, at);
        while let Some(said) = self.reader(from).next(at)? {
            self.said(from, said, at, out)?;
        }
        Ok(())
    }

    fn reader(&mut self, from: Peer) -> &mut Reader {
        match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }

    fn said(
        &mut self,
        from: Peer,
        said: Said,
        now: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let stream = match said {
            Said::Fields { stream, fields, last, at } => {
                if from == Peer::Client && stream > self.highest {
                    self.begin(stream, at, out)?;
                }
                self.fields(from, stream, fields, last)?;
                if from == Peer::Server {
                    self.answering(stream, now, out)?;
                }
                stream
            }
            Said::Data { stream, bytes, last, .. } => {
                let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
                if open.watch.is_some() {
                    self.talk(from, stream, &bytes, now, out)?;
                    if last {
                        self.ends(stream, from, Ending::Finished, now, out);
                    }
                    return Ok(());
                }
                let half = open.half(from);
                if half.head().is_none() {
                    return Err(malformed("content before its head"));
                }
                let (kept, before) = half.data(&bytes, last, self.limits);
                open.size = open.size + kept - before;
                match (&mut open.turns, from) {
                    (Some(turns), Peer::Client) => turns.client(&bytes),
                    (Some(turns), Peer::Server) => turns.server(&bytes),
                    (None, _) => {}
                }
                self.backlog.remove(before);
                self.backlog.add(kept)?;
                stream
            }
            Said::Reset { stream, code } => {
                // Whoever has the whole answer may break off what it still has to say.
                let broken = match (from, self.gone_wrong()) {
                    (Peer::Server, _) => (from, Failure::ResetBy(code)),
                    (Peer::Client, None) => (from, Failure::TimedOut),
                    (Peer::Client, Some(code)) => (Peer::Server, Failure::ClosedBy(code)),
                };
                if !self.ends(stream, from, Ending::Reset, now, out) {
                    self.emit(stream, Some(broken), now, out);
                }
                return Ok(());
            }
            Said::Settings(settings) => {
                self.reader(from.other()).widen(&settings);
                return Ok(());
            }
            Said::GoAway { last, code } if from == Peer::Server => {
                self.gone = self.gone_wrong().or(Some(code));
                while let Some((&unheard, _)) = self.streams.range(last.saturating_add(1)..).next()
                {
                    if !self.ends(unheard, from, Ending::Finished, now, out) {
                        self.emit(unheard, Some((from, Failure::UnheardBy(code))), now, out);
                    }
                }
                return Ok(());
            }
            Said::GoAway { .. } | Said::Ping(_) | Said::Window { .. } | Said::Nothing => {
                return Ok(());
            }
        };
        if self.streams.get(&stream).is_some_and(|open| open.request.last && open.response.last) {
            self.emit(stream, None, now, out);
        }
        Ok(())
    }

    fn begin(&mut self, stream: u32, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        if stream.is_multiple_of(2) {
            return Err(malformed("a stream of the client with an even number"));
        }
        self.backlog.check_count(self.streams.len())?;
        self.highest = stream;
        self.streams.insert(stream, Stream::new(at));
        out.push(Command::Begin { id: self.id(stream), at });
        Ok(())
    }

    fn fields(
        &mut self,
        from: Peer,
        stream: u32,
        fields: Vec<Raw>,
        last: bool,
    ) -> Result<(), WireError> {
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
        let size = match from {
            Peer::Client => {
                let size = open.request.request_fields(fields, last)?;
                if open.turns.is_none() {
                    open.turns = open.request.head().and_then(Turns::of);
                }
                size
            }
            Peer::Server => open.response.response_fields(fields, last)?,
        };
        open.size += size;
        self.backlog.add(size)
    }

    /// What follows the head of an answer may last.
    fn answering(
        &mut self,
        stream: u32,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let id = self.id(stream);
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
        if open.watch.is_some() || open.request.last || open.response.last {
            if open.response.endless().is_some() && !open.response.last {
                out.push(Command::Stir { id, at });
            }
            return Ok(());
        }
        let asks = open.request.head().is_some_and(converse::is_opening);
        let answer = open.response.clone().response(Method::Connect, self.limits);
        let (true, Some(answer)) = (asks, answer) else { return Ok(()) };
        let Some(extensions) = upgrade::agreed_on_stream(&answer) else { return Ok(()) };
        let early = open.request.take_content();
        let exchange = Exchange {
            request: open.request.clone().request(self.limits).unwrap_or_default(),
            response: Some(answer),
            started: open.started,
            finished: at,
            ..Exchange::default()
        };
        open.watch = Some(Box::new(Watch::new(id, exchange, extensions, self.limits)));
        out.push(Command::Stir { id, at });
        self.talk(Peer::Client, stream, &early, at, out)
    }

    /// Goes on with the messages of a WebSocket.
    fn talk(
        &mut self,
        from: Peer,
        number: u32,
        bytes: &[u8],
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(()) };
        let Some(watch) = &mut stream.watch else { return Ok(()) };
        stream.size += bytes.len();
        self.backlog.add(bytes.len())?;
        if let Err(error) = watch.data(from, bytes, at, out) {
            // The other streams go on.
            out.push(Command::Unread(error.to_string()));
            self.forget(number);
        } else if watch.is_over() {
            self.forget(number);
        }
        Ok(())
    }

    /// Ends what has no end of its own: a WebSocket, or content that the client leaves. Whether it is such.
    fn ends(
        &mut self,
        number: u32,
        from: Peer,
        how: Ending,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&number) else { return false };
        if let Some(watch) = &mut stream.watch {
            watch.ended(from, how, at, out);
            self.forget(number);
            return true;
        }
        let endless = stream.response.endless().is_some() && !stream.response.last;
        if endless && from == Peer::Client {
            self.emit(number, None, at, out);
        }
        endless && from == Peer::Client
    }

    /// Why the server ends the connection, when that is an error: clients leave it for that alone, and what
    /// becomes of their streams is the server's doing.
    fn gone_wrong(&self) -> Option<ResetCode> {
        self.gone.filter(|code| *code != ResetCode::NO_ERROR)
    }

    fn forget(&mut self, number: u32) -> Option<Stream> {
        let stream = self.streams.remove(&number)?;
        self.backlog.remove(stream.size);
        Some(stream)
    }

    fn id(&self, stream: u32) -> ExchangeId {
        ExchangeId(self.offset.saturating_add(stream.into()))
    }

    /// Emits what came of a stream. A complete answer is one, whatever becomes of the stream then; `broken`
    /// says who broke it off, and how.
    fn emit(
        &mut self,
        number: u32,
        broken: Option<(Peer, Failure)>,
        finished: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(stream) = self.forget(number) else { return };
        let method = stream.method();
        let failure = broken.map(|(_, failure)| failure).filter(|_| !stream.response.last);
        let failure = if stream.left { failure.and(Some(Failure::TimedOut)) } else { failure };
        let Stream { started, request, asked, response, turns, .. } = stream;
        let cancelled = failure == Some(Failure::TimedOut) && turns.is_some();
        // A call that is given up has what came before as its answer.
        let failure = failure.filter(|_| !cancelled || response.head().is_none());
        // A server that has answered or refused it hears no more of a call.
        let over = response.last || broken.is_some_and(|(by, _)| by == Peer::Server);
        let open = !request.last && (cancelled || over);
        let asked = asked.map(|(request, _)| request).or_else(|| request.request(self.limits));
        let asked = asked.map(|mut request| {
            let cancelled = cancelled.then_some(response.head().is_some());
            turns.inspect(|turns| turns.record(open, cancelled, &mut request));
            request
        });
        let complete = response.last || failure.is_some() || cancelled;
        let response = match response.endless() {
            Some(_) if !complete => response.ended_by_client(method, self.limits),
            _ => response.response(method, self.limits),
        };
        let exchange = Exchange {
            request: asked.unwrap_or_default(),
            response,
            failure,
            connection: 0,
            unit: None,
            started,
            finished,
        };
        out.push(Command::Emit { id: self.id(number), exchange: Box::new(exchange) });
    }

    fn closed(&mut self, from: Peer, how: Ending, at: Moment, out: &mut Vec<Command>) {
        let streams: Vec<u32> = self.streams.keys().copied().collect();
        for stream in streams {
            self.ends(stream, from, how, at, out);
        }
        let gone = self.gone_wrong();
        let broken = match (from, how) {
            _ if gone.is_some() => (Peer::Server, gone.map_or(Failure::Closed, Failure::ClosedBy)),
            // The answers may still come, but few clients wait for them.
            (Peer::Client, Ending::Finished) => {
                let unanswered = |stream: &&mut Stream| stream.response.head().is_none();
                self.streams.values_mut().filter(unanswered).for_each(|stream| stream.left = true);
                return;
            }
            (Peer::Server, Ending::Finished) => (from, Failure::Closed),
            (_, Ending::Reset) => (from, Failure::Reset),
        };
        self.over = true;
        while let Some((&number, _)) = self.streams.first_key_value() {
            self.emit(number, Some(broken), at, out);
        }
    }
}

impl Stream {
    fn half(&mut self, from: Peer) -> &mut Half {
        match from {
            Peer::Client => &mut self.request,
            Peer::Server => &mut self.response,
        }
    }

    fn method(&self) -> Method {
        match &self.asked {
            Some((_, method)) => *method,
            None => self.request.head().map_or(Method::Other, Head::method),
        }
    }
}

impl Session for Observer {
    fn handle(&mut self, event: Event<'_>, out: &mut Vec<Command>) -> Result<(), WireError> {
        if self.over {
            return Ok(());
        }
        match event {
            Event::Data { from, bytes, at } => self.data(from, bytes, at, out),
            Event::Closed { from, how, at } => {
                self.closed(from, how, at, out);
                Ok(())
            }
            Event::TlsReady { .. }
            | Event::Answer { .. }
            | Event::Request { .. }
            | Event::Opened { .. }
            | Event::Tick { .. } => Ok(()),
        }
    }
}
