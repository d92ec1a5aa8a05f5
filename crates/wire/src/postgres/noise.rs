//! Damaged conversations: see [`crate::damage`].

use super::Postgres;
use super::sql;
use super::tests;
use crate::Answer;
use crate::damage::{Damage, Line, check_observer, check_responder, damages};
use proptest::prelude::*;
use rehearsal_model::{Map, Value};

/// What stands around the choice of encryption is an error only when it comes in one piece.
fn damaged(damages: &[Damage]) -> Vec<Line> {
    crate::damage::damaged(tests::conversation(), 2, damages)
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = |text: &str| Value::from(text);
    let row = Value::List(vec![vec![Value::from(17), text("x"), Value::Null].into()]);
    let columns = Value::from(vec!["a int4", "b text", "c #99999 binary"]);
    let full = Map::from([
        ("columns", columns.clone()),
        ("rows", row.clone()),
        ("params", vec!["int4"].into()),
        ("tag", text("SELECT 1")),
    ]);
    let edited = Map::from([("columns", text("a")), ("rows", text("b")), ("params", text("c"))]);
    let wrong = Map::from([("columns", columns), ("rows", row), ("error", text("not a map"))]);
    let refused = Map::from([("error", Map::from([("severity", "ERROR"), ("code", "1")]))]);
    prop::sample::select(vec![
        Answer::Response(full),
        Answer::Response(Map::new()),
        Answer::Response(edited),
        Answer::Response(wrong),
        Answer::Response(refused),
        Answer::Response(Map::from([("tag", "BEGIN")])),
    ])
}

proptest! {
    #[test]
    fn an_observer_takes_damage(damages in damages(), size in 1usize..50) {
        check_observer(&Postgres, &damaged(&damages), size)?;
    }

    #[test]
    fn a_responder_takes_damage(damages in damages(), size in 1usize..50, answer in answers()) {
        check_responder(&Postgres, &damaged(&damages), size, |_| answer.clone())?;
    }

    #[test]
    fn any_text_is_a_statement(text in "\\PC{0,60}|[-'\"$*/;(),.a1eE \\n]{0,60}") {
        let normal = sql::normalise(&text);
        // What is normal stays so, but that a literal has become a mark.
        prop_assert_eq!(&sql::normalise(&normal.sql).sql, &normal.sql);
        sql::outline(&text);
        sql::operation(&text);
        sql::trace(&text);
        sql::cursors(&text);
        prop_assert!(!sql::sets_up(&text) || sql::repeatable(&text) || !text.is_empty());
    }
}
