//! Changes what a document says, and nothing else of its text: comments, layout and spelling of all
//! that stays the same are kept byte for byte.
//!
//! A document is cut into pieces, each with what stands before it; pieces whose value stays are put
//! back as they were. What became of a value is found by comparing, so nobody has to say where.

use super::emit::{EmitError, Emitter, Substitute, in_line};
use super::read::{Content, Key, Node};
use rehearsal_model::{Map, Value};

/// Why a document cannot be changed in place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmendError {
    /// The value has no text.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// It is laid out in a way that is not understood here.
    #[error(
        "line {0} is laid out in a way in which it cannot be changed in place; edit it by hand"
    )]
    Layout(u32),
}

/// The text of a document that says `new`, where `text` says what `node` holds. In maps the order of
/// keys is that of the text.
pub(crate) fn amend<S: Substitute>(
    text: &str,
    node: &Node,
    new: &Value,
    large: &mut S,
) -> Result<String, AmendError> {
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut amender = Amender { text, lines, large };
    if says(node, new) {
        return Ok(text.to_owned());
    }
    let (start, end) = (amender.start(node), amender.end(node, 0));
    match amender.value(node, new)? {
        Some(middle) => Ok([&text[..start], &middle, &text[end..]].concat()),
        None => Err(AmendError::Layout(node.at.line)),
    }
}

/// Whether two values are the same but for the order of keys.
pub(crate) fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| alike(value, other)))
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (one, other) => one == other,
    }
}

/// Whether a node says a value.
fn says(node: &Node, value: &Value) -> bool {
    match (&node.content, value) {
        (Content::Scalar(one), other) => one == other,
        (Content::List(nodes), Value::List(list)) => {
            nodes.len() == list.len() && nodes.iter().zip(list).all(|(node, it)| says(node, it))
        }
        (Content::Map(pairs), Value::Map(map)) => {
            pairs.len() == map.len()
                && pairs
                    .iter()
                    .all(|(key, node)| map.get(&key.text).is_some_and(|it| says(node, it)))
        }
        _ => false,
    }
}

struct Amender<'a, S> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    large: &'a mut S,
}

/// A piece of a list or map: what parts it from the one before, and itself.
struct Piece {
    lead: String,
    body: String,
}

impl<S: Substitute> Amender<'_, S> {
    /// The byte at which a place is.
    fn offset(&self, spot: super::Spot) -> usize {
        let line = self.lines.get(spot.line as usize - 1).copied().unwrap_or(self.text.len());
        let rest = &self.text[line..];
        let column = spot.column as usize - 1;
        line + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn start(&self, node: &Node) -> usize {
        if let Content::List(items) = &node.content
            && let (Some(first), false) = (items.first(), self.is_flow(node) || self.is_word(node))
        {
            return self.dash(first).unwrap_or_else(|_| self.offset(node.at));
        }
        let at = self.offset(node.at);
        match node.at == node.end {
            // What the parser says of nothing is the place of the colon or dash before it.
            true => at + usize::from(self.text[at..].starts_with([':', '-'])),
            false => at,
        }
    }

    fn opens(&self, node: &Node, with: &[char]) -> bool {
        self.text[self.offset(node.at)..].starts_with(with)
    }

    /// Whether a list or map stands between brackets.
    fn is_flow(&self, node: &Node) -> bool {
        self.opens(node, &['{', '['])
    }

    /// Whether the value of a node stands elsewhere, and here only a word for it.
    fn is_word(&self, node: &Node) -> bool {
        !matches!(node.content, Content::Scalar(_)) && self.opens(node, &['!'])
    }

    /// The byte behind the last one of a node, behind the comment on its last line where it is a list
    /// or map of several lines. `of` is where the key or dash stands that it belongs to.
    fn end(&self, node: &Node, of: usize) -> usize {
        let blocks = !self.is_flow(node) && !self.is_word(node);
        match &node.content {
            Content::List(nodes) if blocks => match nodes.last() {
                Some(last) => self.end_of_line(self.end(last, self.dash(last).unwrap_or(of))),
                None => self.offset(node.end),
            },
            Content::Map(pairs) if blocks => match pairs.last() {
                Some((key, last)) => self.end_of_line(self.end(last, self.offset(key.at))),
                None => self.offset(node.end),
            },
            _ if node.block => self.end_of_block(of),
            // Nothing stands there: it is the value of `key:`.
            Content::Scalar(_) if node.at == node.end => self.start(node),
            _ => self.offset(node.end),
        }
    }

    /// Behind the comment that stands on the rest of a line, if there is nothing else.
    fn end_of_line(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |feed| at + feed);
        let rest = self.text[at..end].trim();
        if rest.starts_with('#') { end } else { at }
    }

    /// A block of text ends before the first line that is not deeper than what it belongs to.
    fn end_of_block(&self, of: usize) -> usize {
        let own = self.column(of);
        let first = self.text[of..].find('\n').map_or(self.text.len(), |feed| of + feed);
        let head = self.text[of..first].rsplit(['|', '>']).next().unwrap_or_default();
        let keeps = head.split('#').next().unwrap_or_default().contains('+');
        let (mut end, mut at) = (first, first);
        while at + 1 < self.text.len() {
            let line_end = self.text[at + 1..].find('\n').map_or(self.text.len(), |to| at + 1 + to);
            let line = &self.text[at + 1..line_end];
            let blank = line.trim().is_empty();
            if !blank && line.len() - line.trim_start_matches(' ').len() <= own {
                break;
            }
            if !blank || keeps {
                end = line_end;
            }
            at = line_end;
        }
        end
    }

    /// The text that a node becomes where it stands; none when it has to be written anew with what is
    /// before it.
    fn value(&mut self, node: &Node, new: &Value) -> Result<Option<String>, AmendError> {
        if self.is_word(node) {
            return Ok(None);
        }
        match (&node.content, new) {
            (Content::Map(pairs), Value::Map(map)) if !pairs.is_empty() && !map.is_empty() => {
                self.map(node, pairs, map)
            }
            (Content::List(items), Value::List(list)) if !items.is_empty() && !list.is_empty() => {
                self.list(node, items, list)
            }
            _ => Ok(None),
        }
    }

    fn map(
        &mut self,
        node: &Node,
        pairs: &[(Key, Node)],
        map: &Map,
    ) -> Result<Option<String>, AmendError> {
        let flow = self.is_flow(node);
        let renamed = renamed(pairs, map);
        let mut pieces = Vec::with_capacity(map.len());
        let mut before = self.start(node) + usize::from(flow);
        let mut lead = None;
        for (key, value) in pairs {
            let start = self.offset(key.at);
            let end = self.piece_end(value, start, flow);
            let between = self.text[before..start].to_owned();
            before = end;
            // What stood before the first one stands before whatever is the first.
            let between = lead.take().unwrap_or(between);
            let name = renamed.iter().find(|(old, _)| *old == key.text).map(|(_, new)| *new);
            let name = name.unwrap_or(&key.text);
            let Some(new) = map.get(name) else {
                if pieces.is_empty() {
                    lead = Some(between);
                }
                continue;
            };
            let body = self.pair(key, name, value, new, flow)?;
            pieces.push(Piece { lead: between, body });
        }
        if pieces.is_empty() {
            return Ok(None);
        }
        let indent = node.at.column as usize - 1;
        for (key, value) in map.iter() {
            let known = pairs.iter().any(|(known, _)| known.text == key)
                || renamed.iter().any(|(_, new)| *new == key);
            if !known {
                pieces.push(self.new_pair(key, value, indent, flow)?);
            }
        }
        Ok(Some(self.join(node, flow, before, pieces)))
    }

    /// Where a piece of a list or map ends: of one on lines of its own, with the comment behind it.
    fn piece_end(&self, node: &Node, of: usize, flow: bool) -> usize {
        let end = self.end(node, of);
        if flow { end } else { self.end_of_line(end) }
    }

    fn join(&self, node: &Node, flow: bool, before: usize, pieces: Vec<Piece>) -> String {
        let mut out = String::new();
        if flow {
            out.push_str(&self.text[self.start(node)..=self.start(node)]);
        }
        pieces.iter().for_each(|piece| out.extend([piece.lead.as_str(), &piece.body]));
        if flow {
            out.push_str(&self.text[before..self.offset(node.end)]);
        }
        out
    }

    /// A pair that was there, perhaps by another name.
    fn pair(
        &mut self,
        key: &Key,
        name: &str,
        node: &Node,
        new: &Value,
        flow: bool,
    ) -> Result<String, AmendError> {
        let (start, value) = (self.offset(key.at), self.start(node));
        let (value_end, end) = (self.end(node, start), self.piece_end(node, start, flow));
        let text = self.text;
        let spelled = text[start..].find(':').map_or(start, |colon| start + colon);
        if name != key.text {
            if text[start..spelled].trim_matches(['"', '\'']) != key.text {
                // A key with escapes or a colon in it: the pair is written anew.
                let indent = key.at.column as usize - 1;
                return Ok(self.new_pair(name, new, indent, flow)?.body);
            }
            return Ok([&in_line(&Value::from(name), &mut ()), &text[spelled..end]].concat());
        }
        if says(node, new) {
            return Ok(text[start..end].to_owned());
        }
        if let Some(inside) = self.value(node, new)? {
            return Ok([&text[start..value], &inside, &text[value_end..end]].concat());
        }
        let one_line = node.at.line == key.at.line
            && node.end.line == key.at.line
            && node.at != node.end
            && !node.block;
        if flow || (one_line && is_short(new)) {
            let new = in_line(new, self.large);
            let space = if node.at == node.end { " " } else { "" };
            return Ok([&text[start..value], space, &new, &text[value_end..end]].concat());
        }
        let indent = key.at.column as usize - 1;
        Ok(self.emitted(indent, |out| match out.large.document(new) {
            Some((tag, word)) => {
                out.key(name, indent);
                out.tagged(tag, &word);
                Ok(())
            }
            None => out.pair(name, new, indent),
        })?)
    }

    /// What an emitter writes in a column, without the white space around it.
    fn emitted(
        &mut self,
        indent: usize,
        write: impl FnOnce(&mut Emitter<&mut S>) -> Result<(), EmitError>,
    ) -> Result<String, EmitError> {
        let mut out = Emitter::new(&mut *self.large);
        write(&mut out)?;
        let (text, _) = out.finish();
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.get(indent..).unwrap_or_default().to_owned())
    }

    fn new_pair(
        &mut self,
        key: &str,
        value: &Value,
        indent: usize,
        flow: bool,
    ) -> Result<Piece, AmendError> {
        if flow {
            let key = in_line(&Value::from(key), &mut ());
            let body = format!("{key}: {}", in_line(value, self.large));
            return Ok(Piece { lead: ", ".to_owned(), body });
        }
        let body = self.emitted(indent, |out| out.pair(key, value, indent))?;
        Ok(Piece { lead: format!("\n{}", " ".repeat(indent)), body })
    }

    fn list(
        &mut self,
        node: &Node,
        items: &[Node],
        list: &[Value],
    ) -> Result<Option<String>, AmendError> {
        let flow = self.is_flow(node);
        let sources = sources(items, list);
        let mut leads = Vec::with_capacity(items.len());
        let mut starts = Vec::with_capacity(items.len());
        let mut before = self.start(node) + usize::from(flow);
        for item in items {
            let start = if flow { self.start(item) } else { self.dash(item)? };
            leads.push(self.text[before.min(start)..start].to_owned());
            starts.push(start);
            before = self.piece_end(item, start, flow);
        }
        let indent = self.column(starts[0]);
        let mut pieces: Vec<Piece> = Vec::with_capacity(list.len());
        for (place, (new, source)) in list.iter().zip(&sources).enumerate() {
            let lead = match (place, source) {
                // What stood before the first one stays; the comment of one that moves up goes with it.
                (0, Some(source)) if *source > 0 && !flow => leads[*source].trim_start().to_owned(),
                (0, _) => leads[0].clone(),
                (_, Some(source)) if *source > 0 => leads[*source].clone(),
                _ if flow => ", ".to_owned(),
                _ => format!("\n{}", " ".repeat(indent)),
            };
            let body = match source {
                Some(source) => self.item(&items[*source], starts[*source], new, flow)?,
                None => self.new_item(new, indent, flow)?,
            };
            pieces.push(Piece { lead, body });
        }
        Ok(Some(self.join(node, flow, before, pieces)))
    }

    fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rfind('\n').map_or(0, |feed| feed + 1);
        self.text[line..at].chars().count()
    }

    /// Where the dash of an item is.
    fn dash(&self, item: &Node) -> Result<usize, AmendError> {
        let mut before = self.text[..self.start(item)].trim_end();
        if item.block {
            let head = before
                .trim_end_matches(|char: char| char == '+' || char == '-' || char.is_ascii_digit());
            before = head.trim_end_matches(['|', '>']).trim_end();
        }
        match before.ends_with('-') {
            true => Ok(before.len() - 1),
            false => Err(AmendError::Layout(item.at.line)),
        }
    }

    fn item(
        &mut self,
        node: &Node,
        start: usize,
        new: &Value,
        flow: bool,
    ) -> Result<String, AmendError> {
        let (value, value_end) = (self.start(node), self.end(node, start));
        let end = self.piece_end(node, start, flow);
        if says(node, new) {
            return Ok(self.text[start..end].to_owned());
        }
        if let Some(inside) = self.value(node, new)? {
            return Ok([&self.text[start..value], &inside, &self.text[value_end..end]].concat());
        }
        let one_line = node.at.line == node.end.line && !node.block;
        if flow || (one_line && node.at != node.end && is_short(new)) {
            let new = in_line(new, self.large);
            return Ok([&self.text[start..value], &new, &self.text[value_end..end]].concat());
        }
        let indent = self.column(start);
        self.new_item(new, indent, flow)
    }

    fn new_item(&mut self, new: &Value, indent: usize, flow: bool) -> Result<String, AmendError> {
        if flow {
            return Ok(in_line(new, self.large));
        }
        Ok(self.emitted(indent, |out| {
            out.item(indent);
            out.value(new, indent + 2)
        })?)
    }
}

/// Whether a value stands on one line however it is written.
fn is_short(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.contains('\n'),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bytes(bytes) => bytes.len() <= 48,
        _ => true,
    }
}

/// Keys that went, with those that came and have the same value.
fn renamed<'a>(pairs: &'a [(Key, Node)], map: &'a Map) -> Vec<(&'a str, &'a str)> {
    let mut came: Vec<(&str, &Value)> =
        map.iter().filter(|(key, _)| !pairs.iter().any(|(known, _)| known.text == *key)).collect();
    let mut out = Vec::new();
    for (key, node) in pairs.iter().filter(|(key, _)| map.get(&key.text).is_none()) {
        if let Some(place) = came.iter().position(|(_, value)| says(node, value)) {
            out.push((key.text.as_str(), came.remove(place).0));
        }
    }
    out
}

/// Which old item each new one is made of: an equal one, else the next in order that nobody took.
fn sources(items: &[Node], list: &[Value]) -> Vec<Option<usize>> {
    let mut taken = vec![false; items.len()];
    let mut sources: Vec<Option<usize>> = vec![None; list.len()];
    let mut next = 0;
    for (value, source) in list.iter().zip(&mut sources) {
        // Most items stay in order, so the search begins behind the last one found.
        let place = (next..items.len())
            .chain(0..next)
            .find(|place| !taken[*place] && says(&items[*place], value));
        if let Some(place) = place {
            (taken[place], *source, next) = (true, Some(place), place + 1);
        }
    }
    let mut free: Vec<usize> = (0..items.len()).filter(|place| !taken[*place]).collect();
    let mut missing = list.iter().zip(&mut sources).filter(|(_, source)| source.is_none());
    let surplus = items.len() > list.len();
    while let Some((value, source)) = missing.next().filter(|_| !free.is_empty()) {
        // Where some went, what is left of the others is told by likeness.
        let best = |place: &usize| likeness(&items[free[*place]], value);
        let near = (0..free.len()).rev().max_by_key(best).filter(|_| surplus);
        *source = Some(free.remove(near.unwrap_or(0)));
    }
    sources
}

/// How many of its values an item has in common with what it may become.
fn likeness(node: &Node, value: &Value) -> usize {
    match (&node.content, value) {
        (Content::Map(pairs), Value::Map(map)) => {
            let inside =
                |(key, node): &(Key, Node)| map.get(&key.text).map(|it| likeness(node, it));
            pairs.iter().filter_map(inside).sum()
        }
        (Content::List(nodes), Value::List(list)) => {
            nodes.iter().zip(list).map(|(node, it)| likeness(node, it)).sum()
        }
        _ => usize::from(says(node, value)),
    }
}

#[cfg(test)]
mod tests;
