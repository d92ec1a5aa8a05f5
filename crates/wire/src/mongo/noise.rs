//! Damaged conversations: see [`crate::damage`].

use super::Mongo;
use super::tests;
use crate::Answer;
use crate::damage::{check_observer, check_responder, damaged, damages};
use proptest::prelude::*;

fn answers() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
        r#"{"documents":[{"_id":{"$oid":"656565656565656565656565"}}],"cursor":7,"n":1}"#,
        r#"{"fields":{"isWritablePrimary":true}}"#,
        r#"{"fields":[]}"#,
        r#"{"documents":7}"#,
        r#"{"error":{"code":1}}"#,
        r#"{"value":{"$date":"x"}}"#,
        "{}",
    ])
    .prop_map(|text| Answer::Response(tests::map(text)))
}

proptest! {
    #[test]
    fn an_observer_takes_damage(damages in damages(), size in 1usize..50) {
        check_observer(&Mongo, &damaged(tests::conversation(), 0, &damages), size)?;
    }

    #[test]
    fn a_responder_takes_damage(damages in damages(), size in 1usize..50, answer in answers()) {
        check_responder(&Mongo, &damaged(tests::conversation(), 0, &damages), size, |_| answer.clone())?;
    }
}
