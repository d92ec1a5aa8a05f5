//! Rules: which parts of a value may differ, and which lists have no order.
//!
//! They are compiled into one tree, so that going down a value costs the same however many rules
//! there are. A path is never matched as text.

use crate::must::{Must, RuleError};
use crate::path::{PathError, Step, parse};
use crate::times::Times;
use rehearsal_model::Noise;
use std::collections::HashMap;

/// Which differences are of no concern.
///
/// A rule is a path in the syntax of [`rehearsal_model::Difference::path`], with `[*]` for any index
/// and `*` for any key of one level, and `**` for any number of levels. It selects a value and
/// everything below it: whatever differs there, be it absent, is covered. `/item` selects all
/// elements of the name, `/item[2]` one. A path that ends in `[unordered]` is no noise but says that
/// the order of that list is insignificant: `response.body.items[unordered]`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The first is the root.
    nodes: Vec<Node>,
    /// Which times agree; without it, those that are equal.
    times: Option<Times>,
}

/// What ends the path of a list whose order is insignificant.
const UNORDERED: &str = "[unordered]";

#[derive(Clone, Debug, Default)]
struct Node {
    below: HashMap<Step<'static>, usize>,
    noise: bool,
    /// What a value that may differ must be like all the same.
    must: Option<Must>,
    unordered: bool,
    /// Whether it stands for any number of levels, so that going down also stays here.
    deep: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { nodes: vec![Node::default()], times: None }
    }
}

impl Rules {
    /// Rules from the paths of noise and the paths of lists whose order is insignificant.
    ///
    /// # Errors
    /// When a path cannot be read.
    pub fn new(
        noise: impl IntoIterator<Item: AsRef<str>>,
        unordered: impl IntoIterator<Item: AsRef<str>>,
    ) -> Result<Self, PathError> {
        let mut rules = Rules::default();
        for path in noise {
            match path.as_ref().strip_suffix(UNORDERED) {
                Some(list) => {
                    let node = rules.node(list)?;
                    rules.nodes[node].unordered = true;
                }
                None => {
                    let node = rules.node(path.as_ref())?;
                    rules.nodes[node].noise = true;
                }
            }
        }
        for path in unordered {
            let node = rules.node(path.as_ref())?;
            rules.nodes[node].unordered = true;
        }
        Ok(rules)
    }

    /// Adds what may differ. A value with a condition must be there and meet it; one without may be
    /// absent.
    ///
    /// # Errors
    /// When its path, or its regular expression, cannot be read.
    pub fn add(&mut self, noise: &Noise) -> Result<(), RuleError> {
        if noise.matches.is_none() && noise.kind.is_none() {
            let (noise, unordered) = match noise.path.strip_suffix(UNORDERED) {
                Some(list) => (None, Some(list)),
                None => (Some(noise.path.as_str()), None),
            };
            if let Some(path) = unordered {
                let node = self.node(path)?;
                self.nodes[node].unordered = true;
            }
            if let Some(path) = noise {
                let node = self.node(path)?;
                self.nodes[node].noise = true;
            }
            return Ok(());
        }
        let node = self.node(&noise.path)?;
        self.nodes[node].must = Some(Must::new(noise)?);
        Ok(())
    }

    /// What a value must be like that may differ there, if it may under a condition.
    pub(crate) fn must(&self, state: &State) -> Option<&Must> {
        state.0.iter().find_map(|node| self.nodes[*node].must.as_ref())
    }

    /// Rules from the paths of noise alone.
    ///
    /// # Errors
    /// When a path cannot be read.
    pub fn noise(paths: impl IntoIterator<Item: AsRef<str>>) -> Result<Self, PathError> {
        Self::new(paths, std::iter::empty::<&str>())
    }

    /// Rules by which the times of a test agree that the app took from its clock.
    #[must_use]
    pub fn with_times(self, times: Times) -> Self {
        Rules { times: Some(times), ..self }
    }

    /// The same for what belongs to no test: its times are any of the recording, and of the run.
    #[must_use]
    pub fn of_no_test(&self) -> Self {
        let times = self.times.clone().map(Times::anywhere);
        Rules { times, ..self.clone() }
    }

    /// Notes how long the test has taken so far, in nanoseconds.
    pub fn has_taken(&mut self, length: i128) {
        self.times.iter_mut().for_each(|times| times.has_taken(length));
    }

    pub(crate) fn times(&self) -> Option<&Times> {
        self.times.as_ref()
    }

    /// Whether the value at a path may differ. A text that is not a path is not covered.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let Ok(steps) = parse(path) else { return false };
        let mut state = self.start();
        for step in &steps {
            if self.is_noise(&state) {
                return true;
            }
            state = self.follow(&state, step);
        }
        self.is_noise(&state)
    }

    /// The node of a path, made when it is not there.
    fn node(&mut self, path: &str) -> Result<usize, PathError> {
        let mut at = 0;
        for step in parse(path)? {
            at = match self.nodes[at].below.get(&step) {
                Some(next) => *next,
                None => {
                    self.nodes.push(Node { deep: step == Step::Deep, ..Node::default() });
                    let new = self.nodes.len() - 1;
                    self.nodes[at].below.insert(owned(step), new);
                    new
                }
            };
        }
        Ok(at)
    }

    pub(crate) fn start(&self) -> State {
        let mut state = State(Vec::new());
        if !self.nodes[0].below.is_empty() {
            self.enter(&mut state, 0);
        }
        state
    }

    /// Adds a node, and the one below it that stands for no level as well as for many.
    fn enter(&self, state: &mut State, node: usize) {
        let mut next = Some(node);
        while let Some(node) = next.filter(|node| !state.0.contains(node)) {
            state.0.push(node);
            next = self.nodes[node].below.get(&Step::Deep).copied();
        }
    }

    /// Where rules stand after a path. Inside of noise the state is that of the noise.
    pub(crate) fn at(&self, path: &str) -> State {
        let mut state = self.start();
        for step in parse(path).unwrap_or_default() {
            if self.is_noise(&state) {
                break;
            }
            state = self.follow(&state, &step);
        }
        state
    }

    /// Where rules stand after one step of a path.
    fn follow(&self, state: &State, step: &Step<'_>) -> State {
        match step {
            Step::Nth(place) => self.down_nth(state.clone(), *place),
            step => self.down(state, step),
        }
    }

    /// Where rules stand one level down.
    pub(crate) fn down(&self, state: &State, step: &Step<'_>) -> State {
        let any = match step {
            Step::Key(_) => Some(Step::AnyKey),
            Step::Index(_) => Some(Step::AnyIndex),
            Step::Element(_) => Some(Step::AnyElement),
            Step::Attribute(_) => Some(Step::AnyAttribute),
            _ => None,
        };
        let mut next = State(Vec::new());
        for node in &state.0 {
            let below = &self.nodes[*node].below;
            let any = any.as_ref().and_then(|any| below.get(any));
            let stays = self.nodes[*node].deep.then_some(node);
            for node in below.get(step).into_iter().chain(any).chain(stays) {
                self.enter(&mut next, *node);
            }
        }
        next
    }

    /// Where rules stand at one of several elements of a name: rules with its place and rules
    /// without one both hold.
    pub(crate) fn down_element(&self, state: &State, name: &str, place: usize) -> State {
        self.down_nth(self.down(state, &Step::Element(name.into())), place)
    }

    fn down_nth(&self, mut elements: State, place: usize) -> State {
        for node in self.down(&elements, &Step::Nth(place)).0 {
            self.enter(&mut elements, node);
        }
        elements
    }

    pub(crate) fn is_noise(&self, state: &State) -> bool {
        state.0.iter().any(|node| self.nodes[*node].noise)
    }

    pub(crate) fn is_unordered(&self, state: &State) -> bool {
        state.0.iter().any(|node| self.nodes[*node].unordered)
    }
}

/// The places in the tree of rules that correspond to a place in a value.
#[derive(Clone, Debug)]
pub(crate) struct State(Vec<usize>);

fn owned(step: Step<'_>) -> Step<'static> {
    match step {
        Step::Key(key) => Step::Key(key.into_owned().into()),
        Step::Element(name) => Step::Element(name.into_owned().into()),
        Step::Attribute(name) => Step::Attribute(name.into_owned().into()),
        Step::AnyKey => Step::AnyKey,
        Step::Deep => Step::Deep,
        Step::Index(place) => Step::Index(place),
        Step::AnyIndex => Step::AnyIndex,
        Step::AnyElement => Step::AnyElement,
        Step::Nth(place) => Step::Nth(place),
        Step::AnyAttribute => Step::AnyAttribute,
        Step::Content => Step::Content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &str, covered: &[&str], not: &[&str]) {
        let rules = Rules::noise([rule]).unwrap();
        for path in covered {
            assert!(rules.covers(path), "{rule} covers {path}");
        }
        for path in not {
            assert!(!rules.covers(path), "{rule} does not cover {path}");
        }
    }

    #[test]
    fn a_rule_covers_its_value_and_all_below() {
        check(
            "response.body.id",
            &["response.body.id", "response.body.id.x[2]", "response.body[\"id\"]"],
            &["response.body", "response.body.idea", "response.body.x.id", "body.id", "not a path"],
        );
        check("a[*].id", &["a[0].id", "a[17].id.x"], &["a.x.id", "a[0]", "a[0].ids"]);
        check("a[2]", &["a[2]", "a[2].x"], &["a[1]", "a[*]"]);
        check("a.*.id", &["a.b.id", "a[\"x y\"].id"], &["a[0].id", "a.b.c.id", "a.id"]);
    }

    #[test]
    fn two_stars_are_any_number_of_levels() {
        check("**.id", &["id", "a.id", "a[3].b.id.x"], &["a.ids", "a", "identity"]);
        check("a.**.id", &["a.id", "a.b[0].c.id"], &["id", "b.id", "a.b"]);
        check("a.**.b.**.c", &["a.b.c", "a.x.b.y.z.c"], &["a.c", "b.c"]);
        check("a.**", &["a", "a.b.c"], &["b"]);
        check("body.**/item/@x", &["body/item/@x", "body/a/b/item[2]/@x"], &["body/item/x"]);
    }

    #[test]
    fn a_list_without_an_order_is_no_noise() {
        check("a.items[unordered]", &[], &["a.items", "a.items[0]"]);
        assert!(Rules::noise(["[unordered]"]).is_err());
    }

    #[test]
    fn elements_are_selected_as_in_xpath() {
        check("b/o/item", &["b/o/item", "b/o/item[3]", "b/o/item[3]/@x"], &["b/o", "b/o/items"]);
        check("b/o/item[2]", &["b/o/item[2]/x"], &["b/o/item", "b/o/item[1]"]);
        check("b/o/*/@x", &["b/o/item/@x"], &["b/o/item/x", "b/o/@x"]);
        check("b/o/@*", &["b/o/@x"], &["b/o/x"]);
    }

    #[test]
    fn rules_that_share_a_beginning_do_not_hide_each_other() {
        let rules = Rules::noise(["a.b.c", "a.*.d", "*.b.e", "a.b"]).unwrap();
        assert!(rules.covers("a.b"));
        let rules = Rules::noise(["a.b.c", "a.*.d", "*.b.e"]).unwrap();
        for path in ["a.b.c", "a.b.d", "a.b.e", "x.b.e"] {
            assert!(rules.covers(path), "{path}");
        }
        assert!(!rules.covers("x.b.c"));
    }
}
