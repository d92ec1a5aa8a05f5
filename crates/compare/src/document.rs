//! Documents inside texts: JSON in a string, XML in a body.
//!
//! A text that is such a document is compared as what it says, not as how it is laid out.

use crate::base64::json_in;
use crate::print::Depth;
use crate::xml::{self, Element};
use rehearsal_model::{Map, Value, json};

/// The largest text that is read as a document, in bytes; a larger one is compared as text.
const MAX_DOCUMENT: usize = 4 << 20;
/// How many documents may stand one in another.
const MAX_DOCUMENTS: usize = 3;

/// What a text holds.
pub(crate) enum Document {
    Json(Value),
    Xml(Element),
}

/// The document that a text is: JSON when it is a list or map, also in Base64, the head and the claims
/// of a JWT, or well-formed XML.
pub(crate) fn read(text: &str, depth: Depth) -> Option<Document> {
    if text.len() > MAX_DOCUMENT || depth.documents >= MAX_DOCUMENTS {
        return None;
    }
    let content = text.trim_start_matches('\u{feff}').trim_start();
    match content.as_bytes().first()? {
        b'{' | b'[' => json::parse(content).ok().map(Document::Json),
        b'<' => xml::parse(content).map(Document::Xml),
        b'e' | b'W' | b'B' => {
            wrapped(content.strip_prefix("Bearer ").unwrap_or(content)).map(Document::Json)
        }
        _ => None,
    }
}

/// What Base64 holds, or a JWT. Who signed that, and how, is not compared: each signature may be another.
fn wrapped(text: &str) -> Option<Value> {
    let json = |letters: &str| json::parse(&json_in(letters.trim_end_matches('='))?.text).ok();
    let mut parts = text.split('.');
    let (first, claims, signature) = (parts.next()?, parts.next(), parts.next());
    match (claims, signature, parts.next()) {
        (None, None, None) => json(first),
        (Some(claims), Some(_), None) => {
            let (head, claims) = (json(first)?, json(claims)?);
            head.as_map()?.get("alg")?;
            Some(Value::Map(Map::from([("head", head), ("claims", claims)])))
        }
        _ => None,
    }
}
