//! What is bound and what is not, and what that means afterwards.

use super::*;

const A: &str = "65e0a1b2c3d4e5f601020304";
const B: &str = "65e0a1b2c3d4e5f6010203ff";
const C: &str = "65e0a1b2c3d4e5f6010203aa";
const U: &str = "01234567-89ab-cdef-0123-456789abcdef";
const V: &str = "01234567-89ab-cdef-0123-456789abcd00";

fn text(text: &str) -> Map {
    Map::from([("x", text)])
}

fn pairs(renaming: &Renaming, recorded: &str, live: &str) -> Vec<Pair> {
    renaming.pairs(&Value::from(recorded), &Value::from(live), "x", false)
}

fn bound(recorded: &str, live: &str) -> Renaming {
    let mut renaming = Renaming::default();
    let pairs = pairs(&renaming, recorded, live);
    assert!(!pairs.is_empty(), "{recorded} and {live} are bound");
    renaming.bind(pairs, "test 1");
    renaming
}

#[track_caller]
fn not_bound(renaming: &Renaming, recorded: &str, live: &str) {
    assert_eq!(pairs(renaming, recorded, live), [], "{recorded} and {live}");
}

#[test]
fn what_is_only_said_back_was_not_told() {
    let message = |key: &str, id: &str| Value::Map(Map::from([(key, text(id))]));
    let messages = [(stream::RECEIVED, A), (stream::SENT, U), (stream::RECEIVED, U)];
    let messages: Vec<Value> = messages.iter().map(|(key, id)| message(key, id)).collect();
    let mut renaming = Renaming::default();
    renaming.tell_conversation(&Map::from([(stream::CONVERSATION, Value::List(messages))]));
    not_bound(&renaming, A, B);
    assert!(!pairs(&renaming, U, V).is_empty());
}

#[test]
fn what_is_bound_means_the_same_from_then_on() {
    let renaming = bound(A, B);
    let (live, recorded) = (text(&format!("/o/{B}")), text(&format!("/o/{A}")));
    assert_eq!(*renaming.to_recorded(&live), recorded);
    assert_eq!(*renaming.to_live(&recorded), live);
    let key = Map::from([(B, 1)]);
    assert_eq!(*renaming.to_recorded(&key), Map::from([(A, 1)]));
    assert!(renaming.invents(&Value::from(C)) && !renaming.invents(&Value::from(B)));
}

#[test]
fn what_the_app_was_told_is_not_bound() {
    let mut renaming = Renaming::default();
    renaming.tell(&text(&format!("{{\"id\":\"{A}\"}}")));
    not_bound(&renaming, A, B);
    not_bound(&renaming, B, A);
    renaming.bind(pairs(&renaming, U, V), "test 1");
    not_bound(&renaming, U, B);
    not_bound(&renaming, C, V);
    // That it is told its own again does not make it less its own.
    renaming.tell(&text(V));
    assert_eq!(*renaming.to_recorded(&text(V)), text(U));
}

#[test]
fn one_word_stands_for_one() {
    let renaming = Renaming::default();
    let list = |items: [&str; 2]| Value::from(items.map(Value::from).to_vec());
    let count = |e, a| renaming.pairs(&list(e), &list(a), "x", false).len();
    assert_eq!(count([A, A], [B, C]), 1);
    assert_eq!(count([A, B], [C, C]), 1);
    assert_eq!(count([A, U], [B, V]), 2);
    not_bound(&renaming, A, U);
    not_bound(&renaming, &format!("a {A}"), &format!("b {B}"));
    not_bound(&renaming, &format!("{A} a"), &format!("{B} b"));
    not_bound(&renaming, "one", "two");
    not_bound(&renaming, "17", "18");
    not_bound(&renaming, "ch_1NXWPnCNtdfYVQ2eZvKYlo2C", "py_1NXWPnCNtdfYVQ2eZvKYlo2D");
}

#[test]
fn what_answers_again_and_again_takes_a_new_one_each_time() {
    let mut renaming = Renaming::default();
    let again = |renaming: &Renaming, recorded: &str, live: &str| {
        renaming.pairs(&Value::from(recorded), &Value::from(live), "x", true)
    };
    renaming.bind(again(&renaming, A, B), "start-up");
    not_bound(&renaming, A, C);
    renaming.bind(again(&renaming, A, C), "test 1");
    for live in [B, C] {
        assert_eq!(*renaming.to_recorded(&text(live)), text(A));
    }
    assert_eq!(*renaming.to_live(&text(A)), text(C));
    renaming.tell(&text(U));
    assert_eq!(again(&renaming, U, V), []);
}

#[test]
fn a_word_is_known_through_encodings_and_spellings() {
    let renaming = bound(&format!("id={U}"), &format!("id={V}"));
    let wrap = |id: &str| {
        let outer = crate::base64::json_in("eyJhIjoxfQ").unwrap();
        outer.around(&format!("{{\"next\":\"{id}\"}}"))
    };
    for (recorded, live) in [
        (U.to_ascii_uppercase(), V.to_ascii_uppercase()),
        (U.replace('-', ""), V.replace('-', "")),
        (format!("%22{U}%22"), format!("%22{V}%22")),
        (format!("[\"{{\\\"id\\\":\\\"{U}\\\"}}\"]"), format!("[\"{{\\\"id\\\":\\\"{V}\\\"}}\"]")),
        (wrap(U), wrap(V)),
        (format!("a={}.x", wrap(U)), format!("a={}.x", wrap(V))),
    ] {
        assert_eq!(*renaming.to_recorded(&text(&live)), text(&recorded), "{live}");
        assert_eq!(*renaming.to_live(&text(&recorded)), text(&live), "{recorded}");
    }
    let through = bound(&wrap(A), &wrap(B));
    assert_eq!(*through.to_recorded(&text(B)), text(A));
    let spelled =
        bound(&format!("{{\"a\":1,\"b\":\"{A}\"}}"), &format!("{{\"b\":\"{B}\",\"a\":2}}"));
    assert_eq!(*spelled.to_recorded(&text(B)), text(A));
}

#[test]
fn long_numbers_are_bound_as_numbers() {
    let number = |text: &str| Value::Number(Number::parse(text).unwrap());
    let mut renaming = Renaming::default();
    let (one, other) = ("175928847299117063", "175928847299117099");
    let pairs = renaming.pairs(&number(one), &number(other), "x", false);
    assert_eq!(pairs.len(), 1);
    renaming.bind(pairs, "test 1");
    let map = Map::from([("id", number(other)), ("text", Value::from(other))]);
    let recorded = Map::from([("id", number(one)), ("text", Value::from(one))]);
    assert_eq!(*renaming.to_recorded(&map), recorded);
}

#[test]
fn a_contradiction_names_both_places() {
    let mut renaming = bound(A, B);
    let changed = |expected: &str, actual: &str| {
        let (expected, actual) = (Value::from(expected), Value::from(actual));
        vec![Difference { path: "y".into(), change: Change::Changed { expected, actual } }]
    };
    let found = |renaming: &Renaming, expected, actual| match &renaming
        .contradictions(&changed(expected, actual))[..]
    {
        [] => None,
        [Finding::Contradiction { recorded, live, since, at, expected, actual }] => {
            let all = [recorded, live, since, at, expected, actual];
            Some(all.map(|text| text.to_owned()))
        }
        other => panic!("{other:?}"),
    };
    let named = |all: [&str; 6]| Some(all.map(str::to_owned));
    assert_eq!(found(&renaming, A, C), named([A, B, "x of test 1", "y", A, C]));
    assert_eq!(found(&renaming, C, A), named([A, B, "x of test 1", "y", C, B]));
    assert_eq!(found(&renaming, C, U), None);
    assert_eq!(found(&renaming, "one", "two"), None);
    let binding = Binding { recorded: A.into(), live: B.into(), at: "x of test 1".into() };
    assert_eq!((renaming.take_new(), renaming.take_new()), (vec![binding], vec![]));
}
