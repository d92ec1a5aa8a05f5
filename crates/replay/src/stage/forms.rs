//! Compares a call of the app with mocks, by their comparison forms and by what they are about.
//!
//! Which mock is then taken is decided in `matching`.

use crate::own_calls::OwnCalls;
use crate::shelf::{Headline, Shelf};
use rehearsal_compare::{Pair, Renaming, Rules, renamed};
use rehearsal_matching::{Judge, Kinship, Place};
use rehearsal_model::{Difference, Failure, Map, Value};
use std::borrow::Cow;
use std::cell::OnceCell;

/// A request and its comparison form.
type Asked<'a> = (&'a Map, &'a Value);

/// See the module.
pub(super) struct Forms<'a> {
    shelf: &'a Shelf,
    asked: Asked<'a>,
    rules: &'a Rules,
    renaming: &'a Renaming,
    /// What has come of the current test, if others are under way beside it.
    own: Option<&'a OwnCalls>,
    headline: OnceCell<Headline>,
    /// What identifies the request, when that holds what the app invents.
    invented: OnceCell<Option<Value>>,
}

impl<'a> Forms<'a> {
    pub(super) fn new(
        shelf: &'a Shelf,
        asked: Asked<'a>,
        rules: &'a Rules,
        renaming: &'a Renaming,
    ) -> Self {
        Forms {
            shelf,
            asked,
            rules,
            renaming,
            own: None,
            headline: OnceCell::new(),
            invented: OnceCell::new(),
        }
    }

    /// The same for a call that may as well be of another test than the current one, of which this has come.
    pub(super) fn beside(self, own: &'a OwnCalls) -> Self {
        Forms { own: Some(own), ..self }
    }
}

impl Forms<'_> {
    /// Whether the request is that of a mock once these pairs, and those in its values, are exchanged.
    fn agrees_renamed(&self, mock: u32, names: &[Pair]) -> bool {
        let expected = self.shelf.form(mock);
        let form = renamed(self.asked.1, names);
        let again = self.shelf.answers_again(mock);
        let pairs = self.renaming.pairs(expected, &form, &self.shelf.root(mock), again);
        let of_names = |pair: &Pair| names.iter().any(|name| name.contradicts(pair));
        let form = renamed(&form, &pairs);
        !pairs.iter().any(of_names)
            && self.shelf.compare(mock, expected, &form, self.rules).is_empty()
    }
}

impl Judge for Forms<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        let (expected, (_, form)) = (self.shelf.form(mock), self.asked);
        if expected == form {
            return Vec::new();
        }
        let again = self.shelf.answers_again(mock);
        let pairs = self.renaming.pairs(expected, form, &self.shelf.root(mock), again);
        let form = match pairs.is_empty() {
            true => Cow::Borrowed(form),
            false => Cow::Owned(renamed(form, &pairs)),
        };
        self.shelf.compare(mock, expected, &form, self.rules)
    }

    fn is_silent(&self, mock: u32) -> bool {
        let exchange = self.shelf.exchange(mock);
        exchange.failure == Some(Failure::TimedOut) && exchange.response.is_none()
    }

    fn is_early(&self, mock: u32) -> bool {
        let Place::Call { index, .. } = self.shelf.library.entry(mock).place else { return false };
        self.own.is_some_and(|own| own.is_early(index))
    }

    fn is_renamed(&self, mock: u32) -> bool {
        let facets = self.shelf.edge_of(mock).protocol().facets();
        let invented = self.invented.get_or_init(|| {
            Some(facets.identity(self.asked.0)).filter(|identity| self.renaming.invents(identity))
        });
        let Some(identity) = invented else { return false };
        let recorded = facets.identity(&self.shelf.exchange(mock).request);
        let pairs = self.renaming.pairs(&recorded, identity, "", self.shelf.answers_again(mock));
        !pairs.is_empty()
            && renamed(identity, &pairs) == recorded
            && self.agrees_renamed(mock, &pairs)
    }

    fn kinship(&self, mock: u32) -> Kinship {
        let facets = self.shelf.edge_of(mock).protocol().facets();
        let asked = self.headline.get_or_init(|| Headline::of(facets, self.asked.0));
        let recorded = self.shelf.headline(mock);
        match (&asked.subject, &recorded.subject) {
            _ if asked == recorded => Kinship::Operation,
            (Some(one), Some(other)) if one == other => Kinship::Subject,
            _ => Kinship::Edge,
        }
    }
}
