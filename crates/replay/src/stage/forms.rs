//! Compares a call of the app with mocks, by their comparison forms and by what they are about.
//!
//! Which mock is then taken is decided in `matching`.

use crate::renaming::{self, Renaming};
use crate::shelf::{Headline, Shelf};
use rehearsal_compare::Rules;
use rehearsal_matching::{Judge, Kinship};
use rehearsal_model::{Difference, Map, Value};
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
    headline: OnceCell<Headline>,
}

impl<'a> Forms<'a> {
    pub(super) fn new(
        shelf: &'a Shelf,
        asked: Asked<'a>,
        rules: &'a Rules,
        renaming: &'a Renaming,
    ) -> Self {
        Forms { shelf, asked, rules, renaming, headline: OnceCell::new() }
    }
}

impl Judge for Forms<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        let (expected, (_, form)) = (self.shelf.form(mock), self.asked);
        if expected == form {
            return Vec::new();
        }
        let again = self.shelf.answers_again(mock);
        let pairs = self.renaming.pairs(expected, form, again);
        let form = match pairs.is_empty() {
            true => Cow::Borrowed(form),
            false => Cow::Owned(renaming::renamed(form, &pairs)),
        };
        self.shelf.compare(mock, expected, &form, self.rules)
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
