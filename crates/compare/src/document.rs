//! Documents inside texts: JSON in a string, XML in a body.
//!
//! A text that is such a document is compared as what it says, not as how it is laid out.

use crate::print::Depth;
use crate::xml::{self, Element};
use rehearsal_model::{Value, json};

/// The largest text that is read as a document, in bytes; a larger one is compared as text.
const MAX_DOCUMENT: usize = 4 << 20;
/// How many documents may stand one in another.
const MAX_DOCUMENTS: usize = 3;

/// What a text holds.
pub(crate) enum Document {
    Json(Value),
    Xml(Element),
}

/// The document that a text is: JSON when it is a list or map, or well-formed XML.
pub(crate) fn read(text: &str, depth: Depth) -> Option<Document> {
    if text.len() > MAX_DOCUMENT || depth.documents >= MAX_DOCUMENTS {
        return None;
    }
    let content = text.trim_start_matches('\u{feff}').trim_start();
    match content.as_bytes().first()? {
        b'{' | b'[' => json::parse(content).ok().map(Document::Json),
        b'<' => xml::parse(content).map(Document::Xml),
        _ => None,
    }
}
