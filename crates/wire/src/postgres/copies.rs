//! What an app copies in, statement by statement: a text of SQL may do so several times.
//!
//! A text in which one statement copies in has the data beside it in its recording, one in which several
//! do has a list of them. What the data say is no concern here.

use super::copy::wants;
use super::sql;
use rehearsal_model::{Map, Value};

/// What is recorded of one time.
const KEYS: [&str; 5] = ["copy", "copy_omitted", "copy_format", "copy_columns", "copy_failed"];

/// Those that say what was meant; the others say how a server asked for it.
const COMPARED: [&str; 3] = ["copy", "copy_omitted", "copy_failed"];

/// The places of the statements that copy in.
pub(super) fn places(text: &str) -> Vec<usize> {
    // Nearly no text has one, and looking for them takes it apart.
    if !text.as_bytes().windows(5).any(|word| word.eq_ignore_ascii_case(b"stdin")) {
        return Vec::new();
    }
    let all = sql::statements(text);
    all.iter().enumerate().filter(|(_, it)| wants(it).is_some()).map(|(place, _)| place).collect()
}

/// What was copied in by a request, in order.
pub(super) fn of(request: &Map) -> Vec<Map> {
    if let Some(several) = request.get("copies").and_then(Value::as_list) {
        return several.iter().filter_map(Value::as_map).cloned().collect();
    }
    let one: Map = KEYS.iter().filter_map(|key| Some((*key, request.get(key)?.clone()))).collect();
    if COMPARED.iter().any(|key| one.get(key).is_some()) { vec![one] } else { Vec::new() }
}

/// Puts what was copied in where recordings have it.
pub(super) fn put(request: &mut Map, copies: Vec<Map>) {
    for key in KEYS.iter().chain(&["copies"]) {
        request.remove(key);
    }
    let several = copies.len() > 1 || request.text("sql").is_some_and(|it| places(it).len() > 1);
    match copies {
        copies if copies.is_empty() => {}
        copies if several => request.push_new("copies", copies),
        copies => copies.into_iter().flat_map(Map::into_iter).for_each(|(key, value)| {
            request.push_new(key, value);
        }),
    }
}

/// Puts what is compared of it into a comparison form, in the same places.
pub(super) fn put_compared(request: &Map, form: &mut Map) {
    let compared = |copy: &Map| -> Map {
        let kept = COMPARED.into_iter();
        kept.filter_map(|key| Some((key, copy.get(key)?.clone()))).collect()
    };
    let copied = of(request).iter().map(compared).collect::<Vec<_>>();
    match request.get("copies") {
        Some(_) => form.push_new("copies", copied),
        None => copied.into_iter().flat_map(Map::into_iter).for_each(|(key, value)| {
            form.push_new(key, value);
        }),
    }
}

/// As much of a recorded request as was copied in so far, unless more was.
pub(super) fn cut(request: &Map, recorded: &Map) -> Option<Map> {
    let (came, mut known) = (of(request).len(), of(recorded));
    if came > known.len() {
        return None;
    }
    known.truncate(came);
    let mut cut = recorded.clone();
    put(&mut cut, known);
    Some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_statements_that_copy_in() {
        assert_eq!(places("COPY t FROM STDIN"), [0]);
        assert_eq!(
            places("BEGIN; copy t (a) from stdin; COPY t TO STDOUT; COPY u FROM STDIN"),
            [1, 3]
        );
        assert_eq!(places("COPY t FROM '/tmp/stdin'; SELECT 'COPY t FROM STDIN'"), [0usize; 0]);
    }

    #[test]
    fn one_stands_beside_the_text_and_several_in_a_list() {
        let data = |text: &str| Map::from([("copy", text)]);
        for (sql, copies, key) in [
            ("COPY t FROM STDIN", vec![data("1")], "copy"),
            ("COPY t FROM STDIN; COPY t FROM STDIN", vec![data("1")], "copies"),
            ("COPY t FROM STDIN; COPY t FROM STDIN", vec![data("1"), data("")], "copies"),
        ] {
            let mut request = Map::from([("sql", sql)]);
            put(&mut request, copies.clone());
            assert!(request.get(key).is_some(), "{request:?}");
            assert_eq!(of(&request), copies);
            put(&mut request, Vec::new());
            assert_eq!(request, Map::from([("sql", sql)]));
        }
    }

    #[test]
    fn a_recorded_request_is_cut_to_what_came() {
        let sql = "COPY t FROM STDIN; COPY t FROM STDIN";
        let request = |count: usize| {
            let mut request = Map::from([("sql", sql)]);
            put(&mut request, vec![Map::from([("copy", "1")]); count]);
            request
        };
        assert_eq!(cut(&request(1), &request(2)), Some(request(1)));
        assert_eq!(cut(&request(0), &request(2)), Some(request(0)));
        assert_eq!(cut(&request(2), &request(1)), None);
    }
}
