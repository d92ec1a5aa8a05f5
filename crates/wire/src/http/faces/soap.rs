//! SOAP 1.1 (W3C Note of 8 May 2000) and 1.2 (W3C Recommendation of 27 April 2007): what an envelope
//! asks for.
//!
//! Only the way to the first element of the body is read here. Envelopes are compared as all XML is,
//! element by element; attachments (MTOM) are plain multipart.

use super::{Answered, Asked, Face, Spoken};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use rehearsal_model::{Map, Value};

/// The namespaces of envelopes: SOAP 1.1, section 3; SOAP 1.2 part 1, section 5.
const ENVELOPES: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
/// How deep elements may nest.
const MAX_DEPTH: usize = 128;
/// How many namespaces may be declared at one place.
const MAX_NAMESPACES: usize = 64;
/// The longest reason of a fault that is shown, in characters.
const MAX_REASON: usize = 200;

/// The face.
pub(super) struct Soap;

impl Face for Soap {
    fn read(&self, asked: &Asked<'_>) -> Option<Spoken> {
        let envelope = envelope(asked.body.as_deref()?)?;
        let action = action(asked).map(str::to_owned);
        let named = envelope.first.as_ref().map(|first| first.local.clone());
        let name = named.or_else(|| action.clone()).unwrap_or_default();
        let mut soap = Map::new();
        if let Some(action) = &action {
            soap.push_new("action", action.as_str());
        }
        if let Some(Name { namespace, local }) = envelope.first {
            soap.push_new("element", format!("{{{namespace}}}{local}"));
        }
        let fields = asked.field("soapaction").and(action);
        Some(Spoken {
            operation: format!("SOAP {name}").trim_end().to_owned(),
            identity: ("soap", soap.into()),
            repeatable: false,
            query: None,
            body: None,
            fields: fields.map(|action| ("soapaction", action.into())).into_iter().collect(),
        })
    }

    fn may_speak_in(&self, _: &str) -> bool {
        false
    }

    fn failure(&self, answered: &Answered<'_>) -> Option<String> {
        let envelope = envelope(answered.body.as_deref()?)?;
        let fault = envelope.first.filter(|first| {
            first.local == "Fault" && ENVELOPES.contains(&first.namespace.as_str())
        });
        fault.map(|_| match envelope.reason {
            Some(reason) => format!("SOAP fault: {reason}"),
            None => "SOAP fault".to_owned(),
        })
    }
}

/// The intent of a request: a field in SOAP 1.1 (section 6.1.1), a parameter of the content type in 1.2
/// (part 2, section 6.5.3).
fn action<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let parameter = || {
        asked.content_type()?.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("action").then_some(value)
        })
    };
    let action = asked.field("soapaction").or_else(parameter)?;
    Some(action.trim().trim_matches('"')).filter(|action| !action.is_empty())
}

/// A name with its namespace, which is empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    namespace: String,
    local: String,
}

/// What is read of an envelope.
#[derive(Debug, Default, PartialEq, Eq)]
struct Envelope {
    /// The first element in its body.
    first: Option<Name>,
    /// What a fault says for people.
    reason: Option<String>,
}

/// The envelope that a body is, when it is one.
fn envelope(body: &Value) -> Option<Envelope> {
    let text = body.as_text()?;
    // Most bodies are not XML: they cost a look at their beginning.
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let mut reader = NsReader::from_str(text);
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let mut walk = Walk::default();
    loop {
        let event = reader.read_event().ok()?;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let (namespace, local) = reader.resolver().resolve_element(tag.name());
                let namespace = match namespace {
                    ResolveResult::Unbound => "",
                    ResolveResult::Bound(namespace) => namespace.0,
                    ResolveResult::Unknown(_) => return None,
                };
                let name =
                    Name { namespace: namespace.to_owned(), local: local.as_ref().to_owned() };
                walk.open(name)?;
                if matches!(event, Event::Empty(_)) {
                    walk.close();
                }
            }
            Event::End(_) => walk.close(),
            Event::Text(text) => walk.text(&text.xml10_content()),
            Event::CData(text) => walk.text(&text.xml10_content()),
            Event::DocType(_) => return None,
            Event::Eof => return None,
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(char) => walk.text(char.encode_utf8(&mut [0; 4])),
                None => walk.text(resolve_predefined_entity(&entity)?),
            },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if walk.done {
            return Some(walk.envelope);
        }
    }
}

/// The way through an envelope.
#[derive(Debug, Default)]
struct Walk {
    open: Vec<Name>,
    envelope: Envelope,
    /// Whether all that is wanted has been seen.
    done: bool,
}

impl Walk {
    /// An element begins; `None` when this is no envelope.
    fn open(&mut self, name: Name) -> Option<()> {
        match self.open.as_slice() {
            [] => {
                let known = ENVELOPES.contains(&name.namespace.as_str());
                if !known || name.local != "Envelope" {
                    return None;
                }
            }
            [root, body] if body.local == "Body" && body.namespace == root.namespace => {
                let fault = name.local == "Fault" && name.namespace == root.namespace;
                self.done = !fault;
                self.envelope.first = Some(name.clone());
            }
            open if open.len() >= MAX_DEPTH => return None,
            _ => {}
        }
        self.open.push(name);
        Some(())
    }

    fn text(&mut self, text: &str) {
        // SOAP 1.1, section 4.4; SOAP 1.2 part 1, section 5.4.2.
        let [_, _, fault, .., last] = self.open.as_slice() else { return };
        if fault.local == "Fault" && matches!(last.local.as_str(), "faultstring" | "Text") {
            let reason = self.envelope.reason.get_or_insert_default();
            let left = MAX_REASON.saturating_sub(reason.chars().count());
            reason.extend(text.chars().take(left));
        }
    }

    fn close(&mut self) {
        self.open.pop();
        let in_body = self.open.get(1).is_some_and(|body| body.local == "Body");
        self.done |= self.open.is_empty()
            || (self.envelope.first.is_some() && !in_body)
            || (self.open.len() > 2 && self.envelope.reason.is_some());
    }
}
