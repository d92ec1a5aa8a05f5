//! Requests and responses as they come in: what the roles have in common.

use super::endless;
use super::events::Kind;
use super::framing::{self, Framing};
use super::head::{Head, Method};
use super::reader::{Message, Reader, Step};
use super::record;
use crate::{Limits, WireError};
use rehearsal_model::{Map, Value};

/// The requests of a client, one after the other.
#[derive(Debug)]
pub(super) struct Requests {
    reader: Reader,
}

impl Requests {
    pub(super) fn new(limits: Limits) -> Self {
        Requests { reader: Reader::new(limits) }
    }

    /// Passes over empty lines before a request (RFC 9112, section 2.2); true when after them
    /// the first byte of a request is there.
    pub(super) fn begins(&self, input: &mut &[u8]) -> bool {
        if !self.reader.is_idle() {
            return false;
        }
        while let [b'\r' | b'\n', rest @ ..] = *input {
            *input = rest;
        }
        !input.is_empty()
    }

    /// Takes bytes of a request.
    pub(super) fn step(&mut self, input: &mut &[u8]) -> Result<Step, WireError> {
        self.reader.step(input, |bytes| {
            let head = Head::request(bytes)?;
            let framing = framing::of_request(&head)?;
            Ok((head, framing))
        })
    }

    /// The head of the request that is being read, once it is complete.
    pub(super) fn head(&self) -> Option<&Head> {
        self.reader.head()
    }

    /// The request as far as it came, when its head is complete.
    pub(super) fn partial(&mut self) -> Option<Box<Message>> {
        self.reader.partial()
    }
}

/// The responses of a server, one after the other.
#[derive(Debug)]
pub(super) struct Responses {
    reader: Reader,
    limits: Limits,
    informational: Vec<Value>,
}

/// A final response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) map: Map,
    /// The rest of the connection is another protocol's.
    pub(super) switches: bool,
    /// The server ends the connection after it.
    pub(super) closes: bool,
}

/// How many informational responses may precede one response.
const MAX_INFORMATIONAL: usize = 256;

impl Responses {
    pub(super) fn new(limits: Limits) -> Self {
        Responses { reader: Reader::new(limits), limits, informational: Vec::new() }
    }

    /// Takes bytes of the response to a request of this method; the response when it is complete.
    pub(super) fn next(
        &mut self,
        input: &mut &[u8],
        method: Method,
    ) -> Result<Option<Response>, WireError> {
        loop {
            let step = self.reader.step(input, |bytes| {
                let head = Head::response(bytes)?;
                let framing = framing::of_response(&head, method)?;
                Ok((head, framing))
            })?;
            match step {
                Step::More => return Ok(None),
                Step::Head => {}
                Step::Message(message) => {
                    let status = message.head.status();
                    if (100..200).contains(&status) && status != 101 {
                        self.inform(*message)?;
                    } else {
                        return Ok(Some(self.finish(*message, method)));
                    }
                }
            }
        }
    }

    /// The server has finished: the response that ends by that.
    pub(super) fn close(&mut self, method: Method) -> Option<Response> {
        let message = self.reader.close()?;
        Some(self.finish(*message, method))
    }

    /// The kind of the response that is being read, when it may be without end.
    pub(super) fn endless(&self) -> Option<Kind> {
        let head = self.reader.head().filter(|head| head.status() == 200)?;
        endless::kind(&head.fields)
    }

    /// How many items of it have come.
    pub(super) fn items(&self) -> usize {
        self.endless().map_or(0, |kind| kind.complete(self.reader.so_far()).1)
    }

    /// The response that the client has ended: as far as its items are complete.
    pub(super) fn ended_by_client(&mut self, method: Method) -> Option<Response> {
        let (length, _) = self.endless()?.complete(self.reader.so_far());
        self.reader.shorten(length);
        let mut response = self.partial(method)?;
        response.map.push_new(endless::ENDED, endless::CLIENT);
        Some(response)
    }

    /// The response as far as it came: its head and what came of its body.
    pub(super) fn partial(&mut self, method: Method) -> Option<Response> {
        let message = self.reader.partial()?;
        Some(self.finish(*message, method))
    }

    fn finish(&mut self, message: Message, method: Method) -> Response {
        let closes = message.head.closes() || message.framing == Framing::Close;
        let switches = framing::switches(message.head.status(), method);
        let informational = std::mem::take(&mut self.informational);
        let map = record::response(message, informational, self.limits.body);
        Response { map, switches, closes }
    }

    fn inform(&mut self, message: Message) -> Result<(), WireError> {
        if self.informational.len() == MAX_INFORMATIONAL {
            return Err(super::malformed(format!(
                "more than {MAX_INFORMATIONAL} informational responses to one request"
            )));
        }
        let map = record::response(message, Vec::new(), self.limits.body);
        self.informational.push(Value::Map(map));
        Ok(())
    }
}
