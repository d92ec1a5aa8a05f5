//! What holds of every comparison, whatever the values.

use proptest::prelude::*;
use rehearsal_compare::{Rules, SAME, compare, similarity};
use rehearsal_model::{Map, Number, Value};

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?[0-9]\\.[0-9]{1,3}(e-?[0-9])?".prop_map(|text| match Number::parse(&text) {
            Some(number) => Value::Number(number),
            None => Value::Null,
        }),
        (-3i32..3).prop_map(Value::from),
        "[ab]{0,2}|<a b='[cd]'>[cd]?<c/></a>|\\{\"a\": ?[1-3]\\}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..3).prop_map(Value::Bytes),
    ]
}

fn map(of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    proptest::collection::vec(("[a-c. \"\\[]{1,2}", of), 0..5)
        .prop_map(|pairs| Value::Map(pairs.into_iter().collect::<Map>()))
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            map(inner)
        ]
    })
}

fn maps_only() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 40, 6, map)
}

proptest! {
    #[test]
    fn a_value_equals_itself(one in value()) {
        // A rule that selects nothing of concern keeps the comparison from being skipped.
        let rules = Rules::noise(["elsewhere.**"]).unwrap();
        let other = Value::List(vec![one.clone(), 1.into()]);
        let one = Value::List(vec![one, 2.into()]);
        let differences = compare(&one, &other, "r", &rules);
        prop_assert_eq!(differences.len(), 1);
        prop_assert_eq!(differences[0].path.as_str(), "r[1]");
    }

    #[test]
    fn whether_values_agree_has_no_direction(one in value(), other in value()) {
        let rules = Rules::default();
        let there = compare(&one, &other, "r", &rules);
        let back = compare(&other, &one, "r", &rules);
        prop_assert_eq!(there.is_empty(), back.is_empty());
        if one == other {
            prop_assert_eq!(similarity(&one, &other), SAME);
        }
    }

    #[test]
    fn the_paths_of_differences_declared_as_noise_silence_them(
        one in maps_only(),
        other in maps_only(),
    ) {
        let paths: Vec<String> = compare(&one, &other, "r", &Rules::default())
            .into_iter()
            .map(|difference| difference.path)
            .collect();
        let rules = Rules::noise(&paths).unwrap();
        prop_assert!(paths.iter().all(|path| rules.covers(path)));
        prop_assert_eq!(compare(&one, &other, "r", &rules), []);
    }

    #[test]
    fn a_path_of_any_characters_is_read_or_refused(path in "[a-z.*\\[\\]/@\"0-9é]{0,20}") {
        let rules = Rules::noise([&path]);
        if let Ok(rules) = rules {
            prop_assert!(rules.covers(&path), "{path:?} covers itself");
        }
    }
}
