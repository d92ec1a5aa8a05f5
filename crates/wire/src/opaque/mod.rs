//! Whatever no other protocol recognises, over a connection: bytes in turns.
//!
//! A turn is what the client sends until the server speaks, then what the server sends until the
//! client speaks again. Nothing is understood: where a message ends is known only by who speaks
//! next, so a client that does not wait for answers may be cut into other turns the next time. Only
//! of mail is so much known that its connections turn to TLS, and where passwords are.

mod facets;
mod hidden;
mod lines;
mod observer;
mod requester;
mod responder;
mod turn;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{Map, Value};

/// The name of the protocol.
pub(crate) const NAME: &str = "opaque";

/// The key that says that TLS begins after a turn.
const STARTTLS: &str = "starttls";

/// Anything over a connection.
#[derive(Debug)]
pub(crate) struct Opaque;

/// What stands in the place of bytes that were too many to keep.
const OMITTED: Field = Field::optional(
    "omitted",
    Shape::Map(&[
        Field::required("length", Shape::Integer, "How many bytes there were"),
        Field::required("sha256", Shape::Text, "Their SHA-256 in hexadecimal"),
    ]),
    "Stands for bytes that were too many to keep; they cannot be replayed",
);

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional(
            "send",
            Shape::Data,
            "What the client sent until the server spoke; empty when the server spoke first",
        ),
        OMITTED,
        Field::optional(
            "ends",
            Shape::Choice(&[turn::CLOSED, turn::RESET]),
            "How the client then ended its direction, when it did before the server spoke",
        ),
    ],
    answer: "reply",
    response: &[
        Field::optional(
            "receive",
            Shape::Data,
            "What the server sent until the client spoke again",
        ),
        OMITTED,
        Field::optional(
            "ends",
            Shape::Choice(&[turn::CLOSED, turn::RESET]),
            "How the server then ended the connection, when it was the one who did",
        ),
        Field::optional(
            STARTTLS,
            Shape::Bool,
            "Whether TLS begins then, so that what follows is said within it",
        ),
    ],
    keeps_connection: true,
};

impl Protocol for Opaque {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    fn detect(&self, _client: &[u8], _server: &[u8]) -> Verdict {
        Verdict::Yes
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
        &facets::OpaqueFacets
    }
}

/// The bytes at a key, to be sent.
///
/// # Errors
/// When there are none there because there were too many to record.
fn writable<'a>(message: &'a Map, key: &'static str) -> Result<&'a [u8], WireError> {
    message.get(key).and_then(Value::as_bytes).ok_or_else(|| {
        let why = if message.get("omitted").is_some() {
            "was too large to record; raise the limit on bodies and record again"
        } else {
            "must be text or bytes"
        };
        WireError::Unwritable { protocol: NAME, what: format!("`{key}` {why}") }
    })
}

#[cfg(test)]
mod tests;
