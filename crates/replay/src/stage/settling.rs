//! Gives tests under way what calls of others took of theirs, when a later call shows whose it was.
//!
//! A call without an identifier is taken for that of the first test that has it to come. When a test makes
//! a call that stands below one which has not come, and the same one has come in another test, it was
//! rather this test's. That is only about who made which call: what was answered stays as it is.

use super::{Act, State};
use crate::shelf::Shelf;
use rehearsal_matching::Place;
use rehearsal_model::stream;

impl State {
    /// Takes from other tests, for the current one, the calls above one of its own that it is to have
    /// made by now.
    pub(super) fn settle(&mut self, shelf: &Shelf, index: u32) {
        for place in self.act.own.missing_above(index) {
            let Some(own) = self.desk.call_at(&shelf.library, place) else { return };
            let response = shelf.exchange(own).response.as_ref();
            if response.and_then(stream::conversation).is_some() {
                continue;
            }
            let desk = &mut self.desk;
            let mut others = self.others.iter_mut().filter(|other| !other.is_over);
            let traded = others.any(|other| {
                let Act { turn, own: calls, seen, .. } = other;
                let Some(theirs) = desk.trade(&shelf.library, turn, own) else { return false };
                if let Place::Call { index, .. } = shelf.library.entry(theirs).place {
                    calls.did_not_come(index);
                    seen.calls.retain(|(known, _)| *known != index);
                }
                true
            });
            if traded {
                self.came(place);
            }
        }
    }
}
