//! Goes down two XML documents side by side.
//!
//! Elements are named by their local names in paths; what differs is shown as it was written.

use crate::align::{Pair, align};
use crate::path::Step;
use crate::rules::State;
use crate::walk::Walk;
use crate::xml::{Element, Node, Place};
use rehearsal_model::{Change, Value, secret::mask};

/// A document's element and the text of the document.
type Source<'a> = (&'a Element, &'a str);

impl Walk<'_> {
    /// Compares two documents at the path of the text that holds them.
    pub(crate) fn documents(&mut self, expected: Source<'_>, actual: Source<'_>, state: &State) {
        // The texts may begin with what the trees do not count.
        let expected = (expected.0, content(expected.1));
        let actual = (actual.0, content(actual.1));
        self.pair(expected, actual, Place { nth: 1, count: 1 }, state);
    }

    fn pair(&mut self, expected: Source<'_>, actual: Source<'_>, place: Place, state: &State) {
        let local = &expected.0.name.local;
        let state = self.rules.down_element(state, local, place.nth);
        self.child(local, place, &state, |walk| {
            if expected.0.name != actual.0.name {
                walk.note(Change::Changed { expected: written(expected), actual: written(actual) });
            } else {
                walk.attributes(expected.0, actual.0, &state);
                walk.contents(expected, actual, &state);
            }
        });
    }

    fn child(&mut self, local: &str, place: Place, state: &State, below: impl FnOnce(&mut Self)) {
        self.step(&Step::Element(local.into()), state, |walk| {
            if place.count > 1 {
                walk.step(&Step::Nth(place.nth), state, below);
            } else {
                below(walk);
            }
        });
    }

    fn attributes(&mut self, expected: &Element, actual: &Element, state: &State) {
        for (name, e) in &expected.attributes {
            let step = Step::Attribute(name.local.as_str().into());
            let state = self.rules.down(state, &step);
            self.step(&step, &state, |walk| match actual.attributes.get(name) {
                Some(a) => walk.plain(e, a),
                None => walk.note(Change::Missing { expected: Value::from(e.as_str()) }),
            });
        }
        for (name, a) in &actual.attributes {
            if !expected.attributes.contains_key(name) {
                let step = Step::Attribute(name.local.as_str().into());
                let state = self.rules.down(state, &step);
                self.step(&step, &state, |walk| {
                    walk.note(Change::Added { actual: Value::from(a.as_str()) });
                });
            }
        }
    }

    fn plain(&mut self, expected: &str, actual: &str) {
        if mask(expected) != mask(actual) && !self.times_agree(expected, actual) {
            let (expected, actual) = (Value::from(expected), Value::from(actual));
            self.note(Change::Changed { expected, actual });
        }
    }

    fn contents(&mut self, expected: Source<'_>, actual: Source<'_>, state: &State) {
        if let (Some(e), Some(a)) = (expected.0.only_text(), actual.0.only_text()) {
            if !self.rules.is_noise(&self.rules.down(state, &Step::Content)) {
                self.plain(e, a);
            }
            return;
        }
        let (e, a) = (&expected.0.children, &actual.0.children);
        let e_prints = expected.0.prints(self.rules, state);
        let a_prints = actual.0.prints(self.rules, state);
        let pairs = align(&e_prints, &a_prints, &mut self.fuel, |x, y| near(&e[x], &a[y]));
        let (e_places, a_places) = (expected.0.places(), actual.0.places());
        for pair in pairs {
            match pair {
                Pair::Both(x, y) => match (&e[x], &a[y]) {
                    (Node::Element(from), Node::Element(to)) if from.name == to.name => {
                        let count = e_places[x].count.max(a_places[y].count);
                        let place = Place { count, ..e_places[x] };
                        self.pair((from, expected.1), (to, actual.1), place, state);
                    }
                    (Node::Text(from), Node::Text(to)) => {
                        let state = self.rules.down(state, &Step::Content);
                        self.step(&Step::Content, &state, |walk| walk.plain(from, to));
                    }
                    _ => {
                        self.gone(expected, x, e_places[x], state);
                        self.came(actual, y, a_places[y], state);
                    }
                },
                Pair::Expected(x) => self.gone(expected, x, e_places[x], state),
                Pair::Actual(y) => self.came(actual, y, a_places[y], state),
            }
        }
    }

    fn gone(&mut self, parent: Source<'_>, child: usize, place: Place, state: &State) {
        self.alone(parent, child, place, state, |expected| Change::Missing { expected });
    }

    fn came(&mut self, parent: Source<'_>, child: usize, place: Place, state: &State) {
        self.alone(parent, child, place, state, |actual| Change::Added { actual });
    }

    fn alone(
        &mut self,
        (parent, source): Source<'_>,
        child: usize,
        place: Place,
        state: &State,
        change: impl FnOnce(Value) -> Change,
    ) {
        match &parent.children[child] {
            Node::Text(text) => {
                let state = self.rules.down(state, &Step::Content);
                self.step(&Step::Content, &state, |walk| {
                    walk.note(change(Value::from(text.as_str())));
                });
            }
            Node::Element(element) => {
                let local = &element.name.local;
                let state = self.rules.down_element(state, local, place.nth);
                self.child(local, place, &state, |walk| {
                    walk.note(change(written((element, source))));
                });
            }
        }
    }
}

/// Two elements of one name are near, the more so the more attributes and texts they share.
fn near(expected: &Node, actual: &Node) -> u32 {
    match (expected, actual) {
        (Node::Text(_), Node::Text(_)) => 500,
        (Node::Element(e), Node::Element(a)) if e.name == a.name => {
            let same =
                e.attributes.iter().filter(|(name, value)| a.attributes.get(name) == Some(value));
            let text = u32::from(e.only_text().is_some_and(|text| a.only_text() == Some(text)));
            300 + 50 * u32::try_from(same.count()).unwrap_or(0) + 100 * text
        }
        _ => 0,
    }
}

fn content(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_start()
}

fn written((element, source): Source<'_>) -> Value {
    Value::from(source.get(element.source.clone()).unwrap_or_default())
}
