//! Watches both peers of a connection and emits the exchange of each stream: for recording.
//!
//! Streams are taken as their peers take them: what comes on one that is over is passed over, and what
//! a server pushes unasked is nobody's exchange.

mod stream;

use super::converse;
use super::farewell::Farewell;
use super::reader::{Reader, Said};
use super::streams::Streams;
use super::table::Raw;
use super::turns::Turns;
use crate::http::head::Method;
use crate::http::upgrade;
use crate::websocket::Watch;
use crate::{Command, Ending, Event, Limits, Peer, Session, WireError};
use rehearsal_model::{Exchange, ExchangeId, Failure, Map, Moment};
use stream::Stream;

/// The state of an observed connection.
pub(in crate::http) struct Observer {
    limits: Limits,
    client: Reader,
    server: Reader,
    streams: Streams<Stream>,
    /// What is added to a stream's number to have that of its exchange.
    offset: u64,
    farewell: Farewell,
    over: bool,
}

/// A request of HTTP/1.1 whose answer comes over HTTP/2.
pub(in crate::http) struct Upgraded {
    pub(in crate::http) id: ExchangeId,
    pub(in crate::http) started: Moment,
    pub(in crate::http) request: Map,
    pub(in crate::http) method: Method,
}

impl Observer {
    pub(in crate::http) fn new(limits: Limits) -> Self {
        Observer {
            limits,
            client: Reader::of_client(limits),
            server: Reader::of_server(limits),
            streams: Streams::new(limits),
            offset: 0,
            farewell: Farewell::default(),
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
        match said {
            Said::Fields { stream, fields, last, at } => {
                if from == Peer::Client && self.streams.begins(stream)? {
                    self.begin(stream, at, out)?;
                }
                self.fields(from, stream, fields, last)?;
                if from == Peer::Server {
                    self.answering(stream, now, out)?;
                }
                self.complete(stream, now, out);
            }
            Said::Data { stream, bytes, last, .. } => {
                let Some(open) = self.streams.get_mut(stream) else { return Ok(()) };
                if open.watch.is_some() {
                    self.talk(from, stream, &bytes, now, out)?;
                    if last {
                        self.ends(stream, from, Ending::Finished, now, out);
                    }
                    return Ok(());
                }
                open.count(from, &bytes)?;
                self.streams.content(stream, |open| Some(open.half(from)), &bytes, last)?;
                self.complete(stream, now, out);
            }
            Said::Reset { stream, code } => {
                // Whoever has the whole answer may break off what it still has to say.
                let broken = match (from, self.farewell.wrong()) {
                    (Peer::Server, _) => (from, Failure::ResetBy(code)),
                    (Peer::Client, None) => (from, Failure::TimedOut),
                    (Peer::Client, Some(code)) => (Peer::Server, Failure::ClosedBy(code)),
                };
                if !self.ends(stream, from, Ending::Reset, now, out) {
                    self.emit(stream, Some(broken), now, out);
                }
            }
            Said::Settings(settings) => self.reader(from.other()).widen(&settings),
            Said::GoAway { last, code } if from == Peer::Server => {
                self.farewell.hear(code);
                while let Some(unheard) = self.streams.first_above(last) {
                    if !self.ends(unheard, from, Ending::Finished, now, out) {
                        self.emit(unheard, Some((from, Failure::UnheardBy(code))), now, out);
                    }
                }
            }
            Said::GoAway { .. } | Said::Ping(_) | Said::Window { .. } | Said::Nothing => {}
        }
        Ok(())
    }

    fn begin(&mut self, stream: u32, at: Moment, out: &mut Vec<Command>) -> Result<(), WireError> {
        self.streams.check_count(0)?;
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
        let Some(open) = self.streams.get_mut(stream) else { return Ok(()) };
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
        self.streams.keep(stream, size)
    }

    /// Emits a stream on which both have said all.
    fn complete(&mut self, stream: u32, now: Moment, out: &mut Vec<Command>) {
        if self.streams.get(stream).is_some_and(Stream::is_complete) {
            self.emit(stream, None, now, out);
        }
    }

    /// What follows the head of an answer may last.
    fn answering(
        &mut self,
        stream: u32,
        at: Moment,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let id = self.id(stream);
        let Some(open) = self.streams.get_mut(stream) else { return Ok(()) };
        if open.watch.is_some() || open.request.last || open.response.last {
            if open.is_endless() {
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
        self.streams.keep(number, bytes.len())?;
        let Some(stream) = self.streams.get_mut(number) else { return Ok(()) };
        let Some(watch) = &mut stream.watch else { return Ok(()) };
        if let Err(error) = watch.data(from, bytes, at, out) {
            // The other streams go on.
            out.push(Command::Unread(error.to_string()));
            self.streams.remove(number);
        } else if watch.is_over() {
            self.streams.remove(number);
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
        let Some(stream) = self.streams.get_mut(number) else { return false };
        if let Some(watch) = &mut stream.watch {
            watch.ended(from, how, at, out);
            self.streams.remove(number);
            return true;
        }
        let left = stream.is_endless() && from == Peer::Client;
        if left {
            self.emit(number, None, at, out);
        }
        left
    }

    fn id(&self, stream: u32) -> ExchangeId {
        ExchangeId(self.offset.saturating_add(stream.into()))
    }

    /// Emits what came of a stream; `broken` says who broke it off, and how.
    fn emit(
        &mut self,
        number: u32,
        broken: Option<(Peer, Failure)>,
        finished: Moment,
        out: &mut Vec<Command>,
    ) {
        let Some(stream) = self.streams.remove(number) else { return };
        let exchange = stream.into_exchange(broken, finished, self.limits);
        out.push(Command::Emit { id: self.id(number), exchange: Box::new(exchange) });
    }

    fn closed(&mut self, from: Peer, how: Ending, at: Moment, out: &mut Vec<Command>) {
        for stream in self.streams.numbers() {
            self.ends(stream, from, how, at, out);
        }
        let in_order = from == Peer::Client && how == Ending::Finished;
        if in_order && self.farewell.wrong().is_none() {
            // The answers may still come, but few clients wait for them.
            self.streams.values_mut().for_each(Stream::leave);
            return;
        }
        let by = if self.farewell.wrong().is_some() { Peer::Server } else { from };
        self.over = true;
        while let Some(number) = self.streams.first_above(0) {
            self.emit(number, Some((by, self.farewell.failure(how))), at, out);
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
