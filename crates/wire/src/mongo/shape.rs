//! How commands and replies look in files.

use rehearsal_model::Value;
use rehearsal_model::shape::{ExchangeShape, Field, Shape};

const DOCUMENT: Shape = Shape::Named(&Shape::Any);
const DOCUMENTS: Shape = Shape::List(&Shape::Any);

/// Parts of commands that stand beside the headline; the others stand under `options`.
pub(super) const PARTS: &[Field] = &[
    Field::optional("documents", DOCUMENTS, "The documents to insert"),
    Field::optional("updates", DOCUMENTS, "What to update (`q`) and how (`u`)"),
    Field::optional("deletes", DOCUMENTS, "What to delete (`q`), one or all of it (`limit`)"),
    Field::optional("filter", DOCUMENT, "Which documents to find"),
    Field::optional("query", DOCUMENT, "Which documents are meant"),
    Field::optional("pipeline", DOCUMENTS, "The stages of an aggregation"),
    Field::optional("update", Shape::Any, "How to change the document that is found"),
    Field::optional("remove", Shape::Bool, "Whether to delete the document that is found"),
    Field::optional("new", Shape::Bool, "Whether to give the document as it is afterwards"),
    Field::optional("upsert", Shape::Bool, "Whether to insert when nothing is found"),
    Field::optional("key", Shape::Text, "The field whose values are wanted"),
    Field::optional("projection", DOCUMENT, "Which fields to give"),
    Field::optional("fields", DOCUMENT, "Which fields to give"),
    Field::optional("sort", DOCUMENT, "In which order"),
    Field::optional("skip", Shape::Any, "How many to pass over"),
    Field::optional("limit", Shape::Any, "How many at most"),
    Field::optional("indexes", DOCUMENTS, "The indexes to create"),
];

/// Whether a value can stand where a field is, so that the file can be read again.
pub(super) fn fits(field: &Field, value: &Value) -> bool {
    match field.shape {
        Shape::Text => value.as_text().is_some(),
        Shape::Bool => matches!(value, Value::Bool(_)),
        Shape::Integer => value.as_i64().is_some(),
        Shape::List(_) => value.as_list().is_some(),
        Shape::Named(_) => value.as_map().is_some(),
        _ => true,
    }
}

/// Whether a value can stand at a key of a reply.
pub(super) fn fits_reply(key: &str, value: &Value) -> bool {
    SHAPE.response.iter().any(|field| field.name == key && fits(field, value))
}

pub(super) static SHAPE: ExchangeShape = ExchangeShape {
    request: &[
        Field::required("mongodb", Shape::Text, "The command, its database and collection"),
        PARTS[0],
        PARTS[1],
        PARTS[2],
        PARTS[3],
        PARTS[4],
        PARTS[5],
        PARTS[6],
        PARTS[7],
        PARTS[8],
        PARTS[9],
        PARTS[10],
        PARTS[11],
        PARTS[12],
        PARTS[13],
        PARTS[14],
        PARTS[15],
        PARTS[16],
        Field::optional("cursor", Shape::Integer, "The cursor to read on"),
        Field::optional("awaits", Shape::Bool, "Whether the server answers when there is news"),
        Field::optional("options", DOCUMENT, "Whatever else the command says"),
        Field::optional(
            "transaction",
            Shape::Choice(&["begins", "continues"]),
            "Whether it is the first or a later command of a transaction",
        ),
    ],
    answer: "reply",
    response: &[
        Field::optional("documents", DOCUMENTS, "The documents of this batch of a cursor"),
        Field::optional("cursor", Shape::Integer, "The cursor that has more of them"),
        Field::optional("cursor_of", Shape::Text, "Its name, when it is not the collection's"),
        Field::optional("resume_token", Shape::Any, "Where a change stream stands"),
        Field::optional("n", Shape::Any, "How many documents there were"),
        Field::optional("nModified", Shape::Any, "How many of them were changed"),
        Field::optional("upserted", DOCUMENTS, "The ids of documents that were inserted"),
        Field::optional("value", Shape::Any, "The document that was found"),
        Field::optional("values", Shape::Any, "The values that were found"),
        Field::optional("lastErrorObject", Shape::Any, "What was done to it"),
        Field::optional("writeErrors", DOCUMENTS, "What could not be written, and why"),
        Field::optional("writeConcernError", Shape::Any, "Why a write is not as safe as wanted"),
        Field::optional("fields", DOCUMENT, "Whatever else the server says"),
        Field::optional("error", DOCUMENT, "Why the server refused"),
    ],
    keeps_connection: false,
};
