//! Redis (RESP 2 and 3): commands and their replies.
//!
//! A command is one exchange, a transaction is one too, and so is each message that the server sends
//! of its own accord. `MONITOR` and replication are handed to `opaque`.

mod blocking;
mod detect;
mod facets;
mod form;
mod inbox;
mod named;
mod observer;
mod reply;
mod resp;
mod responder;
mod secret;
mod subscriptions;
mod suit;
mod table;
mod usual;
mod words;
mod write;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "redis";

/// Commands of one connection that may wait for their replies.
const MOST_WAITING: usize = 1 << 18;

/// Redis.
#[derive(Debug)]
pub(crate) struct Redis;

const WORDS: Shape =
    Shape::Either(&[Shape::Text, Shape::List(&Shape::Either(&[Shape::Data, Shape::Integer]))]);
const PAIRS: Shape =
    Shape::Either(&[Shape::Named(&Shape::Any), Shape::List(&Shape::List(&Shape::Any))]);
const NUMBER: Shape = Shape::Any;

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional("redis", WORDS, "The command: a line of words, or a list of them"),
        Field::optional("commands", Shape::List(&WORDS), "The commands of a transaction"),
        Field::optional("discarded", Shape::Bool, "Whether it ended with DISCARD, not EXEC"),
        Field::optional(
            "receive",
            WORDS,
            "The kind of a message that the server sent by itself, and its channel",
        ),
        Field::optional("db", Shape::Integer, "The database that was selected, if not 0"),
    ],
    answer: "reply",
    response: &[
        Field::optional("status", Shape::Data, "A word such as `OK`"),
        Field::optional("error", Shape::Data, "Why the server refused"),
        Field::optional("bulk_error", Shape::Data, "The same in several lines"),
        Field::optional("bulk", Shape::Data, "A string"),
        Field::optional("integer", Shape::Integer, "An integer"),
        Field::optional(
            "nil",
            Shape::Either(&[Shape::Bool, Shape::Choice(&["array"])]),
            "Nothing: true in place of a string, `array` in place of an array",
        ),
        Field::optional("array", Shape::List(&Shape::Any), "A list of values"),
        Field::optional("map", PAIRS, "Values by name, or pair by pair"),
        Field::optional("set", Shape::List(&Shape::Any), "Values without an order"),
        Field::optional("push", Shape::List(&Shape::Any), "A message that nobody asked for"),
        Field::optional("double", NUMBER, "A number with a fraction, `inf` or `nan`"),
        Field::optional("bool", Shape::Bool, "True or false"),
        Field::optional("big", NUMBER, "An integer of any size"),
        Field::optional("verbatim", Shape::Data, "A text that is to be shown as it is"),
        Field::optional("format", Shape::Data, "Its format, if not `txt`"),
        Field::optional("attributes", PAIRS, "What the server said about the reply"),
        Field::optional(
            "confirmed",
            Shape::List(&Shape::List(&Shape::Any)),
            "Channels that are listened to, or no longer, each with how many there are",
        ),
        Field::optional(
            "refused",
            Shape::Named(&Shape::Data),
            "Why the server did not queue a command of the transaction, by its number from 1",
        ),
    ],
    keeps_connection: false,
};

impl Protocol for Redis {
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
        &facets::RedisFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

fn unwritable(what: &str) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.to_owned() }
}

/// Whether a command turns the connection into a stream that is no longer questions and answers.
fn leaves(name: &str) -> bool {
    matches!(name, "MONITOR" | "SYNC" | "PSYNC")
}

#[cfg(test)]
mod tests;
