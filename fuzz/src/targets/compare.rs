//! The comparison of two values, and the paths of noise.
//!
//! An input is two JSON texts and lines of rules, in three parts.

use crate::cut::parts;
use crate::memory::within;
use rehearsal_compare::{Rules, SAME, is_truncated, similarity};
use rehearsal_model::{Value, json};

/// What a comparison may hold at once for an input of 64 KiB.
const MEMORY: usize = 256 << 20;

pub(crate) fn compare(data: &[u8]) {
    let parts = parts(data);
    let value = |place: usize| {
        let text = parts.get(place).map(|part| String::from_utf8_lossy(part));
        text.map(|text| json::parse(&text).unwrap_or(Value::Text(text.into_owned())))
    };
    let (Some(a), Some(b)) = (value(0), value(1)) else { return };
    let lines = parts.get(2).map(|part| String::from_utf8_lossy(part)).unwrap_or_default();
    let rules = Rules::noise(lines.lines()).unwrap_or_default();
    within(MEMORY, || judge(&a, &b, &rules));
    assert!(similarity(&a, &b) <= SAME);
}

fn judge(a: &Value, b: &Value, rules: &Rules) {
    assert!(rehearsal_compare::compare(a, a, "body", rules).is_empty());
    let there = rehearsal_compare::compare(a, b, "body", rules);
    let back = rehearsal_compare::compare(b, a, "body", rules);
    assert_eq!(there.is_empty(), back.is_empty(), "{there:?}\n{back:?}");
    let paths: Vec<&str> = there.iter().map(|difference| difference.path.as_str()).collect();
    let noise = Rules::noise(&paths).expect("the path of a difference is a path");
    for path in paths {
        assert!(noise.covers(path), "`{path}` does not cover itself");
        assert!(!rules.covers(path), "`{path}` is noise");
    }
    if !is_truncated(&there) {
        assert!(there.len() <= rehearsal_compare::MAX_DIFFERENCES);
    }
}

/// Lines of paths: each covers itself and what is below it.
pub(crate) fn noise(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let all = Rules::noise(text.lines());
    for line in text.lines() {
        let Ok(rules) = Rules::noise([line]) else {
            assert!(all.is_err(), "all are read but not `{line}`");
            continue;
        };
        let literal = !line.contains('*') && !line.ends_with("[unordered]");
        if literal && !line.is_empty() {
            assert!(rules.covers(line), "`{line}` does not cover itself");
            // Into XML there is no other way than a slash.
            let below = if line.contains('/') { "/b" } else { ".b[0]" };
            let below = format!("{line}{below}");
            if Rules::noise([&below]).is_ok() {
                assert!(rules.covers(&below), "`{line}` does not cover `{below}`");
            }
        }
    }
}
