//! Changes one place in a text that holds JSON, and leaves how the rest of it is laid out.
//!
//! The text has been read before, so it is JSON: here is only found out where in it something stands.

use rehearsal_model::{Step, Value, json};
use std::ops::Range;

/// What is to become of a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Set(&'a Value),
    Remove,
    Add(&'a Value),
}

/// A pair of an object or an item of a list.
struct Member {
    key: Option<String>,
    /// From its key on.
    whole: Range<usize>,
    value: Range<usize>,
}

/// The text with a place changed; none when there is no such place.
pub(super) fn with(text: &str, way: &[Step], change: Change<'_>) -> Option<String> {
    let (last, way) = way.split_last()?;
    let mut inside = skip_space(text, 0)..text.trim_end().len();
    for step in way {
        let members = members(text, inside)?;
        inside = members.get(place(&members, step)?)?.value.clone();
    }
    let (open, close) = (inside.start, inside.end.checked_sub(1)?);
    let members = members(text, inside)?;
    let known = place(&members, last);
    let (range, new) = match (change, known) {
        (Change::Set(value), Some(known)) => (members[known].value.clone(), json::to_string(value)),
        (Change::Remove, Some(known)) => (around(&members, known, open + 1..close), String::new()),
        (Change::Add(value), known) => {
            added(text, &members, (last, known), value, open + 1..close)?
        }
        _ => return None,
    };
    Some([&text[..range.start], &new, &text[range.end..]].concat())
}

/// A member with the comma that goes with it.
fn around(members: &[Member], known: usize, inside: Range<usize>) -> Range<usize> {
    match (known.checked_sub(1), members.get(known + 1)) {
        (Some(before), _) => members[before].whole.end..members[known].whole.end,
        (None, Some(next)) => members[known].whole.start..next.whole.start,
        (None, None) => inside,
    }
}

fn added(
    text: &str,
    members: &[Member],
    (step, known): (&Step, Option<usize>),
    value: &Value,
    inside: Range<usize>,
) -> Option<(Range<usize>, String)> {
    // As those that are there are laid out.
    let colon = members.last().map_or(": ", |last| {
        let pair = &text[last.whole.start..last.value.start];
        pair.rfind(':').map_or("", |colon| &pair[colon..])
    });
    let new = match step {
        Step::Key(_) if known.is_some() => return None,
        Step::Key(key) => {
            format!(
                "{}{colon}{}",
                json::to_string(&Value::from(key.as_str())),
                json::to_string(value)
            )
        }
        Step::Index(_) => json::to_string(value),
        Step::Xml(_) => return None,
    };
    let comma = match members {
        [] => return Some((inside, new)),
        [only] => format!(",{}", &text[inside.start..only.whole.start]),
        [.., before, last] => text[before.whole.end..last.whole.start].to_owned(),
    };
    match (step, known) {
        (Step::Index(_), Some(known)) => {
            let at = members[known].whole.start;
            Some((at..at, format!("{new}{comma}")))
        }
        _ => {
            let end = members.last()?.whole.end;
            Some((end..end, format!("{comma}{new}")))
        }
    }
}

fn place(members: &[Member], step: &Step) -> Option<usize> {
    match step {
        Step::Key(key) => members.iter().position(|it| it.key.as_ref() == Some(key)),
        Step::Index(place) => Some(*place).filter(|place| *place < members.len()),
        Step::Xml(_) => None,
    }
}

/// What an object or a list that stands there holds.
fn members(text: &str, inside: Range<usize>) -> Option<Vec<Member>> {
    let is_object = match text.as_bytes().get(inside.start)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut out = Vec::new();
    let mut at = skip_space(text, inside.start + 1);
    while at + 1 < inside.end {
        let start = at;
        let mut key = None;
        if is_object {
            let end = skip_value(text, at)?;
            key = json::parse(&text[at..end]).ok()?.as_text().map(str::to_owned);
            at = skip_space(text, skip_space(text, end) + 1);
        }
        let end = skip_value(text, at)?;
        out.push(Member { key, whole: start..end, value: at..end });
        at = skip_space(text, end);
        if text.as_bytes().get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
    }
    Some(out)
}

fn skip_space(text: &str, at: usize) -> usize {
    let space = text.as_bytes()[at.min(text.len())..].iter();
    at + space.take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Behind the value that begins there.
fn skip_value(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (place, byte) in text.bytes().enumerate().skip(at) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => {
                in_text = !in_text;
                if !in_text && depth == 0 {
                    return Some(place + 1);
                }
            }
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(place),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 && place > at => {
                return Some(place);
            }
            _ => {}
        }
    }
    (depth == 0 && !in_text).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(path: &[&str]) -> Vec<Step> {
        let step = |part: &&str| match part.parse() {
            Ok(place) => Step::Index(place),
            Err(_) => Step::Key((*part).to_owned()),
        };
        path.iter().map(step).collect()
    }

    #[track_caller]
    fn check(text: &str, path: &[&str], change: Change<'_>, expected: &str) {
        assert_eq!(with(text, &way(path), change).as_deref(), Some(expected));
        assert!(json::parse(expected).is_ok(), "{expected}");
    }

    #[test]
    fn only_the_place_changes() {
        let one = Value::from(1);
        let odd =
            "\t{ \"a\" :1.50,\r\n\t\t\"b\\u0041\": [ true,{\"c,]\":\"x\\\"}\"} ],  \"d\":{} }\n";
        check(odd, &["a"], Change::Set(&one), &odd.replace("1.50", "1"));
        check(odd, &["bA", "1", "c,]"], Change::Set(&one), &odd.replace("\"x\\\"}\"", "1"));
        check(odd, &["bA", "0"], Change::Remove, &odd.replace("true,", ""));
        check(odd, &["d"], Change::Remove, &odd.replace(",  \"d\":{}", ""));
        check(odd, &["e"], Change::Add(&one), &odd.replace("{} }", "{},  \"e\":1 }"));
        check(odd, &["d", "e"], Change::Add(&one), &odd.replace("{} }", "{\"e\": 1} }"));
        check(odd, &["bA", "1"], Change::Add(&one), &odd.replace("true,", "true,1,"));
        check("{\n    \"a\": 1\n}", &["b"], Change::Add(&one), "{\n    \"a\": 1,\n    \"b\": 1\n}");
        check("[1]", &["0"], Change::Remove, "[]");
    }

    #[test]
    fn what_is_not_there_is_not_changed() {
        for (text, path) in
            [("{}", vec!["a"]), ("[1]", vec!["1"]), ("1", vec!["a"]), ("{\"a\":1}", vec!["a", "b"])]
        {
            assert_eq!(with(text, &way(&path), Change::Remove), None, "{text}");
        }
    }
}
