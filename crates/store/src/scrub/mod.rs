//! Replaces secrets by placeholders before anything is written.
//!
//! It knows no protocol, but asks the one in whose form a message is which texts stand beside their
//! names; besides it sees keys, texts and what texts look like inside (JSON, forms, XML, URLs).
//! A secret is found by the name beside it or by its own shape; equal secrets have equal placeholders
//! wherever they stand, so that a token that was answered is seen to be the token that is sent.
//! What no rule finds stays; bytes that are not text are not looked into.

mod apart;
mod edits;
mod finders;
mod named;
mod names;
mod patterns;
mod statement;

use crate::StoreError;
use crate::key::Key;
use named::Named;
use names::{Names, Rule};
use patterns::Patterns;
use rehearsal_model::{Exchange, Map, SecretSettings, TestCase, Value, secret};
use std::borrow::Cow;
use std::collections::HashSet;

/// Texts shorter than this hold no secret that has a name or a shape.
const SHORTEST: usize = 5;

/// A secret at least this long is replaced wherever its exchange repeats it; a shorter one might be
/// an ordinary word.
const UNMISTAKABLE: usize = 16;

/// Repetitions of so many secrets of one exchange are looked for.
const MOST_REPEATED: usize = 32;

/// Finds secrets and replaces them. Immutable: one serves all connections. It is quickest for the
/// thread that used it first; another that uses it much is better off with a clone of its own.
#[derive(Clone, Debug)]
pub struct Scrubber {
    names: Names,
    patterns: Patterns,
    key: Key,
}

/// The placeholders that were put and what they stand for, each once.
pub type Pairs = Vec<(String, String)>;

/// The unmistakable secrets of a test so far, by which its further exchanges are searched: what a
/// header of a call names, the app's answer may repeat where no name tells. Bounded.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pairs: Pairs,
}

impl Known {
    /// Whether a message repeats any of them.
    #[must_use]
    pub fn is_repeated_in(&self, message: &Map) -> bool {
        !self.pairs.is_empty() && message.iter().any(|(_, value)| self.is_repeated_in_value(value))
    }

    fn is_repeated_in_value(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => self.pairs.iter().any(|(_, it)| text.contains(it.as_str())),
            Value::List(list) => list.iter().any(|value| self.is_repeated_in_value(value)),
            Value::Map(map) => self.is_repeated_in(map),
            _ => false,
        }
    }

    fn learn(&mut self, pairs: &Pairs) {
        for pair in pairs.iter().filter(|(_, original)| original.len() >= UNMISTAKABLE) {
            if self.pairs.len() < MOST_REPEATED && !self.pairs.contains(pair) {
                self.pairs.push(pair.clone());
            }
        }
    }
}

impl Scrubber {
    /// A scrubber with the rules that are built in and those of a project.
    ///
    /// # Errors
    /// When a pattern of the project is no regular expression.
    pub fn new(settings: &SecretSettings, key: Key) -> Result<Self, StoreError> {
        let names = Names::new(&settings.names, &settings.keep);
        let patterns =
            Patterns::new(settings).map_err(|problem| StoreError::Pattern { problem })?;
        Ok(Scrubber { names, patterns, key })
    }

    /// Replaces the secrets of an exchange and returns them. Scrubbing twice changes nothing more.
    pub fn scrub(&self, exchange: &mut Exchange) -> Pairs {
        let mut run = Run::new(self);
        let Exchange { request, response, .. } = exchange;
        if let Some(protocol) = rehearsal_wire::recorded_as(request) {
            let change = &mut |name: &str, text: &str| run.beside(name, text);
            protocol.facets().beside(request, response.as_mut(), change);
        }
        run.map(request);
        self.scrub_answer(run, exchange)
    }

    /// Goes on with the answer of an exchange whose request was searched.
    fn scrub_answer(&self, mut run: Run<'_>, exchange: &mut Exchange) -> Pairs {
        let Exchange { request, response, .. } = exchange;
        response.iter_mut().for_each(|response| run.map(response));
        let unmistakable = run.pairs.iter().filter(|(_, it)| it.len() >= UNMISTAKABLE);
        let repeated: Vec<_> = unmistakable.take(MOST_REPEATED).collect();
        if !repeated.is_empty() {
            let repeats = |text: &str| replace_all(text, &repeated);
            self.each_text(request, &repeats);
            response.iter_mut().for_each(|response| self.each_text(response, &repeats));
        }
        run.pairs
    }

    /// Replaces the secrets of an exchange, and those of earlier exchanges that it repeats. Whether it
    /// had secrets of its own.
    pub fn scrub_knowing(&self, exchange: &mut Exchange, known: &mut Known) -> bool {
        let pairs = self.scrub(exchange);
        self.repeat_known(exchange, known);
        known.learn(&pairs);
        !pairs.is_empty()
    }

    /// Replaces the secrets of earlier exchanges that one repeats.
    fn repeat_known(&self, exchange: &mut Exchange, known: &Known) {
        if !known.pairs.is_empty() {
            let earlier: Vec<_> = known.pairs.iter().collect();
            let repeats = |text: &str| replace_all(text, &earlier);
            self.each_text(&mut exchange.request, &repeats);
            let response = exchange.response.iter_mut();
            response.for_each(|response| self.each_text(response, &repeats));
        }
    }

    /// Replaces the secrets of a test. A call is searched by what came before it and not by the
    /// answer, since no more is known of it when it is made again.
    pub fn scrub_test(&self, test: &mut TestCase) {
        let mut known = Known::default();
        let response = test.exchange.response.take();
        self.scrub_knowing(&mut test.exchange, &mut known);
        for call in &mut test.calls {
            self.scrub_knowing(&mut call.exchange, &mut known);
        }
        test.exchange.response = response;
        self.scrub_answer(Run::new(self), &mut test.exchange);
        self.repeat_known(&mut test.exchange, &known);
        test.name = self.text(&test.name).into_owned();
    }

    /// The text with its secrets replaced: for names and command lines.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut run = Run::new(self);
        run.text(text).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    fn each_text(&self, map: &mut Map, change: &impl Fn(&str) -> Option<String>) {
        for (key, value) in map.iter_mut() {
            if !self.names.kept(key) {
                self.each_text_of(value, change);
            }
        }
    }

    fn each_text_of(&self, value: &mut Value, change: &impl Fn(&str) -> Option<String>) {
        match value {
            Value::Text(text) => {
                if let Some(changed) = change(text) {
                    *text = changed;
                }
            }
            Value::List(list) => list.iter_mut().for_each(|value| self.each_text_of(value, change)),
            Value::Map(map) => self.each_text(map, change),
            _ => {}
        }
    }
}

/// The scrubbing of one exchange.
struct Run<'a> {
    scrubber: &'a Scrubber,
    pairs: Pairs,
    /// The placeholders in `pairs`.
    seen: HashSet<(&'static str, u64)>,
}

impl<'a> Run<'a> {
    fn new(scrubber: &'a Scrubber) -> Self {
        Run { scrubber, pairs: Vec::new(), seen: HashSet::new() }
    }

    fn map(&mut self, map: &mut Map) {
        self.apart(map);
        for (key, value) in map.iter_mut() {
            match self.scrubber.names.rule(key) {
                Rule::None => self.value(value),
                Rule::Keep => self.kept(value),
                Rule::Secret(named) => self.named(named, value),
            }
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Text(text) => {
                if let Some(changed) = self.text(text) {
                    *text = changed;
                }
            }
            Value::List(list) => list.iter_mut().for_each(|value| self.value(value)),
            Value::Map(map) => self.map(map),
            _ => {}
        }
    }

    /// What stands at a name that is kept; names below it are judged by themselves.
    fn kept(&mut self, value: &mut Value) {
        match value {
            Value::List(list) => list.iter_mut().for_each(|value| self.kept(value)),
            Value::Map(map) => self.map(map),
            _ => {}
        }
    }

    /// What stands at the name of a secret.
    fn named(&mut self, named: Named, value: &mut Value) {
        match value {
            Value::Text(text) => {
                if let Some(changed) = self.named_text(named, text) {
                    *text = changed;
                }
            }
            Value::Number(number) if named == Named::Password => {
                *value = Value::Text(self.placeholder(patterns::PLAIN, number.as_str()));
            }
            Value::List(list) => list.iter_mut().for_each(|value| self.named(named, value)),
            Value::Map(map) => self.map(map),
            _ => {}
        }
    }

    /// The placeholder of a secret, which is remembered. Its kind is told by the secret's own shape
    /// and not by its place, or else equal secrets would look different in different places.
    fn placeholder(&mut self, kind: &'static str, original: &str) -> String {
        let hash = self.scrubber.key.hash(original);
        let placeholder = secret::placeholder(kind, hash);
        if self.seen.insert((kind, hash)) {
            self.pairs.push((placeholder.clone(), original.to_owned()));
        }
        placeholder
    }
}

/// Whether a secret was replaced in a text before: no secret has a placeholder in it.
fn is_scrubbed(secret: &str) -> bool {
    secret::find(secret).is_some()
}

/// The text with every original replaced; `None` when it has none.
fn replace_all(text: &str, pairs: &[&(String, String)]) -> Option<String> {
    let mut changed: Option<String> = None;
    for (placeholder, original) in pairs {
        let current = changed.as_deref().unwrap_or(text);
        if current.contains(original.as_str()) {
            changed = Some(current.replace(original.as_str(), placeholder));
        }
    }
    changed
}

#[cfg(test)]
mod tests;
