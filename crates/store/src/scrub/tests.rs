//! Secrets go wherever they stand, what is none stays, and twice is the same as once.

use super::*;
use proptest::prelude::*;
use rehearsal_model::{Call, EdgeName, Number, TestId, Timestamp, json};

fn scrubber_with(settings: &SecretSettings) -> Scrubber {
    Scrubber::new(settings, Key::new([7; 32])).unwrap()
}

fn scrubber() -> Scrubber {
    scrubber_with(&SecretSettings::default())
}

fn of(kind: &str, original: &str) -> String {
    secret::placeholder(kind, Key::new([7; 32]).hash(original))
}

/// Scrubs a JSON document as a request, twice, and compares it with another in which `<x>` is the
/// placeholder of `x` (`<jwt:x>` of a kind).
#[track_caller]
fn check_with(scrubber: &Scrubber, input: &str, expected: &str) -> Pairs {
    let Value::Map(request) = json::parse(input).unwrap() else { panic!("a map") };
    let mut exchange = Exchange { request, ..Exchange::default() };
    let pairs = scrubber.scrub(&mut exchange);
    assert_eq!(json::to_string(&exchange.request.clone().into()), filled(expected));
    assert_eq!(scrubber.scrub(&mut exchange), [], "the second time");
    assert_eq!(json::to_string(&exchange.request.into()), filled(expected), "the second time");
    pairs
}

#[track_caller]
fn check(input: &str, expected: &str) -> Pairs {
    check_with(&scrubber(), input, expected)
}

fn filled(expected: &str) -> String {
    let (mut out, mut rest) = (String::new(), expected);
    while let Some((before, after)) = rest.split_once('<') {
        let (inner, after) = after.split_once('>').unwrap();
        let (kind, original) = inner.split_once('|').unwrap_or(("value", inner));
        out.push_str(before);
        out.push_str(&of(kind, original));
        rest = after;
    }
    out + rest
}

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl";

#[test]
fn headers_in_either_form() {
    check(
        r#"{"http":"GET /","headers":{"Authorization":"Bearer abc123","host":"shop","X-Api-Key":"k1"}}"#,
        r#"{"http":"GET /","headers":{"Authorization":"Bearer <abc123>","host":"shop","X-Api-Key":"<k1>"}}"#,
    );
    check(
        r#"{"headers":[{"authorization":"Basic dTpw"},{"x-auth-token":["a1","a2"]},{"accept":"*/*"}]}"#,
        r#"{"headers":[{"authorization":"Basic <dTpw>"},{"x-auth-token":["<a1>","<a2>"]},{"accept":"*/*"}]}"#,
    );
    check(
        r#"{"proxy-authorization":"opaque","authorization":"AWS4-HMAC-SHA256 Credential=a, Signature=b"}"#,
        r#"{"proxy-authorization":"<opaque>","authorization":"AWS4-HMAC-SHA256 <Credential=a, Signature=b>"}"#,
    );
}

#[test]
fn cookies_keep_names_and_attributes() {
    check(
        r#"{"cookie":"sid=s1; theme=\"dark\"; empty=; bare","set-cookie":["sid=s1; Path=/; HttpOnly","x="]}"#,
        r#"{"cookie":"sid=<s1>; theme=\"<dark>\"; empty=; bare","set-cookie":["sid=<s1>; Path=/; HttpOnly","x="]}"#,
    );
}

#[test]
fn bodies_by_key_and_by_kind_of_value() {
    check(
        r#"{"body":{"user":"ann","password":"hunter2","pwd":1234,"token":99,"accessToken":"t","secret":null,"api_key":true,"passwd":""}}"#,
        r#"{"body":{"user":"ann","password":"<hunter2>","pwd":"<1234>","token":99,"accessToken":"<t>","secret":null,"api_key":true,"passwd":""}}"#,
    );
    check(
        r#"{"body":{"secret":{"name":"n","value":"v","token":"t"},"tokens":["a"],"page_token":"p","password":["a",[1]]}}"#,
        r#"{"body":{"secret":{"name":"n","value":"v","token":"<t>"},"tokens":["a"],"page_token":"p","password":["<a>",["<1>"]]}}"#,
    );
}

#[test]
fn texts_with_names_inside() {
    check(
        r#"{"http":"GET /x?token=abc&page=2&api-key=k%201"}"#,
        r#"{"http":"GET /x?token=<abc>&page=2&api-key=<k 1>"}"#,
    );
    check(
        r#"{"body":"user=ann&password=hunter+2&remember=1"}"#,
        r#"{"body":"user=ann&password=<hunter 2>&remember=1"}"#,
    );
    check(
        r#"{"body":"{\"token\" : \"a\\\"b\", \"pwd\": 12, \"n\": 1, \"token\":\"c\"}"}"#,
        r#"{"body":"{\"token\" : \"<a"b>\", \"pwd\": \"<12>\", \"n\": 1, \"token\":\"<c>\"}"}"#,
    );
    check(
        r#"{"body":"{\"inner\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}"#,
        r#"{"body":"{\"inner\":\"{\\\"password\\\":\\\"<hunter2>\\\"}\"}"}"#,
    );
    check(
        r#"{"body":"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b--"}"#,
        r#"{"body":"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n<hunter2>\r\n--b--"}"#,
    );
    check(
        r#"{"sql":"ALTER USER ann PASSWORD 'hunter2'","b":"SELECT * FROM t WHERE token = $1 AND token='x1'"}"#,
        r#"{"sql":"ALTER USER ann PASSWORD '<hunter2>'","b":"SELECT * FROM t WHERE token = $1 AND token='<x1>'"}"#,
    );
}

#[test]
fn cells_below_the_names_of_secrets_when_they_are_text() {
    check(
        r#"{"columns":["name text","password text","token uuid","pwd varchar(40)"],"rows":[["a","b","c","d"],["e",null,"f",7]]}"#,
        r#"{"columns":["name text","password text","token uuid","pwd varchar(40)"],"rows":[["a","<b>","c","<d>"],["e",null,"f",7]]}"#,
    );
}

#[test]
fn values_that_statements_name() {
    check(
        r#"{"sql":"INSERT INTO u (name, password, pass) VALUES ($1, $2, 'it''s')","params":["a","b"]}"#,
        r#"{"sql":"INSERT INTO u (name, password, pass) VALUES ($1, $2, '<it''s>')","params":["a","<b>"]}"#,
    );
    check(
        r#"{"sql":"UPDATE u SET password = ? WHERE name = ?","params":["b","a",1]}"#,
        r#"{"sql":"UPDATE u SET password = ? WHERE name = ?","params":["<b>","a",1]}"#,
    );
    check(
        r#"{"prepare":"CREATE USER a IDENTIFIED BY 'x y'","params":["b"]}"#,
        r#"{"prepare":"CREATE USER a IDENTIFIED BY '<x y>'","params":["b"]}"#,
    );
}

#[test]
fn elements_of_xml() {
    let scrubber = scrubber();
    let text =
        "<s:Login><s:User>ann</s:User><s:Password type=\"text\">hunter2</s:Password></s:Login>";
    let expected = text.replace("hunter2", &of("value", "hunter2"));
    assert_eq!(scrubber.text(text), expected);
    assert_eq!(scrubber.text(&expected), expected);
}

#[test]
fn shapes_anywhere() {
    let input = format!(
        r#"{{"params":["{JWT}","x AKIAIOSFODNN7EXAMPLE y","postgres://ann:p%40ss@db:5432/shop"]}}"#
    );
    let expected = format!(
        r#"{{"params":["<jwt|{JWT}>","x <aws|AKIAIOSFODNN7EXAMPLE> y","postgres://ann:<p%40ss>@db:5432/shop"]}}"#
    );
    check(&input, &expected);
}

#[test]
fn ordinary_traffic_is_left_alone() {
    let ordinary = r#"{"http":"POST /orders?page=2&sort=asc","headers":{"content-type":"application/json","user-agent":"curl/8","host":"shop:80","referer":"https://shop.example/login?next=/a@b"},"body":{"author":"ann","key":"k","session":"spring","pass_rate":0.5,"note":"the password is long","url":"https://a:8080/x@y"},"sql":"SELECT id, password FROM users WHERE name = 'ann'"}"#;
    assert_eq!(check(ordinary, ordinary), []);
}

#[test]
fn equal_secrets_are_equal_everywhere_and_come_with_their_originals() {
    let input = format!(
        r#"{{"headers":{{"authorization":"Bearer {JWT}"}},"body":{{"access_token":"{JWT}"}},"raw":"t={JWT}","sid":"cookie: sid=a"}}"#
    );
    let expected = format!(
        r#"{{"headers":{{"authorization":"Bearer <jwt|{JWT}>"}},"body":{{"access_token":"<jwt|{JWT}>"}},"raw":"t=<jwt|{JWT}>","sid":"cookie: sid=a"}}"#
    );
    let pairs = check(&input, &expected);
    assert_eq!(pairs, [(of("jwt", JWT), JWT.to_owned())]);
}

#[test]
fn a_long_secret_goes_where_it_is_repeated() {
    check(
        r#"{"token":"0123456789abcdef","path":"/verify/0123456789abcdef","short":"x"}"#,
        r#"{"token":"<0123456789abcdef>","path":"/verify/<0123456789abcdef>","short":"x"}"#,
    );
    check(r#"{"token":"orders","path":"/orders"}"#, r#"{"token":"<orders>","path":"/orders"}"#);
}

#[test]
fn both_sides_of_an_exchange_and_their_pairs() {
    let login = Map::from([("password", "hunter2")]);
    let answer = Map::from([("token", "t-17"), ("cookie", "sid=t-17")]);
    let mut exchange = Exchange { request: login, response: Some(answer), ..Exchange::default() };
    let pairs = scrubber().scrub(&mut exchange);
    let (password, token) = (of("value", "hunter2"), of("value", "t-17"));
    assert_eq!(exchange.request.text("password"), Some(password.as_str()));
    assert_eq!(exchange.response.unwrap().text("cookie"), Some(format!("sid={token}").as_str()));
    assert_eq!(pairs, [(password, "hunter2".to_owned()), (token, "t-17".to_owned())]);
}

#[test]
fn the_project_adds_and_keeps() {
    let scrubber = scrubber_with(&SecretSettings {
        names: vec!["X-Shop-Seal".into(), "iban".into()],
        patterns: vec![r"card (\d{4})".into(), r"ssn-\d+".into(), "x*".into()],
        keep: vec!["token".into(), "theme".into()],
    });
    check_with(
        &scrubber,
        r#"{"x_shop_seal":"s","b":"iban=DE12&token=t","token":"eyJ","cookie":"theme=dark; sid=1","n":"card 1234, ssn-5"}"#,
        r#"{"x_shop_seal":"<s>","b":"iban=<DE12>&token=t","token":"eyJ","cookie":"theme=dark; sid=<1>","n":"card <1234>, <ssn-5>"}"#,
    );
    let bad = SecretSettings { patterns: vec!["(".into()], ..SecretSettings::default() };
    let error = Scrubber::new(&bad, Key::new([0; 32])).unwrap_err();
    assert!(error.to_string().starts_with("read secrets.patterns"), "{error}");
}

#[test]
fn numbers_are_secrets_only_where_passwords_stand() {
    let mut exchange = Exchange::default();
    exchange.request.insert("password", Number::from(1u8));
    exchange.request.insert("secret", Number::from(1u8));
    scrubber().scrub(&mut exchange);
    assert_eq!(exchange.request.get("secret"), Some(&1.into()));
    assert_eq!(exchange.request.text("password"), Some(of("value", "1").as_str()));
}

/// Texts made of what the rules look for.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "token",
        "password",
        "a",
        "1",
        "=",
        ":",
        "\"",
        "\\\"",
        "'",
        "<",
        ">",
        "</",
        "&",
        "?",
        ";",
        " ",
        "\r\n\r\n",
        "\\",
        "\\\\",
        "{",
        "}",
        "Bearer ",
        "https://",
        "@",
        "/",
        "%",
        "%41",
        "+",
        "é",
        "авто",
        "name",
        "form-data; name=",
        "eyJhbGciOiJIUzI1NiJ9",
        ".eyJzdWIiOiI0MiJ9",
        "AKIAIOSFODNN7EXAMPLE",
        "secret-value-0123456789abcdef",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "ghp_0123456789abcdef0123456789abcdef0123",
    ]);
    prop::collection::vec(fragment, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_anywhere_is_scrubbed_once(
        text in fragments(),
        key in prop::sample::select(vec!["body", "cookie", "set-cookie", "authorization", "token"]),
    ) {
        let scrubber = scrubber();
        let mut once = Exchange::default();
        once.request.insert(key, text.as_str());
        scrubber.scrub(&mut once);
        let mut twice = once.clone();
        let pairs = scrubber.scrub(&mut twice);
        prop_assert_eq!(&twice, &once, "{:?}", pairs);
    }
}

#[test]
fn a_parameter_stays_one_after_its_scheme() {
    check(
        r#"{"http":"GET /x?authorization=Basic%20dTpwYXNz==&q=1"}"#,
        r#"{"http":"GET /x?authorization=Basic%20<dTpwYXNz==>&q=1"}"#,
    );
}

#[test]
fn what_a_call_names_goes_from_later_calls_and_the_answer() {
    let secret = "k-0123456789abcdef";
    let exchange = |name: &str| Exchange {
        request: Map::from([(name, secret)]),
        response: Some(Map::from([("seen", secret)])),
        ..Exchange::default()
    };
    let call =
        |name| Call { edge: EdgeName::new("payments"), exchange: exchange(name), parallel: false };
    let mut test = TestCase {
        exchange: Exchange { response: exchange("").response, ..Exchange::default() },
        calls: vec![call("note"), call("x-api-key"), call("note")],
        id: TestId(1),
        name: "GET /".into(),
        at: Timestamp::default(),
        edge: EdgeName::new("inbound"),
        noise: Vec::new(),
        during: Vec::new(),
    };
    scrubber().scrub_test(&mut test);
    let placeholder = of("value", secret);
    let seen = |exchange: &Exchange| {
        exchange.response.as_ref().unwrap().text("seen") == Some(&placeholder)
    };
    assert!(seen(&test.exchange));
    assert_eq!(test.calls[0].exchange, exchange("note"), "nothing was known yet");
    assert_eq!(test.calls[1].exchange.request.text("x-api-key"), Some(placeholder.as_str()));
    assert_eq!(test.calls[2].exchange.request.text("note"), Some(placeholder.as_str()));
    assert!(seen(&test.calls[2].exchange));
}
