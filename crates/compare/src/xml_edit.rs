//! Changes one place in an XML document and leaves all other text of it as it is written.
//!
//! Places are named as differences name them: `/order/item[2]/@sku`. What cannot be told apart in the text,
//! such as one of several texts between elements, is not changed.

use crate::path::{self, Step};
use crate::xml::{Element, Node, parse};
use std::ops::Range;

/// What is to become of a place.
#[derive(Clone, Copy, Debug)]
pub enum XmlChange<'a> {
    /// It says something else: a text, or an element as it is written.
    Set(&'a str),
    /// It is gone.
    Remove,
    /// There is something that was not there: an attribute, or an element as it is written.
    Add(&'a str),
}

/// What stands at a place of a document: the text of an attribute or element, or the element as it is
/// written when it has other elements in it or `written` says the same. None when nothing does, or when the
/// document is no XML.
#[must_use]
pub fn xml_at(document: &str, path: &str, written: Option<&str>) -> Option<String> {
    let (text, root, steps) = open(document, path)?;
    let (element, rest) = find(&root, &steps)?;
    match rest {
        [] => {
            let source = text.get(element.source.clone())?;
            match element.only_text() {
                Some(only) if written != Some(source) => Some(only.to_owned()),
                _ => Some(source.to_owned()),
            }
        }
        [Step::Attribute(name)] => {
            let found = element.attributes.iter().find(|(known, _)| known.local == *name);
            found.map(|(_, value)| value.clone())
        }
        _ => None,
    }
}

/// The document with a place changed; none when that cannot be done in place.
#[must_use]
pub fn xml_with(document: &str, path: &str, change: XmlChange<'_>) -> Option<String> {
    let (text, root, steps) = open(document, path)?;
    let before = document.len() - text.len();
    let (range, new) = match (change, steps.as_slice()) {
        (XmlChange::Add(new), [way @ .., Step::Element(_)])
        | (XmlChange::Add(new), [way @ .., Step::Element(_), Step::Nth(_)]) => {
            inserted(text, find(&root, way)?.0, new)?
        }
        (change, _) => match (change, find(&root, &steps)?) {
            (XmlChange::Set(new), (element, [])) => {
                (written(text, element, new)?, rendered(text, element, new)?)
            }
            (XmlChange::Remove, (element, [])) => {
                (with_space(text, element.source.clone()), String::new())
            }
            (change, (element, [Step::Attribute(name)])) => attribute(text, element, name, change)?,
            _ => return None,
        },
    };
    let range = range.start + before..range.end + before;
    let out = [&document[..range.start], &new, &document[range.end..]].concat();
    open(&out, "").is_some().then_some(out)
}

/// The document from its first element on, its tree, and the steps of a path in it.
fn open<'d, 'p>(document: &'d str, path: &'p str) -> Option<(&'d str, Element, Vec<Step<'p>>)> {
    let text = document.trim_start_matches('\u{feff}').trim_start();
    let steps = if path.is_empty() { Vec::new() } else { path::parse(path).ok()? };
    Some((text, parse(text)?, steps))
}

/// The element that steps lead to, and what is left of them behind it.
fn find<'e, 's, 'p>(
    root: &'e Element,
    steps: &'s [Step<'p>],
) -> Option<(&'e Element, &'s [Step<'p>])> {
    let [Step::Element(first), rest @ ..] = steps else { return None };
    let (mut element, mut rest) = (root, rest);
    if root.name.local != *first {
        return None;
    }
    while let [Step::Element(name), after @ ..] = rest {
        let (nth, after) = match after {
            [Step::Nth(nth), after @ ..] => (*nth, after),
            _ => (1, after),
        };
        let mut named = element.children.iter().filter_map(|child| match child {
            Node::Element(element) if element.name.local == *name => Some(element),
            _ => None,
        });
        (element, rest) = (named.nth(nth.checked_sub(1)?)?, after);
    }
    Some((element, rest))
}

/// What is replaced when an element is to say something: its inside, or all of it when it is given as it is
/// written.
fn written(text: &str, element: &Element, new: &str) -> Option<Range<usize>> {
    let source = text.get(element.source.clone())?;
    if new.starts_with('<') && parse(new).is_some() || source.ends_with("/>") {
        return Some(element.source.clone());
    }
    element.only_text()?;
    let (opened, closed) = (tag_end(source)?, source.rfind("</")?);
    Some(element.source.start + opened..element.source.start + closed)
}

fn rendered(text: &str, element: &Element, new: &str) -> Option<String> {
    let source = text.get(element.source.clone())?;
    if new.starts_with('<') && parse(new).is_some() {
        return Some(new.to_owned());
    }
    let new = escaped(new);
    Some(match source.strip_suffix("/>") {
        Some(tag) => format!("{}>{new}</{}>", tag.trim_end(), tag_name(source)),
        None => new,
    })
}

fn tag_name(source: &str) -> &str {
    let name = source.trim_start_matches('<');
    name.split(|char: char| char.is_whitespace() || char == '>' || char == '/').next().unwrap_or("")
}

/// Behind the `>` of a start tag; one in the value of an attribute is none.
fn tag_end(source: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in source.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// An element with the white space before it, where it stands on lines of its own.
fn with_space(text: &str, range: Range<usize>) -> Range<usize> {
    let before = text[..range.start].trim_end();
    match text[before.len()..range.start].contains('\n') {
        true => before.len()..range.end,
        false => range,
    }
}

/// Where a new child goes: behind the others, spaced as the last of them.
fn inserted(text: &str, parent: &Element, new: &str) -> Option<(Range<usize>, String)> {
    let last = parent.children.iter().rev().find_map(|child| match child {
        Node::Element(element) => Some(element.source.clone()),
        Node::Text(_) => None,
    });
    if let Some(last) = last {
        let space = &text[with_space(text, last.clone()).start..last.start];
        return Some((last.end..last.end, format!("{space}{new}")));
    }
    let source = text.get(parent.source.clone())?;
    if let Some(tag) = source.strip_suffix("/>") {
        return Some((
            parent.source.clone(),
            format!("{}>{new}</{}>", tag.trim_end(), tag_name(source)),
        ));
    }
    let end = parent.source.start + source.rfind("</")?;
    Some((end..end, new.to_owned()))
}

/// What is replaced, and by what, when an attribute changes.
fn attribute(
    text: &str,
    element: &Element,
    local: &str,
    change: XmlChange<'_>,
) -> Option<(Range<usize>, String)> {
    let source = text.get(element.source.clone())?;
    let tag = &source[..tag_end(source)?];
    let start = element.source.start;
    let found = attributes(tag)
        .into_iter()
        .find(|(name, ..)| !name.starts_with("xmlns") && name.rsplit(':').next() == Some(local));
    match (change, found) {
        (XmlChange::Set(new), Some((_, _, value))) => {
            let quote = &tag[value.start - 1..value.start];
            let new = escaped(new).replace(quote, if quote == "\"" { "&quot;" } else { "&apos;" });
            Some((start + value.start..start + value.end, new))
        }
        (XmlChange::Remove, Some((_, whole, _))) => {
            Some((start + whole.start..start + whole.end, String::new()))
        }
        (XmlChange::Add(new), None) => {
            let end = tag.trim_end_matches(['>', '/']).trim_end().len();
            let new = escaped(new).replace('"', "&quot;");
            Some((start + end..start + end, format!(" {local}=\"{new}\"")))
        }
        _ => None,
    }
}

/// The attributes of a tag: name, all of it with the space before it, and what is between its quotes.
fn attributes(tag: &str) -> Vec<(&str, Range<usize>, Range<usize>)> {
    let mut out = Vec::new();
    let mut at = 1 + tag_name(tag).len();
    while let Some(equals) = tag[at..].find('=').map(|found| at + found) {
        let name = tag[at..equals].trim();
        let rest = &tag[equals + 1..];
        let open = equals + 1 + (rest.len() - rest.trim_start().len());
        let Some(quote) = tag[open..].chars().next().filter(|char| ['"', '\''].contains(char))
        else {
            break;
        };
        let Some(length) = tag[open + 1..].find(quote) else { break };
        let close = open + 1 + length;
        out.push((name, at..close + 1, open + 1..close));
        at = close + 1;
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "\u{feff}<?xml version=\"1.0\"?>\n<o:order xmlns:o='urn:o' id=\"7\">\n  \
                         <o:item sku='A>1' o:n=\"2\">a &amp; b</o:item>\n  <!-- kept -->\n  <o:item/>\n  \
                         <total>1.50</total>\n</o:order>\n";

    #[track_caller]
    fn check(path: &str, change: XmlChange<'_>, from: &str, to: &str) {
        let out = xml_with(ORDER, path, change).unwrap();
        assert_eq!(out, ORDER.replacen(from, to, 1), "{path}");
        assert_eq!(ORDER.matches(from).count(), 1, "{from} is one place");
    }

    #[test]
    fn only_the_place_changes() {
        check("/order/total", XmlChange::Set("2 < 3"), "1.50", "2 &lt; 3");
        check("/order/item[1]", XmlChange::Set("c"), "a &amp; b", "c");
        check("/order/item[2]", XmlChange::Set("x"), "<o:item/>", "<o:item>x</o:item>");
        check("/order/item[1]/@sku", XmlChange::Set("it's"), "A>1", "it&apos;s");
        check("/order/item[1]/@n", XmlChange::Remove, " o:n=\"2\"", "");
        check("/order/@id", XmlChange::Set("8"), "\"7\"", "\"8\"");
        check(
            "/order/item[1]/@new",
            XmlChange::Add("\"1\""),
            "\"2\">",
            "\"2\" new=\"&quot;1&quot;\">",
        );
        check("/order/total", XmlChange::Remove, "\n  <total>1.50</total>", "");
        check("/order/tax", XmlChange::Add("<tax>1</tax>"), "</total>", "</total>\n  <tax>1</tax>");
        check(
            "/order/item[2]/note",
            XmlChange::Add("<note/>"),
            "<o:item/>",
            "<o:item><note/></o:item>",
        );
        let sum = "<sum>1.50</sum>";
        check("/order/total", XmlChange::Set(sum), "<total>1.50</total>", sum);
    }

    #[test]
    fn what_stands_there_is_told_as_a_difference_tells_it() {
        let at = |path: &str, written| xml_at(ORDER, path, written);
        assert_eq!(at("/order/total", None).as_deref(), Some("1.50"));
        let whole = "<total>1.50</total>";
        assert_eq!(at("/order/total", Some(whole)).as_deref(), Some(whole));
        assert_eq!(at("/order/item[1]/@sku", None).as_deref(), Some("A>1"));
        assert_eq!(at("/order/item[3]", None), None);
        assert_eq!(at("/other", None), None);
        assert_eq!(xml_at("no XML", "/a", None), None);
    }

    #[test]
    fn what_cannot_be_done_in_place_is_left() {
        for (path, change) in [
            ("/order", XmlChange::Set("text")),
            ("/order/item[0]", XmlChange::Remove),
            ("/order/item[1]/text()", XmlChange::Set("x")),
            ("/order/nothing", XmlChange::Remove),
            ("/order", XmlChange::Remove),
            ("/order/tax", XmlChange::Add("<tax>")),
        ] {
            assert_eq!(xml_with(ORDER, path, change), None, "{path} {change:?}");
        }
    }
}
