//! Which of several tests under way a call belongs to.
//!
//! As while recording, an identifier decides that the app carries from the request to its calls; on a
//! connection in a unit of work, the test that opened it. Without one it is the test that has such a call
//! to come, rather one whose turn it is. What opens a unit is mostly the same in many tests: who opened it
//! is only supposed then, until a call within it is one that another test has to come. A call that is none of these is left in doubt while others may still take what is theirs, so
//! that of a call that differs it is known what it was to be.

use super::forms::Forms;
use super::meaning::Meaning;
use super::units::Units;
use super::{Act, On, Stage, State};
use rehearsal_matching::{Asked, Claim};
use rehearsal_model::{Map, TestId, Value};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// It says itself that it is this test's.
    Said(TestId),
    /// It is this test's, as far as it is any's: one that is the same may be of another.
    Known(TestId),
    /// It may be any of these; the first is the likeliest.
    Unknown(Vec<TestId>),
    /// Several tests lack such a call, and all of them may come as recorded; the first comes nearest.
    InDoubt(Vec<TestId>),
}

/// The tests of which one made a call.
#[derive(Clone, Debug)]
pub(super) struct Makers {
    /// From whose point of view it is looked at.
    pub(super) first: TestId,
    /// Whose it may be.
    pub(super) all: Vec<TestId>,
    /// Those that what is wrong with it is told of, if not of the first.
    pub(super) suspects: Option<Vec<TestId>>,
}

/// Whose a call is, within a unit that may be another's than of the test that it was taken for: that one's if
/// it has the call to come, else that of a test which has. The unit is that test's from then on.
fn within_unit(units: &mut Units, on: On, opener: TestId, claims: &[(Claim, TestId)]) -> TestId {
    let due = |claim: Claim| claim.min(Claim::Renamed);
    let best = claims.iter().map(|(claim, _)| due(*claim)).max();
    let mut fit =
        claims.iter().filter(|(claim, _)| Some(due(*claim)) == best).map(|(_, test)| *test);
    let first = fit.clone().next().unwrap_or(opener);
    let test = fit.find(|test| *test == opener).unwrap_or(first);
    units.correct(on, test);
    test
}

impl Stage {
    /// The tests of which one made a call.
    pub(super) fn makers(&self, whose: Whose) -> Makers {
        let state = self.state();
        let all = state.under_way();
        let first = |tests: &[TestId]| tests.first().copied().unwrap_or(state.number());
        match whose {
            Whose::Said(test) => Makers { first: test, all: vec![test], suspects: None },
            Whose::Known(test) => Makers { first: test, all, suspects: None },
            Whose::InDoubt(tests) => Makers { first: first(&tests), all, suspects: None },
            Whose::Unknown(tests) => Makers { first: first(&tests), all, suspects: Some(tests) },
        }
    }

    /// Whose a call is.
    pub(super) fn whose(&self, on: On, meaning: &Meaning) -> Whose {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.others.is_empty() {
            return Whose::Known(state.number());
        }
        let Meaning { request, form, asked, .. } = meaning;
        let facets = self.shelf.edges[asked.edge as usize].protocol().facets();
        let ids = facets.trace(request);
        let acts = state.others.iter().chain([&state.act]).filter(|act| !act.is_over);
        let named = acts.filter(|act| act.trace.iter().any(|id| ids.contains(id)));
        if let [one] = named.map(Act::number).collect::<Vec<_>>()[..] {
            return Whose::Said(one);
        }
        let all = state.under_way();
        let opener = state.units.opener(on).filter(|opener| all.contains(&opener.test));
        if let Some(opener) = opener.filter(|opener| opener.is_sure) {
            return Whose::Said(opener.test);
        }
        let claims = self.claims(state, *asked, (request, form));
        let best = claims.iter().map(|(claim, _)| *claim).max().unwrap_or(Claim::Nothing);
        if let Some(opener) = opener
            && best >= Claim::Early
        {
            return Whose::Known(within_unit(&mut state.units, on, opener.test, &claims));
        }
        let of = |wanted: &dyn Fn(Claim) -> bool| -> Vec<TestId> {
            claims.iter().filter(|(claim, _)| wanted(*claim)).map(|(_, test)| *test).collect()
        };
        if best >= Claim::Renamed {
            return Whose::Known(of(&|claim| claim == best).first().copied().unwrap_or_default());
        }
        let judge = Forms::new(&self.shelf, (request, form), &state.act.rules, &state.renaming);
        if let Some((test, _)) = state.desk.spare(&self.shelf.library, *asked, &judge, &all) {
            return Whose::Known(test);
        }
        if best == Claim::Early {
            return Whose::Known(of(&|claim| claim == best).first().copied().unwrap_or_default());
        }
        if state.desk.is_ambient(&self.shelf.library, *asked, &judge) {
            return Whose::Known(state.number());
        }
        match (best, opener) {
            (Claim::Near(_), _) => {
                let mut near = of(&|claim| claim == best);
                near.extend(of(&|claim| matches!(claim, Claim::Near(_)) && claim != best));
                let kin = of(&|claim| claim == Claim::Kin);
                match near[..] {
                    [one] if kin.is_empty() => Whose::Known(one),
                    // It may as well have been to be one of those that others share.
                    [_] => Whose::Unknown(near.into_iter().chain(kin).collect()),
                    [..] => Whose::InDoubt(near),
                }
            }
            (_, Some(opener)) => Whose::Said(opener.test),
            (Claim::Nothing, None) => Whose::Unknown(all),
            (_, None) => Whose::Unknown(of(&|claim| claim == best)),
        }
    }

    /// What each test under way has to do with a call, in recorded order.
    fn claims(
        &self,
        state: &mut State,
        asked: Asked,
        call: (&Map, &Value),
    ) -> Vec<(Claim, TestId)> {
        let mut claims = Vec::new();
        for test in state.under_way() {
            state.turn_to(test);
            let judge = Forms::new(&self.shelf, call, &state.act.rules, &state.renaming);
            let judge = judge.beside(&state.act.own);
            let is_left = |index| state.act.own.is_missing(index);
            claims.push((state.desk.claim(&self.shelf.library, asked, &judge, is_left), test));
        }
        claims
    }

    /// Makes the first test the current one that has a call of this kind to come, if any has.
    pub(super) fn turn_to_claimant(&self, state: &mut State, asked: Asked, call: (&Map, &Value)) {
        if state.others.is_empty() {
            return;
        }
        let claims = self.claims(state, asked, call);
        if let Some((_, test)) = claims.iter().find(|(claim, _)| *claim >= Claim::Early) {
            state.turn_to(*test);
        }
    }

    /// Waits until a call is no longer in doubt.
    pub(super) async fn no_doubt(&self, on: On, meaning: &Meaning) {
        loop {
            let called = self.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            if !matches!(self.whose(on, meaning), Whose::InDoubt(_)) {
                return;
            }
            called.await;
        }
    }
}
