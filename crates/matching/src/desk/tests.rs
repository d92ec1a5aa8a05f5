//! Each rule of the choice, on small libraries.

use super::*;
use crate::Entry;
use rehearsal_model::{Change, Value};

/// Compares by a table: the values of each mock and those that count as noise.
struct Table<'a> {
    library: &'a Library,
    asked: u64,
    noisy: &'a [u64],
}

impl Judge for Table<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        let recorded = self.library.entry(mock).values;
        if recorded == self.asked || self.noisy.contains(&recorded) {
            return Vec::new();
        }
        let change = Change::Changed {
            expected: Value::from(recorded.to_string()),
            actual: Value::from(self.asked.to_string()),
        };
        vec![Difference { path: "body".into(), change }]
    }
}

/// As [`Table`]; identities are operations whose tens are what they are about.
struct Akin<'a>(Table<'a>, u64);

impl Judge for Akin<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        self.0.differences(mock)
    }

    fn kinship(&self, mock: u32) -> Kinship {
        match self.0.library.entry(mock).identity {
            identity if identity == self.1 => Kinship::Operation,
            identity if identity / 10 == self.1 / 10 => Kinship::Subject,
            _ => Kinship::Edge,
        }
    }
}

fn call(test: u32, index: u32, identity: u64, values: u64, repeatable: bool) -> Entry {
    let place = Place::Call { test: TestId(test), index };
    Entry { edge: 0, identity, values, repeatable, place }
}

fn ambient(after: u32, index: u32, identity: u64, values: u64) -> Entry {
    let place = Place::Ambient { after: TestId(after), calls: 0, index };
    Entry { edge: 0, identity, values, repeatable: false, place }
}

fn shared(index: u32, identity: u64, values: u64) -> Entry {
    Entry { edge: 0, identity, values, repeatable: false, place: Place::Shared { index } }
}

/// Asks each `(identity, values, repeatable)` in turn within a test and returns the decisions.
#[track_caller]
fn ask(desk: &mut Desk, library: &Library, test: u32, asks: &[(u64, u64, bool)]) -> Vec<Pick> {
    desk.begin(library, TestId(test));
    let pick = |&(identity, values, repeatable): &(u64, u64, bool)| {
        let asked = Asked { edge: 0, identity, values, repeatable, optional: false, stands: false };
        desk.pick(library, asked, &Table { library, asked: values, noisy: &[] }, &[TestId(test)])
    };
    asks.iter().map(pick).collect()
}

fn mock(number: u32) -> Pick {
    Pick { verdict: Verdict::Mock(number), extra: false }
}

fn is_miss(pick: &Pick) -> bool {
    matches!(pick.verdict, Verdict::Miss(_))
}

#[test]
fn equal_calls_are_answered_in_recorded_order_and_then_missed() {
    let library =
        Library::new(vec![call(1, 0, 1, 10, false), call(1, 1, 1, 10, false)], |_| vec![]);
    let picks = ask(&mut Desk::default(), &library, 1, &[(1, 10, false); 3]);
    assert_eq!(picks[..2], [mock(0), mock(1)]);
    assert!(is_miss(&picks[2]) && picks[2].extra);
}

#[test]
fn values_decide_before_order() {
    let library =
        Library::new(vec![call(1, 0, 1, 10, false), call(1, 1, 1, 11, false)], |_| vec![]);
    let mut desk = Desk::default();
    assert_eq!(ask(&mut desk, &library, 1, &[(1, 11, false), (1, 10, false)]), [mock(1), mock(0)]);
    assert_eq!(desk.used_calls(&library), [1, 0]);
}

#[test]
fn nothing_is_served_because_it_is_similar() {
    let library = Library::new(vec![call(1, 0, 1, 10, false)], |_| vec![]);
    let pick = ask(&mut Desk::default(), &library, 1, &[(1, 99, false)]).remove(0);
    let Verdict::Miss(Some((0, differences))) = pick.verdict else { panic!("{pick:?}") };
    assert_eq!(differences[0].change.actual(), Some(&Value::from("99")));
}

#[test]
fn a_miss_is_compared_with_what_the_test_has_left_on_the_edge() {
    let elsewhere = Entry { edge: 1, ..call(1, 2, 4, 40, false) };
    let entries = vec![call(1, 0, 1, 10, false), call(1, 1, 3, 30, false), elsewhere];
    let library = Library::new(entries, |_| vec![]);
    let asks = [(2, 20, false), (1, 10, false), (2, 20, false), (3, 30, false), (2, 20, false)];
    let picks = ask(&mut Desk::default(), &library, 1, &asks);
    let nearest = |pick: &Pick| match &pick.verdict {
        Verdict::Miss(nearest) => nearest.as_ref().map(|(mock, _)| *mock),
        Verdict::Mock(mock) => panic!("{mock} answered"),
    };
    assert_eq!(nearest(&picks[0]), Some(0));
    assert_eq!(picks[1], mock(0), "being near does not use a call up");
    assert_eq!((nearest(&picks[2]), nearest(&picks[4])), (Some(1), None));
}

#[test]
fn a_miss_is_compared_with_what_is_most_akin_first() {
    let entries = vec![
        call(1, 0, 31, 31, false),
        call(1, 1, 12, 12, false),
        call(1, 2, 11, 11, false),
        call(1, 3, 11, 13, false),
    ];
    let library = Library::new(entries, |_| vec![]);
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    let mut ask = |identity, values, kin| {
        let asked =
            Asked { edge: 0, identity, values, repeatable: false, optional: false, stands: false };
        let table = Table { library: &library, asked: values, noisy: &[] };
        match desk.pick(&library, asked, &Akin(table, kin), &[]).verdict {
            Verdict::Mock(mock) => (true, Some(mock)),
            Verdict::Miss(nearest) => (false, nearest.map(|(mock, _)| mock)),
        }
    };
    let miss = |mock| (false, Some(mock));
    assert_eq!(ask(99, 1, 11), miss(2), "the same operation on the same table");
    assert_eq!(ask(99, 1, 15), miss(1), "another one on that table");
    assert_eq!(ask(99, 1, 50), miss(0), "nothing akin");
    assert_eq!(ask(11, 11, 11), (true, Some(2)));
    assert_eq!(ask(99, 1, 11), miss(3), "one that is left");
    assert_eq!(ask(11, 13, 11), (true, Some(3)));
    assert_eq!(ask(99, 1, 11), miss(2), "one that was used, before another table's that is left");
    assert_eq!(ask(12, 12, 12), (true, Some(1)));
    assert_eq!(ask(99, 1, 15), miss(0), "what was used is no news of what is about the same");
}

/// As [`Table`]; a mock is renamed when its identity is the call's plus one hundred.
struct Named<'a>(Table<'a>, u64);

impl Judge for Named<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        self.0.differences(mock)
    }

    fn is_renamed(&self, mock: u32) -> bool {
        self.0.library.entry(mock).identity == self.1 + 100
    }
}

#[test]
fn a_call_whose_name_is_invented_is_answered_once_and_by_its_own_test() {
    let entries =
        vec![call(1, 0, 105, 1, true), call(1, 1, 105, 2, true), call(2, 0, 105, 3, true)];
    let library = Library::new(entries, |_| vec![]);
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    let mut ask = |identity, optional| {
        let asked =
            Asked { edge: 0, identity, values: 9, repeatable: false, optional, stands: false };
        let table = Table { library: &library, asked: 9, noisy: &[] };
        match desk.pick(&library, asked, &Named(table, identity), &[]).verdict {
            Verdict::Mock(mock) => Some(mock),
            Verdict::Miss(_) => None,
        }
    };
    assert_eq!([ask(6, false), ask(5, true)], [None, None]);
    assert_eq!([ask(5, false), ask(5, false), ask(5, false)], [Some(0), Some(1), None]);
}

#[test]
fn noisy_ambient_mocks_answer_however_many_there_are() {
    let entries = (0..200).map(|index| ambient(0, index, 1, u64::from(index))).collect();
    let library = Library::new(entries, |_| vec![]);
    let mut desk = Desk::default();
    for noisy in 0..200 {
        let asked = Asked {
            edge: 0,
            identity: 1,
            values: 1000 + noisy,
            repeatable: false,
            optional: false,
            stands: false,
        };
        let judge = Table { library: &library, asked: asked.values, noisy: &[noisy] };
        assert_eq!(desk.pick(&library, asked, &judge, &[]).verdict, Verdict::Mock(noisy as u32));
    }
}

#[test]
fn a_read_of_other_values_of_an_earlier_test_is_not_extra() {
    let entries = vec![call(1, 0, 1, 10, true), call(2, 0, 1, 11, true)];
    let library = Library::new(entries, |_| vec![]);
    let picks = ask(&mut Desk::default(), &library, 2, &[(1, 11, true), (1, 10, true)]);
    assert_eq!(picks, [mock(1), mock(0)]);
}

#[test]
fn noise_is_no_difference() {
    let library = Library::new(vec![call(1, 0, 1, 10, false)], |_| vec![]);
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    let asked = Asked {
        edge: 0,
        identity: 1,
        values: 99,
        repeatable: false,
        optional: false,
        stands: false,
    };
    let judge = Table { library: &library, asked: 99, noisy: &[10] };
    assert_eq!(desk.pick(&library, asked, &judge, &[]), mock(0));
}

#[test]
fn a_write_of_another_test_never_answers_and_a_read_of_an_earlier_one_does() {
    let entries = vec![call(1, 0, 1, 10, true), call(2, 0, 1, 10, true), call(3, 0, 2, 20, false)];
    let library = Library::new(entries, |_| vec![]);
    let mut desk = Desk::default();
    assert!(is_miss(&ask(&mut desk, &library, 4, &[(2, 20, false)])[0]));
    assert_eq!(ask(&mut desk, &library, 4, &[(1, 10, true)]), [mock(1)]);
    assert!(is_miss(&ask(&mut desk, &library, 0, &[(1, 10, true)])[0]), "it lies in the future");
}

#[test]
fn a_read_that_is_repeated_gets_the_latest_answer_and_is_extra() {
    let library = Library::new(vec![call(1, 0, 1, 10, true)], |_| vec![]);
    let picks = ask(&mut Desk::default(), &library, 1, &[(1, 10, true), (1, 10, true)]);
    assert_eq!(picks, [mock(0), Pick { verdict: Verdict::Mock(0), extra: true }]);
}

#[test]
fn ambient_mocks_answer_in_order_and_the_last_one_for_ever() {
    let library = Library::new(vec![ambient(0, 0, 1, 10), ambient(0, 1, 1, 10)], |_| vec![]);
    let picks = ask(&mut Desk::default(), &library, 7, &[(1, 10, false); 4]);
    assert_eq!(picks, [mock(0), mock(1), mock(1), mock(1)]);
}

#[test]
fn a_shared_mock_serves_one_of_its_tests_once() {
    let library = Library::new(vec![shared(0, 1, 10)], |_| vec![TestId(1), TestId(2)]);
    let mut desk = Desk::default();
    assert!(is_miss(&ask(&mut desk, &library, 3, &[(1, 10, false)])[0]));
    assert_eq!(ask(&mut desk, &library, 2, &[(1, 10, false)]), [mock(0)]);
    assert!(desk.is_spent(0));
    assert!(is_miss(&ask(&mut desk, &library, 1, &[(1, 10, false)])[0]));
}

#[test]
fn what_waits_is_found_once_it_is_due_and_given_once() {
    let entries = vec![ambient(0, 0, 1, 10), ambient(1, 1, 1, 10), call(1, 0, 1, 10, false)];
    let library = Library::new(entries, |_| vec![]);
    let mut desk = Desk::default();
    let asked = Asked {
        edge: 0,
        identity: 1,
        values: 10,
        repeatable: false,
        optional: false,
        stands: false,
    };
    let judge = Table { library: &library, asked: 10, noisy: &[] };
    let mut find = |test: u32, due: bool| {
        desk.begin(&library, TestId(test));
        let found = desk.find_due(&library, asked, &judge, |_| due);
        found.inspect(|mock| desk.use_due(&library, *mock, &[]))
    };
    assert_eq!([find(0, true), find(0, true)], [Some(0), None], "at start-up, once");
    assert_eq!([find(1, false), find(1, true)], [None, Some(2)], "in the test, when it is due");
    assert_eq!([find(2, true), find(2, true)], [Some(1), None], "what came between two tests");
}

#[test]
fn an_answer_that_stands_is_that_of_the_point_of_the_timeline() {
    let changed = |after, calls, index| {
        let place = Place::Ambient { after: TestId(after), calls, index };
        Entry { place, ..ambient(after, index, 1, 10) }
    };
    let entries = vec![
        changed(0, 0, 0),
        call(1, 0, 2, 20, false),
        changed(2, 1, 1),
        call(2, 0, 2, 20, false),
        call(2, 1, 3, 30, false),
        changed(3, 0, 2),
        call(3, 0, 2, 20, false),
    ];
    let library = Library::new(entries, |_| Vec::new());
    let mut desk = Desk::default();
    let stands = |desk: &mut Desk| {
        let asked = Asked {
            edge: 0,
            identity: 1,
            values: 10,
            repeatable: true,
            optional: false,
            stands: true,
        };
        desk.pick(&library, asked, &Table { library: &library, asked: 10, noisy: &[] }, &[])
    };
    // Each test may be the first that is run.
    for (test, before, behind) in [(3, 5, 5), (1, 0, 0), (2, 0, 2)] {
        desk.begin(&library, TestId(test));
        assert_eq!([stands(&mut desk), stands(&mut desk)], [mock(before), mock(before)]);
        let asked = Asked {
            edge: 0,
            identity: 2,
            values: 20,
            repeatable: false,
            optional: false,
            stands: false,
        };
        let pick =
            desk.pick(&library, asked, &Table { library: &library, asked: 20, noisy: &[] }, &[]);
        assert!(!is_miss(&pick));
        assert_eq!(stands(&mut desk), mock(behind));
    }
}

#[test]
fn the_beginning_of_an_ambient_call_is_answered_as_often_as_the_whole() {
    let library = Library::new(vec![ambient(0, 0, 1, 10), ambient(1, 1, 1, 10)], |_| vec![]);
    let mut desk = Desk::default();
    let asked = Asked {
        edge: 0,
        identity: 1,
        values: 10,
        repeatable: false,
        optional: false,
        stands: false,
    };
    let judge = Table { library: &library, asked: 10, noisy: &[] };
    for expected in [0, 1, 1] {
        assert_eq!(desk.find_again(&library, asked, &judge), Some(expected));
        assert_eq!(ask(&mut desk, &library, 2, &[(1, 10, false)]), [mock(expected)]);
    }
    let other = Table { library: &library, asked: 11, noisy: &[] };
    assert_eq!(desk.find_again(&library, asked, &other), None);
}

const ASKED: Asked =
    Asked { edge: 0, identity: 1, values: 10, repeatable: false, optional: false, stands: false };

/// Asks the same once for each list of tests that it may be of; the first of them is the current one.
#[track_caller]
fn ask_by(library: &Library, asks: &[&[u32]], expected: &[Option<u32>]) {
    let mut desk = Desk::default();
    let judge = Table { library, asked: ASKED.values, noisy: &[] };
    let ask = |by: &&[u32]| {
        let by: Vec<TestId> = by.iter().copied().map(TestId).collect();
        if desk.turn.test != by[0] {
            desk.begin(library, by[0]);
        }
        match desk.pick(library, ASKED, &judge, &by).verdict {
            Verdict::Mock(mock) => Some(mock),
            Verdict::Miss(_) => None,
        }
    };
    assert_eq!(asks.iter().map(ask).collect::<Vec<_>>(), expected, "{asks:?}");
}

#[test]
fn what_others_took_is_made_up_for_by_what_was_theirs() {
    let sharers: [&[u32]; 4] = [&[1, 2], &[1, 3], &[3, 4], &[8, 9]];
    let entries = (0..4).map(|index| shared(index, 1, 10)).collect();
    let library = Library::new(entries, |index| {
        sharers[index as usize].iter().copied().map(TestId).collect()
    });
    // The first takes what the second was to get, and was to get what it shares with the third.
    ask_by(&library, &[&[1, 2], &[2], &[3, 4]], &[Some(0), Some(1), Some(2)]);
    // What the third took was the second's in the end: by way of two others.
    ask_by(&library, &[&[1, 2], &[3, 1], &[2]], &[Some(0), Some(1), Some(2)]);
    // One call more than there are, and one of a test that none of them is.
    ask_by(&library, &[&[1, 2], &[2], &[4], &[2], &[5]], &[Some(0), Some(1), Some(2), None, None]);
    // Who is known to have made the first call can have been nobody else.
    ask_by(&library, &[&[2], &[2]], &[Some(0), None]);
}

#[test]
fn what_is_a_tests_alone_is_made_up_for_too() {
    let entries = vec![call(1, 0, 1, 10, false), shared(0, 1, 10), shared(1, 1, 11)];
    let library = Library::new(entries, |_| vec![TestId(2), TestId(3)]);
    ask_by(&library, &[&[1, 2], &[1], &[1]], &[Some(0), Some(1), None]);
    // What belongs to a test that is none of the makers is left to it.
    ask_by(&library, &[&[2, 3], &[3], &[1]], &[Some(1), None, Some(0)]);
}

/// As [`Table`]; these mocks are not due yet.
struct NotDue<'a>(Table<'a>, &'a [u32]);

impl Judge for NotDue<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        self.0.differences(mock)
    }

    fn is_early(&self, mock: u32) -> bool {
        self.1.contains(&mock)
    }
}

#[test]
fn a_call_whose_turn_it_is_not_is_taken_only_if_there_is_no_other() {
    let library =
        Library::new(vec![call(1, 0, 1, 10, false), shared(0, 1, 10), shared(1, 1, 10)], |index| {
            vec![TestId(if index == 0 { 1 } else { 2 }), TestId(3)]
        });
    let judge = |early| NotDue(Table { library: &library, asked: 10, noisy: &[] }, early);
    let by = [TestId(1), TestId(3)];
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    assert_eq!(desk.claim(&library, ASKED, &judge(&[]), |_| true), Claim::Open);
    assert_eq!(desk.claim(&library, ASKED, &judge(&[0]), |_| true), Claim::Open);
    // What it shares comes first then, and what is left over by way of another test.
    assert_eq!(desk.pick(&library, ASKED, &judge(&[0]), &by), mock(1));
    assert_eq!(desk.claim(&library, ASKED, &judge(&[0]), |_| true), Claim::Early);
    assert_eq!(desk.pick(&library, ASKED, &judge(&[0]), &by), mock(2));
    assert_eq!(desk.pick(&library, ASKED, &judge(&[0]), &by), mock(0));
    assert_eq!(desk.claim(&library, ASKED, &judge(&[0]), |_| true), Claim::Kin);
}

#[test]
fn who_has_made_which_of_two_equal_calls_can_be_exchanged() {
    let own = call(1, 0, 1, 10, false);
    // Who is known to have made it keeps it.
    let cases =
        [(own, &[1, 2][..], Some(0)), (own, &[1], None), (shared(0, 1, 10), &[1, 2], Some(0))];
    for (first, by, expected) in cases {
        let entries = vec![first, call(2, 0, 1, 10, false), call(2, 1, 1, 11, false)];
        let library = Library::new(entries, |_| vec![TestId(1), TestId(3)]);
        let judge = Table { library: &library, asked: 10, noisy: &[] };
        let by: Vec<TestId> = by.iter().copied().map(TestId).collect();
        let (mut desk, mut other) = (Desk::default(), Turn::default());
        desk.begin(&library, TestId(1));
        assert_eq!(desk.pick(&library, ASKED, &judge, &by), mock(0));
        desk.exchange(&mut other);
        desk.begin(&library, TestId(2));
        let own = desk.call_at(&library, 0).unwrap();
        assert_eq!(desk.trade(&library, &mut other, own), expected);
        // What was exchanged is the other's to be used again, and the current test's no more.
        let claim = |desk: &Desk| desk.claim(&library, ASKED, &judge, |_| true);
        let is_traded = expected.is_some();
        assert_eq!(claim(&desk) == Claim::Open, !is_traded);
        desk.exchange(&mut other);
        assert_eq!(claim(&desk) == Claim::Open, is_traded);
    }
}

/// As [`Table`]; these mocks were never answered.
struct Silent<'a>(Table<'a>, &'a [u32]);

impl Judge for Silent<'_> {
    fn differences(&self, mock: u32) -> Vec<Difference> {
        self.0.differences(mock)
    }

    fn is_silent(&self, mock: u32) -> bool {
        self.1.contains(&mock)
    }
}

/// Which of three equal ambient mocks are given, one after the other, when some were never answered.
#[track_caller]
fn check_silent(silent: &[u32], expected: [u32; 5]) {
    let entries = (0..3).map(|index| ambient(0, index, 1, 10)).collect();
    let library = Library::new(entries, |_| vec![]);
    let judge = Silent(Table { library: &library, asked: 10, noisy: &[] }, silent);
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    let picks = expected.map(|_| desk.pick(&library, ASKED, &judge, &[]));
    assert_eq!(picks, expected.map(mock), "{silent:?}");
}

#[test]
fn what_was_under_way_when_the_recording_ended_is_not_left_unanswered_for_ever() {
    check_silent(&[], [0, 1, 2, 2, 2]);
    check_silent(&[2], [0, 1, 1, 1, 1]);
    check_silent(&[0], [0, 1, 2, 2, 2]);
    check_silent(&[1, 2], [0, 1, 0, 0, 0]);
    // Nobody ever answered.
    check_silent(&[0, 1, 2], [0, 1, 1, 1, 1]);
}
