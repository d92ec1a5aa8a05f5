//! Many tests, few causes.

use super::{Kind, causes};
use rehearsal_model::{
    CallName, Change, Difference, Edit, Finding, Map, NearestMock, Outcome, TestId, Value, Verdict,
};

fn verdict(number: u32, findings: Vec<Finding>) -> Verdict {
    let call = |operation: &str| CallName { edge: "pay".into(), operation: operation.into() };
    Verdict {
        recording: "shop".into(),
        number: TestId(number),
        name: "GET /x".into(),
        file: format!("rehearsal/shop/tests/{number:04}-x.yaml"),
        outcome: Outcome::Failed,
        took_ms: 1.0,
        calls: vec![call("POST /charges"), call("GET /rates/7")],
        findings,
    }
}

fn changed(path: &str, expected: impl Into<Value>, actual: impl Into<Value>) -> Difference {
    let change = Change::Changed { expected: expected.into(), actual: actual.into() };
    Difference { path: path.into(), change }
}

fn missing(path: &str, expected: impl Into<Value>) -> Difference {
    Difference { path: path.into(), change: Change::Missing { expected: expected.into() } }
}

fn added(path: &str, actual: impl Into<Value>) -> Difference {
    Difference { path: path.into(), change: Change::Added { actual: actual.into() } }
}

fn response(differences: Vec<Difference>) -> Finding {
    Finding::Response { differences }
}

fn unexpected(place: &str, differences: Vec<Difference>) -> Finding {
    let nearest =
        NearestMock { place: place.into(), operation: "POST /charges".into(), differences };
    Finding::CallUnexpected {
        edge: "pay".into(),
        owner: None,
        operation: "POST /v2/charges".into(),
        request: Map::from([("http", "POST /v2/charges")]),
        nearest: Some(nearest),
    }
}

fn gone(call: usize) -> Finding {
    Finding::CallMissing {
        call,
        of: 2,
        edge: "pay".into(),
        owner: None,
        operation: "POST /charges".into(),
        request: Map::from([("http", "POST /charges")]),
    }
}

#[track_caller]
fn check(verdicts: &[Verdict], expected: &[(&str, usize)]) {
    let review = causes(verdicts);
    let found: Vec<(String, usize)> =
        review.causes.iter().map(|cause| (cause.title.clone(), cause.tests())).collect();
    let expected: Vec<(String, usize)> =
        expected.iter().map(|(title, count)| ((*title).to_owned(), *count)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_same_change_in_many_tests_is_one_cause() {
    let total = |value: &str, item: usize| {
        response(vec![
            missing(&format!("response.body.items[{item}].total"), value),
            added(&format!("response.body.items[{item}].sum"), value),
            changed("response.status", 201, 200),
        ])
    };
    let verdicts: Vec<Verdict> = (1..=41u32)
        .map(|number| verdict(number, vec![total(&format!("{number}.50"), number as usize)]))
        .collect();
    let expected =
        [("response.body.items[*]: total is now sum", 41), ("response.status: 201 is now 200", 41)];
    check(&verdicts, &expected);
    let review = causes(&verdicts);
    assert_eq!(review.causes[0].kind, Kind::Renamed);
    assert_eq!(review.causes[0].samples.len(), 3);
    let noise: Vec<String> = review.causes[0].places[0].noise().collect();
    assert_eq!(noise, ["response.body.items[*].total", "response.body.items[*].sum"]);
}

#[test]
fn a_changed_path_is_known_whether_it_was_answered_or_not() {
    let moved = || vec![changed("calls[0].http", "POST /charges", "POST /v2/charges")];
    let answered = Finding::CallDiffers {
        call: 1,
        of: 2,
        edge: "pay".into(),
        owner: None,
        operation: "POST /v2/charges".into(),
        differences: vec![changed("calls[0].http", "GET /rates/7", "GET /v2/rates/7")],
        answered: true,
    };
    let refused = vec![
        unexpected("call 1 of this test", moved()),
        gone(1),
        gone(2),
        response(vec![changed("response.status", 201, 502)]),
    ];
    let verdicts = [verdict(1, refused), verdict(2, vec![answered])];
    check(&verdicts, &[("pay: / is now /v2/", 2)]);
    assert_eq!(causes(&verdicts).held, [0], "what follows from a refusal is held back");
}

#[test]
fn calls_that_went_came_and_swapped_are_told_apart() {
    let order = Finding::CallOrder {
        call: 2,
        before: 1,
        of: 2,
        edge: "pay".into(),
        owner: None,
        operation: "GET /rates/7".into(),
    };
    let new = unexpected("ambient mock 4", vec![]);
    let verdicts = [
        verdict(1, vec![gone(1)]),
        verdict(2, vec![order]),
        verdict(3, vec![new]),
        verdict(4, vec![gone(0)]),
        verdict(5, vec![Finding::NoAnswer { what: "it hung".into() }]),
    ];
    let review = causes(&verdicts);
    let found: Vec<_> =
        review.causes.iter().map(|cause| (cause.kind, cause.obstacle.is_some())).collect();
    let expected =
        [(Kind::CallMissing, false), (Kind::CallOrder, false), (Kind::CallUnexpected, true)];
    assert_eq!(found, expected);
    assert_eq!(review.causes[1].title, "pay: GET /rates/* now comes before pay: POST /charges");
    assert_eq!(review.causes[1].places[0].edits, [Edit::Before { call: 1, other: 0 }]);
    assert_eq!(review.others, [4]);
}

#[test]
fn fields_move_and_values_of_many_kinds_stay_together() {
    let moved = response(vec![
        missing("response.body.address", "12 Main Street"),
        added("response.body.customer.address", "12 Main Street"),
    ]);
    let other = |number: i64| response(vec![changed("response.body.total", number, number + 1)]);
    let verdicts = [
        verdict(1, vec![moved]),
        verdict(2, vec![other(3)]),
        verdict(3, vec![other(5)]),
        verdict(4, vec![response(vec![missing("response.body/order/text()", "1")])]),
    ];
    let expected = [
        ("response.body.address is now at response.body.customer.address", 1),
        ("response.body/order/text() is gone", 1),
        ("response.body.total: 2 different values", 2),
    ];
    check(&verdicts, &expected);
    assert!(
        causes(&verdicts).causes[1].obstacle.is_some(),
        "a text between elements is not edited"
    );
}
