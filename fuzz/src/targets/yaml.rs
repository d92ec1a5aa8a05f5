//! YAML: what was read can be written, and is then read as the same.

use rehearsal_store::yaml as store;

pub(crate) fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(node) = store::parse(text) else { return };
    let value = node.into_value();
    let printed = store::to_string(&value).expect("what was read is not too deep to be written");
    let again = store::parse(&printed).expect("what was written can be read").into_value();
    assert_eq!(again, value, "{printed}");
}
