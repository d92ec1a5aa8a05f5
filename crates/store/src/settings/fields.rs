//! The keys of `rehearsal.yaml`. What they are when absent is in `model::Settings`.

use rehearsal_model::shape::{Field, Shape};

const TEXTS: Shape = Shape::List(&Shape::Text);
/// One text stands for a list of one.
const TEXT_OR_TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

/// The whole file.
pub(crate) const SETTINGS: &[Field] = &[
    Field::optional(
        "command",
        TEXT_OR_TEXTS,
        "The command to run when none is given: a line for the shell, or a list of words",
    ),
    Field::optional(
        "env",
        Shape::Named(&Shape::Either(&[Shape::Text, Shape::Integer, Shape::Bool])),
        "Variables added to the app's environment",
    ),
    Field::optional(
        "capture",
        Shape::Choice(&["seccomp", "proxy"]),
        "How connections are captured: all of them by `seccomp`, or by `proxy` on explicit ports",
    ),
    Field::optional(
        "clock",
        Shape::Either(&[Shape::Choice(&["real", "recorded", "frozen"]), Shape::Timestamp]),
        "What the app's clock shows while it is tested: the time at which each test was recorded, \
         running on (`recorded`) or standing (`frozen`), the `real` time, or an instant at which \
         each test begins",
    ),
    Field::optional("timeout", Shape::Duration, "How long one test may take before it fails"),
    Field::optional("start-timeout", Shape::Duration, "How long the app may take until it listens"),
    Field::optional(
        "name-server",
        Shape::Text,
        "The name server to ask while recording, instead of the one that the app asks",
    ),
    Field::optional(
        "max-body",
        Shape::Size,
        "The largest body that is kept; a larger one is recorded by its length and hash",
    ),
    Field::optional(
        "trust-files",
        Shape::Bool,
        "Whether our certificate authority is shown to the app in the system's files of root \
         certificates as well, for programs that read no variable; each file that the app opens \
         costs some microseconds then",
    ),
    Field::optional("noise", TEXTS, "Paths that may differ in every test"),
    Field::optional(
        "proto",
        TEXT_OR_TEXTS,
        "Where the schemas of gRPC messages are: .proto files, folders of them, or descriptor sets; \
         a recording keeps what it was made with",
    ),
    Field::optional(
        "edges",
        Shape::Named(&Shape::Map(EDGE)),
        "What is known of single edges, by the name that each shall have",
    ),
    Field::optional(
        "secrets",
        Shape::Map(SECRETS),
        "What counts as a secret beyond, or other than, the built-in rules",
    ),
];

/// One edge.
pub(crate) const EDGE: &[Field] = &[
    Field::optional(
        "addresses",
        TEXT_OR_TEXTS,
        "The addresses that are this edge, such as `payments.example:443` or `unix:/run/db.sock`",
    ),
    Field::optional("owner", Shape::Text, "Who answers for it"),
    Field::optional("protocol", Shape::Text, "The protocol, when it is known beforehand"),
    Field::optional("real", Shape::Bool, "Whether `test` lets it through to the real dependency"),
    Field::optional("noise", TEXTS, "Paths that may differ on this edge"),
    Field::optional(
        "client-certificate",
        Shape::Text,
        "A PEM file: the certificate, with its chain, of whoever calls this edge, when it asks for one",
    ),
    Field::optional(
        "client-key",
        Shape::Text,
        "A PEM file: the key of `client-certificate`, unless it is in the same file",
    ),
];

/// What counts as a secret.
pub(crate) const SECRETS: &[Field] = &[
    Field::optional(
        "names",
        TEXTS,
        "Names of keys, headers and parameters whose values are replaced too",
    ),
    Field::optional("patterns", TEXTS, "Regular expressions; what they match is replaced too"),
    Field::optional(
        "keep",
        TEXTS,
        "Names of keys, headers and parameters whose values are kept though a rule says otherwise",
    ),
];
