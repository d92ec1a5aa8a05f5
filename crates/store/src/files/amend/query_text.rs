//! Changes one value in the query of a URL that stands in a text, and leaves how the rest of it is spelled.
//!
//! A query is `name=value` between `&` (URL standard, section 5.1): `+` and `%20` are spaces.

use super::json_text::Change;
/// The text with a query's value changed. `nth` says which of those of that name, from 0. None when the text
/// has no query, there is no such value, or it becomes something that is no text.
pub(super) fn with(text: &str, name: &str, nth: usize, change: Change<'_>) -> Option<String> {
    let (front, query) = text.split_once('?')?;
    let (query, fragment) = match query.find('#') {
        Some(at) => query.split_at(at),
        None => (query, ""),
    };
    let mut parts: Vec<String> = query.split('&').map(str::to_owned).collect();
    let named = |part: &String| decoded(part.split('=').next().unwrap_or_default()) == name;
    let place = (0..parts.len()).filter(|place| named(&parts[*place])).nth(nth);
    match (change, place) {
        (Change::Set(value), Some(place)) => {
            let spelled = parts[place].split('=').next().unwrap_or_default();
            parts[place] = format!("{spelled}={}", encoded(value.as_text()?));
        }
        (Change::Remove, Some(place)) => drop(parts.remove(place)),
        (Change::Add(value), None) => {
            parts.push(format!("{}={}", encoded(name), encoded(value.as_text()?)));
        }
        _ => return None,
    }
    let mark = if parts.is_empty() { "" } else { "?" };
    Some(format!("{front}{mark}{}{fragment}", parts.join("&")))
}

fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b':' | b',' | b'/' | b'@' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::Value;

    #[test]
    fn only_the_value_changes() {
        let line = "GET /rates?from=EU%52&to=a+b&to=c&flag#top";
        let check = |name: &str, nth, change: Change<'_>, from: &str, to: &str| {
            assert_eq!(with(line, name, nth, change), Some(line.replacen(from, to, 1)), "{name}");
        };
        let value = Value::from("x & ü");
        check("from", 0, Change::Set(&value), "EU%52", "x%20%26%20%C3%BC");
        check("to", 1, Change::Set(&value), "to=c", "to=x%20%26%20%C3%BC");
        check("flag", 0, Change::Set(&value), "flag", "flag=x%20%26%20%C3%BC");
        check("to", 0, Change::Remove, "to=a+b&", "");
        check("new one", 0, Change::Add(&value), "#top", "&new%20one=x%20%26%20%C3%BC#top");
        let one = Value::from("1");
        assert_eq!(with("GET /a?b=2", "b", 0, Change::Remove).as_deref(), Some("GET /a"));
        for wrong in [
            with(line, "gone", 0, Change::Remove),
            with("GET /a", "b", 0, Change::Set(&one)),
            with(line, "to", 2, Change::Set(&one)),
            with(line, "from", 0, Change::Set(&Value::Null)),
        ] {
            assert_eq!(wrong, None);
        }
    }
}
