//! JSON texts: what was printed is read as what was printed.

use rehearsal_model::json;

pub(crate) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = json::parse(text) else { return };
    let printed = json::to_string(&value);
    let again = json::parse(&printed).expect("what was printed can be read");
    assert_eq!(again, value, "{printed}");
    assert_eq!(json::to_string(&again), printed);
}
