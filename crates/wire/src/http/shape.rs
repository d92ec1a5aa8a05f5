//! How exchanges look in files.

use super::endless;
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::stream;

/// A field's value: one, or several of the same name.
const VALUES: Shape = Shape::Either(&[Shape::Data, Shape::List(&Shape::Data)]);
const NAMED: Shape = Shape::Named(&VALUES);
/// Names and values; as a list where a name comes again after another.
const PAIRS: Shape = Shape::Either(&[NAMED, Shape::List(&NAMED)]);

const HEADERS: Field =
    Field::optional("headers", PAIRS, "Header fields by name, in the order in which they are sent");
const BODY: Field = Field::optional(
    "body",
    Shape::Any,
    "Content without its content coding: JSON as a tree, else text or bytes",
);
const BODY_FORMAT: Field = Field::optional(
    "body-format",
    Shape::Text,
    "How the body is spelled where that is not compact JSON: words such as spaced, indented-2, \
     ascii, html, slashes, newline, percent-space, no-newline, encoded",
);
const VERSION: Field =
    Field::optional("version", Shape::Choice(&["1.0", "1.1"]), "Version of HTTP when not 1.1");
const REQUEST_VERSION: Field = Field::optional(
    "version",
    Shape::Choice(&["1.0", "1.1", "2"]),
    "Version of HTTP when not 1.1; the response has that of its request",
);
const FORM: Field =
    Field::optional("form", PAIRS, "Content of type application/x-www-form-urlencoded");
const MULTIPART: Field = Field::optional(
    "multipart",
    Shape::List(&Shape::Map(&[HEADERS, BODY, BODY_FORMAT])),
    "Parts of multipart content; the boundary is that of the content type",
);
const OMITTED: Field = Field::optional(
    "omitted",
    Shape::Map(&[
        Field::required("length", Shape::Integer, "Length in bytes as transferred"),
        Field::required("sha256", Shape::Text, "SHA-256 of these bytes in hexadecimal digits"),
    ]),
    "In place of content that is too large to keep; that many filler bytes are served",
);
const TRAILERS: Field = Field::optional("trailers", PAIRS, "Fields sent after the body");
const MESSAGES: Field = Field::optional(
    "messages",
    Shape::List(&Shape::Any),
    "Messages of gRPC, by the names of their fields where a schema is known, else by their numbers",
);
const COMPRESSED: Field = Field::optional(
    "compressed",
    Shape::Either(&[Shape::Bool, Shape::List(&Shape::Integer)]),
    "Whether the messages are compressed as grpc-encoding says, or the places of those that are",
);
const AFTER: Field = Field::optional(
    "after",
    Shape::List(&Shape::Integer),
    "How many answers had come when each message was sent, unless that is none each time",
);
const OPEN: Field =
    Field::optional("open", Shape::Bool, "Whether the client never ended its messages");
const CANCELLED: Field = Field::optional(
    "cancelled",
    Shape::Either(&[Shape::Integer, Shape::Choice(&["headers"])]),
    "After how many answers, or after the headers of them, the client gave the call up",
);
const GRPC: Field = Field::optional(
    "grpc",
    Shape::Map(&[
        Field::required(
            "status",
            Shape::Either(&[Shape::Text, Shape::Integer]),
            "The name of the status code, such as NOT_FOUND",
        ),
        Field::optional("message", Shape::Text, "What the status says in words"),
        Field::optional("details", Shape::Any, "The details of a google.rpc.Status"),
    ]),
    "How a call of gRPC ended",
);
const WEB_TRAILERS: Field = Field::optional(
    "web-trailers",
    Shape::Choice(&["plain", "spaced"]),
    "The trailers are in the content (gRPC-Web), without or with a space after the colon",
);
const STATUS: Field = Field::required("status", Shape::Integer, "Status code");
const REASON: Field =
    Field::optional("reason", Shape::Data, "Reason phrase when not the standard one");

const DATA: Shape = Shape::Any;
const EVENTS: Field = Field::optional(
    "events",
    Shape::List(&Shape::Map(&[
        Field::optional("event", Shape::Text, "Its type"),
        Field::optional("data", DATA, "What it says: JSON as a tree, else text"),
        Field::optional("id", Shape::Any, "Its identifier"),
        Field::optional("retry", Shape::Any, "Milliseconds until clients connect again"),
        Field::optional("comment", Shape::Text, "Text that clients pass over"),
        FORMAT,
    ])),
    "Content of type text/event-stream",
);
const JSON_VALUES: Field = Field::optional(
    "values",
    Shape::List(&Shape::Any),
    "Content that is JSON lines (application/x-ndjson, application/jsonl) or a JSON text sequence",
);
const ENDED_BY: Field = Field::optional(
    endless::ENDED,
    Shape::Choice(&["client"]),
    "The client ended a stream that had no end yet",
);
const FORMAT: Field = Field::optional(
    "format",
    Shape::Text,
    "How a tree is spelled where that is not compact JSON: the words of body-format",
);
const CLOSED: &[Field] = &[
    Field::required("by", Shape::Choice(&["client", "server"]), "Who closed it"),
    Field::optional("code", Shape::Integer, "Status code of the close frame, such as 1000"),
    Field::optional("reason", Shape::Text, "Reason in the close frame"),
    Field::optional(
        "how",
        Shape::Choice(&["ended", "reset"]),
        "How the connection ended when that was without a close frame",
    ),
];
const CONVERSATION: Field = Field::optional(
    stream::CONVERSATION,
    Shape::List(&Shape::Map(&[
        Field::optional(
            stream::SENT,
            Shape::Any,
            "Message of the client: text, JSON as a tree, or bytes",
        ),
        Field::optional(stream::RECEIVED, Shape::Any, "Message of the server, likewise"),
        FORMAT,
        Field::optional(
            stream::CLOSED,
            Shape::Map(CLOSED),
            "End of the conversation; without one, it was still open when the recording ended",
        ),
    ])),
    "What was said over a WebSocket, in the order in which it was seen",
);

/// The keys of a request and a response.
pub(super) static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::required("http", Shape::Data, "Method and target, such as POST /orders?dry=1"),
        REQUEST_VERSION,
        HEADERS,
        BODY,
        FORM,
        MULTIPART,
        EVENTS,
        JSON_VALUES,
        OMITTED,
        MESSAGES,
        COMPRESSED,
        AFTER,
        OPEN,
        CANCELLED,
        BODY_FORMAT,
        TRAILERS,
    ],
    answer: "response",
    response: &[
        STATUS,
        REASON,
        VERSION,
        Field::optional(
            "informational",
            Shape::List(&Shape::Map(&[STATUS, REASON, VERSION, HEADERS])),
            "Responses of status 1xx that came before",
        ),
        HEADERS,
        BODY,
        FORM,
        MULTIPART,
        EVENTS,
        JSON_VALUES,
        OMITTED,
        MESSAGES,
        COMPRESSED,
        GRPC,
        WEB_TRAILERS,
        BODY_FORMAT,
        TRAILERS,
        Field::optional(
            "framing",
            Shape::Choice(&["close"]),
            "The end of the connection ends the body",
        ),
        ENDED_BY,
        CONVERSATION,
    ],
    keeps_connection: false,
};
