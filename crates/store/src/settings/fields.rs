//! The keys of `rehearsal.yaml`. What they are when absent is in `model::Settings`.

use rehearsal_model::shape::{Field, Shape};
use rehearsal_model::{Overlap, Tracker};

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
    Field::optional(
        "overlap",
        Shape::Choice(Overlap::WORDS),
        "Whether tests that overlapped when they were recorded are played so (`recorded`), or one \
         after the other (`none`)",
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
        "groups",
        Shape::Named(&Shape::List(&Shape::Either(&[Shape::Text, Shape::Integer]))),
        "Tests that need one another, by the name of each group: numbers, parts of names or files, as \
         `--test` takes them. They stay together, in recorded order, on one copy of the app and in one \
         shard",
    ),
    Field::optional(
        "proto",
        TEXT_OR_TEXTS,
        "Where the schemas of gRPC messages are: .proto files, folders of them, or descriptor sets; \
         a recording keeps what it was made with",
    ),
    Field::optional(
        "reflection",
        Shape::Bool,
        "Whether servers of gRPC calls that no schema describes are asked for theirs by server \
         reflection, once each, while recording",
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
    Field::optional(
        "history",
        Shape::Text,
        "Where `test` notes what runs came to: a SQLite file below the project's folder, unless it \
         begins with `/`; or, for a team, a PostgreSQL database such as \
         `postgres://ci@db.example/rehearsal?sslmode=verify-full`, as `docs/history.md` says",
    ),
    Field::optional(
        "owners",
        Shape::Named(&TEXT_OR_TEXTS),
        "Who answers for which tests, by patterns of their names in which `*` is anything; the last \
         that fits counts. `owner` of an edge, CODEOWNERS and this are asked as `docs/owners.md` says",
    ),
    Field::optional(
        "quarantine",
        Shape::List(&Shape::Map(QUARANTINE)),
        "Tests whose failure is known: until a day it does not fail the run, and is shown all the same",
    ),
    Field::optional("defects", Shape::Map(DEFECTS), "Where `rehearsal defect` files defects"),
];

/// A test whose failure is known.
pub(crate) const QUARANTINE: &[Field] = &[
    Field::required(
        "test",
        Shape::Text,
        "Which test: its recording and number such as `checkout/12`, its whole name, or its file",
    ),
    Field::required("owner", Shape::Text, "Who sees to it"),
    Field::required("until", Shape::Text, "The last day on which it holds, such as `2026-12-31`"),
    Field::optional("reason", Shape::Text, "Why"),
];

/// Where defects are filed.
pub(crate) const DEFECTS: &[Field] = &[
    Field::optional(
        "tracker",
        Shape::Choice(Tracker::WORDS),
        "Into which system: files in `rehearsal/defects`, or issues of one of the others",
    ),
    Field::optional(
        "url",
        Shape::Text,
        "Where the system is, such as `https://example.atlassian.net`",
    ),
    Field::optional(
        "project",
        Shape::Text,
        "The project there: Jira's key, `owner/name` of GitHub, the path or number of GitLab",
    ),
    Field::optional("token", Shape::Text, "The variable of the environment that holds the token"),
    Field::optional(
        "user",
        Shape::Text,
        "The variable of the environment that holds the user of the token, for Jira Cloud",
    ),
    Field::optional("issue-type", Shape::Text, "The type that new issues of Jira have"),
];

/// One edge.
pub(crate) const EDGE: &[Field] = &[
    Field::optional(
        "addresses",
        TEXT_OR_TEXTS,
        "The addresses that are this edge, such as `payments.example:443`, `localhost:5432` (both loopback addresses) or `unix:/run/db.sock`",
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
