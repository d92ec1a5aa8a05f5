//! Tests that are played together: one, or several that overlapped when they were recorded.
//!
//! What the recording knows of each is beside which earlier ones it began. That says when it is sent: once
//! the request before it is on its way, and the answers of all are there that had ended by then. Nothing
//! waits for a time.

use crate::verdict::Progress;
use rehearsal_model::TestId;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

/// Tests in recorded order; of each, the places of those that are under way when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scene(pub(crate) Vec<(TestId, BTreeSet<usize>)>);

impl Scene {
    /// A test for itself.
    fn alone(test: TestId) -> Self {
        Scene(vec![(test, BTreeSet::new())])
    }

    /// Tests one after the other.
    pub(crate) fn each(tests: &[TestId]) -> Vec<Scene> {
        tests.iter().copied().map(Scene::alone).collect()
    }

    /// Tests, in recorded order, as they overlapped; `during` says beside which earlier ones each began.
    pub(crate) fn overlapping<'a>(
        tests: &[TestId],
        during: impl Fn(TestId) -> &'a [TestId],
    ) -> Vec<Scene> {
        let mut scenes: Vec<Scene> = Vec::new();
        for test in tests {
            let beside = during(*test);
            // Who began beside a test of an earlier scene began beside all that came after it.
            let first = scenes.iter().position(|scene| scene.holds(beside));
            let joined = scenes.split_off(first.unwrap_or(scenes.len()));
            let mut scene = Scene(Vec::new());
            for Scene(members) in joined {
                let start = scene.0.len();
                let moved = |place: usize| place + start;
                let moved = |(test, beside): (TestId, BTreeSet<usize>)| {
                    (test, beside.into_iter().map(moved).collect())
                };
                scene.0.extend(members.into_iter().map(moved));
            }
            let places = (0..).zip(&scene.0).filter(|(_, (test, _))| beside.contains(test));
            let places = places.map(|(place, _)| place).collect();
            scene.0.push((*test, places));
            scenes.push(scene);
        }
        scenes
    }

    fn holds(&self, tests: &[TestId]) -> bool {
        self.0.iter().any(|(test, _)| tests.contains(test))
    }

    /// Its tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = TestId> {
        self.0.iter().map(|(test, _)| *test)
    }

    /// Plays all of its tests, by their places, and gives what came of each in this order.
    pub(crate) async fn play<T, F: Future<Output = T>>(
        &self,
        play: impl Fn(usize, Arc<Progress>) -> F,
    ) -> Vec<T> {
        let mut progress: Vec<Arc<Progress>> = Vec::new();
        let mut active: Vec<(usize, Pin<Box<F>>)> = Vec::new();
        let mut over: Vec<Option<T>> = self.0.iter().map(|_| None).collect();
        poll_fn(|cx| {
            loop {
                active.retain_mut(|(place, act)| match act.as_mut().poll(cx) {
                    Poll::Ready(came) => {
                        over[*place] = Some(came);
                        false
                    }
                    Poll::Pending => true,
                });
                if progress.len() == self.0.len() || !self.may_begin(progress.len(), &progress) {
                    break;
                }
                let own = Arc::<Progress>::default();
                progress.push(Arc::clone(&own));
                active.push((progress.len() - 1, Box::pin(play(progress.len() - 1, own))));
            }
            if active.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        over.into_iter().flatten().collect()
    }

    /// Whether a test may begin, given how far those before it have come.
    fn may_begin(&self, place: usize, progress: &[Arc<Progress>]) -> bool {
        let Some((_, beside)) = self.0.get(place) else { return false };
        progress.iter().enumerate().all(|(earlier, progress)| {
            let answered = progress.answered.load(Ordering::Acquire);
            let sent = progress.sent.load(Ordering::Acquire);
            answered || sent && beside.contains(&earlier)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::task::yield_now;

    fn scenes(tests: &[(u32, &[u32])]) -> Vec<Scene> {
        let during: Vec<(TestId, Vec<TestId>)> = tests
            .iter()
            .map(|(test, during)| (TestId(*test), during.iter().copied().map(TestId).collect()))
            .collect();
        let ids: Vec<TestId> = during.iter().map(|(test, _)| *test).collect();
        Scene::overlapping(&ids, |id| {
            during.iter().find(|(test, _)| *test == id).map_or(&[], |(_, during)| during)
        })
    }

    /// The scenes, a word each: `1 2(0)` is a test, and one that began beside the first.
    #[track_caller]
    fn check(tests: &[(u32, &[u32])], expected: &[&str]) {
        let member = |(test, beside): &(TestId, BTreeSet<usize>)| {
            let beside: Vec<String> = beside.iter().map(ToString::to_string).collect();
            let beside =
                if beside.is_empty() { String::new() } else { format!("({})", beside.join(",")) };
            format!("{}{beside}", test.0)
        };
        let found: Vec<String> = scenes(tests)
            .iter()
            .map(|scene| scene.0.iter().map(member).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn tests_are_together_that_overlap_or_have_one_between_them() {
        check(&[(1, &[]), (2, &[])], &["1", "2"]);
        check(&[(1, &[]), (2, &[1]), (3, &[2]), (4, &[])], &["1 2(0) 3(1)", "4"]);
        // The first one lasts.
        check(&[(1, &[]), (2, &[]), (3, &[1])], &["1 2 3(0)"]);
        // Those that are not played, or do not exist, overlap with nothing.
        check(&[(1, &[]), (3, &[2]), (4, &[4, 9])], &["1", "3", "4"]);
    }

    /// Plays a scene; each test is sent, lets others go on for as many turns as its number says, and is
    /// answered. Gives what happened.
    fn play(tests: &[(u32, &[u32])], turns: &[usize]) -> String {
        let scenes = scenes(tests);
        let [scene] = &scenes[..] else { panic!("{scenes:?}") };
        let log = Mutex::new(Vec::new());
        let note =
            |what: &str, place: usize| log.lock().unwrap().push(format!("{what}{}", place + 1));
        let play = async |place: usize, progress: Arc<Progress>| {
            yield_now().await;
            note(">", place);
            progress.sent.store(true, Ordering::Release);
            for _ in 0..turns[place] {
                yield_now().await;
            }
            note("<", place);
            progress.answered.store(true, Ordering::Release);
            yield_now().await;
            place
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let places = runtime.block_on(scene.play(play));
        assert_eq!(places, (0..tests.len()).collect::<Vec<_>>());
        log.into_inner().unwrap().join(" ")
    }

    #[test]
    fn a_test_is_sent_beside_those_that_it_began_beside_and_after_the_others() {
        let pair: &[(u32, &[u32])] = &[(1, &[]), (2, &[1])];
        assert_eq!(play(pair, &[9, 1]), ">1 >2 <2 <1");
        let chain: &[(u32, &[u32])] = &[(1, &[]), (2, &[1]), (3, &[2])];
        // The third waits for the first, however fast the second is.
        assert_eq!(play(chain, &[9, 1, 1]), ">1 >2 <2 <1 >3 <3");
        assert_eq!(play(chain, &[3, 20, 1]), ">1 >2 <1 >3 <3 <2");
    }
}
