//! Questions for names, which come from resolvers and are no calls of a test.

use super::forms::Forms;
use super::{Act, Stage, State, answer_of};
use rehearsal_matching::{Asked, Verdict, fingerprint};
use rehearsal_model::{Map, Value};
use rehearsal_wire::{Answer, Miss};

impl Stage {
    /// The answer to a question for a name. One that was never asked has none; that is no failure
    /// of a test, since resolvers ask in their own ways.
    pub(crate) fn look_up(&self, request: &Map) -> Answer {
        let edge = self.shelf.edges.iter().position(|edge| edge.protocol().name() == "dns");
        let miss = || Answer::Miss(Miss { message: String::new(), details: Value::Null });
        let Some(edge) = edge else { return miss() };
        let facets = self.shelf.edges[edge].protocol().facets();
        let form = facets.request(request);
        let asked = Asked {
            edge: u32::try_from(edge).unwrap_or(u32::MAX),
            identity: fingerprint(&facets.identity(request)),
            values: fingerprint(&form),
            repeatable: true,
            optional: true,
            stands: false,
        };
        let mut state = self.state();
        let state = &mut *state;
        let State { desk, act: Act { rules, .. }, renaming, .. } = &mut *state;
        let judge = Forms::new(&self.shelf, (request, &form), rules, renaming);
        match desk.pick(&self.shelf.library, asked, &judge, &[]).verdict {
            Verdict::Mock(mock) => answer_of(self.shelf.exchange(mock)),
            Verdict::Miss(_) => miss(),
        }
    }
}
