//! Damaged conversations: see [`crate::damage`].

use super::Mysql;
use super::tests;
use super::text;
use crate::damage::{Damage, Line, check_observer, check_responder, damages};
use crate::{Answer, Protocol};
use proptest::prelude::*;
use rehearsal_model::{Map, Value};

/// What follows a greeting in one piece is an error, and in another it is not.
fn damaged(damages: &[Damage]) -> Vec<Line> {
    crate::damage::damaged(tests::conversation(), 1, damages)
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = |text: &str| Value::from(text);
    let row = Value::List(vec![vec![Value::from(17), text("x"), Value::Null].into()]);
    let columns = Value::from(vec!["a int", "b varchar(9) not null", "c longblob flags=9"]);
    let full =
        Map::from([("columns", columns.clone()), ("rows", row.clone()), ("takes", 1.into())]);
    let edited = Map::from([("columns", text("a")), ("rows", text("b")), ("takes", text("c"))]);
    let wrong = Map::from([("columns", columns), ("rows", row), ("error", text("not a map"))]);
    let refused = Map::from([("error", Map::from([("code", 1064)]))]);
    let done = Value::Map(Map::from([("affected", 2)]));
    let several = Map::from([("results", vec![Value::Map(full.clone()), done])]);
    prop::sample::select(vec![
        Answer::Response(full),
        Answer::Response(Map::new()),
        Answer::Response(edited),
        Answer::Response(wrong),
        Answer::Response(refused),
        Answer::Response(several),
    ])
}

proptest! {
    #[test]
    fn an_observer_takes_damage(damages in damages(), size in 1usize..50) {
        check_observer(&Mysql, &damaged(&damages), size)?;
    }

    #[test]
    fn a_responder_takes_damage(damages in damages(), size in 1usize..50, answer in answers()) {
        check_responder(&Mysql, &damaged(&damages), size, |request| match request.get("greeting") {
            Some(_) => Answer::Response(Map::from([("version", "8.0.36")])),
            None => answer.clone(),
        })?;
    }

    #[test]
    fn any_bytes_are_a_statement(sql in prop_oneof![any::<Vec<u8>>(), "[-'\"`#$*/;(),.@!?a1 \\n\\\\]{0,60}".prop_map(String::into_bytes)]) {
        let recorded = text::recorded(&sql);
        // What is recorded stays as it is.
        prop_assert_eq!(&text::recorded(recorded.as_bytes().unwrap_or_default()), &recorded);
        let request = Map::from([("sql", recorded)]);
        let facets = Mysql.facets();
        facets.operation(&request);
        facets.request(&request);
        facets.identity(&request);
        // Only what sets up is answered without a recording.
        prop_assert!(facets.usual(&request).is_none() || facets.sets_up(&request));
    }
}
