//! How bodies are shown, and what is served for them.

use super::super::{coding, write};
use super::*;
use rehearsal_model::Map;

/// The response that is recorded for these headers and this body.
fn recorded(headers: &str, body: &[u8]) -> Map {
    recorded_within(headers, body, Limits::default())
}

fn recorded_within(headers: &str, body: &[u8], limits: Limits) -> Map {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    let response = [head.as_bytes(), body].concat();
    let steps = [Client(b"GET / HTTP/1.1\r\n\r\n"), Server(&response)];
    let seen = run(&steps, limits).expect("the response is HTTP");
    seen.exchanges[0].response.clone().expect("there is a response")
}

fn served(response: &Map) -> Vec<u8> {
    let outgoing = write::response(response, super::super::head::Method::Other);
    let mut out = Vec::new();
    outgoing.expect("the response can be written").send(Peer::Client, &mut out);
    out.into_iter()
        .flat_map(|command| match command {
            Command::Send { bytes, .. } => bytes.to_vec(),
            _ => Vec::new(),
        })
        .collect()
}

/// The keys that show a body of this type, which must also come back byte for byte.
#[track_caller]
fn shows(content_type: &str, body: &str, expected: &str) {
    let headers = match content_type {
        "" => String::new(),
        kind => format!("Content-Type: {kind}\r\n"),
    };
    let mut map = recorded(&headers, body.as_bytes());
    let whole = served(&map);
    assert!(whole.ends_with(body.as_bytes()), "{:?}", String::from_utf8_lossy(&whole));
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    assert!(String::from_utf8_lossy(&whole).contains(&length));
    map.remove("status");
    map.remove("headers");
    assert_eq!(json::to_string(&Value::Map(map)), expected);
}

#[test]
fn json_is_a_tree_when_its_spelling_is_known() {
    let json = "application/json; charset=utf-8";
    shows(json, r#"{"a":[1.10,1e3]}"#, r#"{"body":{"a":[1.10,1e3]}}"#);
    shows(json, "7", r#"{"body":7}"#);
    shows(json, "null", r#"{"body":null}"#);
    shows(json, r#"{"a": [1, 2]}"#, r#"{"body":{"a":[1,2]},"body-format":"spaced"}"#);
    shows(json, r#"{"a":"b: c, d"}"#, r#"{"body":{"a":"b: c, d"}}"#);
    shows(json, "{\n  \"a\": 1\n}\n", r#"{"body":{"a":1},"body-format":"indented-2 newline"}"#);
    shows(json, "[\"\\u00e9\"]", r#"{"body":["é"],"body-format":"ascii"}"#);
    shows(json, "[\"\\u003c\"]", r#"{"body":["<"],"body-format":"html"}"#);
    shows(json, "[\"\\u0001\\/\"]", r#"{"body":["\u0001/"],"body-format":"ascii slashes"}"#);
    shows("application/problem+json", "{}", r#"{"body":{}}"#);
    shows("", "[1]", r#"{"body":[1]}"#);
    shows("text/html", "[1]", r#"{"body":[1]}"#);
}

#[test]
fn other_content_is_text_or_bytes() {
    let json = "application/json";
    shows(json, r#""text""#, r#"{"body":"\"text\""}"#);
    shows(json, r#"{"a":1,"a":2}"#, r#"{"body":"{\"a\":1,\"a\":2}"}"#);
    shows(json, "{\"a\" :1}", r#"{"body":"{\"a\" :1}"}"#);
    shows(json, "{", r#"{"body":"{"}"#);
    shows("text/plain", "7", r#"{"body":"7"}"#);
    shows("text/plain", "", r#"{"body":""}"#);
    shows("image/png", "\0", r#"{"body":{"$base64":"AA=="}}"#);
}

#[test]
fn forms_are_maps_when_their_spelling_is_known() {
    let form = "application/x-www-form-urlencoded";
    shows(form, "a=1&b=x+y&c=%C3%A9", r#"{"form":{"a":"1","b":"x y","c":"é"}}"#);
    shows(form, "a=1&a=2&b=", r#"{"form":{"a":["1","2"],"b":""}}"#);
    shows(form, "a=1&b=2&a=3", r#"{"form":[{"a":"1"},{"b":"2"},{"a":"3"}]}"#);
    shows(form, "a=x%20y", r#"{"form":{"a":"x y"},"body-format":"percent-space"}"#);
    for odd in ["a", "a=%c3%a9", "a=%ff", "a=1&", "a=%", "a=b=c"] {
        shows(form, odd, &format!(r#"{{"body":"{odd}"}}"#));
    }
}

#[test]
fn multipart_is_taken_apart_when_it_comes_back() {
    let kind = "multipart/form-data; boundary=\"xYz\"";
    let file = "--xYz\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nline\r\n\r\n--xY\r\n";
    let json = "--xYz\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}\r\n--xYz--\r\n";
    shows(
        kind,
        &format!("{file}{json}"),
        concat!(
            r#"{"multipart":[{"headers":{"Content-Disposition":"form-data; name=\"f\""},"#,
            r#""body":"line\r\n\r\n--xY"},{"headers":{"Content-Type":"application/json"},"#,
            r#""body":{"a":1},"body-format":"spaced"}]}"#
        ),
    );
    let bare = "--xYz\r\n\r\nx\r\n--xYz--";
    shows(kind, bare, r#"{"multipart":[{"body":"x"}],"body-format":"no-newline"}"#);
    shows(kind, "--xYz--", r#"{"multipart":[],"body-format":"no-newline"}"#);
    for odd in ["preamble\r\n--xYz\r\n\r\nx\r\n--xYz--\r\n", "--xYz\r\n\r\nx", ""] {
        let text = json::to_string(&Value::from(odd));
        shows(kind, odd, &format!(r#"{{"body":{text}}}"#));
    }
}

#[test]
fn coded_content_is_shown_decoded_and_served_coded() {
    let plain = br#"{"a":[1,2,3,4,5,6,7,8,9]}"#.to_vec();
    for codings in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, br", "GZIP"] {
        let list: Vec<&str> = codings.split(", ").collect();
        let coded = coding::encode(plain.clone(), &list).expect("known codings");
        assert_ne!(coded, plain);
        let headers = format!("Content-Encoding: {codings}\r\nContent-Type: application/json\r\n");
        let map = recorded(&headers, &coded);
        assert_eq!(map.get("body").map(json::to_string).unwrap_or_default().as_bytes(), plain);
        assert_eq!(map.get("body-format"), None);
        let bytes = served(&map);
        assert!(bytes.ends_with(&coded), "{codings}");
    }
}

#[test]
fn coded_content_that_cannot_be_decoded_stays_as_it_is() {
    let map = recorded("Content-Encoding: gzip\r\n", b"no gzip");
    assert_eq!(map.text("body-format"), Some("encoded"));
    assert!(served(&map).ends_with(b"Content-Length: 7\r\n\r\nno gzip"));
    let unknown = recorded("Content-Encoding: compress\r\n", b"abc");
    assert_eq!((unknown.text("body"), unknown.get("body-format")), (Some("abc"), None));
    let bomb = coding::encode(vec![b'a'; 1 << 20], &["gzip"]).expect("a known coding");
    let limits = Limits { body: 1 << 16, ..Limits::default() };
    let map = recorded_within("Content-Encoding: gzip\r\n", &bomb, limits);
    assert_eq!(map.text("body-format"), Some("encoded"));
    let many = format!("Content-Encoding: {}gzip\r\n", "gzip, ".repeat(9));
    assert_eq!(recorded(&many, b"x").text("body-format"), Some("encoded"));
}

#[test]
fn what_others_encode_is_read() {
    // "hello\n" by gzip(1), zstd(1) and Node's zlib.brotliCompressSync and deflateSync.
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0, 0x20, 0x30,
        0x3a, 0x36, 6, 0, 0, 0,
    ];
    let zstd = [
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x31, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a,
        0x53, 0x88, 0xbd, 0x91,
    ];
    let brotli = [0x8b, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x03];
    let deflate =
        [0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x08, 0x4b, 0x02, 0x1f];
    let coded: [(&str, &[u8]); 4] =
        [("gzip", &gzip), ("zstd", &zstd), ("br", &brotli), ("deflate", &deflate)];
    for (coding, bytes) in coded {
        let map = recorded(&format!("Content-Encoding: {coding}\r\n"), bytes);
        assert_eq!(map.text("body"), Some("hello\n"), "{coding}");
    }
}

#[test]
fn zstandard_has_frames_and_a_largest_window() {
    let frame = coding::encode(b"one".to_vec(), &["zstd"]).expect("a known coding");
    let map = recorded("Content-Encoding: zstd\r\n", &frame.repeat(2));
    assert_eq!(map.text("body"), Some("oneone"));
    let raw = [1, 0, 0];
    for (header, known) in [
        // An empty raw block in windows of 1 KiB and of 2 TiB, and in segments of 0 and 4 GiB.
        (vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0], true),
        (vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8], false),
        (vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, 0], true),
        (vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff], false),
        (vec![0x28, 0xb5, 0x2f, 0xfd], false),
    ] {
        let bytes = [header.as_slice(), &raw].concat();
        let decoded = coding::decode(&bytes, &["zstd"], 1 << 20);
        assert_eq!(decoded.is_some(), known, "{header:?}");
    }
}

#[test]
fn edited_recordings_are_checked() {
    let response = |key: &str, value: Value| {
        let mut map = Map::from([("status", Value::from(200))]);
        map.insert(key, value);
        write::response(&map, super::super::head::Method::Other).map(|_| ())
    };
    let headers = |name: &str, value: &str| Value::Map(Map::from([(name, value)]));
    assert_eq!(response("headers", headers("A", "b")), Ok(()));
    assert_eq!(response("headers", Value::Map(Map::from([("A", 7)]))), Ok(()));
    for (key, value) in [
        ("status", Value::from("200")),
        ("status", Value::from(99)),
        ("version", Value::from("2")),
        ("reason", Value::from("a\r\nb")),
        ("headers", headers("A", "b\r\nC: d")),
        ("headers", headers("A\r\n", "b")),
        ("headers", Value::Map(Map::from([("A", Value::Null)]))),
        ("framing", Value::from("chunked")),
        ("body-format", Value::from("fancy")),
        ("form", Value::from("a=b")),
        ("multipart", Value::List(Vec::new())),
        ("omitted", Value::Map(Map::from([("length", -1)]))),
    ] {
        let outcome = response(key, value.clone());
        assert!(matches!(outcome, Err(WireError::Unwritable { .. })), "{key} {value:?}");
    }
    for line in ["", "GET", "GET /a b", "G\tT /", "GET /\r\nA: b"] {
        let outcome = write::request(&Map::from([("http", line)]));
        assert!(matches!(outcome, Err(WireError::Unwritable { .. })), "{line:?}");
    }
}
