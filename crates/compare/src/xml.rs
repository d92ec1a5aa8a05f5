//! XML (1.0, with namespaces) as a canonical tree.
//!
//! Prefixes, the order of attributes, comments, processing instructions, CDATA sections, line endings
//! and white space between elements do not count. Only the predefined entities and character
//! references are expanded. A document with a document type is not read: it is text.

use crate::path::Step;
use crate::print::hash;
use crate::rules::{Rules, State};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;
use rehearsal_model::secret::mask;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// How deep elements may nest.
const MAX_DEPTH: usize = 128;
/// How many elements a document may have.
const MAX_ELEMENTS: usize = 100_000;
/// How many attributes an element may have.
const MAX_ATTRIBUTES: usize = 256;
/// How many namespaces may be declared at one place.
const MAX_NAMESPACES: usize = 64;

/// A name with its namespace, which is empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) local: String,
    pub(crate) namespace: String,
}

/// An element.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: Name,
    pub(crate) attributes: BTreeMap<Name, String>,
    pub(crate) children: Vec<Node>,
    /// Where it stands in the text.
    pub(crate) source: Range<usize>,
    /// Whether white space in it counts (`xml:space`).
    preserve: bool,
}

/// What stands in an element.
#[derive(Debug)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

/// Where an element stands among those of its local name beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) nth: usize,
    /// How many there are.
    pub(crate) count: usize,
}

impl Element {
    /// The text, when there is nothing but text in it.
    pub(crate) fn only_text(&self) -> Option<&str> {
        match self.children.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// For each child where it stands among the elements of its local name; zeros for text.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut places = Vec::with_capacity(self.children.len());
        for child in &self.children {
            let nth = match child {
                Node::Text(_) => 0,
                Node::Element(element) => {
                    let count = counts.entry(&element.name.local).or_default();
                    *count += 1;
                    *count
                }
            };
            places.push(Place { nth, count: 0 });
        }
        for (place, child) in places.iter_mut().zip(&self.children) {
            if let Node::Element(element) = child {
                place.count = counts.get(element.name.local.as_str()).copied().unwrap_or(0);
            }
        }
        places
    }

    /// The fingerprint under the rules at its parent's state extended by its own step.
    pub(crate) fn print(&self, rules: &Rules, parent: &State) -> u64 {
        self.print_at(rules, &rules.down_element(parent, &self.name.local, 1))
    }

    /// The fingerprints of its children, in order.
    pub(crate) fn prints(&self, rules: &Rules, state: &State) -> Vec<u64> {
        let print = |(child, place): (&Node, Place)| match child {
            Node::Text(_) if rules.is_noise(&rules.down(state, &Step::Content)) => 0,
            Node::Text(text) => hash(("text", mask(text))),
            Node::Element(element) => {
                element.print_at(rules, &rules.down_element(state, &element.name.local, place.nth))
            }
        };
        self.children.iter().zip(self.places()).map(print).collect()
    }

    fn print_at(&self, rules: &Rules, state: &State) -> u64 {
        if rules.is_noise(state) {
            return hash(&self.name);
        }
        let counted = |(name, _): &(&Name, &String)| {
            !rules.is_noise(&rules.down(state, &Step::Attribute(name.local.as_str().into())))
        };
        let attributes: Vec<_> = self
            .attributes
            .iter()
            .filter(counted)
            .map(|(name, value)| (name, mask(value)))
            .collect();
        hash((&self.name, attributes, self.prints(rules, state)))
    }
}

/// The root of a document, or `None` when it is not well-formed, or more than is compared.
pub(crate) fn parse(text: &str) -> Option<Element> {
    let mut reader = NsReader::from_str(text);
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let mut tree = Tree { open: Vec::new(), root: None, count: 0 };
    loop {
        let start = usize::try_from(reader.buffer_position()).ok()?;
        let event = reader.read_event().ok()?;
        let end = usize::try_from(reader.buffer_position()).ok()?;
        match event {
            Event::Start(tag) => tree.open(element(&tag, reader.resolver(), start..end)?)?,
            Event::Empty(tag) => {
                tree.open(element(&tag, reader.resolver(), start..end)?)?;
                tree.close(end)?;
            }
            Event::End(_) => tree.close(end)?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(entity) => {
                let char = match entity.resolve_char_ref().ok()? {
                    Some(char) => char,
                    None => predefined(&entity)?,
                };
                tree.text(char.encode_utf8(&mut [0; 4]))?;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return None,
            Event::Eof => break,
        }
    }
    tree.open.is_empty().then_some(tree.root)?
}

/// XML 1.0, section 4.6.
fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

fn element(
    tag: &BytesStart<'_>,
    resolver: &NamespaceResolver,
    source: Range<usize>,
) -> Option<Element> {
    let (namespace, local) = resolver.resolve_element(tag.name());
    let name = self::name(&namespace, local.as_ref())?;
    let mut attributes = BTreeMap::new();
    let mut preserve = false;
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        let attribute = attribute.ok()?;
        if count >= MAX_ATTRIBUTES {
            return None;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        if attribute.key.as_ref() == "xml:space" {
            preserve = value == "preserve";
        }
        if attribute.key.as_namespace_binding().is_none() {
            let (namespace, local) = resolver.resolve_attribute(attribute.key);
            let name = self::name(&namespace, local.as_ref())?;
            if attributes.insert(name, value.into_owned()).is_some() {
                return None;
            }
        }
    }
    Some(Element { name, attributes, children: Vec::new(), source, preserve })
}

fn name(namespace: &ResolveResult<'_>, local: &str) -> Option<Name> {
    let namespace = match namespace {
        ResolveResult::Unbound => "",
        ResolveResult::Bound(namespace) => namespace.0,
        ResolveResult::Unknown(_) => return None,
    };
    // The reader takes more for a name than XML does, also what no path can hold.
    let is_name = !local.is_empty() && !local.contains(['/', '[', ']', '(', ')', '@', '*', '"']);
    is_name.then(|| Name { local: local.to_owned(), namespace: namespace.to_owned() })
}

/// A tree under construction.
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, mut element: Element) -> Option<()> {
        self.count += 1;
        let second_root = self.open.is_empty() && self.root.is_some();
        if second_root || self.open.len() >= MAX_DEPTH || self.count > MAX_ELEMENTS {
            return None;
        }
        element.preserve |= self.open.last().is_some_and(|parent| parent.preserve);
        self.open.push(element);
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        let Some(parent) = self.open.last_mut() else {
            return text.trim_start_matches('\u{feff}').trim().is_empty().then_some(());
        };
        match parent.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => parent.children.push(Node::Text(text.to_owned())),
        }
        Some(())
    }

    fn close(&mut self, end: usize) -> Option<()> {
        let mut element = self.open.pop()?;
        element.source.end = end;
        let has_elements = element.children.iter().any(|child| matches!(child, Node::Element(_)));
        if has_elements && !element.preserve {
            element.children.retain(|child| match child {
                Node::Text(text) => !text.bytes().all(|byte| b" \t\r\n".contains(&byte)),
                Node::Element(_) => true,
            });
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Some(())
    }
}
