//! memcached: the text protocol with its meta commands ("protocol.txt" of its sources).
//!
//! A command is one exchange. The length of a value follows from the value, so recordings leave it out
//! of the line. The binary protocol, which is deprecated, is not read, nor is `watch`, which turns a
//! connection into a log.

mod asked;
mod detect;
mod facets;
mod form;
mod inbox;
mod lines;
mod observer;
mod reply;
mod responder;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "memcached";

/// Commands of one connection that may wait for their replies.
const MOST_WAITING: usize = 1 << 18;

/// memcached.
#[derive(Debug)]
pub(crate) struct Memcached;

const VALUE: Shape = Shape::Map(&[
    Field::required("key", Shape::Data, "Its key"),
    Field::optional("flags", Shape::Text, "What the client noted about it, if not 0"),
    Field::optional("cas", Shape::Text, "Which version of it this is"),
    Field::required("value", Shape::Data, "The value"),
]);

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional("memcached", Shape::Data, "The line, without the length of the value"),
        Field::optional("value", Shape::Data, "The value that is stored"),
    ],
    answer: "reply",
    response: &[
        Field::optional("status", Shape::Data, "The line of the reply, such as `STORED`"),
        Field::optional("error", Shape::Data, "The line of the reply when that is an error"),
        Field::optional("value", Shape::Data, "The value that a meta command gave"),
        Field::optional("number", Shape::Integer, "What a counter has become"),
        Field::optional("values", Shape::List(&VALUE), "What was found"),
        Field::optional("stats", Shape::Named(&Shape::Data), "Figures by name"),
        Field::optional("lines", Shape::List(&Shape::Data), "Lines before the last, `END`"),
    ],
    keeps_connection: false,
};

impl Protocol for Memcached {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict {
        detect::detect(client, server)
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::new(limits))
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(responder::Responder::new(limits))
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::MemcachedFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

fn unwritable(what: &str) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.to_owned() }
}

#[cfg(test)]
mod tests;
