//! Numbers that servers give to what lasts for a while, such as cursors, and that clients only say back.
//!
//! They are other ones in each run, so in a recording they count from 1 on each edge: the same traffic
//! then gives the same files. Which values are such numbers is a protocol's to say. What the app does
//! with them beside, such as to show them to its callers, is not looked for.

use rehearsal_model::{EdgeName, Exchange, TestId};
use rehearsal_wire::Facets;
use std::collections::{HashMap, VecDeque};

/// How many numbers are remembered at a time. Nobody says when one is no longer used.
const MOST: usize = 1 << 16;

/// How many of them a test has room for before those of what is added to the recording at its end.
const OF_A_TEST: i64 = 1000;

/// The numbers given so far.
#[derive(Debug, Default)]
pub(crate) struct Given {
    before: i64,
    last: HashMap<EdgeName, i64>,
    known: HashMap<(EdgeName, i64), i64>,
    order: VecDeque<(EdgeName, i64)>,
}

impl Given {
    /// Those of a recording that begins with a test: what is added to one does not meet what it has.
    pub(crate) fn since(first: TestId) -> Self {
        let before = i64::from(first.0.saturating_sub(1)) * OF_A_TEST;
        Given { before, ..Given::default() }
    }

    /// Puts numbers that count in the place of those in an exchange.
    pub(crate) fn renumber(
        &mut self,
        edge: &EdgeName,
        facets: &dyn Facets,
        exchange: &mut Exchange,
    ) {
        for value in facets.given(&mut exchange.request, exchange.response.as_mut()) {
            if let Some(number) = value.as_i64() {
                *value = self.number(edge, number).into();
            }
        }
    }

    fn number(&mut self, edge: &EdgeName, theirs: i64) -> i64 {
        let key = (edge.clone(), theirs);
        if let Some(ours) = self.known.get(&key) {
            return *ours;
        }
        if self.order.len() == MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        let last = self.last.entry(edge.clone()).or_insert(self.before);
        *last += 1;
        self.known.insert(key.clone(), *last);
        self.order.push_back(key);
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Map, Value};

    fn exchange(request: &str, cursor: i64) -> Exchange {
        let mut asked = Map::from([("mongodb", Value::from(request))]);
        if request.starts_with("getMore") {
            asked.push_new("cursor", cursor);
        }
        let response = Some(Map::from([("cursor", cursor)]));
        Exchange { request: asked, response, ..Exchange::default() }
    }

    #[track_caller]
    fn check(given: &mut Given, edge: &str, mut seen: Exchange, expected: (Option<i64>, i64)) {
        let facets = rehearsal_wire::protocol("mongodb").unwrap().facets();
        given.renumber(&EdgeName::new(edge), facets, &mut seen);
        let cursor = |map: &Map| map.get("cursor").and_then(Value::as_i64);
        let found = (cursor(&seen.request), cursor(&seen.response.unwrap()).unwrap());
        assert_eq!(found, expected);
    }

    #[test]
    fn numbers_count_on_each_edge_and_stay_what_they_are() {
        let mut given = Given::since(TestId(1));
        check(&mut given, "db", exchange("find shop.orders", 77_000), (None, 1));
        check(&mut given, "db", exchange("find shop.orders", 55_000), (None, 2));
        check(&mut given, "other", exchange("find shop.orders", 55_000), (None, 1));
        check(&mut given, "db", exchange("getMore shop.orders", 77_000), (Some(1), 1));
        let mut added = Given::since(TestId(4));
        check(&mut added, "db", exchange("find shop.orders", 77_000), (None, 3001));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut given = Given::since(TestId(1));
        let edge = EdgeName::new("db");
        let most = i64::try_from(MOST).unwrap();
        (1..=most).for_each(|number| assert_eq!(given.number(&edge, -number), number));
        assert_eq!(given.number(&edge, -1), 1);
        assert_eq!(given.number(&edge, -most - 1), most + 1);
        assert_eq!((given.known.len(), given.number(&edge, -1)), (MOST, most + 2));
    }
}
