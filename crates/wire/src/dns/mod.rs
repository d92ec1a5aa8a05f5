//! DNS over datagrams (RFC 1035): queries and their answers.
//!
//! There is no resolver and no cache here, no DNS over a connection, and of EDNS (RFC 6891) only
//! that a query may have it; answers are given without.

mod decode;
mod encode;
mod facets;
mod lookup;
mod map;
mod message;
mod name;
mod observer;
mod pending;
mod presentation;
mod requester;
mod responder;
mod word;

pub use lookup::{addresses, queried_name};

use crate::{Facets, Limits, Protocol, Session, Verdict};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "dns";

/// DNS over datagrams.
#[derive(Debug)]
pub(crate) struct Dns;

const FLAGS: Shape = Shape::List(&Shape::Choice(&["aa", "rd", "ra", "ad", "cd"]));

const RECORDS: Shape = Shape::List(&Shape::Map(&[
    Field::required("name", Shape::Text, "Whose record it is"),
    Field::required("type", Shape::Text, "Its type, such as A, or TYPE65 by number"),
    Field::optional("class", Shape::Text, "Its class, when it is not IN"),
    Field::optional("ttl", Shape::Integer, "For how many seconds it may be kept; 0 if absent"),
    Field::required(
        "data",
        Shape::Data,
        "Its data as zone files write it, or bytes when the type is not known",
    ),
]));

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::required(
            "query",
            Shape::Text,
            "The name and the type, and the class when it is not IN: `payments.example A`",
        ),
        Field::optional("flags", FLAGS, "The flags of the query, when they are not just rd"),
    ],
    answer: "answer",
    response: &[
        Field::required("rcode", Shape::Text, "The code, such as NOERROR or NXDOMAIN"),
        Field::optional(
            "flags",
            FLAGS,
            "The flags of the answer besides rd, when they are not just ra",
        ),
        Field::optional("truncated", Shape::Bool, "Whether the answer was cut short"),
        Field::optional("records", RECORDS, "The records that answer the query"),
        Field::optional("authority", RECORDS, "The records of who is responsible"),
        Field::optional("additional", RECORDS, "Further records, without EDNS"),
    ],
    keeps_connection: false,
};

impl Protocol for Dns {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    /// Datagrams do not tell; the driver chooses by the port.
    fn detect(&self, _client: &[u8], _server: &[u8]) -> Verdict {
        Verdict::No
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::new(limits))
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(responder::Responder::new(limits))
    }

    fn requester(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(requester::Requester::new(limits))
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::DnsFacets
    }
}

#[cfg(test)]
mod tests;
