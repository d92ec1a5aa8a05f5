//! PostgreSQL (protocol 3.0 and 3.2): statements and their results.
//!
//! A statement is one exchange, whichever way a driver sends it. Prepared statements, portals and
//! formats are how it is sent, so they are not recorded: they are worked out again when it is
//! answered. COPY in both directions at once is not read, and replication is handed to
//! `opaque`.

mod address;
mod array;
mod binary;
mod bytea;
mod columns;
mod copies;
mod copy;
mod facets;
mod fields;
mod fitting;
mod float;
mod frames;
mod function;
mod inbox;
mod listening;
mod made;
mod moment;
mod notice;
mod numeric;
mod observer;
mod outcome;
mod pending;
mod plan;
mod range;
mod reply;
mod responder;
mod scram;
mod span;
mod sql;
mod start;
mod text;
mod types;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "postgres";

/// PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres;

const NOTICE: Shape = Shape::Named(&Shape::Any);

const RESULT: &[Field] = &[
    Field::optional("notices", Shape::List(&NOTICE), "What the server said by the way"),
    Field::optional(
        "parameters",
        Shape::Named(&Shape::Text),
        "Settings of the server that it reported",
    ),
    Field::optional("auth", Shape::Text, "How the server wanted the client to prove who it is"),
    Field::optional(
        "params",
        Shape::List(&Shape::Text),
        "The types of the parameters of a described statement",
    ),
    Field::optional(
        "columns",
        Shape::List(&Shape::Text),
        "Name and type of each column: `id int4`",
    ),
    Field::optional(
        "sources",
        Shape::List(&Shape::Text),
        "Of each column of a described statement its table's number and its place there: `16398/2`",
    ),
    Field::optional("rows", Shape::List(&Shape::List(&Shape::Any)), "The rows, value by value"),
    Field::optional("copy", Shape::Data, "Data that was copied out"),
    Field::optional("copy_format", Shape::Choice(&["binary"]), "Its format, when it is not text"),
    Field::optional("copy_columns", Shape::Integer, "How many columns it has"),
    Field::optional(
        "omitted",
        Shape::Integer,
        "How many rows were too many to keep; the result cannot be replayed",
    ),
    Field::optional("tag", Shape::Text, "What the server says was done: `INSERT 0 1`"),
    Field::optional("error", NOTICE, "Why the server refused"),
];

const COPIED: &[Field] = &[
    Field::optional("copy", Shape::Data, "Data that the app copied in"),
    Field::optional(
        "copy_omitted",
        Shape::Map(&[
            Field::required("length", Shape::Integer, "How many bytes there were"),
            Field::required("sha256", Shape::Text, "Their SHA-256 in hexadecimal"),
        ]),
        "Stands for data that was too much to keep",
    ),
    Field::optional("copy_format", Shape::Choice(&["binary"]), "Its format, if not text"),
    Field::optional("copy_columns", Shape::Integer, "How many columns it has"),
    Field::optional("copy_failed", Shape::Data, "Why the app gave up copying in"),
];

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional("sql", Shape::Data, "The text of the statement"),
        Field::optional("call", Shape::Text, "A function that is called by its number: `lo_open`"),
        Field::optional("params", Shape::List(&Shape::Any), "The values of its parameters"),
        COPIED[0],
        COPIED[1],
        COPIED[2],
        COPIED[3],
        COPIED[4],
        Field::optional(
            "copies",
            Shape::List(&Shape::Map(COPIED)),
            "The same for each statement of a text in which several copy in",
        ),
        Field::optional(
            "connect",
            Shape::Named(&Shape::Data),
            "Opens a connection: user, database and options",
        ),
        Field::optional("tls", Shape::Bool, "Asks whether the server would speak TLS"),
        Field::optional("prepare", Shape::Data, "A statement that the server refused to prepare"),
        Field::optional("describe", Shape::Data, "Asks what a statement takes and gives"),
        Field::optional("receive", Shape::Text, "Waits for a notification on this channel"),
        Field::optional("portal", Shape::Bool, "Whether only what it gives is asked for"),
    ],
    answer: "result",
    response: &[
        RESULT[0],
        RESULT[1],
        RESULT[2],
        RESULT[3],
        RESULT[4],
        RESULT[5],
        RESULT[6],
        RESULT[7],
        RESULT[8],
        RESULT[9],
        RESULT[10],
        RESULT[11],
        RESULT[12],
        Field::optional("accepted", Shape::Bool, "Whether it would"),
        Field::optional("payload", Shape::Data, "What the notification says"),
        Field::optional("value", Shape::Any, "What the function gave"),
        Field::optional(
            "results",
            Shape::List(&Shape::Map(RESULT)),
            "One result for each statement of a text that has several",
        ),
    ],
    keeps_connection: false,
};

impl Protocol for Postgres {
    fn name(&self) -> &'static str {
        NAME
    }

    fn alpn(&self, _: &rehearsal_model::Map) -> &'static [&'static str] {
        &["postgresql"]
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    fn detect(&self, client: &[u8], _server: &[u8]) -> Verdict {
        start::detect(client)
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::new(limits))
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(responder::Responder::new(limits))
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::PostgresFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

fn unwritable(what: &str) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.to_owned() }
}

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod driver_tests;
#[cfg(test)]
mod noise;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod values;
