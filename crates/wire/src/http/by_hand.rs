//! A recorded request as a line for a POSIX shell in which `curl` sends it, byte for byte.
//!
//! Nothing of the request is left to the shell or to `curl`: no globbing, no header of its own, no
//! file that an `@` names. Bytes that act on a terminal are spelled out, so that the line is one line
//! and can be pasted. What cannot be said so has no line: gRPC, upgrades, tunnels, bodies that were not
//! kept.

use super::content::{self, Kind, Payload};
use super::fields;
use super::write::request_line;
use rehearsal_model::{Map, Value};

/// A longer line is none that anybody pastes.
const MAX_LINE: usize = 8 << 10;
/// Headers that `curl` adds by itself unless it is told not to.
const OWN: [&str; 3] = ["Accept", "User-Agent", "Host"];

/// The line, for a server at `origin`: `http://127.0.0.1:8080`.
pub(super) fn curl(request: &Map, origin: &str) -> Option<String> {
    let (method, target) = request_line(request);
    let list = fields::each(request.get("headers"));
    let has = |name: &str| list.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !target.starts_with(b"/") || has("upgrade") || crate::grpc::path_of(request).is_some() {
        return None;
    }
    let body = match content::write(request, &Kind::of(list.iter().copied())).ok()? {
        None => None,
        Some(Payload::Bytes(body)) => Some(body),
        Some(Payload::Unknown(_)) => return None,
    };
    if body.as_ref().is_some_and(|body| body.len() > MAX_LINE) {
        return None;
    }
    let mut words = vec!["curl -sSi -g --path-as-is".to_owned()];
    words.extend(version(request, origin).map(str::to_owned));
    match method {
        b"HEAD" => words.push("--head".to_owned()),
        b"GET" if body.is_none() => {}
        method => words.push(format!("-X {}", word(method))),
    }
    for (name, value) in &list {
        words.extend(header(name, value)?);
    }
    for own in OWN.iter().filter(|name| !has(name)) {
        words.push(format!("-H '{own}:'"));
    }
    let mut before = String::new();
    if let Some(body) = &body {
        if !has("content-type") {
            words.push("-H 'Content-Type:'".to_owned());
        }
        if !has("expect") {
            words.push("-H 'Expect:'".to_owned());
        }
        match is_plain(body) {
            true => words.push(format!("--data-raw {}", word(body))),
            false => {
                before = format!("printf {} | ", format_of(body));
                words.push("--data-binary @-".to_owned());
            }
        }
    }
    words.push(word(&[origin.as_bytes(), target].concat()));
    let line = before + &words.join(" ");
    (line.len() <= MAX_LINE).then_some(line)
}

fn version(request: &Map, origin: &str) -> Option<&'static str> {
    let version = match request.get("version")? {
        Value::Number(number) => number.as_str(),
        value => value.as_text()?,
    };
    match version {
        "1.0" => Some("--http1.0"),
        "2" if origin.starts_with("https:") => Some("--http2"),
        "2" => Some("--http2-prior-knowledge"),
        _ => None,
    }
}

/// The option for a header; empty for one that `curl` works out. None when it is no header.
fn header(name: &str, value: &Value) -> Option<Option<String>> {
    if name.eq_ignore_ascii_case("content-length") {
        return Some(None);
    }
    let mut line = Vec::new();
    fields::write(name, value, &mut line).ok()?;
    line.truncate(line.len().saturating_sub(2));
    // An empty value is said by a semicolon: a colon with nothing behind it takes the header away.
    if line.ends_with(b": ") {
        line.truncate(line.len() - 2);
        line.push(b';');
    }
    Some(Some(format!("-H {}", word(&line))))
}

/// Bytes as one word of a shell.
fn word(bytes: &[u8]) -> String {
    match is_plain(bytes) {
        true => quoted(&String::from_utf8_lossy(bytes)),
        // What a substitution gives loses line ends at its end, and no header or target has any.
        false => format!("\"$(printf {})\"", format_of(bytes)),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether bytes are text that can be shown and pasted as it is.
fn is_plain(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_shown))
}

/// Letters and digits of any script; of all else only what ASCII has, for other characters may hide
/// or reorder what is beside them.
fn is_shown(char: char) -> bool {
    char == ' ' || char.is_ascii_graphic() || char.is_alphanumeric()
}

/// The format by which `printf` writes bytes, quoted. Octal escapes have three digits always, so that
/// a digit may follow.
fn format_of(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    // A format that begins so would be taken for an option.
    let mut guard = bytes.first() == Some(&b'-');
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => out.push_str("\\\\"),
                '%' => out.push_str("%%"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                _ if is_shown(char) && !std::mem::take(&mut guard) => out.push(char),
                _ => octal(char.encode_utf8(&mut [0; 4]).as_bytes(), &mut out),
            }
        }
        octal(chunk.invalid(), &mut out);
    }
    quoted(&out)
}

fn octal(bytes: &[u8], out: &mut String) {
    bytes.iter().for_each(|byte| out.push_str(&format!("\\{byte:03o}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    #[track_caller]
    fn check(request: &str, line: Option<&str>) {
        let request = json::parse(request).unwrap();
        let said = curl(request.as_map().unwrap(), "http://127.0.0.1:80");
        let line = line.map(|line| format!("curl -sSi -g --path-as-is {line}"));
        assert_eq!(said, line);
    }

    #[test]
    fn a_request_is_one_line() {
        check(
            r#"{"http":"GET /a?b=[1]&c='x'","headers":{"Host":"shop","Accept":"*/*","User-Agent":"t"}}"#,
            Some(
                "-H 'Host: shop' -H 'Accept: */*' -H 'User-Agent: t' \
                 'http://127.0.0.1:80/a?b=[1]&c='\\''x'\\'''",
            ),
        );
        check(
            r#"{"http":"POST /x","headers":{"Content-Type":"text/plain","X-Empty":""},"body":"@größe"}"#,
            Some(
                "-X 'POST' -H 'Content-Type: text/plain' -H 'X-Empty;' -H 'Accept:' \
                 -H 'User-Agent:' -H 'Host:' -H 'Expect:' --data-raw '@größe' 'http://127.0.0.1:80/x'",
            ),
        );
        check(r#"{"http":"CONNECT a:443"}"#, None);
        check(r#"{"http":"GET /","headers":{"Upgrade":"websocket"}}"#, None);
        check(r#"{"http":"PUT /","omitted":{"length":5,"sha256":"x"}}"#, None);
    }

    #[test]
    fn nothing_that_acts_is_in_it() {
        let all: Vec<u8> = ('\0'..='\u{2fff}').collect::<String>().into_bytes();
        let line = word(&[&all[..], &[0xff, 0xc3]].concat());
        assert!(line.chars().all(is_shown), "{line:?}");
        assert!(!line.contains(['\u{202e}', '\u{200b}', '\u{ad}', '\u{1b}']));
        assert_eq!(format_of(b"-%\\'\x001"), r"'\055%%\\'\''\0001'");
    }
}
