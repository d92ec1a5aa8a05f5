//! MySQL and MariaDB (protocol 10, from MySQL 4.1 on): statements and their results.
//!
//! A statement is one exchange, whether a driver sends its text or prepares it; how it is sent is not
//! recorded, but worked out again when it is answered. TLS, compression and a few things more are
//! taken out of what a server offers while recording, so that clients do without. Replication is not
//! read.

mod capabilities;
mod charset;
mod columns;
mod command;
mod compression;
mod facets;
mod fields;
mod file;
mod greeting;
mod login;
mod moment;
mod observer;
mod outcome;
mod packets;
mod replies;
mod reply;
mod responder;
mod session;
mod shown;
mod source;
mod statements;
mod status;
mod text;
mod types;
mod values;

use crate::{Facets, Limits, Protocol, Session, Verdict, WireError};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

/// The name of the protocol.
const NAME: &str = "mysql";

/// MySQL and MariaDB.
#[derive(Debug)]
pub(crate) struct Mysql;

const OMITTED: Shape = Shape::Map(&[
    Field::required("length", Shape::Integer, "How many bytes there were"),
    Field::required("sha256", Shape::Text, "Their SHA-256 in hexadecimal"),
]);

const CHARSET: Shape = Shape::Either(&[Shape::Text, Shape::Integer]);

const RESULT: &[Field] = &[
    Field::optional("version", Shape::Text, "The version with which the server greets"),
    Field::optional("auth", Shape::Text, "How the client proves who it is"),
    Field::optional("takes", Shape::Integer, "How many parameters a prepared statement takes"),
    Field::optional(
        "columns",
        Shape::List(&Shape::Text),
        "Name and type of each column: `id int unsigned not null`",
    ),
    Field::optional(
        "from",
        Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
        "The table that they come from, or that of each: `shop.orders as o`",
    ),
    Field::optional("charset", CHARSET, "The collation of text, if not utf8mb4_general_ci"),
    Field::optional("rows", Shape::List(&Shape::List(&Shape::Any)), "The rows, value by value"),
    Field::optional(
        "omitted",
        Shape::Integer,
        "How many rows were too many to keep; the result cannot be replayed",
    ),
    Field::optional("affected", Shape::Integer, "How many rows were changed"),
    Field::optional("last_id", Shape::Integer, "The number that the first new row was given"),
    Field::optional("info", Shape::Data, "What the server says about it in words"),
    Field::optional("warnings", Shape::Integer, "How many warnings there are"),
    Field::optional("out_params", Shape::Bool, "Whether the row is of parameters given back"),
    Field::optional(
        "session",
        Shape::List(&Shape::Named(&Shape::Any)),
        "What the server says has changed of the session",
    ),
    Field::optional(
        "status",
        Shape::List(&Shape::Text),
        "The state of the connection, where it does not follow from the statements",
    ),
    Field::optional("capabilities", Shape::List(&Shape::Text), "What the server can do"),
    Field::optional("error", Shape::Named(&Shape::Any), "Why the server refused"),
];

const FILE: &[Field] = &[
    Field::optional("file", Shape::Data, "A file that the app sent to be loaded"),
    Field::optional("file_omitted", OMITTED, "Stands for one that was too much to keep"),
];

static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::optional("sql", Shape::Data, "The text of the statement"),
        Field::optional("params", Shape::List(&Shape::Any), "The values of its parameters"),
        Field::optional(
            "bulk",
            Shape::List(&Shape::List(&Shape::Any)),
            "The values of its parameters for each time that it is executed",
        ),
        FILE[0],
        FILE[1],
        Field::optional(
            "files",
            Shape::List(&Shape::Map(FILE)),
            "The same for each statement of a text in which several load one",
        ),
        Field::optional("sql_omitted", OMITTED, "Stands for a text that was too much to keep"),
        Field::optional("greeting", Shape::Bool, "Opens a connection: the server speaks first"),
        Field::optional("connect", Shape::Named(&Shape::Any), "Comes in: user and database"),
        Field::optional("prepare", Shape::Data, "Asks what a statement takes and gives"),
        Field::optional("use", Shape::Data, "Chooses a database"),
        Field::optional("fields", Shape::Data, "Asks for the columns of a table"),
        Field::optional("like", Shape::Data, "A pattern for their names"),
        Field::optional("command", Shape::Text, "A command without SQL: `statistics`"),
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
        RESULT[13],
        RESULT[14],
        RESULT[15],
        RESULT[16],
        Field::optional(
            "results",
            Shape::List(&Shape::Map(RESULT)),
            "Each result, where there are several",
        ),
    ],
    keeps_connection: false,
};

impl Protocol for Mysql {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self) -> &'static ExchangeShape {
        &SHAPE
    }

    fn detect(&self, client: &[u8], server: &[u8]) -> Verdict {
        greeting::detect(client, server)
    }

    fn observer(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(observer::Observer::new(limits))
    }

    fn responder(&self, limits: Limits) -> Box<dyn Session> {
        Box::new(responder::Responder::new(limits))
    }

    fn facets(&self) -> &'static dyn Facets {
        &facets::MysqlFacets
    }
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed { protocol: NAME, what: what.to_owned() }
}

fn unwritable(what: &str) -> WireError {
    WireError::Unwritable { protocol: NAME, what: what.to_owned() }
}

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod noise;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unasked_tests;
