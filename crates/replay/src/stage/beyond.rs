//! Calls beyond those that were recorded: what is found of them, and many of one statement told as one.
//!
//! An app that asks for each row by itself makes a hundred calls that differ by a value. Some have a mock and
//! some have none, but they are one mistake: the statement came a hundred times and was recorded once.

use super::{Stage, State};
use crate::shelf::{EdgeNumber, ShelfEdge};
use rehearsal_compare::template;
use rehearsal_matching::{Asked, Place};
use rehearsal_model::{Difference, Finding, Map, NearestMock, TestCase, Value};
use rehearsal_wire::{Answer, Miss};
use std::collections::HashMap;

/// Statements of which calls are counted.
const STATEMENTS: usize = 256;

/// Requests that a finding shows of one statement.
const SHOWN: usize = 3;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Beyond {
    groups: Vec<Group>,
    /// Mocks that answered and are none of the test's own calls, with how often.
    borrowed: HashMap<u32, usize>,
}

/// The calls of one statement that are too many.
#[derive(Debug)]
struct Group {
    edge: EdgeNumber,
    statement: String,
    calls: usize,
    refused: usize,
    /// The places of what was found of them.
    places: Vec<usize>,
}

/// How often calls of one statement came that are as recorded, and how often they were recorded.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    came: usize,
    recorded: usize,
    /// Whether each of the test's own calls came.
    all_came: bool,
}

impl Beyond {
    /// Begins a test. What was found since the last one is found of it.
    pub(super) fn begin(&mut self) {
        self.borrowed.clear();
    }

    /// Notes that a mock answered that is none of the test's own calls.
    pub(super) fn borrows(&mut self, mock: u32) {
        *self.borrowed.entry(mock).or_default() += 1;
    }

    pub(super) fn take(&mut self) -> Beyond {
        std::mem::take(self)
    }

    fn count(&mut self, (edge, statement): (EdgeNumber, String), refused: bool, at: Option<usize>) {
        let is_it = |group: &Group| group.edge == edge && group.statement == statement;
        let known = self.groups.iter().position(is_it);
        let known = known.or_else(|| {
            let group = Group { edge, statement, calls: 0, refused: 0, places: Vec::new() };
            (self.groups.len() < STATEMENTS).then(|| {
                self.groups.push(group);
                self.groups.len() - 1
            })
        });
        let Some(group) = known.and_then(|place| self.groups.get_mut(place)) else { return };
        group.calls += 1;
        group.refused += usize::from(refused);
        group.places.extend(at.filter(|place| !group.places.contains(place)));
    }
}

impl Group {
    /// Whether its calls are many of one kind, rather than others in place of those that are missing.
    fn is_many(&self, count: Count, missing: usize, is_statement: bool) -> bool {
        let more = self.calls > 1 && self.calls > missing;
        // An app that stops at the first call without an answer would have made more.
        let one_more = is_statement && self.refused > 0 && count.all_came;
        more || one_more
    }
}

impl Stage {
    /// Counts a call that came once more than was recorded.
    pub(super) fn repeated(&self, state: &mut State, edge: EdgeNumber, asked: &Map) {
        let known = &self.shelf.edges[edge as usize];
        let ShelfEdge { name, owner, .. } = known;
        if let Some(suspects) = state.suspects.clone() {
            let finding = Finding::CallRepeated {
                edge: name.to_string(),
                owner: owner.clone(),
                operation: known.protocol().facets().operation(asked),
                request: asked.clone(),
                times: 1,
                recorded: None,
            };
            return state.strays(suspects, finding);
        }
        let mut earlier = state.act.findings.iter_mut().enumerate();
        let earlier = earlier.find_map(|(place, finding)| match finding {
            Finding::CallRepeated { edge, request, times, .. }
                if edge == name.as_str() && request == asked =>
            {
                *times += 1;
                Some(place)
            }
            _ => None,
        });
        let place = earlier.or_else(|| {
            state.found(Finding::CallRepeated {
                edge: name.to_string(),
                owner: owner.clone(),
                operation: known.protocol().facets().operation(asked),
                request: asked.clone(),
                times: 1,
                recorded: None,
            })
        });
        state.act.beyond.count((edge, self.statement(edge, asked).0), false, place);
    }

    /// Notes a call that no mock answers; it may be answered all the same when that was asked for.
    pub(super) fn unexpected(
        &self,
        state: &mut State,
        (edge, request): (EdgeNumber, &Map),
        nearest: Option<(u32, Vec<Difference>)>,
        refused: bool,
    ) {
        let known = &self.shelf.edges[edge as usize];
        let facets = known.protocol().facets();
        let operation = facets.operation(request);
        let test = state.number();
        let nearest = nearest.map(|(mock, differences)| NearestMock {
            place: self.shelf.place(mock, test),
            operation: facets.operation(&self.shelf.exchange(mock).request),
            differences,
        });
        let finding = Finding::CallUnexpected {
            edge: known.name.to_string(),
            owner: known.owner.clone(),
            operation,
            request: request.clone(),
            nearest,
        };
        if let Some(suspects) = state.suspects.clone() {
            return state.strays(suspects, finding);
        }
        let place = state.found(finding);
        state.act.beyond.count((edge, self.statement(edge, request).0), refused, place);
    }

    /// What the app is told where no mock answers, noting what was found.
    pub(super) fn miss(
        &self,
        state: &mut State,
        Asked { edge, identity, .. }: Asked,
        request: &Map,
        nearest: Option<(u32, Vec<Difference>)>,
    ) -> Answer {
        let name = self.shelf.edges[edge as usize].name.to_string();
        let operation = self.shelf.edges[edge as usize].protocol().facets().operation(request);
        let own = nearest.as_ref().and_then(|(mock, _)| {
            let entry = self.shelf.library.entry(*mock);
            match entry.place {
                Place::Call { test, index }
                    if test == state.number() && entry.identity == identity =>
                {
                    Some(index)
                }
                _ => None,
            }
        });
        let mut details = Map::from([("edge", name.as_str()), ("operation", operation.as_str())]);
        if let Some((mock, differences)) = &nearest {
            details.insert("nearest", self.shelf.place(*mock, state.number()));
            let paths =
                differences.iter().map(|difference| difference.path.clone()).collect::<Vec<_>>();
            details.insert("differs_in", paths);
        }
        let message = format!("rehearsal: no mock answers {operation} on {name}");
        match (own, nearest) {
            (Some(index), Some((_, differences))) if state.act.own.is_missing(index) => {
                state.came(index);
                state.act.seen.differs(index, request);
                let owner = self.shelf.edges[edge as usize].owner.clone();
                state.found(Finding::CallDiffers {
                    call: index as usize + 1,
                    of: state.act.own.count(),
                    edge: name,
                    owner,
                    operation,
                    differences,
                    answered: false,
                });
            }
            (_, nearest) => {
                state.surplus(name, operation);
                self.unexpected(state, (edge, request), nearest, true);
            }
        }
        Answer::Miss(Miss { message, details: Value::Map(details) })
    }

    /// What a request asks whatever its values, and whether its protocol says so itself.
    fn statement(&self, edge: EdgeNumber, request: &Map) -> (String, bool) {
        let facets = self.shelf.edges[edge as usize].protocol().facets();
        match facets.statement(request) {
            Some(statement) => (statement, true),
            None => (template(&facets.operation(request)), false),
        }
    }

    /// What was found of a test, with one finding for many calls of one statement.
    pub(super) fn told_as_one(
        &self,
        state: &State,
        test: &TestCase,
        beyond: Beyond,
        findings: Vec<Finding>,
    ) -> Vec<Finding> {
        let mut told: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
        for group in beyond.groups {
            let count = self.as_recorded(state, test, &group, &beyond.borrowed);
            let places = group.places.iter();
            let mut found: Vec<Finding> =
                places.clone().filter_map(|place| told.get_mut(*place)?.take()).collect();
            if let [Finding::CallRepeated { recorded, .. }] = &mut found[..] {
                *recorded = Some(count.came);
            } else if let Some(one) = self.one(state, test, (&group, count), &found) {
                found = vec![one];
            }
            for (place, finding) in places.zip(found) {
                told[*place] = Some(finding);
            }
        }
        told.into_iter().flatten().collect()
    }

    /// The finding that stands for those of one statement, where they are many of one kind.
    fn one(
        &self,
        state: &State,
        test: &TestCase,
        (group, count): (&Group, Count),
        found: &[Finding],
    ) -> Option<Finding> {
        let edge = &self.shelf.edges[group.edge as usize];
        let requests: Vec<&Map> = found.iter().filter_map(request).collect();
        let first = requests.first()?;
        let missing = state.act.own.missing().filter(|call| test.calls[*call].edge == edge.name);
        if !group.is_many(count, missing.count(), self.statement(group.edge, first).1) {
            return None;
        }
        let nearest = found.iter().find_map(|one| match one {
            Finding::CallUnexpected { nearest, .. } => nearest.clone(),
            _ => None,
        });
        Some(Finding::CallMultiplied {
            edge: edge.name.to_string(),
            owner: edge.owner.clone(),
            operation: edge.protocol().facets().operation(first),
            statement: group.statement.clone(),
            came: count.came + group.calls,
            recorded: count.recorded,
            refused: group.refused,
            requests: requests.into_iter().take(SHOWN).cloned().collect(),
            nearest,
        })
    }

    /// How often calls of a statement came that were answered as recorded, and were recorded.
    fn as_recorded(
        &self,
        state: &State,
        test: &TestCase,
        group: &Group,
        borrowed: &HashMap<u32, usize>,
    ) -> Count {
        let is_it = |edge: EdgeNumber, request: &Map| {
            edge == group.edge && self.statement(edge, request).0 == group.statement
        };
        let name = &self.shelf.edges[group.edge as usize].name;
        let own: Vec<usize> = (0..test.calls.len())
            .filter(|call| test.calls[*call].edge == *name)
            .filter(|call| is_it(group.edge, &test.calls[*call].exchange.request))
            .collect();
        let came = state.act.own.all_that_came();
        let came = own.iter().filter(|call| came.contains(call)).count();
        let mut count =
            Count { came, recorded: own.len(), all_came: !own.is_empty() && came == own.len() };
        for (mock, times) in borrowed {
            let entry = self.shelf.library.entry(*mock);
            if is_it(entry.edge, &self.shelf.exchange(*mock).request) {
                let is_others = matches!(entry.place, Place::Call { .. });
                count.came += times;
                count.recorded += if is_others { 0 } else { *times };
            }
        }
        count
    }
}

/// The request of a call that is too many.
fn request(finding: &Finding) -> Option<&Map> {
    match finding {
        Finding::CallUnexpected { request, .. } | Finding::CallRepeated { request, .. } => {
            Some(request)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(refused: &[bool], count: Count, (missing, is_statement): (usize, bool), many: bool) {
        let mut beyond = Beyond::default();
        for (place, refused) in refused.iter().enumerate() {
            beyond.count((1, "SELECT ?".to_owned()), *refused, (place < 3).then_some(place));
        }
        let group = &beyond.groups[0];
        assert_eq!((group.calls, group.places.len()), (refused.len(), refused.len().min(3)));
        assert_eq!(group.is_many(count, missing, is_statement), many);
    }

    #[test]
    fn many_calls_of_one_statement_are_one_mistake_and_others_in_place_of_the_missing_are_not() {
        let (nothing, whole) = (Count::default(), Count { came: 1, recorded: 1, all_came: true });
        check(&[true; 100], nothing, (3, true), true);
        check(&[false; 2], nothing, (0, false), true);
        check(&[true; 2], nothing, (2, true), false);
        check(&[true], nothing, (0, true), false);
        // It stopped at the second one.
        check(&[true], whole, (1, true), true);
        check(&[true], whole, (1, false), false);
        check(&[false], whole, (1, true), false);
    }

    #[test]
    fn no_more_statements_are_counted_than_so_many() {
        let mut beyond = Beyond::default();
        for number in 0..=STATEMENTS {
            beyond.count((1, number.to_string()), true, None);
        }
        assert_eq!(beyond.groups.len(), STATEMENTS);
    }
}
