//! What is spoken through HTTP: GraphQL and SOAP are messages of HTTP that say in their body what
//! HTTP says in its request line.
//!
//! A face changes what a request is called, what identifies it, and how it is compared; it is never
//! sent, recorded or answered otherwise than HTTP. To add one, add its file and its word in [`ALL`].
//! What a face does not understand to the end is plain HTTP.

mod graphql;
mod soap;

use super::{comparison, fields};
use rehearsal_model::{Map, Value};
use std::borrow::Cow;

/// Every face, in the order in which they are tried.
static ALL: &[&dyn Face] = &[&graphql::GraphQl, &soap::Soap];

/// A language that is spoken through HTTP.
pub(super) trait Face: Sync {
    /// What a request says, or `None` when it is not in this language.
    fn read(&self, asked: &Asked<'_>) -> Option<Spoken>;

    /// Whether the query of a request without a body may say anything in this language: a look at the
    /// names that spares most requests the reading of their queries.
    fn may_speak_in(&self, query: &str) -> bool;

    /// What went wrong according to a response whose request is in this language, in a few words:
    /// what the status does not say.
    fn failure(&self, answered: &Answered<'_>) -> Option<String>;
}

/// What faces see of a request.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// The names and values after the path.
    pub(super) query: &'a Map,
    fields: Vec<(&'a str, &'a Value)>,
    /// What the body says, JSON as a tree.
    pub(super) body: Option<Cow<'a, Value>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(method: &'a str, query: &'a Map, request: &'a Map) -> Self {
        let fields = fields::each(request.get("headers"));
        let body = comparison::body(request, content_type(&fields));
        Asked { method, query, fields, body }
    }

    /// The first field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        fields::find(&self.fields, name)
    }

    pub(super) fn content_type(&self) -> Option<&'a str> {
        content_type(&self.fields)
    }
}

/// What faces see of a response.
pub(super) struct Answered<'a> {
    /// What the body says, JSON as a tree.
    pub(super) body: Option<Cow<'a, Value>>,
}

impl<'a> Answered<'a> {
    pub(super) fn new(response: &'a Map) -> Self {
        let fields = fields::each(response.get("headers"));
        Answered { body: comparison::body(response, content_type(&fields)) }
    }
}

fn content_type<'a>(fields: &[(&str, &'a Value)]) -> Option<&'a str> {
    fields::find(fields, "content-type")
}

/// What a request says in a language of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spoken {
    /// What people call it: `query Orders`.
    pub(super) operation: String,
    /// What tells it from others of the same method and path, and the word for that.
    pub(super) identity: (&'static str, Value),
    /// Whether asking again is harmless.
    pub(super) repeatable: bool,
    /// The query in comparison form, when that is not HTTP's.
    pub(super) query: Option<Map>,
    /// The body in comparison form, when that is not HTTP's.
    pub(super) body: Option<Value>,
    /// Fields in comparison form, by name in lower case, when they are not HTTP's.
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Spoken {
    /// Puts what is not HTTP's into a request in comparison form.
    pub(super) fn lay_over(self, form: &mut Map) {
        if let Some(body) = self.body {
            form.insert("body", body);
        }
        if let Some(Value::Map(fields)) = form.get_mut("headers") {
            self.fields.into_iter().for_each(|(name, value)| _ = fields.insert(name, value));
        }
    }
}

/// Whether a query may say anything in any of them.
pub(super) fn may_speak_in(query: &str) -> bool {
    !query.is_empty() && ALL.iter().any(|face| face.may_speak_in(query))
}

/// What a request says in the first language that it is in, and which that is.
pub(super) fn read(asked: &Asked<'_>) -> Option<(&'static dyn Face, Spoken)> {
    ALL.iter().find_map(|face| Some((*face, face.read(asked)?)))
}
