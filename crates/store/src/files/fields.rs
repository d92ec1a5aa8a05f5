//! The keys that files have whatever the protocol.

use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{Certificate, KINDS, ResetCode};

const FAILURES: Shape =
    Shape::Choice(&["refused", "unreachable", "timed out", "reset", "closed", "unheard"]);
const CODES: Shape = Shape::Either(&[Shape::Choice(ResetCode::NAMES), Shape::Integer]);
const TEXTS: Shape = Shape::List(&Shape::Text);

const NOISE: Shape =
    Shape::List(&Shape::Either(&[Shape::Text, Shape::Named(&Shape::Map(CONDITIONS))]));

/// What a value that may differ must be like all the same.
pub(crate) const CONDITIONS: &[Field] = &[
    Field::optional("matches", Shape::Text, "A regular expression that it must match"),
    Field::optional("type", Shape::Choice(KINDS), "What kind of value it must be"),
    Field::optional(
        "learned",
        Shape::Text,
        "Why it may differ, when replaying has shown that; `test --strict` does not heed it",
    ),
];

/// A test file, but for the answer. `request` and `calls` are checked by protocol.
pub(crate) const TEST: &[Field] = &[
    Field::required("test", Shape::Text, "What people call the test"),
    Field::required(
        "at",
        Shape::Timestamp,
        "When it was recorded; the app's clock shows it at replay",
    ),
    Field::optional(
        "took",
        Shape::Duration,
        "How long it took until its end when it was recorded; less than a second if absent",
    ),
    Field::optional(
        "during",
        Shape::List(&Shape::Integer),
        "The earlier tests that were under way when it began; `--overlap recorded` plays it beside them",
    ),
    Field::optional("edge", Shape::Text, "The inbound edge that was called; `inbound` if absent"),
    CONNECTION,
    Field::required("request", Shape::Any, "What the app was asked"),
    Field::optional("calls", Shape::List(&Shape::Any), "What the app asked of others, in order"),
    FAILURE,
    CODE,
    Field::optional("noise", NOISE, "Paths whose values may differ between runs"),
];

/// What a call of a test has beside the keys of its protocol.
pub(crate) const CALL: &[Field] = &[
    EDGE,
    Field::optional("parallel", Shape::Bool, "Whether it and the call above it may swap"),
    CONNECTION,
    FAILURE,
    CODE,
];

/// What a mock that belongs to no single test has beside the keys of its protocol.
pub(crate) const MOCK: &[Field] = &[
    EDGE,
    Field::optional("after", Shape::Integer, "The last test that had begun; 0 is start-up"),
    Field::optional("calls", Shape::Integer, "How many calls of that test came before it"),
    Field::optional(
        "shared-by",
        Shape::List(&Shape::Integer),
        "The overlapping tests one of which made it",
    ),
    Field::optional("of-test", Shape::Text, "The test of another test runner that made it"),
    CONNECTION,
    FAILURE,
    CODE,
];

/// `ambient.yaml`.
pub(crate) const AMBIENT: &[Field] = &[Field::required(
    "mocks",
    Shape::List(&Shape::Any),
    "Calls that belong to no single test, in recorded order",
)];

/// `recording.yaml`.
pub(crate) const MANIFEST: &[Field] = &[
    Field::required("format", Shape::Integer, "The version of the format of these files"),
    Field::required("written-by", Shape::Text, "The version of Rehearsal that wrote the recording"),
    Field::required("command", TEXTS, "The command that was recorded, word by word"),
    Field::optional("at", Shape::Text, "When the mocks of another test runner were recorded"),
    Field::optional("listens", TEXTS, "Where the app listened, whoever called there"),
    Field::optional(
        "schemas",
        Shape::Data,
        "What the messages are by whose names they are written: a FileDescriptorSet",
    ),
    Field::required(
        "edges",
        Shape::Named(&Shape::Map(EDGE_OF_MANIFEST)),
        "The parties that were seen",
    ),
];

const EDGE_OF_MANIFEST: &[Field] = &[
    Field::required("protocol", Shape::Text, "The protocol that is spoken there"),
    Field::optional(
        "tls",
        Shape::Choice(Certificate::WORDS),
        "That it is spoken over TLS, and how clients find the server's certificate",
    ),
    Field::optional(
        "starttls",
        Shape::Choice(Certificate::WORDS),
        "That connections turn to TLS later, and how clients find the server's certificate then",
    ),
    Field::optional(
        "server-name",
        Shape::Text,
        "The name by which clients asked for the app, when it speaks TLS",
    ),
    Field::required("role", Shape::Choice(&["inbound", "outbound"]), "Who calls whom"),
    Field::optional("addresses", TEXTS, "Where the app listens or connects to"),
    Field::optional("latency", LATENCY, "How long answers took there when it was recorded"),
    Field::optional(
        "own-time",
        LATENCY,
        "How long the app took for its answers, without the time in which it waited for others",
    ),
    Field::optional(
        "tables",
        Shape::Named(&Shape::Named(&Shape::Text)),
        "The tables or collections of a database that were used, with the type of each column",
    ),
];

const LATENCY: Shape = Shape::Map(&[
    Field::required("calls", Shape::Integer, "How many there were"),
    Field::required("p50", Shape::Text, "What half of them did not exceed: `1.2 ms`"),
    Field::required("p95", Shape::Text, "What 95 in 100 did not exceed"),
]);

const EDGE: Field =
    Field::required("edge", Shape::Text, "The dependency, by its name in recording.yaml");
const CONNECTION: Field = Field::optional(
    "connection",
    Shape::Integer,
    "The ordinal of its connection on the edge, from 1",
);
const FAILURE: Field = Field::optional("failure", FAILURES, "How the conversation broke off");
const CODE: Field = Field::optional(
    "reset-code",
    CODES,
    "The error code of HTTP/2 with which it was `reset`, `closed` or left `unheard`",
);

/// The key of an exchange's answer as a field.
pub(crate) const fn answer(shape: &ExchangeShape) -> Field {
    Field::optional(shape.answer, Shape::Map(shape.response), "What was answered")
}
