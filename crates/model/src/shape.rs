//! The shape of what a file may hold, as data.
//!
//! One description serves the reader (unknown keys, wrong kinds), the JSON Schemas that editors
//! load, and the reference in the documentation. Checking and printing are done by `store`.

/// What a value must look like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// Text or bytes.
    Data,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A span of time such as `500ms`, `10s` or `2m`.
    Duration,
    /// A number of bytes such as `64MiB`.
    Size,
    /// An instant in RFC 3339.
    Timestamp,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of such values.
    List(&'static Shape),
    /// A map from free names to such values.
    Named(&'static Shape),
    /// A map with these keys and no others.
    Map(&'static [Field]),
    /// Any of these.
    Either(&'static [Shape]),
}

/// A key of a [`Shape::Map`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it means, in one sentence without a full stop.
    pub doc: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
}

impl Field {
    /// A key that must be there.
    #[must_use]
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Field { name, doc, shape, required: true }
    }

    /// A key that may be there.
    #[must_use]
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Field { name, doc, shape, required: false }
    }
}

/// How a protocol writes its exchanges into files.
///
/// The keys of the request stand beside the keys that every exchange has; the answer stands under
/// one key of its own.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeShape {
    /// The keys of the request. The first is its headline and is written first.
    pub request: &'static [Field],
    /// The key of the answer: `response`, `result`, `reply`.
    pub answer: &'static str,
    /// The keys of the answer.
    pub response: &'static [Field],
    /// Whether the ordinal of the connection is part of what was recorded.
    pub keeps_connection: bool,
}
