//! Lists: in order, with what came and went told apart from what changed; or without an order.

use crate::align::{Pair, align};
use crate::path::Step;
use crate::rules::State;
use crate::similarity::similarity;
use crate::walk::{Side, Walk};
use rehearsal_model::{Change, Value};
use std::collections::HashMap;

/// How many items without an equal are paired by likeness in a list without an order.
const MAX_UNPAIRED: usize = 64;

impl Walk<'_> {
    pub(crate) fn lists(&mut self, expected: Side<'_>, actual: Side<'_>, state: &State) {
        let (Value::List(e), Value::List(a)) = (expected.value, actual.value) else { return };
        let e_hashes: Vec<u64> = (0..e.len()).map(|place| expected.print.at(place).hash).collect();
        let a_hashes: Vec<u64> = (0..a.len()).map(|place| actual.print.at(place).hash).collect();
        let near = |x: usize, y: usize| similarity(&e[x], &a[y]);
        let pairs = if self.rules.is_unordered(state) {
            pair_unordered(&e_hashes, &a_hashes, near)
        } else {
            align(&e_hashes, &a_hashes, &mut self.fuel, near)
        };
        for pair in pairs {
            let (Pair::Both(place, _) | Pair::Expected(place) | Pair::Actual(place)) = pair;
            let step = Step::Index(place);
            let state = self.rules.down(state, &step);
            self.step(&step, &state, |walk| match pair {
                Pair::Both(x, y) => walk.values(
                    Side { value: &e[x], print: expected.print.at(x) },
                    Side { value: &a[y], print: actual.print.at(y) },
                    &state,
                ),
                Pair::Expected(x) => walk.note(Change::Missing { expected: e[x].clone() }),
                Pair::Actual(y) => walk.note(Change::Added { actual: a[y].clone() }),
            });
        }
    }
}

/// Pairs equal items wherever they stand, then the nearest of the rest; what then remains has no
/// partner. In the order of the expected list.
fn pair_unordered(
    expected: &[u64],
    actual: &[u64],
    near: impl Fn(usize, usize) -> u32,
) -> Vec<Pair> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, hash) in actual.iter().enumerate().rev() {
        places.entry(*hash).or_default().push(place);
    }
    let mut partner: Vec<Option<usize>> =
        expected.iter().map(|hash| places.get_mut(hash).and_then(Vec::pop)).collect();
    let mut free: Vec<usize> = places.into_values().flatten().collect();
    free.sort_unstable();
    let lonely: Vec<usize> =
        (0..expected.len()).filter(|place| partner[*place].is_none()).collect();

    if lonely.len() <= MAX_UNPAIRED && free.len() <= MAX_UNPAIRED {
        pair_nearest(&lonely, &mut free, &mut partner, near);
    } else {
        let both = lonely.len().min(free.len());
        for (place, other) in lonely.iter().zip(free.drain(..both)) {
            partner[*place] = Some(other);
        }
    }
    let pairs = partner.into_iter().enumerate().map(|(place, other)| match other {
        Some(other) => Pair::Both(place, other),
        None => Pair::Expected(place),
    });
    pairs.chain(free.into_iter().map(Pair::Actual)).collect()
}

/// Pairs greedily, the nearest two first; of equally near ones the earlier.
fn pair_nearest(
    lonely: &[usize],
    free: &mut Vec<usize>,
    partner: &mut [Option<usize>],
    near: impl Fn(usize, usize) -> u32,
) {
    let mut scored = Vec::with_capacity(lonely.len() * free.len());
    for place in lonely {
        scored.extend(free.iter().map(|other| (near(*place, *other), *place, *other)));
    }
    scored.sort_by_key(|(score, place, other)| (std::cmp::Reverse(*score), *place, *other));
    for (_, place, other) in scored {
        if partner[place].is_none()
            && let Some(taken) = free.iter().position(|free| *free == other)
        {
            partner[place] = Some(other);
            free.remove(taken);
        }
    }
}
