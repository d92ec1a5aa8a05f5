//! SOCKS 5 (RFC 1928): how a client has itself connected by a proxy, which then passes on what is said.
//!
//! Each message of the client is one exchange with the proxy: the greeting, the login (RFC 1929), and with
//! whom it wants to be connected. What follows is a connection with that party. Where the proxy was bound is
//! not kept, and GSSAPI (RFC 1961) is not read; SOCKS 4 is another protocol.

mod facets;
mod messages;
mod observer;
mod responder;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "socks";

/// SOCKS 5.
#[derive(Debug)]
pub(crate) struct Socks;

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional(
            "socks",
            Shape::Text,
            "`greeting`, `login`, or with whom to be connected: `CONNECT host:port`",
        ),
        Field::optional(
            "methods",
            Shape::List(&Shape::Text),
            "By what the client can say who it is: `none`, `password`",
        ),
        Field::optional("user", Shape::Data, "Who the client says it is"),
        Field::optional("password", Shape::Data, "How it proves that"),
    ],
    answer: "reply",
    response: &[
        Field::optional(
            "method",
            Shape::Text,
            "By what the client shall say who it is, or `refused`",
        ),
        Field::optional(
            "status",
            Shape::Text,
            "`accepted` or `refused` for a login; for a connection `succeeded`, `connection refused` and the like",
        ),
    ],
    keeps_connection: false,
};

impl Protocol for Socks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict {
        messages::detect(client, server)
    }

    fn observer(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::default())
    }

    fn responder(&self, _limits: Limits) -> Box<dyn Session> {
        Box::new(responder::Responder::default())
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::SocksFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

#[cfg(test)]
mod tests;
