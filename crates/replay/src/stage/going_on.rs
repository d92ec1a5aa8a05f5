//! Answers a call that differs from the one it is taken for as that one was answered, when that is
//! asked for: so a run shows all that has changed at once. The test fails all the same.
//!
//! Without being asked nothing is served because it is merely similar.

use super::forms::Forms;
use super::meaning::Meaning;
use super::{Stage, State, live_answer};
use rehearsal_matching::{Judge, Kinship, Place};
use rehearsal_model::{Difference, Finding};
use rehearsal_wire::Answer;
use std::cmp::Reverse;

/// The mock that comes nearest to a call, with where they differ.
type Near = Option<(u32, Vec<Difference>)>;

/// Calls that are compared.
const MOST: usize = 64;

impl Stage {
    /// Whether calls that differ are answered all the same.
    pub(crate) fn going_on(self, goes_on: bool) -> Self {
        Stage { goes_on, ..self }
    }

    /// The answer of the call of this test that one is taken for, and its place: the one of the same
    /// operation, else of the same edge, that is not made yet and differs least. A read beyond those, such
    /// as one for each row, gets the answer of the read that it is most like, and has no place. Gives the
    /// nearest mock back where there is none.
    pub(super) fn go_on(
        &self,
        state: &mut State,
        meaning: &Meaning,
        nearest: Near,
    ) -> Result<(Answer, Option<u32>), Near> {
        if !self.goes_on {
            return Err(nearest);
        }
        let Meaning { request, form, asked, .. } = meaning;
        let library = &self.shelf.library;
        let facets = self.shelf.edges[asked.edge as usize].protocol().facets();
        let judge = Forms::new(&self.shelf, (request, form), &state.act.rules, &state.renaming);
        let reads = |mock: u32| facets.repeatable(&self.shelf.exchange(mock).request);
        let open = state.desk.unused_calls(library, asked.edge).into_iter().take(MOST);
        let ranked = open.filter_map(|mock| {
            let other = library.entry(mock).identity != asked.identity;
            let kinship = judge.kinship(mock);
            // What only goes to the same place may end a transaction, which no read does.
            let fits = !other || kinship > Kinship::Edge || reads(mock) == asked.repeatable;
            fits.then(|| {
                let differences = judge.differences(mock);
                ((other, Reverse(kinship), differences.len()), mock, differences)
            })
        });
        let best = ranked.min_by_key(|(rank, ..)| *rank);
        let is_like = |mock: u32| judge.kinship(mock) == Kinship::Operation;
        let open_is_like = best.as_ref().is_some_and(|(_, mock, _)| is_like(*mock));
        if asked.repeatable && !open_is_like {
            let near = nearest.as_ref().map(|(mock, _)| *mock).filter(|mock| is_like(*mock));
            let own = || library.calls_of(state.number(), asked.edge, asked.identity).next();
            if let Some(mock) = near.or_else(own) {
                let edge = self.shelf.edges[asked.edge as usize].name.to_string();
                state.surplus(edge, facets.operation(request));
                self.unexpected(state, (asked.edge, request), nearest, false);
                return Ok((live_answer(&self.shelf, mock, &mut state.renaming), None));
            }
        }
        let Some((_, mock, differences)) = best else { return Err(nearest) };
        let Place::Call { index, .. } = library.entry(mock).place else { return Err(nearest) };
        let test = state.number();
        state.desk.use_due(library, mock, &[test]);
        state.came(index);
        state.act.seen.differs(index, request);
        let edge = &self.shelf.edges[asked.edge as usize];
        state.found(Finding::CallDiffers {
            call: index as usize + 1,
            of: state.act.own.count(),
            edge: edge.name.to_string(),
            owner: edge.owner.clone(),
            operation: facets.operation(request),
            differences,
            answered: true,
        });
        Ok((live_answer(&self.shelf, mock, &mut state.renaming), Some(index)))
    }
}
