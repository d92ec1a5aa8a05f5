//! What holds of every comparison, whatever the values.

use proptest::prelude::*;
use rehearsal_compare::{Renaming, Rules, SAME, Times, compare, learn, renamed, similarity};
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

/// A wall clock in the years of which tests are, in nanoseconds.
fn clock() -> impl Strategy<Value = i128> {
    (1_600_000_000_000i128..1_999_999_999_000).prop_map(|milliseconds| milliseconds * 1_000_000)
}

const SECOND: i128 = 1_000_000_000;

/// Days from 1970 as year, month and day, by counting years and months.
fn civil(mut days: i128) -> (i128, usize, i128) {
    let leap = |year: i128| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut month) = (1970, 0);
    while days >= 365 + i128::from(leap(year)) {
        days -= 365 + i128::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i128::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month, days + 1)
}

/// A time in one of the ways in which programs write it.
fn written(at: i128, way: usize) -> Value {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let zone = if way == 2 { 3600 * SECOND } else { 0 };
    let local = at + zone;
    let (year, month, day) = civil(local.div_euclid(86_400 * SECOND));
    let second = local.rem_euclid(86_400 * SECOND) / SECOND;
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    let nano = local.rem_euclid(SECOND);
    let date = format!("{year:04}-{:02}-{day:02}", month + 1);
    let number = |text: String| Number::parse(&text).map_or(Value::Null, Value::Number);
    match way {
        0 => Value::from(format!("{date}T{h:02}:{m:02}:{s:02}Z")),
        1 => Value::from(format!("{date}T{h:02}:{m:02}:{s:02}.{:03}Z", nano / 1_000_000)),
        2 => Value::from(format!("{date}T{h:02}:{m:02}:{s:02}.{:06}+01:00", nano / 1000)),
        3 => Value::from(format!("{date} {h:02}:{m:02}:{s:02}")),
        4 => {
            Value::from(format!("Thu, {day:02} {} {year} {h:02}:{m:02}:{s:02} GMT", MONTHS[month]))
        }
        5 => number((at / SECOND).to_string()),
        6 => number((at / 1_000_000).to_string()),
        7 => Value::from((at / 1000).to_string()),
        8 => number(at.to_string()),
        _ => Value::from(format!("at {date} {h:02}:{m:02}:{s:02}, or {}", at / SECOND)),
    }
}

fn rules(recorded: i128, live: i128, length: i128, told: Option<Value>) -> Rules {
    let times = Times::new(recorded..recorded + SECOND, live..live + length, move || {
        told.iter().cloned().collect()
    });
    Rules::default().with_times(times)
}

/// One of the distances by which a time is wrong rather than late.
fn wrong() -> impl Strategy<Value = i128> {
    let away = prop_oneof![Just(60), Just(900), Just(3600), Just(86_400), 60i128..200_000];
    (away, any::<bool>()).prop_map(|(away, back)| if back { -away } else { away } * SECOND)
}

proptest! {
    #[test]
    fn times_of_the_test_itself_agree(
        recorded in clock(), live in clock(), length in 0..5 * SECOND,
        e_part in 0.0..1.0f64, a_part in 0.0..1.0f64, way in 0usize..10,
    ) {
        let e = written(recorded + (SECOND as f64 * e_part) as i128, way);
        let a = written(live + (length as f64 * a_part) as i128, way);
        // That it was told the same does not matter: its clock showed it as well.
        let rules = rules(recorded, live, length, Some(e.clone()));
        prop_assert_eq!(compare(&e, &a, "r", &rules), []);
        let lists = |one: &Value| Value::List(vec![1.into(), one.clone(), one.clone()]);
        prop_assert_eq!(compare(&lists(&e), &lists(&a), "r", &rules), []);
    }

    #[test]
    fn times_that_are_derived_agree_unless_the_app_was_told_them(
        recorded in clock(), live in clock(), part in 0.0..1.0f64, away in wrong(), way in 0usize..10,
    ) {
        let late = (SECOND as f64 * part) as i128;
        let (e, a) = (written(recorded + away, way), written(live + away + late, way));
        let differences = compare(&e, &a, "r", &rules(recorded, live, late, None));
        prop_assert_eq!(differences, []);
        let told = rules(recorded, live, late, Some(e.clone()));
        // A time without a zone may be that of a zone in which it is now.
        let anywhere = matches!(way, 3 | 9) && away.abs() <= 15 * 3600 * SECOND;
        if recorded != live && e != a && !anywhere {
            prop_assert_eq!(compare(&e, &a, "r", &told).len(), 1);
        }
    }

    #[test]
    fn times_that_are_wrong_do_not_agree(
        recorded in clock(), live in clock(), part in 0.0..1.0f64, away in wrong(), way in 0usize..10,
    ) {
        let late = (SECOND as f64 * part) as i128;
        let rules = rules(recorded, live, late, None);
        let (e, a) = (written(recorded + late, way), written(live + late + away, way));
        prop_assert_eq!(compare(&e, &a, "r", &rules).len(), 1);
        let (e, a) = (written(recorded + away, way), written(live, way));
        prop_assert_eq!(compare(&e, &a, "r", &rules).len(), 1);
    }

    #[test]
    fn ways_of_writing_a_time_are_told_apart(
        at in clock(), one in 0usize..9, other in 0usize..9,
    ) {
        let rules = rules(at, at, SECOND, None);
        let differences = compare(&written(at, one), &written(at, other), "r", &rules);
        prop_assert_eq!(differences.is_empty(), one == other);
    }

    #[test]
    fn any_text_is_searched_for_times(one in ".{0,40}", other in "[0-9TZ:., +A-Z-]{0,40}") {
        let rules = rules(0, 0, 0, None);
        let (one, other) = (Value::from(one), Value::from(other));
        prop_assert_eq!(compare(&one, &other, "r", &rules).is_empty(), one == other);
        prop_assert_eq!(compare(&other, &other, "r", &rules), []);
    }
}

/// Something that apps invent, of one of several kinds, from random bits.
fn invented(kind: usize, bits: u128, more: u128) -> String {
    let digits = |letters: &[u8], length: u32, mut bits: u128| -> String {
        let base = letters.len() as u128;
        let mut next = move || {
            let letter = letters[(bits % base) as usize];
            bits = (bits / base).wrapping_mul(6_364_136_223_846_793_005).rotate_left(37) ^ more;
            char::from(letter)
        };
        (0..length).map(|_| next()).collect()
    };
    let hex = format!("{bits:032x}");
    let all = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    match kind {
        0 => format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        ),
        1 => hex,
        2 => hex[..24].to_owned(),
        3 => format!("01{}", digits(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24, bits)),
        4 => format!("a1B2{}", digits(all, 23, bits)),
        _ => format!("ord_Z9y{}", digits(all, 20, bits)),
    }
}

fn message(id: &str, other: &str) -> Map {
    let inner = format!("{{\"id\":\"{id}\",\"list\":[\"{other}\"]}}");
    Map::from([
        ("http", Value::from(format!("PUT /o/{id}?x={other}"))),
        ("body", Value::from(inner)),
        (id, Value::from(vec![Value::from(other), Value::from(format!("key:{id}:{other}"))])),
    ])
}

proptest! {
    #[test]
    fn renaming_goes_there_and_back(
        kinds in (0usize..6, 0usize..6), bits in any::<[u128; 4]>(), more in any::<[u128; 4]>(),
    ) {
        let id = |kind, place: usize| invented(kind, bits[place], more[place]);
        let recorded = message(&id(kinds.0, 0), &id(kinds.1, 1));
        let live = message(&id(kinds.0, 2), &id(kinds.1, 3));
        let mut renaming = Renaming::default();
        let only = |map: &Map| Value::from(vec![map.get("http").cloned().unwrap_or_default()]);
        let pairs = renaming.pairs(&only(&recorded), &only(&live), "x", false);
        prop_assert_eq!(pairs.len(), 2);
        prop_assert_eq!(renamed(&only(&live), &pairs), only(&recorded));
        renaming.bind(pairs, "test 1");
        prop_assert_eq!(&*renaming.to_recorded(&live), &recorded);
        prop_assert_eq!(&*renaming.to_live(&recorded), &live);
        // What is bound does not stand for anything else.
        let third = Value::from(id(kinds.0, 1));
        prop_assert_eq!(renaming.pairs(&Value::from(id(kinds.0, 0)), &third, "x", false), []);
    }

    #[test]
    fn what_people_write_is_never_bound(
        one in "([a-z]{1,12}[-_ /.]){0,4}[a-z]{1,15}|[0-9]{1,16}|[A-Z][a-z]{2,15}",
        other in "([a-z]{1,12}[-_ /.]){0,4}[a-z]{1,15}|[0-9]{1,16}|[A-Z][a-z]{2,15}",
    ) {
        let renaming = Renaming::default();
        let found = renaming.pairs(&Value::from(one), &Value::from(other), "x", false);
        prop_assert_eq!(found, []);
    }

    #[test]
    fn any_text_is_searched_for_words(
        one in ".{0,60}", other in "[A-Za-z0-9+/=_.:%-]{0,60}|eyJ[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,20}){0,3}",
    ) {
        let mut renaming = Renaming::default();
        let (one, other) = (Map::from([("x", one)]), Map::from([("x", other)]));
        let (e, a) = (Value::Map(one.clone()), Value::Map(other.clone()));
        let pairs = renaming.pairs(&a, &e, "x", false);
        let nothing = pairs.is_empty();
        renaming.bind(pairs, "test 1");
        renaming.tell(&one);
        for map in [&one, &other] {
            let (there, back) = (renaming.to_recorded(map), renaming.to_live(map));
            prop_assert!(!nothing || *there == *map && *back == *map);
        }
    }
}

proptest! {
    #[test]
    fn what_is_learned_silences_what_taught_it_and_no_more(
        recorded in maps_only(), first in maps_only(), second in maps_only(),
    ) {
        let of = |live: &Value, rules: &Rules| compare(&recorded, live, "r", rules);
        let plain = Rules::default();
        let lessons = learn(&of(&first, &plain), &of(&second, &plain));
        let mut rules = Rules::default();
        for noise in &lessons.noise {
            prop_assert_eq!(rules.add(noise), Ok(()));
        }
        for live in [&first, &second] {
            let left = of(live, &rules);
            prop_assert!(left.iter().all(|it| lessons.unstable.contains(it)), "{:?}", left);
        }
        // What was the same each time is never noise.
        let unstable = lessons.unstable.iter().map(|it| &it.path);
        prop_assert!(unstable.into_iter().all(|path| lessons.noise.iter().all(|it| it.path != *path)));
    }
}
