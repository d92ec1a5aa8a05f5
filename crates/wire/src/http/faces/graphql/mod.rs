//! GraphQL over HTTP (GraphQL over HTTP specification, working draft; GraphQL specification,
//! September 2025): what the parameters of a request ask for.
//!
//! Documents are compared in normal form, variables by their paths. Schemas are no concern: a document
//! that no server would accept identifies a request all the same. Uploads as multipart are plain HTTP.

mod document;
mod literal;
mod token;

use super::{Answered, Asked, Face, Spoken};
use crate::http::media;
use document::{Document, Does};
use rehearsal_model::{Map, Value, json};

/// How many requests of a batch name it.
const SHOWN: usize = 3;
/// How many requests a batch may have.
const MAX_BATCH: usize = 1000;
/// The longest message of an error that is shown, in characters.
const MAX_MESSAGE: usize = 200;
/// How much of a hash names a document that is not there, in digits.
const SHORT_HASH: usize = 8;

/// The face.
pub(super) struct GraphQl;

impl Face for GraphQl {
    fn read(&self, asked: &Asked<'_>) -> Option<Spoken> {
        match asked.body.as_deref() {
            Some(body) => in_body(asked, body),
            None if asked.method == "GET" => in_query(asked.query),
            None => None,
        }
    }

    /// A document or its hash has to be there; a name may be written with escapes.
    fn may_speak_in(&self, query: &str) -> bool {
        let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair));
        names.any(|name| matches!(name, "query" | "extensions") || name.contains('%'))
    }

    fn failure(&self, answered: &Answered<'_>) -> Option<String> {
        let errors = |answer: &Map| {
            let errors = answer.get("errors")?.as_list().filter(|errors| !errors.is_empty())?;
            let message = errors[0].as_map()?.text("message").unwrap_or("without a message");
            let message: String = message.chars().take(MAX_MESSAGE).collect();
            Some(match errors.len() - 1 {
                0 => format!("GraphQL error: {message}"),
                more => format!("GraphQL error: {message} (and {more} more)"),
            })
        };
        match answered.body.as_deref()? {
            Value::Map(answer) => errors(answer),
            Value::List(answers) => answers.iter().filter_map(Value::as_map).find_map(errors),
            _ => None,
        }
    }
}

/// A `POST`: parameters as JSON, a batch of such, or a bare document.
fn in_body(asked: &Asked<'_>, body: &Value) -> Option<Spoken> {
    let said = match body {
        Value::Map(parameters) => Said::of(parameters)?,
        Value::List(batch) if (1..=MAX_BATCH).contains(&batch.len()) => {
            let each: Option<Vec<Said>> =
                batch.iter().map(|parameters| Said::of(parameters.as_map()?)).collect();
            return Some(batched(each?));
        }
        Value::Text(text) if media::is(asked.content_type(), "application/graphql") => {
            Said::of(&Map::from([("query", text.as_str())]))?
        }
        _ => return None,
    };
    Some(Spoken {
        operation: said.operation,
        identity: ("graphql", said.identity.into()),
        repeatable: said.reads,
        query: None,
        body: Some(said.form.into()),
        fields: Vec::new(),
    })
}

fn batched(batch: Vec<Said>) -> Spoken {
    let shown: Vec<&str> = batch.iter().take(SHOWN).map(|said| said.operation.as_str()).collect();
    let mut operation = shown.join(", ");
    if batch.len() > SHOWN {
        operation.push_str(&format!(" and {} more", batch.len() - SHOWN));
    }
    let repeatable = batch.iter().all(|said| said.reads);
    let (mut identities, mut forms) = (Vec::new(), Vec::new());
    for said in batch {
        identities.push(Value::Map(said.identity));
        forms.push(Value::Map(said.form));
    }
    Spoken {
        operation,
        identity: ("graphql", Value::List(identities)),
        repeatable,
        query: None,
        body: Some(Value::List(forms)),
        fields: Vec::new(),
    }
}

/// A `GET`: the parameters are in the query, those that are maps as JSON.
fn in_query(query: &Map) -> Option<Spoken> {
    let mut parameters = Map::new();
    for (name, value) in query.iter() {
        let tree = value.as_text().filter(|_| matches!(name, "variables" | "extensions"));
        let tree = tree.and_then(|text| json::parse(text).ok());
        parameters.push_new(name, tree.unwrap_or_else(|| value.clone()));
    }
    let said = Said::of(&parameters)?;
    Some(Spoken {
        operation: said.operation,
        identity: ("graphql", said.identity.into()),
        // A server must not execute anything else that comes so.
        repeatable: said.reads || !said.has_document,
        query: Some(said.form),
        body: None,
        fields: Vec::new(),
    })
}

/// What one set of parameters says.
struct Said {
    operation: String,
    identity: Map,
    /// The parameters in comparison form.
    form: Map,
    /// Whether it is known to be a query.
    reads: bool,
    has_document: bool,
}

impl Said {
    fn of(parameters: &Map) -> Option<Self> {
        let hash = persisted(parameters);
        let document = match parameters.get("query") {
            Some(Value::Text(text)) if !text.is_empty() => Some(document::parse(text)?),
            None | Some(Value::Null | Value::Text(_)) => None,
            Some(_) => return None,
        };
        if document.is_none() && hash.is_none() {
            return None;
        }
        let name = parameters.text("operationName").filter(|name| !name.is_empty());
        let mut identity = Map::new();
        if let Some(name) = executed(document.as_ref(), name).map_or(name, |it| it.name.as_deref())
        {
            identity.push_new("operation", name);
        }
        if let Some(document) = &document {
            identity.push_new("document", document.text.as_str());
        }
        if let Some(hash) = hash {
            identity.push_new("hash", hash);
        }
        let operation = shown(document.as_ref(), name, hash);
        let reads = executed(document.as_ref(), name).is_some_and(|it| it.does == Does::Query);
        let has_document = document.is_some();
        let form = form(parameters, document, name);
        Some(Said { operation, identity, form, reads, has_document })
    }
}

/// The hash of a document that the server may know (automatic persisted queries).
fn persisted(parameters: &Map) -> Option<&str> {
    let extensions = parameters.get("extensions")?.as_map()?;
    extensions.get("persistedQuery")?.as_map()?.text("sha256Hash")
}

/// The operation of a document that is asked for.
fn executed<'a>(
    document: Option<&'a Document>,
    name: Option<&str>,
) -> Option<&'a document::Operation> {
    match (document?.operations.as_slice(), name) {
        ([only], None) => Some(only),
        (all, Some(name)) => all.iter().find(|it| it.name.as_deref() == Some(name)),
        _ => None,
    }
}

fn shown(document: Option<&Document>, name: Option<&str>, hash: Option<&str>) -> String {
    match (executed(document, name), name, hash) {
        (Some(operation), ..) => operation.shown(),
        (None, Some(name), _) => format!("GraphQL {name}"),
        (None, None, Some(hash)) => {
            format!("GraphQL {}", hash.chars().take(SHORT_HASH).collect::<String>())
        }
        (None, None, None) => "GraphQL".to_owned(),
    }
}

/// The parameters without those that say nothing, and with the document in normal form.
fn form(parameters: &Map, document: Option<Document>, name: Option<&str>) -> Map {
    let only = |document: &Document| match document.operations.as_slice() {
        [only] => only.name.as_deref() == name,
        _ => false,
    };
    let repeated = name.is_none() || document.as_ref().is_some_and(only);
    let mut document = document;
    let mut out = Map::new();
    for (key, value) in parameters.iter() {
        let says_nothing = match (key, value) {
            ("variables" | "extensions", Value::Map(map)) => map.is_empty(),
            ("query" | "variables" | "extensions", value) => *value == Value::Null,
            ("operationName", _) => repeated,
            _ => false,
        };
        match document.take_if(|_| key == "query") {
            Some(document) => {
                out.push_new("query", document.text);
                if !document.literals.is_empty() {
                    out.push_new("literals", document.literals);
                }
            }
            None if says_nothing => {}
            None => out.push_new(key, value.clone()),
        }
    }
    out
}
