//! Which tests `record` keeps when it is not to keep all: an even part of them, or one of each kind.

use crate::coverage::{By, Coverage};
use rehearsal_model::{Edge, TestCase};
use rehearsal_record::Keep;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Kinds that are remembered; what is new beyond them is left out.
const MOST_KINDS: usize = 1 << 20;

/// See the module.
pub(crate) struct Sieve {
    share: f64,
    by: Option<By>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    kinds: HashSet<u64>,
    /// Tests of a new kind.
    tests: u64,
    kept: u64,
    left_out: u64,
}

impl Sieve {
    /// None when all tests are kept.
    pub(crate) fn new(share: Option<f64>, by: Option<By>) -> Option<Self> {
        let seen = Mutex::default();
        let asked = share.is_some() || by.is_some();
        asked.then(|| Sieve { share: share.unwrap_or(1.0), by, seen })
    }

    pub(crate) fn keep(self: &Arc<Self>) -> Keep {
        let sieve = Arc::clone(self);
        Keep::new(move |test, edges| sieve.keeps(test, edges))
    }

    fn keeps(&self, test: &TestCase, edges: &[Edge]) -> bool {
        let kind = self.by.map(|by| {
            let mut hasher = DefaultHasher::new();
            Coverage::of(edges).key(test, by).hash(&mut hasher);
            hasher.finish()
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new =
            kind.is_none_or(|kind| seen.kinds.len() < MOST_KINDS && seen.kinds.insert(kind));
        let kept = is_new && {
            // The first is kept, and then whenever the share has grown by a whole test.
            seen.tests += 1;
            let due = ((seen.tests - 1) as f64 * self.share).floor() as u64;
            let is_due = due >= seen.kept;
            seen.kept += u64::from(is_due);
            is_due
        };
        seen.left_out += u64::from(!kept);
        kept
    }

    /// What was left out, for people.
    pub(crate) fn told(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, left_out) = (seen.kept, seen.left_out);
        format!("Kept {kept} of {} tests, as --sample and --unique-by ask.\n", kept + left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{EdgeName, Exchange, Map, TestId, Timestamp};

    fn test(number: u32, line: &str, status: u32) -> TestCase {
        let (request, response) = (Map::from([("http", line)]), Map::from([("status", status)]));
        TestCase {
            id: TestId(number),
            name: line.to_owned(),
            at: Timestamp(0),
            edge: EdgeName::new("inbound"),
            exchange: Exchange { request, response: Some(response), ..Exchange::default() },
            calls: Vec::new(),
            noise: Vec::new(),
            during: Vec::new(),
        }
    }

    #[test]
    fn a_share_is_kept_evenly() {
        for (share, expected) in
            [(0.1, vec![1, 11, 21]), (1.0, (1..=30).collect()), (0.07, vec![1, 16, 30])]
        {
            let sieve = Sieve::new(Some(share), None).unwrap();
            let kept = (1..=30).filter(|number| sieve.keeps(&test(*number, "GET /", 200), &[]));
            assert_eq!(kept.collect::<Vec<u32>>(), expected, "{share}");
        }
        assert!(Sieve::new(None, None).is_none());
    }

    #[test]
    fn one_of_each_kind_is_kept() {
        let by = By::parse("status").unwrap();
        let sieve = Sieve::new(None, Some(by)).unwrap();
        let kept = [200, 200, 404, 200, 404, 500]
            .map(|status| sieve.keeps(&test(1, "GET /", status), &[]));
        assert_eq!(kept, [true, false, true, false, false, true]);
        assert_eq!(sieve.told(), "Kept 3 of 6 tests, as --sample and --unique-by ask.\n");
    }
}
